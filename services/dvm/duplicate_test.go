package dvm_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pow.do/services/dvm/ledger"
	"pow.do/services/pow"
)

// arrivals are rows of the duplicate table of protocol §4.4: what comes after, or
// beside, a good proof.
type arrivals map[string]func(x *world, n pow.Notice)

func (rows arrivals) run(t *testing.T) {
	for name, f := range rows {
		t.Run(name, func(t *testing.T) {
			in(t, nil, func(x *world) { f(x, x.proof(laptop, session(1), 1, x.ago(12, 8))) })
		})
	}
}

func TestSameRumor(t *testing.T) {
	arrivals{
		"same wrap id": func(x *world, n pow.Notice) {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			x.deliver(letter(n, 1))
			x.settle(time.Hour)
			x.want(n, pow.CodeBooked)
			if got := x.deleted[digest("wrap", n.ID, 1)]; got != 2 {
				x.t.Errorf("the letter was deleted %d times, want 2", got)
			}
		},
		"same rumor id": func(x *world, n pow.Notice) {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			for i := range 5 {
				x.deliver(letter(n, 2+i))
			}
			x.settle(9 * time.Minute)
			x.want(n, pow.CodeBooked)
			x.settle(time.Minute)
			x.deliver(letter(n, 8))
			x.deliver(letter(n, 9))
			x.settle(time.Second)
			x.want(n, pow.CodeBooked, pow.CodeBooked)
		},
		"same rumor id, retryable": func(x *world, n pow.Notice) {
			x.mu.Lock()
			b := x.blobs[n.Sealed]
			delete(x.blobs, n.Sealed)
			x.mu.Unlock()
			x.deliver(letter(n, 1))
			x.settle(time.Hour)
			x.want(n, pow.CodeReceived, pow.CodeBlobUnavailable)
			if r := x.last(n.ID); r.Retry.IsZero() {
				x.t.Error("no time to try again")
			}
			x.mu.Lock()
			x.blobs[n.Sealed] = b
			x.mu.Unlock()
			x.deliver(letter(n, 2))
			x.settle(time.Second)
			if got := x.last(n.ID).Code; got != pow.CodeBooked {
				x.t.Errorf("in the end %v", got)
			}
		},
	}.run(t)
}

func TestSameStatement(t *testing.T) {
	arrivals{
		"new rumor, same Sealed, not accepted: new servers": func(x *world, n pow.Notice) {
			x.set(func() { x.down = errors.New("away") })
			x.deliver(letter(n, 1))
			x.settle(10 * time.Second)
			x.set(func() { x.down = nil })
			again := n
			again.ID = digest("again")
			x.deliver(letter(again, 1))
			x.settle(time.Second)
			x.want(n, pow.CodeReceived)
			x.want(again, pow.CodeBooked)
		},
		"new rumor, same Sealed, accepted": func(x *world, n pow.Notice) {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			again := n
			again.ID = digest("again")
			x.deliver(letter(again, 1))
			x.settle(time.Second)
			x.want(again, pow.CodeBooked)
			x.oneProof()
		},
		"re-sealed, not accepted": func(x *world, n pow.Notice) {
			bad := n
			bad.Sealed, bad.ID = digest("bad"), digest("bad rumor")
			x.deliver(letter(bad, 1))
			x.settle(10 * time.Second)
			x.deliver(letter(n, 1))
			x.settle(time.Hour)
			x.want(bad, pow.CodeReceived)
			x.want(n, pow.CodeBooked)
		},
		"re-sealed after a final error": func(x *world, n pow.Notice) {
			x.opening = func(o pow.Notice) error {
				if o.Sealed == n.Sealed {
					return pow.ErrDecrypt
				}
				return nil
			}
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			x.want(n, pow.CodeDecryptFailed)
			again := x.proof(laptop, n.Session, n.Seq, n.Interval, func(_ *pow.Notice, o *pow.Opened) { o.App = "sealed again" })
			x.deliver(letter(again, 1))
			x.settle(time.Second)
			x.want(again, pow.CodeBooked)
		},
		"re-sealed, accepted": func(x *world, n pow.Notice) {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			before := x.fetched
			again := x.proof(laptop, n.Session, n.Seq, n.Interval, func(_ *pow.Notice, o *pow.Opened) { o.App = "sealed again" })
			x.deliver(letter(again, 1))
			x.settle(time.Second)
			x.want(again, pow.CodeBooked)
			x.oneProof()
			if x.fetched != before || !slices.Contains(x.spent, again.Sealed) {
				x.t.Error("the new blob was fetched, or not deleted")
			}
		},
	}.run(t)
}

func TestSameSealed(t *testing.T) {
	arrivals{
		"same Sealed, other identity, not accepted": func(x *world, n pow.Notice) {
			theirs := x.proof(phone, session(2), 1, n.Interval, func(m *pow.Notice, _ *pow.Opened) { m.Sealed, m.Size = n.Sealed, n.Size })
			x.deliver(letter(theirs, 1))
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			x.want(n, pow.CodeBooked)
			if got := x.last(theirs.ID).Code; got != pow.CodeMismatch && got != pow.CodeDuplicateBlob {
				x.t.Errorf("the thief was told %v", got)
			}
		},
		"same Sealed, other identity, accepted": func(x *world, n pow.Notice) {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			theirs := x.proof(phone, session(2), 1, n.Interval, func(m *pow.Notice, _ *pow.Opened) { m.Sealed, m.Size = n.Sealed, n.Size })
			x.deliver(letter(theirs, 1))
			x.settle(time.Second)
			x.want(theirs, pow.CodeDuplicateBlob)
			x.oneProof()
		},
	}.run(t)
}

func TestChain(t *testing.T) {
	arrivals{
		"same place, other Statement, accepted": func(x *world, n pow.Notice) {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			other := x.fork(n)
			x.deliver(letter(other, 1))
			x.settle(time.Second)
			x.want(other, pow.CodeStatementConflict)
			x.want(n, pow.CodeBooked)
			x.oneProof()
		},
		"same place, other Statement, not accepted": func(x *world, n pow.Notice) {
			x.set(func() { x.down = errors.New("away") })
			other := x.fork(n)
			x.deliver(letter(n, 1))
			x.deliver(letter(other, 1))
			x.settle(time.Hour)
			x.want(n, pow.CodeStatementConflict)
			x.want(other, pow.CodeStatementConflict)
			x.set(func() { x.down = nil })
			q, err := x.l.Quarantine(context.Background())
			if err != nil || len(q) != 2 || q[0].Reason != "fork" {
				x.t.Fatalf("quarantine %v, %v", q, err)
			}
			x.must(x.l.Retry(context.Background(), q[0].ID, x.now())) // the admin takes the first
			x.must(x.l.Drop(context.Background(), q[1].ID, x.now()))
			x.settle(10 * time.Second)
			x.want(n, pow.CodeStatementConflict, pow.CodeBooked)
			x.want(other, pow.CodeStatementConflict, pow.CodeRejected)
		},
		"unknown prev": func(x *world, n pow.Notice) {
			third := x.proof(laptop, n.Session, 3, x.ago(4, 1))
			x.deliver(letter(third, 1))
			x.settle(time.Second)
			x.want(third, pow.CodeBooked)
			x.chain("gap")
			second := x.proof(laptop, n.Session, 2, x.ago(8, 4))
			x.deliver(letter(second, 1))
			x.settle(time.Second)
			x.chain("gap", "ok")
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			x.chain("ok", "ok", "ok")
		},
	}.run(t)
}

func (x *world) fork(n pow.Notice) pow.Notice {
	return x.proof(n.Device, n.Session, n.Seq, n.Interval, func(m *pow.Notice, o *pow.Opened) { m.Statement, o.App = digest("fork"), "fork" })
}

// oneProof checks that there was one effect.
func (x *world) oneProof() {
	x.t.Helper()
	accepted := 0
	for _, p := range x.proofs() {
		if p.State == "accepted" {
			accepted++
		}
	}
	if s := x.session(session(1)); accepted != 1 || s.Proofs != 1 || s.Proven != 240 {
		x.t.Errorf("%d accepted; session %+v", accepted, s)
	}
}

// chain checks the links of the accepted proofs by seq.
func (x *world) chain(want ...string) {
	x.t.Helper()
	all := x.proofs()
	slices.SortFunc(all, func(a, b pow.ProofReport) int { return int(a.Seq) - int(b.Seq) })
	var got []string
	for _, p := range all {
		got = append(got, p.Checks.Chain)
	}
	if !slices.Equal(got, want) {
		x.t.Errorf("links %v, want %v", got, want)
	}
}

// Each of a session's letters a thousand times in all, shuffled, in many wraps
// and rumors, has one effect.
func TestDeliveredAThousandTimes(t *testing.T) {
	in(t, nil, func(x *world) {
		var notices []pow.Notice
		for i := range 10 {
			notices = append(notices, x.proof(laptop, session(1), uint64(i+1), x.ago(60-5*i, 55-5*i)))
		}
		var letters []pow.Letter
		for i := range 1000 {
			letters = append(letters, letter(notices[i%10], i/20))
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(letters), func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
		for _, l := range letters {
			x.deliver(l)
		}
		x.settle(time.Minute)
		for _, n := range notices {
			x.want(n, pow.CodeBooked)
		}
		s := x.session(session(1))
		if s.Proven != 50*60 || s.Proofs != 10 || len(s.Intervals) != 1 || x.fetched != 10 {
			t.Errorf("%d s from %d proofs in %v, %d fetched", s.Proven, s.Proofs, s.Intervals, x.fetched)
		}
		x.chain("ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok")
	})
}

func TestReceiptsWaitForHigherOnes(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 8))
		x.set(func() { x.down = errors.New("away") })
		x.deliver(letter(n, 1))
		x.settle(4 * time.Second)
		x.want(n)
		x.settle(2 * time.Second)
		x.want(n, pow.CodeReceived)
	})
}

func TestReportsFilter(t *testing.T) {
	in(t, nil, func(x *world) {
		x.deliver(letter(x.proof(laptop, session(1), 1, x.ago(12, 8)), 1))
		x.deliver(letter(x.proof(phone, session(2), 1, x.ago(12, 8)), 1))
		x.settle(time.Second)
		ctx := context.Background()
		for name, f := range map[string]ledger.Filter{
			"member": {Member: opaque("member", anna.String())}, "session": {Session: session(1)}, "device": {Device: laptop},
		} {
			f.Npub = func(k pow.Key) string { return "npub" + k.String()[:4] }
			s, err := x.l.Sessions(ctx, f)
			x.must(err)
			p, err := x.l.Proofs(ctx, f)
			x.must(err)
			if len(s) != 1 || len(p) != 1 || s[0].Member.Name != "Anna" || p[0].MemberNpub != "npub"+anna.String()[:4] || p[0].Project.Name != "Website" {
				t.Errorf("by %s: %+v %+v", name, s, p)
			}
		}
		for _, f := range []ledger.Filter{{From: x.now()}, {To: x.ago(60, 0).From}, {Project: "0000000000000000"}, {Member: "x"}} {
			s, err := x.l.Sessions(ctx, f)
			x.must(err)
			p, err := x.l.Proofs(ctx, f)
			x.must(err)
			if len(s) != 0 || len(p) != 0 {
				t.Errorf("%+v found %v %v", f, s, p)
			}
		}
	})
}
