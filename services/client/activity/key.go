package activity

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// maxKeyFile bounds a config file, maxKey a key in it, in bytes.
const (
	maxKeyFile = 64 << 10
	maxKey     = 1 << 10
)

// defaultKeyFiles are the places of aw-server-rust's config file for a port.
func defaultKeyFiles(port string) []string {
	var folders []string
	if dir, err := os.UserConfigDir(); err == nil {
		folders = append(folders, dir)
	}
	if dir := os.Getenv("LOCALAPPDATA"); runtime.GOOS == "windows" && dir != "" {
		folders = append(folders, dir, filepath.Join(dir, "activitywatch"))
	}
	name := "config.toml"
	if port == testingPort {
		name = "config-testing.toml"
	}
	files := []string{}
	for _, dir := range folders {
		files = append(files, filepath.Join(dir, "activitywatch", "aw-server-rust", name))
	}
	return files
}

const (
	defaultPort = "5600"
	testingPort = "5666"
)

// keysFor reads the keys of those config files that speak of our port. Files
// that are not there or not ours to read have none.
func keysFor(files []string, port string) []string {
	var keys []string
	for _, path := range files {
		text, err := readStart(path)
		if err != nil {
			continue
		}
		filePort, key := parseConfig(text)
		if filePort == "" {
			filePort = defaultPort
			if strings.HasSuffix(path, "-testing.toml") {
				filePort = testingPort
			}
		}
		if filePort == port && key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func readStart(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	return string(b), err
}

// parseConfig finds the two settings that matter in aw-server-rust's TOML: port
// at the top, api_key in [auth]. A key that could not stand in a header is none.
func parseConfig(text string) (port, key string) {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			name, _, _ := strings.Cut(line[1:], "]")
			section = strings.TrimSpace(name)
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		switch name, value = strings.TrimSpace(name), strings.TrimSpace(value); {
		case section == "" && name == "port":
			value, _, _ = strings.Cut(value, "#")
			if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 16); err == nil {
				port = strconv.FormatUint(n, 10)
			}
		case section == "auth" && name == "api_key":
			key = tomlString(value)
		}
	}
	return port, key
}

// tomlString reads a one-line TOML string. In a basic string Go's escapes are
// TOML's, for all that a key can be made of.
func tomlString(value string) string {
	if len(value) < 2 {
		return ""
	}
	quote, rest := value[0], value[1:]
	end := strings.IndexByte(rest, quote)
	text := ""
	switch {
	case quote == '\'' && end >= 0:
		text = rest[:end]
	case quote == '"':
		quoted, err := strconv.QuotedPrefix(value)
		if err != nil {
			return ""
		}
		text, _ = strconv.Unquote(quoted)
	}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return ""
		}
	}
	if len(text) > maxKey {
		return ""
	}
	return text
}
