package backup_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/input"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

const (
	sealed = "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p"
	good   = "four words are good"
)

type desk struct {
	agenda uitest.Agenda
	view   *backup.View
	wrong  error
	phrase string
	test   pow.BackupTest
	tested int
	dir    string
}

func (d *desk) Backup(_ context.Context, phrase string) (string, error) {
	d.phrase = phrase
	return sealed, d.wrong
}
func (d *desk) TestBackup(_ context.Context, b pow.BackupTest) error { d.test = b; return d.wrong }

func open(t *testing.T) (*desk, *uitest.Screen) {
	uitest.App(t, theme.Light, "en")
	d := &desk{dir: t.TempDir()}
	files := backup.Disk()
	files.Home = d.dir
	d.view = backup.NewView(backup.Config{Agent: d, Async: d.agenda.Go, Files: files, Tested: func() { d.tested++ }}, uitest.Clock, uitest.Say)
	return d, uitest.Show(t, d.view.Body, 700, 800)
}

// A backup is a real file that only its owner may read, and it counts once that
// very file was opened again.
func TestMakeAndTest(t *testing.T) {
	d, s := open(t)
	s.Entry("four or five words").SetText(good)
	s.Entry("so that no slip locks you out").SetText(good)
	s.Press("Write the backup")
	s.See("Working on it")
	d.agenda.Run()
	s.See("Written, not tested yet")
	path := filepath.Join(d.dir, "pow-do-key-2026-11-20.ncryptsec")
	b, err := os.ReadFile(path)
	if err != nil || string(b) != sealed+"\n" || d.phrase != good {
		t.Fatalf("%v %q", err, b)
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", i.Mode(), err)
	}
	if s.Entry("four or five words").Text != "" {
		t.Error("the passphrase stays in its field")
	}
	s.Press("Open it and test")
	s.See("Type something first.")
	s.Entry("type it from memory").SetText(good)
	d.wrong = pow.ErrLocked
	s.Press("Open it and test")
	d.agenda.Run()
	s.See("Said: the keys are locked")
	if d.tested != 0 {
		t.Error("a backup that did not open counts")
	}
	d.wrong = nil
	s.Press("Open it and test")
	d.agenda.Run()
	s.See("The backup is good")
	if d.tested != 1 || d.test.Ncryptsec != sealed || d.test.Passphrase != good {
		t.Errorf("%d %+v", d.tested, d.test)
	}
	s.Walk()
}

// What cannot be used changes nothing, is said below its field and stays there.
func TestBadInput(t *testing.T) {
	d, s := open(t)
	if err := os.WriteFile(filepath.Join(d.dir, "there"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "huge"), []byte(strings.Repeat(sealed, 9000)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := d.view.Presenter
	for _, c := range []struct {
		name string
		do   func()
		at   backup.Field
		want input.Fault
	}{
		{"short", func() { p.Make("short", "short", "~/a") }, backup.Phrase, input.Short},
		{"long", func() { p.Make(strings.Repeat("x", 2000), "", "~/a") }, backup.Phrase, input.Long},
		{"control", func() { p.Make(good+"\x00", good+"\x00", "~/a") }, backup.Phrase, input.Control},
		{"differs", func() { p.Make(good, "other", "~/a") }, backup.Again, input.Differs},
		{"no path", func() { p.Make(good, good, "") }, backup.Path, input.Empty},
		{"half a path", func() { p.Make(good, good, "key.txt") }, backup.Path, input.Path},
		{"turned path", func() { p.Make(good, good, "~/a\u202eb") }, backup.Path, input.Control},
		{"there already", func() { p.Make(good, good, "~/there") }, backup.Path, backup.Exists},
		{"no folder", func() { p.Make(good, good, "~/no/such/key") }, backup.Path, backup.Missing},
		{"nothing to test", func() { p.Test("~/none", good) }, backup.TestPath, backup.Missing},
		{"not a backup", func() { p.Test("~/there", good) }, backup.TestPath, backup.NotOurs},
		{"too much", func() { p.Test("~/huge", good) }, backup.TestPath, backup.NotOurs},
		{"no passphrase", func() { p.Test("~/there", "") }, backup.TestWord, input.Empty},
	} {
		d.test = pow.BackupTest{}
		c.do()
		d.agenda.Run()
		if got := p.Model().Faults[c.at]; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		s.See(words.T("input."+string(c.want), words.Data{"N": 10}))
		if d.test.Ncryptsec != "" || p.Model().Tested || p.Model().Err != nil {
			t.Errorf("%s: went on: %+v", c.name, p.Model())
		}
	}
	if b, err := os.ReadFile(filepath.Join(d.dir, "there")); err != nil || string(b) != "x" {
		t.Errorf("overwrote a file: %q %v", b, err)
	}
}

func TestAFileThatCannotBeWritten(t *testing.T) {
	d, _ := open(t)
	denied := backup.Files{Home: "/h", Write: func(string, []byte) error { return fs.ErrPermission }, Read: func(string) ([]byte, error) { return nil, errors.New("broken disk") }}
	d.view = backup.NewView(backup.Config{Agent: d, Async: d.agenda.Go, Files: denied, Tested: func() {}}, uitest.Clock, uitest.Say)
	s := uitest.Show(t, d.view.Body, 700, 800)
	d.view.Presenter.Make(good, good, "~/a")
	d.agenda.Run()
	s.See("You may not read or write there.")
	d.view.Presenter.Test("~/a", good)
	d.agenda.Run()
	s.See("Said: broken disk")
	d.view.Presenter.Connected(false)
	if !s.Disabled("Write the backup") {
		t.Error("asks an agent that is lost")
	}
}
