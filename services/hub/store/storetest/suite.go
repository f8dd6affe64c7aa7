package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/hub/store"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Run holds an engine to everything that the relay and the Blossom server rely on.
func Run(t *testing.T, e Engine) {
	for name, f := range map[string]func(*testing.T, Engine){
		"Put": testPut, "DailyQuota": testDailyQuota, "MailboxIsBounded": testMailboxIsBounded,
		"Announcements": testAnnouncements, "Find": testFind, "Vanish": testVanish, "Join": testJoin, "Blobs": testBlobs,
		"SecondProcess": testSecondProcess, "Purge": testPurge, "NewerSchema": testNewerSchema,
		"Closed": testClosed, "FindWaitsForCallbacks": testFindWaitsForCallbacks, "Contents": testContents,
		"Audit": testAudit, "Ban": testBan, "BanByAnotherProcess": testBanByAnotherProcess, "Items": testItems,
		"JoinTogether": testJoinTogether, "OneBadChange": testOneBadChange,
	} {
		t.Run(name, func(t *testing.T) { f(t, e) })
	}
}

func keyOf(word string) pow.Key { return sha256.Sum256([]byte(word)) }

// Keys of the tests.
var (
	DVM   = keyOf("dvm")
	Alice = keyOf("alice")
	bob   = keyOf("bob")
)

// World is a store whose clock and disk a test owns, with Alice as a member of
// the one DVM.
type World struct {
	*store.Store
	t      testing.TB
	engine Engine
	cfg    store.Config
	now    *atomic.Int64
	free   atomic.Int64
}

// NewWorld opens a store on an empty database.
func NewWorld(t testing.TB, e Engine) *World {
	w := &World{t: t, engine: e, cfg: e.Fresh(t), now: new(atomic.Int64)}
	w.now.Store(1_795_190_600)
	w.free.Store(100 << 30)
	w.cfg.DVMs, w.cfg.Log = []pow.Key{DVM}, slog.New(slog.DiscardHandler)
	w.cfg.Now = func() time.Time { return time.Unix(w.now.Load(), 0) }
	w.cfg.Space = func() (int64, int64, error) { return w.free.Load(), 0, nil }
	w.Store = w.open()
	if err := w.Allow(t.Context(), Alice, DVM); err != nil {
		t.Fatal(err)
	}
	return w
}

// Beside opens a second store on the same database, as another process would.
func (w *World) Beside() *World {
	second := &World{t: w.t, engine: w.engine, cfg: w.cfg, now: w.now}
	second.Store = second.open()
	return second
}

// Config is what the store was opened with.
func (w *World) Config() store.Config { return w.cfg }

func (w *World) open() *store.Store {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return s
}

// Letter makes an event that is not signed: the store trusts what it is given.
func Letter(n int, to pow.Key) *event.Event {
	id := sha256.Sum256(fmt.Append(nil, "letter ", n, to))
	return &event.Event{Kind: 1059, ID: hex.EncodeToString(id[:]), PubKey: keyOf(fmt.Sprint("once ", n)).String(),
		CreatedAt: event.Timestamp(1_795_100_000 + n), Tags: event.Tags{{"p", to.String()}}, Content: "content", Sig: strings.Repeat("0", 128)}
}

// PutWait stores a letter and waits for the commit.
func (w *World) PutWait(e *event.Event, payer pow.Key) error {
	result := make(chan error, 1)
	w.Put(e, event.Marshal(e), time.Unix(w.now.Load()+100*3600, 0), payer, func(err error) { result <- err })
	return <-result
}

// DeleteWait deletes and waits for the commit.
func (w *World) DeleteWait(by pow.Key, at int64, ids []pow.Hash, ds ...string) error {
	result := make(chan error, 1)
	w.Delete(by, time.Unix(at, 0), ids, ds, func(err error) { result <- err })
	return <-result
}

func (w *World) found(mailbox pow.Key) []string {
	w.t.Helper()
	return Found(w.t, w.Store, mailbox)
}

// Found returns the ids of everything in a mailbox, and of DVM's announcements.
func Found(t testing.TB, s *store.Store, mailbox pow.Key) (ids []string) {
	t.Helper()
	err := s.Find(t.Context(), []nostr.Filter{{Limit: 1 << 20}}, []pow.Key{mailbox}, []pow.Key{DVM},
		func(id pow.Hash, _ int, _, _ pow.Key, _ []byte) error { ids = append(ids, id.String()); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func want(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func testPut(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	want(t, "letter", w.PutWait(Letter(1, Alice), DVM), nil)
	want(t, "the same", w.PutWait(Letter(1, Alice), DVM), store.ErrDuplicate)
	want(t, "to nobody", w.PutWait(Letter(1, bob), DVM), store.ErrNoMailbox)
	w.free.Store(1 << 20)
	if w.Disk() != nil {
		want(t, "full disk", w.PutWait(Letter(2, Alice), DVM), pow.ErrDiskFull)
	}
	want(t, "deleting on a full disk", w.DeleteWait(Alice, 0, []pow.Hash{event.ID(Letter(1, Alice))}), nil)
	w.free.Store(100 << 30)
	want(t, "deleted", w.PutWait(Letter(1, Alice), DVM), store.ErrDeleted)
	w.now.Add(30*86_400 + 1)
	want(t, "after the tombstone", w.PutWait(Letter(1, Alice), DVM), nil)
}

func testDailyQuota(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	results := make(chan error, store.LettersPerDay+1)
	for i := range store.LettersPerDay + 1 {
		e := Letter(i, DVM)
		w.Put(e, event.Marshal(e), store.Never, Alice, func(err error) { results <- err })
	}
	refused := 0
	for range store.LettersPerDay + 1 {
		if err := <-results; err != nil {
			want(t, "over the quota", err, store.ErrQuota)
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d letters were refused, want 1", refused)
	}
	w.now.Add(86_400)
	want(t, "the next day", w.PutWait(Letter(1<<20, DVM), Alice), nil)
}

func testMailboxIsBounded(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	want(t, "first", w.PutWait(Letter(1, Alice), DVM), nil)
	set := func(letters, bytes int64) {
		e.Exec(t, w.cfg, `UPDATE mailboxes SET letters = $1, bytes = $2 WHERE p = $3`, letters, bytes, Alice[:])
	}
	set(store.MailboxLettersDevice, 1)
	want(t, "20 000 letters", w.PutWait(Letter(2, Alice), DVM), store.ErrMailboxFull)
	set(1, store.MailboxBytes-10)
	want(t, "2 GiB", w.PutWait(Letter(2, Alice), DVM), store.ErrMailboxFull)
	set(1, 400)
	want(t, "room", w.PutWait(Letter(2, Alice), DVM), nil)
}

func testVanish(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	want(t, "letter", w.PutWait(Letter(1, Alice), DVM), nil)
	own := Letter(2, DVM)
	own.PubKey = Alice.String()
	want(t, "letter by alice's own key", w.PutWait(own, Alice), nil)
	if _, _, err := w.Own(t.Context(), pow.Hash{1}, 10, "", Alice, DVM); err != nil {
		t.Fatal(err)
	}
	at := int64(own.CreatedAt)
	want(t, "vanish", w.Vanish(t.Context(), Alice, time.Unix(at, 0)), nil)
	if len(w.found(Alice))+len(w.found(DVM)) != 0 {
		t.Error("letters are left")
	}
	if _, ok := w.DVMOf(Alice); ok {
		t.Error("it is still a member")
	}
	if _, _, _, err := w.Blob(t.Context(), pow.Hash{1}, DVM); !errors.Is(err, pow.ErrNotFound) {
		t.Errorf("its blob: %v", err)
	}
	if list, _ := w.Expired(t.Context(), time.Unix(0, 0), 10); !slices.Equal(list, []pow.Hash{{1}}) {
		t.Errorf("orphans %v", list)
	}
	want(t, "an old event of it", w.PutWait(own, Alice), store.ErrVanished)
	later := Letter(3, DVM)
	later.PubKey, later.CreatedAt = Alice.String(), event.Timestamp(at+1)
	want(t, "a newer one", w.PutWait(later, Alice), nil)
	want(t, "admitted again", w.Join(t.Context(), Alice, DVM, "c", time.Unix(w.now.Load()+10, 0)), nil)
}

func testJoin(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	expires := time.Unix(w.now.Load()+3600, 0)
	want(t, "a member", w.Join(t.Context(), Alice, DVM, "c", expires), store.ErrMember)
	want(t, "bob", w.Join(t.Context(), bob, DVM, "c", expires), nil)
	want(t, "another by the same", w.Join(t.Context(), keyOf("eve"), DVM, "c", expires), store.ErrClaimUsed)
	want(t, "bob leaves", w.Leave(t.Context(), bob), nil)
	want(t, "and comes back", w.Join(t.Context(), bob, DVM, "c", expires), nil)
	w.now.Add(3600 + 599)
	want(t, "purge", w.Purge(t.Context()), nil)
	want(t, "10 minutes of grace", w.Join(t.Context(), keyOf("eve"), DVM, "c", expires), store.ErrClaimUsed)
	for i := range store.DevicesPerDVM - 2 {
		want(t, "many", w.Join(t.Context(), keyOf(fmt.Sprint(i)), DVM, fmt.Sprint(i), expires), nil)
	}
	want(t, "one too many", w.Join(t.Context(), keyOf("eve"), DVM, "new", expires), store.ErrQuota)
	list, err := w.List(t.Context())
	if err != nil || len(list) != store.DevicesPerDVM || list[0].Day.Unix()%86_400 != 0 {
		t.Errorf("%d devices, %v", len(list), err)
	}
}

// testSecondProcess changes the whitelist through another handle of the file.
func testSecondProcess(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	changed := make(chan struct{}, 10)
	w.OnChange(func() { changed <- struct{}{} })
	watched := make(chan error)
	go func() { watched <- w.Watch(ctx) }()
	second := w.Beside()
	want(t, "deny", second.Deny(ctx, Alice), nil)
	want(t, "deny again", second.Deny(ctx, Alice), pow.ErrNotFound)
	<-changed
	if _, ok := w.DVMOf(Alice); ok {
		t.Error("alice is still a member")
	}
	want(t, "allow", second.Allow(ctx, bob, DVM), nil)
	<-changed
	if d, ok := w.DVMOf(bob); !ok || d != DVM {
		t.Error("bob is no member")
	}
	want(t, "allow under a DVM that is not served", second.Allow(ctx, keyOf("x"), keyOf("another dvm")), nil)
	<-changed
	if _, ok := w.DVMOf(keyOf("x")); ok {
		t.Error("a member of a DVM that this hub does not serve")
	}
	// Both change it at the same time.
	want(t, "here", w.Allow(ctx, Alice, DVM), nil)
	want(t, "there", second.Deny(ctx, bob), nil)
	want(t, "here", w.Allow(ctx, keyOf("y"), DVM), nil)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, ok := w.DVMOf(bob); !ok {
			break
		}
		if time.Now().After(end) {
			t.Fatal("bob is still a member")
		}
	}
	cancel()
	want(t, "watch", <-watched, nil)
}

func testPurge(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	for i := range 1200 {
		e := Letter(i, Alice)
		w.Put(e, event.Marshal(e), time.Unix(w.now.Load()+1, 0), DVM, func(error) {})
	}
	want(t, "stays", w.PutWait(Letter(1<<20, Alice), DVM), nil)
	want(t, "tombstone", w.DeleteWait(Alice, 0, []pow.Hash{{1}}, "d"), nil)
	w.now.Add(3601)
	want(t, "purge", w.Purge(t.Context()), nil)
	if z, err := w.Size(t.Context()); err != nil || z.Letters != 1 || z.Tombstones != 1 {
		t.Errorf("%+v %v", z, err)
	}
	w.now.Add(31 * 86_400)
	want(t, "purge", w.Purge(t.Context()), nil)
	if z, err := w.Size(t.Context()); err != nil || z.Letters != 0 || z.LetterBytes != 0 || z.Tombstones != 0 {
		t.Errorf("%+v %v", z, err)
	}
}

func testNewerSchema(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	if e.driver == "sqlite" {
		e.Exec(t, w.cfg, "PRAGMA user_version = 99")
	} else {
		e.Exec(t, w.cfg, "INSERT INTO migrations VALUES (99)")
	}
	_, err := store.Open(t.Context(), w.cfg)
	want(t, "open", err, pow.ErrVersion)
}

func testClosed(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	s, err := store.Open(t.Context(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Allow(t.Context(), bob, DVM) == nil {
		t.Error("a closed store took a change")
	}
}

// testFindWaitsForCallbacks: what a search finds has been handed to its done
// callback before, so that a listener that began earlier has heard of it.
func testFindWaitsForCallbacks(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	l := Letter(1, Alice)
	found, finished := make(chan struct{}), make(chan struct{})
	w.Put(l, event.Marshal(l), store.Never, DVM, func(error) {
		go func() {
			defer close(finished)
			w.Find(context.Background(), []nostr.Filter{{Limit: 1}}, []pow.Key{Alice}, nil,
				func(pow.Hash, int, pow.Key, pow.Key, []byte) error { close(found); return nil })
		}()
		select {
		case <-found:
			t.Error("the search was ahead of the callback")
		case <-time.After(100 * time.Millisecond):
		}
	})
	<-finished
	<-found
}
