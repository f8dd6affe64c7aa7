// Khatru is a standard relay and Blossom server of others, for tests and
// benchmarks that put it in our hub's place: khatru with LMDB, as it comes, with
// the policies that a mailbox needs (AUTH before any request, letters only by
// their recipient's #p). It is a module of its own, so that nothing of it
// enters ours.
//
//	khatru [-negentropy] -listen 127.0.0.1:0 -dir DIR
//
// It prints {"relay":"ws://…"} once it listens, and ends with its standard input.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/fiatjaf/eventstore/lmdb"
	"github.com/fiatjaf/khatru"
	"github.com/fiatjaf/khatru/blossom"
	"github.com/fiatjaf/khatru/policies"
	"github.com/nbd-wtf/go-nostr"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	dir := flag.String("dir", "", "folder")
	negentropy := flag.Bool("negentropy", false, "speak NIP-77")
	flag.Parse()
	if err := run(*listen, *dir, *negentropy); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(listen, dir string, negentropy bool) error {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	relay := khatru.NewRelay()
	relay.ServiceURL = "http://" + ln.Addr().String()
	relay.Negentropy = negentropy
	relay.Info.AddSupportedNIP(42)
	relay.MaxMessageSize = 1 << 20
	relay.OnConnect = append(relay.OnConnect, khatru.RequestAuth)
	relay.RejectFilter = append(relay.RejectFilter, policies.MustAuth, ownLetters)
	if err := store(relay, filepath.Join(dir, "events")); err != nil {
		return err
	}
	if err := blobs(relay, filepath.Join(dir, "blobs"), filepath.Join(dir, "index")); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"relay": "ws://" + ln.Addr().String()}); err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		ln.Close()
	}()
	http.Serve(ln, relay)
	return nil
}

// ownLetters lets a key ask for gift wraps by its own #p only, as other relays do.
func ownLetters(ctx context.Context, f nostr.Filter) (reject bool, msg string) {
	if slices.Contains(f.Kinds, 1059) && !slices.Equal(f.Tags["p"], []string{khatru.GetAuthed(ctx)}) {
		return true, "restricted: letters by your own #p only"
	}
	return false, ""
}

func store(relay *khatru.Relay, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	db := &lmdb.LMDBBackend{Path: dir, MapSize: 8 << 30}
	if err := db.Init(); err != nil {
		return err
	}
	relay.StoreEvent = append(relay.StoreEvent, db.SaveEvent)
	relay.QueryEvents = append(relay.QueryEvents, db.QueryEvents)
	relay.DeleteEvent = append(relay.DeleteEvent, db.DeleteEvent)
	relay.ReplaceEvent = append(relay.ReplaceEvent, db.ReplaceEvent)
	return nil
}

func blobs(relay *khatru.Relay, dir, index string) error {
	for _, d := range []string{dir, index} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	db := &lmdb.LMDBBackend{Path: index, MapSize: 1 << 30}
	if err := db.Init(); err != nil {
		return err
	}
	b := blossom.New(relay, relay.ServiceURL)
	b.Store = blossom.EventStoreBlobIndexWrapper{Store: db, ServiceURL: relay.ServiceURL}
	name := func(sha256 string) string { return filepath.Join(dir, sha256) }
	b.StoreBlob = append(b.StoreBlob, func(_ context.Context, sha256, _ string, body []byte) error {
		return os.WriteFile(name(sha256), body, 0o600)
	})
	b.LoadBlob = append(b.LoadBlob, func(_ context.Context, sha256, _ string) (io.ReadSeeker, error) {
		body, err := os.ReadFile(name(sha256))
		return bytes.NewReader(body), err
	})
	b.DeleteBlob = append(b.DeleteBlob, func(_ context.Context, sha256, _ string) error { return os.Remove(name(sha256)) })
	return nil
}
