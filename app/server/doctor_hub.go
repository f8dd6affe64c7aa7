package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"pow.do/services/pow"
)

// checkHub checks what a hub needs: its database, a place for blobs, whose
// invitations it honours, and that it is reached where it says.
func (p *program) checkHub() (checks []pow.Check) {
	add := func(name string, err error, detail, mend string) {
		c := pow.Check{Name: name, State: "ok", Detail: detail}
		if err != nil {
			c = failed(name, err)
			c.Mend = mend
		}
		checks = append(checks, c)
	}
	dir, err := p.dir()
	if err == nil {
		err = p.probeHub(filepath.Join(dir, "hub"))
	}
	add("database and blobs", err, "they answer", "look at --database and --blobs, and the keys in the environment")
	if len(p.g.DVM) == 0 {
		checks = append(checks, pow.Check{Name: "DVM", State: "failed", Detail: "none is named", Mend: "name the one whose invitations count: --dvm NPUB"})
	}
	for _, o := range hubOrigins(p.g, "") {
		add("reached at "+o, p.askHub(o), "the hub answers, and knows its name",
			"does the name point here, is the hub running, and does the front pass Host and Upgrade on?")
	}
	return checks
}

func (p *program) probeHub(dir string) error {
	h, err := OpenHub(p.ctx, HubConfig{Dir: dir, Database: p.g.Database, Blobs: p.g.Blobs, Claims: &claims{}, Log: p.log()})
	if err != nil {
		return err
	}
	defer h.Close()
	return h.Ready(p.ctx)
}

// askHub asks for the relay information document (NIP-11).
func (p *program) askHub(origin string) error {
	ctx, cancel := context.WithTimeout(p.ctx, doctorTime)
	defer cancel()
	dialer, err := newDialer(p.g.Proxy)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(origin, "/")+"/", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/nostr+json")
	resp, err := dialer.HTTPClient(func(string) bool { return true }).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var about struct {
		NIPs []int `json:"supported_nips"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&about)
	switch {
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("answered %s", resp.Status)
	case err != nil || !slices.Contains(about.NIPs, 59):
		return errors.New("something else answers there")
	}
	return nil
}
