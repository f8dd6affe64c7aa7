// Package client builds the desktop program: the agent, which owns queue,
// timer, captures, outbox and keys and runs all day; the window, which is a view
// of it; and the command line. This is the only place that knows all parts of
// the desktop.
//
// Every command but the window and the agent talks to the running agent; when
// there is none, it opens the home folder itself, does its work and ends.
package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"fyne.io/fyne/v2"

	"pow.do/app/cli"
	"pow.do/app/config"
	"pow.do/services/client/control"
	"pow.do/services/pow"
)

// What the program says of itself. FyneApp.toml holds the same; a test compares.
const (
	AppID   = "do.pow.client"
	AppName = "pow.do"
	Version = "0.1.0"
	Build   = 1
)

// NewApp makes the Fyne app. Only main may import the package that can, and
// only the window calls it, so that no other command starts a graphics driver.
type NewApp func(fyne.AppMetadata) fyne.App

// grammar is the command line. A command that does not exist yet is not listed.
type grammar struct {
	Home           string `help:"Folder that holds all that this program keeps." placeholder:"DIR" type:"path"`
	PassphraseFile string `help:"File whose first line unlocks the keys." placeholder:"FILE" type:"path"`
	LogLevel       string `help:"How much to log: ${enum}." enum:"debug,info,warn,error" default:"warn"`
	Proxy          string `help:"Reach every server through this proxy only." placeholder:"socks5://HOST:PORT"`
	Display        []int  `help:"Number of a monitor to take pictures of (repeatable); default: every one." placeholder:"N"`
	JSON           bool   `help:"Print one JSON document." name:"json"`

	Window   windowCmd    `cmd:"" default:"withargs" help:"Open the window (the default)."`
	Agent    agentCmd     `cmd:"" help:"Capture and deliver until stopped."`
	Join     joinCmd      `cmd:"" help:"Connect this device to a team with an invite link."`
	Projects projectsCmd  `cmd:"" help:"List the projects that you may book, and agree to what they ask for."`
	Start    startCmd     `cmd:"" help:"Start the timer, or switch it to another project."`
	Stop     stopCmd      `cmd:"" help:"Stop the timer."`
	Pause    pauseCmd     `cmd:"" help:"Let the timer stand still: until you resume, or off the record for a time."`
	Resume   resumeCmd    `cmd:"" help:"Go on after a pause."`
	OffRec   offRecordCmd `cmd:"" name:"offrecord" help:"Record nothing: no time, no picture, no app times."`
	Away     awayCmd      `cmd:"" help:"Say what becomes of the time that you were away."`
	Status   statusCmd    `cmd:"" help:"Tell what is going on."`
	Capture  captureCmd   `cmd:"" help:"Take one picture of every display now."`
	Review   reviewCmd    `cmd:"" help:"Look at held pictures, and change or remove them."`
	Entries  entriesCmd   `cmd:"" help:"Show what was tracked, and correct it before it is registered."`
	Apps     appsCmd      `cmd:"" help:"Show app times as they would leave, and leave some out."`
	Register registerCmd  `cmd:"" help:"Seal what is held and put it in the outbox."`
	Outbox   outboxCmd    `cmd:"" help:"Show every proof and its state."`
	Drain    drainCmd     `cmd:"" help:"Deliver until the outbox is empty."`
	Export   exportCmd    `cmd:"" help:"Write a sealed proof to a file, to be carried by hand."`
	Import   importCmd    `cmd:"" help:"Take the answer that came back by hand."`
	History  historyCmd   `cmd:"" help:"Show the time of days and projects, and how far it is covered."`
	Verify   verifyCmd    `cmd:"" help:"Check an evidence bundle or an opened archive, offline; without a file: the proofs kept here."`
	Keys     keysCmd      `cmd:"" help:"Look after the keys: show, back up, restore, lock, unlock."`
	Forget   forgetCmd    `cmd:"" help:"Erase what is kept here; says what is left elsewhere."`
	Leave    leaveCmd     `cmd:"" help:"End your membership of the team."`
	Rehearse rehearseCmd  `cmd:"" help:"Take, seal, open and forget a picture; offline."`
	Settings settingsCmd  `cmd:"" help:"Show and change your settings."`
	Windows  windowsCmd   `cmd:"" help:"List the windows that a picture would show now."`
	Doctor   doctorCmd    `cmd:"" help:"Check everything, and name the mend."`

	Completion cli.CompletionCmd `cmd:"" help:"Print the completion script of a shell."`
	Man        cli.ManCmd        `cmd:"" hidden:"" help:"Print the manual page."`
}

// Main runs the desktop program and returns its exit code.
func Main(newApp NewApp, args []string) int {
	s := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, newApp, args, s)
}

func run(ctx context.Context, newApp NewApp, args []string, s cli.Streams) int {
	var g grammar
	p := cli.Program{Name: "powdo", Description: "Time, with proof of work.", Grammar: &g, EnvPrefix: "POWDO"}
	return p.Run(args, s, &program{ctx: ctx, newApp: newApp, g: &g, s: s})
}

// program is what every command's Run gets.
type program struct {
	ctx    context.Context
	newApp NewApp
	g      *grammar
	s      cli.Streams
	// desktop: this is the agent, which has a face of its own.
	desktop bool
}

func (p *program) home() (string, error) {
	home := p.g.Home
	if home == "" {
		var err error
		if home, err = config.DesktopHome(); err != nil {
			return "", fmt.Errorf("find the home folder: %w", err)
		}
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return "", err
	}
	return home, config.PrivateDir(home)
}

func (p *program) log() *slog.Logger { return cli.Logger(p.s.Err, p.g.LogLevel, "text") }

// open builds an Agent of this process.
func (p *program) open(home string, log *slog.Logger) (*Agent, error) {
	return Open(p.ctx, Config{Home: home, Passphrase: p.passphrase, Proxy: p.g.Proxy, Displays: p.g.Display, Desktop: p.desktop, Log: log})
}

// maxPassphraseFile bounds the file that --passphrase-file names, in bytes.
const maxPassphraseFile = 1 << 10

// passphrase reads the first line of --passphrase-file; "" when there is none.
func (p *program) passphrase() (string, error) { return readPassphrase(p.g.PassphraseFile) }

// readPassphrase reads the first line of a file; "" when none is named.
func readPassphrase(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	fi, err := os.Stat(file)
	if err == nil && (!fi.Mode().IsRegular() || fi.Size() > maxPassphraseFile) {
		err = errors.New("not a small regular file")
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("read the passphrase file: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" { // it would silently mean the keyring
		return "", &pow.Error{Code: pow.ErrUsage.Code, What: "the first line of the passphrase file is empty", Mend: "write the passphrase there"}
	}
	return line, nil
}

// with calls f with the running agent, or with one opened for this command
// only. deliver tells whether that one is to reach the servers meanwhile.
func (p *program) with(deliver bool, f func(ctx context.Context, a API) error) error {
	home, err := p.home()
	if err != nil {
		return err
	}
	r := remote{control.Client{Home: home}}
	if _, err := r.Status(p.ctx); !errors.Is(err, pow.ErrNoAgent) {
		return f(p.ctx, r)
	}
	a, err := p.open(home, p.log())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(p.ctx)
	done := make(chan error, 1)
	if deliver {
		go func() { done <- a.Deliver(ctx) }()
	} else {
		done <- nil
	}
	err = f(ctx, a)
	cancel()
	return errors.Join(err, <-done, a.Close())
}
