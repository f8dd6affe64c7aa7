//go:build unix && !darwin

package away

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

// rejoinAfter is how long a bus that is not there, or hung up, is left alone.
const rejoinAfter = 30 * time.Second

// callTime bounds one call on a bus.
const callTime = 5 * time.Second

// listeners are what tells of locks, sleep and shutdown.
func (w *Watcher) listeners() []func(context.Context, func(signal)) {
	return []func(context.Context, func(signal)){
		w.rejoining("session-bus", dbus.SessionBusPrivateNoAutoStartup, listenSession),
		w.rejoining("logind", dbus.SystemBusPrivate, listenSystem),
	}
}

// join connects to a bus; the connection ends with ctx.
func join(ctx context.Context, dial func(...dbus.ConnOption) (*dbus.Conn, error)) (*dbus.Conn, error) {
	conn, err := dial(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := conn.Auth(nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := conn.Hello(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// rejoining listens on a bus for as long as ctx lasts.
func (w *Watcher) rejoining(name string, dial func(...dbus.ConnOption) (*dbus.Conn, error),
	subscribe func(context.Context, *dbus.Conn) (hear, error)) func(context.Context, func(signal)) {
	return func(ctx context.Context, say func(signal)) {
		for ctx.Err() == nil {
			if conn, err := join(ctx, dial); err == nil {
				heard := make(chan *dbus.Signal, 16)
				conn.Signal(heard)
				if h, err := subscribe(ctx, conn); err == nil {
					w.found(name, true)
					relay(ctx, heard, h, say)
					w.found(name, false)
				}
				_ = conn.Close()
			}
			select {
			case <-ctx.Done():
			case <-time.After(rejoinAfter):
			}
		}
	}
}

// hear says what a message of a bus means; ok is false when it means nothing.
type hear func(context.Context, *dbus.Signal) (s signal, ok bool)

// relay passes on what is heard until the bus hangs up.
func relay(ctx context.Context, heard <-chan *dbus.Signal, h hear, say func(signal)) {
	for {
		select {
		case <-ctx.Done():
			return
		case m, open := <-heard:
			if !open {
				return
			}
			if s, ok := h(ctx, m); ok {
				say(s)
			}
		}
	}
}

// screenSavers are the interfaces of the desktops; all have the same signal.
var screenSavers = []string{"org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.cinnamon.ScreenSaver", "org.mate.ScreenSaver", "org.xfce.ScreenSaver"}

const activeChanged = "ActiveChanged"

// listenSession hears the screen saver.
func listenSession(ctx context.Context, conn *dbus.Conn) (hear, error) {
	for _, name := range screenSavers {
		if err := conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(name), dbus.WithMatchMember(activeChanged)); err != nil {
			return nil, err
		}
	}
	return func(_ context.Context, m *dbus.Signal) (signal, bool) {
		var on bool
		known := slices.ContainsFunc(screenSavers, func(name string) bool { return m.Name == name+"."+activeChanged })
		if !known || dbus.Store(m.Body, &on) != nil {
			return 0, false
		}
		return either(on, locked, unlocked), true
	}, nil
}

func either(on bool, yes, no signal) signal {
	if on {
		return yes
	}
	return no
}

const (
	logind        = "org.freedesktop.login1"
	logindSession = logind + ".Session"
	logindManager = logind + ".Manager"
	properties    = "org.freedesktop.DBus.Properties"
)

// listenSystem hears logind.
func listenSystem(ctx context.Context, conn *dbus.Conn) (hear, error) {
	err := errors.Join(
		conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(logind), dbus.WithMatchInterface(logindManager)),
		conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(logind), dbus.WithMatchInterface(logindSession)),
		conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(logind), dbus.WithMatchInterface(properties), dbus.WithMatchArg(0, logindSession)))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, m *dbus.Signal) (signal, bool) {
		s, session, ok := readLogind(m)
		if !ok || !fromLogind(ctx, conn, m.Sender) || session && !ours(ctx, conn, m.Path) {
			return 0, false
		}
		return s, true
	}, nil
}

// readLogind says what a message would mean if it came from logind; session
// tells that it concerns one session only.
func readLogind(m *dbus.Signal) (s signal, session, ok bool) {
	var on bool
	switch m.Name {
	case logindSession + ".Lock":
		return locked, true, true
	case logindSession + ".Unlock":
		return unlocked, true, true
	case logindManager + ".PrepareForSleep":
		ok = dbus.Store(m.Body, &on) == nil
		return either(on, sleeping, woken), false, ok
	case logindManager + ".PrepareForShutdown":
		ok = dbus.Store(m.Body, &on) == nil && on
		return shutdown, false, ok
	case properties + ".PropertiesChanged":
		var of string
		var changed map[string]dbus.Variant
		var gone []string
		if dbus.Store(m.Body, &of, &changed, &gone) != nil || of != logindSession {
			return 0, false, false
		}
		on, ok = changed["LockedHint"].Value().(bool)
		return either(on, locked, unlocked), true, ok
	}
	return 0, false, false
}

// fromLogind tells whether logind sent it: on the system bus anybody may send us
// a signal.
func fromLogind(ctx context.Context, conn *dbus.Conn, sender string) bool {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var owner string
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, logind).Store(&owner)
	return err == nil && owner == sender
}

// ours tells whether a session belongs to the user of this program.
func ours(ctx context.Context, conn *dbus.Conn, session dbus.ObjectPath) bool {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var user dbus.Variant
	if err := conn.Object(logind, session).CallWithContext(ctx, properties+".Get", 0, logindSession, "User").Store(&user); err != nil {
		return false
	}
	pair, ok := user.Value().([]any) // uid and object path
	if !ok || len(pair) == 0 {
		return false
	}
	uid, ok := pair[0].(uint32)
	return ok && int(uid) == os.Getuid()
}
