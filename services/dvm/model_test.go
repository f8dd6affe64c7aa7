package dvm_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"pow.do/services/dvm/meter"
	"pow.do/services/pow"
)

// Random proofs of two devices arrive in random order, some many times, some not
// at all, through a server, a relay and a timesheet system that come and go. In
// the end the timesheet shows what a model computes from the set of proofs.
func TestModel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	for seed := range 20 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			draw := rapid.Custom(drawScript).Example(seed)
			synctest.Test(t, func(t *testing.T) { draw.play(t) })
		})
	}
}

// script is one random history.
type script struct {
	Proofs []scriptProof
	Order  []int // of arrival; a proof may come again, or never
	Faults []int // before each arrival: what is broken
}

type scriptProof struct {
	Device  int
	Session int
	From    int // minutes ago
	Minutes int
}

func drawScript(t *rapid.T) script {
	var s script
	for range rapid.IntRange(1, 12).Draw(t, "proofs") {
		s.Proofs = append(s.Proofs, scriptProof{
			Device: rapid.IntRange(0, 1).Draw(t, "device"), Session: rapid.IntRange(0, 1).Draw(t, "session"),
			From: rapid.IntRange(60, 600).Draw(t, "from"), Minutes: rapid.IntRange(1, 60).Draw(t, "minutes"),
		})
	}
	s.Order = rapid.SliceOfN(rapid.IntRange(0, len(s.Proofs)-1), 1, 40).Draw(t, "order")
	s.Faults = rapid.SliceOfN(rapid.IntRange(0, 7), len(s.Order), len(s.Order)).Draw(t, "faults")
	return s
}

func (s script) play(t *testing.T) {
	time.Sleep(30 * 24 * time.Hour)
	sheet := newSheets()
	x := newWorld(t, kimai(sheet))
	x.start()
	devices := []pow.Key{laptop, tablet}
	seq := map[pow.Key]uint64{}
	var notices []pow.Notice
	for _, p := range s.Proofs {
		d := devices[p.Device]
		seq[d]++
		// Sessions belong to a device: 1 and 3 are the laptop's, 2 and 4 the tablet's.
		notices = append(notices, x.proof(d, session(1+p.Device+2*p.Session), seq[d], x.ago(p.From, p.From-p.Minutes)))
	}
	for i, n := range s.Order {
		x.set(func() {
			x.down, x.deaf = nil, s.Faults[i] == 2
			if s.Faults[i] == 1 {
				x.down = pow.ErrOffline
			}
		})
		sheet.mu.Lock()
		sheet.lost = s.Faults[i] == 3
		sheet.mu.Unlock()
		if s.Faults[i] == 4 {
			x.restart()
		}
		x.deliver(letter(notices[n], i))
		x.settle(time.Duration(s.Faults[i]) * 3 * time.Second)
	}
	x.set(func() { x.down, x.deaf = nil, false })
	x.settle(time.Hour)
	s.check(x, sheet, notices)
	x.halt()
}

func (s script) check(x *world, sheet *sheets, notices []pow.Notice) {
	x.t.Helper()
	arrived := map[pow.SessionID][]pow.Interval{}
	for i, n := range notices {
		if !slices.Contains(s.Order, i) {
			x.want(n)
			continue
		}
		arrived[n.Session] = append(arrived[n.Session], n.Interval)
		if got := x.last(n.ID); got.Code != pow.CodeBooked && got.Reason != "overlap" {
			x.t.Errorf("seq %d was told %s %s in the end", n.Seq, got.Code, got.Reason)
		}
	}
	var want, taken []pow.Interval
	for i := range 4 {
		id := session(i + 1)
		want = append(want, pow.Subtract(pow.Bridge(arrived[id], meter.MaxGap), taken)...)
		if len(arrived[id]) > 0 {
			if r, proven := x.session(id), pow.Total(pow.Subtract(arrived[id], taken)); r.Proven != int64(proven/time.Second) {
				x.t.Errorf("session %d has %d s, want %v", i+1, r.Proven, proven)
			}
		}
		taken = append(taken, arrived[id]...)
	}
	slices.SortFunc(want, func(a, b pow.Interval) int { return a.From.Compare(b.From) })
	if got := sheet.shows(); !slices.EqualFunc(got, want, same) {
		x.t.Errorf("the timesheet shows %v, want %v", got, want)
	}
}
