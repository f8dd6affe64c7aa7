package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/invite"
)

type allCmd struct{}

// Run runs hub and DVM in one process. They meet over the hub's own port, as
// two programs on two machines would.
func (allCmd) Run(p *program) error {
	return p.serve(func(s *serving) error {
		d, err := openDesk(p.ctx, s.dir)
		if err != nil {
			return err
		}
		self := d.secret.Public()
		if err := d.close(); err != nil {
			return err
		}
		if err := s.addHub(append([]pow.Key{self}, s.dvms...)); err != nil {
			return err
		}
		return s.addDVM(orDefault(p.g.Relay, sockets([]string{s.near})[0]), orDefault(p.g.Blossom, s.near))
	})
}

func orDefault(list []string, one string) []string {
	if len(list) == 0 {
		return []string{one}
	}
	return list
}

type hubCmd struct {
	Run_  hubRunCmd   `cmd:"" name:"run" default:"1" help:"Run relay and Blossom only."`
	Allow hubAllowCmd `cmd:"" help:"Put a device on the whitelist by hand."`
	Deny  hubDenyCmd  `cmd:"" help:"Take a device off the whitelist; its connections end."`
	List  hubListCmd  `cmd:"" help:"Show the whitelist."`
	Audit hubAuditCmd `cmd:"" help:"Show who changed the whitelist."`

	Backup  hubBackupCmd  `cmd:"" help:"Write a backup; the hub may go on running."`
	Restore hubRestoreCmd `cmd:"" help:"Make the hub's folder from a backup."`
}

type hubRunCmd struct{}

// Run runs the public server.
func (hubRunCmd) Run(p *program) error {
	return p.serve(func(s *serving) error {
		if len(s.dvms) == 0 {
			return &pow.Error{Code: pow.ErrUsage.Code, What: "whose invitations shall the hub honour?", Mend: "name the DVM: --dvm NPUB"}
		}
		return s.addHub(s.dvms)
	})
}

type dvmCmd struct{}

// Run runs the private server.
func (dvmCmd) Run(p *program) error {
	return p.serve(func(s *serving) error {
		if len(p.g.Relay) == 0 || len(p.g.Blossom) == 0 {
			return &pow.Error{Code: pow.ErrUsage.Code, What: "where shall the DVM collect letters and archives?", Mend: "name them: --relay URL --blossom URL"}
		}
		return s.addDVM(p.g.Relay, p.g.Blossom)
	})
}

// serving is the program while it serves: the roles that run, and their listeners.
type serving struct {
	p       *program
	dir     string
	group   *group
	admin   *admin
	dvms    []pow.Key
	hub     *Hub   // nil where this program is no hub
	near    string // origin of the hub for the DVM of the same program
	reloads []func(*grammar) error
	ready   readyLine
	closers []func() error
}

// serve runs the roles that add adds until the program is asked to end.
func (p *program) serve(add func(*serving) error) (err error) {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	if err := p.checkSettings(); err != nil {
		return err
	}
	s := &serving{p: p, dir: dir, group: newGroup(p.ctx), admin: newAdmin()}
	defer func() {
		for i := len(s.closers) - 1; i >= 0; i-- {
			err = errors.Join(err, s.closers[i]())
		}
	}()
	for _, n := range p.g.DVM {
		k, err := identity.ParseNpub(n)
		if err != nil {
			return usage(err)
		}
		s.dvms = append(s.dvms, k)
	}
	if err := add(s); err != nil {
		s.group.cancel()
		return errors.Join(err, s.group.wait())
	}
	ln, err := listen(p.ctx, p.g.Admin)
	if err != nil {
		s.group.cancel()
		return errors.Join(err, s.group.wait())
	}
	s.ready.Admin = "http://" + ln.Addr().String()
	s.group.add("admin", func(ctx context.Context) error { return s.admin.serve(ctx, ln) })
	s.group.add("reload", s.reload)
	s.admin.ready.Store(true)
	defer context.AfterFunc(s.group.ctx, func() { // requests under way may finish; a balancer sends no more
		s.admin.ready.Store(false)
		tellManager("STOPPING=1")
	})()
	if err := p.sayReady(dir, s.ready); err != nil {
		s.group.cancel()
		return errors.Join(err, s.group.wait())
	}
	tellManager("READY=1")
	return s.group.wait()
}

// leastSpan is the least that a setting of time makes sense with.
const leastSpan = time.Minute

// checkSettings refuses settings that the servers would misunderstand later.
func (p *program) checkSettings() error {
	if p.g.Silence < leastSpan || p.g.BlobTTL < leastSpan {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "--silence and --blob-ttl must be at least 1m"}
	}
	if p.g.Kimai != "" && p.g.TimesheetFile != "" {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "--kimai and --timesheet-file exclude each other", Mend: "time is booked in one place"}
	}
	for _, u := range p.g.PublicURL {
		if _, err := pow.ParseOrigin(u, pow.BlossomOrigin); err != nil {
			return usage(fmt.Errorf("--public-url %s: want https://HOST, or http://HOST:PORT on this network only, without a path", u))
		}
	}
	return nil
}

// lock makes this program the only one that runs a role on this data folder.
func (s *serving) lock(role string) error {
	unlock, err := lockFile(filepath.Join(s.dir, role+".lock"))
	if err == nil {
		s.closers = append(s.closers, unlock)
	}
	return err
}

// addHub opens and serves the hub for the given DVMs.
func (s *serving) addHub(dvms []pow.Key) error {
	if err := s.lock("hub"); err != nil {
		return err
	}
	ln, err := listen(s.p.ctx, s.p.g.Listen)
	if err != nil {
		return err
	}
	if err := s.openHub(ln, dvms); err != nil {
		return errors.Join(err, ln.Close())
	}
	return nil
}

func (s *serving) openHub(plain net.Listener, dvms []pow.Key) error {
	ln, err := s.secured(plain)
	if err != nil {
		return err
	}
	local := ""
	if ln == plain {
		local = "http://" + ln.Addr().String()
	}
	origins := hubOrigins(s.p.g, local)
	if len(origins) == 0 {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "where is the hub reached?", Mend: "name it: --public-url https://HOST"}
	}
	s.near = cmp.Or(local, origins[0])
	admins, err := hubAdmins(s.p.g.HubAdmin)
	if err != nil {
		return err
	}
	proxies, err := parseProxies(s.p.g.TrustedProxy)
	if err != nil {
		return err
	}
	check := &claims{dvms: dvms}
	check.setOrigins(origins)
	hub, err := OpenHub(s.p.ctx, HubConfig{Dir: filepath.Join(s.dir, "hub"), Database: s.p.g.Database, Blobs: s.p.g.Blobs,
		Origins: origins, DVMs: dvms, Claims: check, Admins: admins, Proxies: proxies,
		Name: s.p.g.Team, Version: Version, BlobTTL: s.p.g.BlobTTL, Log: s.p.log()})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, hub.Close)
	s.hub = hub
	s.admin.probe = hub.Ready
	s.admin.registry.MustRegister(hubMetrics(hub))
	s.group.add("hub", func(ctx context.Context) error { return serveHTTP(ctx, ln, HTTPServer(hub.Handler())) })
	s.group.add("hub's housekeeping", hub.Run)
	s.reloads = append(s.reloads, func(g *grammar) error { return reloadHub(g, hub, check, local) })
	s.ready.Blossom, s.ready.Relay, s.ready.Listen = origins[0], sockets(origins)[0], ln.Addr().String()
	return nil
}

// hubOrigins are those that the settings name; local, the hub's own address,
// stands for them when there are none, and is one more on loopback: the DVM of
// role all comes this way. local is "" when only TLS is spoken there.
func hubOrigins(g *grammar, local string) []string {
	origins := slices.Clone(g.PublicURL)
	if len(origins) == 0 {
		for _, d := range g.TLSDomain {
			origins = append(origins, "https://"+d)
		}
	}
	host, _, err := net.SplitHostPort(strings.TrimPrefix(local, "http://"))
	if local != "" && (len(origins) == 0 || err == nil && net.ParseIP(host).IsLoopback()) {
		origins = append(origins, local)
	}
	return origins
}

// reloadHub has a running hub take over new settings.
func reloadHub(g *grammar, hub *Hub, check *claims, local string) error {
	admins, err := hubAdmins(g.HubAdmin)
	if err != nil {
		return err
	}
	proxies, err := parseProxies(g.TrustedProxy)
	if err != nil {
		return err
	}
	origins := hubOrigins(g, local)
	if len(origins) == 0 {
		return errors.New("--public-url is missing")
	}
	hub.SetAdmins(admins)
	hub.SetProxies(proxies)
	hub.SetOrigins(origins)
	check.setOrigins(origins)
	return nil
}

// addDVM opens and runs the DVM.
func (s *serving) addDVM(relays, blossom []string) error {
	for kind, list := range map[pow.OriginKind][]string{pow.RelayOrigin: relays, pow.BlossomOrigin: blossom} {
		for _, o := range list {
			if _, err := pow.ParseOrigin(o, kind); err != nil {
				return usage(fmt.Errorf("%s: %w", o, err))
			}
		}
	}
	if err := s.lock("dvm"); err != nil {
		return err
	}
	g := s.p.g
	r, err := openDVM(s.p.ctx, dvmConfig{Dir: s.dir, Name: g.Team, Relays: relays, Blossom: blossom, Silence: g.Silence,
		Kimai: g.Kimai, KimaiTokenFile: g.KimaiTokenFile, TimesheetFile: g.TimesheetFile, Proxy: g.Proxy, Hub: s.hub, Log: s.p.log()})
	if err != nil {
		return err
	}
	s.admin.registry.MustRegister(dvmMetrics(r.ledger))
	s.admin.site = r.reviewSite()
	s.closers = append(s.closers, r.close)
	s.group.add("dvm", r.run)
	s.ready.DVMNpub = identity.Npub(r.secret.Public())
	return nil
}

// sockets turns http origins into those of their relay.
func sockets(origins []string) (out []string) {
	for _, o := range origins {
		o = strings.TrimSuffix(o, "/")
		if rest, ok := strings.CutPrefix(o, "http"); ok {
			o = "ws" + rest
		}
		out = append(out, o)
	}
	return out
}

// claims checks invitations for the hub, which cannot do it itself: it links
// nothing that knows of links or identities.
type claims struct {
	dvms   []pow.Key
	relays atomic.Pointer[[]string] // origins
}

func (c *claims) setOrigins(origins []string) {
	list := sockets(origins)
	c.relays.Store(&list)
}

// Check implements relay.Claims.
func (c *claims) Check(claim string, now time.Time) (dvm pow.Key, id string, expires time.Time, err error) {
	found, err := invite.CheckHubClaim(claim, c.dvms, *c.relays.Load(), now)
	return found.DVM, found.ID, found.Expires, err
}

// withHub opens the hub's folder beside a server that may be running.
func (p *program) withHub(f func(context.Context, *Hub) error) (err error) {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	hub, err := OpenHub(p.ctx, HubConfig{Dir: filepath.Join(dir, "hub"), Database: p.g.Database, Claims: &claims{}, Log: p.log()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	return f(p.ctx, hub)
}

type hubAllowCmd struct {
	Npub string `arg:"" help:"The device's npub."`
}

// Run admits a device of the only DVM, or of the one that --dvm names.
func (c *hubAllowCmd) Run(p *program) error {
	device, err := identity.ParseNpub(c.Npub)
	if err != nil {
		return usage(err)
	}
	dvm, err := p.onlyDVM()
	if err != nil {
		return err
	}
	return p.withHub(func(ctx context.Context, h *Hub) error { return h.Allow(ctx, device, dvm) })
}

// onlyDVM is the DVM that --dvm names, or the one whose keys lie here.
func (p *program) onlyDVM() (pow.Key, error) {
	if len(p.g.DVM) == 1 {
		k, err := identity.ParseNpub(p.g.DVM[0])
		if err != nil {
			return k, usage(err)
		}
		return k, nil
	}
	dir, err := p.dir()
	if err != nil {
		return pow.Key{}, err
	}
	d, err := openDesk(p.ctx, dir)
	if err != nil {
		return pow.Key{}, &pow.Error{Code: pow.ErrUsage.Code, What: "which DVM does the device write to?", Mend: "name it: --dvm NPUB", Err: err}
	}
	return d.secret.Public(), d.close()
}

type hubDenyCmd struct {
	Npub string `arg:"" help:"The device's npub."`
}

// Run takes a device off the whitelist.
func (c *hubDenyCmd) Run(p *program) error {
	device, err := identity.ParseNpub(c.Npub)
	if err != nil {
		return usage(err)
	}
	return p.withHub(func(ctx context.Context, h *Hub) error { return h.Deny(ctx, device) })
}

type hubListCmd struct{}

// Run prints the whitelist.
func (hubListCmd) Run(p *program) error {
	return p.withHub(func(ctx context.Context, h *Hub) error {
		ds, err := h.List(ctx)
		if err != nil {
			return err
		}
		type line struct {
			Npub string `json:"npub"`
			DVM  string `json:"dvm_npub"`
			How  string `json:"how"`
			Day  string `json:"day"`
		}
		lines := []line{}
		for _, d := range ds {
			lines = append(lines, line{identity.Npub(d.Key), identity.Npub(d.DVM), d.How, d.Day.Format(time.DateOnly)})
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, lines)
		}
		for _, l := range lines {
			fmt.Fprintf(p.s.Out, "%s  %s  %s\n", l.Npub, l.How, l.Day)
		}
		return nil
	})
}
