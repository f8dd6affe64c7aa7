//go:build windows || darwin

package capture

import (
	"context"
	"errors"

	"github.com/kbinani/screenshot"

	"pow.do/services/pow"
)

// take asks the system for every selected monitor. It cannot be interrupted:
// Grab abandons it.
func (c *Capturer) take(context.Context) ([]Frame, error) {
	n := screenshot.NumActiveDisplays()
	if n <= 0 {
		return nil, pow.ErrNoDisplay
	}
	var frames []Frame
	for i := range n {
		if !c.wanted(i) {
			continue
		}
		bounds := screenshot.GetDisplayBounds(i)
		if err := checkSize(bounds.Dx(), bounds.Dy()); err != nil {
			return nil, err
		}
		img, err := screenshot.CaptureRect(bounds)
		if errors.Is(err, screenshot.ErrUnsupported) {
			return nil, ErrUnsupported.With(err)
		}
		if err != nil {
			return nil, ErrUnusable.With(err)
		}
		frames = append(frames, Frame{Display: i, Image: img, At: c.cfg.Now(), Bounds: bounds})
	}
	return frames, nil
}
