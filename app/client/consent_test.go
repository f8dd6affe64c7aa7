package client

import (
	"errors"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/consent"
)

func start(t *testing.T, a *Agent, p pow.ProjectID) error {
	t.Helper()
	_, err := a.Start(t.Context(), pow.StartRequest{Project: string(p)})
	return err
}

func TestNothingIsRecordedWithoutConsent(t *testing.T) {
	a := alone(t)
	if err := start(t, a, optional); !errors.Is(err, pow.ErrConsent) {
		t.Fatalf("a timer without consent: %v", err)
	}
	v, err := a.Terms(t.Context(), optional)
	must(t, err)
	if v.Consent != pow.ConsentNeeded || v.Choice.Pictures || v.Choice.Detail != pow.DetailApp || v.Policy == "" {
		t.Errorf("before: %+v", v)
	}
	if err := a.Agree(t.Context(), pow.AgreeRequest{Project: optional, Hash: pow.Hash{9}}); !errors.Is(err, pow.ErrTermsChanged) {
		t.Errorf("agreed to what nobody has seen: %v", err)
	}
	v.Choice.Pictures, v.Choice.Interval = true, 120
	must(t, a.Agree(t.Context(), pow.AgreeRequest{Project: optional, Hash: v.Hash, Choice: v.Choice}))
	must(t, start(t, a, optional))
	if p, err := a.policyOf(optional); err != nil || !p.takes() || p.Interval != 120 {
		t.Errorf("the choice does not hold: %+v %v", p, err)
	}
	signed, err := a.consentOf(optional)
	must(t, err)
	g, err := consent.Read(signed)
	must(t, err)
	if g.Author != a.keys.identity.Public() || g.Terms != v.Hash || g.Catalogue != 1 || !g.Choice.Pictures || g.Demand.Policy != (pow.Hash{7}) {
		t.Errorf("signed: %+v", g)
	}
	must(t, a.Choose(t.Context(), pow.ProjectChoice{Project: optional, Detail: pow.DetailTitle}))
	if p, err := a.policyOf(optional); err != nil || p.takes() || p.Interval != 600 || p.Detail != pow.DetailTitle {
		t.Errorf("another choice: %+v %v", p, err)
	}
	if err := a.Choose(t.Context(), pow.ProjectChoice{Project: required}); !errors.Is(err, pow.ErrConsent) {
		t.Errorf("a choice without consent: %v", err)
	}
}

func TestTermsThatChange(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	must(t, start(t, a, required))
	change := func(f func(*pow.Project)) {
		t.Helper()
		must(t, a.changeTeam(func(x *team) error {
			x.Catalogue.Projects = append([]pow.Project(nil), x.Catalogue.Projects...)
			f(&x.Catalogue.Projects[1])
			x.Catalogue.Revision++
			return nil
		}))
	}
	change(func(p *pow.Project) { p.Interval = 1200 })
	if p, err := a.policyOf(required); err != nil || p.Consent != pow.ConsentGiven || p.Interval != 1200 {
		t.Errorf("asks for less: %+v %v", p, err)
	}
	change(func(p *pow.Project) { p.Interval = 300 })
	if _, err := a.Capture(t.Context()); !errors.Is(err, pow.ErrConsentChanged) {
		t.Errorf("captured under other terms: %v", err)
	}
	if s, err := a.Status(t.Context()); err != nil || len(s.Warnings) != 1 || s.Warnings[0].Code != pow.ErrConsentChanged.Code {
		t.Errorf("nobody is told: %+v %v", s.Warnings, err)
	}
	must(t, a.timer.Stop())
	if err := start(t, a, required); !errors.Is(err, pow.ErrConsentChanged) {
		t.Errorf("started under other terms: %v", err)
	}
	v, err := a.Terms(t.Context(), required)
	if err != nil || v.Consent != pow.ConsentChanged || v.Agreed == nil || v.Agreed.Interval != 600 || v.PolicyChanged {
		t.Errorf("%+v %v", v, err)
	}
	agree(t, a, required)
	must(t, start(t, a, required))
	if s, err := a.Status(t.Context()); err != nil || len(s.Warnings) != 0 {
		t.Errorf("still warned: %+v %v", s.Warnings, err)
	}
	must(t, a.changeTeam(func(x *team) error { x.Announcement.PolicyHash = pow.Hash{8}; return nil }))
	if v, err = a.Terms(t.Context(), required); err != nil || v.Consent != pow.ConsentChanged || !v.PolicyChanged {
		t.Errorf("another text: %+v %v", v, err)
	}
}

func TestWithdraw(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	_, _, _ = hour(t, a, optional)
	must(t, start(t, a, optional))
	must(t, a.Withdraw(t.Context(), optional))
	if s, err := a.Status(t.Context()); err != nil || s.Timer.State != pow.Stopped {
		t.Errorf("the timer runs on: %+v %v", s.Timer, err)
	}
	if err := start(t, a, optional); !errors.Is(err, pow.ErrWithdrawn) {
		t.Errorf("started: %v", err)
	}
	if _, err := a.Register(t.Context()); !errors.Is(err, pow.ErrNothingHeld) {
		t.Errorf("sent what was withdrawn: %v", err)
	}
	agree(t, a, optional)
	if ids, err := a.Register(t.Context()); err != nil || len(ids) == 0 {
		t.Errorf("agreed again: %v %v", ids, err)
	}
	if err := a.Withdraw(t.Context(), "0000000000000000"); !errors.Is(err, pow.ErrUnknownProject) {
		t.Error(err)
	}
}
