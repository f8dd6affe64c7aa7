package dvm

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// Answers of Allow.
var (
	// ErrAside tells that the enrol lane is full for now: the letter is kept and
	// opened later.
	ErrAside = errors.New("the letter of a stranger waits")
	// ErrStranger tells that nobody the DVM does not know can write to it now.
	ErrStranger = errors.New("the letter of a stranger is not opened")
)

const (
	laneRate   = 10 // strangers' letters that are opened …
	lanePeriod = time.Minute
	// patience is how long a Receipt waits for a higher one to take its place.
	patience = 5 * time.Second
)

// Deliver takes a letter from the relay at origin. When it returns nil, the
// letter's effect is stored, or there is none, and the relays will be asked to
// delete it. An error means that nothing was stored and the letter has to come
// again. Deliver may be called from many goroutines; it takes as long as the
// ledger needs, so that a flood waits at the relay.
func (w *Worker) Deliver(ctx context.Context, origin string, l pow.Letter) error {
	known, err := w.Ledger.LetterSeen(ctx, l.ID)
	if err != nil {
		return err
	}
	if known {
		w.forget(l.ID)
		return nil
	}
	return w.take(ctx, l)
}

func (w *Worker) take(ctx context.Context, l pow.Letter) error {
	mail, err := w.unwrap(l)
	var broken *failure
	switch {
	case err == nil:
		err = w.route(ctx, mail)
	case errors.Is(err, ErrAside):
		_, err := w.Ledger.LetterAside(ctx, l, w.Now())
		return err // not deleted: it is at the relay should it not fit here
	case errors.As(err, &broken):
		w.Log.Error("a letter made the program fail and is in quarantine", "letter", l.ID, "cause", err, "stack", broken.stack)
		err = w.Ledger.LetterQuarantined(ctx, l, "unwrap", err.Error(), w.Now())
	case errors.Is(err, ErrStranger):
		err = w.Ledger.LetterDropped(ctx, l.ID, "stranger", w.Now())
	default:
		err = w.Ledger.LetterDropped(ctx, l.ID, step(err), w.Now())
	}
	if retry.IsPermanent(err) { // the ledger will never take it
		err = w.Ledger.LetterQuarantined(ctx, l, "record", "the ledger does not take it", w.Now())
	}
	if err != nil {
		return err
	}
	w.forget(l.ID)
	return nil
}

func (w *Worker) unwrap(l pow.Letter) (m pow.Mail, err error) {
	defer rescue(&err)
	m, err = w.Unwrap.Open(l.JSON, w.Now())
	if err == nil && m.Wrap != l.ID {
		err = errors.New("the letter has another id")
	}
	return m, err
}

// failure is a panic that was caught. It has nothing of the item's content: the
// panic's own words may quote it and are left out.
type failure struct{ kind, stack string }

func (f *failure) Error() string { return "panic: " + f.kind }

// rescue turns a panic into an error, at the top of one item.
func rescue(err *error) {
	if v := recover(); v != nil {
		*err = &failure{fmt.Sprintf("%T", v), string(debug.Stack())}
	}
}

// step returns the name of the check that failed, for counting.
func step(err error) string {
	var s interface{ Step() string }
	if errors.As(err, &s) {
		return s.Step()
	}
	return "unwrap"
}

// forget has the relays asked to delete a processed letter.
func (w *Worker) forget(wrap pow.Hash) {
	select {
	case w.wraps <- wrap:
	default: // it will come again, and be deleted then
	}
}

// route carries out what is in an opened letter.
func (w *Worker) route(ctx context.Context, m pow.Mail) error {
	member, err := w.Ledger.Member(ctx, m.Author)
	stranger := errors.Is(err, pow.ErrNotFound)
	if err != nil && !stranger {
		return err
	}
	switch {
	case m.Account != nil && m.Bad == "" && m.Account.Action == "enrol":
		return w.enrol(ctx, m)
	case stranger:
		return w.Ledger.LetterDropped(ctx, m.Wrap, "stranger", w.Now())
	case m.Bad != "":
		return w.malformed(ctx, m, member)
	case m.Notice != nil:
		return w.notice(ctx, m, member)
	case m.Account != nil:
		return w.account(ctx, m, member)
	}
	return w.Ledger.LetterDropped(ctx, m.Wrap, "kind", w.Now())
}

func (w *Worker) notice(ctx context.Context, m pow.Mail, member pow.Member) error {
	now := w.Now()
	verdict := w.verdict(*m.Notice, member, now)
	taken, err := w.Ledger.TakeNotice(ctx, m, member, verdict, now.Add(patience), now)
	if err != nil {
		return err
	}
	if taken.Work {
		w.devices.add(m.Notice.Device)
	}
	if taken.Accepted {
		w.spend(*m.Notice)
	}
	if m.Notice.IsHint() {
		w.booking.up()
	}
	w.posting.up()
	return nil
}

// malformed answers an authentic rumor that cannot be read.
func (w *Worker) malformed(ctx context.Context, m pow.Mail, member pow.Member) error {
	if _, mine := member.Device(m.Device); !mine || member.State != "active" {
		return w.Ledger.LetterDropped(ctx, m.Wrap, "malformed", w.Now())
	}
	code := pow.CodeBadNotice
	if strings.HasPrefix(m.Bad, string(pow.CodeUnsupported)) {
		code = pow.CodeUnsupported
	}
	r := pow.Receipt{DVM: w.Key, Device: m.Device, CreatedAt: w.Now(), Answers: m.Rumor, Code: code}
	defer w.posting.up()
	return w.Ledger.TakeAnswer(ctx, m, r, w.Now())
}

func (w *Worker) account(ctx context.Context, m pow.Mail, member pow.Member) error {
	device, mine := member.Device(m.Account.Device)
	code := pow.Code("")
	switch {
	case member.State != "active" && member.State != "suspended":
		code = pow.CodeNotMember
	case !mine || device.State != "active":
		code = pow.CodeDeviceUnknown
	}
	var err error
	if code != "" {
		err = w.refuseAccount(ctx, m, code)
	} else {
		_, err = w.Ledger.TakeAccount(ctx, m, member, w.Now())
	}
	w.house.up()
	w.posting.up()
	return err
}

// refuseAccount answers, unless the device is somebody else's.
func (w *Worker) refuseAccount(ctx context.Context, m pow.Mail, code pow.Code) error {
	if code == pow.CodeDeviceUnknown {
		if others, err := w.Ledger.DeviceKnown(ctx, m.Account.Device); err != nil || others {
			return errors.Join(err, w.Ledger.LetterDropped(ctx, m.Wrap, "device", w.Now()))
		}
	}
	return w.Ledger.TakeAnswer(ctx, m, m.Account.Reply(code, w.Now()), w.Now())
}

func (w *Worker) enrol(ctx context.Context, m pow.Mail) error {
	_, err := w.Ledger.Enrol(ctx, m, pow.Enrolment{
		NewID:   w.Opaque("member", m.Author.String()),
		Policy:  w.Announcement().PolicyHash,
		Knock:   w.Knock,
		Confirm: w.Confirm,
		Now:     w.Now(),
	})
	w.house.up()
	w.posting.up()
	return err
}

// lane is the door for strangers: it opens a few times a minute.
type lane struct {
	mu     sync.Mutex
	opened []time.Time
}

func (l *lane) enter(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = slices.DeleteFunc(l.opened, func(t time.Time) bool { return !t.After(now.Add(-lanePeriod)) })
	if len(l.opened) >= laneRate {
		return false
	}
	l.opened = append(l.opened, now)
	return true
}

// Allow tells whether the seal of this author may be opened (protocol §5.3 step
// 4): always when the DVM knows the author, and otherwise ten times a minute as
// long as strangers can enrol at all. It returns nil, ErrAside, ErrStranger or
// the ledger's error.
func (w *Worker) Allow(ctx context.Context, author pow.Key) error {
	_, err := w.Ledger.Member(ctx, author)
	if err == nil || !errors.Is(err, pow.ErrNotFound) {
		return err
	}
	if !w.Knock {
		open, err := w.Ledger.Slots(ctx, w.Now())
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return ErrStranger
		}
	}
	if !w.lane.enter(w.Now()) {
		return ErrAside
	}
	return nil
}

// takeAside opens letters that waited for the lane, until it is full again.
func (w *Worker) takeAside(ctx context.Context) error {
	letters, err := w.Ledger.LettersAside(ctx, laneRate)
	if err != nil {
		return err
	}
	for _, l := range letters {
		if err := w.take(ctx, l); err != nil {
			return err
		}
	}
	return nil
}
