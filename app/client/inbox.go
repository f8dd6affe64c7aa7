package client

import (
	"context"
	"errors"
	"log/slog"
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
		a.changed()
	}
	return err
}

var errOld = errors.New("known already, or outdated")

// announcement applies a newer announcement of the pinned DVM.
func (i *inbox) announcement(raw []byte) error {
	ann, err := envelope.ReadAnnouncement(raw, i.dvm)
	if err != nil {
		i.agent.log.Debug("announcement dropped", "error", err)
		return nil
	}
	moved := false
	err = i.agent.changeTeam(func(t *team) error {
		switch {
		case t.Code == "":
			return errOld // joining reads it itself
		case ann.Revision < t.Announcement.Revision, ann.ID == t.Announcement.ID:
			return errOld
		case ann.Revision == t.Announcement.Revision:
			return &pow.Error{Code: "equivocation", What: "a relay shows two announcements of your team's server with one number", Mend: "tell your admin"}
		}
		before := *t
		t.Announcement = ann
		moved = !equal(before.relays(), t.relays()) || !equal(before.blossom(), t.blossom())
		return nil
	})
	switch {
	case errors.Is(err, errOld):
		return nil
	case errors.As(err, new(*pow.Error)) && err != nil:
		i.agent.warn("announcement", err)
		return nil
	case err != nil:
		return err
	}
	i.agent.warn("announcement", nil)
	if moved {
		i.agent.renewLink()
	}
	i.agent.kick()
	return nil
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
