package dvm_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pow.do/services/dvm"
	"pow.do/services/pow"
)

// request makes a letter with an account request.
func request(a pow.Account) (pow.Account, pow.Letter) {
	a.DVM = dvmKey
	if a.ID.IsZero() {
		a.ID = digest("account", fmt.Sprint(a))
	}
	return a, mail(pow.Mail{Wrap: digest("wrap of", a.ID), Rumor: a.ID, Author: a.Author, Account: &a})
}

func (x *world) ask(a pow.Account) []pow.Code {
	x.t.Helper()
	a, l := request(a)
	x.deliver(l)
	x.settle(5 * time.Second)
	return x.codes(a.ID)
}

var (
	carl    = pow.Key(digest("carl"))
	desktop = pow.Key(digest("desktop"))
	claim   = strings.Repeat("c", 43)
)

func enrolment() pow.Account {
	return pow.Account{Author: carl, Action: "enrol", Device: desktop, Policy: policy, Bound: true, Claim: claim, Name: "Carl's desktop"}
}

func (x *world) invite(s pow.Slot) {
	s.Claim = sha256.Sum256([]byte(claim))
	if s.Expires.IsZero() {
		s.Expires = x.now().Add(time.Hour)
	}
	x.must(x.l.Invite(context.Background(), s))
}

func TestEnrol(t *testing.T) {
	for name, c := range map[string]struct {
		slot   *pow.Slot
		change func(*pow.Account)
		config func(*dvm.Config)
		want   pow.Code
	}{
		"claim":            {&pow.Slot{Name: "Carl"}, nil, nil, pow.CodeEnrolled},
		"claim for him":    {&pow.Slot{Name: "Carl", Identity: carl}, nil, nil, pow.CodeEnrolled},
		"claim for other":  {&pow.Slot{Name: "Carl", Identity: anna}, nil, nil, pow.CodeIdentityMismatch},
		"unknown claim":    {nil, nil, knock, pow.CodeClaimInvalid},
		"expired claim":    {&pow.Slot{Expires: time.Unix(1, 0)}, nil, knock, pow.CodeClaimInvalid},
		"not bound":        {&pow.Slot{}, func(a *pow.Account) { a.Bound = false }, nil, pow.CodeRefused},
		"somebody's":       {&pow.Slot{}, func(a *pow.Account) { a.Device = phone }, nil, pow.CodeDeviceBound},
		"old policy":       {&pow.Slot{}, func(a *pow.Account) { a.Policy = digest("old") }, nil, pow.CodePolicyChanged},
		"confirm":          {&pow.Slot{}, nil, func(c *dvm.Config) { c.Confirm = true }, pow.CodeAwaitingApproval},
		"knock":            {nil, func(a *pow.Account) { a.Claim = "" }, knock, pow.CodeAwaitingApproval},
		"known, no claim":  {nil, func(a *pow.Account) { a.Claim, a.Author = "", anna }, nil, pow.CodeEnrolled},
		"stranger":         {nil, func(a *pow.Account) { a.Claim = "" }, nil, pow.CodeRefused},
		"known, old claim": {nil, func(a *pow.Account) { a.Author = anna }, nil, pow.CodeClaimInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, c.config, func(x *world) {
				if c.slot != nil {
					x.invite(*c.slot)
				}
				a := enrolment()
				if c.change != nil {
					c.change(&a)
				}
				if got := x.ask(a); !slices.Equal(got, []pow.Code{c.want}) {
					t.Fatalf("told %v, want %v", got, c.want)
				}
				if got := len(x.parts[a.Device]) > 0 && a.Device == desktop; got != (c.want == pow.CodeEnrolled) {
					t.Errorf("catalogues %+v", x.parts[a.Device])
				}
			})
		})
	}
}

func knock(c *dvm.Config) { c.Knock = true }

func TestClaimIsUsedOnce(t *testing.T) {
	in(t, nil, func(x *world) {
		x.invite(pow.Slot{Name: "Carl", KimaiUser: 7, Projects: []pow.ProjectID{web}})
		x.ask(enrolment())
		m, err := x.l.Member(context.Background(), carl)
		if err != nil || m.Name != "Carl" || m.KimaiUser != 7 || m.State != "active" || len(m.Devices) != 1 || !m.May(web) || m.May("other") {
			t.Errorf("member %+v, %v", m, err)
		}
		thief := enrolment()
		thief.Author, thief.Device = pow.Key(digest("thief")), pow.Key(digest("thief's"))
		if got := x.ask(thief); !slices.Equal(got, []pow.Code{pow.CodeClaimUsed}) {
			t.Errorf("the thief was told %v", got)
		}
		again := enrolment()
		again.App = "a new request"
		if got := x.ask(again); !slices.Equal(got, []pow.Code{pow.CodeEnrolled}) {
			t.Errorf("again: %v", got)
		}
		n := x.proof(desktop, session(5), 1, x.ago(12, 2), func(n *pow.Notice, _ *pow.Opened) { n.Author = carl })
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		x.want(n, pow.CodeBooked)
	})
}

func TestDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		decide func(x *world, m pow.Member) error
		want   pow.Code
	}{
		"yes": {func(x *world, m pow.Member) error {
			m.State = "active"
			return x.l.SetMember(context.Background(), m, x.now())
		}, pow.CodeEnrolled},
		"no": {func(x *world, m pow.Member) error { return x.l.Decline(context.Background(), m.ID, x.now()) }, pow.CodeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, knock, func(x *world) {
				a, l := request(pow.Account{Author: carl, Action: "enrol", Device: desktop, Policy: policy, Bound: true, Name: "Carl"})
				x.deliver(l)
				x.settle(5 * time.Second)
				m, err := x.l.Member(context.Background(), carl)
				x.must(err)
				x.must(c.decide(x, m))
				x.settle(5 * time.Second)
				if got := x.codes(a.ID); !slices.Equal(got, []pow.Code{pow.CodeAwaitingApproval, c.want}) {
					t.Errorf("told %v", got)
				}
				if err := x.l.Decline(context.Background(), m.ID, x.now()); !errors.Is(err, pow.ErrNotFound) {
					t.Errorf("declined twice: %v", err)
				}
			})
		})
	}
}

func TestTooManyKnock(t *testing.T) {
	in(t, knock, func(x *world) {
		for i := range 21 {
			a := pow.Account{Author: pow.Key(digest("knocker", i)), Action: "enrol", Device: pow.Key(digest("theirs", i)), Policy: policy, Bound: true}
			want := pow.CodeAwaitingApproval
			if i == 20 {
				want = pow.CodeRefused
			}
			if got := x.ask(a); !slices.Equal(got, []pow.Code{want}) {
				t.Errorf("knocker %d was told %v", i, got)
			}
		}
	})
}

func TestRequests(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(10 * time.Second)
		before := len(x.parts[laptop])
		for _, c := range []struct {
			a    pow.Account
			want pow.Code
		}{
			{pow.Account{Action: "catalogue", Device: laptop}, pow.CodeDone},
			{pow.Account{Action: "status", Device: laptop, Session: session(1)}, pow.CodeDone},
			{pow.Account{Action: "export", Device: laptop}, pow.CodeUnsupported},
			{pow.Account{Action: "remove-device", Device: laptop, Target: phone}, pow.CodeNotFound},
			{pow.Account{Action: "remove-device", Device: laptop, Target: tablet}, pow.CodeDone},
			{pow.Account{Action: "remove-device", Device: laptop, Target: tablet, App: "again"}, pow.CodeNotFound},
			{pow.Account{Action: "status", Device: tablet, Session: session(1)}, pow.CodeDeviceUnknown},
			{pow.Account{Action: "status", Device: desktop, Session: session(1)}, pow.CodeDeviceUnknown},
		} {
			c.a.Author = anna
			got := x.ask(c.a)
			if c.a.Device == tablet {
				continue // known to the DVM as removed: not answered there
			}
			if !slices.Equal(got, []pow.Code{c.want}) {
				t.Errorf("%s was told %v, want %v", c.a.Action, got, c.want)
			}
		}
		x.want(n, pow.CodeBooked, pow.CodeBooked) // status
		all := x.parts[laptop]
		if len(all) < before+2 {
			t.Fatalf("catalogues %+v", all)
		}
		if last := all[len(all)-1]; last.Revision <= all[0].Revision || last.AnnRevision != 1 || len(last.Projects) != 1 || last.Devices[0].State == last.Devices[1].State {
			t.Errorf("catalogue %+v", last)
		}
	})
}

type hubs func(pow.Key) error

func (f hubs) Dismiss(_ context.Context, k pow.Key) error { return f(k) }

func TestLeaveAndErase(t *testing.T) {
	for _, action := range []string{"leave", "erase"} {
		t.Run(action, func(t *testing.T) {
			gone, fail := map[pow.Key]int{}, true
			tell := func(c *dvm.Config) {
				c.Hubs = hubs(func(k pow.Key) error {
					if fail = !fail; !fail {
						return errors.New("offline")
					}
					gone[k]++
					return nil
				})
			}
			in(t, tell, func(x *world) {
				n := x.proof(laptop, session(1), 1, x.ago(12, 2))
				x.deliver(letter(n, 1))
				x.settle(5 * time.Second)
				a, l := request(pow.Account{Author: anna, Action: action, Device: laptop})
				x.deliver(l)
				x.settle(5 * time.Minute)
				want := []pow.Code{pow.CodeDone}
				if action == "erase" {
					want = []pow.Code{pow.CodeAwaitingApproval, pow.CodeDone}
					m, err := x.l.Member(context.Background(), anna)
					x.must(err)
					x.must(x.l.Erase(context.Background(), m.ID, x.now()))
					x.settle(5 * time.Minute)
				}
				if got := x.codes(a.ID); !slices.Equal(got, want) {
					t.Errorf("told %v", got)
				}
				if gone[laptop] != 1 || gone[tablet] != 1 || gone[phone] != 0 {
					t.Errorf("the hubs dismissed %v", gone)
				}
				s := x.session(session(1))
				if s.Proven != 600 || (s.Member.Name == "Anna") == (action == "erase") {
					t.Errorf("session %+v", s)
				}
			})
		})
	}
}

func TestLane(t *testing.T) {
	ctx := context.Background()
	in(t, nil, func(x *world) {
		if err := x.w.Allow(ctx, anna); err != nil {
			t.Errorf("a member: %v", err)
		}
		if err := x.w.Allow(ctx, carl); !errors.Is(err, dvm.ErrStranger) {
			t.Errorf("no open slot: %v", err)
		}
		x.invite(pow.Slot{Name: "Carl"})
		for i := range 10 {
			if err := x.w.Allow(ctx, carl); err != nil {
				t.Errorf("stranger %d: %v", i, err)
			}
		}
		if err := x.w.Allow(ctx, carl); !errors.Is(err, dvm.ErrAside) {
			t.Errorf("the eleventh: %v", err)
		}
		x.settle(time.Minute)
		if err := x.w.Allow(ctx, carl); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

// Letters put aside are kept undecrypted and opened when the lane is free.
func TestAside(t *testing.T) {
	var x *world
	guarded := func(c *dvm.Config) {
		c.Unwrap = unwrapper(func(l []byte) (pow.Mail, error) {
			m, err := unwrap(l)
			if err == nil {
				if err = x.w.Allow(context.Background(), m.Author); err != nil {
					return pow.Mail{}, fmt.Errorf("guard: %w", err)
				}
			}
			return m, err
		})
		c.Knock = true
	}
	in(t, guarded, func(y *world) {
		x = y
		var asked []pow.Account
		for i := range 15 {
			a, l := request(pow.Account{Author: pow.Key(digest("knocker", i)), Action: "enrol", Device: pow.Key(digest("theirs", i)), Policy: policy, Bound: true})
			asked = append(asked, a)
			x.deliver(l)
		}
		answered := func() (n int) {
			for _, a := range asked {
				n += len(x.codes(a.ID))
			}
			return n
		}
		x.settle(time.Second)
		if got := answered(); got != 10 {
			t.Errorf("%d were answered at once", got)
		}
		x.settle(2 * time.Minute)
		if got := answered(); got != 15 {
			t.Errorf("%d were answered in the end", got)
		}
	})
}

func TestMalformed(t *testing.T) {
	in(t, nil, func(x *world) {
		for i, c := range []struct {
			author, device pow.Key
			bad            string
			want           []pow.Code
		}{
			{anna, laptop, "two seq", []pow.Code{pow.CodeBadNotice}},
			{anna, laptop, "unsupported version 2", []pow.Code{pow.CodeUnsupported}},
			{anna, phone, "two seq", nil},
			{carl, laptop, "two seq", nil},
		} {
			m := pow.Mail{Wrap: digest("bad", i), Rumor: digest("bad rumor", i), Author: c.author, Device: c.device, Bad: c.bad}
			x.deliver(mail(m))
			x.settle(time.Second)
			if got := x.codes(m.Rumor); !slices.Equal(got, c.want) {
				t.Errorf("case %d was told %v", i, got)
			}
		}
	})
}

func TestAnnouncementChanges(t *testing.T) {
	var revision atomic.Int64
	revision.Store(1)
	moving := func(c *dvm.Config) {
		c.Announcement = func() pow.Announcement {
			r := int(revision.Load())
			return pow.Announcement{ID: digest("ann", r), Revision: r}
		}
	}
	in(t, moving, func(x *world) {
		x.settle(5 * time.Second)
		before := len(x.catalogues(laptop))
		x.settle(time.Hour)
		if got := len(x.catalogues(laptop)); got != before {
			t.Errorf("%d catalogues for nothing", got-before)
		}
		revision.Add(1)
		x.settle(5 * time.Second)
		all := x.catalogues(laptop)
		if len(all) != before+1 || all[before].AnnRevision != 2 || all[before].Revision <= all[before-1].Revision {
			t.Errorf("catalogues %+v", all)
		}
	})
}

// A device with an old catalogue is sent the current one, not more than once in
// ten minutes.
func TestOutdatedCatalogue(t *testing.T) {
	in(t, nil, func(x *world) {
		x.settle(20 * time.Minute)
		before := len(x.parts[laptop])
		for i := range 3 {
			x.deliver(letter(x.proof(laptop, session(1), uint64(i+1), x.ago(12-i, 11-i), func(n *pow.Notice, _ *pow.Opened) { n.Catalogue = 0 }), 1))
		}
		x.settle(5 * time.Second)
		if got := len(x.parts[laptop]) - before; got != 1 {
			t.Errorf("%d catalogues", got)
		}
	})
}
