// Package windows tells which windows can be seen on the screen, so that no
// picture is taken while one of them is to stay out of pictures.
//
// List reads them anew each time, front to back, with the names of the program,
// the title, where the window lies, and a guess whether a browser shows private
// pages in it. Match holds a window against the person's exclusions.
//
// Under X11 every viewable window counts, whether a window manager looks after
// it or not. One that lies wholly beneath solid windows does not count, but only
// where no compositor runs: a compositor may draw any window translucent and
// tells nobody. Where there is doubt, a window counts as visible. Under Windows
// the same holds, and minimised and cloaked windows do not count.
//
// Caveats: Wayland tells nobody which windows are open: List answers
// ErrUnsupported, and whoever calls has to decide what that means. What a window
// says of itself (names, title, process) is believed. Chromium and its relatives
// do not say in their titles that a window is private, so that Private is
// false for them: name such a browser by its own start file, or leave it out.
package windows

import (
	"context"
	"fmt"
	"image"
	"time"

	"pow.do/services/pow"
)

// Errors of List, beside pow.ErrNoDisplay and pow.ErrTimeout.
var (
	// ErrUnsupported: this desktop does not tell which windows are open.
	ErrUnsupported = &pow.Error{Code: "windows-unknown", What: "this desktop does not tell which windows are open"}
)

// Bounds of what is read of strangers' windows.
const (
	maxWindows = 4096
	maxText    = 2048 // bytes of a name or title
)

// DefaultDeadline bounds one List.
const DefaultDeadline = 5 * time.Second

// Window is one window that can be seen, or partly.
type Window struct {
	Class    string // the program's name for itself (WM_CLASS); Windows: the window class
	Instance string // its second name under X11
	Program  string // the file that runs, without folder and ".exe"; "" when unknown
	Title    string
	Bounds   image.Rectangle // with its frame, in pixels of the whole desktop
	PID      int             // 0 when unknown
	Active   bool            // the person works in it
	Private  bool            // a browser's private window, as far as its title says

	solid bool // hides what lies beneath it
}

// App is the name to show for the window's program.
func (w Window) App() string {
	for _, name := range []string{w.Class, w.Program, w.Instance} {
		if name != "" {
			return name
		}
	}
	return "?"
}

// List returns the windows that can be seen now, front to back. It gives up
// after DefaultDeadline with pow.ErrTimeout; the goroutine that waits for a
// display that hangs then ends with the display's answer.
func List(ctx context.Context) ([]Window, error) {
	ctx, cancel := context.WithTimeout(ctx, DefaultDeadline)
	defer cancel()
	type result struct {
		windows []Window
		err     error
	}
	done := make(chan result, 1)
	go func() {
		all, err := list()
		done <- result{all, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("look which windows are open: %w", r.err)
		}
		for i, w := range r.windows {
			r.windows[i].Private = private(w)
		}
		return r.windows, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("look which windows are open: %w", pow.ErrTimeout.With(ctx.Err()))
	}
}
