//go:build unix && !darwin

package notify

import (
	"context"
	"errors"
	"html"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	name  = "org.freedesktop.Notifications"
	path  = "/org/freedesktop/Notifications"
	tries = 30 * time.Second // between two looks for a bus
	calls = 5 * time.Second  // for one call
)

// Run listens for what the person does with notifications until ctx ends. act
// gets the kind of the notification, the key of the action, and the token with
// which a window may come to the front ("": none was given).
func (n *Notifier) Run(ctx context.Context, act func(kind, action, token string)) error {
	for ctx.Err() == nil {
		n.session(ctx, act)
		select {
		case <-ctx.Done():
		case <-time.After(tries):
		}
	}
	return nil
}

// session serves one connection to the bus until it ends.
func (n *Notifier) session(ctx context.Context, act func(kind, action, token string)) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.Auth(nil) != nil || conn.Hello() != nil {
		return
	}
	heard := make(chan *dbus.Signal, 16)
	conn.Signal(heard)
	err = errors.Join(conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(name)),
		conn.AddMatchSignalContext(ctx, dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)))
	if err != nil {
		return
	}
	n.meet(ctx, conn)
	defer n.found(nil)
	token := ""
	for {
		select {
		case <-ctx.Done():
			return
		case s, open := <-heard:
			if !open {
				return
			}
			token = n.hear(ctx, conn, s, token, act)
		}
	}
}

// hear takes one signal; it returns the token that the next action comes with.
func (n *Notifier) hear(ctx context.Context, conn *dbus.Conn, s *dbus.Signal, token string, act func(kind, action, token string)) string {
	var id uint32
	var word string
	switch s.Name {
	case "org.freedesktop.DBus.NameOwnerChanged":
		n.meet(ctx, conn)
	case name + ".ActivationToken":
		if dbus.Store(s.Body, &id, &word) == nil {
			return word
		}
	case name + ".ActionInvoked":
		if dbus.Store(s.Body, &id, &word) == nil {
			if kind, ours := n.kindOf(id); ours {
				act(kind, word, token)
			}
		}
		return ""
	case name + ".NotificationClosed":
		var why uint32
		if dbus.Store(s.Body, &id, &why) == nil {
			n.closed(id)
		}
	}
	return token
}

// meet asks who shows notifications now, and what they can do. Asking starts a
// daemon that is started on demand.
func (n *Notifier) meet(ctx context.Context, conn *dbus.Conn) {
	ctx, cancel := context.WithTimeout(ctx, calls)
	defer cancel()
	b := &bus{object: conn.Object(name, path), cfg: n.cfg}
	if b.object.CallWithContext(ctx, name+".GetCapabilities", 0).Store(&b.can) != nil {
		n.found(nil)
		return
	}
	n.found(b)
}

// bus is a daemon on the session bus.
type bus struct {
	object dbus.BusObject
	cfg    Config
	can    []string
}

func (b *bus) capabilities() []string { return b.can }

func (b *bus) notify(ctx context.Context, n Note, replaces uint32) (id uint32, err error) {
	ctx, cancel := context.WithTimeout(ctx, calls)
	defer cancel()
	actions := []string{}
	for _, a := range n.Actions {
		actions = append(actions, a.Key, a.Label)
	}
	ms := int32(-1)
	if n.For > 0 {
		ms = int32(n.For / time.Millisecond)
	}
	hints := map[string]dbus.Variant{"transient": dbus.MakeVariant(true), "desktop-entry": dbus.MakeVariant(b.cfg.AppID)}
	err = b.object.CallWithContext(ctx, name+".Notify", 0, b.cfg.App, replaces, b.cfg.AppID, n.Title, html.EscapeString(n.Text), actions, hints, ms).Store(&id)
	return id, err
}

func (b *bus) closeNote(ctx context.Context, id uint32) error {
	ctx, cancel := context.WithTimeout(ctx, calls)
	defer cancel()
	return b.object.CallWithContext(ctx, name+".CloseNotification", 0, id).Err
}
