package relays_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/relays"
	"pow.do/services/wire/relays/relaystest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	me  = relaystest.NewKey("device")
	dvm = relaystest.NewKey("dvm")
)

func inbox() []relays.Filter {
	return []relays.Filter{{Kinds: []int{1059}, P: []pow.Key{me.Public()}}}
}

// got collects what Handle was given.
type got struct {
	mu     sync.Mutex
	events []*event.Event
	came   chan struct{}
}

func (g *got) handle(_ context.Context, _ string, e *event.Event, _ []byte) error {
	g.mu.Lock()
	g.events = append(g.events, e)
	g.mu.Unlock()
	select {
	case g.came <- struct{}{}:
	default:
	}
	return nil
}

func (g *got) ids() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids := make([]string, len(g.events))
	for i, e := range g.events {
		ids[i] = e.ID
	}
	return ids
}

// wait returns the ids once there are n.
func (g *got) wait(t *testing.T, n int) []string {
	t.Helper()
	for {
		if ids := g.ids(); len(ids) >= n {
			return ids
		}
		select {
		case <-g.came:
		case <-t.Context().Done():
			t.Fatalf("%d of %d events came", len(g.ids()), n)
		}
	}
}

// start runs a Pool on one relay until the test ends.
func start(t *testing.T, url string, change ...func(*relays.Config)) (*relays.Pool, *got) {
	t.Helper()
	g := &got{came: make(chan struct{}, 1)}
	c := relays.Config{Origins: []string{url}, Key: me, HTTP: httpClient(), Filters: inbox(), Handle: g.handle}
	for _, f := range change {
		f(&c)
	}
	p := relays.New(c)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return p, g
}

func httpClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func in(m *relaystest.Memory) func(*relays.Config) {
	return func(c *relays.Config) { c.HTTP = m.Client() }
}

func letters(n int) []*event.Event {
	all := make([]*event.Event, n)
	for i := range all {
		all[i] = relaystest.Letter(me.Public(), relaystest.At(-int64(i)*60))
	}
	return all
}

func idsOf(events []*event.Event) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%d events %v\nwant %d %v", len(got), got, len(want), want)
	}
}

// Stored Letters come, also those beyond one page, then live ones; each once.
func TestInbox(t *testing.T) {
	d := relaystest.NewDouble(t)
	stored := letters(1203)
	d.Put(stored...)
	_, g := start(t, d.URL)
	g.wait(t, len(stored))
	live := relaystest.Letter(me.Public(), relaystest.At(-170_000))
	d.Put(relaystest.Letter(dvm.Public()), live)
	same(t, g.wait(t, len(stored)+1), append(idsOf(stored), live.ID))
}

// After a cut the identical filter finds everything that is still there,
// back-dated Letters that came meanwhile included (RC-6).
func TestReconnect(t *testing.T) {
	d := relaystest.NewDouble(t)
	first := relaystest.Letter(me.Public())
	d.Put(first)
	p, g := start(t, d.URL)
	g.wait(t, 1)
	old := relaystest.Letter(me.Public(), relaystest.At(-47*3600))
	d.Cut()
	d.Put(old)
	p.Wake()
	same(t, g.wait(t, 3), []string{first.ID, first.ID, old.ID})
}

// Publish and a deletion of what was handled, from within Handle.
func TestPublishFromHandle(t *testing.T) {
	d := relaystest.NewDouble(t)
	d.Put(letters(700)...)
	var p *relays.Pool
	ready := make(chan struct{})
	handled := make(chan struct{}, 2000)
	p, _ = start(t, d.URL, func(c *relays.Config) {
		c.Handle = func(ctx context.Context, origin string, e *event.Event, raw []byte) error {
			<-ready
			a, err := p.Publish(ctx, origin, event.Marshal(relaystest.Deletion(me, e)))
			if err != nil || !a.OK {
				t.Errorf("deletion: %+v %v", a, err)
			}
			handled <- struct{}{}
			return err
		}
	})
	close(ready)
	for range 700 {
		<-handled
	}
	if left := len(d.Events()); left != 0 {
		t.Errorf("%d Letters left", left)
	}
}

// An event that Handle gave back is read again on the same connection, and
// only that one.
func TestHandleFails(t *testing.T) {
	d := relaystest.NewDouble(t)
	all := letters(3)
	d.Put(all...)
	failed := false
	_, g := start(t, d.URL, func(c *relays.Config) {
		inner := c.Handle
		c.Handle = func(ctx context.Context, origin string, e *event.Event, raw []byte) error {
			err := inner(ctx, origin, e, raw)
			if e.ID == all[1].ID && !failed {
				failed, err = true, errors.New("the disk is full")
			}
			return err
		}
	})
	same(t, g.wait(t, 4), append(idsOf(all), all[1].ID))
}

func TestHonestRelay(t *testing.T) {
	d := relaystest.NewDouble(t)
	p, _ := start(t, d.URL)
	letter := relaystest.Letter(dvm.Public())
	for range 2 { // the same one twice is a success twice
		a, err := p.Publish(t.Context(), d.URL, event.Marshal(letter))
		if err != nil || !a.OK {
			t.Fatalf("publish: %+v, %v", a, err)
		}
	}
	mine := relaystest.Letter(me.Public())
	d.Put(mine)
	found, err := p.Fetch(t.Context(), d.URL, relays.Filter{IDs: []pow.Hash{event.ID(mine), event.ID(letter)}, Kinds: []int{1059}, P: []pow.Key{me.Public()}})
	if err != nil || len(found) != 1 || found[0].ID != mine.ID {
		t.Errorf("fetch: %v, %v", found, err)
	}
	info, err := p.Info(t.Context(), d.URL)
	if err != nil || info.Name != "double" || !info.Has(42) || info.Has(43) {
		t.Errorf("info: %+v, %v", info, err)
	}
	if a, err := p.Join(t.Context(), d.URL, "claim"); err != nil || !a.OK || a.Prefix != "info" {
		t.Errorf("join where nobody joins: %+v, %v", a, err)
	}
	if c := p.Connections(); len(c) != 1 || c[0].State != "online" || c[0].URL != d.URL {
		t.Errorf("connections: %+v", c)
	}
	p.SetOrigins(nil)
	if _, err := p.Publish(t.Context(), d.URL, event.Marshal(letter)); !errors.Is(err, relays.ErrNoRelay) {
		t.Errorf("publish to a relay that was taken out: %v", err)
	}
}

// More Letters of one second than fit a page: those that are handled and
// deleted make room, and older ones are reached in any case.
func TestManyOfOneSecond(t *testing.T) {
	for _, deletes := range []bool{true, false} {
		d := relaystest.NewDouble(t)
		old := relaystest.Letter(me.Public(), relaystest.At(-100))
		all := []*event.Event{old}
		for range 620 {
			all = append(all, relaystest.Letter(me.Public(), relaystest.At(-50)))
		}
		for _, e := range all[1:] {
			e.CreatedAt = all[1].CreatedAt
			if err := relaystest.RandomKey().Sign(e); err != nil {
				t.Fatal(err)
			}
		}
		d.Put(all...)
		var p *relays.Pool
		ready := make(chan struct{})
		reached := make(chan struct{})
		p, g := start(t, d.URL, func(c *relays.Config) {
			inner := c.Handle
			c.Handle = func(ctx context.Context, origin string, e *event.Event, raw []byte) error {
				<-ready
				if e.ID == old.ID {
					close(reached)
				}
				if deletes {
					if _, err := p.Publish(ctx, origin, event.Marshal(relaystest.Deletion(me, e))); err != nil {
						return err
					}
				}
				return inner(ctx, origin, e, raw)
			}
		})
		close(ready)
		<-reached
		if deletes {
			same(t, g.wait(t, len(all)), idsOf(all))
		}
	}
}

// SetOrigins connects to what is new, leaves what stays, and drops the rest.
func TestSetOrigins(t *testing.T) {
	up, gone := make(chan int, 10), make(chan int, 10)
	a := relaystest.NewHostile(t, func(p *relaystest.Peer) { p.Auth(); up <- p.N; p.Wait(); gone <- p.N })
	b := relaystest.NewDouble(t)
	letter := relaystest.Letter(me.Public())
	b.Put(letter)
	p, g := start(t, a.URL)
	<-up
	p.SetOrigins([]string{a.URL, b.URL, b.URL})
	same(t, g.wait(t, 1), []string{letter.ID})
	p.SetOrigins([]string{b.URL})
	if n := <-gone; n != 1 || a.Connections() != 1 {
		t.Errorf("connection %d of %d ended, want the first and only one", n, a.Connections())
	}
	if c := p.Connections(); len(c) != 1 || c[0].URL != b.URL {
		t.Errorf("%+v", c)
	}
	live := relaystest.Letter(me.Public())
	b.Put(live)
	same(t, g.wait(t, 2), []string{letter.ID, live.ID})
}

// A clock that is off is no reason to stay outside: relays say what time it is.
func TestClock(t *testing.T) {
	for _, off := range []time.Duration{2 * time.Hour, -48 * time.Hour} {
		d := relaystest.NewDouble(t)
		letter := relaystest.Letter(me.Public())
		d.Put(letter)
		_, g := start(t, d.URL, func(c *relays.Config) { c.Now = func() time.Time { return time.Now().Add(off) } })
		same(t, g.wait(t, 1), []string{letter.ID})
	}
}
