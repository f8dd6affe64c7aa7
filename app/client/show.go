package client

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"pow.do/services/pow"
)

// frontPage asks a window only to come to the front.
const frontPage = "front"

// maxPage bounds the page of Show, in bytes: a name, or an invite link.
const maxPage = 4096

// Show implements API.
func (a *Agent) Show(_ context.Context, page string) error {
	if len(page) > maxPage {
		return pow.ErrUsage
	}
	a.mu.Lock()
	if a.windows == 0 {
		a.mu.Unlock()
		return pow.ErrNoWindow
	}
	if a.open = page; page == "" {
		a.open = frontPage
	}
	a.mu.Unlock()
	a.changed()
	return nil
}

// WatchWindow implements API.
func (a *Agent) WatchWindow(ctx context.Context, fn func(pow.Status)) error {
	a.mu.Lock()
	a.windows++
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.windows--
		a.mu.Unlock()
	}()
	return a.Watch(ctx, func(s pow.Status) {
		a.mu.Lock()
		s.Open, a.open = a.open, ""
		a.mu.Unlock()
		fn(s)
	})
}

// attended tells whether a window watches.
func (a *Agent) attended() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.windows > 0
}

// openWindow shows a page in the window that there is, or in a new one. token
// lets it come to the front on desktops that ask for one.
func (a *Agent) openWindow(ctx context.Context, page, token string) error {
	if a.Show(ctx, page) == nil {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	args := []string{"window", "--home", a.cfg.Home}
	if page != "" {
		args = append(args, "--page", page)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = windowEnv(ctx, os.Environ(), token)
	cmd.SysProcAttr = detached() // it outlives the agent
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open the window: %w", err)
	}
	go func() { _ = cmd.Wait() }() // the window's end is its own affair
	return nil
}

// displayNames are what a program needs to reach the screen.
var displayNames = []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP", "DBUS_SESSION_BUS_ADDRESS"}

// windowEnv is the environment of a new window. An agent that was started before
// the desktop has no display of its own; then the user's service manager is asked.
func windowEnv(ctx context.Context, env []string, token string) []string {
	if needsDisplay && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, "systemctl", "--user", "show-environment").Output()
		if err == nil {
			env = append(env, displayOf(string(out))...)
		}
	}
	if token != "" {
		env = append(env, "XDG_ACTIVATION_TOKEN="+token, "DESKTOP_STARTUP_ID="+token)
	}
	return env
}

// displayOf picks what is about the display out of a list of variables.
func displayOf(list string) (out []string) {
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		name, _, _ := strings.Cut(line, "=")
		for _, n := range displayNames {
			if n == name {
				out = append(out, line)
			}
		}
	}
	return out
}
