package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pow.do/app/cli"
	"pow.do/services/dvm/ledger"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

type initCmd struct {
	Role string `help:"What this machine runs: ${enum}." enum:"all,hub,dvm" default:"all"`
}

// Run makes the data folder. What is there already is left alone.
func (c *initCmd) Run(p *program) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	npub := ""
	if c.Role != "hub" {
		secret, err := makeKeys(filepath.Join(dir, "dvm", "keys"))
		if err != nil {
			return err
		}
		npub = identity.Npub(secret.Public())
		d, err := openDesk(p.ctx, dir)
		if err != nil {
			return err
		}
		if err := d.close(); err != nil {
			return err
		}
	}
	if c.Role != "dvm" {
		if err := p.withHub(func(context.Context, *Hub) error { return nil }); err != nil {
			return err
		}
	}
	path := filepath.Join(dir, "config.toml")
	if err := writeConfig(path, c.Role, p.g); err != nil {
		return err
	}
	if p.g.JSON {
		return cli.JSON(p.s.Out, map[string]string{"data": dir, "config": path, "role": c.Role, "dvm_npub": npub})
	}
	fmt.Fprintf(p.s.Out, "Data folder  %s\nConfig file  %s\n", dir, path)
	if npub != "" {
		fmt.Fprintf(p.s.Out, "DVM          %s\n", npub)
	}
	_, err = fmt.Fprintf(p.s.Out, "Next: powdo-server %s\n", c.Role)
	return err
}

// writeConfig writes the commented config file, unless there is one.
func writeConfig(path, role string, g *grammar) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the config file: %w", err)
	}
	var b strings.Builder
	b.WriteString("# powdo-server: flags beat the environment (POWDO_LISTEN, …), which beats this file.\n# Each setting is a flag of the same name; see powdo-server --help.\n\n")
	set := func(for_, comment, line string, isDefault bool) {
		if for_ != role && role != "all" && for_ != "both" {
			return
		}
		if isDefault {
			line = "# " + strings.ReplaceAll(line, "\n", "\n# ")
		}
		fmt.Fprintf(&b, "# %s\n%s\n\n", comment, line)
	}
	set("both", "Name that members see.", fmt.Sprintf("team = %q", g.Team), g.Team == "pow.do")
	set("hub", "Address of the hub: WebSocket and Blossom on one port.", fmt.Sprintf("listen = %q", g.Listen), g.Listen == "127.0.0.1:7447")
	set("hub", "Where the hub is reached from outside; the first is its name, others are aliases.", setting("public-url", g.PublicURL, "https://hub.example.com"), len(g.PublicURL) == 0)
	set("hub", "Get a certificate for this name; listen at port 443 then.", setting("tls-domain", g.TLSDomain, "hub.example.com"), len(g.TLSDomain) == 0)
	set("hub", "Or behind a front: whose X-Forwarded-For is believed.", setting("trusted-proxy", g.TrustedProxy, "127.0.0.1"), len(g.TrustedProxy) == 0)
	set("hub", "Several hubs may share a PostgreSQL database and an S3 bucket; the bucket's key stands in the environment.",
		fmt.Sprintf("database = %q\nblobs = %q", g.Database, g.Blobs), g.Database == "sqlite:" && g.Blobs == "file:")
	set("hub", "How long an archive is kept at most.", `blob-ttl = "336h"`, true)
	set("hub", "Who may manage the hub's whitelist over the network (NIP-86), and the name in its audit log.", `hub-admin = ["anna=npub1…"]`, true)
	if role == "hub" {
		set("hub", "Whose invitations the hub honours: the npub that powdo-server init prints on the DVM's machine.", setting("dvm", g.DVM, "npub1…"), len(g.DVM) == 0)
	}
	if role == "dvm" {
		set("dvm", "Where the DVM collects letters and archives.", "relay = [\"wss://hub.example.com\"]\nblossom = [\"https://hub.example.com\"]", true)
	}
	set("dvm", "Kimai to book in; without it the ledger is the timesheet.", "kimai = \"https://kimai.example.com\"\nkimai-token-file = \"/etc/powdo/kimai-token\"", true)
	set("dvm", "Instead of Kimai: a file of JSON lines, for payroll or another time tracker.", "timesheet-file = \"/var/lib/powdo/hours.jsonl\"", true)
	set("dvm", "A session without a proof for so long is closed.", `silence = "15m"`, true)
	set("both", "Address of /healthz, /readyz and /metrics; keep it on loopback.", fmt.Sprintf("admin = %q", g.Admin), g.Admin == "127.0.0.1:7448")
	set("both", "Reach every other server through this proxy only.", `proxy = "socks5://127.0.0.1:9050"`, true)
	_, err = f.WriteString(b.String())
	return errors.Join(err, f.Sync(), f.Close())
}

// setting is a line of the config file: a list, or an example of one.
func setting(name string, list []string, example string) string {
	if len(list) == 0 {
		list = []string{example}
	}
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return name + " = [" + strings.Join(quoted, ", ") + "]"
}

// openDesk opens the DVM's keys and ledger. Without keys it returns
// pow.ErrNoKey with the way to make them.
func openDesk(ctx context.Context, dir string) (*desk, error) {
	keys, secret, err := openKeys(filepath.Join(dir, "dvm", "keys"))
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(ctx, filepath.Join(dir, "dvm", "ledger.db"))
	if err != nil {
		return nil, err
	}
	return &desk{dir: dir, keys: keys, secret: secret, ledger: l}, nil
}

func (d *desk) close() error { return d.ledger.Close() }

func (p *program) withDVM(f func(context.Context, *desk) error) (err error) {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	d, err := openDesk(p.ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return f(p.ctx, d)
}

// origins returns where invited devices find relays and Blossom servers: what
// the flags or the config file say, else the public URL, else where the server
// said last that it listens.
func (p *program) origins(dir string) (relays, blossom []string, err error) {
	relays, blossom = p.g.Relay, p.g.Blossom
	if len(p.g.PublicURL) > 0 {
		relays, blossom = orList(relays, sockets(p.g.PublicURL[:1])), orList(blossom, p.g.PublicURL[:1])
	}
	if r := lastReady(dir); r.Relay != "" {
		relays, blossom = orList(relays, []string{r.Relay}), orList(blossom, []string{r.Blossom})
	}
	if len(relays) == 0 || len(blossom) == 0 {
		return nil, nil, &pow.Error{Code: pow.ErrUsage.Code, What: "where shall the invited device find relay and Blossom server?", Mend: "name them: --relay URL --blossom URL"}
	}
	return relays, blossom, nil
}

func orList(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}
