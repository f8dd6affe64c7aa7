package outbox

import (
	"context"
	"errors"
	"time"

	"pow.do/services/pow"
)

// Receive takes a Receipt that was found in an authentic Letter of the DVM,
// with its seal as it came. used tells whether it belongs to a proof of this
// device; the Letter can be deleted either way once err is nil. It may be called
// from any goroutine, also while the keys are locked or Run does not run.
func (o *Outbox) Receive(_ context.Context, r pow.Receipt, sealEvent []byte) (used bool, err error) {
	id, found := o.cfg.Store.ByNotice(r.Answers)
	if !found {
		return false, nil
	}
	var evidence []byte
	if r.Code.EndsLife() {
		evidence = sealEvent
	}
	d, err := o.cfg.Store.Answer(id, evidence, func(d *pow.Delivery) error {
		used = concerns(*d, r)
		if !receiptArrived(d, r, o.cfg.Now()) {
			return errSkip
		}
		return nil
	})
	if errors.Is(err, errSkip) {
		return used, nil
	}
	if err != nil {
		return used, err
	}
	if ended(d) {
		err = o.endLife(id)
	}
	o.cfg.Changed(d)
	signal(o.moved)
	return used, err
}

// errSettled is the answer to Retry where there is nothing to try.
var errSettled = &pow.Error{Code: pow.ErrUsage.Code, What: "the DVM has this proof; there is nothing to try again"}

// Retry is a person's wish to go on with a Delivery: everything that waits is
// tried now, and what ended in Attention begins again at the first step that
// is not done. Some verdicts cannot be changed by sending the same again: then
// the archive is sealed again, or the proof is rebuilt under the next seq,
// without its pictures where the project forbids them, in halves where it was
// too large. Errors: pow.ErrNotFound; pow.ErrUsage when a Receipt has ended the
// proof's life; pow.ErrLocked; pow.ErrTooLarge when nothing is left to halve.
func (o *Outbox) Retry(_ context.Context, id string) error {
	d, err := o.cfg.Store.Delivery(id)
	if err != nil {
		return err
	}
	if ended(d) || d.Receipt != nil && d.Receipt.Code == pow.CodeRejected {
		return errSettled
	}
	if d.State == pow.Attention && d.LastError != nil {
		err = o.startAgain(d)
	}
	if err == nil {
		_, err = o.update(id, func(d *pow.Delivery) error { hurry(d, o.cfg.Now()); return nil })
	}
	o.Kick()
	return err
}

// startAgain undoes what cannot be mended by trying again.
func (o *Outbox) startAgain(d pow.Delivery) (err error) {
	switch c := d.LastError.Code; {
	case c == pow.CodePolicyViolation:
		if err = o.cfg.Store.DropCaptures(d.CaptureIDs...); err == nil {
			_, err = o.cfg.Store.Rebuild(d.ID)
		}
	case c == pow.CodeTooLarge || c == pow.CodeTooLong:
		_, err = o.cfg.Store.Split(d.ID)
	case c == pow.CodeStatementInvalid || c == pow.CodeMismatch || c == pow.CodeStatementConflict:
		_, err = o.cfg.Store.Rebuild(d.ID)
	case d.Sealed != nil && (reseals(c) || c == pow.CodeDuplicateBlob):
		_, err = o.update(d.ID, func(d *pow.Delivery) error { d.State = pow.Queued; return nil })
	case d.Notice != nil && d.Receipt != nil:
		// The DVM repeats its verdict for the same rumor: ask with a new one.
		_, err = o.update(d.ID, func(d *pow.Delivery) error {
			d.Notice, d.SealEvent, d.Letter = nil, nil, nil
			return nil
		})
	}
	return err
}

// hurry lets everything that waits be tried now.
func hurry(d *pow.Delivery, now time.Time) {
	if d.State == pow.Attention {
		if d.LastError != nil && d.LastError.Code == codeSilent {
			d.FirstOK = now // the wait begins again
		}
		d.State = phase(*d)
		d.LastError, d.Attempts = nil, 0
	}
	if d.State != pow.Received || d.LastError != nil {
		d.Next = time.Time{}
	}
	d.Hurry = true
	for _, ps := range [][]pow.Place{d.Servers, d.Relays} {
		for i := range ps {
			if ps[i].State != pow.PlaceDone {
				ps[i] = pow.Place{URL: ps[i].URL, State: pow.PlaceTodo, At: ps[i].At}
			}
		}
	}
}
