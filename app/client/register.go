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

// Register implements API. What an open question is about stays behind.
func (a *Agent) Register(ctx context.Context) (ids []string, err error) {
	return a.register(ctx, nil)
}

// register makes proofs of what is held, as far as until lets it. A timer that
// runs is cut only where everything up to now is meant.
func (a *Agent) register(ctx context.Context, until func(queue.Segment) time.Time) (ids []string, err error) {
	if _, err := a.teamOrError(); err != nil {
		return nil, err
	}
	a.registering.Lock() // one at a time: two would plan the same work
	defer a.registering.Unlock()
	if until == nil {
		if err := a.timer.Cut(); err != nil {
			return nil, err
		}
	}
	ds, err := a.plan(time.Now(), until)
	if err != nil {
		return nil, err
	}
	left, err := a.leftOut()
	if err != nil {
		return nil, err
	}
	reader := appReader{a: a, left: left}
	for _, d := range ds {
		ids = append(ids, d.ID)
		if err := a.attach(ctx, &reader, d); err != nil {
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

// attach stores what a proof says beside its pictures: what ActivityWatch saw,
// at the level that was chosen, and the consent. It comes before Enqueue, so that
// no proof is sealed without.
func (a *Agent) attach(ctx context.Context, reader *appReader, d pow.Delivery) error {
	activity, _, err := reader.read(ctx, d.Project, d.Interval)
	if err != nil {
		return err
	}
	signed, err := a.consentOf(d.Project)
	if err != nil {
		return err
	}
	return errors.Join(a.queue.SetActivity(d.ID, activity), a.queue.SetConsent(d.ID, signed))
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
	names := a.projectNames()
	away := a.awayQuestions()
	ds, err := a.plan(time.Now(), nil)
	if errors.Is(err, pow.ErrNothingHeld) && len(away) > 0 {
		return pow.Preview{Team: t.Announcement.Name, Away: away}, nil // all there is waits for an answer
	}
	if err != nil {
		return v, err
	}
	recipient, ok := t.Announcement.Usable(time.Now(), nil)
	if !ok {
		return v, errKeysOutOfDate
	}
	last := ds[len(ds)-1]
	v = pow.Preview{Project: names.ref(last.Project), Team: t.Announcement.Name, DVMNpub: identity.Npub(t.DVM), Alg: recipient.Alg,
		Recipient: recipient.ID, Servers: t.blossom(), Relays: t.relays(), Retention: names[last.Project].Retention, Away: away}
	left, err := a.leftOut()
	if err != nil {
		return v, err
	}
	reader := appReader{a: a, left: left}
	for _, d := range ds {
		if err := a.previewPart(ctx, &reader, d, &v); err != nil {
			return v, err
		}
		if r := names.ref(d.Project); !slices.Contains(v.Projects, r) {
			v.Projects = append(v.Projects, r)
		}
	}
	return v, a.previewReview(ds, &v)
}

// previewPart adds one proof to what Register would send.
func (a *Agent) previewPart(ctx context.Context, reader *appReader, d pow.Delivery, v *pow.Preview) error {
	part := pow.PreviewPart{From: d.Interval.From, To: d.Interval.To}
	held, err := a.queue.Held(d.Session)
	if err != nil {
		return err
	}
	for _, c := range held {
		if d.Interval.Contains(c.At) {
			part.Captures++
			v.Bytes += c.Size
		}
	}
	activity, detail, err := reader.read(ctx, d.Project, d.Interval)
	if err != nil {
		return err
	}
	kept, byHand := a.queue.Marks(d.Session, d.Interval)
	v.Kept += int64(pow.Total(kept) / time.Second)
	v.ByHand += int64(pow.Total(byHand) / time.Second)
	v.Detail = detail // in the end, of the newest Session
	v.Rows += len(activity.Rows)
	v.Captures += part.Captures
	v.Seconds += int64(d.Interval.Duration() / time.Second)
	v.Parts = append(v.Parts, part)
	return nil
}

// previewReview adds what the person did to pictures and times.
func (a *Agent) previewReview(ds []pow.Delivery, v *pow.Preview) error {
	sent := map[pow.SessionID][]pow.Interval{}
	for _, d := range ds {
		sent[d.Session] = append(sent[d.Session], d.Interval)
	}
	for session, intervals := range sent {
		v.Cuts = append(v.Cuts, pow.Subtract(a.queue.Tracked(session), intervals)...)
	}
	v.Cuts = pow.Union(v.Cuts)
	pictures, err := a.queue.Pictures(pow.Interval{To: time.Now().AddDate(0, 0, 1)})
	for _, p := range pictures {
		if sent[p.Session] == nil || p.Delivery != "" {
			continue
		}
		switch {
		case p.State == pow.PictureSkipped:
			v.Skipped++
		case p.State == pow.PictureRemoved || p.State == pow.TimeRemoved:
			v.Removed++
		case p.Areas > 0 || p.Cropped:
			v.Edited++
		}
	}
	return err
}

var errKeysOutOfDate = &pow.Error{Code: pow.CodeRecipientExpired, What: "your team's archive keys are out of date", Mend: "your admin must renew them; pictures go on and wait here"}
