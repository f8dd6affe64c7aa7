package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"pow.do/services/client/capture"
	"pow.do/services/client/review"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/identity"
)

// Rehearse implements API. Everything happens in memory: the keys are made for
// this call, and what was taken is gone when it returns.
func (a *Agent) Rehearse(ctx context.Context, edits []pow.Edit) (r pow.Rehearsal, err error) {
	if a.pictures.heldBack(time.Now()) {
		return r, errHeldBack
	}
	c, before, err := a.shot(ctx)
	if err != nil {
		return r, err
	}
	r.Before = before
	after := before
	if len(edits) > 0 {
		if after, err = practiseEdits(&c, before, edits); err != nil {
			return r, err
		}
	}
	err = practise(ctx, c, after, &r)
	return r, err
}

// shot takes one picture of the first display, without keeping it.
func (a *Agent) shot(ctx context.Context) (c pow.Capture, data []byte, err error) {
	frames, err := a.pictures.screen.Grab(ctx)
	if err != nil {
		return c, nil, err
	}
	pic, err := capture.Encode(frames[0])
	if err != nil {
		return c, nil, err
	}
	at := frames[0].At.UTC().Truncate(time.Millisecond)
	id, err := pow.NewULID(at, rand.Reader)
	return pow.Capture{ID: id, At: at, Format: pic.Format, Width: pic.Width, Height: pic.Height}, pic.Data, err
}

// practiseEdits edits as Review does.
func practiseEdits(c *pow.Capture, data []byte, edits []pow.Edit) ([]byte, error) {
	p, err := review.Decode(data, pow.Rect{})
	if err != nil {
		return nil, err
	}
	r, err := review.Apply(p, edits)
	if err != nil {
		return nil, err
	}
	pic, err := capture.Encode(capture.Frame{Image: r.Image, At: c.At})
	c.Format, c.Width, c.Height = pic.Format, pic.Width, pic.Height
	return pic.Data, err
}

// practise seals a picture to a key that nobody else has, and opens it again.
func practise(ctx context.Context, c pow.Capture, data []byte, r *pow.Rehearsal) error {
	me, err1 := identity.NewSecret()
	them, err2 := identity.NewSecret()
	key, err3 := identity.NewArchiveKey(pow.AgePQ)
	other, err4 := identity.NewArchiveKey(pow.AgePQ)
	session, err5 := pow.NewSessionID(c.At, rand.Reader)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	defer me.Wipe()
	defer them.Wipe()
	c.Session, c.Size, c.Hash = session, int64(len(data)), sha256.Sum256(data)
	c.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	from := c.At.Truncate(time.Second)
	p := pow.Proof{Session: session, Project: "0000000000000000", Interval: pow.Interval{From: from, To: from.Add(time.Second)}, Captures: []pow.Capture{c}}
	sealer := archive.Sealer{Author: me, Device: me.Public(), DVM: them.Public(), App: appName}
	var sealed bytes.Buffer
	_, s, _, err := sealer.Seal(ctx, &sealed, p, 1, pow.Hash{}, key.Recipient(c.At.Add(-time.Hour), time.Time{}), c.At)
	if err != nil {
		return err
	}
	r.Size, r.Hash = s.Size, s.Hash
	if r.After, err = openWith(ctx, key, sealed.Bytes()); err != nil {
		return err
	}
	r.Opened = bytes.Equal(r.After, data)
	_, err = openWith(ctx, other, sealed.Bytes())
	r.Denied = errors.Is(err, pow.ErrDecrypt)
	return nil
}

func openWith(ctx context.Context, key identity.ArchiveKey, sealed []byte) ([]byte, error) {
	o, err := archive.NewOpener(archive.Key{Alg: key.Alg(), Secret: key.Secret()})
	if err != nil {
		return nil, err
	}
	return o.Picture(ctx, bytes.NewReader(sealed), int64(len(sealed)), 0)
}

const (
	previewSpan = time.Hour
	previewRows = 3
)

// ActivityPreview implements API.
func (a *Agent) ActivityPreview(ctx context.Context) ([]pow.ActivityRow, error) {
	detail := pow.DetailCategory // without a project: the least that is chosen first
	if a.ready() == nil {
		if seg, running := a.timer.Running(); running {
			pol, err := a.policyOf(seg.Project)
			if err != nil {
				return nil, err
			}
			detail = pol.Detail
		}
	}
	now := time.Now()
	rows := a.activity.Read(ctx, pow.Interval{From: now.Add(-previewSpan), To: now}, detail).Rows
	return notNil(rows[max(0, len(rows)-previewRows):]), nil
}
