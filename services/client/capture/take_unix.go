//go:build unix && !darwin

package capture

import (
	"context"
	"os"

	"pow.do/services/pow"
)

// take picks the way to the screen by the environment of the session. Under
// Wayland there may be a DISPLAY as well, but it shows only the windows of X
// programs on black.
func (c *Capturer) take(ctx context.Context) ([]Frame, error) {
	session := os.Getenv("XDG_SESSION_TYPE")
	switch {
	case session == "wayland", session != "x11" && os.Getenv("WAYLAND_DISPLAY") != "":
		return c.portal(ctx)
	case os.Getenv("DISPLAY") != "":
		return c.x11()
	}
	return nil, pow.ErrNoDisplay
}
