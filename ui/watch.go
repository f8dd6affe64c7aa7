package ui

import (
	"context"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/bridge"
	"pow.do/ui/theme"
	"pow.do/ui/words"
)

// news is one message from the watching goroutine.
type news struct {
	status   pow.Status
	received time.Time
	failed   int // tries since the agent answered last
}

// pauses between tries to reach the agent; the last one repeats.
var pauses = []time.Duration{0, 2 * time.Second, 10 * time.Second}

// watch keeps the window up to date and reaches for the agent again when it is
// lost. It runs beside Fyne's goroutine until the window closes.
func (w *Window) watch(ctx context.Context) {
	latest := bridge.NewLatest(w.bridge, w.hear)
	put := func(s pow.Status) { latest.Put(news{status: s, received: w.now()}) }
	for failed := 0; ctx.Err() == nil; {
		if w.attend(ctx, put) {
			failed = 0
		}
		if ctx.Err() != nil {
			return
		}
		failed++
		latest.Put(news{failed: failed})
		t := time.NewTimer(pauses[min(failed, len(pauses))-1])
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-w.again:
		}
		t.Stop()
	}
}

// attend watches until the agent is lost, and tells whether it ever answered.
func (w *Window) attend(ctx context.Context, put func(pow.Status)) bool {
	short, cancel := context.WithTimeout(ctx, bridge.Deadline)
	s, err := w.agent.Status(short)
	cancel()
	if err != nil {
		return false
	}
	put(s)
	_ = w.agent.Watch(ctx, put) // it always ends with an error; that it ended is what counts
	return true
}

// hear takes news in, on Fyne's goroutine.
func (w *Window) hear(n news) {
	if w.lost = n.failed; n.failed > 0 {
		for _, p := range w.all {
			p.Lose()
		}
	} else {
		w.known, w.status, w.received = true, n.status, n.received
		for _, p := range w.all {
			p.Update(n.status, n.received)
		}
	}
	w.bar.draw(w.status, w.known, w.lost > 0)
	w.bar.tick(w.elapsed())
	w.nav.count(w.outbox, open(w.status), w.status.Outbox[pow.Attention] > 0)
	w.drawBanner()
	w.settle()
}

// open counts the proofs that are not settled.
func open(s pow.Status) (n int) {
	for state, k := range s.Outbox {
		if state != pow.Booked && state != pow.Accepted {
			n += k
		}
	}
	return n
}

// notice is one banner.
type notice struct {
	key        string // remembers that it was put away
	what, mend string
	grave      bool
	act        string
	do         func()
}

// notices lists what the window has to say, the gravest first.
func (w *Window) notices() []notice {
	var list []notice
	switch {
	case w.lost > 2:
		list = append(list, notice{what: words.T("banner.lost"), mend: words.T("banner.lost.mend"), grave: true,
			act: words.T("act.retry"), do: w.tryAgain})
	case w.lost > 0:
		list = append(list, notice{what: words.T("banner.starting"), grave: true})
	case w.known && w.opts.Version != "" && w.status.Version != "" && w.status.Version != w.opts.Version:
		list = append(list, notice{key: "version", what: words.T("banner.version"), mend: words.T("banner.version.mend")})
	}
	if w.lost > 0 {
		return list
	}
	for _, f := range w.status.Warnings {
		n := notice{key: string(f.Code), what: words.Foreign(f.Text)}
		if words.Has("error." + string(f.Code)) {
			n.what = words.T("error." + string(f.Code))
		}
		if words.Has("error." + string(f.Code) + ".mend") {
			n.mend = words.T("error." + string(f.Code) + ".mend")
		}
		if !w.dismissed[n.key] {
			list = append(list, n)
		}
	}
	return list
}

func (w *Window) tryAgain() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}

func (w *Window) drawBanner() {
	w.banner.draw(w.notices())
	w.frame.root.Refresh()
}

func (w *Window) dismiss(key string) {
	w.dismissed[key] = true
	w.drawBanner()
}

// role returns the colours of a banner.
func (n notice) role() (r, tint themeRole, icon theme.IconName) {
	if n.grave {
		return theme.Danger, theme.TintDanger, theme.Attention
	}
	return theme.Warning, theme.TintWarning, theme.Warn
}
