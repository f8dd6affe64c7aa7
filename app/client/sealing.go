package client

import (
	"context"
	"errors"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// sealEvery is how often the agent looks for what seals by itself.
const sealEvery = 15 * time.Second

// runSealing registers by itself what was held for as long as the member chose,
// project by project. Without such a choice nothing is ever registered by itself.
func (a *Agent) runSealing(ctx context.Context) error {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if a.ready() != nil {
			continue
		}
		if err := a.sealDue(ctx, time.Now()); ctx.Err() == nil {
			a.warn("sealing", err)
		}
	}
}

// sealDue registers what is ripe. While the keys are locked it waits.
func (a *Agent) sealDue(ctx context.Context, now time.Time) error {
	ripe, err := a.ripe(now)
	if err != nil || len(ripe) == 0 {
		return err
	}
	if _, err := a.teamOrError(); err != nil {
		return nil // locked, or of no team: it stays ripe
	}
	_, err = a.register(ctx, func(s queue.Segment) time.Time { return ripe[s.Session] })
	if errors.Is(err, pow.ErrNothingHeld) {
		return nil
	}
	return err
}

// ripe tells how far each Session may be registered by itself: up to and with its
// newest picture that was held long enough; where none are taken by themselves,
// once a whole interval of its project was; all of it when it ended long enough ago.
func (a *Agent) ripe(now time.Time) (map[pow.SessionID]time.Time, error) {
	policies, err := a.policies()
	if err != nil {
		return nil, err
	}
	segments, err := a.registrable()
	if err != nil {
		return nil, err
	}
	held, err := a.queue.Held("")
	if err != nil {
		return nil, err
	}
	running, isRunning := a.timer.Running()
	until, due := map[pow.SessionID]time.Time{}, map[pow.SessionID]time.Time{}
	for _, s := range segments {
		pol := policies[s.Project]
		if pol.SealAfter <= 0 {
			continue
		}
		limit := now.Add(-time.Duration(pol.SealAfter) * time.Second).Truncate(time.Second)
		due[s.Session] = limit
		ended := !s.Open && !(isRunning && running.Session == s.Session) && !s.Interval.To.After(limit)
		if ended || !pol.takes() && !s.Interval.From.Add(pol.every()).After(limit) {
			until[s.Session] = maxTime(until[s.Session], minTime(s.Interval.To, limit))
		}
	}
	for _, c := range held {
		if limit, ok := due[c.Session]; ok && !c.At.After(limit) {
			until[c.Session] = maxTime(until[c.Session], c.At.Truncate(time.Second).Add(time.Second))
		}
	}
	return until, nil
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
