package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/hub/store"
	"pow.do/services/pow"
)

func testAudit(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	start := w.now.Load()
	for i, d := range []store.Deed{
		{By: DVM, Name: "dvm", Method: "allowpubkey", Target: bob}, {Method: "unallowpubkey", Target: bob}, {By: Alice, Name: "anna", Method: "listallowedpubkeys"},
	} {
		w.now.Store(start + int64(i))
		if err := w.Record(t.Context(), d.By, d.Name, d.Method, d.Target); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.Audit(t.Context(), 2)
	want := []store.Deed{
		{At: time.Unix(start+1, 0).UTC(), Method: "unallowpubkey", Target: bob},
		{At: time.Unix(start+2, 0).UTC(), By: Alice, Name: "anna", Method: "listallowedpubkeys"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	w.now.Store(start + int64(store.AuditLife/time.Second) + 2)
	if err := w.Record(t.Context(), DVM, "dvm", "supportedmethods", pow.Key{}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Audit(t.Context(), 10); err != nil || len(got) != 2 {
		t.Errorf("a year later: %v %v", got, err)
	}
}

func testBan(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	told := 0
	w.OnChange(func() { told++ })
	want(t, "letter", w.PutWait(Letter(1, Alice), DVM), nil)
	for _, k := range []pow.Key{Alice, bob} {
		if w.Banned(k) {
			t.Error("banned before")
		}
		want(t, "ban", w.Ban(t.Context(), k, "lost"), nil)
		if !w.Banned(k) {
			t.Error("not banned")
		}
	}
	if _, ok := w.DVMOf(Alice); ok || told != 2 {
		t.Errorf("still a member, or told %d times", told)
	}
	if ids := w.found(Alice); len(ids) != 0 {
		t.Error("its mail is still there")
	}
	if again := w.Beside(); !again.Banned(Alice) || !again.Banned(bob) {
		t.Error("forgotten after a restart")
	}
	want(t, "unban", w.Unban(t.Context(), Alice), nil)
	var left []pow.Key
	err := w.EachBanned(t.Context(), func(k pow.Key, reason string) error {
		left = append(left, k)
		if reason != "lost" {
			t.Errorf("reason %q", reason)
		}
		return nil
	})
	if err != nil || w.Banned(Alice) || !slices.Equal(left, []pow.Key{bob}) {
		t.Errorf("%v %v", left, err)
	}
}

func testBanByAnotherProcess(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	told := make(chan bool, 1)
	w.OnChange(func() { told <- true })
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan error)
	go func() { watched <- w.Watch(ctx) }()
	want(t, "ban", w.Beside().Ban(t.Context(), Alice, ""), nil)
	<-told
	if !w.Banned(Alice) {
		t.Error("not noticed")
	}
	cancel()
	want(t, "watch", <-watched, nil)
}

func testItems(t *testing.T, e Engine) {
	w := NewWorld(t, e)
	for n := range 30 {
		to := Alice
		if n%3 == 0 {
			to = DVM
		}
		want(t, "letter", w.PutWait(Letter(n, to), DVM), nil)
	}
	ask := func(f nostr.Filter, most int, mailboxes ...pow.Key) (n int) {
		err := w.Items(t.Context(), f, mailboxes, []pow.Key{DVM}, most, func(id pow.Hash, kind int, at int64, of pow.Key) error {
			if kind != 1059 || !slices.Contains(mailboxes, of) || at < 1_795_100_000 || id.IsZero() {
				return fmt.Errorf("%s %d %d %s", id, kind, at, of)
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	until := nostr.Timestamp(1_795_100_009)
	for what, row := range map[string][2]int{
		"alice":     {ask(nostr.Filter{}, 100, Alice), 20},
		"both":      {ask(nostr.Filter{Limit: 1}, 100, Alice, DVM), 30},
		"at most 7": {ask(nostr.Filter{}, 7, Alice, DVM), 7},
		"until":     {ask(nostr.Filter{Until: &until}, 100, Alice), 6},
		"kind 1":    {ask(nostr.Filter{Kinds: []int{1}}, 100, Alice), 0},
		"nobody":    {ask(nostr.Filter{}, 100, bob), 0},
	} {
		if row[0] != row[1] {
			t.Errorf("%s: %d, want %d", what, row[0], row[1])
		}
	}
	stop := errors.New("stop")
	err := w.Items(t.Context(), nostr.Filter{}, []pow.Key{Alice}, nil, 9, func(pow.Hash, int, int64, pow.Key) error { return stop })
	want(t, "each's error", err, stop)
}
