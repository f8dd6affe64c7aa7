// Package sheetfile is a timesheet in one file of JSON lines, for whoever takes
// hours into payroll, a spreadsheet or another time tracker without Kimai.
//
// Every line is the whole state of one record at that moment; the last line of
// a record's id counts. A record that shrank to nothing has no "to" left and
// "seconds" 0. Lines are appended and never changed, so that a reader may follow
// the file (tail -F) and see every correction:
//
//	{"id":1,"marker":"powdo-0f…","session":"01J…","run":1,"identity":"<hex>","member":"Anna",
//	 "project":{"id":"…","name":"Relaunch"},"from":"2026-11-20T09:00:00Z","to":"…","seconds":3600,"open":true,"note":""}
//
// A line is on the disk before the record counts as booked, and a record is found
// again by its marker: a line whose confirmation was lost is not written twice.
// A torn last line, as a power cut leaves it, is finished by a line feed and
// skipped by readers, who must ignore what is not JSON.
package sheetfile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"pow.do/services/pow"
)

// maxLine bounds a line that is read back, in bytes.
const maxLine = 64 << 10

// Line is one line of the file.
type Line struct {
	ID       int64          `json:"id"`
	Marker   string         `json:"marker"`
	Session  pow.SessionID  `json:"session"`
	Run      int            `json:"run"`
	Identity pow.Key        `json:"identity"`
	Member   string         `json:"member"`
	Project  pow.ProjectRef `json:"project"`
	From     time.Time      `json:"from,omitzero"`
	To       time.Time      `json:"to,omitzero"`
	Seconds  int64          `json:"seconds"`
	Open     bool           `json:"open"` // the session may still grow
	Note     string         `json:"note,omitempty"`
}

func (l Line) span() pow.Interval { return pow.Interval{From: l.From, To: l.To} }

// File is an open timesheet file. One program may have it open.
type File struct {
	mu      sync.Mutex
	f       *os.File
	records map[string]Line // by marker, as the last line says
	last    int64
	torn    bool // the file does not end with a line feed
}

// Open opens or makes the file, mode 0600, and reads what it says.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the timesheet file: %w", err)
	}
	t := &File{f: f, records: map[string]Line{}}
	if err := errors.Join(t.read(), syncFolder(filepath.Dir(path))); err != nil {
		return nil, errors.Join(fmt.Errorf("read the timesheet file: %w", err), f.Close())
	}
	return t, nil
}

func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (t *File) read() error {
	r := bufio.NewReaderSize(t.f, maxLine)
	for {
		b, err := r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			return errors.New("a line is longer than 64 KiB")
		}
		t.torn = err == io.EOF && len(b) > 0
		var l Line
		if err == nil && json.Unmarshal(b, &l) == nil && l.Marker != "" {
			t.records[l.Marker] = l
			t.last = max(t.last, l.ID)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// System names this timesheet in Receipts and reports.
func (t *File) System() string { return "file" }

// Unfit always returns "": a file takes every member and project.
func (t *File) Unfit(pow.Timesheet) pow.ParkReason { return "" }

// Book writes what is wanted of one run, see dvm.Timesheets.
func (t *File) Book(_ context.Context, s pow.Timesheet, save func(pow.TimesheetRecord) error) (pow.TimesheetRecord, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, found := t.records[s.Marker]
	if !s.Want.Valid() && !found {
		return pow.TimesheetRecord{}, nil
	}
	line := Line{ID: old.ID, Marker: s.Marker, Session: s.Session, Run: s.Run, Identity: s.Identity, Member: s.MemberName,
		Project: s.Project, Open: s.Open, Note: s.Note}
	if line.ID == 0 {
		line.ID = t.last + 1
	}
	if s.Want.Valid() {
		line.From, line.To, line.Seconds = s.Want.From.UTC(), s.Want.To.UTC(), int64(s.Want.Duration()/time.Second)
	}
	if !found || line != old {
		intended := s.Last
		intended.State, intended.Sent = pow.TimesheetIntended, s.Want
		if err := save(intended); err != nil {
			return s.Last, err
		}
		if err := t.append(line); err != nil {
			return intended, fmt.Errorf("write the timesheet file: %w", err)
		}
	}
	if !s.Want.Valid() {
		return pow.TimesheetRecord{}, nil
	}
	return pow.TimesheetRecord{State: pow.TimesheetBooked, ID: line.ID, Sent: s.Want, Got: line.span(), GotDuration: s.Want.Duration()}, nil
}

// append puts a line on the disk. After a failure the next line starts afresh.
func (t *File) append(l Line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if t.torn {
		b = append([]byte{'\n'}, b...)
	}
	n, err := t.f.Write(append(b, '\n'))
	if err == nil {
		err = t.f.Sync()
	}
	if t.torn = err != nil && n > 0; err != nil {
		return err
	}
	t.records[l.Marker], t.last = l, max(t.last, l.ID)
	return nil
}

// Close ends the use of the file.
func (t *File) Close() error { return t.f.Close() }
