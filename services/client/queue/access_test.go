package queue

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"pow.do/services/pow"
)

// clearBox does not encrypt.
type clearBox struct{}

func (clearBox) Seal(b []byte) ([]byte, error) { return bytes.Clone(b), nil }

func tracking(t *testing.T) *Queue {
	t.Helper()
	q, _, err := Open(Config{Dir: t.TempDir(), Box: clearBox{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	s := Segment{Session: "01JD5V3W8Q4N2Z7K9T6M1B0XYA", Project: "3f6c1d2e9a0b4c5d", Interval: pow.Interval{From: time.Unix(1795100000, 0)}}
	if _, err := q.OpenSegment(s); err != nil {
		t.Fatal(err)
	}
	return q
}

// TestDiskErrorReopens: after EIO the file goes through inspection again, and
// the running timer does not notice.
func TestDiskErrorReopens(t *testing.T) {
	q := tracking(t)
	before := q.db
	q.distrust(fmt.Errorf("fdatasync: %w", syscall.EIO))
	if err := q.Tick(time.Unix(1795100060, 0)); err != nil {
		t.Fatal(err)
	}
	s, running := q.Running()
	if q.db == before || !running || s.Interval.Duration() != time.Minute {
		t.Errorf("reopened %v, running %v, %v", q.db != before, running, s.Interval.Duration())
	}
}

// TestFaultIsFinal: after a memory fault the handle is neither used nor closed.
func TestFaultIsFinal(t *testing.T) {
	q := tracking(t)
	q.distrust(errFault)
	if err := q.Tick(time.Unix(1795100060, 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("tick: %v", err)
	}
	if err := q.Tidy(); !errors.Is(err, ErrDamaged) {
		t.Errorf("tidy: %v", err)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if err := q.Tick(time.Unix(1795100060, 0)); !errors.Is(err, errClosed) {
		t.Errorf("tick after close: %v", err)
	}
}

// TestNewerSchema: a queue of a newer program is refused and left alone.
func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	q, _, err := Open(Config{Dir: dir, Box: clearBox{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.update(func(t *tx) error { return t.putJSON(tabMeta, metaSchema, schema+1) }); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if _, r, err := Open(Config{Dir: dir, Box: clearBox{}}); !errors.Is(err, pow.ErrVersion) || r.Quarantined != "" {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestGuarded: a fault becomes an error, any other panic stays one.
func TestGuarded(t *testing.T) {
	if err := guarded(func() error { panic(fault{}) }); !errors.Is(err, errFault) {
		t.Errorf("%v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a bug was hidden")
		}
	}()
	_ = guarded(func() error { panic("bug") })
}

type fault struct{}

func (fault) Addr() uintptr { return 1 }
