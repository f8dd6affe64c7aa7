package client

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// autostart writes or removes the launch agent that starts the agent at login.
func autostart(self, home string, on bool) error {
	user, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("find the folder of launch agents: %w", err)
	}
	path := filepath.Join(user, "Library", "LaunchAgents", AppID+".plist")
	if !on {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("take pow.do out of the launch agents: %w", err)
		}
		return nil
	}
	var args strings.Builder
	for _, arg := range []string{self, "agent", "--home", home} {
		args.WriteString("<string>")
		if err := xml.EscapeText(&args, []byte(arg)); err != nil {
			return err
		}
		args.WriteString("</string>")
	}
	entry := xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Label</key><string>` + AppID + `</string><key>ProgramArguments</key><array>` + args.String() +
		`</array><key>RunAtLoad</key><true/></dict></plist>
`
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("put pow.do into the launch agents: %w", err)
	}
	return writeWhole(path, []byte(entry))
}
