package archive

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"pow.do/services/pow"
)

// manifest is manifest.json. Its order is the order of the leaves: the head,
// then the files as they lie in the archive.
type manifest struct {
	Files []file `json:"files"`
	Head  head   `json:"head"`
}

// head is what the archive says as a whole.
type head struct {
	Activity summary  `json:"activity"`
	App      text     `json:"app"`
	ByHand   []part   `json:"by_hand,omitempty"` // of entries that were corrected
	Dropped  int      `json:"dropped"`
	Kept     []part   `json:"kept,omitempty"` // by the worker, while away
	Leaf     pow.Hash `json:"leaf,omitzero"`
	Note     text     `json:"note"`
	Salt     pow.Hash `json:"salt,omitzero"`
	Skipped  int      `json:"skipped,omitempty"` // moments at which no picture was taken
	Version  int      `json:"version"`
	Without  []part   `json:"without,omitempty"` // kept, although its pictures were taken out
}

// summary is a pow.Activity without its rows. Times are milliseconds.
type summary struct {
	Active      int64 `json:"active"`
	AsOf        int64 `json:"as_of"` // Unix; 0: never
	Away        int64 `json:"away"`
	Cause       text  `json:"cause"`
	Provisional bool  `json:"provisional"`
	Unknown     int64 `json:"unknown"`
}

// file is a picture (Picture is set) or activity.ndjson.
type file struct {
	Leaf    pow.Hash `json:"leaf,omitzero"`
	Name    text     `json:"name"`
	Picture *picture `json:"picture,omitempty"`
	Salt    pow.Hash `json:"salt,omitzero"`
	SHA256  pow.Hash `json:"sha256"`
	Size    int64    `json:"size"`
}

// picture is what is known about a Capture beside its bytes. Times are Unix
// milliseconds.
type picture struct {
	Again   []int64 `json:"again,omitempty"`
	Areas   int     `json:"areas,omitempty"` // that were made unreadable
	At      int64   `json:"at"`
	Covered int     `json:"covered,omitempty"` // by them, in thousandths of the picture
	Cropped bool    `json:"cropped,omitempty"`
	Display int     `json:"display"`
	Height  int     `json:"height"`
	ID      text    `json:"id"`
	Width   int     `json:"width"`
}

// leafOf returns the leaf of a head or file whose Leaf and Salt are zero:
// RFC 6962's leaf hash of the salt's 32 bytes and the canonical JSON.
func leafOf(salt pow.Hash, bare any) (pow.Hash, error) {
	b, err := encode(bare)
	if err != nil {
		return pow.Hash{}, err
	}
	return pow.Hash(rfc6962.DefaultHasher.HashLeaf(append(salt[:], b...))), nil
}

func (h head) leaf() (pow.Hash, error) {
	salt := h.Salt
	h.Leaf, h.Salt = pow.Hash{}, pow.Hash{}
	return leafOf(salt, h)
}

func (f file) leaf() (pow.Hash, error) {
	salt := f.Salt
	f.Leaf, f.Salt = pow.Hash{}, pow.Hash{}
	return leafOf(salt, f)
}

// leaves computes every leaf, head first.
func (m *manifest) leaves() ([]pow.Hash, error) {
	h, err := m.Head.leaf()
	if err != nil {
		return nil, err
	}
	all := []pow.Hash{h}
	for _, f := range m.Files {
		l, err := f.leaf()
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// merkle returns the root of the tree over leaves (RFC 6962, section 2.1).
func merkle(leaves []pow.Hash) (pow.Hash, error) {
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for _, l := range leaves {
		if err := tree.Append(l[:], nil); err != nil {
			return pow.Hash{}, err
		}
	}
	root, err := tree.GetRootHash(nil)
	if err != nil {
		return pow.Hash{}, err
	}
	return pow.Hash(root), nil
}

// salt fills every salt from random, then every leaf, and returns the root.
func (m *manifest) salt(random io.Reader) (root pow.Hash, err error) {
	salts := []*pow.Hash{&m.Head.Salt}
	for i := range m.Files {
		salts = append(salts, &m.Files[i].Salt)
	}
	for _, s := range salts {
		if _, err := io.ReadFull(random, s[:]); err != nil {
			return root, fmt.Errorf("make a salt: %w", err)
		}
	}
	all, err := m.leaves()
	if err != nil {
		return root, err
	}
	m.Head.Leaf = all[0]
	for i := range m.Files {
		m.Files[i].Leaf = all[i+1]
	}
	return merkle(all)
}

// parseManifest reads manifest.json and checks all that can be checked without
// the files: its form, its leaves, the root that s signs, and every value.
// Errors carry ErrArchive or ErrVersion.
func parseManifest(b []byte, s pow.Statement) (*manifest, error) {
	m := new(manifest)
	err := decode(b, m)
	if errors.Is(err, ErrUnknown) || m.Head.Version > pow.ArchiveVersion {
		return nil, pow.ErrVersion.With(errors.Join(err, fmt.Errorf("manifest version %d", m.Head.Version)))
	}
	if err == nil {
		err = m.check(s)
	}
	if err != nil {
		return nil, coded(pow.ErrArchive, fmt.Errorf("manifest: %w", err))
	}
	return m, nil
}

func (m *manifest) check(s pow.Statement) error {
	if m.Head.Version != pow.ArchiveVersion || m.Files == nil || len(m.Files) > maxEntries-3 {
		return errors.New("wrong version or number of files")
	}
	if err := m.checkLeaves(s.Root); err != nil {
		return err
	}
	if err := m.Head.check(s.Interval); err != nil {
		return err
	}
	ids := make(map[text]bool, len(m.Files))
	last := s.Interval.From.UnixMilli()
	for i, f := range m.Files {
		if f.Picture == nil {
			if !f.inPlace(m.Files[i+1:]) {
				return fmt.Errorf("file %d: neither a picture nor another file in its place", i)
			}
			continue
		}
		if err := f.checkPicture(i, last, s.Interval); err != nil {
			return fmt.Errorf("file %d: %w", i, err)
		}
		if ids[f.Picture.ID] {
			return fmt.Errorf("file %d: id is there twice", i)
		}
		ids[f.Picture.ID], last = true, f.Picture.At
	}
	return nil
}

// checkLeaves compares every leaf with what it covers, and their root with the
// signed one. A salt that is used twice, or not random at all, would let one
// file's leaf be guessed from another's.
func (m *manifest) checkLeaves(root pow.Hash) error {
	all, err := m.leaves()
	if err != nil {
		return err
	}
	given, salts := []pow.Hash{m.Head.Leaf}, map[pow.Hash]bool{{}: true, m.Head.Salt: true}
	if m.Head.Salt.IsZero() {
		return errors.New("salt is missing")
	}
	for _, f := range m.Files {
		if salts[f.Salt] {
			return errors.New("salt is missing or used twice")
		}
		salts[f.Salt] = true
		given = append(given, f.Leaf)
	}
	for i := range all {
		if all[i] != given[i] {
			return fmt.Errorf("leaf %d is wrong", i)
		}
	}
	if got, err := merkle(all); err != nil || got != root {
		return errors.New("root is not the signed one")
	}
	return nil
}

func (h head) check(span pow.Interval) error {
	a, whole := h.Activity, span.Duration().Milliseconds()
	switch {
	case !h.Note.within(pow.MaxNote):
		return errors.New("note is too long")
	case !h.App.within(maxApp) || strings.ContainsFunc(string(h.App), isControl):
		return errors.New("app is too long or has control characters")
	case h.Dropped < 0 || h.Dropped > maxDropped || h.Skipped < 0 || h.Skipped > maxDropped:
		return errors.New("dropped or skipped is out of range")
	case !partsIn(h.ByHand, span) || !partsIn(h.Kept, span) || !partsIn(h.Without, span):
		return errors.New("marked time is out of order or outside the interval")
	case a.AsOf < 0 || a.AsOf > maxUnix*1000 || !isWord(a.Cause):
		return errors.New("activity's time or cause is out of range")
	case a.Active < 0 || a.Away < 0 || a.Unknown < 0 || a.Active > whole || a.Away > whole || a.Unknown > whole ||
		a.Active+a.Away+a.Unknown > whole:
		return errors.New("activity is longer than the interval")
	}
	return nil
}

func (f file) checkPicture(i int, last int64, span pow.Interval) error {
	p := f.Picture
	if f.Name != pictureName(i, "png") && f.Name != pictureName(i, "jpg") {
		return errors.New("name is not the one of its place")
	}
	switch {
	case f.Size < 1 || f.Size > maxFile:
		return errors.New("size is out of range")
	case p.Areas < 0 || p.Areas > maxAreas || p.Covered < 0 || p.Covered > 1000 || p.Areas == 0 && p.Covered > 0:
		return errors.New("covered areas are out of range")
	case p.Display < 0 || p.Display > maxDisplay || !sideOK(p.Width, p.Height):
		return errors.New("display, width or height is out of range")
	case !pow.IsULID(string(p.ID)):
		return errors.New("id is not a ULID")
	case p.At < last || !during(p.At, span):
		return errors.New("time is out of order or outside the interval")
	}
	last = p.At
	for _, t := range p.Again {
		if t < last || !during(t, span) {
			return errors.New("a later moment is out of order or outside the interval")
		}
		last = t
	}
	return nil
}

// during tells whether a moment in Unix milliseconds lies in the interval,
// whose ends are whole seconds: the whole of the last second counts, so that
// what happened at the stroke of the end, or within that second, is inside.
func during(ms int64, span pow.Interval) bool {
	return ms >= span.From.UnixMilli() && ms < span.To.UnixMilli()+1000
}

// inPlace tells whether f, which is no picture, may stand in front of the rest:
// the activity, then the consent.
func (f file) inPlace(rest []file) bool {
	switch f.Name {
	case nameActivity:
		return f.Size >= 1 && f.Size <= maxFile && (len(rest) == 0 || len(rest) == 1 && rest[0].Name == nameConsent)
	case nameConsent:
		return f.Size >= 1 && f.Size <= maxConsent && len(rest) == 0
	}
	return false
}

// isWord tells whether t is a short code, or empty.
func isWord(t text) bool {
	return len(t) <= 32 && !strings.ContainsFunc(string(t), func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f || r == utf8.RuneError }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func pictureName(i int, format string) text { return text(fmt.Sprintf("c%04d.%s", i+1, format)) }
