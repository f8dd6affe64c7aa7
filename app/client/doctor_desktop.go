package client

import (
	"context"
	"strings"

	"pow.do/services/pow"
)

// desktopParts are the lines of Doctor about what the desktop offers besides a
// screen: a host for the tray icon, a daemon for notifications, and who tells
// that nobody is there. None of them is needed to work.
func desktopParts(tray interface{ Host() bool }, notes interface{ There() bool }, away interface{ Sources() []string }) []part {
	line := func(name string, ok bool, detail, without string) []pow.Check {
		if ok {
			return []pow.Check{{Name: name, State: "ok", Detail: detail}}
		}
		return []pow.Check{{Name: name, State: "unused", Detail: without}}
	}
	return []part{
		{"tray", func(context.Context) []pow.Check {
			return line("tray host", tray.Host(), "shows the icon", "this desktop shows no tray icons; the window, its launcher and the commands do the same")
		}},
		{"notify", func(context.Context) []pow.Check {
			return line("notifications", notes.There(), "are shown", "nobody shows them here; questions wait in the window")
		}},
		{"away", func(context.Context) []pow.Check {
			s := away.Sources()
			return line("away detection", len(s) > 0, strings.Join(s, ", "), "this desktop does not tell when you are away; pause by hand")
		}},
	}
}
