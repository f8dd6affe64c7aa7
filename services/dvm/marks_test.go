package dvm_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pow.do/services/dvm"
	"pow.do/services/pow"
)

// What the worker did is shown with the proof; time whose pictures were taken
// out waits for a person where pictures are demanded, and there only.
func TestMarks(t *testing.T) {
	stretch := func(o *pow.Opened) []pow.Interval {
		return []pow.Interval{{From: o.Statement.Interval.From, To: o.Statement.Interval.From.Add(time.Minute)}}
	}
	for name, c := range map[string]struct {
		rule  pow.Rule
		proof func(*pow.Opened)
		code  pow.Code
		marks []string
	}{
		"nothing": {pow.Required, func(*pow.Opened) {}, pow.CodeBooked, nil},
		"kept":    {pow.Required, func(o *pow.Opened) { o.Proof.Kept = stretch(o) }, pow.CodeBooked, []string{"kept"}},
		"by hand": {pow.Required, func(o *pow.Opened) { o.Proof.ByHand = stretch(o) }, pow.CodeBooked, []string{"by-hand"}},
		"edited":  {pow.Required, func(o *pow.Opened) { o.Proof.Captures[0].Areas = 1 }, pow.CodeBooked, []string{"edited"}},
		"cropped": {pow.Required, func(o *pow.Opened) { o.Proof.Captures[0].Cropped = true }, pow.CodeBooked, []string{"edited"}},
		"removed where demanded": {pow.Required, func(o *pow.Opened) { o.Proof.Without, o.Proof.Dropped = stretch(o), 1 },
			pow.CodeParked, []string{"without-picture"}},
		"removed where optional": {pow.Optional, func(o *pow.Opened) { o.Proof.Without, o.Proof.Dropped = stretch(o), 1 },
			pow.CodeBooked, []string{"without-picture"}},
		"another display's removed": {pow.Required, func(o *pow.Opened) { o.Proof.Dropped = 1 }, pow.CodeBooked, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, nil, func(x *world) {
				p := project()
				p.Pictures = c.rule
				x.must(x.l.SetProject(context.Background(), p, x.now()))
				n := x.proof(laptop, session(1), 1, x.ago(12, 2), func(_ *pow.Notice, o *pow.Opened) {
					o.Proof.Captures = slices.Clone(o.Proof.Captures)
					c.proof(o)
				})
				x.deliver(letter(n, 1))
				x.settle(time.Second)
				r, reason := x.last(n.ID), ""
				if c.code == pow.CodeParked {
					reason = "captures-missing"
				}
				if r.Code != c.code || r.Reason != reason {
					t.Errorf("told %q because of %q", r.Code, r.Reason)
				}
				if got := x.proofs()[0].Marks; !slices.Equal(got, c.marks) {
					t.Errorf("marks %q, want %q", got, c.marks)
				}
			})
		})
	}
}

func TestConsent(t *testing.T) {
	good := pow.Agreement{Author: anna, Demand: pow.DemandOf(dvmKey, project().Project, policy)}
	for name, c := range map[string]struct {
		sent   []byte
		change func(*pow.Agreement)
		err    error
		want   string
	}{
		"ok":               {[]byte("signed"), nil, nil, "ok"},
		"none":             {nil, nil, nil, "none"},
		"invalid":          {[]byte("nonsense"), nil, errors.New("not a consent"), "invalid"},
		"another member's": {[]byte("signed"), func(a *pow.Agreement) { a.Author = bert }, nil, "other"},
		"for another DVM":  {[]byte("signed"), func(a *pow.Agreement) { a.Demand.DVM = bert }, nil, "other"},
		"another project":  {[]byte("signed"), func(a *pow.Agreement) { a.Demand.Project = "0000000000000000" }, nil, "other"},
		"to less":          {[]byte("signed"), func(a *pow.Agreement) { a.Demand.Detail = pow.DetailOff }, nil, "less"},
		"to another text":  {[]byte("signed"), func(a *pow.Agreement) { a.Demand.Policy = pow.Hash{1} }, nil, "less"},
		"to more":          {[]byte("signed"), func(a *pow.Agreement) { a.Demand.Pictures, a.Demand.Retention = pow.Required, 365 }, nil, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			read := func(b []byte) (pow.Agreement, error) {
				a := good
				if c.change != nil {
					c.change(&a)
				}
				return a, c.err
			}
			in(t, func(d *dvm.Config) { d.Consent = read }, func(x *world) {
				n := x.proof(laptop, session(1), 1, x.ago(12, 2), func(_ *pow.Notice, o *pow.Opened) { o.Proof.Consent = c.sent })
				x.deliver(letter(n, 1))
				x.settle(time.Second)
				x.want(n, pow.CodeBooked) // it never decides
				if got := x.proofs()[0].Checks.Consent; got != c.want {
					t.Errorf("consent %q, want %q", got, c.want)
				}
			})
		})
	}
}
