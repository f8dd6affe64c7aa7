package client

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
)

var nine = time.Date(2026, 11, 20, 9, 0, 0, 0, time.Local)

func from(minute, length int) pow.Interval {
	at := nine.Add(time.Duration(minute) * time.Minute)
	return pow.Interval{From: at, To: at.Add(time.Duration(length) * time.Minute)}
}

// Every second of an entry is in exactly one coverage.
func TestHistoryDay(t *testing.T) {
	ds := []pow.Delivery{{Session: "A", State: pow.Booked, Interval: from(0, 10)}, {Session: "A", State: pow.Accepted, Interval: from(10, 10)},
		{Session: "A", State: pow.Relayed, Interval: from(20, 5)}, {Session: "A", State: pow.Attention, Interval: from(25, 5)},
		{Session: "B", State: pow.Booked, Interval: from(0, 60)}}
	marks := func(s pow.SessionID, i pow.Interval) (kept, byHand []pow.Interval) {
		if s == "A" {
			return []pow.Interval{from(5, 10)}, nil
		}
		return nil, []pow.Interval{i}
	}
	h := history{names: projectNames{}, marks: marks, days: map[historyKey]*pow.HistoryDay{}, covers: covers(ds)}
	whole := from(0, 40)
	h.add(localDay(nine).From, pow.Entry{Session: "A", Project: pow.ProjectRef{ID: "p"}, From: whole.From, To: whole.To, Seconds: 2100, Kept: true}) // five minutes were taken out
	h.add(localDay(nine).From, pow.Entry{Session: "C", Project: pow.ProjectRef{ID: "p"}, From: whole.To, Seconds: 60, ByHand: true})                 // it runs
	want := []pow.HistoryDay{{Day: localDay(nine).From, Project: pow.ProjectRef{ID: "p"}, Total: 2160, Booked: 600, Verified: 600,
		OnTheWay: 600, Unregistered: 360, Kept: 600, ByHand: 60}}
	if d := cmp.Diff(want, h.list()); d != "" {
		t.Error(d)
	}
}

func TestDifferences(t *testing.T) {
	answer := func(minute int, proven int64) *pow.Receipt {
		return &pow.Receipt{CreatedAt: from(minute, 0).From, Proven: proven}
	}
	ds := []pow.Delivery{
		{Session: "A", Project: "p", State: pow.Accepted, Interval: from(0, 10), Receipt: answer(11, 600)},
		{Session: "A", Project: "p", State: pow.Booked, Interval: from(10, 10), Receipt: answer(21, 1080)}, // two minutes less
		{Session: "B", Project: "q", State: pow.Booked, Interval: from(0, 10), Receipt: answer(11, 600)},
		{Session: "B", Project: "q", State: pow.Relayed, Interval: from(10, 10)}, // not settled: nothing to compare
	}
	want := map[pow.ProjectID]map[time.Time]int64{"p": {from(20, 0).From: -120}}
	if d := cmp.Diff(want, differences(ds)); d != "" {
		t.Error(d)
	}
}

// Progress goes up only, wakes watchers twice a second at most, and ends.
func TestUploads(t *testing.T) {
	u := uploads{sent: map[pow.Hash]int64{}}
	h := pow.Hash{1}
	for _, c := range []struct {
		n     int64
		after time.Duration
		tell  bool
	}{{10, 0, true}, {5, 10 * time.Millisecond, false}, {20, 400 * time.Millisecond, false}, {30, 600 * time.Millisecond, true}} {
		if got := u.moved(h, c.n, nine.Add(c.after)); got != c.tell {
			t.Errorf("%d bytes after %v: told %v", c.n, c.after, got)
		}
	}
	if u.of(h) != 30 || u.of(pow.Hash{2}) != 0 {
		t.Errorf("sent %d", u.of(h))
	}
	if u.ended(h); u.of(h) != 0 {
		t.Error("an upload that ended is still shown")
	}
}
