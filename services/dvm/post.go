package dvm

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	posters   = 4 // letters that are sent at once
	postBatch = 64
	// freshness is how long the same wrap is sent (protocol §4.6).
	freshness = time.Hour
	// gather is how long processed letters are collected for one deletion request,
	// which takes up to deleteBatch ids (protocol §6.7).
	gather      = 500 * time.Millisecond
	deleteBatch = 200
)

// postDue sends every letter to a device that is due.
func (w *Worker) postDue(ctx context.Context) (time.Time, error) {
	for {
		due, next, err := w.Ledger.Due(ctx, w.Now(), postBatch)
		if err != nil || len(due) == 0 || ctx.Err() != nil {
			return next, err
		}
		var all sync.WaitGroup
		slots := make(chan struct{}, posters)
		errs := make([]error, len(due))
		for i, o := range due {
			slots <- struct{}{}
			all.Go(func() {
				errs[i] = w.post(ctx, o)
				<-slots
			})
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return next, err
		}
	}
}

// post sends one letter: seal and wrap are stored before the first relay sees it.
func (w *Worker) post(ctx context.Context, o pow.Outgoing) error {
	err := w.wrap(ctx, &o)
	if err == nil {
		answers := w.publish(ctx, o.Letter.JSON)
		if slices.ContainsFunc(answers, taken) {
			err = w.Ledger.Sent(ctx, o, w.Now())
		} else {
			err = w.postLater(ctx, o, slices.ContainsFunc(answers, spent))
		}
	}
	if errors.Is(err, pow.ErrNotFound) || ctx.Err() != nil {
		return nil // something newer is said instead, or by the next process
	}
	return err
}

func (w *Worker) wrap(ctx context.Context, o *pow.Outgoing) (err error) {
	var rumor pow.Hash
	if o.Seal == nil {
		o.Receipt.DVM, o.Receipt.CreatedAt = w.Key, w.Now()
		if o.Receipt.Text == "" {
			o.Receipt.Text = texts[o.Receipt.Code]
		}
		if rumor, o.Seal, err = w.Wrap.SealReceipt(o.Receipt); err != nil {
			return w.unsealed(ctx, *o)
		}
	}
	if o.Letter.JSON != nil && w.Now().Sub(o.Letter.Made) < freshness {
		return nil
	}
	if o.Letter, err = w.Wrap.Wrap(o.Seal, o.Device, w.Now()); err != nil {
		return w.unsealed(ctx, *o)
	}
	return w.Ledger.SaveLetter(ctx, *o, rumor)
}

// unsealed puts off a letter that cannot be made: a defect, and no reason to hold
// up the others.
func (w *Worker) unsealed(ctx context.Context, o pow.Outgoing) error {
	w.Log.Error("a letter cannot be made", "code", o.Receipt.Code)
	o.Attempts++
	err := w.Ledger.SendLater(ctx, o, w.Now().Add(retry.Refused.Max))
	return errors.Join(err, pow.ErrNotFound)
}

// publish sends the letter to every relay at once and returns their answers.
func (w *Worker) publish(ctx context.Context, event []byte) []pow.Answer {
	answers := make([]pow.Answer, len(w.Relays))
	var all sync.WaitGroup
	for i, origin := range w.Relays {
		all.Go(func() {
			a, err := w.Publish.Publish(ctx, origin, event)
			if err != nil {
				a = pow.Answer{}
			}
			answers[i] = a
		})
	}
	all.Wait()
	return answers
}

func taken(a pow.Answer) bool { return a.OK || a.Prefix == "duplicate" }

// spent tells that this wrap will never be taken: the next attempt makes another.
func spent(a pow.Answer) bool {
	return slices.Contains([]string{"invalid", "blocked", "deleted"}, a.Prefix)
}

func (w *Worker) postLater(ctx context.Context, o pow.Outgoing, rewrap bool) error {
	o.Attempts++
	if rewrap {
		o.Letter = pow.Letter{Made: time.Unix(0, 0)}
		if err := w.Ledger.SaveLetter(ctx, o, pow.Hash{}); err != nil {
			return err
		}
	}
	return w.Ledger.SendLater(ctx, o, w.Now().Add(retry.Refused.After(o.Attempts)))
}

// deleteLetters has the relays delete processed letters, many at a time.
func (w *Worker) deleteLetters(ctx context.Context) {
	for {
		batch := w.gather(ctx)
		if len(batch) == 0 {
			return
		}
		if err := w.Delete.DeleteLetters(ctx, batch); err != nil && ctx.Err() == nil {
			w.Log.Debug("letters were not deleted, they will come again", "letters", len(batch))
		}
	}
}

// gather waits for a letter and collects those that follow shortly.
func (w *Worker) gather(ctx context.Context) (batch []pow.Hash) {
	select {
	case <-ctx.Done():
		return nil
	case h := <-w.wraps:
		batch = append(batch, h)
	}
	end := time.After(gather)
	for len(batch) < deleteBatch {
		select {
		case <-ctx.Done():
			return batch
		case <-end:
			return batch
		case h := <-w.wraps:
			if !slices.Contains(batch, h) {
				batch = append(batch, h)
			}
		}
	}
	return batch
}

// texts are the words for people in Receipts; programs read the codes.
var texts = map[pow.Code]string{
	pow.CodeReceived:          "received, not looked at yet",
	pow.CodeAccepted:          "verified and stored",
	pow.CodeBooked:            "verified and booked",
	pow.CodeParked:            "verified, not booked",
	pow.CodeRejected:          "declined by an admin",
	pow.CodeBlobUnavailable:   "no server delivers the archive",
	pow.CodeHashMismatch:      "the servers have other bytes than announced",
	pow.CodeStorageFull:       "the server's disk is full",
	pow.CodeFuture:            "dated in the future; check the clock",
	pow.CodeNotMember:         "not a member, or not of this project",
	pow.CodeMemberSuspended:   "the membership is suspended",
	pow.CodeDeviceUnknown:     "this device is not known",
	pow.CodeBadNotice:         "the notice is malformed",
	pow.CodeUnsupported:       "this version or action is not supported",
	pow.CodeRecipientExpired:  "sealed to an expired key",
	pow.CodeDecryptFailed:     "the archive cannot be opened",
	pow.CodeArchiveInvalid:    "the archive is not valid",
	pow.CodeStatementInvalid:  "the statement is not valid",
	pow.CodeMismatch:          "notice and statement differ",
	pow.CodeStatementConflict: "another statement has this place in the chain",
	pow.CodeDuplicateBlob:     "the archive belongs to another statement",
	pow.CodePolicyViolation:   "this project takes no pictures; they were discarded",
	pow.CodeTooLarge:          "the archive is too large",
	pow.CodeTooLong:           "the proof is too long",
	pow.CodeEnrolled:          "welcome",
	pow.CodeAwaitingApproval:  "an admin has to approve",
	pow.CodeClaimInvalid:      "the invitation is not valid",
	pow.CodeClaimUsed:         "the invitation was used already",
	pow.CodeIdentityMismatch:  "the invitation is for somebody else",
	pow.CodeDeviceBound:       "this device belongs to another identity",
	pow.CodeRefused:           "refused",
	pow.CodePolicyChanged:     "the policy has changed; read it again",
	pow.CodeDone:              "done",
	pow.CodeNotFound:          "not found",
}
