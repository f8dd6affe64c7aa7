package ui

import (
	"context"
	"image"
	"math/rand/v2"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/doctor"
	"pow.do/ui/firstrun"
	"pow.do/ui/history"
	"pow.do/ui/lock"
	"pow.do/ui/mini"
	"pow.do/ui/outbox"
	"pow.do/ui/project"
	"pow.do/ui/register"
	"pow.do/ui/review"
	"pow.do/ui/settings"
	"pow.do/ui/theme"
	"pow.do/ui/tracker"
	"pow.do/ui/words"
)

// buildPages makes every page and wires its ways out.
func (w *Window) buildPages() {
	w.timer = tracker.NewPage(tracker.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now}, tracker.Links{
		Say: w.say, Register: w.openRegister, Review: w.openReview, Look: w.openPicture, Asks: w.openProject,
		Join: func() { w.openJoin("") }, Try: w.openRehearsal, Copy: w.copyText, Undo: w.undo})
	w.review = review.New(review.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now},
		review.Links{Say: w.say, Register: w.openRegister, Copy: w.copyText, Snack: w.snackbar, Secret: w.guard})
	files := backup.Disk()
	w.outbox = outbox.NewPage(outbox.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now, Home: files.Home},
		outbox.Links{Say: w.say, Copy: w.copyText, Came: w.focusPage})
	w.history = history.NewPage(history.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now},
		history.Links{Say: w.say, Save: w.saveFile})
	w.settings = settings.NewPage(settings.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now},
		settings.Options{Prefs: settings.Prefs{Preferences: w.app.Preferences()}, Files: files, Version: w.opts.Version, Build: w.opts.Build},
		settings.Links{Say: w.say, Copy: w.copyText, Secret: w.guard, Project: w.openProject, Join: func() { w.openJoin("") },
			Diagnose: w.openDoctor, Restart: w.reopen, Mini: w.toggleMini, Theme: func(theme.Variant) { w.restyle() }})
	w.project = project.NewPage(project.Config{Agent: w.agent, Async: w.bridge.Go}, w.now,
		project.Links{Say: w.say, Copy: w.copyText, Done: func(pow.ProjectID, bool) { w.goBack() }})
	w.doctor = doctor.NewPage(doctor.Config{Agent: w.agent, Async: w.bridge.Go, Version: w.opts.Version, Home: files.Home},
		doctor.Links{Say: w.say, Copy: w.copyText, Mend: w.mendAt, Back: w.goBack})
	w.first = firstrun.NewPage(firstrun.Config{Agent: w.agent, Async: w.bridge.Go, Store: w.app.Preferences(), Pick: rand.IntN}, files, w.now,
		firstrun.Links{Say: w.say, Copy: w.copyText, Paste: w.pasted, Done: w.joined, Secret: w.guard, Restart: w.reopen,
			Theme: w.chooseTheme, Look: func() theme.Variant { return theme.ReadLooks(w.app.Preferences()).Variant }})
	w.lock = lock.NewPage(lock.Config{Agent: w.agent, Async: w.bridge.Go, After: w.bridge.After, Now: w.now}, w.say)
	w.names = []named{{"timer", w.timer}, {"review", w.review}, {"outbox", w.outbox}, {"history", w.history}, {"settings", w.settings},
		{"project", w.project}, {"doctor", w.doctor}, {"welcome", w.first}, {"lock", w.lock}}
}

func (w *Window) openRegister() {
	if w.sheet != nil || !w.known || w.full() {
		return
	}
	w.sheet = register.Show(w.win.Canvas(), register.Config{
		Agent: w.agent, Async: w.bridge.Go, Now: w.now, Say: w.say,
		Done:   func(n int) { w.snackbar(words.N("register.done", n), "", nil) },
		Closed: func() { w.sheet = nil },
		Review: w.openReview,
		Answer: w.away.Open,
	})
}

func (w *Window) closeSheet() {
	if w.sheet != nil {
		w.sheet.Close()
	}
}

// openProject shows what a project asks for; leaving it leads back.
func (w *Window) openProject(id pow.ProjectID) {
	w.beside()
	w.project.Open(id)
	w.goTo(w.project)
}

// openDoctor shows Diagnostics; leaving it leads back.
func (w *Window) openDoctor() {
	w.beside()
	w.goTo(w.doctor)
}

// beside remembers where a page that is not in the navigation was opened from.
func (w *Window) beside() {
	if w.shown != page(w.project) && w.shown != page(w.doctor) && !w.full() {
		w.before = w.shown
	}
}

func (w *Window) goBack() {
	to := w.before
	if to == nil {
		to = w.timer
	}
	w.goTo(to)
}

// mendAt opens the part of the settings where something can be mended.
func (w *Window) mendAt(p doctor.Place) {
	groups := map[doctor.Place]settings.Group{doctor.Pictures: settings.Pictures, doctor.Apps: settings.Apps, doctor.Projects: settings.Projects,
		doctor.Keys: settings.KeysGroup, doctor.Servers: settings.Servers, doctor.Data: settings.DataGroup}
	if g, ok := groups[p]; ok {
		w.openSettings(g)
	}
}

// openTerms shows the terms of the project that is chosen, because they changed.
func (w *Window) openTerms() { w.openProject(w.timer.Presenter.Model().Chosen) }

// The sections of the settings that banners lead to.
const (
	toAppsGroup = settings.Apps
	toDataGroup = settings.DataGroup
)

func (w *Window) openSettings(g settings.Group) {
	w.goTo(w.settings)
	w.settings.Go(g)
}

// openRehearsal shows the practice round of the first run.
func (w *Window) openRehearsal() { w.openJoin("") }

// openReview shows the pictures of the day.
func (w *Window) openReview() { w.goTo(w.review) }

// openPicture shows one picture of today, large.
func (w *Window) openPicture(id string) {
	w.raise()
	w.goTo(w.review)
	w.review.OpenPicture(id)
}

func (w *Window) copyNpub() { w.copyText(w.status.Setup.Npub) }

func (w *Window) retryAll() { w.outbox.RetryAll() }

// readSettings asks for what the member set that concerns the window itself.
func (w *Window) readSettings() {
	var s pow.Settings
	w.bridge.Go(func(ctx context.Context) (err error) {
		s, err = w.agent.Settings(ctx)
		return err
	}, func(err error) {
		if err == nil {
			w.toasts = s.Toast == pow.ToastWindow
			w.toastFor = time.Duration(s.ToastFor) * time.Second
		}
	})
}

// showToast shows a taken picture for a while, in a window of its own.
func (w *Window) showToast(c pow.CaptureInfo) {
	var thumb image.Image
	w.bridge.Go(func(ctx context.Context) error {
		b, err := w.agent.Thumbnail(ctx, c.ID)
		if err == nil {
			thumb, err = tracker.Decode(b)
		}
		return err
	}, func(err error) {
		if err != nil || w.full() {
			return
		}
		if w.toast != nil {
			w.toast.Close()
		}
		t := mini.NewToast(w.app, c, thumb, mini.ToastLinks{Look: w.openPicture, Remove: w.timer.Presenter.RemoveByID})
		w.toast = t
		stay := w.toastFor
		if stay <= 0 {
			stay = mini.Stay
		}
		w.bridge.After(stay, t.Close)
	})
}

// toggleMini opens or closes the small bar, and remembers it.
func (w *Window) toggleMini() {
	on := w.mini == nil
	w.app.Preferences().SetBool("mini", on)
	if on {
		w.openMini()
	} else {
		w.closeMini()
	}
	w.retick()
}

func (w *Window) openMini() {
	w.mini = mini.NewBar(w.app, w.now, mini.Links{Toggle: w.timer.Toggle, Review: func() { w.raise(); w.openReview() }, Open: w.raise})
	w.mini.Window().SetCloseIntercept(w.toggleMini)
	if w.known {
		w.mini.Update(w.status, w.received)
	}
	w.mini.Show()
}

func (w *Window) closeMini() {
	if w.mini != nil {
		w.mini.Close()
		w.mini = nil
	}
}

func (w *Window) raise() {
	w.win.Show()
	w.win.RequestFocus()
}
