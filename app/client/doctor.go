package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// checkTime bounds each of doctor's checks.
const checkTime = 20 * time.Second

// Doctor implements API: one line for each thing that has to work.
func (a *Agent) Doctor(ctx context.Context) ([]pow.Check, error) {
	checks := []pow.Check{a.checkScreen(ctx), a.checkActivity(ctx), a.checkKeys()}
	if a.ready() == nil {
		checks = append(checks, a.checkQueue())
	}
	t, err := a.teamOrError()
	if err != nil {
		c := pow.Check{Name: "team", State: "warning", Detail: err.Error()}
		var e *pow.Error
		if errors.As(err, &e) {
			c.Detail, c.Mend = e.What, e.Mend
		}
		return append(checks, c), nil
	}
	checks = append(checks, pow.Check{Name: "team", State: "ok", Detail: t.Announcement.Name})
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	n, err := a.linked(ctx)
	if err != nil {
		return append(checks, pow.Check{Name: "servers", State: "failed", Detail: "not connected", Mend: "start the agent: powdo agent"}), nil
	}
	for _, origin := range n.relays {
		checks = append(checks, a.checkRelay(ctx, n, origin, t))
	}
	for _, origin := range n.servers {
		checks = append(checks, checkServer(ctx, n, origin))
	}
	return append(checks, checkRecipient(t)), nil
}

func (a *Agent) checkScreen(ctx context.Context) pow.Check {
	frames, err := a.pictures.screen.Grab(ctx)
	if err != nil {
		return failed("display and capture", err)
	}
	detail := ""
	for _, f := range frames {
		b := f.Image.Bounds()
		detail += fmt.Sprintf("display %d: %d×%d  ", f.Display, b.Dx(), b.Dy())
	}
	return pow.Check{Name: "display and capture", State: "ok", Detail: detail}
}

func failed(name string, err error) pow.Check {
	c := pow.Check{Name: name, State: "failed", Detail: err.Error()}
	var e *pow.Error
	if errors.As(err, &e) {
		c.Detail, c.Mend = e.What, e.Mend
	}
	return c
}

func (a *Agent) checkActivity(ctx context.Context) pow.Check {
	c := pow.Check{Name: "ActivityWatch", State: "ok", Detail: "running"}
	switch a.activity.State(ctx) {
	case "absent":
		c.State, c.Detail = "unused", "not running; proofs carry no app times"
	case "locked":
		c.State, c.Detail, c.Mend = "warning", "wants a key", "set auth.api_key in its config file where pow.do can read it"
	}
	return c
}

func (a *Agent) checkKeys() pow.Check {
	s := a.setup()
	switch {
	case !s.Key:
		return pow.Check{Name: "keys", State: "warning", Detail: "none yet", Mend: pow.ErrNoKey.Mend}
	case s.Locked:
		return pow.Check{Name: "keys", State: "warning", Detail: "locked", Mend: pow.ErrLocked.Mend}
	}
	return pow.Check{Name: "keys", State: "ok", Detail: s.Npub}
}

func (a *Agent) checkQueue() pow.Check {
	s, err := a.queue.Stats()
	if err != nil {
		return failed("queue and disk", err)
	}
	return pow.Check{Name: "queue and disk", State: "ok", Detail: fmt.Sprintf("%d MB used, %d MB free", s.Used/1e6, s.DiskFree/1e6)}
}

func (a *Agent) checkRelay(ctx context.Context, n *link, origin string, t team) pow.Check {
	name := "relay " + origin
	events, err := n.pool.Fetch(ctx, origin, announcementFilter(t.DVM))
	switch {
	case err != nil:
		c := failed(name, err)
		c.Mend = "check the network; pow.do goes on and delivers later"
		return c
	case len(events) == 0:
		return pow.Check{Name: name, State: "warning", Detail: "reached; the server's announcement is not there", Mend: "tell your admin"}
	}
	return pow.Check{Name: name, State: "ok", Detail: "reached"}
}

func checkServer(ctx context.Context, n *link, origin string) pow.Check {
	name := "files " + origin
	if err := n.blossom.Probe(ctx, origin, 1); err != nil {
		c := failed(name, err)
		c.Mend = "check the network; pow.do goes on and delivers later"
		return c
	}
	return pow.Check{Name: name, State: "ok", Detail: "takes files"}
}

func checkRecipient(t team) pow.Check {
	r, ok := t.Announcement.Usable(time.Now(), nil)
	if !ok {
		return failed("archive key", errKeysOutOfDate)
	}
	return pow.Check{Name: "archive key", State: "ok", Detail: r.Alg + " " + r.ID}
}
