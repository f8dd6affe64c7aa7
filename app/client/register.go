package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// sealedShare is how much of the announced limit the pictures of one proof may
// fill; the rest is for activity, padding and the encryption's own bytes.
const sealedShare = 0.85

// plan turns what is not registered yet into proofs that the DVM's limits let
// in: every Session of every project, oldest first.
func (a *Agent) plan(now time.Time) (ds []pow.Delivery, err error) {
	t, err := a.teamOrError()
	if err != nil {
		return nil, err
	}
	segments, err := a.queue.Unregistered()
	if err != nil {
		return nil, err
	}
	held, err := a.queue.Held("")
	if err != nil {
		return nil, err
	}
	weights := map[pow.SessionID][]pow.Weight{}
	for _, c := range held {
		weights[c.Session] = append(weights[c.Session], pow.Weight{At: c.At, Bytes: c.Size})
	}
	limits := t.Announcement.Limits
	running, isRunning := a.timer.Running()
	for _, s := range joinTouching(segments) {
		for _, piece := range pow.Split(s.Interval, weights[s.Session], limits.Proof, int64(float64(limits.Sealed)*sealedShare)) {
			if !piece.Valid() {
				continue
			}
			id, err := deliveryID(now)
			if err != nil {
				return nil, err
			}
			action := pow.ActionStop
			if isRunning && running.Session == s.Session {
				action = pow.ActionExtend
			}
			ds = append(ds, pow.Delivery{ID: id, Session: s.Session, Project: s.Project, KimaiActivity: s.KimaiActivity,
				Interval: piece, Action: action, State: pow.Queued, Created: now, Hurry: true})
		}
	}
	if len(ds) == 0 {
		return nil, pow.ErrNothingHeld
	}
	slices.SortStableFunc(ds, func(x, y pow.Delivery) int { return x.Interval.From.Compare(y.Interval.From) })
	// Only the last piece of a stopped Session says so.
	last := map[pow.SessionID]int{}
	for i, d := range ds {
		last[d.Session] = i
	}
	for i := range ds {
		if last[ds[i].Session] != i {
			ds[i].Action = pow.ActionExtend
		}
	}
	return ds, nil
}

// joinTouching makes one of segments of the same work that follow each other
// without a gap, as a restarted program leaves them.
func joinTouching(in []queue.Segment) (out []queue.Segment) {
	for _, s := range in {
		if n := len(out) - 1; n >= 0 && out[n].Session == s.Session && out[n].KimaiActivity == s.KimaiActivity && out[n].Interval.To.Equal(s.Interval.From) {
			out[n].Interval.To = s.Interval.To
			continue
		}
		out = append(out, s)
	}
	return out
}

// Register implements API.
func (a *Agent) Register(ctx context.Context) (ids []string, err error) {
	if _, err := a.teamOrError(); err != nil {
		return nil, err
	}
	a.registering.Lock() // one at a time: two would plan the same work
	defer a.registering.Unlock()
	if err := a.timer.Cut(); err != nil {
		return nil, err
	}
	ds, err := a.plan(time.Now())
	if err != nil {
		return nil, err
	}
	for _, d := range ds {
		ids = append(ids, d.ID)
		if err := a.addActivity(ctx, d); err != nil {
			return nil, err
		}
	}
	if err := a.queue.Enqueue(ds); err != nil {
		return nil, err
	}
	a.pictures.forget()
	a.kick()
	a.changed()
	return ids, nil
}

// addActivity reads what ActivityWatch saw in a proof's interval, at the level
// that the project allows. It comes before Enqueue, so that no proof is sealed
// without.
func (a *Agent) addActivity(ctx context.Context, d pow.Delivery) error {
	pol, err := a.policyOf(d.Project)
	if err != nil {
		return err
	}
	return a.queue.SetActivity(d.ID, a.activity.Read(ctx, d.Interval, mostDetail(pol.Detail)))
}

// mostDetail is what the member lets out at most: titles only with a setting
// that does not exist yet.
func mostDetail(d pow.Detail) pow.Detail {
	switch d {
	case pow.DetailTitle, pow.DetailApp:
		return pow.DetailApp
	case pow.DetailOff:
		return pow.DetailOff
	}
	return pow.DetailCategory
}

// Preview implements API: what Register would do now, without doing it.
func (a *Agent) Preview(ctx context.Context) (v pow.Preview, err error) {
	t, err := a.teamOrError()
	if err != nil {
		return v, err
	}
	if err := a.timer.Tick(); err != nil {
		return v, err
	}
	ds, err := a.plan(time.Now())
	if err != nil {
		return v, err
	}
	held, err := a.queue.Held("")
	if err != nil {
		return v, err
	}
	recipient, ok := t.Announcement.Usable(time.Now(), nil)
	if !ok {
		return v, errKeysOutOfDate
	}
	names := a.projectNames()
	last := ds[len(ds)-1]
	project, err := findProject(t.Catalogue.Projects, string(last.Project))
	if err != nil && !errors.Is(err, pow.ErrUnknownProject) {
		return v, err
	}
	v = pow.Preview{Project: names.ref(last.Project), Team: t.Announcement.Name, DVMNpub: identity.Npub(t.DVM), Alg: recipient.Alg,
		Recipient: recipient.ID, Servers: t.blossom(), Relays: t.relays(), Retention: project.Retention}
	for _, d := range ds {
		part := pow.PreviewPart{From: d.Interval.From, To: d.Interval.To}
		for _, c := range held {
			if c.Session == d.Session && d.Interval.Contains(c.At) {
				part.Captures++
				v.Bytes += c.Size
			}
		}
		pol, err := a.policyOf(d.Project)
		if err != nil {
			return v, err
		}
		v.Detail = mostDetail(pol.Detail) // in the end, of the newest Session
		v.Rows += len(a.activity.Read(ctx, d.Interval, v.Detail).Rows)
		v.Captures += part.Captures
		v.Seconds += int64(d.Interval.Duration() / time.Second)
		v.Parts = append(v.Parts, part)
		if r := names.ref(d.Project); !slices.Contains(v.Projects, r) {
			v.Projects = append(v.Projects, r)
		}
	}
	return v, nil
}

var errKeysOutOfDate = &pow.Error{Code: pow.CodeRecipientExpired, What: "your team's archive keys are out of date", Mend: "your admin must renew them; pictures go on and wait here"}
