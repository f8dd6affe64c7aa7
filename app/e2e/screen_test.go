package e2e_test

import (
	"os/exec"
	"strings"
)

// xdotool drives the display of the world.
func (w *world) xdotool(args ...string) (string, error) {
	cmd := exec.Command("xdotool", args...)
	cmd.Env = append(cmd.Environ(), "DISPLAY="+w.display)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func (w *world) windowShown() bool {
	out, err := w.xdotool("search", "--onlyvisible", "--name", `^pow\.do$`)
	return err == nil && out != ""
}
