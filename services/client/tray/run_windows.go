package tray

import (
	"bytes"
	"context"
	"encoding/binary"
	"runtime"
	"sync"

	"fyne.io/systray"
)

// Open is the id that act gets for a click on the icon itself.
const Open = "open"

// Run shows the icon until ctx ends; it can be shown once in the life of a
// program. act gets the id of what was chosen; the token is always empty.
func (t *Tray) Run(ctx context.Context, act func(id, token string)) error {
	var parts sync.WaitGroup
	ended := make(chan struct{})
	parts.Go(func() {
		runtime.LockOSThread() // the system sends its messages to this thread
		defer runtime.UnlockOSThread()
		systray.Run(func() {
			systray.SetOnTapped(func() { act(Open, "") })
			t.setHost(true)
			parts.Go(func() { t.follow(ctx, act) })
		}, func() { close(ended) })
	})
	select {
	case <-ctx.Done():
		systray.Quit()
	case <-ended:
	}
	parts.Wait()
	t.setHost(false)
	return nil
}

// follow builds the menu anew whenever it changes.
func (t *Tray) follow(ctx context.Context, act func(id, token string)) {
	for {
		s := t.now()
		systray.SetTooltip(s.Title)
		systray.SetIcon(ico(s.Icon))
		systray.ResetMenu()
		end, stop := context.WithCancel(ctx)
		var clicks sync.WaitGroup
		build(end, &clicks, nil, s.Menu, act)
		select {
		case <-ctx.Done():
			stop()
			clicks.Wait()
			return
		case <-t.changed:
			stop()
			clicks.Wait()
		}
	}
}

func build(ctx context.Context, clicks *sync.WaitGroup, parent *systray.MenuItem, items []Item, act func(id, token string)) {
	for _, i := range items {
		if i.Label == "" {
			systray.AddSeparator()
			continue
		}
		var m *systray.MenuItem
		switch {
		case parent == nil && i.Checkable:
			m = systray.AddMenuItemCheckbox(i.Label, "", i.Checked)
		case parent == nil:
			m = systray.AddMenuItem(i.Label, "")
		case i.Checkable:
			m = parent.AddSubMenuItemCheckbox(i.Label, "", i.Checked)
		default:
			m = parent.AddSubMenuItem(i.Label, "")
		}
		if i.Disabled {
			m.Disable()
		}
		build(ctx, clicks, m, i.Items, act)
		clicks.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-m.ClickedCh:
					act(i.ID, "")
				}
			}
		})
	}
}

// ico wraps an icon's PNG of 32 pixels as an ICO file, which may hold it as it is.
func ico(icon string) []byte {
	if icon == "" {
		icon = IconStopped
	}
	png, err := pictures.ReadFile(fileName(icon, true, "32"))
	if err != nil {
		return nil
	}
	const head = 6 + 16
	var b bytes.Buffer
	for _, v := range []any{uint16(0), uint16(1), uint16(1), // an icon with one picture
		byte(32), byte(32), byte(0), byte(0), uint16(1), uint16(32), uint32(len(png)), uint32(head)} {
		_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes everything
	}
	b.Write(png)
	return b.Bytes()
}
