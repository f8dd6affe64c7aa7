package outbox

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	maxSteps    = 40 // at the same time: more than maxPerPlace at each of ten places
	maxPerPlace = 3  // of them at one relay or server
	longestNap  = time.Minute
	tidyAfter   = 2 * time.Second // after the last erasure
	tidyLatest  = time.Minute     // after the first
	storePause  = 5 * time.Second // after the Store itself failed
	lockPause   = time.Second     // after the keys turned out to be locked
)

// outcome is what the loop hears of a step that ended.
type outcome struct {
	lane, id, url string
	err           error
}

// loop is the state of Run. It belongs to Run's goroutine.
type loop struct {
	o        *Outbox
	work     map[string]pow.Delivery
	busy     map[string]bool // lanes: delivery + place, or the one of sealing
	perPlace map[string]int
	gates    map[string]gate      // endpoints that nobody answers at
	answered map[string]time.Time // endpoints: when they last answered
	kicked   time.Time
	reload   bool
	stuck    time.Time // nothing before: the Store failed, or the keys were locked
	erased   time.Time // first erasure that is not tidied yet; zero: none
	tidy     time.Time
}

// gate paces the attempts to reach an endpoint.
type gate struct {
	failures int
	open     time.Time
}

// Lanes that are not a Delivery's.
const sealLane, tidyLane = "seal", "tidy"

// Run delivers until ctx ends. It returns nil then, after every step has ended.
func (o *Outbox) Run(ctx context.Context) error {
	l := &loop{o: o, busy: map[string]bool{}, perPlace: map[string]int{}, gates: map[string]gate{},
		answered: map[string]time.Time{}, reload: true}
	nap := time.NewTimer(0)
	defer nap.Stop()
	for {
		wake := l.turn(ctx)
		nap.Reset(min(longestNap, max(0, wake.Sub(o.cfg.Now()))))
		select {
		case <-ctx.Done():
			for len(l.busy) > 0 {
				l.ended(<-o.done)
			}
			return nil
		case <-o.kick:
			l.reload, l.kicked = true, o.cfg.Now()
			clear(l.gates)
		case <-o.moved:
			l.reload = true
		case r := <-o.done:
			l.ended(r)
		case <-nap.C:
		}
	}
}

// turn starts what is due and returns when to look again.
func (l *loop) turn(ctx context.Context) (wake time.Time) {
	now := l.o.cfg.Now()
	wake = now.Add(longestNap)
	if now.Before(l.stuck) || ctx.Err() != nil {
		return earlier(wake, l.stuck)
	}
	if err := l.load(now); err != nil {
		return l.failed(err, now)
	}
	team := l.o.cfg.Team()
	for _, d := range inOrder(l.work) {
		for _, s := range plan(d, team, now) {
			if (!team.Ready || team.Locked) && s.verb != doEndLife {
				continue
			}
			if at := l.start(ctx, d, s, now); at.After(now) {
				wake = earlier(wake, at)
			}
		}
	}
	return earlier(wake, l.clean(now))
}

// inOrder sorts by making, which is the order in which seqs are taken.
func inOrder(work map[string]pow.Delivery) []pow.Delivery {
	return slices.SortedFunc(maps.Values(work), func(a, b pow.Delivery) int {
		return cmp.Or(a.Created.Compare(b.Created), a.Interval.From.Compare(b.Interval.From), cmp.Compare(a.ID, b.ID))
	})
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// load reads the Store where it may have changed behind the loop's back.
func (l *loop) load(now time.Time) error {
	if !l.reload {
		return nil
	}
	ds, err := l.o.cfg.Store.Pending()
	if err != nil {
		return err
	}
	l.reload, l.work = false, make(map[string]pow.Delivery, len(ds))
	for _, d := range ds {
		l.work[d.ID] = d
		l.remember(d.Servers, now)
		l.remember(d.Relays, now)
	}
	return nil
}

// remember carries the back-off of an endpoint over a restart.
func (l *loop) remember(ps []pow.Place, now time.Time) {
	for _, p := range ps {
		if _, known := l.gates[p.URL]; !known && p.State == pow.PlaceWait && p.Answer == "" && p.Next.After(now) {
			l.gates[p.URL] = gate{p.Attempts, p.Next}
		}
	}
}

func (l *loop) failed(err error, now time.Time) time.Time {
	l.o.cfg.Log.Error("the queue failed", "err", err)
	l.stuck, l.reload = now.Add(storePause), true
	return l.stuck
}

// start begins a step if it is due and its lane is free, and returns when it
// is to be looked at again. A lane that is busy reports by itself.
func (l *loop) start(ctx context.Context, d pow.Delivery, s step, now time.Time) time.Time {
	lane := laneOf(d, s)
	at := l.due(d, s)
	if l.busy[lane] || len(l.busy) >= maxSteps || s.url != "" && l.perPlace[s.url] >= l.width(s.url) {
		return time.Time{}
	}
	if at.After(now) {
		return at
	}
	l.busy[lane] = true
	l.perPlace[s.url]++
	go func() {
		l.o.done <- outcome{lane, d.ID, s.url, l.o.do(ctx, d, s)}
	}()
	return time.Time{}
}

// width is how many steps may be at one place: one while nobody answers there.
func (l *loop) width(url string) int {
	if l.gates[url].failures > 0 {
		return 1
	}
	return maxPerPlace
}

// due is when a step may begin. Where nobody answered last time, the first
// answer of the endpoint to anybody, or a kick, ends the wait.
func (l *loop) due(d pow.Delivery, s step) time.Time {
	at := s.at
	if last, silent := unanswered(d, s); silent && (l.answered[s.url].After(last) || l.kicked.After(last)) {
		at = time.Time{}
	}
	return later(at, l.gates[s.url].open)
}

// unanswered tells whether nobody answered at the step's place last time, and when that was.
func unanswered(d pow.Delivery, s step) (last time.Time, silent bool) {
	ps := d.Relays
	if s.verb == doUpload {
		ps = d.Servers
	}
	i := slices.IndexFunc(ps, func(p pow.Place) bool { return s.url != "" && p.URL == s.url })
	if i < 0 {
		return last, false
	}
	return ps[i].At, ps[i].State == pow.PlaceWait && ps[i].Answer == ""
}

// laneOf: one step at a time for each place of a Delivery, one for the rest of
// it, and one seal at a time in all.
func laneOf(d pow.Delivery, s step) string {
	if s.verb == doSeal || s.verb == doReseal {
		return sealLane
	}
	return d.ID + " " + s.url
}

// ended takes in what a step has done.
func (l *loop) ended(r outcome) {
	now := l.o.cfg.Now()
	delete(l.busy, r.lane)
	if l.perPlace[r.url]--; l.perPlace[r.url] <= 0 {
		delete(l.perPlace, r.url)
	}
	switch {
	case errors.Is(r.err, errEndpoint):
		g := l.gates[r.url]
		g.failures++
		g.open = now.Add(retry.Connecting.After(g.failures))
		l.gates[r.url] = g
	case errors.Is(r.err, pow.ErrLocked):
		l.stuck = now.Add(lockPause)
	case r.err != nil:
		l.failed(r.err, now)
		return
	default:
		delete(l.gates, r.url)
		l.answered[r.url] = now
	}
	if r.id == "" {
		return
	}
	d, err := l.o.cfg.Store.Delivery(r.id)
	switch {
	case err != nil:
		l.failed(err, now)
	case d.State == pow.Booked && len(plan(d, Team{}, now)) == 0:
		delete(l.work, r.id)
	default:
		l.work[r.id] = d
	}
}

// clean starts Tidy a while after the last erasure, so that many Receipts cost
// one rewriting of the queue, and returns when to look again.
func (l *loop) clean(now time.Time) time.Time {
	if l.o.erased.Swap(false) {
		l.tidy = now.Add(tidyAfter)
		if l.erased.IsZero() {
			l.erased = now
		}
	}
	if l.erased.IsZero() || l.busy[tidyLane] {
		return time.Time{}
	}
	if at := earlier(l.tidy, l.erased.Add(tidyLatest)); at.After(now) {
		return at
	}
	l.erased, l.busy[tidyLane] = time.Time{}, true
	l.perPlace[""]++
	go func() { l.o.done <- outcome{lane: tidyLane, err: l.o.cfg.Store.Tidy()} }()
	return time.Time{}
}
