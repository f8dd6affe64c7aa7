package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pow.do/app/config"
)

var known = []string{"listen", "public-url", "relay", "silence"}

func write(t *testing.T, text string) string {
	p := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRead(t *testing.T) {
	got, err := config.Read(write(t, "\ufeff# hello\r\nlisten = \":0\"\r\nrelay = [\"a\", \"b\"]\n"), known)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(config.File{"listen": {":0"}, "relay": {"a", "b"}}, got); d != "" {
		t.Error(d)
	}
	if got, err := config.Read(filepath.Join(t.TempDir(), "none"), known); err != nil || len(got) != 0 {
		t.Errorf("a missing file: %v %v", got, err)
	}
}

// CF-2 and CF-5: the text names the line, and the nearest setting.
func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"\nlisen = \":0\"":               `line 2: no setting is called "lisen"; did you mean "listen"?`,
		"listen = \"a\"\nlisten = \"b\"": "line 2",
		"relay = [1]":                    "list of texts",
		"listen = 1.5":                   "want a text",
		"listen = ":                      "line 1",
		"listen = \"\xff\"":              "not UTF-8",
		strings.Repeat("#", 1<<20+1):     "at most 1 MiB",
	} {
		if _, err := config.Read(write(t, text), known); !errors.Is(err, config.ErrBadFile) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	if _, err := config.Read(t.TempDir(), known); !errors.Is(err, config.ErrBadFile) {
		t.Errorf("a folder: %v", err)
	}
}

func TestPrivateDir(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a", "b")
	if err := config.PrivateDir(p); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := config.PrivateDir(p); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Error(err)
	}
}
