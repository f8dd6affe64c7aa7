package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/hub/store"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

func announcement(d string, at int, salt byte) *event.Event {
	return &event.Event{Kind: 31990, ID: pow.Hash{salt, byte(at)}.String(), PubKey: DVM.String(), CreatedAt: event.Timestamp(at),
		Tags: event.Tags{{"d", d}}, Content: "{}", Sig: fmt.Sprintf("%0128d", 0)}
}

func testAnnouncements(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	want(t, "first", w.PutWait(announcement("powdo", 10, 5), DVM), nil)
	want(t, "the same", w.PutWait(announcement("powdo", 10, 5), DVM), store.ErrDuplicate)
	want(t, "older", w.PutWait(announcement("powdo", 9, 1), DVM), store.ErrReplaced)
	want(t, "same second, higher id", w.PutWait(announcement("powdo", 10, 6), DVM), store.ErrReplaced)
	want(t, "same second, lower id", w.PutWait(announcement("powdo", 10, 4), DVM), nil)
	want(t, "newer", w.PutWait(announcement("powdo", 11, 9), DVM), nil)
	if got := w.found(Alice); len(got) != 1 || got[0] != announcement("powdo", 11, 9).ID {
		t.Errorf("found %v", got)
	}
	for i := range store.Announcements - 1 {
		want(t, "another address", w.PutWait(announcement(fmt.Sprint(i), 20, byte(i)), DVM), nil)
	}
	want(t, "one address too many", w.PutWait(announcement("more", 20, 200), DVM), store.ErrQuota)
	want(t, "delete", w.DeleteWait(DVM, 15, nil, "powdo", "0", "\x00"), nil)
	want(t, "deleted", w.PutWait(announcement("powdo", 15, 9), DVM), store.ErrDeleted)
	want(t, "after the deletion", w.PutWait(announcement("powdo", 16, 9), DVM), nil)
	if n := len(w.found(Alice)); n != store.Announcements {
		t.Errorf("%d announcements; the one newer than its deletion stays", n)
	}
}

// testFind compares with a plain loop over what was stored.
func testFind(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	want(t, "bob", w.Allow(t.Context(), bob, DVM), nil)
	var all []*event.Event
	for i := range 300 {
		l := Letter(i, []pow.Key{Alice, bob, DVM}[i%3])
		l.CreatedAt = event.Timestamp(1_795_100_000 + i/5)
		want(t, "put", w.PutWait(l, DVM), nil)
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *event.Event) int {
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		f := randomFilter(r, all)
		var wanted, got []string
		for _, l := range all {
			if to, _, _ := event.Single(l, "p"); to != bob.String() && f.Matches(l) && len(wanted) < f.Limit {
				wanted = append(wanted, l.ID)
			}
		}
		err := w.Find(t.Context(), []nostr.Filter{f}, []pow.Key{Alice, DVM}, nil, func(id pow.Hash, _ int, _, _ pow.Key, json []byte) error {
			got = append(got, id.String())
			if !bytes.Contains(json, []byte(id.String())) {
				t.Error("the bytes of another event")
			}
			return nil
		})
		want(t, "find", err, nil)
		if !slices.Equal(got, wanted) {
			t.Fatalf("filter %d %v: found %d, want %d", n, f, len(got), len(wanted))
		}
		f.Limit = math.MaxInt32
		if count, err := w.Count(t.Context(), []nostr.Filter{f}, []pow.Key{Alice, DVM}, nil, 10_000); err != nil || count < len(got) {
			t.Fatalf("filter %d: counted %d, %v", n, count, err)
		}
	}
}

func randomFilter(r *rand.Rand, all []*event.Event) nostr.Filter {
	f := nostr.Filter{Limit: 1 + r.IntN(100)}
	some := func(of func(*event.Event) string) (list []string) {
		for range r.IntN(40) {
			list = append(list, of(all[r.IntN(len(all))]))
		}
		return list
	}
	if r.IntN(3) == 0 {
		f.IDs = some(func(l *event.Event) string { return l.ID })
	}
	if r.IntN(3) == 0 {
		f.Authors = some(func(l *event.Event) string { return l.PubKey })
	}
	if r.IntN(3) == 0 {
		f.Tags = nostr.TagMap{"p": []string{[]pow.Key{Alice, bob, DVM}[r.IntN(3)].String()}}
	}
	if r.IntN(3) == 0 {
		f.Since = new(nostr.Timestamp)
		*f.Since = nostr.Timestamp(1_795_100_000 + r.IntN(60))
	}
	if r.IntN(3) == 0 {
		f.Until = new(nostr.Timestamp)
		*f.Until = nostr.Timestamp(1_795_100_000 + r.IntN(60))
	}
	return f
}

func testBlobs(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	ctx, x := t.Context(), pow.Hash{7}
	want(t, "bob", w.Allow(ctx, bob, DVM), nil)
	own := func(who pow.Key, name string) (string, bool) {
		kept, created, err := w.Own(ctx, x, 100, name, who, DVM)
		want(t, "own", err, nil)
		return kept, created
	}
	if _, err := w.Renew(ctx, x, Alice, DVM); err != pow.ErrNotFound {
		t.Errorf("renewed what is not there: %v", err)
	}
	if kept, created := own(Alice, "one"); kept != "one" || !created {
		t.Errorf("first: %q %v", kept, created)
	}
	w.now.Add(100)
	if kept, created := own(bob, "two"); kept != "one" || created {
		t.Errorf("second: %q %v", kept, created)
	}
	for who, wanted := range map[pow.Key]error{Alice: nil, bob: nil, DVM: nil, keyOf("eve"): pow.ErrNotFound} {
		size, name, uploaded, err := w.Blob(ctx, x, who)
		want(t, "blob", err, wanted)
		if err == nil && (size != 100 || name != "one" || uploaded.Unix() != w.now.Load()) {
			t.Errorf("blob %d %q %v", size, name, uploaded)
		}
	}
	if _, orphan, err := w.Disown(ctx, x, Alice); orphan || err != nil {
		t.Errorf("one of two owners: %v %v", orphan, err)
	}
	if _, err := w.Renew(ctx, x, Alice, DVM); err != pow.ErrNotFound {
		t.Errorf("renewed by a former owner: %v", err)
	}
	if name, orphan, err := w.Disown(ctx, x, DVM); name != "one" || !orphan || err != nil {
		t.Errorf("the DVM: %q %v %v", name, orphan, err)
	}
	own(Alice, "three")
	if stored, _, err := w.Stored(ctx, Alice); stored != 100 || err != nil {
		t.Errorf("stored %d %v", stored, err)
	}
	if list, err := w.Expired(ctx, time.Unix(w.now.Load(), 0), 10); len(list) != 0 || err != nil {
		t.Errorf("expired %v %v", list, err)
	}
	n := 0
	want(t, "each", w.Each(ctx, func(_ pow.Hash, name string) error {
		n++
		if name != "three" {
			t.Errorf("name %q", name)
		}
		return nil
	}), nil)
	if name, dropped, err := w.Drop(ctx, x, time.Unix(w.now.Load()+1, 0)); n != 1 || name != "three" || !dropped || err != nil {
		t.Errorf("%d rows; drop: %q %v %v", n, name, dropped, err)
	}
	for range store.UploadsPerHour {
		want(t, "upload", w.BeginUpload(ctx, Alice), nil)
	}
	want(t, "one upload too many", w.BeginUpload(ctx, Alice), store.ErrQuota)
}

// testContents: what is deleted takes its body and its place in the mailbox along.
func testContents(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	for i := range 10 {
		want(t, "put", w.PutWait(Letter(i, Alice), DVM), nil)
	}
	want(t, "delete", w.DeleteWait(Alice, 0, []pow.Hash{event.ID(Letter(1, Alice)), event.ID(Letter(2, Alice))}), nil)
	for query, wanted := range map[string]int64{
		`SELECT count(*) FROM events`: 8, `SELECT count(*) FROM bodies`: 8,
		`SELECT letters FROM mailboxes`:                                 8,
		`SELECT count(*) FROM events WHERE expires_at % 3600 <> 0`:      0,
		`SELECT (SELECT sum(bytes) FROM events) - bytes FROM mailboxes`: 0,
	} {
		if n := e.Number(t, w.cfg, query); n != wanted {
			t.Errorf("%s: %d, want %d", query, n, wanted)
		}
	}
	want(t, "deny", w.Deny(t.Context(), Alice), nil)
	if n := e.Number(t, w.cfg, `SELECT (SELECT count(*) FROM bodies) + (SELECT count(*) FROM mailboxes)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// testJoinTogether: a claim is spent once, however many try at once (T32).
func testJoinTogether(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	second := w.Beside()
	results := make(chan error)
	for i := range 50 {
		s := []*store.Store{w.Store, second.Store}[i%2]
		go func() {
			results <- s.Join(context.Background(), keyOf(fmt.Sprint("device ", i)), DVM, "claim", time.Unix(w.now.Load()+60, 0))
		}()
	}
	joined := 0
	for range 50 {
		if err := <-results; err == nil {
			joined++
		} else {
			want(t, "late", err, store.ErrClaimUsed)
		}
	}
	if joined != 1 {
		t.Errorf("%d devices joined by one claim", joined)
	}
}

// testOneBadChange: a change that the database refuses fails alone.
func testOneBadChange(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	const n = 50
	results := make([]error, n)
	done := make(chan int, n)
	e.Exec(t, w.cfg, `CREATE UNIQUE INDEX once ON events (created_at)`)
	for i := range n {
		l := Letter(i, Alice)
		if i == 20 {
			l.CreatedAt = Letter(5, Alice).CreatedAt
		}
		w.Put(l, event.Marshal(l), store.Never, DVM, func(err error) { results[i] = err; done <- i })
	}
	for range n {
		<-done
	}
	for i, err := range results {
		if (err != nil) != (i == 20) {
			t.Errorf("letter %d: %v", i, err)
		}
	}
}
