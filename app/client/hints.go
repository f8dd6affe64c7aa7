package client

import (
	"context"
	"time"

	"pow.do/services/client/timer"
	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
)

// runHints tells the team when a timer starts and stops, for projects whose
// member switched that on, and for no others: a start or a stop is a time, too.
// A hint proves nothing, is sent once, and is nothing to worry about when lost.
func (a *Agent) runHints(ctx context.Context) error {
	changes, stop := a.listen()
	defer stop()
	var was timer.Session
	if a.ready() == nil {
		was, _ = a.timer.Current() // its start was told, or was not to be
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		}
		if a.ready() != nil {
			continue
		}
		now, _ := a.timer.Current()
		if now.Session == was.Session {
			continue
		}
		for _, h := range a.hints(was, now, time.Now()) {
			if err := a.sendHint(ctx, h); err != nil {
				a.log.Debug("a hint was not sent", "error", err)
			}
		}
		was = now
	}
}

// hints are what a change of the timer is to tell.
func (a *Agent) hints(was, now timer.Session, at time.Time) (out []pow.Notice) {
	add := func(s timer.Session, action pow.Action) {
		if pol, err := a.policyOf(s.Project); s.Session != "" && err == nil && pol.ShowTimer && pol.agreed() == nil {
			out = append(out, pow.Notice{Action: action, Project: s.Project, KimaiActivity: s.KimaiActivity, Session: s.Session, At: at})
		}
	}
	add(was, pow.ActionStop)
	add(now, pow.ActionStart)
	return out
}

// sendHint seals a hint and posts it to the relays that can be reached now.
func (a *Agent) sendHint(ctx context.Context, n pow.Notice) error {
	a.mu.Lock()
	keys, t, link := a.keys, a.team, a.net
	a.mu.Unlock()
	switch {
	case keys == nil:
		return pow.ErrLocked
	case t == nil || link == nil:
		return pow.ErrOffline
	}
	n.DVM, n.Device, n.Catalogue = t.DVM, keys.device.Public(), t.Catalogue.Revision
	_, seal, err := envelope.SealNotice(keys.identity, n, n.At)
	if err != nil {
		return err
	}
	letter, err := envelope.Wrap(seal, t.DVM, n.At)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hintTime)
	defer cancel()
	return link.post(ctx, letter)
}

// hintTime is how long a hint may take; later it would be old news.
const hintTime = 20 * time.Second
