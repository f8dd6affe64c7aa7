package client

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

// Only a project whose timer the member shows is told of, and only while there
// is a consent.
func TestHintsAreForThoseWhoChoseThem(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	at := time.Now()
	session := func(id pow.SessionID, p pow.ProjectID) timer.Session {
		return timer.Session{Segment: timer.Segment{Session: id, Project: p}}
	}
	shown, quiet := session("A", optional), session("B", required)
	if got := a.hints(shown, quiet, at); got != nil {
		t.Errorf("nobody chose to tell %+v", got)
	}
	must(t, a.Choose(t.Context(), pow.ProjectChoice{Project: optional, ShowTimer: true}))
	for name, c := range map[string]struct {
		was, now timer.Session
		want     []pow.Action
	}{
		"start":       {timer.Session{}, shown, []pow.Action{pow.ActionStart}},
		"stop":        {shown, timer.Session{}, []pow.Action{pow.ActionStop}},
		"switch away": {shown, quiet, []pow.Action{pow.ActionStop}},
		"switch here": {quiet, shown, []pow.Action{pow.ActionStart}},
		"again":       {shown, session("C", optional), []pow.Action{pow.ActionStop, pow.ActionStart}},
	} {
		var got []pow.Action
		for _, n := range a.hints(c.was, c.now, at) {
			got = append(got, n.Action)
			if !n.IsHint() || n.Project != optional || !n.At.Equal(at) {
				t.Errorf("%s: %+v", name, n)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	must(t, a.Withdraw(t.Context(), optional))
	if got := a.hints(timer.Session{}, shown, at); got != nil {
		t.Errorf("withdrawn, and told: %+v", got)
	}
}

func TestHintsArrive(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w := newWorld(t)
	m := joined(t, w, newHome(t))
	ps, err := m.Projects(t.Context())
	must(t, err)
	must(t, m.Choose(t.Context(), pow.ProjectChoice{Project: ps[0].ID, ShowTimer: true}))
	_, err = m.Start(t.Context(), pow.StartRequest{Project: string(ps[0].ID)})
	must(t, err)
	told := func(n int) []pow.Notice {
		m.until(t, "a hint", func(pow.Status) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.hints) == n
		})
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.hints
	}
	told(1)
	_, err = m.Stop(t.Context())
	must(t, err)
	if got := told(2); got[0].Action != pow.ActionStart || got[1].Action != pow.ActionStop || got[0].Project != ps[0].ID || got[0].Session != got[1].Session {
		t.Errorf("%+v", got)
	}
}
