package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/assets"
	"pow.do/services/client/control"
	"pow.do/services/pow"
	"pow.do/ui"
)

// agentStart is how long a new agent may take until it answers, agentRival how
// long another one is waited for when the new one ended.
const (
	agentStart = 10 * time.Second
	agentRival = 3 * time.Second
)

type windowCmd struct {
	Link string `arg:"" optional:"" help:"An invite link (powdo://join#…) to open the window with."`
	Page string `help:"Page to show: ${enum}." enum:"timer,review,outbox,history,settings,register,welcome," default:""`
}

// raiseTime is how long a window that was just started is waited for.
const raiseTime = 10 * time.Second

// raise brings the first window to the front, in the place of a second one.
func (p *program) raise(r remote, page string) error {
	ctx, cancel := context.WithTimeout(p.ctx, raiseTime)
	defer cancel()
	for {
		err := r.Show(ctx, page)
		if !errors.Is(err, pow.ErrNoWindow) || ctx.Err() != nil {
			return err
		}
		sleep(ctx, 100*time.Millisecond) // it has not come so far as to listen
	}
}

func (c *windowCmd) Run(p *program) error {
	if c.Link != "" {
		if _, err := parseLink(c.Link); err != nil {
			return err
		}
		c.Page = c.Link
	}
	home, err := p.home()
	if err != nil {
		return err
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" && needsDisplay {
		return &pow.Error{Code: pow.ErrNoDisplay.Code, What: "there is no display to open a window on", Mend: "the commands do the same; see powdo --help"}
	}
	if err := p.ensureAgent(home); err != nil {
		return err
	}
	unlock, err := control.WindowLock(home)
	if errors.Is(err, pow.ErrInUse) {
		return p.raise(remote{control.Client{Home: home}}, c.Page)
	}
	if err != nil {
		return err
	}
	defer func() { _ = unlock() }() // it ends with the process
	// Fyne logs an error for every start without it.
	if cache, err := os.UserCacheDir(); err == nil {
		if err := os.MkdirAll(cache, 0o700); err != nil {
			p.log().Debug("no cache folder", "error", err)
		}
	}
	icon := fyne.NewStaticResource("powdo.png", assets.AppIcon)
	app := p.newApp(fyne.AppMetadata{ID: AppID, Name: AppName, Version: Version, Build: Build, Icon: icon, Release: true, Migrations: map[string]bool{"fyneDo": true}})
	app.SetIcon(icon)
	// Pictures come and go in large pieces: without this a day of them is kept in
	// memory twice.
	debug.SetGCPercent(40)
	reopen, env := false, os.Environ() // before the window puts its size there
	w := ui.New(app, reviving{remote{control.Client{Home: home}}, p, home}, ui.Options{Version: Version, Build: revision(), Open: c.Page,
		Restart: func(context.Context) error { return p.restartAgent(home) },
		Reopen:  func() { reopen = true }})
	stop := context.AfterFunc(p.ctx, app.Quit)
	defer stop()
	w.Run()
	if !reopen {
		return nil
	}
	return errors.Join(unlock(), p.reopen(home, env))
}

// restartAgent ends the agent and starts this program's.
func (p *program) restartAgent(home string) error {
	if err := p.stopAgent(remote{control.Client{Home: home}}); err != nil {
		return err
	}
	return p.ensureAgent(home)
}

// revision names the commit that this program was made from, where that is known.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

// reopen starts a new window in the place of one that has closed.
func (p *program) reopen(home string, env []string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, "--home", home, "window")
	cmd.Env, cmd.SysProcAttr = env, detached()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open the window again: %w", err)
	}
	return nil
}

// reviving is the window's agent: when it is lost, the next look starts a new one.
type reviving struct {
	remote
	p    *program
	home string
}

// Status implements API.
func (r reviving) Status(ctx context.Context) (pow.Status, error) {
	s, err := r.remote.Status(ctx)
	if !errors.Is(err, pow.ErrNoAgent) {
		return s, err
	}
	if err := r.p.ensureAgent(r.home); err != nil {
		return s, err
	}
	return r.remote.Status(ctx)
}

// Watch implements API: this is the one window, which can be asked for a page.
func (r reviving) Watch(ctx context.Context, fn func(pow.Status)) error {
	return r.WatchWindow(ctx, fn)
}

// ensureAgent starts an agent when none answers, and waits until it does.
func (p *program) ensureAgent(home string) error {
	r := remote{control.Client{Home: home}}
	if _, err := r.Status(p.ctx); !errors.Is(err, pow.ErrNoAgent) {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	args := []string{"agent", "--home", home, "--log-level", p.g.LogLevel}
	if p.g.PassphraseFile != "" {
		args = append(args, "--passphrase-file", p.g.PassphraseFile)
	}
	if p.g.Proxy != "" {
		args = append(args, "--proxy", p.g.Proxy)
	}
	for _, d := range p.g.Display {
		args = append(args, "--display", strconv.Itoa(d))
	}
	cmd := exec.Command(self, args...)
	cmd.SysProcAttr = detached() // it outlives this window
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(p.ctx, agentStart)
	defer cancel()
	failure := &pow.Error{Code: pow.ErrNoAgent.Code, What: "the agent does not answer", Mend: "run powdo agent in a terminal to see why"}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := r.Status(ctx); err == nil {
			return nil
		}
		select {
		case <-ended:
			// Perhaps one that was started at the same moment is about to answer.
			ended, failure.What = nil, "the agent ended at once"
			ctx, cancel = context.WithTimeout(ctx, agentRival)
			defer cancel()
		case <-ctx.Done():
			return failure
		case <-tick.C:
		}
	}
}

type agentCmd struct {
	Stop bool `help:"End the running agent."`
}

func (c *agentCmd) Run(p *program) error {
	home, err := p.home()
	if err != nil {
		return err
	}
	if c.Stop {
		return p.stopAgent(remote{control.Client{Home: home}})
	}
	ln, err := control.Listen(p.ctx, home)
	if err != nil {
		return err
	}
	p.desktop = true
	a, err := p.openAfterCommands(home)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return errors.Join(a.Run(p.ctx, ln), a.Close())
}

// openAfterCommands opens the home folder. Only one agent has its door, so who
// else holds the folder is a command that works without one and ends soon.
func (p *program) openAfterCommands(home string) (a *Agent, err error) {
	ctx, cancel := context.WithTimeout(p.ctx, agentStart)
	defer cancel()
	for {
		a, err = p.open(home, p.log())
		if !errors.Is(err, pow.ErrInUse) || ctx.Err() != nil {
			return a, err
		}
		sleep(ctx, 100*time.Millisecond)
	}
}

// stopAgent asks the agent to end and waits until its door is closed.
func (p *program) stopAgent(r remote) error {
	if err := r.Quit(p.ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, agentStart)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := r.Status(ctx); errors.Is(err, pow.ErrNoAgent) {
			return nil
		}
		select {
		case <-ctx.Done():
			return pow.ErrTimeout
		case <-tick.C:
		}
	}
}
