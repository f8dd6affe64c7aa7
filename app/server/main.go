// Package server builds the headless program: the roles hub (relay and blob
// store, the public server), dvm (the private server) and all (both in one
// process). This is the only place that knows all parts of the servers.
//
// The two roles share nothing but this process: the DVM of role "all" reaches
// its own hub through the same WebSocket and HTTP as one on another machine.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a small server image has no zone files, and members' days need them

	"pow.do/app/cli"
	"pow.do/app/config"
)

// Version is the program's version.
const Version = "0.1.0"

// grammar is the command line. A command that does not exist yet is not listed.
type grammar struct {
	Data      string `help:"Folder that holds all that this program keeps." placeholder:"DIR" type:"path"`
	Config    string `help:"Config file; default: config.toml in the data folder." placeholder:"FILE" type:"path"`
	LogLevel  string `help:"How much to log: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat string `help:"Form of the log: ${enum}." enum:"text,json" default:"text"`
	JSON      bool   `help:"Print one JSON document." name:"json"`

	Listen         string        `help:"Address of the hub: WebSocket and Blossom on one port." default:"127.0.0.1:7447" placeholder:"ADDR"`
	Admin          string        `help:"Address of /healthz, /readyz and /metrics." default:"127.0.0.1:7448" placeholder:"ADDR"`
	PublicURL      []string      `help:"Where the hub is reached from outside; the first is its name, others are aliases." placeholder:"URL"`
	Team           string        `help:"Name that members see." default:"pow.do" placeholder:"TEXT"`
	DVM            []string      `help:"Hub: whose invitations it honours." name:"dvm" placeholder:"NPUB"`
	HubAdmin       []string      `help:"Hub: who may manage its whitelist over the network, and the name in its audit log." placeholder:"NAME=NPUB"`
	Relay          []string      `help:"DVM: relay to collect letters from." placeholder:"URL"`
	Blossom        []string      `help:"DVM: Blossom server to fetch archives from." placeholder:"URL"`
	Database       string        `help:"Hub: sqlite: in the data folder, or postgres://…, which several hubs may share. With a password, set it in the config file or POWDO_DATABASE." default:"sqlite:" placeholder:"URL"`
	Blobs          string        `help:"Hub: file: in the data folder, or s3://BUCKET?endpoint=URL, which several hubs may share." default:"file:" placeholder:"URL"`
	TLSDomain      []string      `help:"Hub: get a certificate for this name from an ACME server, which must reach --listen at port 443." name:"tls-domain" placeholder:"HOST"`
	ACMEURL        string        `help:"Hub: the ACME server's directory." name:"acme-url" default:"https://acme-v02.api.letsencrypt.org/directory" placeholder:"URL"`
	ACMEEmail      string        `help:"Hub: where the ACME server may write to." name:"acme-email" placeholder:"ADDRESS"`
	TLSCert        string        `help:"Hub: certificate and chain (PEM)." name:"tls-cert" placeholder:"FILE" type:"path"`
	TLSKey         string        `help:"Hub: the certificate's key (PEM)." name:"tls-key" placeholder:"FILE" type:"path"`
	TrustedProxy   []string      `help:"Hub: front whose X-Forwarded-For is believed." placeholder:"ADDR|NET"`
	BlobTTL        time.Duration `help:"Hub: how long an archive is kept at most." name:"blob-ttl" default:"336h"`
	Kimai          string        `help:"DVM: Kimai to book in; without it the ledger is the timesheet." placeholder:"URL"`
	KimaiTokenFile string        `help:"File whose first line is the token of the DVM's Kimai account." placeholder:"FILE" type:"path"`
	TimesheetFile  string        `help:"DVM: file of JSON lines to book in, instead of Kimai." placeholder:"FILE" type:"path"`
	Silence        time.Duration `help:"DVM: a session without a proof for so long is closed." default:"15m"`
	Proxy          string        `help:"Reach every other server through this proxy only." placeholder:"socks5://HOST:PORT"`

	Init       initCmd       `cmd:"" help:"Make the data folder, keys and a commented config file."`
	All        allCmd        `cmd:"" help:"Run hub and DVM in one process; nothing else is needed."`
	Hub        hubCmd        `cmd:"" help:"Run relay and Blossom only: the public server. Or change its whitelist by hand."`
	Dvm        dvmCmd        `cmd:"" help:"Run the DVM only: the private server."`
	Invite     inviteCmd     `cmd:"" help:"Print an invite link."`
	Members    membersCmd    `cmd:"" help:"List and change members."`
	Projects   projectsCmd   `cmd:"" help:"List and change projects."`
	Sessions   sessionsCmd   `cmd:"" help:"Show what was proven."`
	Proofs     proofsCmd     `cmd:"" help:"Show every proof with its checks."`
	Quarantine quarantineCmd `cmd:"" help:"Look after what could not be processed."`
	Admins     adminsCmd     `cmd:"" help:"Say who may look at evidence in the browser, and show who did."`
	Report     reportCmd     `cmd:"" help:"Write hours and evidence for a member, project or period."`
	Export     exportCmd     `cmd:"" help:"Write out everything that is held of a member."`
	Erase      eraseCmd      `cmd:"" help:"Erase a member's archives, activity, notes and names."`
	Keys       keysCmd       `cmd:"" help:"Show and rotate the DVM's keys."`
	Import     importCmd     `cmd:"" help:"Take a proof that came by hand."`
	Doctor     doctorCmd     `cmd:"" help:"Check everything, and name the mend."`

	Completion cli.CompletionCmd `cmd:"" help:"Print the completion script of a shell."`
	Man        cli.ManCmd        `cmd:"" hidden:"" help:"Print the manual page."`
}

// Main runs the server program and returns its exit code.
func Main(args []string) int {
	s := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, args, s)
}

func run(ctx context.Context, args []string, s cli.Streams) int {
	g := new(grammar)
	reread := func() (*grammar, error) {
		g := new(grammar)
		return g, commandLine(g).Read(args)
	}
	return commandLine(g).Run(args, s, &program{ctx: ctx, g: g, s: s, reread: reread})
}

func commandLine(g *grammar) cli.Program {
	return cli.Program{Name: "powdo-server", Description: "The servers of pow.do.", Grammar: g, EnvPrefix: "POWDO", ConfigFile: configFile}
}

// program is what every command's Run gets.
type program struct {
	ctx context.Context
	g   *grammar
	s   cli.Streams
	// reread reads all settings again.
	reread func() (*grammar, error)
}

func (p *program) log() *slog.Logger { return cli.Logger(p.s.Err, p.g.LogLevel, p.g.LogFormat) }

// dir returns the data folder, made private.
func (p *program) dir() (string, error) {
	dir, err := dataDir(p.g.Data)
	if err != nil {
		return "", err
	}
	return dir, config.PrivateDir(dir)
}

func dataDir(flag string) (string, error) {
	if flag != "" {
		return filepath.Abs(flag)
	}
	dir, err := config.ServerData()
	if err != nil {
		err = fmt.Errorf("find the data folder: %w", err)
	}
	return dir, err
}

// configFile finds the config file before the flags are parsed.
func configFile(args []string) (path string, named bool) {
	if c := flagOf(args, "--config", "POWDO_CONFIG"); c != "" {
		return c, true
	}
	dir, err := dataDir(flagOf(args, "--data", "POWDO_DATA"))
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "config.toml"), false
}

func flagOf(args []string, name, env string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
		if a == name && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv(env)
}
