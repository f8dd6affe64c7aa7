package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/invite"
	"pow.do/services/wire/relays"
)

// team is what this device knows about the one it belongs to. It rests encrypted.
type team struct {
	DVM          pow.Key             `json:"dvm"`
	Relays       []string            `json:"relays"`  // of the invitation, while joining
	Blossom      []string            `json:"blossom"` // likewise
	Code         pow.Code            `json:"code"`    // enrolled, awaiting-approval; empty while joining
	Announcement pow.Announcement    `json:"announcement"`
	Catalogue    pow.Catalogue       `json:"catalogue"`
	Parts        []pow.CataloguePart `json:"parts,omitempty"` // of a newer revision that is not complete
}

const docTeam = "team"

// relays returns where letters are written and read: what the DVM announces,
// or what the invitation named.
func (t *team) relays() []string {
	if len(t.Announcement.Relays) > 0 {
		return t.Announcement.Relays
	}
	return t.Relays
}

func (t *team) blossom() []string {
	if len(t.Announcement.Blossom) > 0 {
		return t.Announcement.Blossom
	}
	return t.Blossom
}

// Joining takes this long at most.
const (
	joinTime      = 90 * time.Second
	catalogueTime = 30 * time.Second
)

// teamOrError returns a copy of the team. Errors: pow.ErrNoKey, pow.ErrLocked, pow.ErrNoTeam.
func (a *Agent) teamOrError() (team, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.queue == nil:
		return team{}, pow.ErrNoKey
	case a.keys == nil:
		return team{}, pow.ErrLocked
	case a.team == nil || a.team.Code == "":
		return team{}, pow.ErrNoTeam
	}
	return *a.team, nil
}

// loadTeam reads the team after the keys were unlocked.
func (a *Agent) loadTeam() error {
	var t team
	found, err := a.queue.SecretDoc(docTeam, &t)
	if err != nil || !found {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.team == nil { // unlocked a second time: what is in memory is newer
		a.team = &t
	}
	return nil
}

// changeTeam changes the team and stores it, with the policies in clear.
func (a *Agent) changeTeam(change func(*team) error) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	a.mu.Lock()
	before := a.team
	a.mu.Unlock()
	if before == nil {
		return pow.ErrNoTeam
	}
	t := *before
	if err := change(&t); err != nil {
		return err
	}
	if err := a.queue.PutSecretDoc(docTeam, t); err != nil {
		return err
	}
	if err := a.keepPolicies(t); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.team = &t
	return nil
}

// out tells whether the team accepts nothing from this member at the moment.
func out(c pow.Catalogue) bool { return c.MemberState == "suspended" || c.MemberState == "removed" }

var (
	errOld          = errors.New("known already, or outdated")
	errEquivocation = &pow.Error{Code: "equivocation", What: "a relay shows two announcements of your team's server with one number", Mend: "tell your admin"}
)

// take applies an announcement of the pinned DVM, if its revision is newer.
// Errors: errOld; errEquivocation for the same revision with another id.
func (t *team) take(ann pow.Announcement) error {
	switch {
	case ann.Revision < t.Announcement.Revision, ann.ID == t.Announcement.ID:
		return errOld
	case ann.Revision == t.Announcement.Revision:
		return errEquivocation
	}
	t.Announcement = ann
	return nil
}

// ReadInvite implements API.
func (a *Agent) ReadInvite(_ context.Context, link string) (v pow.JoinPreview, err error) {
	l, err := parseLink(link)
	if err != nil {
		return v, err
	}
	return pow.JoinPreview{Name: l.Name, DVMNpub: identity.Npub(l.DVM), Relays: l.Relays, Blossom: l.Blossom, Expires: l.Expires}, nil
}

func parseLink(link string) (invite.Link, error) {
	l, err := invite.Parse(link, time.Now())
	var e *pow.Error
	if err != nil && !errors.As(err, &e) {
		err = &pow.Error{Code: pow.ErrUsage.Code, What: "this is not a valid invite link", Mend: "ask for a new one", Err: err}
	}
	return l, err
}

// Join implements API: admission at the relays, the announcement, enrolment at
// the DVM, the catalogue, and a server that takes files. Each step may be
// repeated, so a join that was cut off is simply done again.
func (a *Agent) Join(ctx context.Context, r pow.JoinRequest) (j pow.Joined, err error) {
	l, err := parseLink(r.Link)
	if err != nil {
		return j, err
	}
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	if err := a.pin(l); err != nil {
		return j, err
	}
	n, err := a.linked(ctx)
	if err != nil {
		return j, err
	}
	if err := n.admit(ctx, l); err != nil {
		return j, err
	}
	ann, err := n.announcement(ctx, l)
	if err != nil {
		return j, err
	}
	if err := a.changeTeam(func(t *team) error { return t.take(ann) }); err != nil && !errors.Is(err, errOld) {
		return j, err
	}
	code, err := a.enrol(ctx, n, l, r.Name)
	if err != nil {
		return j, err
	}
	// From here on the announcement says where the team is.
	if err := a.changeTeam(func(t *team) error { t.Code, t.Relays, t.Blossom = code, nil, nil; return nil }); err != nil {
		return j, err
	}
	a.renewLink()
	defer a.changed()
	j = pow.Joined{Team: ann.Name, Code: code}
	if code != pow.CodeEnrolled {
		return j, nil
	}
	c, err := a.awaitCatalogue(ctx)
	if err != nil {
		return j, err
	}
	j.Member, j.Projects = c.MemberName, c.Projects
	return j, n.storage(ctx)
}

// pin makes the link's team this device's, unless it has another.
func (a *Agent) pin(l invite.Link) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.queue == nil:
		return pow.ErrNoKey
	case a.keys == nil:
		return pow.ErrLocked
	case a.team != nil && a.team.Code != "" && a.team.Code != pow.CodeRefused && a.team.DVM != l.DVM:
		return &pow.Error{Code: "other-team", What: "this device belongs to another team already", Mend: "use another home folder (--home) for a second one"}
	case a.keys.identity.Public() == l.DVM:
		return &pow.Error{Code: pow.ErrUsage.Code, What: "the link names your own key as the server's"}
	}
	t := team{DVM: l.DVM}
	if a.team != nil && a.team.DVM == l.DVM {
		t = *a.team
	}
	t.Relays, t.Blossom = l.Relays, l.Blossom
	a.team = &t
	a.renewLocked()
	return nil
}

// admit asks every relay to let this device write and read its own mail.
func (n *link) admit(ctx context.Context, l invite.Link) (err error) {
	admitted := 0
	for _, origin := range l.Relays {
		if l.HubClaim == "" {
			admitted++ // allowed by hand; the enrolment will show
			continue
		}
		answer, e := n.pool.Join(ctx, origin, l.HubClaim)
		switch {
		case e != nil:
			err = errors.Join(err, &pow.Error{Code: pow.ErrOffline.Code, What: origin + " cannot be reached", Mend: "check the network and try again", Err: e})
		case !answer.OK:
			err = errors.Join(err, &pow.Error{Code: pow.CodeClaimInvalid, What: origin + " refused the invitation: " + answer.Text, Mend: "ask for a new link"})
		default:
			admitted++
		}
	}
	if admitted > 0 {
		return nil
	}
	return err
}

// announcement reads what the DVM says about itself from any relay of the link.
func (n *link) announcement(ctx context.Context, l invite.Link) (best pow.Announcement, err error) {
	for _, origin := range l.Relays {
		events, e := n.pool.Fetch(ctx, origin, announcementFilter(l.DVM))
		if e != nil {
			err = e
			continue
		}
		for _, ev := range events {
			ann, e := envelope.ReadAnnouncement(event.Marshal(ev), l.DVM)
			switch {
			case e != nil || ann.Revision < best.Revision:
			case ann.Revision == best.Revision && ann.ID != best.ID:
				return best, errEquivocation
			default:
				best = ann
			}
		}
	}
	if best.Revision > 0 {
		return best, nil
	}
	return best, &pow.Error{Code: "no-announcement", What: "the server has not announced itself yet", Mend: "ask your admin whether it runs, then try again", Err: err}
}

func announcementFilter(dvm pow.Key) relays.Filter {
	return relays.Filter{Kinds: []int{31990}, Authors: []pow.Key{dvm}, D: []string{"powdo"}, Limit: 1}
}

// enrol tells the DVM which member this device belongs to.
func (a *Agent) enrol(ctx context.Context, n *link, l invite.Link, name string) (pow.Code, error) {
	r, err := n.ask(ctx, a, pow.Account{Action: "enrol", Claim: l.Claim, Name: name})
	if err != nil {
		return "", err
	}
	switch r.Code {
	case pow.CodeEnrolled, pow.CodeAwaitingApproval:
		return r.Code, nil
	}
	refused := &pow.Error{Code: r.Code, What: refusals[r.Code], Mend: "ask your admin"}
	switch {
	case r.Code == pow.CodePolicyChanged:
		refused.Mend = "join again"
	case refused.What == "":
		refused.What = "the server refused this device"
	}
	return "", refused
}

// refusals are the sentences for a refused enrolment.
var refusals = map[pow.Code]string{
	pow.CodeClaimInvalid:     "this link is not valid any more",
	pow.CodeClaimUsed:        "this link was already used",
	pow.CodeIdentityMismatch: "this link was made for another key",
	pow.CodeDeviceBound:      "this computer belongs to another identity",
	pow.CodeRefused:          "your admin declined",
	pow.CodePolicyChanged:    "the terms changed while you joined",
}

// ask sends a request about this account and waits for the DVM's answer.
func (n *link) ask(ctx context.Context, a *Agent, q pow.Account) (r pow.Receipt, err error) {
	a.mu.Lock()
	keys, t := a.keys, a.team
	a.mu.Unlock()
	if keys == nil || t == nil {
		return r, pow.ErrLocked
	}
	now := time.Now()
	q.DVM, q.Device, q.Ann, q.Policy, q.App = t.DVM, keys.device.Public(), t.Announcement.Revision, t.Announcement.PolicyHash, appName
	rumor, seal, err := envelope.SealAccount(keys.identity, keys.device, q, now)
	if err != nil {
		return r, err
	}
	letter, err := envelope.Wrap(seal, t.DVM, now)
	if err != nil {
		return r, err
	}
	answer := make(chan pow.Receipt, 4)
	a.mu.Lock()
	a.waiting[rumor] = answer
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.waiting, rumor)
		a.mu.Unlock()
	}()
	if err := n.post(ctx, letter); err != nil {
		return r, err
	}
	select {
	case r = <-answer:
		return r, nil
	case <-ctx.Done():
		return r, &pow.Error{Code: pow.ErrTimeout.Code, What: "the server has not answered", Mend: "ask your admin whether it runs, then try again"}
	}
}

// post publishes a letter to every relay; one that takes it is enough.
func (n *link) post(ctx context.Context, l pow.Letter) (err error) {
	took := 0
	for _, origin := range n.relays {
		answer, e := n.pool.Publish(ctx, origin, l.JSON)
		switch {
		case e != nil:
			err = errors.Join(err, e)
		case !answer.OK:
			err = errors.Join(err, fmt.Errorf("%s: %s", origin, answer.Text))
		default:
			took++
		}
	}
	if took > 0 {
		return nil
	}
	return &pow.Error{Code: pow.ErrOffline.Code, What: "no relay took the letter", Mend: "check the network and try again", Err: err}
}

func (a *Agent) awaitCatalogue(ctx context.Context) (c pow.Catalogue, err error) {
	ctx, cancel := context.WithTimeout(ctx, catalogueTime)
	defer cancel()
	changes, stop := a.listen()
	defer stop()
	for {
		t, err := a.teamOrError()
		if err != nil {
			return c, err
		}
		if t.Catalogue.Revision > 0 {
			return t.Catalogue, nil
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return c, &pow.Error{Code: pow.ErrTimeout.Code, What: "joined, but the list of projects has not come yet", Mend: "look again in a minute: powdo projects"}
		}
	}
}

// storage wants one server that would take a file from this device.
func (n *link) storage(ctx context.Context) (err error) {
	for _, origin := range n.servers {
		if err = n.blossom.Probe(ctx, origin, 1); err == nil {
			return nil
		}
	}
	return &pow.Error{Code: pow.ErrNotAdmitted.Code, What: "joined, but no server takes files from this device", Mend: "ask your admin; tracking works meanwhile", Err: err}
}
