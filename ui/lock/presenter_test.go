package lock_test

import (
	"context"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/lock"
)

type agent func(string) error

func (a agent) Unlock(_ context.Context, p string) error { return a(p) }

func TestAWrongPassphraseWaitsLongerEachTime(t *testing.T) {
	var waits []time.Duration
	var wake func()
	tries := 0
	p := lock.New(lock.Config{
		Agent: agent(func(string) error { tries++; return pow.ErrLocked }),
		Async: func(work func(context.Context) error, done func(error)) { done(work(context.Background())) },
		After: func(d time.Duration, f func()) { waits = append(waits, d); wake = f },
		Show:  func(lock.Model) {},
	})
	p.Unlock("")
	for range 7 {
		p.Unlock("wrong")
		p.Unlock("wrong") // while it waits: not asked
		if !p.Model().Wrong || p.Model().Wait == 0 {
			t.Fatal("no wait after a wrong passphrase")
		}
		wake()
	}
	want := []time.Duration{1, 2, 4, 8, 16, 30, 30}
	for i, w := range want {
		if waits[i] != w*time.Second {
			t.Errorf("wait %d is %v, want %v s", i, waits[i], w)
		}
	}
	if tries != 7 {
		t.Errorf("asked %d times, want 7", tries)
	}
	p.Update(pow.Status{}, time.Time{})
	if p.Model().Wrong {
		t.Error("still wrong after it was unlocked elsewhere")
	}
}
