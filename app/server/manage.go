package server

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"pow.do/app/cli"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// maxAdminName bounds the name of an admin, in bytes.
const maxAdminName = 40

// hubAdmins reads NAME=NPUB: each admin of a hub has a key and a name, so that
// the audit log says who did what.
func hubAdmins(list []string) (map[pow.Key]string, error) {
	admins, names := map[pow.Key]string{}, map[string]bool{shell: true, "dvm": true}
	for _, s := range list {
		name, npub, ok := strings.Cut(s, "=")
		k, err := identity.ParseNpub(npub)
		switch {
		case !ok || err != nil || name == "" || len(name) > maxAdminName || strings.ContainsFunc(name, notInName):
			return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "--hub-admin is not NAME=NPUB", Mend: "for example anna=npub1…", Err: err}
		case names[name] || admins[k] != "":
			return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "--hub-admin: " + name + " or its key is there already", Mend: "give each admin one name and one key"}
		}
		admins[k], names[name] = name, true
	}
	return admins, nil
}

func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
}

type hubAuditCmd struct {
	Last int `help:"Show so many, the newest." default:"1000" placeholder:"N"`
}

// Run prints who changed the whitelist, oldest first.
func (c *hubAuditCmd) Run(p *program) error {
	if c.Last < 1 {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "--last must be at least 1"}
	}
	return p.withHub(func(ctx context.Context, h *Hub) error {
		deeds, err := h.Audit(ctx, c.Last)
		if err != nil {
			return err
		}
		type line struct {
			At     time.Time `json:"at"`
			By     string    `json:"by"`
			Npub   string    `json:"by_npub,omitempty"`
			Method string    `json:"method"`
			Key    string    `json:"key_npub,omitempty"`
		}
		lines := []line{}
		for _, d := range deeds {
			l := line{At: d.At, By: d.Name, Method: d.Method}
			if !d.By.IsZero() {
				l.Npub = identity.Npub(d.By)
			}
			if !d.Target.IsZero() {
				l.Key = identity.Npub(d.Target)
			}
			lines = append(lines, l)
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, lines)
		}
		for _, l := range lines {
			fmt.Fprintln(p.s.Out, strings.TrimRight(fmt.Sprintf("%s  %s  %s  %s", l.At.Format(time.RFC3339), l.By, l.Method, l.Key), " "))
		}
		return nil
	})
}
