package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	randv2 "math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"pow.do/services/client/capture"
	"pow.do/services/client/windows"
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
	list   func(context.Context) ([]windows.Window, error) // what can be seen now
	choose func(displays []int)                            // which monitors the screen takes
	taking sync.Mutex                                      // held by the one capture at a time; it may last seconds

	mu        sync.Mutex // guards all below; never held over screen, encoder or disk
	shown     map[int]seen
	epoch     int // grows with forget: what a capture under way saw before is not shown any more
	last      *pow.CaptureInfo
	sensitive time.Time    // pictures are held back until then
	slot      pow.Interval // in which the next picture falls; empty: none is due
}

func newPictures(cfg Config) *pictures {
	c := capture.New(capture.Config{Displays: cfg.Displays, Log: cfg.Log})
	return &pictures{screen: c, list: windows.List, choose: c.Select, shown: map[int]seen{}}
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
	infos, err := a.pictures.take(ctx, a, occasion{session: seg.Session})
	a.changed()
	return infos, err
}

// errHeldBack: what was on the screen is not to be kept.
var errHeldBack = &pow.Error{Code: "pictures-held-back", What: "secrets are on the screen; no picture was taken"}

// occasion is why pictures are taken.
type occasion struct {
	session pow.SessionID
	due     bool // by itself: a row says why there is none
	paint   bool // covers the program's own windows, which show secrets
}

// take makes a capture of every monitor that shows nothing which is to stay out.
// What can be seen is looked at before the grab and again after it.
func (p *pictures) take(ctx context.Context, a *Agent, o occasion) (infos []pow.CaptureInfo, err error) {
	p.taking.Lock()
	defer p.taking.Unlock()
	defer debug.FreeOSMemory() // a picture is many megabytes, and the next one is minutes away
	p.mu.Lock()
	epoch := p.epoch
	p.mu.Unlock()
	before := p.look(ctx)
	frames, err := p.screen.Grab(ctx)
	if err != nil {
		return nil, errors.Join(err, a.skip(o, time.Now(), 0, whyNot(err)))
	}
	g := before.with(p.look(ctx))
	if p.heldBack(time.Now()) && !o.paint {
		return nil, errHeldBack // secrets may have come to the screen meanwhile
	}
	if seg, running := a.timer.Running(); !running || seg.Session != o.session {
		return nil, pow.ErrNotTracking // the work ended meanwhile
	}
	a.warnWeak(g)
	for _, f := range frames {
		info, reason, why := p.keep(ctx, a, o, f, g, epoch)
		if reason == "" {
			infos = append(infos, info)
			continue
		}
		err = errors.Join(why, a.skip(o, f.At, f.Display, reason))
	}
	if len(infos) > 0 && errors.Is(err, errExcluded) {
		err = nil // one monitor of several
	}
	return infos, err
}

// keep stores a frame, or says why it is not kept.
func (p *pictures) keep(ctx context.Context, a *Agent, o occasion, f capture.Frame, g glance, epoch int) (info pow.CaptureInfo, reason pow.SkipReason, err error) {
	if reason, err = a.judge(ctx, g, f.Bounds); reason != "" {
		return info, reason, err
	}
	if o.paint && !cover(f, g) {
		return info, pow.SkipOwnWindow, errHeldBack
	}
	if info, err = p.store(a, o.session, f, g, epoch); err != nil {
		return info, whyNot(err), err
	}
	return info, "", nil
}

// skip leaves a row that says why there is no picture that was due.
func (a *Agent) skip(o occasion, at time.Time, display int, reason pow.SkipReason) error {
	if !o.due {
		return nil
	}
	return a.queue.AddSkip(o.session, at, display, reason)
}

// whyNot names what kept a picture from being taken.
func whyNot(err error) pow.SkipReason {
	switch {
	case errors.Is(err, capture.ErrDenied):
		return pow.SkipDenied
	case errors.Is(err, pow.ErrDiskFull):
		return pow.SkipDisk
	}
	return pow.SkipFailed
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
func (p *pictures) store(a *Agent, session pow.SessionID, f capture.Frame, g glance, epoch int) (info pow.CaptureInfo, err error) {
	if s, _ := a.settings(); s.HalfSize {
		f = capture.Half(f)
	}
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
		Width: pic.Width, Height: pic.Height, Size: int64(len(pic.Data)), Hash: sha256.Sum256(pic.Data), Window: g.front(f)}
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
	span     pow.Interval // as it is told
	due, end time.Time
	done     bool
}

// coverWithin is how long before the end of a slot a picture does not wait any
// more for the program's own secrets to leave the screen.
const coverWithin = 15 * time.Second

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
		was := s
		s = a.inSlot(ctx, s, time.Now())
		if was.session != s.session || was.end != s.end {
			a.pictures.setSlot(s)
			a.changed()
		}
	}
}

// setSlot tells Status in which span the next picture falls.
func (p *pictures) setSlot(s slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slot = s.span
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
		s.span = pow.Interval{From: now.UTC().Truncate(time.Second), To: s.end.UTC().Truncate(time.Second)}
	}
	secrets := a.pictures.heldBack(now)
	if s.done || now.Before(s.due) || secrets && now.Before(s.end.Add(-coverWithin)) {
		return s
	}
	s.done = true
	infos, err := a.pictures.take(ctx, a, occasion{seg.Session, true, secrets})
	switch {
	case err == nil, errors.Is(err, pow.ErrNotTracking), errors.Is(err, errHeldBack), errors.Is(err, errExcluded):
		a.warn("capture", nil)
	default:
		a.warn("capture", err)
	}
	if len(infos) > 0 {
		a.pictureTaken(infos)
	}
	a.changed()
	return s
}

func (p *pictures) heldBack(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.sensitive)
}
