package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"pow.do/app/config"
	"pow.do/services/client/capture"
	"pow.do/services/client/queue"
	"pow.do/services/client/vault"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// checkTime bounds each of doctor's parts.
const checkTime = 20 * time.Second

// part is one thing that has to work; it may need several lines.
type part struct {
	name  string
	check func(context.Context) []pow.Check
}

// parts are looked at in this order, which is the one of every screen.
func (a *Agent) parts() []part {
	first := []part{{"capture", a.checkScreen}}
	if a.desk.tray != nil { // an agent that shows itself
		first = append(first, a.deskParts()...)
	}
	return append(first, []part{
		{"activitywatch", a.checkActivity}, {"keyring", a.checkKeys}, {"home", a.checkHome}, {"disk", a.checkDisk},
		{"team", a.checkTeam}, {"clock", a.checkClock}, {"relays", a.checkRelays}, {"blossom", a.checkServers},
		{"dvm", a.checkDVM}, {"proxy", a.checkProxy}, {"version", checkVersion},
	}...)
}

// Doctor implements API: a line or more for each thing that has to work.
func (a *Agent) Doctor(ctx context.Context) (checks []pow.Check, err error) {
	for _, p := range a.parts() {
		checks = append(checks, p.run(ctx)...)
	}
	return checks, ctx.Err()
}

// Test implements API.
func (a *Agent) Test(ctx context.Context, name string) ([]pow.Check, error) {
	var names []string
	for _, p := range a.parts() {
		if p.name == name {
			return p.run(ctx), nil
		}
		names = append(names, p.name)
	}
	return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "there is no such check", Mend: "one of " + strings.Join(names, ", ")}
}

func (p part) run(ctx context.Context) []pow.Check {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return p.check(ctx)
}

func (a *Agent) checkScreen(ctx context.Context) []pow.Check {
	frames, err := a.pictures.screen.Grab(ctx)
	if errors.Is(err, capture.ErrDenied) {
		return []pow.Check{{Name: "display and capture", State: "ok", Detail: "there is a display"}, failed("permission", err)}
	}
	if err != nil {
		return []pow.Check{failed("display and capture", err)}
	}
	detail := []string{backend()}
	for _, f := range frames {
		b := f.Image.Bounds()
		detail = append(detail, fmt.Sprintf("display %d: %d×%d", f.Display, b.Dx(), b.Dy()))
	}
	a.pictures.mu.Lock()
	if last := a.pictures.last; last != nil {
		detail = append(detail, "last picture "+last.At.Local().Format(time.TimeOnly))
	}
	a.pictures.mu.Unlock()
	return []pow.Check{{Name: "display and capture", State: "ok", Detail: strings.Join(detail, ", ")}, {Name: "permission", State: "ok", Detail: "pictures are allowed"}}
}

// backend names the way to the pixels.
func backend() string {
	switch {
	case runtime.GOOS != "linux":
		return runtime.GOOS
	case os.Getenv("WAYLAND_DISPLAY") != "":
		return "Wayland (portal)"
	}
	return "X11"
}

func failed(name string, err error) pow.Check {
	c := pow.Check{Name: name, State: "failed", Detail: err.Error()}
	var e *pow.Error
	if errors.As(err, &e) {
		c.Detail, c.Mend = e.What, e.Mend
	}
	return c
}

func (a *Agent) checkActivity(ctx context.Context) []pow.Check {
	c := pow.Check{Name: "ActivityWatch", State: "ok", Detail: "running"}
	switch a.activity.State(ctx) {
	case "absent":
		c.State, c.Detail = "unused", "not running; proofs carry no app times"
	case "locked":
		c.State, c.Detail, c.Mend = "warning", "wants a key", "set auth.api_key in its config file where pow.do can read it"
	}
	return []pow.Check{c}
}

func (a *Agent) checkKeys(context.Context) []pow.Check {
	ring := pow.Check{Name: "keyring", State: "ok", Detail: "answers"}
	if !a.keyringAvailable() {
		ring.State, ring.Detail = "unused", "does not answer; a passphrase protects the keys"
	}
	keys := pow.Check{Name: "keys", State: "ok"}
	state, err := a.vault.State()
	storage, _ := a.vault.Storage()
	switch {
	case err != nil:
		keys = failed("keys", err)
	case state == vault.Absent:
		keys.State, keys.Detail, keys.Mend = "warning", "none yet", pow.ErrNoKey.Mend
	case a.setup().Locked:
		keys.State, keys.Detail, keys.Mend = "warning", "locked", pow.ErrLocked.Mend
	default:
		keys.Detail = "open, kept by " + storage
	}
	return []pow.Check{ring, keys}
}

// checkHome wants nobody else to be able to read what is kept.
func (a *Agent) checkHome(context.Context) []pow.Check {
	const name = "home folder"
	if err := config.PrivateDir(a.cfg.Home); err != nil {
		return []pow.Check{failed(name, err)}
	}
	open := 0
	err := filepath.WalkDir(a.cfg.Home, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || runtime.GOOS == "windows" {
			return err
		}
		fi, err := d.Info()
		if err == nil && fi.Mode().Perm()&0o077 != 0 {
			open++
		}
		if errors.Is(err, fs.ErrNotExist) { // a file that came and went
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return []pow.Check{{Name: name, State: "failed", Detail: "cannot be read"}}
	case open > 0:
		return []pow.Check{{Name: name, State: "failed", Detail: fmt.Sprintf("others may read %d files in it", open), Mend: "chmod -R go= on the folder"}}
	}
	return []pow.Check{{Name: name, State: "ok", Detail: "only this user may read it"}}
}

func (a *Agent) checkDisk(context.Context) []pow.Check {
	if a.ready() != nil {
		return nil
	}
	s, err := a.queue.Stats()
	if err != nil {
		return []pow.Check{failed("disk", err)}
	}
	c := pow.Check{Name: "disk", State: "ok", Detail: fmt.Sprintf("%d MB of %d MB used, %d MB waiting, %d MB free",
		s.Used/1e6, int64(queue.MaxFile)/1e6, s.Sealed/1e6, s.DiskFree/1e6)}
	if s.DiskFree < 2*queue.MinDiskFree {
		c.State, c.Mend = "warning", pow.ErrDiskFull.Mend
	}
	return []pow.Check{c}
}

func (a *Agent) checkTeam(context.Context) []pow.Check {
	t, err := a.teamOrError()
	if err != nil {
		c := failed("team", err)
		c.State = "warning"
		return []pow.Check{c}
	}
	c := pow.Check{Name: "team", State: "ok", Detail: t.Announcement.Name}
	if out(t.Catalogue) {
		c.State, c.Detail, c.Mend = "failed", "you are "+t.Catalogue.MemberState+" there", "ask your admin"
	}
	return []pow.Check{c}
}

// online gives the link and the team to the checks that need both. lines is
// what to say without; nothing where there is no team, which is said already.
func (a *Agent) online(ctx context.Context, name string) (n *link, t team, lines []pow.Check) {
	t, err := a.teamOrError()
	if err != nil {
		return nil, t, nil
	}
	if n, err = a.linked(ctx); err != nil {
		return nil, t, []pow.Check{{Name: name, State: "failed", Detail: "not connected", Mend: "start the agent: powdo agent"}}
	}
	return n, t, nil
}

// clockLimit is how far a clock may be off before it is worth a line: the
// servers refuse proofs from far enough in the future.
const clockLimit = time.Minute

func (a *Agent) checkClock(ctx context.Context) []pow.Check {
	n, _, lines := a.online(ctx, "clock")
	if n == nil {
		return lines
	}
	for _, origin := range n.servers {
		ahead, ok, err := n.blossom.Clock(ctx, origin)
		if err != nil || !ok {
			continue
		}
		c := pow.Check{Name: "clock", State: "ok", Detail: "agrees with the servers' within a minute"}
		if ahead > clockLimit || ahead < -clockLimit {
			c.State, c.Mend = "failed", "set this computer's clock"
			c.Detail = fmt.Sprintf("differs from the servers' by %v", (-ahead).Round(time.Second))
		}
		return []pow.Check{c}
	}
	return []pow.Check{{Name: "clock", State: "unused", Detail: "no server to compare it with"}}
}

func (a *Agent) checkRelays(ctx context.Context) (checks []pow.Check) {
	n, t, lines := a.online(ctx, "relays")
	if n == nil {
		return lines
	}
	for _, origin := range n.relays {
		checks = append(checks, a.checkRelay(ctx, n, origin, t))
	}
	return checks
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

func (a *Agent) checkServers(ctx context.Context) (checks []pow.Check) {
	n, _, lines := a.online(ctx, "files")
	if n == nil {
		return lines
	}
	for _, origin := range n.servers {
		name := "files " + origin
		c := pow.Check{Name: name, State: "ok", Detail: "takes files"}
		if err := n.blossom.Probe(ctx, origin, 1); err != nil {
			c = failed(name, err)
			c.Mend = "check the network; pow.do goes on and delivers later"
		}
		checks = append(checks, c)
	}
	return checks
}

// checkDVM looks at what is known of the team's server: it listens to nobody,
// so there is nothing to call.
func (a *Agent) checkDVM(context.Context) []pow.Check {
	t, err := a.teamOrError()
	if err != nil {
		return nil
	}
	server := pow.Check{Name: "DVM", State: "ok", Detail: identity.Npub(t.DVM)}
	if last, err := a.lastReceipt(); err == nil && last != nil {
		server.Detail += ", last answer " + last.At.Local().Format(time.DateTime)
	}
	r, ok := t.Announcement.Usable(time.Now(), nil)
	if !ok {
		return []pow.Check{server, failed("archive key", errKeysOutOfDate)}
	}
	return []pow.Check{server, {Name: "archive key", State: "ok", Detail: r.Alg + " " + r.ID}}
}

func (a *Agent) checkProxy(ctx context.Context) []pow.Check {
	addr, err := config.Proxy(a.cfg.Proxy)
	if err != nil {
		return []pow.Check{failed("SOCKS5", err)}
	}
	if addr == "" {
		return []pow.Check{{Name: "SOCKS5", State: "unused", Detail: "connections are direct"}}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return []pow.Check{{Name: "SOCKS5", State: "failed", Detail: "the proxy does not answer at " + addr, Mend: "start it; nothing is sent around it"}}
	}
	if err := conn.Close(); err != nil {
		return []pow.Check{failed("SOCKS5", err)}
	}
	return []pow.Check{{Name: "SOCKS5", State: "ok", Detail: addr}}
}

func checkVersion(context.Context) []pow.Check {
	return []pow.Check{{Name: "version", State: "ok", Detail: "agent " + Version}}
}
