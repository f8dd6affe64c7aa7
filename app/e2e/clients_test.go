package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/relays"
)

// TestClientsOfOthers has clients that we did not write use our hub by their own
// calls: NDK, nostr-tools and blossom-client-sdk.
func TestClientsOfOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs node and npm")
	}
	dir := installed(t, "testdata/clients")
	dvm, mine, foreign := newSecret(t), newSecret(t), newSecret(t)
	origin := startHub(t, dvm.Public(), mine.Public(), foreign.Public())
	publishReceipt(t, origin, dvm, mine.Public())
	publishReceipt(t, origin, dvm, foreign.Public())
	in := map[string]string{"relay": origin, "secret": bytesHex(mine.Bytes()), "dvm": dvm.Public().String(), "foreign": foreign.Public().String()}

	t.Run("NDK", func(t *testing.T) {
		var saw struct {
			Letter                    string
			Published, Foreign, Count int
			Own                       []struct {
				Kind   int
				PubKey string
			}
		}
		node(t, dir, "ndk.mjs", in, &saw)
		if saw.Published != 1 || saw.Foreign != 0 || saw.Count != 1 {
			t.Errorf("%+v", saw)
		}
		if len(saw.Own) != 1 || saw.Own[0].Kind != 7000 || saw.Own[0].PubKey != dvm.Public().String() {
			t.Errorf("its own letter: %+v", saw.Own)
		}
		arrived(t, origin, dvm, saw.Letter)
	})
	t.Run("nostr-tools", func(t *testing.T) {
		var saw struct {
			Letter, Refused                string
			Published, Count, ForeignCount int
			Need, Have, Again              []string
		}
		node(t, dir, "tools.mjs", in, &saw)
		if saw.Published != 1 || saw.Count != 1 || saw.ForeignCount != 0 || !strings.HasPrefix(saw.Refused, "restricted:") {
			t.Errorf("%+v", saw)
		}
		if len(saw.Need) != 1 || len(saw.Have) != 1 || saw.Have[0] != saw.Letter || len(saw.Again) != 0 {
			t.Errorf("comparing: %+v", saw)
		}
		arrived(t, origin, dvm, saw.Letter)
	})
	t.Run("blossom-client-sdk", func(t *testing.T) {
		var saw struct {
			SHA256               string
			Size                 int
			Again, Same, Deleted bool
			Open, Type, Gone     string
		}
		node(t, dir, "blossom.mjs", map[string]string{"server": "http" + strings.TrimPrefix(origin, "ws"), "secret": bytesHex(mine.Bytes())}, &saw)
		if _, err := pow.ParseHash(saw.SHA256); err != nil || saw.Size != 200_000 || !saw.Again || !saw.Same || !saw.Deleted ||
			saw.Open == "served" || saw.Type != "application/octet-stream" || saw.Gone == "served" {
			t.Errorf("%+v", saw)
		}
	})
}

// installed copies a folder of node programs and installs what its lock file pins.
func installed(t *testing.T, folder string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci (make test installs npm): %v\n%s", err, out)
	}
	return dir
}

// node runs a program of dir with JSON in and out.
func node(t *testing.T, dir, name string, in, out any) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, name))
	cmd.Stdin = bytes.NewReader(b)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	answer, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", name, err, answer, &errs)
	}
}

// arrived reads a letter by its id as its recipient.
func arrived(t *testing.T, origin string, reader identity.Secret, id string) {
	t.Helper()
	h, err := pow.ParseHash(id)
	if err != nil {
		t.Fatal(err)
	}
	pool := relays.New(relays.Config{Origins: []string{origin}, Key: reader, HTTP: http.DefaultClient, Handle: ignore})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	defer func() { cancel(); <-done }()
	found, err := pool.Fetch(ctx, origin, relays.Filter{IDs: []pow.Hash{h}, Kinds: []int{1059}, P: []pow.Key{reader.Public()}})
	if err != nil || len(found) != 1 || event.ID(found[0]) != h {
		t.Errorf("the letter did not arrive: %d events, %v", len(found), err)
	}
}
