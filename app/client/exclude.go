package client

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pow.do/services/client/capture"
	"pow.do/services/client/windows"
	"pow.do/services/pow"
)

// glance is what could be seen on the desktop around one grab.
type glance struct {
	windows []windows.Window
	err     error // the desktop does not tell
}

// look lists the windows that can be seen now.
func (p *pictures) look(ctx context.Context) glance {
	all, err := p.list(ctx)
	return glance{all, err}
}

// with joins what was seen before and after a grab: what came and went meanwhile
// may be in the picture.
func (g glance) with(o glance) glance {
	return glance{append(slices.Clone(g.windows), o.windows...), errors.Join(g.err, o.err)}
}

// errCannotTell: exclusions are set, and nobody can say whether one is met.
var errCannotTell = &pow.Error{Code: "exclusions-unknown", What: "this desktop does not tell which windows are open, so your exclusions cannot be kept; no picture was taken",
	Mend: "run ActivityWatch, which knows the window in front, or take the exclusions out in the settings"}

// errRulesLocked: the exclusions rest encrypted.
var errRulesLocked = &pow.Error{Code: pow.ErrLocked.Code, What: "your exclusions cannot be read while the keys are locked; no picture was taken", Mend: "unlock them"}

// errExcluded: a monitor shows something that is to stay out.
var errExcluded = &pow.Error{Code: "excluded", What: "an excluded window can be seen; no picture of its monitor was taken", Mend: "close or minimise it, or see Settings"}

// judge says why a monitor's picture may not be kept; "" when it may. Where the
// desktop tells nothing, ActivityWatch's window in front is asked: that is less
// than was promised, and the warning says so. When it knows nothing either,
// nothing is kept.
func (a *Agent) judge(ctx context.Context, g glance, bounds image.Rectangle) (pow.SkipReason, error) {
	s, hidden := a.settings()
	switch {
	case hidden:
		return pow.SkipFailed, errRulesLocked
	case len(s.Exclusions) == 0:
		return "", nil
	case g.err != nil:
		row, known := a.activity.front(ctx, time.Now())
		if !known {
			return pow.SkipFailed, errCannotTell
		}
		g.windows = []windows.Window{windows.Named(row.App, row.Title)}
		g.windows[0].Bounds = bounds
	}
	for _, w := range g.windows {
		if rule, met := windows.Match(s.Exclusions, w); met && w.Bounds.Overlaps(bounds) {
			return windows.Reason(rule), errExcluded
		}
	}
	return "", nil
}

// warnWeak tells the window where exclusions are kept for the window in front only.
func (a *Agent) warnWeak(g glance) {
	s, _ := a.settings()
	if g.err == nil || len(s.Exclusions) == 0 {
		a.warn("exclusions", nil)
		return
	}
	a.warn("exclusions", &pow.Error{Code: "exclusions-weak", What: "this desktop does not tell which windows are open: exclusions are kept for the window in front only, as ActivityWatch sees it"})
}

// own tells whether w is a window of this program: by the name of its file, or
// by what Fyne calls the window's class.
func own(w windows.Window) bool {
	self, err := os.Executable()
	name := strings.TrimSuffix(filepath.Base(self), ".exe")
	return err == nil && w.Program != "" && strings.EqualFold(w.Program, name) || w.Class == AppName
}

// redaction is the colour of what is covered in a picture.
var redaction = color.RGBA{0x0b, 0x0f, 0x14, 0xff}

// cover paints over this program's own windows in f. It reports false where it
// cannot be known that nothing of them is left.
func cover(f capture.Frame, g glance) bool {
	covered := false
	for _, w := range g.windows {
		if g.err == nil && own(w) {
			part := w.Bounds.Intersect(f.Bounds).Sub(f.Bounds.Min)
			draw.Draw(f.Image, part, image.NewUniform(redaction), image.Point{}, draw.Src)
			covered = true
		}
	}
	return covered && f.Image.Rect.Size() == f.Bounds.Size()
}

// front returns where the active window lies in a frame's picture.
func (g glance) front(f capture.Frame) pow.Rect {
	i := slices.IndexFunc(g.windows, func(w windows.Window) bool { return w.Active })
	if i < 0 || g.err != nil || f.Bounds.Empty() {
		return pow.Rect{}
	}
	r := g.windows[i].Bounds.Intersect(f.Bounds)
	if r.Empty() { // it lies on another monitor
		return pow.Rect{}
	}
	r = r.Sub(f.Bounds.Min)
	size, of := f.Image.Rect.Size(), f.Bounds.Size()
	x, y := r.Min.X*size.X/of.X, r.Min.Y*size.Y/of.Y
	return pow.Rect{X: x, Y: y, W: r.Max.X*size.X/of.X - x, H: r.Max.Y*size.Y/of.Y - y}
}

// Windows implements API.
func (a *Agent) Windows(ctx context.Context) ([]pow.OpenWindow, error) {
	g := a.pictures.look(ctx)
	if g.err != nil {
		return nil, g.err
	}
	frames, err := a.pictures.screen.Grab(ctx) // the monitors that pictures are taken of
	if err != nil {
		return nil, err
	}
	s, hidden := a.settings()
	if hidden {
		return nil, pow.ErrLocked
	}
	var out []pow.OpenWindow
	for _, f := range frames {
		for _, w := range g.windows {
			if !w.Bounds.Overlaps(f.Bounds) {
				continue
			}
			o := pow.OpenWindow{App: w.App(), Title: w.Title, Display: f.Display, Private: w.Private}
			var rule pow.Exclusion
			if rule, o.Excluded = windows.Match(s.Exclusions, w); o.Excluded {
				o.Rule = ruleText(rule)
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// ruleText names a rule by what the person wrote; "private" for that one.
func ruleText(e pow.Exclusion) string {
	switch {
	case e.App != "":
		return e.App
	case e.Title != "":
		return e.Title
	}
	return "private"
}

// TestShot implements API.
func (a *Agent) TestShot(ctx context.Context) ([][]byte, error) {
	frames, err := a.pictures.screen.Grab(ctx)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, f := range frames {
		b, err := capture.JPEG(f, testWidth, testHeight)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// Largest test picture, in pixels.
const (
	testWidth  = 1280
	testHeight = 720
)
