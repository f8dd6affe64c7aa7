package sheetfile_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pow.do/services/dvm/sheetfile"
	"pow.do/services/pow"
)

var nine = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func sheet(run, from, to int) pow.Timesheet {
	s := pow.Timesheet{Session: "01J0000000000000000000000A", Run: run, MemberName: "Anna", Marker: pow.Marker(pow.Key{1}, "s", run)}
	if to > from {
		s.Want = pow.Interval{From: nine.Add(time.Duration(from) * time.Minute), To: nine.Add(time.Duration(to) * time.Minute)}
	}
	return s
}

func kept(pow.TimesheetRecord) error { return nil }

// lines reads the file as a stranger would: the last line of an id counts.
func lines(t interface{ Fatal(...any) }, path string) (all int, last map[int64]sheetfile.Line) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last = map[int64]sheetfile.Line{}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var l sheetfile.Line
		if json.Unmarshal(s.Bytes(), &l) == nil {
			all++
			last[l.ID] = l
		}
	}
	return all, last
}

func open(t testing.TB, path string) *sheetfile.File {
	t.Helper()
	f, err := sheetfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestGrowsAndShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hours.jsonl")
	f := open(t, path)
	defer f.Close()
	var got []int64
	for _, s := range []pow.Timesheet{sheet(1, 0, 60), sheet(1, 0, 90), sheet(2, 100, 110), sheet(1, 0, 90), sheet(2, 0, 0), sheet(3, 0, 0)} {
		r, err := f.Book(context.Background(), s, kept)
		if err != nil {
			t.Fatal(err)
		}
		if s.Want.Valid() != (r.State == pow.TimesheetBooked) || s.Want.Valid() && r.Got != s.Want {
			t.Errorf("run %d became %+v", s.Run, r)
		}
		got = append(got, r.ID)
	}
	all, last := lines(t, path)
	if want := []int64{1, 1, 2, 1, 0, 0}; len(got) != len(want) || got[0] != 1 || got[1] != 1 || got[2] != 2 || got[3] != 1 {
		t.Errorf("records %v, want %v", got, want)
	}
	if all != 4 || len(last) != 2 || last[1].Seconds != 5400 || last[2].Seconds != 0 || !last[2].To.IsZero() {
		t.Errorf("%d lines, %+v", all, last)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
}

// A line whose confirmation was lost is found again: by a new program, and by
// the same one.
func TestLostAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hours.jsonl")
	f := open(t, path)
	s := sheet(1, 0, 60)
	first, err := f.Book(context.Background(), s, kept)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	f = open(t, path)
	defer f.Close()
	s.Last = pow.TimesheetRecord{State: pow.TimesheetIntended, Sent: s.Want}
	again, err := f.Book(context.Background(), s, func(pow.TimesheetRecord) error { t.Error("wrote again"); return nil })
	if err != nil || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	if all, _ := lines(t, path); all != 1 {
		t.Errorf("%d lines", all)
	}
}

// Nothing is written that was not announced first.
func TestUnsavedIsNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hours.jsonl")
	f := open(t, path)
	defer f.Close()
	full := errors.New("disk full")
	if _, err := f.Book(context.Background(), sheet(1, 0, 60), func(pow.TimesheetRecord) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	if all, _ := lines(t, path); all != 0 {
		t.Errorf("%d lines", all)
	}
}

// Whatever a power cut leaves of the last line, nothing else is lost, the record
// is written again, and every line is whole.
func TestTornLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "torn-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "hours.jsonl")
		f, err := sheetfile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, 4).Draw(t, "runs")
		for i := range n {
			if _, err := f.Book(context.Background(), sheet(i+1, i*10, i*10+5), kept); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		begin := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
		if err := os.Truncate(path, int64(rapid.IntRange(begin, len(whole)).Draw(t, "cut"))); err != nil {
			t.Fatal(err)
		}
		if f, err = sheetfile.Open(path); err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for i := range n {
			if _, err := f.Book(context.Background(), sheet(i+1, i*10, i*10+5), kept); err != nil {
				t.Fatal(err)
			}
		}
		_, last := lines(t, path)
		if len(last) != n {
			t.Fatalf("%d records, want %d", len(last), n)
		}
		for _, l := range last {
			if l.Seconds != 300 {
				t.Fatalf("%+v", l)
			}
		}
	})
}

func TestNotAFile(t *testing.T) {
	if _, err := sheetfile.Open(t.TempDir()); err == nil {
		t.Error("opened a folder")
	}
	path := filepath.Join(t.TempDir(), "hours.jsonl")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<17), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sheetfile.Open(path); err == nil {
		t.Error("took a line of 128 KiB")
	}
}
