package archive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

var update = flag.Bool("update", false, "make the vectors that are not there yet; those that are there stay as they are")

const vectors = "testdata/vectors/v1"

// vector is one sealed file (NAME.sealed) with all that is needed to open it
// and what comes out (NAME.json).
type vector struct {
	Alg    string     `json:"alg"`
	Secret string     `json:"secret"` // of a key that protects nothing else
	Notice pow.Notice `json:"notice"`
	Opened pow.Opened `json:"opened"`
}

// Every archive that a released program may have made opens for ever.
func TestVectors(t *testing.T) {
	if *update {
		makeVectors(t)
	}
	names := must[[]string](t)(filepath.Glob(vectors + "/*.json"))
	if len(names) < 6 {
		t.Errorf("only %d vectors", len(names))
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var v vector
			if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(name)), &v); err != nil {
				t.Fatal(err)
			}
			b := must[[]byte](t)(os.ReadFile(name[:len(name)-len("json")] + "sealed"))
			o := must[*archive.Opener](t)(archive.NewOpener(archive.Key{Alg: v.Alg, Secret: v.Secret}))
			got, err := open(o, b, v.Notice)
			if err != nil {
				t.Fatal(err, errors.Unwrap(err))
			}
			if d := cmp.Diff(v.Opened, got, sameProof); d != "" {
				t.Error(d)
			}
		})
	}
}

func makeVectors(t *testing.T) {
	bare := proof(t)
	bare.Captures, bare.Activity, bare.Note, bare.KimaiActivity, bare.Dropped = nil, pow.Activity{Cause: "off"}, "", "", 0
	all := allKeys(t)
	all["age-pq-bare"], all["age-pq-marked"] = all["age-pq"], all["age-pq"]
	if err := os.MkdirAll(vectors, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, k := range all {
		file := filepath.Join(vectors, name)
		if _, err := os.Stat(file + ".json"); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		p := proof(t)
		switch name {
		case "age-pq-bare":
			p = bare
		case "age-pq-marked":
			p = marked(t)
		}
		b, want := seal(t, p, k)
		opened := must[pow.Opened](t)(open(opener(t, k), b, want))
		var doc bytes.Buffer
		e := json.NewEncoder(&doc)
		e.SetIndent("", "  ")
		if err := e.Encode(vector{k.secret.Alg, k.secret.Secret, want, opened}); err != nil {
			t.Fatal(err)
		}
		for suffix, data := range map[string][]byte{".sealed": b, ".json": doc.Bytes()} {
			if err := os.WriteFile(file+suffix, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
