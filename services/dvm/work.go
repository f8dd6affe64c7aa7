package dvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	maxAttempts = 5 // of an item that fails by itself
	openLimit   = time.Minute
	fetchLimit  = 10 * time.Minute
	// giveUp is how long a blob is looked for on servers that cannot be reached,
	// before the device is asked to see to it.
	giveUp = 24 * time.Hour
	// Below minFree, or a twentieth of the disk, nothing new is taken.
	minFree = 1 << 30
)

// rounds are the waits between looking for a blob that no server has.
var rounds = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}

// ledgerError marks a failure of the ledger: not the item's fault.
type ledgerError struct{ err error }

func (e ledgerError) Error() string { return e.err.Error() }
func (e ledgerError) Unwrap() error { return e.err }

// blame tells the ledger's own failures from a record that it will never take.
func blame(err error) error {
	if retry.IsPermanent(err) {
		return err
	}
	return ledgerError{err}
}

// outage is a server that cannot be reached, or has not got the blob yet.
type outage struct {
	err     error
	missing bool // at least one server said that it does not have the blob
	wrong   bool // at least one server sent other bytes
}

func (o *outage) Error() string { return "no server delivered the blob" }
func (o *outage) Unwrap() error { return o.err }

// workFor does the device's next item, and returns when there is another.
func (w *Worker) workFor(ctx context.Context, device pow.Key) time.Time {
	now := w.Now()
	t, next, err := w.Ledger.NextTask(ctx, device, now)
	if errors.Is(err, pow.ErrNotFound) {
		return next
	}
	if err == nil {
		err = w.conclude(ctx, t, w.try(ctx, t))
	}
	if err != nil && ctx.Err() == nil {
		w.Log.Error("the DVM cannot go on, it tries again", "error", err)
		return now.Add(pause)
	}
	return now
}

// try takes one item from Notice to evidence.
func (w *Worker) try(ctx context.Context, t pow.Task) (err error) {
	defer rescue(&err)
	if err := w.room(t.Notice.Size); err != nil {
		return err
	}
	f, err := w.fetch(ctx, t.Notice)
	if err != nil {
		return err
	}
	defer f.Close()
	e := pow.Evidence{Task: t, Now: w.Now()}
	if e.Opened, err = w.open(ctx, f, t.Notice); err != nil {
		return err
	}
	if err := w.appraise(ctx, &e); err != nil {
		return err
	}
	return w.accept(ctx, e)
}

// room refuses new data when the disk is nearly full; everything else goes on.
func (w *Worker) room(size int64) error {
	if w.Space == nil {
		return nil
	}
	free, total, err := w.Space()
	if err != nil {
		return diskError{err}
	}
	if free-size < max(minFree, total/20) {
		return &refusal{code: pow.CodeStorageFull, retry: w.Now().Add(rounds[2])}
	}
	return nil
}

// fetch returns the Sealed of the Notice from the shelf, or from the first of its
// servers that delivers it.
func (w *Worker) fetch(ctx context.Context, n pow.Notice) (*os.File, error) {
	if f, ok := w.shelf.find(n.Sealed, n.Size); ok {
		return f, nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	out := &outage{}
	for _, origin := range w.servers(n) {
		f, err := w.shelf.put(n.Sealed, n.Size, func(to io.Writer) error { return w.Fetch.Get(ctx, origin, n.Sealed, n.Size, to) })
		if err == nil {
			return f, nil
		}
		if errors.As(err, new(diskError)) {
			return nil, err
		}
		out.missing = out.missing || errors.Is(err, pow.ErrBlobMissing)
		out.wrong = out.wrong || errors.Is(err, pow.ErrHashMismatch)
		out.err = err
	}
	return nil, out
}

func (w *Worker) open(ctx context.Context, f *os.File, n pow.Notice) (pow.Opened, error) {
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	return w.Open.Open(ctx, f, n.Size, n)
}

func (w *Worker) accept(ctx context.Context, e pow.Evidence) error {
	n := e.Task.Notice
	e.Receipt = n.Reply(pow.CodeAccepted, e.Now)
	e.Receipt.Blob = "deleted"
	e.Receipt.Span = pow.Interval{From: e.Time.Begin, To: e.Time.End}
	e.Receipt.Proven = int64(e.Time.Proven / time.Second)
	e.Receipt.Booking.State = "none"
	e.Send = e.Now.Add(patience)
	code, err := w.Ledger.Accept(ctx, e)
	if errors.Is(err, pow.ErrNotFound) {
		return nil
	}
	if err != nil {
		return blame(err)
	}
	if code != "" {
		w.Log.Warn("a proof conflicts with an accepted one", "code", code, "notice", n.ID)
		w.posting.up()
		return nil
	}
	w.spend(n)
	w.booking.up()
	w.posting.up()
	return nil
}

// conclude stores what became of an item. Its error is the ledger's.
func (w *Worker) conclude(ctx context.Context, t pow.Task, err error) error {
	var no *refusal
	var out *outage
	var coded *pow.Error
	var broken *failure
	switch {
	case err == nil || ctx.Err() != nil:
		return nil // done, or to be tried by the next process
	case errors.As(err, new(ledgerError)):
		return err
	case errors.Is(err, syscall.ENOSPC):
		return w.refuse(ctx, t, &refusal{code: pow.CodeStorageFull, retry: w.Now().Add(rounds[2])})
	case errors.As(err, new(diskError)):
		return err
	case errors.As(err, &no):
		return w.refuse(ctx, t, no)
	case errors.As(err, &out):
		return w.wait(ctx, t, out)
	case errors.As(err, &broken):
		w.Log.Error("a proof made the program fail and is in quarantine", "notice", t.Notice.ID, "cause", err, "stack", broken.stack)
		t.Attempts++
		return w.Ledger.QuarantineTask(ctx, t, "open", "panic", w.Now())
	case errors.As(err, &coded) && coded.Code.Known() && coded.Code.Status() == "error":
		return w.refuse(ctx, t, &refusal{code: coded.Code})
	}
	return w.failed(ctx, t, err)
}

// failed counts a failure of the item itself.
func (w *Worker) failed(ctx context.Context, t pow.Task, err error) error {
	t.Attempts++
	kind := fmt.Sprintf("%T", err) // its text may quote content
	w.Log.Warn("a proof failed", "notice", t.Notice.ID, "attempts", t.Attempts, "kind", kind)
	if t.Attempts >= maxAttempts {
		return w.Ledger.QuarantineTask(ctx, t, "open", kind, w.Now())
	}
	return w.Ledger.Postpone(ctx, t, w.Now().Add(retry.Refused.After(t.Attempts)))
}

// wait puts an item off whose blob did not come, or asks the device to see to it.
func (w *Worker) wait(ctx context.Context, t pow.Task, out *outage) error {
	t.Waits++
	now := w.Now()
	answered := out.missing || out.wrong
	if answered && t.Waits > len(rounds) || now.Sub(t.Arrived) > giveUp {
		no := &refusal{code: pow.CodeBlobUnavailable, retry: now.Add(time.Minute)}
		if out.wrong && !out.missing {
			no.code = pow.CodeHashMismatch
		}
		return w.refuse(ctx, t, no)
	}
	delay := retry.Refused.Wait(out.err, t.Waits)
	if answered {
		delay = rounds[t.Waits-1]
	}
	return w.Ledger.Postpone(ctx, t, now.Add(delay))
}

// refuse ends an item with an error. A Sealed that nothing can come of any more
// is not kept.
func (w *Worker) refuse(ctx context.Context, t pow.Task, no *refusal) error {
	now := w.Now()
	r := t.Notice.Reply(no.code, now)
	r.Reason, r.Retry, r.Blob = no.reason, no.retry, "kept"
	if no.code.Retryable() && r.Retry.IsZero() {
		r.Retry = now.Add(time.Minute)
	}
	if err := w.Ledger.Refuse(ctx, t, r, now); err != nil {
		return err
	}
	w.posting.up()
	held, err := w.Ledger.Holds(ctx, t.Notice.Sealed)
	if err != nil || held {
		return err
	}
	return w.shelf.drop(t.Notice.Sealed)
}

// spentBlob is a blob that is not needed on the servers any more.
type spentBlob struct {
	sealed  pow.Hash
	origins []string
}

// spend has the blob deleted from its servers.
func (w *Worker) spend(n pow.Notice) {
	select {
	case w.blobs <- spentBlob{n.Sealed, w.servers(n)}:
	default: // its expiry is the net
	}
}

func (w *Worker) deleteBlobs(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-w.blobs:
			for _, origin := range b.origins {
				if err := w.Fetch.Delete(ctx, origin, b.sealed); err != nil && !errors.Is(err, pow.ErrBlobMissing) {
					w.Log.Debug("a blob was not deleted, it will expire", "server", origin)
				}
			}
		}
	}
}

func (w *Worker) project(ctx context.Context, id pow.ProjectID) (p pow.BookableProject, known bool, err error) {
	p, err = w.Ledger.Project(ctx, id)
	if errors.Is(err, pow.ErrNotFound) {
		return p, false, nil
	}
	return p, err == nil, err
}
