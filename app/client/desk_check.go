package client

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pow.do/services/pow"
)

// deskParts are the lines of Doctor about the desktop around the agent.
func (a *Agent) deskParts() []part {
	one := func(name string, f func(context.Context) pow.Check) part {
		return part{name, func(ctx context.Context) []pow.Check { return []pow.Check{f(ctx)} }}
	}
	return []part{one("windows", a.checkWindows), one("tray", a.checkTray), one("notify", a.checkNotify), one("away", a.checkAway)}
}

func (a *Agent) checkWindows(ctx context.Context) pow.Check {
	g := a.pictures.look(ctx)
	s, _ := a.settings()
	switch {
	case g.err == nil:
		return pow.Check{Name: "exclusions", State: "ok", Detail: fmt.Sprintf("%d windows can be seen; %d rules", len(g.windows), len(s.Exclusions))}
	case len(s.Exclusions) == 0:
		return pow.Check{Name: "exclusions", State: "unused", Detail: "no rules"}
	}
	return pow.Check{Name: "exclusions", State: "warning", Detail: "this desktop does not tell which windows are open: only the one in front is known, and only while ActivityWatch sees it",
		Mend: "without ActivityWatch no picture is taken; an X11 session tells, or take the rules out"}
}

func (a *Agent) checkTray(context.Context) pow.Check {
	if a.desk.tray.Host() {
		return pow.Check{Name: "tray", State: "ok", Detail: "a status icon is shown"}
	}
	return pow.Check{Name: "tray", State: "unused", Detail: "this desktop has no place for a status icon; the window and the commands do the same"}
}

func (a *Agent) checkNotify(context.Context) pow.Check {
	switch {
	case a.desk.notes.Actions():
		return pow.Check{Name: "notifications", State: "ok", Detail: "with buttons"}
	case a.desk.notes.There():
		return pow.Check{Name: "notifications", State: "ok", Detail: "without buttons"}
	}
	return pow.Check{Name: "notifications", State: "unused", Detail: "this desktop shows none"}
}

func (a *Agent) checkAway(context.Context) pow.Check {
	sources := a.watcher.Sources()
	c := pow.Check{Name: "away", State: "ok", Detail: "noticed by " + strings.Join(sources, ", ")}
	input := slices.ContainsFunc(sources, func(s string) bool { return s == "x11" || s == "mutter" || s == "windows" })
	switch {
	case len(sources) == 0:
		c.State, c.Detail = "warning", "nothing tells when you leave; pause by hand"
	case !input:
		c.State, c.Detail = "warning", "input is not seen here: away begins when the screen is locked or the computer sleeps ("+strings.Join(sources, ", ")+")"
	}
	return c
}
