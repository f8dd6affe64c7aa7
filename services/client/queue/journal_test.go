package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

func intervals(ss []queue.Segment) (out []pow.Interval) {
	for _, s := range ss {
		out = append(out, s.Interval)
	}
	return out
}

func TestCrashEndsTheSegmentAtItsLastTick(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	session := pow.SessionID(ulid(t, day))
	must[queue.Segment](t)(q.OpenSegment(queue.Segment{Session: session, Project: project, Interval: span(0, 0)}))
	check(t, q.Tick(after(7)))
	check(t, q.Tick(after(3))) // the clock stepped back
	check(t, q.Close())

	q, r := open(t, dir)
	if r.Interrupted == nil || r.Interrupted.Interval != span(0, 7) {
		t.Fatalf("interrupted %+v", r.Interrupted)
	}
	if _, running := q.Running(); running {
		t.Error("still running")
	}
	if err := q.Tick(after(8)); !errors.Is(err, pow.ErrNotTracking) {
		t.Errorf("tick: %v", err)
	}
	if d := cmp.Diff([]pow.Interval{span(0, 7)}, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Error(d)
	}
}

func TestWholeSeconds(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	ms := func(n int) time.Time { return day.Add(time.Duration(n) * time.Millisecond) }
	for _, s := range [][2]int{{400, 10_300}, {10_600, 20_000}} {
		must[queue.Segment](t)(q.OpenSegment(queue.Segment{Session: session, Project: project, Interval: pow.Interval{From: ms(s[0])}}))
		must[queue.Segment](t)(q.CloseSegment(ms(s[1])))
	}
	want := []pow.Interval{{From: ms(0), To: ms(11_000)}, {From: ms(11_000), To: ms(20_000)}}
	if d := cmp.Diff(want, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Error(d)
	}
}

func TestUnregisteredAndEntries(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 60, "first")
	track(t, q, session, 90, 120, "second")
	id := enqueue(t, q, session, 0, 40)
	if d := cmp.Diff([]pow.Interval{span(40, 60), span(90, 120)}, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Error(d)
	}
	enqueue(t, q, session, 90, 120)
	seg := must[queue.Segment](t)(q.OpenSegment(queue.Segment{Session: session, Project: other, Interval: span(130, 130)}))
	check(t, q.Tick(after(140)))
	check(t, q.SetNote(seg.ID, "third"))
	seal(t, q, id)

	got := must[[]pow.Entry](t)(q.Entries(span(30, 24*60)))
	want := []pow.Entry{
		{Session: session, Project: pow.ProjectRef{ID: project}, From: after(30), To: after(60), Seconds: 1800, Note: "first", State: "held"},
		{Session: session, Project: pow.ProjectRef{ID: project}, From: after(90), To: after(120), Seconds: 1800, Note: "second", State: "queued"},
		{Session: session, Project: pow.ProjectRef{ID: other}, From: after(130), Seconds: 600, Note: "third", State: "tracking"},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pow.Entry{}, "ID")); d != "" {
		t.Error(d)
	}
}

func TestEnqueueIsAllOrNothing(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 60, "")
	good := pow.Delivery{ID: ulid(t, day), Session: session, Project: project, Interval: span(0, 30)}
	overlapping := pow.Delivery{ID: ulid(t, day), Session: session, Project: project, Interval: span(29, 60)}
	if err := q.Enqueue([]pow.Delivery{good, overlapping}); !errors.Is(err, pow.ErrUsage) {
		t.Fatalf("overlap: %v", err)
	}
	if n := len(must[[]pow.Delivery](t)(q.Deliveries())); n != 0 {
		t.Fatalf("%d deliveries after a refusal", n)
	}
	if n := len(must[[]pow.Capture](t)(q.Held(""))); n != 6 {
		t.Fatalf("%d captures held after a refusal, want 6", n)
	}
	overlapping.Interval = span(30, 60)
	both := []pow.Delivery{good, overlapping}
	check(t, q.Enqueue(both))
	check(t, q.Enqueue(both)) // the answer was lost
	ds := must[[]pow.Delivery](t)(q.Deliveries())
	if len(ds) != 2 || ds[0].Captures+ds[1].Captures != 6 {
		t.Errorf("deliveries %+v", ds)
	}
	if n := len(must[[]pow.Capture](t)(q.Held(""))); n != 0 {
		t.Errorf("%d captures still held", n)
	}
}

func TestProofNoteAndActivity(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 10, "layout")
	track(t, q, session, 10, 20, "layout")
	track(t, q, session, 20, 30, "review")
	track(t, q, session, 30, 40, "not in it")
	id := ulid(t, day)
	a := pow.Activity{AsOf: after(40), Active: 20 * time.Minute, Away: 10 * time.Minute, Rows: []pow.ActivityRow{{From: after(1), To: after(2), Kind: "window", App: "code"}}}
	check(t, q.SetActivity(id, a))
	check(t, q.Enqueue([]pow.Delivery{{ID: id, Session: session, Project: project, Interval: span(0, 30)}}))
	p := must[pow.Proof](t)(q.ProofOf(id))
	if p.Note != "layout; review" || len(p.Captures) != 3 {
		t.Errorf("note %q, %d captures", p.Note, len(p.Captures))
	}
	if d := cmp.Diff(a, p.Activity); d != "" {
		t.Error(d)
	}
}

func TestEraseUnsent(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 60, "n")
	enqueue(t, q, session, 0, 20)
	must[queue.Segment](t)(q.OpenSegment(queue.Segment{Session: session, Project: project, Interval: span(60, 60)}))
	check(t, q.Tick(after(70)))

	check(t, q.EraseUnsent(span(0, 24*60), other)) // not this project
	if n := len(must[[]queue.Segment](t)(q.Unregistered())); n != 2 {
		t.Fatalf("%d stretches, want 2", n)
	}
	check(t, q.EraseUnsent(span(30, 40), project))
	want := []pow.Interval{span(20, 30), span(40, 60), span(60, 70)}
	if d := cmp.Diff(want, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Error(d)
	}
	if n := len(must[[]pow.Capture](t)(q.Held(""))); n != 3 {
		t.Errorf("%d captures held, want 3", n)
	}
	check(t, q.EraseUnsent(span(0, 24*60), ""))
	if got := must[[]queue.Segment](t)(q.Unregistered()); len(got) != 0 {
		t.Errorf("left: %v", intervals(got))
	}
	check(t, q.Tick(after(80))) // the timer still runs
	if d := cmp.Diff([]pow.Interval{span(70, 80)}, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Error(d)
	}
}
