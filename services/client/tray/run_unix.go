//go:build unix && !darwin

package tray

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

const (
	itemPath  = "/StatusNotifierItem"
	menuPath  = "/MenuBar"
	itemIface = "org.kde.StatusNotifierItem"
	menuIface = "com.canonical.dbusmenu"
	watcher   = "org.kde.StatusNotifierWatcher"
	portal    = "org.freedesktop.portal.Desktop"
	settings  = "org.freedesktop.portal.Settings"

	tries = 30 * time.Second // between two looks for a bus
	calls = 5 * time.Second  // for one call
)

// Open is the id that act gets for a click on the icon itself.
const Open = "open"

// Run shows the icon until ctx ends. act gets the id of what was chosen, and the
// token with which a window may come to the front ("": none was given). It is
// called on a goroutine of the bus and must not wait.
func (t *Tray) Run(ctx context.Context, act func(id, token string)) error {
	for ctx.Err() == nil {
		t.session(ctx, act)
		t.setHost(false)
		select {
		case <-ctx.Done():
		case <-time.After(tries):
		}
	}
	return nil
}

// item is the icon on one connection.
type item struct {
	tray  *Tray
	conn  *dbus.Conn
	props *prop.Properties
	menu  *menu
	act   func(id, token string)
	shown State
	light bool
	token chan string // of the next click
}

// session serves one connection to the bus until it ends.
func (t *Tray) session(ctx context.Context, act func(id, token string)) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.Auth(nil) != nil || conn.Hello() != nil {
		return
	}
	i := &item{tray: t, conn: conn, act: act, light: darkPanel(ctx, conn), token: make(chan string, 1), shown: t.now()}
	i.menu = newMenu(act)
	heard := make(chan *dbus.Signal, 16)
	conn.Signal(heard)
	err = errors.Join(i.export(),
		conn.AddMatchSignalContext(ctx, dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcher)),
		conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(watcher)),
		conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(settings), dbus.WithMatchMember("SettingChanged"), dbus.WithMatchArg(0, appearance)))
	if err != nil {
		return
	}
	i.register(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.changed:
			i.update(t.now(), i.light)
		case s, open := <-heard:
			switch {
			case !open:
				return
			case s.Name == settings+".SettingChanged":
				i.update(i.shown, darkPanel(ctx, conn))
			default: // a watcher or a host came or went
				i.register(ctx)
			}
		}
	}
}

func (i *item) export() error {
	i.menu.set(i.shown.Menu)
	pix, err := pixmaps(orStopped(i.shown.Icon), i.light)
	if err != nil {
		return err
	}
	value := func(v any) *prop.Prop { return &prop.Prop{Value: v, Emit: prop.EmitFalse} }
	i.props, err = prop.Export(i.conn, itemPath, prop.Map{itemIface: {
		"Category": value("ApplicationStatus"), "Id": value(i.tray.cfg.ID), "Title": value(i.tray.cfg.Name), "Status": value(status(i.shown)),
		"WindowId": value(int32(0)), "IconName": value(""), "IconThemePath": value(""), "IconPixmap": value(pix),
		"OverlayIconName": value(""), "OverlayIconPixmap": value([]pixmap{}), "AttentionIconName": value(""), "AttentionIconPixmap": value(pix),
		"AttentionMovieName": value(""), "ToolTip": value(tip(i.shown.Title)), "ItemIsMenu": value(false), "Menu": value(dbus.ObjectPath(menuPath)),
	}})
	if err != nil {
		return err
	}
	_, err = prop.Export(i.conn, menuPath, prop.Map{menuIface: {
		"Version": value(uint32(3)), "TextDirection": value("ltr"), "Status": value("normal"), "IconThemePath": value([]string{}),
	}})
	name := fmt.Sprintf("%s-%d-1", itemIface, os.Getpid())
	if _, e := i.conn.RequestName(name, dbus.NameFlagDoNotQueue); e != nil {
		err = errors.Join(err, e)
	}
	return errors.Join(err, i.conn.Export(clicks{i}, itemPath, itemIface), i.conn.Export(i.menu, menuPath, menuIface))
}

// clicks answers what hosts call on the icon.
type clicks struct{ *item }

// ProvideXdgActivationToken comes before the click that it is for.
func (c clicks) ProvideXdgActivationToken(token string) *dbus.Error {
	select {
	case <-c.token:
	default:
	}
	c.token <- token
	return nil
}

// Activate is a click with the left button.
func (c clicks) Activate(_, _ int32) *dbus.Error {
	token := ""
	select {
	case token = <-c.token:
	default:
	}
	c.act(Open, token)
	return nil
}

// SecondaryActivate is a click with the middle button.
func (c clicks) SecondaryActivate(_, _ int32) *dbus.Error { return nil }

// ContextMenu is for hosts that do not draw the menu themselves; all known do.
func (c clicks) ContextMenu(_, _ int32) *dbus.Error { return nil }

// Scroll does nothing.
func (c clicks) Scroll(int32, string) *dbus.Error { return nil }

// toolTip is the type of the property.
type toolTip struct {
	Icon  string
	Pix   []pixmap
	Title string
	Text  string
}

func tip(title string) toolTip { return toolTip{Pix: []pixmap{}, Title: title} }

func status(s State) string {
	if s.Attention {
		return "NeedsAttention"
	}
	return "Active"
}

func orStopped(icon string) string {
	if icon == "" {
		return IconStopped
	}
	return icon
}

// update sends what is new.
func (i *item) update(s State, light bool) {
	was := i.shown
	if s.Icon != was.Icon || light != i.light {
		if pix, err := pixmaps(orStopped(s.Icon), light); err == nil {
			i.props.SetMust(itemIface, "IconPixmap", pix)
			i.props.SetMust(itemIface, "AttentionIconPixmap", pix)
			i.emit(itemPath, itemIface+".NewIcon")
			i.emit(itemPath, itemIface+".NewAttentionIcon")
		}
	}
	if s.Title != was.Title {
		i.props.SetMust(itemIface, "ToolTip", tip(s.Title))
		i.emit(itemPath, itemIface+".NewToolTip")
	}
	if status(s) != status(was) {
		i.props.SetMust(itemIface, "Status", status(s))
		i.emit(itemPath, itemIface+".NewStatus", status(s))
	}
	if !equal(State{Menu: s.Menu}, State{Menu: was.Menu}) {
		i.emit(menuPath, menuIface+".LayoutUpdated", i.menu.set(s.Menu), int32(0))
	}
	i.shown, i.light = s, light
}

// emit sends a signal; when it cannot, the connection is gone and session ends.
func (i *item) emit(path dbus.ObjectPath, name string, values ...any) {
	_ = i.conn.Emit(path, name, values...)
}

// register tells the watcher about the icon, if there is one, and asks whether
// anybody shows it.
func (i *item) register(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, calls)
	defer cancel()
	var there bool
	if i.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcher).Store(&there) != nil || !there {
		i.tray.setHost(false)
		return
	}
	w := i.conn.Object(watcher, "/StatusNotifierWatcher")
	var known []string
	if v, err := w.GetProperty(watcher + ".RegisteredStatusNotifierItems"); err == nil {
		known, _ = v.Value().([]string)
	}
	registered := false
	for _, k := range known {
		registered = registered || strings.HasPrefix(k, i.conn.Names()[0]+"/") || k == i.conn.Names()[0]
	}
	if !registered && w.CallWithContext(ctx, watcher+".RegisterStatusNotifierItem", 0, itemPath).Err != nil {
		i.tray.setHost(false)
		return
	}
	host, err := w.GetProperty(watcher + ".IsStatusNotifierHostRegistered")
	shown, ok := host.Value().(bool)
	i.tray.setHost(err == nil && ok && shown)
}

const appearance = "org.freedesktop.appearance"

// darkPanel guesses whether the icon lies on a dark ground.
func darkPanel(ctx context.Context, conn *dbus.Conn) bool {
	if desktop := os.Getenv("XDG_CURRENT_DESKTOP"); strings.Contains(desktop, "GNOME") || strings.Contains(desktop, "Unity") {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, calls)
	defer cancel()
	var v dbus.Variant
	call := conn.Object(portal, "/org/freedesktop/portal/desktop").CallWithContext(ctx, settings+".Read", dbus.FlagNoAutoStart, appearance, "color-scheme")
	if call.Store(&v) != nil {
		return true
	}
	if inner, ok := v.Value().(dbus.Variant); ok { // Read wraps it twice
		v = inner
	}
	const light = 2
	scheme, ok := v.Value().(uint32)
	return !ok || scheme != light
}
