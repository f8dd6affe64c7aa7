package envelope

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/strictjson"
)

const (
	maxPlaces     = 10 // relays, Blossom servers, recipients
	maxAbout      = 500
	maxPolicy     = 16 << 10 // bytes
	maxRecipient  = 4 << 10  // characters of an age recipient; the hybrid one has about 2000
	maxArmored    = 16 << 10
	announcementD = "powdo"
)

// What can be wrong with an announcement. One of a later version is pow.ErrVersion.
var (
	ErrAnnouncement = errors.New("not a valid announcement")
	ErrNotPinned    = errors.New("announcement is not signed by the pinned DVM")
)

// profile is the JSON content of kind 31990: NIP-89 metadata with ours inside.
type profile struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"`
	Powdo struct {
		V          int         `json:"v"`
		Rev        int         `json:"rev"`
		Notice     []int       `json:"notice"`
		Archive    []int       `json:"archive"`
		Recipients []recipient `json:"recipients"`
		Relays     []string    `json:"relays"`
		Blossom    []string    `json:"blossom"`
		Copies     int         `json:"copies"`
		Limits     struct {
			Sealed  int64 `json:"sealed"`
			Proof   int64 `json:"proof"`
			Silence int64 `json:"silence"`
			Late    int64 `json:"late"`
		} `json:"limits"`
		Policy struct {
			SHA256 string `json:"sha256"`
			Lang   string `json:"lang"`
			Text   string `json:"text"`
		} `json:"policy"`
	} `json:"powdo"`
}

type recipient struct {
	ID      string `json:"id"`
	Alg     string `json:"alg"`
	Key     string `json:"key,omitempty"`     // age
	FPR     string `json:"fpr,omitempty"`     // OpenPGP
	SHA256  string `json:"sha256,omitempty"`  // OpenPGP
	Armored string `json:"armored,omitempty"` // OpenPGP
	NBF     int64  `json:"nbf"`
	Exp     int64  `json:"exp,omitempty"`
}

// Announce signs what the DVM says about itself (kind 31990). ID, DVM and
// PolicyHash are set from the key and the text. Every new signing needs a higher
// Revision. What ReadAnnouncement would refuse is not signed.
func Announce(dvm identity.Secret, a pow.Announcement, now time.Time) ([]byte, error) {
	return random().announce(dvm, a, now)
}

func (s source) announce(dvm identity.Secret, a pow.Announcement, now time.Time) ([]byte, error) {
	p, err := newProfile(a)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	e := &event.Event{Kind: KindAnnouncement, CreatedAt: event.Timestamp(now.Unix()), Content: compact(p), Tags: event.Tags{
		{"d", announcementD}, {"k", strconv.Itoa(KindNotice)}, {"v", "1"}, {"rev", decimal(a.Revision)},
	}}
	if err := s.sign(dvm, e); err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	b := event.Marshal(e)
	if _, err := ReadAnnouncement(b, dvm.Public()); err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	return b, nil
}

func newProfile(a pow.Announcement) (p profile, err error) {
	p.Name, p.About = oneLine(a.Name, maxNames), oneLine(a.About, maxAbout)
	w := &p.Powdo
	w.V, w.Rev, w.Notice, w.Archive = 1, a.Revision, []int{1}, []int{pow.ArchiveVersion}
	w.Relays, w.Blossom, w.Copies = a.Relays, a.Blossom, a.Copies
	w.Limits.Sealed = a.Limits.Sealed
	w.Limits.Proof, w.Limits.Silence, w.Limits.Late = whole(a.Limits.Proof), whole(a.Limits.Silence), whole(a.Limits.Late)
	sum := sha256.Sum256([]byte(a.PolicyText))
	w.Policy.SHA256, w.Policy.Lang, w.Policy.Text = hex.EncodeToString(sum[:]), a.PolicyLang, a.PolicyText
	for _, r := range a.Recipients {
		v := recipient{ID: r.ID, Alg: r.Alg, Key: r.Key, NBF: r.NotBefore.Unix()}
		if r.Alg == pow.OpenPGP {
			key, err := dearmor(r.Key)
			if err != nil {
				return profile{}, err
			}
			v.Key, v.Armored, v.FPR, v.SHA256 = "", r.Key, key.fingerprint, key.sha256
		}
		if !r.Expires.IsZero() {
			v.Exp = r.Expires.Unix()
		}
		w.Recipients = append(w.Recipients, v)
	}
	return p, nil
}

func whole(d time.Duration) int64 { return int64(d / time.Second) }

// ReadAnnouncement checks an event of a relay: at most 64 KiB, kind 31990, d
// "powdo", id and signature valid, signed by the pinned key, a version we know.
// Recipients whose algorithm we do not know, and OpenPGP keys that would have to
// be fetched, are left out. Whether the revision is new is the caller's to tell.
func ReadAnnouncement(b []byte, pinned pow.Key) (pow.Announcement, error) {
	e, err := event.Parse(b)
	if err != nil || e.Kind != KindAnnouncement || event.HasControl(e) {
		return pow.Announcement{}, ErrAnnouncement
	}
	if event.Author(e) != pinned {
		return pow.Announcement{}, ErrNotPinned
	}
	if err := event.Verify(e); err != nil {
		return pow.Announcement{}, fmt.Errorf("%w: %w", ErrAnnouncement, err)
	}
	r := &reader{e: e}
	if err := r.version(); errors.Is(err, unsupported) {
		return pow.Announcement{}, pow.ErrVersion
	} else if err != nil {
		return pow.Announcement{}, ErrAnnouncement
	}
	d, _ := r.value("d")
	revText, _ := r.value("rev")
	rev := r.number("rev", revText, 1)
	var p profile
	if d != announcementD || r.bad != "" || strictjson.Unmarshal([]byte(e.Content), &p) != nil {
		return pow.Announcement{}, ErrAnnouncement
	}
	if p.Powdo.V != 1 {
		return pow.Announcement{}, pow.ErrVersion
	}
	if int64(p.Powdo.Rev) != rev {
		return pow.Announcement{}, fmt.Errorf("%w: rev", ErrAnnouncement)
	}
	a, err := p.announcement()
	if err != nil {
		return pow.Announcement{}, fmt.Errorf("%w: %w", ErrAnnouncement, err)
	}
	a.ID, a.DVM = event.ID(e), pinned
	return a, nil
}

func (p profile) announcement() (pow.Announcement, error) {
	w := p.Powdo
	if !isLine(p.Name, maxNames) || !isLine(p.About, maxAbout) {
		return pow.Announcement{}, errors.New("name")
	}
	if !slices.Contains(w.Notice, 1) || !slices.Contains(w.Archive, pow.ArchiveVersion) {
		return pow.Announcement{}, pow.ErrVersion
	}
	if !places(w.Relays, pow.RelayOrigin) || !places(w.Blossom, pow.BlossomOrigin) || w.Copies < 1 || w.Copies > len(w.Blossom) {
		return pow.Announcement{}, errors.New("relays, blossom or copies")
	}
	l := w.Limits
	const year = 365 * 24 * 3600
	if l.Sealed < 1 || l.Sealed > pow.MaxSealed || !within(l.Proof, year) || !within(l.Silence, year) || !within(l.Late, year) {
		return pow.Announcement{}, errors.New("limits")
	}
	sum := sha256.Sum256([]byte(w.Policy.Text))
	if len(w.Policy.Text) > maxPolicy || w.Policy.SHA256 != hex.EncodeToString(sum[:]) || !isLine(w.Policy.Lang, 35) {
		return pow.Announcement{}, errors.New("policy")
	}
	a := pow.Announcement{
		Name: p.Name, About: p.About, Revision: w.Rev, Relays: w.Relays, Blossom: w.Blossom, Copies: w.Copies,
		Limits:     pow.Limits{Sealed: l.Sealed, Proof: span(l.Proof), Silence: span(l.Silence), Late: span(l.Late)},
		PolicyHash: sum, PolicyText: w.Policy.Text, PolicyLang: w.Policy.Lang,
	}
	if len(w.Recipients) > maxPlaces {
		return pow.Announcement{}, errors.New("recipients")
	}
	for _, v := range w.Recipients {
		r, known, err := v.recipient()
		if err != nil {
			return pow.Announcement{}, err
		}
		if known {
			a.Recipients = append(a.Recipients, r)
		}
	}
	return a, nil
}

func within(n, max int64) bool { return n > 0 && n <= max }

func span(seconds int64) time.Duration { return time.Duration(seconds) * time.Second }

func places(list []string, kind pow.OriginKind) bool {
	bad := func(s string) bool { _, err := pow.ParseOrigin(s, kind); return err != nil }
	return len(list) > 0 && len(list) <= maxPlaces && !slices.ContainsFunc(list, bad)
}

// recipient checks that the id is what the key says: a relay or a typing error
// must not make one key pass for another.
func (v recipient) recipient() (r pow.Recipient, known bool, err error) {
	r = pow.Recipient{ID: v.ID, Alg: v.Alg, Key: v.Key, NotBefore: time.Unix(v.NBF, 0).UTC()}
	if v.Exp != 0 {
		r.Expires = time.Unix(v.Exp, 0).UTC()
	}
	var sum string
	switch v.Alg {
	case pow.AgePQ, pow.AgeX25519:
		hash := sha256.Sum256([]byte(v.Key))
		if sum = hex.EncodeToString(hash[:]); len(v.Key) > maxRecipient || strings.HasPrefix(v.Key, "age1pq1") != (v.Alg == pow.AgePQ) || !strings.HasPrefix(v.Key, "age1") {
			return r, false, errors.New("recipient key")
		}
	case pow.OpenPGP:
		if v.Armored == "" {
			return r, false, nil
		}
		key, err := dearmor(v.Armored)
		if err != nil || key.sha256 != v.SHA256 || key.fingerprint != v.FPR {
			return r, false, errors.New("recipient key")
		}
		sum, r.Key = key.sha256, v.Armored
	default:
		return r, false, nil
	}
	if v.ID != sum[:16] || v.NBF < 0 || v.Exp < 0 || v.Exp != 0 && v.Exp <= v.NBF {
		return r, false, errors.New("recipient")
	}
	return r, true, nil
}
