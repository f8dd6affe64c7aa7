//go:build unix && !darwin

package away

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/screensaver"
	"github.com/jezek/xgb/xproto"
)

// input asks how long ago the last input was. It keeps its connections open.
type input struct{ x11, mutter *source }

func newInput() input {
	x, m := &x11{}, &mutter{}
	return input{newSource(x.idle, x.close), newSource(m.idle, m.close)}
}

func (input) names() []string { return []string{"mutter", "x11"} }

// idle returns the time since the last input, and who knows it. Under Wayland
// the X server sees only the input for X programs, and is not asked.
func (i input) idle(ctx context.Context) (name string, d time.Duration, known bool) {
	session := os.Getenv("XDG_SESSION_TYPE")
	wayland := session == "wayland" || session != "x11" && os.Getenv("WAYLAND_DISPLAY") != ""
	if !wayland && os.Getenv("DISPLAY") != "" {
		if d, ok := i.x11.idle(ctx); ok {
			return "x11", d, true
		}
	}
	d, known = i.mutter.idle(ctx)
	return "mutter", d, known
}

func (i input) close() {
	i.x11.close()
	i.mutter.close()
}

// x11 asks the screen-saver extension.
type x11 struct{ conn *xgb.Conn }

func (x *x11) idle(context.Context) (time.Duration, error) {
	if x.conn == nil {
		if err := x.open(); err != nil {
			return 0, err
		}
	}
	root := xproto.Setup(x.conn).DefaultScreen(x.conn).Root
	r, err := screensaver.QueryInfo(x.conn, xproto.Drawable(root)).Reply()
	if err != nil {
		return 0, err
	}
	return time.Duration(r.MsSinceUserInput) * time.Millisecond, nil
}

func (x *x11) open() error {
	xgb.Logger.SetOutput(io.Discard) // it would write to the program's stderr
	conn, err := xgb.NewConn()
	if err != nil {
		return err
	}
	if conn.DefaultScreen >= len(xproto.Setup(conn).Roots) {
		hangUp(conn)
		return errors.New("DISPLAY names a screen that is not there")
	}
	// xgb's own way to use an extension also writes into tables that all
	// connections of the program share, without a lock; they serve events only.
	const name = "MIT-SCREEN-SAVER"
	r, err := xproto.QueryExtension(conn, uint16(len(name)), name).Reply()
	if err != nil || !r.Present {
		hangUp(conn)
		return errors.Join(err, errors.New("no screen-saver extension"))
	}
	conn.ExtLock.Lock()
	conn.Extensions[name] = r.MajorOpcode
	conn.ExtLock.Unlock()
	x.conn = conn
	return nil
}

func (x *x11) close() {
	if x.conn != nil {
		hangUp(x.conn)
		x.conn = nil
	}
}

// hangUp ends the connection and waits until its goroutines are gone.
func hangUp(conn *xgb.Conn) {
	conn.Close()
	for {
		if event, err := conn.WaitForEvent(); event == nil && err == nil {
			return
		}
	}
}

// mutter asks GNOME's compositor.
type mutter struct{ conn *dbus.Conn }

func (m *mutter) idle(ctx context.Context) (time.Duration, error) {
	if m.conn == nil {
		// The connection outlives the question, but not its owner, who closes it.
		conn, err := join(context.WithoutCancel(ctx), dbus.SessionBusPrivateNoAutoStartup)
		if err != nil {
			return 0, err
		}
		m.conn = conn
	}
	var ms uint64
	err := m.conn.Object("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core").
		CallWithContext(ctx, "org.gnome.Mutter.IdleMonitor.GetIdletime", dbus.FlagNoAutoStart).Store(&ms)
	if err == nil && ms > 1<<42 {
		err = errors.New("an idle time of more than a century")
	}
	return time.Duration(ms) * time.Millisecond, err
}

func (m *mutter) close() {
	if m.conn != nil {
		_ = m.conn.Close()
		m.conn = nil
	}
}
