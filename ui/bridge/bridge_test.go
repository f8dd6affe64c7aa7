package bridge_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"pow.do/ui/bridge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queue stands for the owner's goroutine: it runs what was posted when asked.
type queue chan func()

func newQueue() queue         { return make(queue, 64) }
func (q queue) post(f func()) { q <- f }
func (q queue) run()          { (<-q)() }
func (q queue) runAll() (n int) {
	for {
		select {
		case f := <-q:
			f()
			n++
		default:
			return n
		}
	}
}

func TestGoBringsTheResultBack(t *testing.T) {
	q := newQueue()
	b := bridge.New(q.post)
	defer b.Close()
	want := errors.New("no")
	var got error
	b.Go(func(context.Context) error { return want }, func(err error) { got = err })
	q.run()
	if got != want {
		t.Fatalf("got %v", got)
	}
}

func TestGoEndsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		b := bridge.New(q.post)
		begin := time.Now()
		var got error
		b.Go(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, func(err error) { got = err })
		q.run()
		if !errors.Is(got, context.DeadlineExceeded) || time.Since(begin) != bridge.Deadline {
			t.Errorf("got %v after %v", got, time.Since(begin))
		}
		b.Close()
	})
}

func TestEveryTicksUntilStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		b := bridge.New(q.post)
		n := 0
		stop := b.Every(time.Second, func() { n++ })
		for range 3 {
			time.Sleep(time.Second)
			synctest.Wait()
			q.runAll()
		}
		if n != 3 {
			t.Errorf("%d ticks in 3 s", n)
		}
		time.Sleep(5 * time.Second) // nobody runs the queue: the ticks become one
		synctest.Wait()
		if q.runAll() != 1 || n != 4 {
			t.Errorf("a busy owner got %d ticks, want 4", n)
		}
		stop()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if q.runAll(); n != 4 {
			t.Errorf("%d ticks after stop", n-4)
		}
		b.Close()
	})
}

func TestLatestKeepsTheNewest(t *testing.T) {
	q := newQueue()
	b := bridge.New(q.post)
	defer b.Close()
	var got []int
	l := bridge.NewLatest(b, func(v int) { got = append(got, v) })
	l.Put(1)
	l.Put(2)
	l.Put(3)
	q.runAll()
	l.Put(4)
	q.runAll()
	if len(got) != 2 || got[0] != 3 || got[1] != 4 {
		t.Fatalf("got %v, want [3 4]", got)
	}
}

func TestNothingRunsAfterClose(t *testing.T) {
	q := newQueue()
	b := bridge.New(q.post)
	ran := false
	b.Post(func() { ran = true })
	b.Close()
	b.Post(func() { ran = true })
	b.Go(func(context.Context) error { ran = true; return nil }, func(error) { ran = true })
	b.After(0, func() { ran = true })
	if q.runAll(); ran {
		t.Fatal("work ran after Close")
	}
}
