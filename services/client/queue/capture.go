package queue

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"pow.do/services/pow"
)

// Limits of one capture, in bytes. The archive takes no larger picture.
const (
	MaxPicture = 32 << 20
	MaxThumb   = 256 << 10
)

// captureRow is what is known of a capture in clear.
type captureRow struct {
	Session  pow.SessionID `json:"session"`
	At       time.Time     `json:"at"`
	Size     int64         `json:"size"`
	Again    []time.Time   `json:"again,omitempty"`
	Delivery string        `json:"delivery,omitempty"` // "": held
	review
}

// captureDetails is the rest; it rests encrypted, together with the thumbnail.
type captureDetails struct {
	Display int      `json:"display"`
	Format  string   `json:"format"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	Hash    pow.Hash `json:"hash"`
	Window  pow.Rect `json:"window,omitzero"`
	// Edits made it what it is, as often as the person acted.
	Edits [][]pow.Edit `json:"edits,omitempty"`
}

// sealedCapture is a capture on its way into the file.
type sealedCapture struct {
	row              captureRow
	details, picture []byte // encrypted
}

// AddCapture stores a capture with its picture and thumbnail, encrypted, as
// held. Size and Hash are computed from the picture; what Edit sets is ignored. A capture that is there
// already is left as it is. Errors: pow.ErrDiskFull when the disk or the queue
// has no room for pictures; pow.ErrTooLarge.
func (q *Queue) AddCapture(c pow.Capture, picture, thumb []byte) error {
	s, err := q.sealCapture(c, nil, picture, thumb)
	if err != nil {
		return err
	}
	if err := q.room(int64(len(s.picture) + len(s.details))); err != nil {
		return err
	}
	return q.update(func(t *tx) error {
		if old, err := t.get(tabCaptures, c.ID); old != nil || err != nil {
			return err
		}
		return q.putCapture(t, c.ID, s)
	})
}

// orNotFound is err, or pow.ErrNotFound when there is none.
func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return pow.ErrNotFound
}

func (q *Queue) sealCapture(c pow.Capture, edits [][]pow.Edit, picture, thumb []byte) (s sealedCapture, err error) {
	if !pow.IsULID(c.ID) || !pow.IsULID(string(c.Session)) || c.At.IsZero() {
		return s, errors.New("store a capture: it has no id, session or moment")
	}
	if len(picture) > MaxPicture || len(thumb) > MaxThumb {
		return s, pow.ErrTooLarge
	}
	head, err := json.Marshal(captureDetails{c.Display, c.Format, c.Width, c.Height, sha256.Sum256(picture), c.Window, edits})
	if err != nil {
		return s, fmt.Errorf("store a capture: %w", err)
	}
	if s.details, err = q.seal(append(prefixed(head), thumb...)); err != nil {
		return s, err
	}
	if s.picture, err = q.seal(picture); err != nil {
		return s, err
	}
	s.row = captureRow{Session: c.Session, At: c.At.UTC(), Size: int64(len(picture)), Again: c.Again}
	return s, nil
}

func (q *Queue) putCapture(t *tx, id string, s sealedCapture) error {
	stub, err := json.Marshal(s.row)
	if err != nil {
		return fmt.Errorf("store a capture: %w", err)
	}
	t.then(func() { q.index.hold(id, s.row) })
	return errors.Join(t.putJSON(tabCaptures, id, s.row), t.put(tabDetails, id, s.details),
		t.put(tabPictures, id, append(prefixed(stub), s.picture...)))
}

// prefixed puts the length of b before it, so that more can follow. A picture
// follows its clear row, which can be restored from it should a damaged page
// have taken many small rows at once; a thumbnail follows its details.
func prefixed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// cutPrefix takes apart what prefixed began.
func cutPrefix(b []byte) (first, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, damaged("a capture")
	}
	n := 4 + int(binary.BigEndian.Uint32(b))
	return b[4:n], b[n:], nil
}

// Again notes that the display of a held capture showed the very same picture
// at a later moment. Errors: pow.ErrNotFound when it is not held.
func (q *Queue) Again(id string, at time.Time) error {
	return q.update(func(t *tx) error {
		var row captureRow
		found, err := t.getJSON(tabCaptures, id, &row)
		if err != nil || !found || row.Delivery != "" {
			return orNotFound(err)
		}
		row.Again = append(row.Again, at.UTC())
		return q.putCaptureRow(t, id, row)
	})
}

// Held returns the held captures of a session ("": of all) in order of time;
// those that the person removed are not among them.
// While the queue is locked they carry id, session, moment, size and Again only.
func (q *Queue) Held(session pow.SessionID) (out []pow.Capture, err error) {
	err = q.view(func(t *tx) error {
		for id, h := range q.index.heldCaptures() {
			if session != "" && h.Session != session || h.Removed != "" {
				continue
			}
			c, found, err := q.capture(t, id)
			if err != nil {
				return err
			}
			if found {
				out = append(out, c)
			}
		}
		return nil
	})
	sortCaptures(out)
	return out, err
}

func sortCaptures(cs []pow.Capture) {
	slices.SortFunc(cs, func(a, b pow.Capture) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return bytes.Compare([]byte(a.ID), []byte(b.ID))
	})
}

// capture reads one capture; its picture is read when it is opened.
func (q *Queue) capture(t *tx, id string) (c pow.Capture, found bool, err error) {
	var row captureRow
	if found, err = t.getJSON(tabCaptures, id, &row); !found || err != nil {
		return c, false, err
	}
	c = pow.Capture{
		ID: id, Session: row.Session, At: row.At, Size: row.Size, Again: row.Again,
		Areas: row.Areas, Covered: row.Covered, Cropped: row.Cropped,
		Open: func() (io.ReadCloser, error) { return q.openPicture(tabPictures, id) },
	}
	d, _, err := q.details(t, id)
	if err != nil && !errors.Is(err, pow.ErrLocked) {
		return c, false, err
	}
	c.Display, c.Format, c.Width, c.Height, c.Hash, c.Window = d.Display, d.Format, d.Width, d.Height, d.Hash, d.Window
	return c, true, nil
}

// details returns what rests encrypted. Errors: pow.ErrLocked, pow.ErrNotFound.
func (q *Queue) details(t *tx, id string) (d captureDetails, thumb []byte, err error) {
	return q.detailsIn(t, tabDetails, id)
}

func (q *Queue) detailsIn(t *tx, tab table, id string) (d captureDetails, thumb []byte, err error) {
	ciphertext, err := t.get(tab, id)
	if err != nil || ciphertext == nil {
		return d, nil, orNotFound(err)
	}
	plain, err := q.unseal(ciphertext)
	if err != nil {
		return d, nil, err
	}
	head, thumb, err := cutPrefix(plain)
	if err != nil {
		return d, nil, err
	}
	if err := json.Unmarshal(head, &d); err != nil {
		return d, nil, damaged("details of a capture")
	}
	return d, thumb, nil
}

// Thumbnail returns the small picture that came with a capture. Errors:
// pow.ErrLocked, pow.ErrNotFound.
func (q *Queue) Thumbnail(id string) (thumb []byte, err error) {
	err = q.view(func(t *tx) error {
		_, thumb, err = q.details(t, id)
		return err
	})
	return thumb, err
}

func (q *Queue) openPicture(tab table, id string) (io.ReadCloser, error) {
	var plain []byte
	err := q.view(func(t *tx) error {
		row, err := t.get(tab, id)
		if err != nil || row == nil {
			return orNotFound(err)
		}
		_, ciphertext, err := cutPrefix(row)
		if err != nil {
			return err
		}
		plain, err = q.unseal(ciphertext)
		return err
	})
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(plain)), nil
}

// DropCaptures erases captures that the worker took out, with what is left of
// their bytes in the file. The next proof of the session says how many there
// were. Captures of a proof can be dropped while it is Queued or in Attention.
// Ids that are gone are skipped. Errors: pow.ErrUsage when a proof is sealed.
func (q *Queue) DropCaptures(ids ...string) error {
	err := q.update(func(t *tx) error {
		for _, id := range ids {
			if err := q.dropCapture(t, id); err != nil {
				return err
			}
		}
		return q.markErased(t)
	})
	if err != nil {
		return err
	}
	return q.Tidy()
}

func (q *Queue) dropCapture(t *tx, id string) error {
	var row captureRow
	found, err := t.getJSON(tabCaptures, id, &row)
	if err != nil || !found {
		return err
	}
	if row.Delivery == "" {
		if err := t.putJSON(tabDropped, string(row.Session)+"/"+id, row.At); err != nil {
			return err
		}
	} else if err := q.dropFromDelivery(t, row.Delivery, id); err != nil {
		return err
	}
	return q.removeCapture(t, id)
}

func (q *Queue) dropFromDelivery(t *tx, delivery, id string) error {
	r, err := q.record(t, delivery)
	if err != nil {
		return err
	}
	if r.State != pow.Queued && r.State != pow.Attention {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "the proof with this picture is sealed"}
	}
	r.CaptureIDs = slices.DeleteFunc(r.CaptureIDs, func(c string) bool { return c == id })
	r.Captures, r.Dropped = len(r.CaptureIDs), r.Dropped+1
	return q.putRecord(t, r)
}

func (q *Queue) removeCapture(t *tx, id string) error {
	t.then(func() { q.index.release(id) })
	return errors.Join(t.del(tabCaptures, id), t.del(tabDetails, id), t.del(tabPictures, id), q.removeOriginal(t, id))
}
