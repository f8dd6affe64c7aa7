package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/relays"
)

type doctorCmd struct{}

// leastFree is how much disk a server wants before it warns, in bytes.
const leastFree = 2 << 30

// doctorTime bounds each check of a server.
const doctorTime = 20 * time.Second

// Run checks what the DVM of this data folder needs, and names the mend.
func (doctorCmd) Run(p *program) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	checks := []pow.Check{checkDisk(dir)}
	if _, err := os.Stat(filepath.Join(dir, "dvm")); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, "hub")); err == nil { // a machine that is a hub only
			return cli.PrintChecks(p.s, p.g.JSON, append(checks, p.checkHub()...))
		}
	}
	d, err := openDesk(p.ctx, dir)
	if err != nil {
		checks = append(checks, failed("keys and ledger", err))
		return cli.PrintChecks(p.s, p.g.JSON, checks)
	}
	defer d.close()
	checks = append(checks, pow.Check{Name: "keys and ledger", State: "ok", Detail: identity.Npub(d.secret.Public())})
	urls, servers, err := p.origins(dir)
	if err != nil {
		checks = append(checks, failed("servers", err))
		return cli.PrintChecks(p.s, p.g.JSON, checks)
	}
	dialer, err := newDialer(p.g.Proxy)
	if err != nil {
		return err
	}
	known := hostsOf(urls, servers)
	client := dialer.HTTPClient(func(host string) bool { return known[host] })
	pool := relays.New(relays.Config{Origins: urls, Key: d.secret, HTTP: client, Log: p.log(),
		Handle: func(context.Context, string, *event.Event, []byte) error { return nil }})
	ctx, cancel := context.WithCancel(p.ctx)
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	for _, u := range urls {
		checks = append(checks, checkRelay(ctx, pool, u, d.secret.Public()))
	}
	files := blossom.New(blossom.Config{Key: d.secret, HTTP: client, Log: p.log()})
	for _, u := range servers {
		checks = append(checks, checkBlossom(ctx, files, u))
	}
	cancel()
	<-done
	checks = append(checks, p.checkTimesheets(p.ctx, d)...)
	return cli.PrintChecks(p.s, p.g.JSON, checks)
}

func failed(name string, err error) pow.Check {
	return pow.Check{Name: name, State: "failed", Detail: err.Error()}
}

func checkDisk(dir string) pow.Check {
	free, _, err := diskSpace(dir)
	c := pow.Check{Name: "disk", State: "ok", Detail: fmt.Sprintf("%d MB free in %s", free/1e6, dir)}
	switch {
	case err != nil:
		return failed("disk", err)
	case free < leastFree:
		c.State, c.Mend = "warning", "free some space; below 1 GB nothing new is taken in"
	}
	return c
}

func checkRelay(ctx context.Context, pool *relays.Pool, origin string, dvm pow.Key) pow.Check {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	name := "relay " + origin
	events, err := pool.Fetch(ctx, origin, relays.Filter{Kinds: []int{envelope.KindAnnouncement}, Authors: []pow.Key{dvm}, D: []string{"powdo"}, Limit: 1})
	switch {
	case err != nil:
		c := failed(name, err)
		c.Mend = "is the hub running, and is the DVM on its list (--dvm NPUB)?"
		return c
	case len(events) == 0:
		return pow.Check{Name: name, State: "warning", Detail: "reached; the announcement is not there", Mend: "start the DVM; it announces itself"}
	}
	return pow.Check{Name: name, State: "ok", Detail: "reached, announcement there"}
}

func checkBlossom(ctx context.Context, c *blossom.Client, origin string) pow.Check {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	name := "files " + origin
	if _, _, err := c.Has(ctx, origin, pow.Hash{}); err != nil {
		f := failed(name, err)
		f.Mend = "is the hub running, and is the DVM on its list (--dvm NPUB)?"
		return f
	}
	return pow.Check{Name: name, State: "ok", Detail: "reached"}
}
