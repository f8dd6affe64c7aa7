// Package bridge is the one door between goroutines and widgets.
//
// Widgets and presenters belong to one goroutine, Fyne's. It must never wait:
// not for the agent, not for a disk. A Bridge carries work out of it and the
// result back in:
//
//	b.Go(
//		func(ctx context.Context) error { st, err = agent.Stop(ctx); return err }, // anywhere
//		func(err error) { show(st, err) },                                         // on the owner
//	)
//
// Every piece of work has Deadline to end; after that its result is
// context.DeadlineExceeded, which the window turns into a sentence. Close ends
// everything and waits for it; what is posted afterwards is dropped.
//
// Only this package calls fyne.Do. fyne.DoAndWait is not used at all: on Fyne's
// own goroutine it never returns.
package bridge

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// Deadline is how long one question to the agent may take.
const Deadline = 10 * time.Second

// Bridge starts work beside the owner's goroutine and posts results to it.
type Bridge struct {
	ctx    context.Context
	cancel context.CancelFunc
	post   func(func())
	work   sync.WaitGroup
}

// UI posts to Fyne's goroutine; it is what New gets in the program. Tests post
// to a queue of their own, because Fyne's test driver runs fyne.Do on the caller.
func UI(f func()) { fyne.Do(f) }

// New makes a bridge to the goroutine that post reaches. It starts nothing.
func New(post func(func())) *Bridge {
	ctx, cancel := context.WithCancel(context.Background())
	return &Bridge{ctx: ctx, cancel: cancel, post: post}
}

// Post runs f on the owner's goroutine, later. It never blocks on the owner.
func (b *Bridge) Post(f func()) {
	if b.ctx.Err() != nil {
		return
	}
	b.post(func() {
		if b.ctx.Err() == nil {
			f()
		}
	})
}

// Go runs work on a goroutine of its own, at most for Deadline, and then done
// on the owner's. It is called by the owner.
func (b *Bridge) Go(work func(context.Context) error, done func(error)) {
	b.Run(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, Deadline)
		defer cancel()
		result := make(chan error, 1)
		b.work.Go(func() { result <- work(ctx) })
		select {
		case err := <-result:
			b.Post(func() { done(err) })
		case <-ctx.Done():
			// Work that looks at ctx ends by itself; nobody waits for the rest.
			b.Post(func() { done(ctx.Err()) })
		}
	})
}

// Run starts a loop that ends with its context, at the latest in Close.
func (b *Bridge) Run(loop func(context.Context)) {
	if b.ctx.Err() != nil {
		return
	}
	b.work.Go(func() { loop(b.ctx) })
}

// Every calls f on the owner's goroutine once per period until stop is called.
// A call that the owner has not run yet is not posted a second time.
func (b *Bridge) Every(period time.Duration, f func()) (stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	b.Run(func(context.Context) {
		defer cancel()
		t := time.NewTicker(period)
		defer t.Stop()
		latest := NewLatest(b, func(struct{}) {
			if ctx.Err() == nil {
				f()
			}
		})
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				latest.Put(struct{}{})
			}
		}
	})
	return cancel
}

// After calls f on the owner's goroutine once, after d.
func (b *Bridge) After(d time.Duration, f func()) {
	b.Run(func(ctx context.Context) {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C:
			b.Post(f)
		}
	})
}

// Close ends all work and waits for it.
func (b *Bridge) Close() {
	b.cancel()
	b.work.Wait()
}

// Latest hands values to the owner's goroutine and keeps only the newest: a
// window that is busy gets one value when it is free, not a queue of old ones.
type Latest[T any] struct {
	b   *Bridge
	use func(T)

	mu     sync.Mutex
	value  T
	posted bool
}

// NewLatest makes a Latest; use runs on the owner's goroutine.
func NewLatest[T any](b *Bridge, use func(T)) *Latest[T] { return &Latest[T]{b: b, use: use} }

// Put replaces the value that waits. It may be called from any goroutine.
func (l *Latest[T]) Put(v T) {
	l.mu.Lock()
	l.value = v
	first := !l.posted
	l.posted = true
	l.mu.Unlock()
	if first {
		l.b.Post(l.take)
	}
}

func (l *Latest[T]) take() {
	l.mu.Lock()
	v := l.value
	l.posted = false
	l.mu.Unlock()
	l.use(v)
}
