package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nbd-wtf/go-nostr"
	"go.uber.org/goleak"

	"pow.do/services/hub/store"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("POWDO_TEST_WRITE"); path != "" {
		writeUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

func keyOf(word string) pow.Key { return sha256.Sum256([]byte(word)) }

var (
	dvm   = keyOf("dvm")
	alice = keyOf("alice")
	bob   = keyOf("bob")
)

type world struct {
	*store.Store
	t    testing.TB
	path string
	now  atomic.Int64
	free atomic.Int64
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "hub", "hub.db")}
	w.now.Store(1_795_190_600)
	w.free.Store(100 << 30)
	w.Store = w.open()
	if err := w.Allow(t.Context(), alice, dvm); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) open() *store.Store {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), store.Config{Path: w.path, DVMs: []pow.Key{dvm}, Log: slog.New(slog.DiscardHandler),
		Now:  func() time.Time { return time.Unix(w.now.Load(), 0) },
		Free: func() (int64, error) { return w.free.Load(), nil }})
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

// letter makes an event that is not signed: the store trusts what it is given.
func letter(n int, to pow.Key) *event.Event {
	id := sha256.Sum256(fmt.Append(nil, "letter ", n, to))
	return &event.Event{Kind: 1059, ID: hex.EncodeToString(id[:]), PubKey: keyOf(fmt.Sprint("once ", n)).String(),
		CreatedAt: event.Timestamp(1_795_100_000 + n), Tags: event.Tags{{"p", to.String()}}, Content: "content", Sig: strings.Repeat("0", 128)}
}

func (w *world) put(e *event.Event, payer pow.Key) error {
	result := make(chan error, 1)
	w.Put(e, event.Marshal(e), time.Unix(w.now.Load()+100*3600, 0), payer, func(err error) { result <- err })
	return <-result
}

func (w *world) delete(by pow.Key, at int64, ids []pow.Hash, ds ...string) error {
	result := make(chan error, 1)
	w.Delete(by, time.Unix(at, 0), ids, ds, func(err error) { result <- err })
	return <-result
}

func (w *world) found(mailbox pow.Key) (ids []string) {
	w.t.Helper()
	err := w.Find(w.t.Context(), []nostr.Filter{{Limit: 1 << 20}}, []pow.Key{mailbox}, []pow.Key{dvm},
		func(id pow.Hash, _ int, _, _ pow.Key, _ []byte) error { ids = append(ids, id.String()); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func want(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestPut(t *testing.T) {
	w := newWorld(t)
	want(t, "letter", w.put(letter(1, alice), dvm), nil)
	want(t, "the same", w.put(letter(1, alice), dvm), store.ErrDuplicate)
	want(t, "to nobody", w.put(letter(1, bob), dvm), store.ErrNoMailbox)
	w.free.Store(1 << 20)
	want(t, "full disk", w.put(letter(2, alice), dvm), pow.ErrDiskFull)
	want(t, "deleting on a full disk", w.delete(alice, 0, []pow.Hash{event.ID(letter(1, alice))}), nil)
	w.free.Store(100 << 30)
	want(t, "deleted", w.put(letter(1, alice), dvm), store.ErrDeleted)
	w.now.Add(30*86_400 + 1)
	want(t, "after the tombstone", w.put(letter(1, alice), dvm), nil)
}

func TestDailyQuota(t *testing.T) {
	w := newWorld(t)
	results := make(chan error, store.LettersPerDay+1)
	for i := range store.LettersPerDay + 1 {
		e := letter(i, dvm)
		w.Put(e, event.Marshal(e), store.Never, alice, func(err error) { results <- err })
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
	want(t, "the next day", w.put(letter(1<<20, dvm), alice), nil)
}

func TestMailboxIsBounded(t *testing.T) {
	w := newWorld(t)
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	want(t, "first", w.put(letter(1, alice), dvm), nil)
	set := func(letters, bytes int64) {
		if _, err := db.Exec(`UPDATE mailboxes SET letters = ?, bytes = ? WHERE p = ?`, letters, bytes, alice[:]); err != nil {
			t.Fatal(err)
		}
	}
	set(store.MailboxLettersDevice, 1)
	want(t, "20 000 letters", w.put(letter(2, alice), dvm), store.ErrMailboxFull)
	set(1, store.MailboxBytes-10)
	want(t, "2 GiB", w.put(letter(2, alice), dvm), store.ErrMailboxFull)
	set(1, 400)
	want(t, "room", w.put(letter(2, alice), dvm), nil)
}

func TestVanish(t *testing.T) {
	w := newWorld(t)
	want(t, "letter", w.put(letter(1, alice), dvm), nil)
	own := letter(2, dvm)
	own.PubKey = alice.String()
	want(t, "letter by alice's own key", w.put(own, alice), nil)
	if _, err := w.Own(t.Context(), pow.Hash{1}, 10, alice, dvm); err != nil {
		t.Fatal(err)
	}
	at := int64(own.CreatedAt)
	want(t, "vanish", w.Vanish(t.Context(), alice, time.Unix(at, 0)), nil)
	if len(w.found(alice))+len(w.found(dvm)) != 0 {
		t.Error("letters are left")
	}
	if _, ok := w.DVMOf(alice); ok {
		t.Error("it is still a member")
	}
	if _, _, err := w.Blob(t.Context(), pow.Hash{1}, dvm); !errors.Is(err, pow.ErrNotFound) {
		t.Errorf("its blob: %v", err)
	}
	if list, _ := w.Expired(t.Context(), time.Unix(0, 0), 10); !slices.Equal(list, []pow.Hash{{1}}) {
		t.Errorf("orphans %v", list)
	}
	want(t, "an old event of it", w.put(own, alice), store.ErrVanished)
	later := letter(3, dvm)
	later.PubKey, later.CreatedAt = alice.String(), event.Timestamp(at+1)
	want(t, "a newer one", w.put(later, alice), nil)
	want(t, "admitted again", w.Join(t.Context(), alice, dvm, "c", time.Unix(w.now.Load()+10, 0)), nil)
}

func TestJoin(t *testing.T) {
	w := newWorld(t)
	expires := time.Unix(w.now.Load()+3600, 0)
	want(t, "a member", w.Join(t.Context(), alice, dvm, "c", expires), store.ErrMember)
	want(t, "bob", w.Join(t.Context(), bob, dvm, "c", expires), nil)
	want(t, "another by the same", w.Join(t.Context(), keyOf("eve"), dvm, "c", expires), store.ErrClaimUsed)
	want(t, "bob leaves", w.Leave(t.Context(), bob), nil)
	want(t, "and comes back", w.Join(t.Context(), bob, dvm, "c", expires), nil)
	w.now.Add(3600 + 599)
	want(t, "purge", w.Purge(t.Context()), nil)
	want(t, "10 minutes of grace", w.Join(t.Context(), keyOf("eve"), dvm, "c", expires), store.ErrClaimUsed)
	for i := range store.DevicesPerDVM - 2 {
		want(t, "many", w.Join(t.Context(), keyOf(fmt.Sprint(i)), dvm, fmt.Sprint(i), expires), nil)
	}
	want(t, "one too many", w.Join(t.Context(), keyOf("eve"), dvm, "new", expires), store.ErrQuota)
	list, err := w.List(t.Context())
	if err != nil || len(list) != store.DevicesPerDVM || list[0].Day.Unix()%86_400 != 0 {
		t.Errorf("%d devices, %v", len(list), err)
	}
}

// TestSecondProcess changes the whitelist through another handle of the file.
func TestSecondProcess(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	changed := make(chan struct{}, 10)
	w.OnChange(func() { changed <- struct{}{} })
	watched := make(chan error)
	go func() { watched <- w.Watch(ctx) }()
	second := w.open()
	want(t, "deny", second.Deny(ctx, alice), nil)
	want(t, "deny again", second.Deny(ctx, alice), pow.ErrNotFound)
	<-changed
	if _, ok := w.DVMOf(alice); ok {
		t.Error("alice is still a member")
	}
	want(t, "allow", second.Allow(ctx, bob, dvm), nil)
	<-changed
	if d, ok := w.DVMOf(bob); !ok || d != dvm {
		t.Error("bob is no member")
	}
	want(t, "allow under a DVM that is not served", second.Allow(ctx, keyOf("x"), keyOf("another dvm")), nil)
	<-changed
	if _, ok := w.DVMOf(keyOf("x")); ok {
		t.Error("a member of a DVM that this hub does not serve")
	}
	// Both change it at the same time.
	want(t, "here", w.Allow(ctx, alice, dvm), nil)
	want(t, "there", second.Deny(ctx, bob), nil)
	want(t, "here", w.Allow(ctx, keyOf("y"), dvm), nil)
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

func TestPurge(t *testing.T) {
	w := newWorld(t)
	for i := range 1200 {
		e := letter(i, alice)
		w.Put(e, event.Marshal(e), time.Unix(w.now.Load()+1, 0), dvm, func(error) {})
	}
	want(t, "stays", w.put(letter(1<<20, alice), dvm), nil)
	want(t, "tombstone", w.delete(alice, 0, []pow.Hash{{1}}, "d"), nil)
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

// TestAtRest looks at the files themselves: their modes, what a deleted letter
// leaves, and that no time finer than an hour stands beside one.
func TestAtRest(t *testing.T) {
	w := newWorld(t)
	canary := letter(1, alice)
	canary.Content = "canary that must not remain"
	want(t, "put", w.put(canary, dvm), nil)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(w.path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", suffix, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Dir(w.path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v", info.Mode(), err)
	}
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var expires int64
	if err := db.QueryRow(`SELECT expires_at FROM events`).Scan(&expires); err != nil || expires%3600 != 0 {
		t.Errorf("expires_at %d, %v", expires, err)
	}
	want(t, "delete", w.delete(alice, 0, []pow.Hash{event.ID(canary)}), nil)
	want(t, "purge", w.Purge(t.Context()), nil)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.path + suffix)
		if err != nil || bytes.Contains(b, []byte("canary")) {
			t.Errorf("%s: the deleted letter is still in the file (%v)", suffix, err)
		}
	}
}

func TestNewerSchema(t *testing.T) {
	w := newWorld(t)
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), store.Config{Path: w.path})
	want(t, "open", err, pow.ErrVersion)
	if _, err := store.Open(t.Context(), store.Config{Path: t.TempDir()}); err == nil {
		t.Error("a folder was opened as a database")
	}
}

func TestClosed(t *testing.T) {
	w := newWorld(t)
	s, err := store.Open(t.Context(), store.Config{Path: w.path, DVMs: []pow.Key{dvm}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Allow(t.Context(), bob, dvm) == nil {
		t.Error("a closed store took a change")
	}
}

// TestFindWaitsForCallbacks: what a search finds has been handed to its done
// callback before, so that a listener that began earlier has heard of it.
func TestFindWaitsForCallbacks(t *testing.T) {
	w := newWorld(t)
	e := letter(1, alice)
	found, finished := make(chan struct{}), make(chan struct{})
	w.Put(e, event.Marshal(e), store.Never, dvm, func(error) {
		go func() {
			defer close(finished)
			w.Find(context.Background(), []nostr.Filter{{Limit: 1}}, []pow.Key{alice}, nil,
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
