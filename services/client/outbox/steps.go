package outbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// errSkip leaves a Delivery as it is: it has moved on since the step was planned.
var errSkip = errors.New("nothing to do")

// do carries out one step. It returns the endpoint's verdict: nil when the
// endpoint answered, an error when nobody did or the Store failed.
func (o *Outbox) do(ctx context.Context, d pow.Delivery, s step) error {
	switch s.verb {
	case doSeal:
		return o.seal(ctx, d)
	case doReseal:
		return o.reseal(ctx, d)
	case doUpload:
		return o.upload(ctx, d, s.url)
	case doNotice:
		return o.notice(d)
	case doWrap:
		return o.wrap(ctx, d, d.Letter == nil)
	case doRewrap:
		return o.wrap(ctx, d, true)
	case doPublish, doProbe:
		return o.publish(ctx, d, s.url, s.verb == doProbe)
	case doSilence:
		return o.change(d.ID, func(d *pow.Delivery) error {
			if d.Receipt != nil {
				return errSkip
			}
			attention(d, codeSilent, o.cfg.Now())
			return nil
		})
	case doResume:
		return o.change(d.ID, func(d *pow.Delivery) error {
			d.State, d.LastError, d.Next = pow.Queued, nil, time.Time{}
			return nil
		})
	case doEndLife:
		return o.endLife(d.ID)
	case doDelete:
		return o.deleteBlobs(ctx, d)
	case doAsk:
		return o.ask(ctx, d)
	}
	return fmt.Errorf("unknown step %d", s.verb)
}

// overtaken is what a step returns that was cut short by Lock or by the end of
// the program: nobody's failure.
func overtaken(err error) error {
	if errors.Is(err, pow.ErrLocked) {
		return pow.ErrLocked
	}
	return nil
}

// change is update for a step of a proof that is on its way. A Receipt may have
// ended that meanwhile: then nothing is changed.
func (o *Outbox) change(id string, fn func(*pow.Delivery) error) error {
	_, err := o.update(id, func(d *pow.Delivery) error {
		if ended(*d) {
			return errSkip
		}
		return fn(d)
	})
	if errors.Is(err, errSkip) {
		return nil
	}
	return err
}

// seal takes a seq and makes the Sealed. An archive that is over the DVM's
// limit takes no seq; its time is halved.
func (o *Outbox) seal(ctx context.Context, d pow.Delivery) error {
	team, now := o.cfg.Team(), o.cfg.Now()
	to, ok := team.Announcement.Usable(now, team.Algs)
	if !ok {
		return o.change(d.ID, func(d *pow.Delivery) error { attention(d, codeNoRecipient, now); return nil })
	}
	p, err := o.cfg.Store.ProofOf(d.ID)
	if err == nil {
		_, err = o.cfg.Store.TakeSeq(d.ID, func(seq uint64, prev pow.Hash, w io.Writer) (pow.Statement, pow.Sealed, []byte, error) {
			s, sealed, head, err := o.cfg.Sealer.Seal(ctx, w, p, seq, prev, to, now)
			if err == nil {
				err = withinLimit(sealed, team)
			}
			return s, sealed, head, err
		})
	}
	if errors.Is(err, pow.ErrTooLarge) {
		if _, err = o.cfg.Store.Split(d.ID); err == nil {
			signal(o.moved)
			return nil
		}
	}
	return o.sealed(ctx, d, err)
}

func (o *Outbox) reseal(ctx context.Context, d pow.Delivery) error {
	team, now := o.cfg.Team(), o.cfg.Now()
	to, ok := team.Announcement.Usable(now, team.Algs)
	if !ok {
		return o.change(d.ID, func(d *pow.Delivery) error { attention(d, codeNoRecipient, now); return nil })
	}
	want := d.Statement.ID
	p, err := o.cfg.Store.ProofOf(d.ID)
	if err == nil {
		_, err = o.cfg.Store.Reseal(d.ID, func(head []byte, w io.Writer) (pow.Sealed, error) {
			s, sealed, err := o.cfg.Sealer.Reseal(ctx, w, head, p, to, now)
			if err == nil && s.ID != want {
				err = retry.Permanent(errors.New("seal again: another statement came out"))
			}
			if err == nil {
				err = withinLimit(sealed, team)
			}
			return sealed, err
		})
	}
	return o.sealed(ctx, d, err)
}

func withinLimit(s pow.Sealed, t Team) error {
	if limit := t.Announcement.Limits.Sealed; limit > 0 && s.Size > limit {
		return pow.ErrTooLarge
	}
	return nil
}

// sealed stores what came of sealing. Locked keys are nobody's failure.
func (o *Outbox) sealed(ctx context.Context, d pow.Delivery, err error) error {
	switch {
	case err == nil:
		d, err = o.cfg.Store.Delivery(d.ID)
		if err == nil {
			o.cfg.Changed(d)
		}
		return err
	case errors.Is(err, pow.ErrLocked) || ctx.Err() != nil:
		return overtaken(err)
	}
	now := o.cfg.Now()
	code, final := codeOf(err), retry.IsPermanent(err) || errors.Is(err, pow.ErrTooLarge)
	return o.change(d.ID, func(d *pow.Delivery) error {
		if final {
			attention(d, code, now)
			return nil
		}
		d.Attempts++
		d.LastError, d.Next = fault(code, now), now.Add(retry.Refused.Wait(err, d.Attempts))
		return nil
	})
}

func codeOf(err error) pow.Code {
	var e *pow.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return pow.CodeInternal
}

// upload asks first where an answer may have been lost, then sends.
func (o *Outbox) upload(ctx context.Context, d pow.Delivery, url string) error {
	if d.Sealed == nil {
		return nil
	}
	var err error
	held := false
	if p := place(&d.Servers, url); !p.At.IsZero() && !needsResend(d) {
		held, err = o.held(ctx, url, d.Sealed.Hash)
	}
	if !held && (err == nil || errors.Is(err, pow.ErrBlobMissing)) {
		if needsResend(d) {
			err = o.cfg.Uploader.Delete(ctx, url, d.Sealed.Hash)
			if errors.Is(err, pow.ErrBlobMissing) {
				err = nil
			}
		}
		if err == nil {
			err = o.cfg.Uploader.Put(ctx, url, *d.Sealed)
		}
	}
	if errors.Is(err, pow.ErrLocked) || ctx.Err() != nil {
		return overtaken(err)
	}
	whole := err == nil || intact(*d.Sealed)
	if err := o.uploaded(d, url, err, whole); err != nil {
		return err
	}
	return unreachable(err)
}

// needsResend tells whether the DVM got wrong bytes: then asking is not enough.
func needsResend(d pow.Delivery) bool {
	return d.LastError != nil && d.LastError.Code == pow.CodeHashMismatch
}

func (o *Outbox) uploaded(d pow.Delivery, url string, err error, whole bool) error {
	team, now, sent := o.cfg.Team(), o.cfg.Now(), d.Sealed.Hash
	split := false
	changeErr := o.change(d.ID, func(d *pow.Delivery) error {
		if phase(*d) != pow.Sealing || d.Sealed == nil || d.Sealed.Hash != sent {
			return errSkip
		}
		d.Servers = places(d.Servers, team.Blossom)
		blossomAnswered(d, url, err, whole, now)
		if d.State == pow.Queued {
			return nil
		}
		switch c := serversVerdict(d.Servers, copies(team)); c {
		case "":
		case pow.CodeTooLarge:
			split = true
			attention(d, c, now)
		default:
			attention(d, c, now)
		}
		return nil
	})
	if changeErr != nil || !split {
		return changeErr
	}
	if _, err := o.cfg.Store.Split(d.ID); err != nil && !errors.Is(err, pow.ErrTooLarge) && !errors.Is(err, pow.ErrLocked) {
		return err
	}
	signal(o.moved)
	return nil
}

// held tells whether a server keeps a blob for long enough.
func (o *Outbox) held(ctx context.Context, url string, h pow.Hash) (bool, error) {
	ok, sunset, err := o.cfg.Uploader.Has(ctx, url, h)
	soon := !sunset.IsZero() && sunset.Before(o.cfg.Now().Add(sunsetMargin))
	return ok && !soon, err
}

// intact reads the own Sealed again.
func intact(s pow.Sealed) bool {
	if s.Open == nil {
		return false
	}
	r, err := s.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	return err == nil && n == s.Size && pow.Hash(sum.Sum(nil)) == s.Hash
}

// notice makes rumor and seal, once for each list of servers.
func (o *Outbox) notice(d pow.Delivery) error {
	team, now := o.cfg.Team(), o.cfg.Now()
	servers := doneServers(d)
	if d.Notice != nil && slices.Equal(d.Notice.Servers, servers) {
		return o.change(d.ID, func(d *pow.Delivery) error { // the blob is back where it was: a new Letter will do
			if d.State != pow.Sealing {
				return errSkip
			}
			d.State, d.Letter = pow.Uploaded, nil
			return nil
		})
	}
	n := noticeOf(d, servers, team.Catalogue, now)
	rumor, sealEvent, err := o.cfg.Wrapper.Seal(n)
	if errors.Is(err, pow.ErrLocked) {
		return pow.ErrLocked
	}
	if err != nil {
		return o.stuck(d, err)
	}
	n.ID = rumor
	wait := pause(d, team, rand.N[time.Duration])
	return o.change(d.ID, func(d *pow.Delivery) error {
		if phase(*d) != pow.Sealing || d.Sealed == nil || d.Sealed.Hash != n.Sealed {
			return errSkip
		}
		d.Notice, d.SealEvent, d.NoticeIDs = &n, sealEvent, append(d.NoticeIDs, rumor)
		d.State, d.Letter = pow.Uploaded, nil
		if d.LastError != nil && d.LastError.Code == codeNotAdmitted {
			d.LastError = nil
		}
		if d.LastError == nil { // otherwise Next is the DVM's "not before"
			d.Next = now.Add(wait)
		}
		return nil
	})
}

func doneServers(d pow.Delivery) (out []string) {
	for _, p := range d.Servers {
		if p.State == pow.PlaceDone && len(out) < maxServers {
			out = append(out, p.URL)
		}
	}
	return out
}

func noticeOf(d pow.Delivery, servers []string, catalogue int, now time.Time) pow.Notice {
	s, b := d.Statement, d.Sealed
	return pow.Notice{
		Author: s.Author, CreatedAt: now, DVM: s.DVM, Sealed: b.Hash, Size: b.Size, Archive: b.Archive,
		Alg: b.Alg, Recipient: b.Recipient, Servers: servers, Statement: s.ID, Action: d.Action,
		Device: s.Device, Project: s.Project, KimaiActivity: s.KimaiActivity, Session: s.Session,
		Seq: s.Seq, Prev: s.Prev, Interval: s.Interval, Catalogue: catalogue,
	}
}

// stuck stores a failure that no server is to blame for.
func (o *Outbox) stuck(d pow.Delivery, err error) error {
	now := o.cfg.Now()
	o.cfg.Log.Error("a step of a delivery failed", "delivery", d.ID, "code", codeOf(err))
	return o.change(d.ID, func(d *pow.Delivery) error {
		attention(d, codeOf(err), now)
		return nil
	})
}

// wrap makes a new Letter: for all relays, or for those that are not done.
// Before it is made again, the blob must still be where the Notice says.
func (o *Outbox) wrap(ctx context.Context, d pow.Delivery, all bool) error {
	if d.Notice == nil {
		return nil
	}
	if !d.FirstOK.IsZero() || d.Letter != nil {
		lost := o.lostBlobs(ctx, d)
		if ctx.Err() != nil {
			return nil
		}
		if len(lost) > 0 {
			return o.uploadAgain(d, lost)
		}
	}
	team, now := o.cfg.Team(), o.cfg.Now()
	letter, err := o.cfg.Wrapper.Wrap(d.SealEvent, d.Notice.DVM, now)
	if errors.Is(err, pow.ErrLocked) {
		return pow.ErrLocked
	}
	if err != nil {
		return o.stuck(d, err)
	}
	return o.change(d.ID, func(fresh *pow.Delivery) error {
		if fresh.Notice == nil || fresh.Notice.ID != d.Notice.ID {
			return errSkip
		}
		newLetter(fresh, letter, team, all, now)
		return nil
	})
}

// newLetter stores a Letter before it is sent anywhere.
func newLetter(d *pow.Delivery, l pow.Letter, t Team, all bool, now time.Time) {
	l.Made = now
	d.Letter, d.Wrapped = &l, now
	d.Relays = places(d.Relays, t.Relays)
	if !all {
		return
	}
	for i, p := range d.Relays {
		d.Relays[i] = pow.Place{URL: p.URL, State: pow.PlaceTodo, Rewrapped: p.Rewrapped}
		if p.State == pow.PlacePaused {
			d.Relays[i] = p
		}
	}
	if !d.FirstOK.IsZero() {
		d.Next = now.Add(rewrapAfter)
	}
}

// lostBlobs asks every server of the Notice. Who does not answer is taken at
// its earlier word.
func (o *Outbox) lostBlobs(ctx context.Context, d pow.Delivery) (lost []string) {
	for _, url := range d.Notice.Servers {
		held, err := o.held(ctx, url, d.Sealed.Hash)
		if !held && (err == nil || errors.Is(err, pow.ErrBlobMissing)) {
			lost = append(lost, url)
		}
	}
	return lost
}

func (o *Outbox) uploadAgain(d pow.Delivery, lost []string) error {
	return o.change(d.ID, func(d *pow.Delivery) error {
		if d.Notice == nil {
			return errSkip
		}
		d.Attempts++ // a server that forgets at once is not asked for ever at full speed
		for _, url := range lost {
			p := place(&d.Servers, url)
			waitPlace(p, o.cfg.Now().Add(retry.Refused.After(d.Attempts)))
			p.Answer = "the blob was gone"
		}
		d.State, d.Letter = pow.Sealing, nil
		return nil
	})
}

// publish sends the stored Letter to one relay.
func (o *Outbox) publish(ctx context.Context, d pow.Delivery, url string, probe bool) error {
	if d.Letter == nil {
		return nil
	}
	answer, err := o.cfg.Publisher.Publish(ctx, url, d.Letter.JSON)
	if errors.Is(err, pow.ErrLocked) || ctx.Err() != nil {
		return overtaken(err)
	}
	now := o.cfg.Now()
	stored := o.change(d.ID, func(fresh *pow.Delivery) error {
		if fresh.Notice == nil || fresh.Notice.ID != d.Notice.ID {
			return errSkip
		}
		relayAnswered(fresh, relayAnswer{url: url, letter: d.Letter.ID, probe: probe, answer: answer, err: err}, now)
		return nil
	})
	if stored != nil {
		return stored
	}
	return unreachable(err)
}

func (o *Outbox) endLife(id string) error {
	err := o.cfg.Store.EndLife(id)
	if err == nil {
		o.erased.Store(true)
		signal(o.moved)
	}
	return err
}

// deleteBlobs tries once to remove what the DVM could not; in the end every
// server forgets by itself.
func (o *Outbox) deleteBlobs(ctx context.Context, d pow.Delivery) error {
	for _, p := range d.Servers {
		if p.State != pow.PlaceDone || d.Sealed == nil {
			continue
		}
		if err := o.cfg.Uploader.Delete(ctx, p.URL, d.Sealed.Hash); err != nil {
			o.cfg.Log.Debug("a blob could not be deleted", "delivery", d.ID, "err", err)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	_, err := o.update(d.ID, func(d *pow.Delivery) error { d.Servers = nil; return nil })
	return err
}

// ask asks for a Receipt that may be lost; once a day is enough either way.
func (o *Outbox) ask(ctx context.Context, d pow.Delivery) error {
	err := o.cfg.Ask(ctx, d.Session)
	if errors.Is(err, pow.ErrLocked) || ctx.Err() != nil {
		return overtaken(err)
	}
	now := o.cfg.Now()
	_, err = o.update(d.ID, func(d *pow.Delivery) error { d.Next = now.Add(askEvery); return nil })
	return err
}

// errEndpoint marks an error after which the whole endpoint is given a pause.
var errEndpoint = errors.New("nobody answers")

// unreachable is errEndpoint when nobody answered at all.
func unreachable(err error) error {
	var refusal *pow.PlaceError
	switch {
	case err == nil, errors.Is(err, pow.ErrNotAdmitted), errors.Is(err, pow.ErrBlobMissing):
		return nil
	case errors.As(err, &refusal) && refusal.Code != pow.ErrOffline.Code:
		return nil
	}
	return errEndpoint
}
