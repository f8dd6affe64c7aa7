package client

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// registered is what the proofs of the queue cover.
func registered(t *testing.T, a *Agent) (out []pow.Interval) {
	t.Helper()
	ds, err := a.queue.Deliveries()
	must(t, err)
	for _, d := range ds {
		out = append(out, d.Interval)
	}
	return pow.Union(out)
}

func TestSealsByItself(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	_, from, _ := hour(t, a, required) // pictures at 5, 15, … 55 minutes
	at := func(m float64) time.Time { return minutes(from, 0, m).To }
	must(t, a.sealDue(t.Context(), at(10000)))
	if got := registered(t, a); len(got) != 0 {
		t.Fatalf("registered by itself, which nobody chose: %v", got)
	}
	must(t, a.Choose(t.Context(), pow.ProjectChoice{Project: required, SealAfter: 3600}))
	ps, err := a.Pictures(t.Context(), from)
	if err != nil || !ps[0].SealsAt.Equal(at(65)) {
		t.Errorf("seals at %v, want %v (%v)", ps[0].SealsAt, at(65), err)
	}
	for _, step := range []struct{ now, until float64 }{{64, 0}, {66, 5 + 1./60}, {77, 15 + 1./60}, {119, 55 + 1./60}, {121, 60}} {
		must(t, a.sealDue(t.Context(), at(step.now)))
		var want []pow.Interval
		if step.until > 0 {
			want = []pow.Interval{minutes(from, 0, step.until)}
		}
		if d := cmp.Diff(want, registered(t, a)); d != "" && step.until > 0 || len(registered(t, a)) != len(want) {
			t.Errorf("after %v min: %s", step.now, d)
		}
	}
	ds, err := a.queue.Deliveries()
	must(t, err)
	if last := ds[len(ds)-1]; last.Action != pow.ActionStop || ds[0].Action != pow.ActionExtend || last.Hurry {
		t.Errorf("the last of a stopped session: %+v", last)
	}
}

// A project without pictures seals in stretches of its interval; what runs is
// not cut into pieces on the screen by that.
func TestSealsWithoutPictures(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	must(t, a.Choose(t.Context(), pow.ProjectChoice{Project: forbidden, SealAfter: 600}))
	must(t, start(t, a, forbidden))
	seg, _ := a.queue.Running()
	from := seg.Interval.From
	must(t, a.queue.Tick(from.Add(25*time.Minute)))
	must(t, a.sealDue(t.Context(), from.Add(19*time.Minute)))
	if got := registered(t, a); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	must(t, a.sealDue(t.Context(), from.Add(22*time.Minute)))
	if d := cmp.Diff([]pow.Interval{minutes(from, 0, 12)}, registered(t, a)); d != "" {
		t.Error(d)
	}
	if es, err := a.queue.Entries(minutes(from, -1, 60)); err != nil || len(es) != 1 {
		t.Errorf("%d entries of one stretch of work: %v", len(es), err)
	}
	_, err := a.queue.AddGap(queue.Gap{Session: seg.Session, Project: forbidden, Interval: minutes(from, 12, 20)})
	must(t, err)
	must(t, a.sealDue(t.Context(), from.Add(40*time.Minute)))
	if d := cmp.Diff([]pow.Interval{minutes(from, 0, 12), minutes(from, 20, 25)}, registered(t, a)); d != "" {
		t.Errorf("an open question was answered by itself: %s", d)
	}
}
