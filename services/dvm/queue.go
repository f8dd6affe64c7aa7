package dvm

import (
	"context"
	"sync"
	"time"

	"pow.do/services/pow"
)

// queue hands out devices in turn, each to one worker at a time. What is to be
// done for a device is in the ledger; memory holds one entry per device.
type queue struct {
	mu    sync.Mutex
	ready []pow.Key             // in turn
	state map[pow.Key]place     // of devices that are ready or at work
	later map[pow.Key]time.Time // of devices whose next item is not due yet
	bell  wake
}

type place int

const (
	waiting place = iota + 1
	working
	workingMore // something was added while at work
)

func newQueue() *queue {
	return &queue{state: map[pow.Key]place{}, later: map[pow.Key]time.Time{}, bell: newWake()}
}

// add puts the device in line.
func (q *queue) add(device pow.Key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.later, device)
	switch q.state[device] {
	case 0:
		q.state[device] = waiting
		q.ready = append(q.ready, device)
		q.bell.up()
	case working:
		q.state[device] = workingMore
	}
}

// done ends a turn. The device gets in line again at next (zero: when something
// is added for it).
func (q *queue) done(device pow.Key, next time.Time) {
	q.mu.Lock()
	more := q.state[device] == workingMore
	delete(q.state, device)
	if !more && !next.IsZero() {
		q.later[device] = next
	}
	q.mu.Unlock()
	if more {
		q.add(device)
	}
	q.bell.up()
}

// take returns the next device in line, or when there will be one.
func (q *queue) take(now time.Time) (device pow.Key, ok bool, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for d, at := range q.later {
		if !at.After(now) {
			delete(q.later, d)
			q.state[d] = waiting
			q.ready = append(q.ready, d)
		} else if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if len(q.ready) == 0 {
		return device, false, next
	}
	device = q.ready[0]
	q.ready = q.ready[1:]
	q.state[device] = working
	return device, true, next
}

// run has n workers call work for the devices in line until ctx ends. work
// returns when the device is to get in line again.
func (q *queue) run(ctx context.Context, now func() time.Time, n int, work func(context.Context, pow.Key) time.Time) {
	turns := make(chan pow.Key)
	var workers sync.WaitGroup
	for range n {
		workers.Go(func() {
			for d := range turns {
				q.done(d, work(ctx, d))
			}
		})
	}
	defer workers.Wait()
	defer close(turns)
	for {
		d, ok, next := q.take(now())
		var timer <-chan time.Time
		var turn chan<- pow.Key
		switch {
		case ok:
			turn = turns
		case !next.IsZero():
			timer = time.After(next.Sub(now()))
		}
		bell := q.bell
		if ok {
			bell = nil // this device goes first
		}
		select {
		case <-ctx.Done():
			return
		case turn <- d:
		case <-bell:
		case <-timer:
		}
	}
}
