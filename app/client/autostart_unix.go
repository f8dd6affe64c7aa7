//go:build unix && !darwin

package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// autostart writes or removes the desktop entry that starts the agent at login
// (XDG autostart). Its name gives the agent the app id that the desktop's
// permissions belong to.
func autostart(self, home string, on bool) error {
	dir, err := os.UserConfigDir()
	if err != nil {
		return fmt.Errorf("find the folder of autostart: %w", err)
	}
	path := filepath.Join(dir, "autostart", AppID+".desktop")
	if !on {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("take pow.do out of autostart: %w", err)
		}
		return nil
	}
	entry := "[Desktop Entry]\nType=Application\nName=" + AppName + "\nComment=Time, with proof of work\nIcon=" + AppID +
		"\nExec=" + execQuote(self) + " agent --home " + execQuote(home) + "\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("put pow.do into autostart: %w", err)
	}
	return writeWhole(path, []byte(entry))
}

// execQuote quotes one argument of a desktop entry's Exec line.
func execQuote(s string) string {
	s = strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`, "`", "\\\\`", `$`, `\\$`, `%`, `%%`).Replace(s)
	return `"` + s + `"`
}
