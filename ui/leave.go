package ui

import (
	"context"
	"fmt"
	"os"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/settings"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// The keys of what the window remembers beside its looks, and how far it has
// told that the agent goes on without it.
const (
	prefTold  = "told-background"
	toldOnce  = 1 // by a notification, when it was closed
	toldTwice = 2 // and in the next window
)

// close keeps size and page and closes the window; the agent goes on.
func (w *Window) close() {
	p := w.app.Preferences()
	p.SetFloat("width", float64(w.win.Canvas().Size().Width))
	p.SetFloat("height", float64(w.win.Canvas().Size().Height))
	p.SetString("page", "timer")
	for _, n := range w.names {
		if n.page == w.wanted && n.page != page(w.project) && n.page != page(w.doctor) {
			p.SetString("page", n.name)
		}
	}
	if p.Int(prefTold) == 0 && w.known && w.lost == 0 && w.status.Setup.Key {
		p.SetInt(prefTold, toldOnce)
		w.app.SendNotification(fyne.NewNotification(title, words.T("close.background")))
	}
	w.closeMini()
	if w.toast != nil {
		w.toast.Close()
	}
	w.win.Close()
}

// toldBefore says in the first window after it once more that tracking goes on.
func (w *Window) toldBefore() {
	p := w.app.Preferences()
	if p.Int(prefTold) != toldOnce {
		return
	}
	p.SetInt(prefTold, toldTwice)
	w.bridge.Post(func() { w.snackbar(words.T("close.background"), "", nil) })
}

// askQuit asks what is to end: the window, which costs nothing, or the agent.
func (w *Window) askQuit() {
	if w.sheet != nil {
		return
	}
	running := w.known && w.status.Timer.State != pow.Stopped && w.status.Timer.State != ""
	text := words.T("quit.text")
	if running {
		text = words.T("quit.running")
	}
	fail := widgets.NewNote()
	body := widgets.Column(12, widgets.NewText(text, widgets.Style{Wrap: true}), fail.Box)
	shut := widgets.NewButton(words.T("quit.window"), "", widgets.Main, w.close)
	end := widgets.NewButton(words.T("quit.tracker"), theme.Stop, widgets.Plain, func() {
		w.bridge.Go(w.agent.Quit, func(err error) {
			if err != nil {
				fail.Fail(w.say(err))
				return
			}
			w.close()
		})
	})
	stay := widgets.NewButton(words.T("act.cancel"), "", widgets.Quiet, w.closeSheet)
	w.sheet = widgets.ShowSheet(w.win.Canvas(), words.T("quit.title"), body, []fyne.CanvasObject{shut, end, stay}, shut, func() { w.sheet = nil })
}

// restartAgent ends an agent of another version and starts this program's.
func (w *Window) restartAgent() {
	w.bridge.Go(w.opts.Restart, func(err error) {
		if err != nil {
			what, mend := w.say(err)
			w.snackbar(what+" "+mend, "", nil)
		}
		w.tryAgain()
	})
}

// reopen closes the window and opens it anew, for what holds only from the start.
func (w *Window) reopen() {
	if w.opts.Reopen == nil {
		w.snackbar(words.T("snack.reopen"), "", nil)
		return
	}
	w.close()
	w.opts.Reopen()
}

// copyFailure copies why the agent cannot be reached, for whoever can help.
func (w *Window) copyFailure() {
	text := "pow.do " + w.opts.Version + "\n"
	if w.failure != nil {
		what, mend := w.say(w.failure)
		text += what + " " + mend + "\n" + w.failure.Error()
	}
	w.copyText(text)
}

// lockNow forgets the keys until the passphrase is typed again.
func (w *Window) lockNow() {
	w.bridge.Go(func(ctx context.Context) error { return w.agent.Lock(ctx) }, func(err error) {
		if err != nil {
			what, mend := w.say(err)
			w.snackbar(what+" "+mend, "", nil)
		}
	})
}

// chooseTheme keeps another look and shows it at once.
func (w *Window) chooseTheme(v theme.Variant) {
	looks := theme.ReadLooks(w.app.Preferences())
	looks.Variant = v
	theme.WriteLooks(w.app.Preferences(), looks)
	w.restyle()
}

// restyle shows the looks that are chosen.
func (w *Window) restyle() {
	w.restyling = true
	w.app.Settings().SetTheme(theme.Make(theme.ReadLooks(w.app.Preferences())))
	w.restyling = false
}

// style shows the chosen looks from the start. Fyne says nothing of a desktop
// that states no preference; it is taken for one until the desktop is heard.
func (w *Window) style() {
	looks := theme.ReadLooks(w.app.Preferences())
	w.restyling = true
	w.app.Settings().SetTheme(theme.Make(looks).Silent())
	w.restyling = false
	w.app.Settings().AddListener(func(fyne.Settings) {
		if !w.restyling {
			w.restyle()
		}
	})
}

// scaleEnv is where Fyne looks for the size of everything, before the first window.
const scaleEnv = "FYNE_SCALE"

// scale hands the chosen size to Fyne, unless who started the program chose one.
func scale(app fyne.App) error {
	percent := settings.Prefs{Preferences: app.Preferences()}.Scale()
	if percent == 100 || os.Getenv(scaleEnv) != "" {
		return nil
	}
	if err := os.Setenv(scaleEnv, fmt.Sprintf("%.2f", float64(percent)/100)); err != nil {
		return fmt.Errorf("set the size of the window: %w", err)
	}
	return nil
}
