package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	randv2 "math/rand/v2"
	"sync"
	"time"

	"pow.do/services/client/capture"
	"pow.do/services/pow"
)

const (
	// defaultInterval is the target time between captures of a project that names none.
	defaultInterval = 10 * time.Minute
	// sensitiveFor is how long pictures are held back unless that is renewed.
	sensitiveFor = 10 * time.Second
)

// screen is where pictures come from (capture.Capturer).
type screen interface {
	Grab(ctx context.Context) ([]capture.Frame, error)
}

// pictures takes captures at unpredictable moments and by hand.
type pictures struct {
	screen screen
	taking sync.Mutex // held by the one capture at a time; it may last seconds

	mu        sync.Mutex // guards all below; never held over screen, encoder or disk
	shown     map[int]seen
	epoch     int // grows with forget: what a capture under way saw before is not shown any more
	last      *pow.CaptureInfo
	sensitive time.Time // pictures are held back until then
}

// seen is the newest stored capture of a display.
type seen struct {
	info  pow.CaptureInfo
	tiles capture.Tiles
}

// forget makes the next frame of every display a new capture: after a switch
// of project, or when the last one went into a proof.
func (p *pictures) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown, p.last = map[int]seen{}, nil
	p.epoch++
}

// Capture implements API.
func (a *Agent) Capture(ctx context.Context) ([]pow.CaptureInfo, error) {
	if err := a.ready(); err != nil {
		return nil, err
	}
	seg, running := a.timer.Running()
	if !running {
		return nil, pow.ErrNotTracking
	}
	pol, err := a.policyOf(seg.Project)
	if err != nil {
		return nil, err
	}
	if err := pol.agreed(); err != nil {
		return nil, err
	}
	if pol.Pictures == pow.Forbidden {
		return nil, pow.ErrForbidden
	}
	if err := a.timer.Tick(); err != nil { // so that the moment lies inside the segment
		return nil, err
	}
	infos, err := a.pictures.take(ctx, a, seg.Session)
	a.changed()
	return infos, err
}

// errHeldBack: what was on the screen is not to be kept.
var errHeldBack = &pow.Error{Code: "pictures-held-back", What: "secrets are on the screen; no picture was taken"}

func (p *pictures) take(ctx context.Context, a *Agent, session pow.SessionID) (infos []pow.CaptureInfo, err error) {
	p.taking.Lock()
	defer p.taking.Unlock()
	p.mu.Lock()
	epoch := p.epoch
	p.mu.Unlock()
	frames, err := p.screen.Grab(ctx)
	if err != nil {
		return nil, err
	}
	// A grab takes a while: secrets may have come to the screen, or the work ended.
	if p.heldBack(time.Now()) {
		return nil, errHeldBack
	}
	if seg, running := a.timer.Running(); !running || seg.Session != session {
		return nil, pow.ErrNotTracking
	}
	for _, f := range frames {
		info, err := p.store(a, session, f, epoch)
		if err != nil {
			return infos, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// before returns what a display showed last.
func (p *pictures) before(display int) (seen, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.shown[display]
	return s, ok
}

// show notes what a display shows now, unless forget was called meanwhile.
func (p *pictures) show(s seen, epoch int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoch == epoch {
		p.shown[s.info.Display], p.last = s, &s.info
	}
}

// store keeps a frame, or counts it when the display shows what it showed before.
func (p *pictures) store(a *Agent, session pow.SessionID, f capture.Frame, epoch int) (info pow.CaptureInfo, err error) {
	tiles := capture.Fingerprint(f)
	if before, ok := p.before(f.Display); ok && capture.Same(before.tiles, tiles) {
		err := a.queue.Again(before.info.ID, f.At)
		if err == nil {
			before.info.Again++
			p.show(before, epoch)
			return before.info, nil
		}
		if !errors.Is(err, pow.ErrNotFound) { // removed meanwhile: store it anew
			return info, err
		}
	}
	pic, err := capture.Encode(f)
	if err != nil {
		return info, err
	}
	id, err := pow.NewULID(f.At, rand.Reader)
	if err != nil {
		return info, err
	}
	c := pow.Capture{ID: id, Session: session, At: f.At.Truncate(time.Millisecond), Display: f.Display, Format: pic.Format,
		Width: pic.Width, Height: pic.Height, Size: int64(len(pic.Data)), Hash: sha256.Sum256(pic.Data)}
	if err := a.queue.AddCapture(c, pic.Data, pic.Thumb); err != nil {
		return info, err
	}
	info = captureInfo(c)
	p.show(seen{info, tiles}, epoch)
	return info, nil
}

func captureInfo(c pow.Capture) pow.CaptureInfo {
	return pow.CaptureInfo{ID: c.ID, At: c.At, Display: c.Display, Width: c.Width, Height: c.Height, Size: c.Size, Format: c.Format, Again: len(c.Again)}
}

// Thumbnail implements API.
func (a *Agent) Thumbnail(_ context.Context, id string) ([]byte, error) {
	if err := a.ready(); err != nil {
		return nil, err
	}
	return a.queue.Thumbnail(id)
}

// Sensitive implements API.
func (a *Agent) Sensitive(_ context.Context, on bool) error {
	a.pictures.mu.Lock()
	defer a.pictures.mu.Unlock()
	a.pictures.sensitive = time.Time{}
	if on {
		a.pictures.sensitive = time.Now().Add(sensitiveFor)
	}
	return nil
}

// slot is one interval of a running timer, and the moment of its capture.
type slot struct {
	session  pow.SessionID
	due, end time.Time
	done     bool
}

// runPictures takes one capture inside each interval of a running timer, at a
// moment that nobody can foresee, where the project demands pictures or the
// person chose to have them. Otherwise a person takes them by hand.
func (a *Agent) runPictures(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var s slot
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		s = a.inSlot(ctx, s, time.Now())
	}
}

func (a *Agent) inSlot(ctx context.Context, s slot, now time.Time) slot {
	if a.ready() != nil {
		return slot{}
	}
	seg, running := a.timer.Running()
	if !running {
		return slot{}
	}
	pol, err := a.policyOf(seg.Project)
	if err != nil || !pol.takes() {
		return slot{}
	}
	if s.session != seg.Session || !now.Before(s.end) {
		every := pol.every()
		s = slot{session: seg.Session, due: capture.Next(now, every, randv2.Int64N), end: now.Add(every)}
	}
	if s.done || now.Before(s.due) || a.pictures.heldBack(now) {
		return s
	}
	s.done = true
	if _, err := a.Capture(ctx); err != nil && !errors.Is(err, pow.ErrNotTracking) && !errors.Is(err, errHeldBack) {
		a.warn("capture", err)
	} else {
		a.warn("capture", nil)
	}
	return s
}

func (p *pictures) heldBack(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.sensitive)
}
