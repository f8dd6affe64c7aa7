package storetest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/hub/store"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// RunHubs checks what several hubs on one database promise each other.
func RunHubs(t *testing.T, e Engine) {
	for name, f := range map[string]func(*testing.T, Engine){
		"Arrival": testArrival, "LostConnections": testLostConnections, "AwayForTooLong": testAway,
		"ReadersElsewhere": testReadersElsewhere, "MigrateOnce": testMigrateOnce, "OneQuota": testOneQuota,
	} {
		t.Run(name, func(t *testing.T) { f(t, e) })
	}
}

// watching is a store whose Watch runs, and what arrived there.
type watching struct {
	*World
	mu      sync.Mutex
	arrived []string
	missed  int
	more    chan struct{}
}

func watch(w *World) *watching {
	r := &watching{World: w, more: make(chan struct{}, 1)}
	w.OnArrival(r.arrive, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.missed++
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.Watch(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return r
}

func (r *watching) arrive(json []byte) {
	e, err := event.Parse(json)
	if err != nil {
		r.t.Error(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived = append(r.arrived, e.ID)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *watching) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.arrived)
}

// wait waits until n events have arrived.
func (r *watching) wait(n int) []string {
	r.t.Helper()
	late := time.After(30 * time.Second)
	for len(r.all()) < n {
		select {
		case <-r.more:
		case <-late:
			r.t.Fatalf("%d of %d events arrived", len(r.all()), n)
		}
	}
	return r.all()
}

// testArrival: what one hub stores, the other hears, once, in order; its own it
// does not hear. A key that is removed at one is gone at the other.
func testArrival(t *testing.T, e Engine) {
	first := watch(NewWorld(t, e))
	second := watch(first.Beside())
	changed := make(chan struct{}, 10)
	second.OnChange(func() { changed <- struct{}{} })
	var ids []string
	for i := range 450 {
		l := Letter(i, Alice)
		want(t, "put", first.PutWait(l, DVM), nil)
		ids = append(ids, l.ID)
	}
	if got := second.wait(450); !slices.Equal(got, ids) {
		t.Error("arrived twice or out of order")
	}
	want(t, "there", second.PutWait(Letter(1000, Alice), DVM), nil)
	first.wait(1)
	want(t, "announcement", first.PutWait(announcement("powdo", 10, 1), DVM), nil)
	second.wait(451)
	want(t, "deny", first.Deny(t.Context(), Alice), nil)
	<-changed
	if _, ok := second.DVMOf(Alice); ok {
		t.Error("alice is still a member at the other hub")
	}
	if n := len(first.all()); n != 1 {
		t.Errorf("%d events arrived at the first hub, want 1", n)
	}
}

// testLostConnections cuts every connection to the database again and again
// while letters come: what was acknowledged is there, and has arrived at the
// other hub exactly once (F33).
func testLostConnections(t *testing.T, e Engine) {
	first := watch(NewWorld(t, e))
	second := watch(first.Beside())
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				e.Exec(t, first.cfg, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			}
		}
	}()
	acknowledged := map[string]bool{}
	failed := 0
	for i := 0; i < 2000 && (failed < 5 || i < 500); i++ {
		l := Letter(i, Alice)
		switch err := first.PutWait(l, DVM); err {
		case nil:
			acknowledged[l.ID] = true
		default:
			failed++
		}
	}
	close(stop)
	<-stopped
	if failed == 0 || len(acknowledged) < 100 {
		t.Fatalf("%d failed, %d were acknowledged", failed, len(acknowledged))
	}
	last := Letter(1<<20, Alice) // whoever has heard this one has heard all
	for first.PutWait(last, DVM) != nil {
	}
	for late := time.After(30 * time.Second); !slices.Contains(second.all(), last.ID); {
		select {
		case <-second.more:
		case <-late:
			t.Fatal("the last letter did not arrive")
		}
	}
	seen, stored := map[string]bool{}, first.found(Alice)
	for _, id := range second.all() {
		if seen[id] {
			t.Errorf("%s arrived twice", id)
		}
		seen[id] = true
	}
	for id := range acknowledged {
		if !seen[id] || !slices.Contains(stored, id) {
			t.Errorf("%s was acknowledged; arrived: %v, stored: %v", id, seen[id], slices.Contains(stored, id))
		}
	}
}

// testAway: a hub that was away for longer than the feed is kept says so.
func testAway(t *testing.T, e Engine) {
	first := NewWorld(t, e)
	second := first.Beside()
	missed := 0
	second.OnArrival(func([]byte) {}, func() { missed++ })
	want(t, "put", first.PutWait(Letter(1, Alice), DVM), nil)
	want(t, "purge", first.Purge(t.Context()), nil)
	second.found(Alice)
	if missed != 0 {
		t.Fatal("the feed was not kept until the next purge")
	}
	want(t, "put", first.PutWait(Letter(2, Alice), DVM), nil)
	want(t, "purge", first.Purge(t.Context()), nil)
	want(t, "purge", first.Purge(t.Context()), nil)
	if n := e.Number(t, first.cfg, `SELECT count(*) FROM feed`); n != 0 {
		t.Errorf("%d rows of the feed are left", n)
	}
	second.found(Alice)
	second.found(Alice)
	if missed != 1 {
		t.Errorf("told %d times that letters were missed, want 1", missed)
	}
}

// testReadersElsewhere: readers at one hub who listen first and search then get
// every letter that is stored at the other exactly once.
func testReadersElsewhere(t *testing.T, e Engine) {
	first := NewWorld(t, e)
	second := watch(first.Beside())
	const n = 600
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range n {
			want(t, "put", first.PutWait(Letter(i, Alice), DVM), nil)
		}
	})
	for round := range 20 {
		second.mu.Lock()
		heard := len(second.arrived) // listening from here on
		second.mu.Unlock()
		var sent []string
		err := second.Find(t.Context(), []nostr.Filter{{Limit: 1 << 20}}, []pow.Key{Alice}, nil,
			func(id pow.Hash, _ int, _, _ pow.Key, _ []byte) error { sent = append(sent, id.String()); return nil })
		want(t, "find", err, nil)
		buffered := second.all()[heard:]
		known := map[string]bool{}
		for _, id := range sent {
			known[id] = true
		}
		end := len(second.all())
		second.wait(min(n, end+20))
		for _, id := range second.all()[heard+len(buffered):] {
			if known[id] {
				t.Fatalf("round %d: %s was found and arrived again", round, id)
			}
			known[id] = true
		}
		for _, id := range buffered {
			known[id] = true
		}
		for _, id := range second.all() {
			if !known[id] {
				t.Fatalf("round %d: %s was neither found nor heard", round, id)
			}
		}
	}
	writer.Wait()
}

// testMigrateOnce: hubs that start together on an empty database all come up.
func testMigrateOnce(t *testing.T, e Engine) {
	cfg := e.Fresh(t)
	cfg.DVMs, cfg.Log = []pow.Key{DVM}, slog.New(slog.DiscardHandler)
	errs := make(chan error)
	for range 8 {
		go func() {
			s, err := store.Open(context.Background(), cfg)
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range 8 {
		want(t, "open", <-errs, nil)
	}
}

// testOneQuota: a key has one quota, at however many hubs it writes.
func testOneQuota(t *testing.T, e Engine) {
	first := NewWorld(t, e)
	second := first.Beside()
	for i := range store.UploadsPerHour {
		w := []*World{first, second}[i%2]
		want(t, fmt.Sprint("upload ", i), w.BeginUpload(t.Context(), Alice), nil)
	}
	want(t, "one too many", second.BeginUpload(t.Context(), Alice), store.ErrQuota)
	want(t, "one too many", first.BeginUpload(t.Context(), Alice), store.ErrQuota)
}
