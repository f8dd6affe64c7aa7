package client

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// inbox takes what the relays hold for this device: the DVM's letters and its
// announcement.
type inbox struct {
	agent  *Agent
	link   *link
	reader envelope.Reader
	dvm    pow.Key
	device identity.Secret
}

func (i *inbox) take(ctx context.Context, origin string, e *event.Event, raw []byte) error {
	if e.Kind != envelope.KindWrap {
		return i.announcement(raw)
	}
	wrap := event.ID(e)
	seen, err := i.agent.queue.SeenLetter(wrap)
	if err != nil {
		return err
	}
	if !seen {
		mail, err := i.reader.Open(raw, time.Now())
		switch {
		case err != nil:
			// Not from the DVM, or broken: dropped, and deleted where it lies.
			i.agent.log.DebugContext(ctx, "letter dropped", "error", err)
		default:
			if err := i.apply(ctx, mail); err != nil {
				return err
			}
		}
		if err := i.agent.queue.RememberLetter(wrap, time.Now()); err != nil {
			return err
		}
	}
	return i.discard(ctx, origin, wrap)
}

// discard deletes a letter at the relay after its effect is stored. When that
// fails the letter comes again, is known, and is deleted then.
func (i *inbox) discard(ctx context.Context, origin string, wrap pow.Hash) error {
	deletion, err := envelope.Deletion(i.device, []pow.Hash{wrap}, time.Now())
	if err != nil {
		return err
	}
	if _, err := i.link.pool.Publish(ctx, origin, deletion); err != nil {
		i.agent.log.DebugContext(ctx, "letter not deleted yet", slog.Any("error", err))
	}
	return nil
}

func (i *inbox) apply(ctx context.Context, m pow.Mail) error {
	switch {
	case m.Receipt != nil:
		return i.receipt(ctx, *m.Receipt, m.SealEvent)
	case m.Part != nil:
		return i.cataloguePart(*m.Part)
	}
	return nil
}

// docLastReceipt keeps when the DVM answered last, and with which code.
const docLastReceipt = "last-receipt"

func (i *inbox) receipt(ctx context.Context, r pow.Receipt, seal []byte) error {
	a := i.agent
	if r.Device != i.device.Public() {
		return nil
	}
	a.mu.Lock()
	waiting := a.waiting[r.Answers]
	out := i.link.outbox
	a.mu.Unlock()
	used := waiting != nil
	if waiting != nil {
		select {
		case waiting <- r:
		default: // more answers than anybody waits for
		}
	} else if out != nil {
		var err error
		if used, err = out.Receive(ctx, r, seal); err != nil {
			return err
		}
	}
	if r.Code == pow.CodeEnrolled || r.Code == pow.CodeRefused {
		if err := i.decided(r.Code); err != nil {
			return err
		}
	}
	if used {
		if err := a.queue.PutDoc(docLastReceipt, pow.LastReceipt{At: r.CreatedAt, Code: r.Code}); err != nil {
			return err
		}
	}
	a.changed()
	return nil
}

// decided stores an admin's decision that came after joining.
func (i *inbox) decided(code pow.Code) error {
	a := i.agent
	a.mu.Lock()
	pending := a.team != nil && a.team.Code == pow.CodeAwaitingApproval
	a.mu.Unlock()
	if !pending {
		return nil
	}
	return a.changeTeam(func(t *team) error { t.Code = code; return nil })
}

// cataloguePart applies a revision when all its parts are there.
func (i *inbox) cataloguePart(p pow.CataloguePart) error {
	a := i.agent
	err := a.changeTeam(func(t *team) error {
		if p.Revision <= t.Catalogue.Revision {
			return errOld
		}
		if len(t.Parts) > 0 && t.Parts[0].Revision > p.Revision {
			return errOld
		}
		if len(t.Parts) > 0 && t.Parts[0].Revision < p.Revision {
			t.Parts = nil
		}
		parts := append([]pow.CataloguePart{}, t.Parts...)
		for _, q := range parts {
			if q.Part == p.Part {
				return errOld
			}
		}
		t.Parts = append(parts, p)
		if len(t.Parts) < p.Parts {
			return nil
		}
		c, err := envelope.Assemble(t.Parts)
		if err != nil {
			a.log.Warn("catalogue is malformed", "revision", p.Revision)
			t.Parts = nil
			return nil
		}
		t.Catalogue, t.Parts = c, nil
		return nil
	})
	if errors.Is(err, errOld) {
		return nil
	}
	if err == nil {
		i.compare()
		a.changed()
	}
	return err
}

// compare holds the announcement against what the catalogue says of it, so that
// a relay cannot keep an old one in force unnoticed.
func (i *inbox) compare() {
	t, err := i.agent.teamOrError()
	if err != nil {
		return // still joining
	}
	ann, c := t.Announcement, t.Catalogue
	switch {
	case c.AnnRevision > ann.Revision:
		i.agent.warn("announcement", &pow.Error{Code: "announcement-old", What: "the relays show an old announcement of your team's server", Mend: "if this stays, tell your admin"})
	case c.AnnRevision == ann.Revision && c.Announcement != ann.ID:
		i.agent.warn("announcement", errEquivocation)
	}
}

// announcement applies a newer announcement of the pinned DVM.
func (i *inbox) announcement(raw []byte) error {
	ann, err := envelope.ReadAnnouncement(raw, i.dvm)
	if err != nil {
		i.agent.log.Debug("announcement dropped", "error", err)
		return nil
	}
	var before team
	err = i.agent.changeTeam(func(t *team) error {
		if t.Code == "" {
			return errOld // joining reads it itself
		}
		before = *t
		return t.take(ann)
	})
	switch {
	case errors.Is(err, errOld):
		return nil
	case errors.Is(err, errEquivocation):
		i.agent.warn("announcement", err)
		return nil
	case err != nil:
		return err
	}
	i.agent.warn("announcement", nil)
	i.agent.announced(before.Announcement, ann)
	return nil
}

// announced acts on a newer announcement: new keys are logged, new terms shown,
// new places connected to.
func (a *Agent) announced(before, now pow.Announcement) {
	for _, r := range now.Recipients {
		if !slices.ContainsFunc(before.Recipients, func(o pow.Recipient) bool { return o.ID == r.ID }) {
			a.log.Info("the server has a new archive key", "id", r.ID, "alg", r.Alg, "revision", now.Revision)
		}
	}
	if now.PolicyHash != before.PolicyHash {
		a.warn("policy", &pow.Error{Code: pow.CodePolicyChanged, What: "your team has changed its terms of what is recorded and kept", Mend: "ask your admin what is new"})
	}
	if !slices.Equal(before.Relays, now.Relays) || !slices.Equal(before.Blossom, now.Blossom) {
		a.renewLink()
	}
	a.kick()
}
