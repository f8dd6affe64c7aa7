package ui

import (
	"context"
	"reflect"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/bridge"
	"pow.do/ui/mini"
	"pow.do/ui/widgets"
)

// news is one message from the watching goroutine.
type news struct {
	status   pow.Status
	received time.Time
	failed   int   // tries since the agent answered last
	err      error // of the last try
}

// pauses between tries to reach the agent; the last one repeats.
var pauses = []time.Duration{0, 2 * time.Second, 10 * time.Second}

// watch keeps the window up to date and reaches for the agent again when it is
// lost. It runs beside Fyne's goroutine until the window closes.
func (w *Window) watch(ctx context.Context) {
	latest := bridge.NewLatest(w.bridge, w.hear)
	put := func(s pow.Status) { latest.Put(news{status: s, received: w.now()}) }
	for failed := 0; ctx.Err() == nil; {
		heard, err := w.attend(ctx, put)
		if heard {
			failed = 0
		}
		if ctx.Err() != nil {
			return
		}
		failed++
		latest.Put(news{failed: failed, err: err})
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
func (w *Window) attend(ctx context.Context, put func(pow.Status)) (heard bool, err error) {
	short, cancel := context.WithTimeout(ctx, bridge.Deadline)
	s, err := w.agent.Status(short)
	cancel()
	if err != nil {
		return false, err
	}
	put(s)
	return true, w.agent.Watch(ctx, put) // it ends when the agent is lost
}

// hear takes news in, on Fyne's goroutine.
func (w *Window) hear(n news) {
	if n.failed > 0 {
		w.lose(n)
		return
	}
	back := w.lost > 0
	w.lost, w.failure = 0, nil
	if !back && w.known && sameNews(w.status, w.received, n) {
		return
	}
	before, known := w.status, w.known
	w.known, w.status, w.received = true, n.status, n.received
	w.asked()
	w.watchApps()
	fresh := w.away.Presenter.Update(n.status)
	w.tellPages()
	w.toasted(before, known)
	w.settle()
	if fresh && !w.full() {
		w.away.Open()
	}
	w.drawFrame()
}

// sameNews tells whether a status says nothing that is not on the screen. The
// clock goes by itself: only a jump of it is news.
func sameNews(was pow.Status, received time.Time, n news) bool {
	passed := time.Duration(n.status.Timer.Elapsed-was.Timer.Elapsed) * time.Second
	if was.Timer.State == pow.Tracking {
		passed -= n.received.Sub(received)
	}
	if passed.Abs() > 2*time.Second {
		return false
	}
	was.Timer.Elapsed, was.TodaySeconds, was.WeekSeconds = n.status.Timer.Elapsed, n.status.TodaySeconds, n.status.WeekSeconds
	was.HeldSeconds = n.status.HeldSeconds
	return n.received.Sub(received) < time.Minute && reflect.DeepEqual(was, n.status)
}

func (w *Window) lose(n news) {
	w.lost, w.failure = n.failed, n.err
	for _, p := range w.told() {
		p.Lose()
	}
	if w.mini != nil {
		w.mini.Lose()
	}
	w.drawFrame()
	w.settle()
}

// told lists the pages that hear of every status: the one in sight, and the
// timer, because its keys work everywhere.
func (w *Window) told() []page {
	if w.shown == nil || w.shown == page(w.timer) {
		return []page{w.timer}
	}
	return []page{w.timer, w.shown}
}

func (w *Window) tellPages() {
	for _, p := range w.told() {
		p.Update(w.status, w.received)
	}
	if w.mini != nil {
		w.mini.Update(w.status, w.received)
	}
}

// drawFrame shows what the frame says around the page.
func (w *Window) drawFrame() {
	w.bar.draw(w.status, w.known, w.lost > 0)
	w.bar.tick(w.elapsed())
	w.nav.count(w.review, w.status.Held, false)
	w.nav.count(w.outbox, unsettled(w.status), w.status.Outbox[pow.Attention] > 0)
	widgets.Show(w.frame.veil, w.lost > 0 && w.known)
	w.drawBanner()
}

// asked shows the page that the agent was asked to show, by the tray, a
// notification or a second start.
func (w *Window) asked() {
	if name := w.status.Open; name != "" {
		w.status.Open = ""
		w.open(name)
		w.win.RequestFocus()
	}
}

// toasted shows a picture that was just taken, where the member wants that.
func (w *Window) toasted(before pow.Status, known bool) {
	if c, ok := mini.Fresh(before, w.status, known); ok && w.toasts {
		w.showToast(c)
	}
}

// unsettled counts the proofs that are not settled.
func unsettled(s pow.Status) (n int) {
	for state, k := range s.Outbox {
		if state != pow.Booked && state != pow.Accepted {
			n += k
		}
	}
	return n
}

func (w *Window) tryAgain() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}
