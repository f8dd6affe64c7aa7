package client

import (
	"context"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/consent"
	"pow.do/services/wire/identity"
)

// agreement is the member's consent to one project, as it is kept here. It rests
// encrypted.
type agreement struct {
	Event     []byte            `json:"event"`  // as it was signed last
	Agreed    pow.Project       `json:"agreed"` // what was asked for then
	Policy    pow.Hash          `json:"policy"`
	At        time.Time         `json:"at"`
	Choice    pow.ProjectChoice `json:"choice"`
	Withdrawn time.Time         `json:"withdrawn,omitzero"`
}

const docConsents = "consents"

func (a *Agent) consents() (map[pow.ProjectID]agreement, error) {
	all := map[pow.ProjectID]agreement{}
	_, err := a.queue.SecretDoc(docConsents, &all)
	return all, err
}

// state says where an agreement stands against what is asked for now.
func (g agreement) state(now pow.Demand) pow.Consent {
	switch {
	case g.Event == nil:
		return pow.ConsentNeeded
	case !g.Withdrawn.IsZero():
		return pow.ConsentWithdrawn
	case now.More(pow.DemandOf(now.DVM, g.Agreed, g.Policy)):
		return pow.ConsentChanged
	}
	return pow.ConsentGiven
}

// choice is what the member chose, inside of what is asked for now. Without a
// choice, window titles and pictures that nobody demands stay here.
func (g agreement) choice(now pow.Demand) pow.ProjectChoice {
	c := g.Choice
	if g.Event == nil {
		c.Detail = now.Detail.Least(pow.DetailApp)
	}
	return now.Bound(c)
}

// demand is what a project of the team asks for now.
func (t *team) demand(p pow.Project) pow.Demand {
	return pow.DemandOf(t.DVM, p, t.Announcement.PolicyHash)
}

// policy is what holds for a project on this computer: what it asks for, what
// the member chose inside of that, and whether there is a consent. It is kept in
// clear by opaque ids, so that it holds while the keys are locked.
type policy struct {
	Pictures  pow.Rule    `json:"pictures"`
	Interval  int         `json:"interval"` // seconds
	Detail    pow.Detail  `json:"detail"`
	Consent   pow.Consent `json:"consent,omitempty"`
	Chosen    bool        `json:"chosen,omitempty"` // pictures are taken by themselves
	SealAfter int         `json:"seal_after,omitempty"`
	ShowTimer bool        `json:"show_timer,omitempty"`
}

const docPolicies = "policies"

func (a *Agent) policyOf(id pow.ProjectID) (p policy, err error) {
	all, err := a.policies()
	return all[id], err
}

func (a *Agent) policies() (map[pow.ProjectID]policy, error) {
	all := map[pow.ProjectID]policy{}
	_, err := a.queue.Doc(docPolicies, &all)
	return all, err
}

// agreed returns why nothing may be recorded for the project.
func (p policy) agreed() error {
	switch p.Consent {
	case pow.ConsentGiven:
		return nil
	case pow.ConsentChanged:
		return pow.ErrConsentChanged
	case pow.ConsentWithdrawn:
		return pow.ErrWithdrawn
	}
	return pow.ErrConsent
}

// takes tells whether pictures are taken by themselves.
func (p policy) takes() bool {
	return p.agreed() == nil && p.Pictures != pow.Forbidden && p.Chosen
}

// every is the time between two pictures.
func (p policy) every() time.Duration {
	if p.Interval <= 0 {
		return defaultInterval
	}
	return time.Duration(p.Interval) * time.Second
}

// keepPolicies stores what holds for every project. One that has disappeared
// stays as it was, because a running Session may still be booked on it. Of a
// member who was suspended or removed nothing new is captured.
func (a *Agent) keepPolicies(t team) error {
	policies, err := a.policies()
	if err != nil {
		return err
	}
	given, err := a.consents()
	if err != nil {
		return err
	}
	for _, p := range t.Catalogue.Projects {
		d, g := t.demand(p), given[p.ID]
		c := g.choice(d)
		policies[p.ID] = policy{Pictures: d.Pictures, Interval: d.Interval, Detail: c.Detail, Consent: g.state(d), Chosen: c.Pictures,
			SealAfter: c.SealAfter, ShowTimer: c.ShowTimer}
		if c.Interval > 0 {
			chosen := policies[p.ID]
			chosen.Interval = c.Interval
			policies[p.ID] = chosen
		}
	}
	if out(t.Catalogue) {
		for id, p := range policies {
			p.Pictures = pow.Forbidden
			policies[id] = p
		}
	}
	if err := a.queue.PutDoc(docPolicies, policies); err != nil {
		return err
	}
	return a.warnOfTerms()
}

// warnOfTerms says it when a running timer lost the consent that its pictures need.
func (a *Agent) warnOfTerms() error {
	seg, running := a.timer.Running()
	if !running {
		a.warn("consent", nil)
		return nil
	}
	pol, err := a.policyOf(seg.Project)
	a.warn("consent", pol.agreed())
	return err
}

// Terms implements API.
func (a *Agent) Terms(_ context.Context, id pow.ProjectID) (v pow.Terms, err error) {
	t, p, err := a.projectOfTeam(id)
	if err != nil {
		return v, err
	}
	given, err := a.consents()
	if err != nil {
		return v, err
	}
	d, g := t.demand(p), given[id]
	v = pow.Terms{Project: p, Team: t.Announcement.Name, DVMNpub: identity.Npub(t.DVM), Policy: t.Announcement.PolicyText, Language: t.Announcement.PolicyLang,
		Consent: g.state(d), Choice: g.choice(d), Relays: t.relays(), Blossom: t.blossom()}
	if g.Event != nil {
		v.AgreedAt, v.Agreed, v.PolicyChanged = g.At, &g.Agreed, g.Policy != d.Policy
	}
	v.Hash, err = consent.Terms(d)
	return v, err
}

func (a *Agent) projectOfTeam(id pow.ProjectID) (t team, p pow.Project, err error) {
	if t, err = a.teamOrError(); err != nil {
		return t, p, err
	}
	i := slices.IndexFunc(t.Catalogue.Projects, func(p pow.Project) bool { return p.ID == id })
	if i < 0 {
		return t, p, pow.ErrUnknownProject
	}
	return t, t.Catalogue.Projects[i], nil
}

// Agree implements API.
func (a *Agent) Agree(_ context.Context, r pow.AgreeRequest) error {
	return a.changeConsent(r.Project, func(t team, p pow.Project, g *agreement) error {
		hash, err := consent.Terms(t.demand(p))
		switch {
		case err != nil:
			return err
		case hash != r.Hash:
			return pow.ErrTermsChanged
		}
		g.Agreed, g.Policy, g.Withdrawn = p, t.Announcement.PolicyHash, time.Time{}
		return a.sign(t, p, g, r.Choice)
	})
}

// Choose implements API.
func (a *Agent) Choose(_ context.Context, c pow.ProjectChoice) error {
	return a.changeConsent(c.Project, func(t team, p pow.Project, g *agreement) error {
		switch g.state(t.demand(p)) {
		case pow.ConsentNeeded:
			return pow.ErrConsent
		case pow.ConsentChanged:
			return pow.ErrConsentChanged
		case pow.ConsentWithdrawn:
			return pow.ErrWithdrawn
		}
		g.Agreed, g.Policy = p, t.Announcement.PolicyHash // asks for less than what was agreed, or the same
		return a.sign(t, p, g, c)
	})
}

// Withdraw implements API. The timer of the project stops; what is held for it
// is not sent any more.
func (a *Agent) Withdraw(_ context.Context, id pow.ProjectID) error {
	err := a.changeConsent(id, func(_ team, _ pow.Project, g *agreement) error {
		if g.Event == nil {
			return pow.ErrConsent
		}
		g.Withdrawn = time.Now().UTC()
		return nil
	})
	if err != nil {
		return err
	}
	if now, found := a.timer.Current(); found && now.Project == id {
		return a.stopWork()
	}
	return nil
}

// sign makes the event that carries a consent, with the choice inside its terms.
func (a *Agent) sign(t team, p pow.Project, g *agreement, choice pow.ProjectChoice) (err error) {
	a.mu.Lock()
	keys := a.keys
	a.mu.Unlock()
	if keys == nil {
		return pow.ErrLocked
	}
	now := time.Now().UTC().Truncate(time.Second)
	d := t.demand(p)
	g.Choice, g.At = d.Bound(choice), now
	g.Event, err = consent.Sign(keys.identity, pow.Agreement{Demand: d, Catalogue: t.Catalogue.Revision, Choice: g.Choice}, now)
	return err
}

// changeConsent changes what is kept about one project, and what holds for it.
func (a *Agent) changeConsent(id pow.ProjectID, change func(team, pow.Project, *agreement) error) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	t, p, err := a.projectOfTeam(id)
	if err != nil {
		return err
	}
	given, err := a.consents()
	if err != nil {
		return err
	}
	g := given[id]
	if err := change(t, p, &g); err != nil {
		return err
	}
	given[id] = g
	if err := a.queue.PutSecretDoc(docConsents, given); err != nil {
		return err
	}
	defer a.changed()
	return a.keepPolicies(t)
}

// consentOf returns the signed consent that a proof of the project carries.
func (a *Agent) consentOf(id pow.ProjectID) ([]byte, error) {
	given, err := a.consents()
	return given[id].Event, err
}
