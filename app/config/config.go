// Package config reads the settings of both programs.
//
// Flags beat the environment (POWDO_…), the environment beats the config file,
// the config file beats defaults. The file is TOML whose keys are the names of
// the flags; a key that no flag has is an error that names the nearest one, so
// that a typo never silently means "default".
package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// MaxFile bounds a config file, in bytes.
const MaxFile = 1 << 20

// ErrBadFile means that the config file cannot be used; the text says why and where.
var ErrBadFile = errors.New("bad config file")

// File is a config file's settings: flag name → text as it would stand on the
// command line, one per value.
type File map[string][]string

// Read reads a config file. A missing one is empty. known lists the flags.
func Read(path string, known []string) (File, error) {
	b, err := readBounded(path)
	if errors.Is(err, os.ErrNotExist) {
		return File{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrBadFile, path, err)
	}
	var values map[string]any
	if _, err := toml.Decode(strings.TrimPrefix(string(b), "\ufeff"), &values); err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return nil, fmt.Errorf("%w %s, line %d: %s", ErrBadFile, path, pe.Position.Line, pe.Message)
		}
		return nil, fmt.Errorf("%w %s: %w", ErrBadFile, path, err)
	}
	f := File{}
	for key, v := range values {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("%w %s, line %d: no setting is called %q; did you mean %q?",
				ErrBadFile, path, lineOf(b, key), key, nearest(key, known))
		}
		if f[key], err = texts(v); err != nil {
			return nil, fmt.Errorf("%w %s, line %d: %s: %w", ErrBadFile, path, lineOf(b, key), key, err)
		}
	}
	return f, nil
}

func readBounded(path string) ([]byte, error) {
	fi, err := os.Stat(path) // before Open, which would wait on a FIFO
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() || fi.Size() > MaxFile {
		return nil, errors.New("not a regular file of at most 1 MiB")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err == nil && !utf8.Valid(b) {
		err = errors.New("not UTF-8")
	}
	return b, err
}

func texts(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case int64, bool:
		return []string{fmt.Sprint(v)}, nil
	case []any:
		var out []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, errors.New("want a list of texts")
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, errors.New("want a text, a whole number, true, false, or a list of texts")
}

func lineOf(b []byte, key string) int {
	for i, l := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(strings.TrimLeft(l, " \t\"'"), key) {
			return i + 1
		}
	}
	return 1
}

// nearest returns the known name with the least edits to s.
func nearest(s string, known []string) (best string) {
	least := 1 << 30
	for _, k := range known {
		if d := edits(s, k); d < least {
			best, least = k, d
		}
	}
	return best
}

func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// DesktopHome returns the platform's data folder for the desktop program.
func DesktopHome() (string, error) {
	switch runtime.GOOS {
	case "windows", "darwin":
		d, err := os.UserConfigDir() // %AppData%, ~/Library/Application Support
		return filepath.Join(d, "pow.do"), err
	}
	if d := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "pow.do"), nil
	}
	h, err := os.UserHomeDir()
	return filepath.Join(h, ".local", "share", "pow.do"), err
}

// ServerData returns the default data folder of the servers.
func ServerData() (string, error) {
	if os.Getuid() == 0 {
		return "/var/lib/powdo", nil
	}
	h, err := DesktopHome()
	return h + "-server", err
}

// PrivateDir makes a folder that only our user may enter, and refuses one that
// others may.
func PrivateDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at the data folder: %w", err)
	}
	if runtime.GOOS != "windows" && fi.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s may be entered by others; chmod 700 it", path)
	}
	return nil
}

// Proxy returns host:port of a --proxy; "" is no proxy. Anything else that is not
// socks5://HOST:PORT is an error: a proxy that was asked for and is not understood
// must not come to mean a direct connection.
func Proxy(flag string) (addr string, err error) {
	if flag == "" {
		return "", nil
	}
	addr, ok := strings.CutPrefix(flag, "socks5://")
	host, port, err := net.SplitHostPort(addr)
	if n, e := strconv.ParseUint(port, 10, 16); !ok || err != nil || host == "" || e != nil || n == 0 {
		return "", errors.New("--proxy: want socks5://HOST:PORT")
	}
	return addr, nil
}
