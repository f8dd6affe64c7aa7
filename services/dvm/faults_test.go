package dvm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pow.do/services/dvm"
	"pow.do/services/pow"
)

// One proof that fails and one letter that crashes among a thousand good ones.
func TestPoison(t *testing.T) {
	good := 1000
	if testing.Short() {
		good = 100
	}
	in(t, nil, func(x *world) {
		bad := x.proof(laptop, session(1), 1, x.ago(60, 59))
		x.opening = func(n pow.Notice) error {
			if n.ID == bad.ID {
				return errors.New("a defect")
			}
			return nil
		}
		x.deliver(letter(bad, 1))
		x.deliver(pow.Letter{ID: digest("poison"), JSON: []byte("poison")})
		for i := range good {
			at := x.now().Add(-time.Hour + time.Duration(i)*time.Second)
			x.deliver(letter(x.proof(laptop, session(2), uint64(i+2), pow.Interval{From: at, To: at.Add(time.Second)}), 1))
		}
		x.settle(3 * time.Hour)
		if s := x.session(session(2)); s.Proofs != good || s.Proven != int64(good) || s.Booking.State != "booked" {
			t.Errorf("session %+v", s)
		}
		q, err := x.l.Quarantine(context.Background())
		if err != nil || len(q) != 2 || q[0].Step != "unwrap" || q[1].Step != "open" || q[1].Attempts != 5 {
			t.Errorf("quarantine %+v, %v", q, err)
		}
	})
}

func TestPanicWhileOpening(t *testing.T) {
	in(t, nil, func(x *world) {
		panics := true
		x.opening = func(pow.Notice) error {
			if panics {
				panic("secret content")
			}
			return nil
		}
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Minute)
		q, err := x.l.Quarantine(context.Background())
		if err != nil || len(q) != 1 || strings.Contains(q[0].Reason, "secret") {
			t.Fatalf("quarantine %+v, %v", q, err)
		}
		panics = false
		x.must(x.l.Retry(context.Background(), q[0].ID, x.now()))
		x.settle(5 * time.Second)
		if got := x.last(n.ID).Code; got != pow.CodeBooked {
			t.Errorf("after the retry: %v", got)
		}
	})
}

// Servers that are away do not count as failures, however long.
func TestOutage(t *testing.T) {
	in(t, nil, func(x *world) {
		x.set(func() { x.down = pow.ErrOffline })
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(20 * time.Hour)
		x.want(n, pow.CodeReceived)
		x.set(func() { x.down = nil })
		x.settle(20 * time.Minute)
		x.want(n, pow.CodeReceived, pow.CodeBooked)
	})
}

// After a day the device is asked to see to it.
func TestOutageOfADay(t *testing.T) {
	in(t, nil, func(x *world) {
		x.set(func() { x.down = pow.ErrOffline })
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(25 * time.Hour)
		x.want(n, pow.CodeReceived, pow.CodeBlobUnavailable)
	})
}

func TestWrongBytes(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.blobs[n.Sealed] = bytes.Repeat([]byte("x"), int(n.Size))
		x.deliver(letter(n, 1))
		x.settle(time.Hour)
		x.want(n, pow.CodeReceived, pow.CodeHashMismatch)
		if x.fetched != 4 {
			t.Errorf("fetched %d times", x.fetched)
		}
	})
}

func TestRelayAway(t *testing.T) {
	in(t, nil, func(x *world) {
		x.set(func() { x.deaf = true })
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(3 * time.Hour)
		x.want(n)
		x.set(func() { x.deaf = false })
		x.settle(20 * time.Minute)
		x.want(n, pow.CodeBooked)
	})
}

// What was stored before a stop is done after the start.
func TestRestart(t *testing.T) {
	in(t, nil, func(x *world) {
		x.set(func() { x.down = pow.ErrOffline })
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		x.set(func() { x.down = nil })
		x.restart()
		x.settle(20 * time.Minute)
		if got := x.last(n.ID).Code; got != pow.CodeBooked {
			t.Errorf("after the restart: %v", got)
		}
	})
}

// F20: away for days, then everything at once; sessions that silence closed are
// opened again.
func TestAfterDaysAway(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(20, 10))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		x.halt()
		time.Sleep(3 * 24 * time.Hour)
		x.close()
		x.open()
		x.start()
		x.settle(time.Minute)
		if s := x.session(session(1)); s.State != "closed" {
			t.Errorf("after three days: %s", s.State)
		}
		for i := range 200 {
			from := 3*24*60 + 10 - i*10
			x.deliver(letter(x.proof(laptop, session(1), uint64(i+2), x.ago(from, from-10)), 1))
		}
		x.settle(time.Minute)
		if s := x.session(session(1)); s.Proofs != 201 || s.Proven != 201*600 {
			t.Errorf("%d proofs, %d s", s.Proofs, s.Proven)
		}
	})
}

func TestRetention(t *testing.T) {
	in(t, nil, func(x *world) {
		p := project()
		p.Retention = 2
		x.must(x.l.SetProject(context.Background(), p, x.now()))
		n := x.proof(laptop, session(1), 1, x.ago(12, 2), func(n *pow.Notice, o *pow.Opened) {
			n.Recipient = "5f0c2a91b3d4e6f7"
			o.Proof.Activity.Rows = []pow.ActivityRow{{Kind: "window", App: "editor"}}
		})
		needed := func() bool {
			used, err := x.l.RecipientsKept(context.Background())
			x.must(err)
			return used["5f0c2a91b3d4e6f7"]
		}
		x.deliver(letter(n, 1))
		x.settle(47 * time.Hour)
		if !needed() {
			t.Error("the archive's key may be destroyed while the archive is kept")
		}
		file := dvm.SealedPath(filepath.Join(x.folder, "sealed"), n.Sealed)
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
		x.settle(2 * time.Hour)
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after the retention: %v", err)
		}
		if needed() {
			t.Error("the archive's key is kept without an archive")
		}
		if p := x.proofs(); len(p) != 1 || p[0].Sealed != n.Sealed {
			t.Errorf("hashes and times are to stay: %+v", p)
		}
	})
}

// F25: an unfinished download is swept, a Sealed without a proof is too.
func TestStrays(t *testing.T) {
	in(t, nil, func(x *world) {
		x.halt()
		folder := filepath.Join(x.folder, "sealed")
		stray := dvm.SealedPath(folder, digest("stray"))
		half := filepath.Join(folder, "tmp", "half")
		x.must(errors.Join(os.MkdirAll(filepath.Dir(stray), 0o700), os.WriteFile(stray, nil, 0o600), os.WriteFile(half, nil, 0o600)))
		old := x.now().Add(-25 * time.Hour)
		x.must(os.Chtimes(stray, old, old))
		x.start()
		x.settle(time.Minute)
		for _, f := range []string{stray, half} {
			if _, err := os.Stat(f); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there: %v", f, err)
			}
		}
	})
}

// Nothing of a proof's content, nor a member's or a project's name, may come
// into a log, whatever goes wrong.
func TestCanary(t *testing.T) {
	const canary = "canary-7f3a"
	var log bytes.Buffer
	loud := func(c *dvm.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s := newSheets()
		s.fail = func(call int, _ pow.Timesheet) (*pow.TimesheetRecord, error) {
			return nil, fmt.Errorf("refused: %s", canary)
		}
		c.Timesheets = s
	}
	in(t, loud, func(x *world) {
		p := project()
		p.Name, p.Group = canary, canary
		x.must(x.l.SetProject(context.Background(), p, x.now()))
		m, err := x.l.Member(context.Background(), anna)
		x.must(err)
		m.Name = canary
		x.must(x.l.SetMember(context.Background(), m, x.now()))
		x.opening = func(n pow.Notice) error {
			switch n.Seq {
			case 1:
				return fmt.Errorf("cannot read %s", canary)
			case 2:
				panic(canary)
			case 3:
				return pow.ErrArchive.With(errors.New(canary))
			}
			return nil
		}
		for i := range 6 {
			x.deliver(letter(x.proof(laptop, session(1), uint64(i+1), x.ago(30-i, 29-i), func(_ *pow.Notice, o *pow.Opened) {
				o.Proof.Note = canary
				o.Proof.Activity.Rows = []pow.ActivityRow{{Kind: "window", App: canary, Title: canary}}
			}), 1))
		}
		x.deliver(pow.Letter{ID: digest("poison"), JSON: []byte("poison " + canary)})
		x.settle(time.Hour)
		x.halt()
		if !strings.Contains(log.String(), "quarantine") {
			t.Fatal("the log says nothing at all")
		}
		if strings.Contains(log.String(), canary) || strings.Contains(log.String(), "secret content") {
			t.Error(log.String())
		}
		q, err := x.l.Quarantine(context.Background())
		if err != nil || strings.Contains(fmt.Sprint(q), canary) {
			t.Errorf("quarantine %+v, %v", q, err)
		}
	})
}

// post is a wrapper and a relay that can be told what to do.
type post struct {
	wrapper
	mu     sync.Mutex // guards all below
	x      *world
	sealed int
	broken bool
	answer pow.Answer
	wraps  map[string]int // times that a relay saw each wrap
}

// set changes what it does, or looks at it, while the worker runs.
func (p *post) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *post) SealReceipt(r pow.Receipt) (pow.Hash, []byte, error) {
	broken := false
	p.set(func() { p.sealed++; broken = p.broken })
	if broken {
		return pow.Hash{}, nil, errors.New("it does not fit")
	}
	return p.wrapper.SealReceipt(r)
}

func (p *post) Wrap(seal []byte, to pow.Key, now time.Time) (pow.Letter, error) {
	l, err := p.wrapper.Wrap(seal, to, now)
	l.JSON = append(bytes.Clone(seal), []byte(fmt.Sprintf("\n%q", l.ID))...)
	return l, err
}

func (p *post) Publish(ctx context.Context, origin string, event []byte) (pow.Answer, error) {
	seal, wrap, _ := bytes.Cut(event, []byte("\n"))
	var answer pow.Answer
	var x *world
	p.set(func() { p.wraps[string(wrap)]++; answer, x = p.answer, p.x })
	if answer.Prefix != "" {
		return answer, nil
	}
	return x.Publish(ctx, origin, seal)
}

// A wrap is sent again for an hour; one that is refused for good is made anew.
// The seal is made once.
func TestWraps(t *testing.T) {
	for prefix, c := range map[string]struct{ min, max int }{"rate-limited": {2, 3}, "invalid": {8, 60}, "duplicate": {1, 1}} {
		t.Run(prefix, func(t *testing.T) {
			p := &post{wraps: map[string]int{}}
			in(t, func(c *dvm.Config) { c.Wrap, c.Publish = p, p }, func(x *world) {
				p.set(func() { p.x = x })
				x.settle(10 * time.Second)
				p.set(func() { p.answer, p.wraps, p.sealed = pow.Answer{Prefix: prefix}, map[string]int{}, 0 })
				n := x.proof(laptop, session(1), 1, x.ago(12, 2))
				x.deliver(letter(n, 1))
				x.settle(90 * time.Minute)
				p.set(func() {
					if got := len(p.wraps); got < c.min || got > c.max {
						t.Errorf("%d wraps", got)
					}
					if p.sealed != 1 {
						t.Errorf("sealed %d times", p.sealed)
					}
					p.answer = pow.Answer{}
				})
				if prefix == "duplicate" {
					return
				}
				x.settle(20 * time.Minute)
				x.want(n, pow.CodeBooked)
			})
		})
	}
}

// A Receipt that cannot be sealed does not hold up others.
func TestUnsealed(t *testing.T) {
	p := &post{wraps: map[string]int{}}
	in(t, func(c *dvm.Config) { c.Wrap, c.Publish = p, p }, func(x *world) {
		p.set(func() { p.x = x })
		x.settle(10 * time.Second)
		p.set(func() { p.broken = true })
		a := x.proof(laptop, session(1), 1, x.ago(12, 8))
		x.deliver(letter(a, 1))
		x.settle(time.Second)
		p.set(func() { p.broken = false })
		b := x.proof(laptop, session(1), 2, x.ago(8, 2))
		x.deliver(letter(b, 1))
		x.settle(time.Second)
		x.want(a)
		x.want(b, pow.CodeBooked)
		x.settle(16 * time.Minute)
		x.want(a, pow.CodeBooked)
	})
}

// A device that no relay admits is given up after a month.
func TestUndeliverable(t *testing.T) {
	in(t, nil, func(x *world) {
		x.halt()
		x.set(func() { x.deaf = true })
		x.deliver(letter(x.proof(laptop, session(1), 1, x.ago(12, 2)), 1))
		if due, _, err := x.l.Due(context.Background(), x.now().Add(time.Hour), 10); err != nil || len(due) == 0 {
			t.Fatal(due, err)
		}
		later := x.now().AddDate(0, 0, 31)
		x.must(x.l.Prune(context.Background(), later))
		if due, _, err := x.l.Due(context.Background(), later, 10); err != nil || len(due) != 0 {
			t.Errorf("still due: %v, %v", due, err)
		}
	})
}
