package client

import (
	"context"
	"errors"
	"time"

	"pow.do/services/pow"
)

// Outbox implements API.
func (a *Agent) Outbox(context.Context) ([]pow.OutboxItem, error) {
	if a.ready() != nil {
		return nil, nil
	}
	ds, err := a.queue.Deliveries()
	if err != nil {
		return nil, err
	}
	names := a.projectNames()
	items := make([]pow.OutboxItem, 0, len(ds))
	for _, d := range ds {
		item := outboxItem(d, names)
		item.Sent = a.uploads.of(item.SealedHash)
		items = append(items, item)
	}
	return items, nil
}

func outboxItem(d pow.Delivery, names projectNames) pow.OutboxItem {
	r := names.ref(d.Project)
	i := pow.OutboxItem{ID: d.ID, Session: d.Session, Project: &r, From: d.Interval.From, To: d.Interval.To, Captures: d.Captures,
		State: d.State, Attempts: d.Attempts, NextAttempt: d.Next, LastError: d.LastError, Servers: d.Servers, Relays: d.Relays, Steps: d.Steps}
	if d.Statement != nil {
		i.Seq = d.Statement.Seq
	}
	if d.Sealed != nil {
		i.SealedHash, i.Size = d.Sealed.Hash, d.Sealed.Size
	}
	if d.Receipt != nil {
		i.Receipt = &pow.ReceiptInfo{Code: d.Receipt.Code, At: d.Receipt.CreatedAt, Timesheet: d.Receipt.Booking.Timesheet,
			Reason: d.Receipt.Reason, Text: d.Receipt.Text}
	}
	return i
}

// retryWait is how long Retry waits for the link to be built, which takes no network.
const retryWait = 5 * time.Second

// Retry implements API.
func (a *Agent) Retry(ctx context.Context, id string) error {
	if _, err := a.teamOrError(); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, retryWait)
	defer cancel()
	n, err := a.linked(wait)
	if err != nil {
		return err
	}
	if n.outbox == nil {
		return pow.ErrNoTeam // still joining
	}
	n.pool.Wake()
	if id != "" {
		return n.outbox.Retry(ctx, id)
	}
	ds, err := a.queue.Pending()
	if err != nil {
		return err
	}
	for _, d := range ds {
		// What needs attention is for a person to decide, one by one; what the
		// DVM has judged cannot be tried again; the others can all the same.
		if d.State == pow.Attention {
			continue
		}
		if e := n.outbox.Retry(ctx, d.ID); e != nil && !errors.Is(e, pow.ErrUsage) {
			err = errors.Join(err, e)
		}
	}
	return err
}
