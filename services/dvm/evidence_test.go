package dvm_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/dvm"
	"pow.do/services/pow"
)

// change alters Notice and archive of an otherwise good proof.
type change = func(*pow.Notice, *pow.Opened)

// Notices that end in an error or a hold (bad inputs EV-22 to EV-31, and policy).
func TestVerdicts(t *testing.T) {
	far := func(d time.Duration) change {
		return func(n *pow.Notice, _ *pow.Opened) {
			n.Interval = pow.Interval{From: n.Interval.From.Add(d), To: n.Interval.To.Add(d)}
		}
	}
	for name, c := range map[string]struct {
		change change
		want   pow.Code
		reason string
	}{
		"EV-23/late":            {far(-8 * 24 * time.Hour), pow.CodeParked, "late"},
		"EV-23/ahead":           {far(20 * time.Minute), pow.CodeFuture, ""},
		"EV-23/made ahead":      {func(n *pow.Notice, _ *pow.Opened) { n.CreatedAt = n.CreatedAt.Add(time.Hour) }, pow.CodeFuture, ""},
		"EV-27/loopback":        {servers("http://127.0.0.1"), pow.CodeBlobUnavailable, "server-not-listed"},
		"EV-27/file":            {servers("file:///etc"), pow.CodeBlobUnavailable, "server-not-listed"},
		"EV-27/long":            {servers("https://" + strings.Repeat("a", 10<<10)), pow.CodeBlobUnavailable, "server-not-listed"},
		"EV-27/other host":      {servers("https://evil.example.com"), pow.CodeBlobUnavailable, "server-not-listed"},
		"EV-27/one of them":     {servers("https://evil.example.com", server), pow.CodeBooked, ""},
		"EV-28/other hash":      {func(n *pow.Notice, _ *pow.Opened) { n.Sealed = digest("other"); n.Size = 7 }, pow.CodeBlobUnavailable, ""},
		"EV-29/zero":            {size(0), pow.CodeBadNotice, ""},
		"EV-29/negative":        {size(-1), pow.CodeBadNotice, ""},
		"EV-29/2^63":            {size(1<<63 - 1), pow.CodeTooLarge, ""},
		"EV-29/above the limit": {size(16<<20 + 1), pow.CodeTooLarge, ""},
		"EV-29/wrong":           {size(17), pow.CodeHashMismatch, ""},
		"EV-31/to before from": {func(n *pow.Notice, _ *pow.Opened) { n.Interval.From = n.Interval.To.Add(time.Second) },
			pow.CodeBadNotice, ""},
		"EV-31/over an hour":        {func(n *pow.Notice, _ *pow.Opened) { n.Interval.From = n.Interval.To.Add(-time.Hour - 1) }, pow.CodeTooLong, ""},
		"EV-31/over a day":          {func(n *pow.Notice, _ *pow.Opened) { n.Interval.From = n.Interval.To.Add(-25 * time.Hour) }, pow.CodeTooLong, ""},
		"EV-31/somebody's device":   {func(n *pow.Notice, _ *pow.Opened) { n.Device = phone }, "", ""},
		"EV-31/unknown device":      {func(n *pow.Notice, _ *pow.Opened) { n.Device = pow.Key(digest("new")) }, pow.CodeDeviceUnknown, ""},
		"seq 0":                     {func(n *pow.Notice, _ *pow.Opened) { n.Seq = 0 }, pow.CodeBadNotice, ""},
		"seq 2^64-1":                {func(n *pow.Notice, _ *pow.Opened) { n.Seq = 1<<64 - 1 }, pow.CodeBadNotice, ""},
		"archive 2":                 {func(n *pow.Notice, _ *pow.Opened) { n.Archive = 2 }, pow.CodeUnsupported, ""},
		"another statement inside":  {func(_ *pow.Notice, o *pow.Opened) { o.Statement.ID = digest("x") }, pow.CodeMismatch, "statement"},
		"another interval inside":   {func(_ *pow.Notice, o *pow.Opened) { o.Statement.Interval.To = time.Unix(0, 0) }, pow.CodeMismatch, "to"},
		"another project inside":    {func(_ *pow.Notice, o *pow.Opened) { o.Statement.Project = "0" }, pow.CodeMismatch, "project"},
		"unknown project":           {func(n *pow.Notice, _ *pow.Opened) { n.Project = "0000000000000000" }, pow.CodeParked, "project-unknown"},
		"first statement with prev": {func(n *pow.Notice, _ *pow.Opened) { n.Prev = digest("x") }, pow.CodeBooked, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, nil, func(x *world) {
				n := x.proof(laptop, session(1), 1, x.ago(12, 2), c.change)
				x.deliver(letter(n, 1))
				x.settle(time.Hour)
				r := x.last(n.ID)
				if r.Code != c.want || r.Reason != c.reason {
					t.Errorf("told %q because of %q", r.Code, r.Reason)
				}
				if r.Code.Retryable() != !r.Retry.IsZero() {
					t.Errorf("%s with a retry at %v", r.Code, r.Retry)
				}
				for origin := range x.origins {
					if origin != server {
						t.Errorf("dialled %s", origin)
					}
				}
				kept, err := filepath.Glob(filepath.Join(x.folder, "sealed", "*", "*"))
				if x.must(err); (len(kept) == 1) != (r.Code == pow.CodeBooked || r.Code == pow.CodeParked) {
					t.Errorf("%s, and on the disk %v", r.Code, kept)
				}
			})
		})
	}
}

func servers(s ...string) change { return func(n *pow.Notice, _ *pow.Opened) { n.Servers = s } }

func size(b int64) change {
	return func(n *pow.Notice, _ *pow.Opened) {
		if n.Size = b; b == 0 {
			n.Sealed = digest("size")
		}
	}
}

// EV-22: a stranger is not answered; a former member is, once a day.
func TestStrangersAndFormerMembers(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2), func(n *pow.Notice, _ *pow.Opened) { n.Author = pow.Key(digest("stranger")) })
		x.deliver(letter(n, 1))
		x.settle(time.Hour)
		x.want(n)
		if x.deleted[digest("wrap", n.ID, 1)] != 1 || len(x.proofs()) != 0 {
			t.Error("the stranger's letter was not dropped")
		}
		m, err := x.l.Member(context.Background(), anna)
		x.must(err)
		m.State = "removed"
		x.must(x.l.SetMember(context.Background(), m, x.now()))
		var told int
		for i := range 5 {
			n := x.proof(laptop, session(1), uint64(i+1), x.ago(12, 2))
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			told += len(x.codes(n.ID))
		}
		if told != 1 {
			t.Errorf("told %d times, want once", told)
		}
		x.settle(24 * time.Hour)
		n = x.proof(laptop, session(1), 9, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		x.want(n, pow.CodeNotMember)
	})
}

func TestSuspended(t *testing.T) {
	in(t, nil, func(x *world) {
		m, err := x.l.Member(context.Background(), anna)
		x.must(err)
		m.State = "suspended"
		x.must(x.l.SetMember(context.Background(), m, x.now()))
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(10 * time.Second)
		x.want(n, pow.CodeMemberSuspended)
		if got := x.parts[laptop]; len(got) == 0 || got[len(got)-1].MemberState != "suspended" {
			t.Errorf("catalogues %+v", got)
		}
	})
}

func TestPolicy(t *testing.T) {
	rows := []pow.ActivityRow{{Kind: "window", App: "editor", Title: "secret.txt", Category: "work"}}
	for name, c := range map[string]struct {
		set    func(*pow.BookableProject)
		proof  change
		code   pow.Code
		reason string
		rows   int
	}{
		"forbidden pictures": {func(p *pow.BookableProject) { p.Pictures = pow.Forbidden }, nil, pow.CodePolicyViolation, "", 0},
		"none where forbidden": {func(p *pow.BookableProject) { p.Pictures = pow.Forbidden },
			func(_ *pow.Notice, o *pow.Opened) { o.Proof.Captures = nil }, pow.CodeBooked, "", 0},
		"missing pictures": {func(p *pow.BookableProject) { p.Pictures = pow.Required },
			func(_ *pow.Notice, o *pow.Opened) { o.Proof.Captures = nil }, pow.CodeParked, "captures-missing", 0},
		"closed": {func(p *pow.BookableProject) { p.Active = false }, nil, pow.CodeParked, "project-closed", 0},
		"off": {func(p *pow.BookableProject) { p.Detail = pow.DetailOff },
			func(_ *pow.Notice, o *pow.Opened) { o.Proof.Activity.Rows = slices.Clone(rows) }, pow.CodeBooked, "", 0},
		"title": {nil, func(_ *pow.Notice, o *pow.Opened) { o.Proof.Activity.Rows = slices.Clone(rows) }, pow.CodeBooked, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, nil, func(x *world) {
				p := project()
				if c.set != nil {
					c.set(&p)
				}
				x.must(x.l.SetProject(context.Background(), p, x.now()))
				n := x.proof(laptop, session(1), 1, x.ago(12, 2), func(n *pow.Notice, o *pow.Opened) {
					if c.proof != nil {
						c.proof(n, o)
					}
				})
				x.deliver(letter(n, 1))
				x.settle(time.Second)
				if r := x.last(n.ID); r.Code != c.code || r.Reason != c.reason {
					t.Errorf("told %q because of %q", r.Code, r.Reason)
				}
				if got := x.proofs()[0].ActivityEvents; got != c.rows {
					t.Errorf("%d rows kept, want %d", got, c.rows)
				}
			})
		})
	}
}

// EV-31: a project that is not granted.
func TestProjectNotGranted(t *testing.T) {
	in(t, nil, func(x *world) {
		first := x.proof(laptop, session(1), 1, x.ago(40, 35))
		x.deliver(letter(first, 1))
		x.settle(time.Second)
		m, err := x.l.Member(context.Background(), anna)
		x.must(err)
		m.Projects = []pow.ProjectID{}
		x.must(x.l.SetMember(context.Background(), m, x.now()))
		running := x.proof(laptop, session(1), 2, x.ago(35, 30))
		fresh := x.proof(laptop, session(2), 3, x.ago(12, 2))
		x.deliver(letter(running, 1))
		x.deliver(letter(fresh, 1))
		x.settle(time.Second)
		x.want(first, pow.CodeBooked)
		x.want(running, pow.CodeParked) // the running session is not refused
		x.want(fresh, pow.CodeNotMember)
	})
}

// EV-31: a session belongs to one device and one project.
func TestSessionOfAnotherDevice(t *testing.T) {
	in(t, nil, func(x *world) {
		x.deliver(letter(x.proof(laptop, session(1), 1, x.ago(40, 35)), 1))
		x.settle(time.Second)
		for _, n := range []pow.Notice{x.proof(tablet, session(1), 1, x.ago(30, 25)), x.proof(phone, session(1), 1, x.ago(30, 25))} {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
			if r := x.last(n.ID); r.Code != pow.CodeMismatch || r.Reason != "session" {
				t.Errorf("told %q because of %q", r.Code, r.Reason)
			}
		}
	})
}

// EV-31: two devices at the same time: counted once, marked.
func TestOverlap(t *testing.T) {
	for name, reverse := range map[string]bool{"in order": false, "reversed": true} {
		t.Run(name, func(t *testing.T) {
			in(t, nil, func(x *world) {
				a := x.proof(laptop, session(1), 1, x.ago(30, 10))
				b := x.proof(tablet, session(2), 1, x.ago(20, 5))
				order := []pow.Notice{a, b}
				if reverse {
					slices.Reverse(order)
				}
				for _, n := range order {
					x.deliver(letter(n, 1))
					x.settle(time.Second)
				}
				if first, second := x.session(session(1)), x.session(session(2)); first.Proven != 20*60 || second.Proven != 5*60 {
					t.Errorf("%d and %d seconds", first.Proven, second.Proven)
				}
				x.want(a, pow.CodeBooked)
				x.want(b, pow.CodeBooked)
				if p := x.proofs(); !strings.Contains(p[0].Reason, "overlap") {
					t.Errorf("the later one has marks %q", p[0].Reason)
				}
			})
		})
	}
}

// EV-31: more than 16 hours wait for a person.
func TestLongSession(t *testing.T) {
	in(t, nil, func(x *world) {
		var last pow.Notice
		for i := range 17 {
			last = x.proof(laptop, session(1), uint64(i+1), x.ago(18*60-60*i, 18*60-60*i-60))
			x.deliver(letter(last, 1))
			x.settle(time.Second)
		}
		if r := x.last(last.ID); r.Code != pow.CodeParked || r.Reason != "needs-approval" {
			t.Errorf("told %q because of %q", r.Code, r.Reason)
		}
		x.must(x.l.Approve(context.Background(), session(1), x.now()))
		x.settle(10 * time.Second)
		x.want(last, pow.CodeParked, pow.CodeBooked)
	})
}

func TestHeldProof(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(9*24*60, 9*24*60-10))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		if s := x.session(session(1)); s.Booking.State != "parked" || s.Booking.Reason != "late" || s.Proven != 600 {
			t.Errorf("session %+v", s)
		}
		x.must(x.l.Reject(context.Background(), session(1), "no", x.now()))
		x.settle(10 * time.Second)
		x.want(n, pow.CodeParked, pow.CodeRejected)
		if r := x.last(n.ID); r.Text != "no" {
			t.Errorf("text %q", r.Text)
		}
		if s := x.session(session(1)); s.Proven != 0 {
			t.Errorf("a declined proof counts %d s", s.Proven)
		}
		if err := x.l.Reject(context.Background(), session(1), "no", x.now()); !errors.Is(err, pow.ErrNotFound) {
			t.Errorf("twice: %v", err)
		}
	})
}

func TestDiskFull(t *testing.T) {
	free := int64(1 << 29)
	space := func(c *dvm.Config) { c.Space = func() (int64, int64, error) { return free, 10 << 30, nil } }
	in(t, space, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		x.want(n, pow.CodeStorageFull)
		if x.fetched != 0 {
			t.Error("fetched onto a full disk")
		}
		free = 5 << 30
		x.deliver(letter(n, 2))
		x.settle(time.Second)
		x.want(n, pow.CodeStorageFull, pow.CodeBooked)
	})
}
