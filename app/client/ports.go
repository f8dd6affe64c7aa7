package client

import (
	"context"
	"io"
	"time"

	"pow.do/services/client/outbox"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/identity"
)

// newOutbox puts the outbox together for one set of keys and one team.
func (a *Agent) newOutbox(n *link, keys *secrets, dvm pow.Key) *outbox.Outbox {
	return outbox.New(outbox.Config{
		Store:    a.queue,
		Sealer:   archive.Sealer{Author: keys.identity, Device: keys.device.Public(), DVM: dvm, App: appName},
		Uploader: uploader{n.blossom, a}, Wrapper: wrapper{keys.identity}, Publisher: n.pool, Team: a.outboxTeam, Log: a.log,
		Ask: func(ctx context.Context, s pow.SessionID) error {
			_, err := n.ask(ctx, a, pow.Account{Action: "status", Session: s})
			return err
		},
		Changed: func(pow.Delivery) { a.changed() },
	})
}

// outboxTeam is what the outbox must know of the team at this moment.
func (a *Agent) outboxTeam() outbox.Team {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.team == nil || a.keys == nil {
		return outbox.Team{Locked: a.keys == nil}
	}
	t := a.team
	return outbox.Team{Announcement: t.Announcement, Catalogue: t.Catalogue.Revision, Relays: t.relays(), Blossom: t.blossom(),
		Ready: t.Code != "" && t.Announcement.Revision > 0}
}

// uploader adapts the Blossom client to the outbox, and counts what it sends.
type uploader struct {
	*blossom.Client
	agent *Agent
}

func (u uploader) Put(ctx context.Context, origin string, s pow.Sealed) error {
	defer u.agent.uploads.ended(s.Hash)
	open := s.Open
	s.Open = func() (io.ReadCloser, error) {
		r, err := open()
		return &counted{ReadCloser: r, agent: u.agent, hash: s.Hash}, err
	}
	_, err := u.Client.Put(ctx, origin, s)
	return err
}

// wrapper adapts the envelope to the outbox.
type wrapper struct{ identity identity.Secret }

func (w wrapper) Seal(n pow.Notice) (pow.Hash, []byte, error) {
	return envelope.SealNotice(w.identity, n, time.Now())
}

func (wrapper) Wrap(seal []byte, to pow.Key, now time.Time) (pow.Letter, error) {
	return envelope.Wrap(seal, to, now)
}
