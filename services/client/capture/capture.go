// Package capture takes pictures of the screen and turns them into small files.
//
// Grab makes one Frame per monitor. The way to the pixels depends on where it
// runs, and is chosen anew for every call:
//
//   - X11: the core protocol's GetImage over the connection to the server. The
//     shared memory extension is not used: its segment could be read by others
//     on the same computer while it lasts.
//   - Wayland: the Screenshot portal of xdg-desktop-portal over the session bus.
//     It gives one picture of all monitors, through a file that is unlinked
//     before it is decoded. Whoever denies it gets ErrDenied, once and at once.
//   - Windows and macOS: github.com/kbinani/screenshot.
//
// Encode makes the picture and its thumbnail: a PNG or a JPEG, whichever is
// smaller for what is on the screen, without any metadata. Fingerprint and Same
// tell whether a screen changed at all. Next spreads the moments of pictures, so
// that nobody can know the next one.
//
// Nothing here keeps pixels, writes a file or logs what it saw. A grab that
// hangs in the system's own code is given up after Config.Deadline, and no other
// is started before it has ended: at most one goroutine is ever left waiting.
package capture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"slices"
	"sync"
	"time"

	"pow.do/services/pow"
)

// Errors of Grab, beside pow.ErrNoDisplay and pow.ErrTimeout.
var (
	// ErrDenied: the person, or the desktop in their name, said no.
	ErrDenied = &pow.Error{Code: "pictures-denied", What: "pictures of the screen are not allowed", Mend: "allow them for pow.do in the desktop's privacy settings"}
	// ErrUnsupported: this desktop, or this screen's colour format, offers no pictures.
	ErrUnsupported = &pow.Error{Code: "pictures-unsupported", What: "this desktop offers no pictures"}
	// ErrUnusable: there was a picture, but an empty, damaged or too large one.
	ErrUnusable = &pow.Error{Code: "pictures-unusable", What: "the picture of the screen could not be used"}
)

// Largest picture that is taken, as readers of the archive accept it.
const (
	maxSide   = 16_384
	maxPixels = 64 << 20
)

// DefaultDeadline bounds one Grab.
const DefaultDeadline = 10 * time.Second

// Frame is what one monitor showed at one moment.
type Frame struct {
	Display int         // number of the monitor, from 0; 0 is the primary one
	Image   *image.RGBA // opaque, with its origin at 0,0
	At      time.Time
	// Bounds is where the monitor lies on the whole desktop, in its pixels, as far
	// as the system tells; otherwise the image's own rectangle.
	Bounds image.Rectangle
}

// Config is what a Capturer is made of.
type Config struct {
	Displays []int         // numbers of the monitors to take; empty: every one
	Deadline time.Duration // 0: DefaultDeadline
	Log      *slog.Logger  // nil: slog.Default()
	Now      func() time.Time
}

// Capturer takes pictures of the screen. It may be used from any goroutine; one
// grab runs at a time.
type Capturer struct {
	cfg  Config
	slot chan struct{} // held by the running grab, also by an abandoned one

	mu       sync.Mutex
	displays []int // to take; empty: every one
}

// New returns a Capturer. It touches no display yet.
func New(cfg Config) *Capturer {
	if cfg.Deadline <= 0 {
		cfg.Deadline = DefaultDeadline
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Capturer{cfg: cfg, slot: make(chan struct{}, 1), displays: slices.Clone(cfg.Displays)}
}

// Select changes which monitors the next grabs take; empty: every one.
func (c *Capturer) Select(displays []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.displays = slices.Clone(displays)
}

// selected returns the monitors to take; empty: every one.
func (c *Capturer) selected() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.displays
}

// Grab takes a picture of every selected monitor, in the order of their numbers.
// Selected monitors that are not there are passed over, and so are empty ones
// (asleep, or not readable) as long as another can be used.
//
// Errors: pow.ErrNoDisplay when there is no screen, ErrDenied, ErrUnsupported,
// ErrUnusable, and pow.ErrTimeout when the deadline passed, be it because an
// earlier grab still hangs. A cancelled ctx returns its own error.
func (c *Capturer) Grab(ctx context.Context) ([]Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Deadline)
	defer cancel()
	select {
	case c.slot <- struct{}{}:
	case <-ctx.Done():
		return nil, ended(ctx)
	}
	type result struct {
		frames []Frame
		err    error
	}
	done := make(chan result, 1)
	go func() {
		frames, err := c.take(ctx)
		<-c.slot
		done <- result{frames, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && ctx.Err() != nil {
			return nil, ended(ctx)
		}
		if r.err != nil {
			return nil, fmt.Errorf("take a picture of the screen: %w", r.err)
		}
		return c.usable(r.frames)
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}

// ended says why ctx is over: a deadline is a typed error, a cancellation is not.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("take a picture of the screen: %w", pow.ErrTimeout.With(err))
	}
	return err
}

// wanted tells whether monitor n is selected.
func (c *Capturer) wanted(n int) bool {
	displays := c.selected()
	return len(displays) == 0 || slices.Contains(displays, n)
}

// usable drops the frames that show nothing. It fails when none is left.
func (c *Capturer) usable(frames []Frame) ([]Frame, error) {
	if len(frames) == 0 {
		return nil, fmt.Errorf("take a picture of the screen: %w", pow.ErrNoDisplay)
	}
	var good []Frame
	var last error
	for _, f := range frames {
		if err := checkSize(f.Image.Rect.Dx(), f.Image.Rect.Dy()); err != nil {
			last = err
			c.cfg.Log.Debug("a monitor's picture was left out", "display", f.Display, "error", err)
			continue
		}
		good = append(good, f)
	}
	if len(good) == 0 {
		return nil, fmt.Errorf("take a picture of the screen: %w", last)
	}
	return good, nil
}

// checkSize holds a picture's sides, in pixels, against the limits. What the
// picture shows is not judged: a screen may well be black.
func checkSize(w, h int) error {
	if w <= 0 || h <= 0 || w > maxSide || h > maxSide || w*h > maxPixels {
		return ErrUnusable.With(fmt.Errorf("size %d×%d", w, h))
	}
	return nil
}
