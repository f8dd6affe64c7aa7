package envelope

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// Kinds of events and rumors.
const (
	KindNotice       = 5940
	KindAccount      = 5941
	KindCatalogue    = 6941
	KindReceipt      = 7000
	KindSeal         = 13
	KindWrap         = 1059
	KindBinding      = 25941
	KindAnnouncement = 31990
	KindDeletion     = 5
)

// Sizes in bytes: what we make is exact, what we take is bounded.
const (
	rumorSize  = 2048
	letterSize = 5313
	maxRumor   = 8 << 10
	maxSeal    = 16 << 10
	maxLetter  = 32 << 10
	maxTags    = 64 // of a rumor
)

// ErrTooBig means that a rumor does not fit into its 2048 bytes.
var ErrTooBig = errors.New("too big for one letter")

// Wrap makes a Letter of a stored seal: a fresh one-time key, nonce, date and
// expiration each time, so that two Letters of one seal have nothing in common.
// now is the own clock, or a server's where that is behind.
func Wrap(sealEvent []byte, to pow.Key, now time.Time) (pow.Letter, error) {
	return random().wrap(sealEvent, to, now)
}

func (s source) wrap(sealEvent []byte, to pow.Key, now time.Time) (pow.Letter, error) {
	seal, err := event.Parse(sealEvent)
	if err != nil || seal.Kind != KindSeal || event.Verify(seal) != nil {
		return pow.Letter{}, errors.New("wrap: not a seal")
	}
	back, err1 := s.backdate()
	extra, err2 := s.extra()
	key, err3 := s.oneTime()
	if err := errors.Join(err1, err2, err3); err != nil {
		return pow.Letter{}, fmt.Errorf("wrap: %w", err)
	}
	defer key.Wipe()
	content, err := s.encrypt(key, to, sealEvent)
	if err != nil {
		return pow.Letter{}, fmt.Errorf("wrap: %w", err)
	}
	expires := strconv.FormatInt(now.Add(minRetention+extra).Unix(), 10)
	e := &event.Event{
		Kind: KindWrap, CreatedAt: event.Timestamp(now.Add(-back).Unix()),
		Tags: event.Tags{{"p", to.String()}, {"expiration", expires}}, Content: content,
	}
	if err := s.sign(key, e); err != nil {
		return pow.Letter{}, fmt.Errorf("wrap: %w", err)
	}
	b := event.Marshal(e)
	if len(b) != letterSize {
		return pow.Letter{}, fmt.Errorf("wrap: %d bytes would mark the letter", len(b))
	}
	return pow.Letter{ID: event.ID(e), JSON: b, Made: now}, nil
}

// seal pads the rumor, sets its author, time and id, and seals it for one reader.
func (s source) seal(from identity.Secret, to pow.Key, rumor *event.Event, now time.Time) (pow.Hash, []byte, error) {
	rumor.PubKey, rumor.CreatedAt = from.Public().String(), event.Timestamp(now.Unix())
	if err := pad(rumor); err != nil {
		return pow.Hash{}, nil, err
	}
	back, err := s.backdate()
	if err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal: %w", err)
	}
	content, err := s.encrypt(from, to, event.Marshal(rumor))
	if err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal: %w", err)
	}
	e := &event.Event{Kind: KindSeal, CreatedAt: event.Timestamp(now.Add(-back).Unix()), Tags: event.Tags{}, Content: content}
	if err := s.sign(from, e); err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal: %w", err)
	}
	return event.ID(rumor), event.Marshal(e), nil
}

func (s source) encrypt(from identity.Secret, to pow.Key, plain []byte) (string, error) {
	nonce, err := s.nonce()
	if err != nil {
		return "", err
	}
	key, err := conversation(from, to)
	if err != nil {
		return "", err
	}
	return encrypt(key, nonce, plain)
}

// pad appends the pad tag that makes the rumor's JSON exactly 2048 bytes, and
// sets the id over the final tags.
func pad(e *event.Event) error {
	e.ID = pow.Hash{}.String()
	e.Tags = append(e.Tags, event.Tag{"pad", ""})
	free := rumorSize - len(event.Marshal(e))
	if free < 0 {
		return ErrTooBig
	}
	e.Tags[len(e.Tags)-1][1] = strings.Repeat("0", free)
	e.ID = e.GetID()
	return nil
}

// Signer signs an event: sets PubKey, ID and Sig.
type Signer interface {
	Sign(*event.Event) error
}

// maxDeletions keeps a deletion within the 100 tags that a relay takes.
const maxDeletions = 99

// Deletion asks relays to forget 1 to 99 Letters (kind 5, NIP-09; NIP-59 lets
// the recipient ask).
func Deletion(signer Signer, ids []pow.Hash, now time.Time) ([]byte, error) {
	if len(ids) == 0 || len(ids) > maxDeletions {
		return nil, fmt.Errorf("delete %d letters: want 1 to %d", len(ids), maxDeletions)
	}
	e := &event.Event{Kind: KindDeletion, CreatedAt: event.Timestamp(now.Unix())}
	for _, id := range ids {
		e.Tags = append(e.Tags, event.Tag{"e", id.String()})
	}
	e.Tags = append(e.Tags, event.Tag{"k", strconv.Itoa(KindWrap)})
	if err := signer.Sign(e); err != nil {
		return nil, fmt.Errorf("delete letters: %w", err)
	}
	return event.Marshal(e), nil
}
