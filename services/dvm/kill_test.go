//go:build unix

package dvm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pow.do/services/dvm"
	"pow.do/services/dvm/ledger"
	"pow.do/services/dvm/meter"
	"pow.do/services/pow"
)

// The kill tests run this test binary again as a DVM on a folder that plays the
// relay, the Blossom server and the timesheet system, and kill it there. Nothing
// may be lost and nothing booked twice, wherever it dies.

const (
	childFolder = "POWDO_TEST_DVM_FOLDER"
	childStep   = "POWDO_TEST_DVM_DIE_AT" // number of the step before which it kills itself; 0: none
)

// street is everything outside of the DVM, in a folder: letters to it, blobs,
// timesheet records, receipts.
type street struct {
	folder string
	die    int64
	step   *atomic.Int64
}

// mark is one step; the process ends before it, without a word, when its turn has come.
func (s street) mark() {
	if n := s.step.Add(1); n == s.die {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (s street) path(parts ...string) string {
	return filepath.Join(append([]string{s.folder}, parts...)...)
}

func (s street) write(b []byte, parts ...string) error {
	path := s.path(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (s street) Get(_ context.Context, _ string, h pow.Hash, _ int64, to io.Writer) error {
	s.mark()
	b, err := os.ReadFile(s.path("blobs", h.String()))
	if err != nil {
		return pow.ErrBlobMissing
	}
	_, err = to.Write(b)
	s.mark()
	return err
}

func (s street) Delete(_ context.Context, _ string, h pow.Hash) error {
	s.mark()
	return os.Remove(s.path("blobs", h.String()))
}

func (s street) Open(_ context.Context, r io.ReaderAt, size int64, _ pow.Notice) (o pow.Opened, err error) {
	s.mark()
	err = json.NewDecoder(io.NewSectionReader(r, 0, size)).Decode(&o)
	return o, err
}

func (s street) Publish(_ context.Context, _ string, event []byte) (pow.Answer, error) {
	var e sealed
	if err := json.Unmarshal(event, &e); err != nil || e.Receipt == nil {
		return pow.Answer{OK: true}, err
	}
	s.mark()
	err := s.write(event, "said", e.Receipt.Answers.String(), string(e.Receipt.Code))
	s.mark()
	return pow.Answer{OK: err == nil}, err
}

func (s street) DeleteLetters(_ context.Context, wraps []pow.Hash) error {
	s.mark()
	for _, w := range wraps {
		if err := os.Remove(s.path("letters", w.String())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Book keeps one file per create, so that two creates for one run are seen. A
// stored intent makes it look for the marker first.
func (street) System() string { return "kimai" }

func (street) Unfit(pow.Timesheet) pow.ParkReason { return "" }

func (s street) Book(_ context.Context, t pow.Timesheet, save func(pow.TimesheetRecord) error) (pow.TimesheetRecord, error) {
	r := t.Last
	if r.State == pow.TimesheetIntended && r.ID == 0 {
		found, err := filepath.Glob(s.path("sheets", t.Marker+"-*"))
		if err != nil {
			return r, err
		}
		if len(found) > 0 {
			r.ID, err = strconv.ParseInt(found[0][strings.LastIndex(found[0], "-")+1:], 10, 64)
			if err != nil {
				return r, err
			}
		}
	}
	r.Sent = t.Want
	if r.State != pow.TimesheetBooked {
		r.State = pow.TimesheetIntended
	}
	s.mark()
	if err := save(r); err != nil {
		return r, err
	}
	s.mark()
	if r.ID == 0 {
		r.ID = rand.Int64N(1 << 40)
	}
	b, err := json.Marshal(t.Want)
	if err == nil {
		err = s.write(b, "sheets", t.Marker+"-"+strconv.FormatInt(r.ID, 10))
	}
	s.mark()
	r.State, r.Got = pow.TimesheetBooked, t.Want
	return r, err
}

// steps counts the ledger's transactions as steps, too.
type steps struct {
	*ledger.Ledger
	s street
}

func (l steps) TakeNotice(ctx context.Context, m pow.Mail, who pow.Member, r pow.Receipt, send, now time.Time) (pow.Taken, error) {
	l.s.mark()
	defer l.s.mark()
	return l.Ledger.TakeNotice(ctx, m, who, r, send, now)
}

func (l steps) Accept(ctx context.Context, e pow.Evidence) (pow.Code, error) {
	l.s.mark()
	defer l.s.mark()
	return l.Ledger.Accept(ctx, e)
}

func (l steps) SaveTime(ctx context.Context, w pow.SessionWork, t pow.SessionTime) (map[int]pow.RunRecord, error) {
	l.s.mark()
	defer l.s.mark()
	return l.Ledger.SaveTime(ctx, w, t)
}

func (l steps) SaveRecord(ctx context.Context, id pow.SessionID, run int, user int64, t pow.TimesheetRecord, done pow.Interval) error {
	l.s.mark()
	defer l.s.mark()
	return l.Ledger.SaveRecord(ctx, id, run, user, t, done)
}

func (l steps) Settle(ctx context.Context, s pow.Settlement) error {
	l.s.mark()
	defer l.s.mark()
	return l.Ledger.Settle(ctx, s)
}

func (l steps) SaveLetter(ctx context.Context, o pow.Outgoing, rumor pow.Hash) error {
	l.s.mark()
	defer l.s.mark()
	return l.Ledger.SaveLetter(ctx, o, rumor)
}

func (l steps) Sent(ctx context.Context, o pow.Outgoing, now time.Time) error {
	l.s.mark()
	defer l.s.mark()
	return l.Ledger.Sent(ctx, o, now)
}

// child is the DVM that is killed. It tells whether this process is one.
func child() bool {
	folder := os.Getenv(childFolder)
	if folder == "" {
		return false
	}
	die, err := strconv.ParseInt(os.Getenv(childStep), 10, 64)
	if err == nil {
		err = runChild(street{folder: folder, die: die, step: new(atomic.Int64)})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		syscall.Exit(1)
	}
	return true
}

func runChild(s street) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l, err := ledger.Open(ctx, s.path("dvm", "ledger.db"))
	if err != nil {
		return err
	}
	defer l.Close()
	w, err := dvm.New(dvm.Config{
		Key: dvmKey, Folder: s.path("sealed"), Relays: []string{relay}, Blossom: []string{server},
		Announcement: func() pow.Announcement { return pow.Announcement{} },
		Opaque:       opaque, Measure: meter.Measure, Workers: 2, Ledger: steps{l, s},
		Unwrap: unwrapper(unwrap), Fetch: s, Open: s, Timesheets: s, Wrap: wrapper{}, Publish: s, Delete: s,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	if err := s.serve(ctx, w); err != nil {
		return err
	}
	cancel()
	return <-done
}

// serve plays the relay: it delivers letters again and again until they are
// deleted, and ends when every device was told booked.
func (s street) serve(ctx context.Context, w *dvm.Worker) error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		names, err := filepath.Glob(s.path("letters", "*"))
		if err != nil {
			return err
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				continue // deleted meanwhile
			}
			id, err := pow.ParseHash(filepath.Base(name))
			if err != nil {
				return err
			}
			if err := w.Deliver(ctx, relay, pow.Letter{ID: id, JSON: b}); err != nil {
				return err
			}
		}
		booked, err := filepath.Glob(s.path("said", "*", "booked"))
		if err != nil {
			return err
		}
		if len(names) == 0 && len(booked) == killProofs {
			return nil
		}
	}
	return errors.New("not done in a minute")
}

const killProofs = 3

// newStreet sets the scene: three proofs in two runs, the last one joins nothing.
func newStreet(t *testing.T) street {
	x := newWorld(t, nil)
	s := street{folder: t.TempDir()}
	for i, at := range []pow.Interval{x.ago(60, 50), x.ago(50, 40), x.ago(30, 20)} {
		n := x.proof(laptop, session(1), uint64(i+1), at)
		l := letter(n, 1)
		x.must(errors.Join(s.write(x.blobs[n.Sealed], "blobs", n.Sealed.String()), s.write(l.JSON, "letters", l.ID.String())))
	}
	x.close()
	x.must(os.Rename(filepath.Join(x.folder, "dvm"), s.path("dvm")))
	x.open() // for the clean-up
	return s
}

// run starts a DVM on the street and returns whether it was killed.
func (s street) run(t *testing.T, die int, after time.Duration) (killed bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(s.path("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p, err := os.StartProcess(self, []string{self}, &os.ProcAttr{
		Env:   append(os.Environ(), childFolder+"="+s.folder, childStep+"="+strconv.Itoa(die)),
		Files: []*os.File{nil, out, out},
	})
	if err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { p.Kill() })
		defer timer.Stop()
	}
	state, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if state.Success() {
		return false
	}
	if w, ok := state.Sys().(syscall.WaitStatus); !ok || w.Signal() != syscall.SIGKILL {
		text, _ := os.ReadFile(s.path("log"))
		t.Fatalf("%v: %s", state, text)
	}
	return true
}

// check looks for what must be there once.
func (s street) check(t *testing.T) {
	t.Helper()
	sheets, err := filepath.Glob(s.path("sheets", "*"))
	if err != nil || len(sheets) != 2 {
		t.Errorf("%d timesheet records, want 2: %v", len(sheets), err)
	}
	l, err := ledger.Open(context.Background(), s.path("dvm", "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := l.Sessions(context.Background(), ledger.Filter{})
	if err != nil || len(all) != 1 || all[0].Proven != 1800 || all[0].Proofs != killProofs || all[0].Booking.State != "booked" {
		t.Errorf("sessions %+v, %v", all, err)
	}
	kept, err := filepath.Glob(s.path("sealed", "??", "*"))
	if err != nil || len(kept) != killProofs {
		t.Errorf("%d archives are kept: %v", len(kept), err)
	}
}

// The DVM dies before one step after the other, and the next one goes on.
func TestKilledAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	// All of them with POWDO_TEST_CRASH set, otherwise every seventh.
	stride := 7
	if os.Getenv("POWDO_TEST_CRASH") != "" {
		stride = 1
	}
	for die := 1 + rand.IntN(stride); ; die += stride {
		s := newStreet(t)
		killed := s.run(t, die, 0)
		if killed && s.run(t, 0, 0) {
			t.Fatal("the second process was killed, too")
		}
		s.check(t)
		if t.Failed() {
			t.Fatalf("killed before step %d", die)
		}
		if !killed {
			t.Logf("fewer than %d steps", die)
			if die < 40 {
				t.Error("there are more steps than that")
			}
			return
		}
	}
}

// One DVM after the other dies at a random moment.
func TestKilledAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	for range 2 {
		s := newStreet(t)
		kills := 0
		for s.run(t, 0, 20*time.Millisecond+rand.N(150*time.Millisecond)) && kills < 20 {
			kills++
		}
		s.run(t, 0, 0)
		s.check(t)
		t.Logf("%d kills", kills)
	}
}
