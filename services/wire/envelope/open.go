package envelope

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// maxAhead is how far into the future a Letter may be dated.
const maxAhead = 900 * time.Second

// Reader opens Letters that are addressed to Me.
type Reader struct {
	Me identity.Secret
	// Kinds lists the rumor kinds that are accepted: a DVM takes KindNotice and
	// KindAccount, a client KindReceipt and KindCatalogue.
	Kinds []int
	// Allow tells whether an author may write to Me. It is asked after the
	// seal's signature holds and before anything more is decrypted.
	Allow func(author pow.Key) bool
	// Enrol is asked about an author that Allow refused: true lets one request
	// to enrol pass and nothing else. It is the place to count how many
	// strangers are listened to. nil listens to none.
	Enrol func(author pow.Key) bool
}

// RejectError says at which step of the unwrap checklist a Letter fell, and why
// in one of a few fixed words, fit for a counter.
type RejectError struct {
	Step   int    // 1 Letter, 3 seal, 4 author, 5 rumor, 6 stranger
	Reason string // never anything from the Letter
}

// Error names step and reason.
func (e *RejectError) Error() string {
	return fmt.Sprintf("letter refused at step %d: %s", e.Step, e.Reason)
}

func reject(step int, reason string) error { return &RejectError{Step: step, Reason: reason} }

// Open takes a Letter as it came from a relay through every check, in order. A
// *RejectError means that it is to be dropped and counted. Mail with Bad set is
// authentic and deserves an answer. The order in which ids are remembered and
// Mail is stored is the caller's.
func (r Reader) Open(letterJSON []byte, now time.Time) (pow.Mail, error) {
	wrap, err := r.letter(letterJSON, now)
	if err != nil {
		return pow.Mail{}, err
	}
	seal, err := r.seal(wrap)
	if err != nil {
		return pow.Mail{}, err
	}
	author := event.Author(seal)
	stranger := r.Allow == nil || !r.Allow(author)
	if stranger && r.Enrol == nil {
		return pow.Mail{}, reject(4, "author")
	}
	if stranger && !r.Enrol(author) {
		return pow.Mail{}, reject(6, "author")
	}
	rumor, err := r.rumor(seal)
	if err != nil {
		return pow.Mail{}, err
	}
	m := pow.Mail{
		Wrap: event.ID(wrap), WrapTime: time.Unix(int64(wrap.CreatedAt), 0), Rumor: event.ID(rumor),
		Author: author, CreatedAt: time.Unix(int64(rumor.CreatedAt), 0), SealEvent: event.Marshal(seal),
	}
	decode(&m, rumor)
	if stranger && (m.Account == nil || m.Account.Action != actionEnrol) {
		return pow.Mail{}, reject(6, "not an enrolment")
	}
	return m, nil
}

// letter is step 1: everything about the wrap that needs no key.
func (r Reader) letter(b []byte, now time.Time) (*event.Event, error) {
	if len(b) > maxLetter {
		return nil, reject(1, "size")
	}
	e, err := event.Parse(b)
	if err != nil {
		return nil, reject(1, "shape")
	}
	if e.Kind != KindWrap {
		return nil, reject(1, "kind")
	}
	if to, _, err := event.Single(e, "p"); err != nil || to != r.Me.Public().String() {
		return nil, reject(1, "recipient")
	}
	if time.Unix(int64(e.CreatedAt), 0).After(now.Add(maxAhead)) {
		return nil, reject(1, "future")
	}
	if x, ok, err := event.Single(e, "expiration"); err != nil {
		return nil, reject(1, "expiration")
	} else if ok {
		n, err := parseNumber(x)
		if err != nil {
			return nil, reject(1, "expiration")
		}
		if !time.Unix(n, 0).After(now) {
			return nil, reject(1, "expired")
		}
	}
	return e, verify(1, e)
}

// seal is step 3.
func (r Reader) seal(wrap *event.Event) (*event.Event, error) {
	plain, err := r.decrypt(wrap, maxSeal)
	if err != nil {
		return nil, reject(3, cause(err))
	}
	e, err := event.Parse(plain)
	if err != nil {
		return nil, reject(3, "shape")
	}
	if e.Kind != KindSeal {
		return nil, reject(3, "kind")
	}
	if len(e.Tags) != 0 {
		return nil, reject(3, "tags")
	}
	return e, verify(3, e)
}

// rumor is step 5. The library's own unwrap rewrites a foreign author here; we
// refuse it, because that is somebody writing in another's name.
func (r Reader) rumor(seal *event.Event) (*event.Event, error) {
	plain, err := r.decrypt(seal, maxRumor)
	if err != nil {
		return nil, reject(5, cause(err))
	}
	e, err := event.ParseRumor(plain)
	if err != nil {
		return nil, reject(5, "shape")
	}
	if e.PubKey != seal.PubKey {
		return nil, reject(5, "impersonation")
	}
	if err := verifyID(5, e); err != nil {
		return nil, err
	}
	if len(e.Tags) > maxTags {
		return nil, reject(5, "tags")
	}
	if to, _, err := event.Single(e, "p"); err != nil || to != r.Me.Public().String() {
		return nil, reject(5, "recipient")
	}
	if !slices.Contains(r.Kinds, e.Kind) {
		return nil, reject(5, "kind")
	}
	if event.HasControl(e) {
		return nil, reject(5, "control character")
	}
	return e, nil
}

func (r Reader) decrypt(e *event.Event, max int) ([]byte, error) {
	return decrypt(e.Content, max, func() ([32]byte, error) { return conversation(r.Me, event.Author(e)) })
}

func verify(step int, e *event.Event) error {
	switch err := event.Verify(e); {
	case errors.Is(err, event.ErrID):
		return reject(step, "id")
	case err != nil:
		return reject(step, "signature")
	}
	return nil
}

func verifyID(step int, e *event.Event) error {
	if event.VerifyID(e) != nil {
		return reject(step, "id")
	}
	return nil
}

func cause(err error) string {
	switch {
	case errors.Is(err, errPayload):
		return "payload"
	case errors.Is(err, errVersion):
		return "payload version"
	}
	return "decryption"
}

// decode reads an authentic rumor. What is wrong with it goes into Bad.
func decode(m *pow.Mail, e *event.Event) {
	var err error
	switch e.Kind {
	case KindNotice:
		m.Notice, err = readNotice(e)
	case KindAccount:
		m.Account, err = readAccount(e)
	case KindReceipt:
		m.Receipt, err = readReceipt(e)
	case KindCatalogue:
		m.Part, err = readPart(e)
	default:
		err = unsupported
	}
	if err != nil {
		m.Notice, m.Account, m.Receipt, m.Part = nil, nil, nil, nil
		m.Bad = err.Error()
	}
	if v, ok := (&reader{e: e}).param("device"); ok {
		m.Device, _ = pow.ParseKey(v)
	}
}
