package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

// drawProof makes any lawful Proof.
func drawProof(t *rapid.T, pictures map[string][]byte) pow.Proof {
	length := rapid.Int64Range(1, 3600).Draw(t, "seconds")
	millis := length * 1000
	p := pow.Proof{Session: "01JD5V3W8Q4N2Z7K9T6M1B0XYA", Project: "3f6c1d2e9a0b4c5d", Note: rapid.StringN(0, 500, -1).Draw(t, "note"),
		Dropped: rapid.IntRange(0, 100_000).Draw(t, "dropped"), Interval: pow.Interval{From: start, To: start.Add(time.Duration(length) * time.Second)}}
	if rapid.Bool().Draw(t, "activity id") {
		p.KimaiActivity = "7b1e0f42c3d85a96"
	}
	at := start
	for i := range rapid.IntRange(0, 5).Draw(t, "captures") {
		at = at.Add(time.Duration(rapid.Int64Range(0, millis/10).Draw(t, "step")) * time.Millisecond)
		format := rapid.SampledFrom([]string{"png", "jpg"}).Draw(t, "format")
		c := captureOf(at, pictures[format], format, 40, 30)
		c.ID, c.Display = fmt.Sprintf("01JD5V3W8Q4N2Z7K9T6M1B0XY%d", i), rapid.IntRange(0, 3).Draw(t, "display")
		for range rapid.IntRange(0, 3).Draw(t, "again") {
			c.Again = append(c.Again, c.At.Add(time.Duration(len(c.Again))*time.Millisecond))
		}
		p.Captures = append(p.Captures, c)
	}
	p.Activity = pow.Activity{Provisional: rapid.Bool().Draw(t, "provisional"), Cause: rapid.StringMatching(`[a-z_]{0,32}`).Draw(t, "cause")}
	if rapid.Bool().Draw(t, "read") {
		p.Activity.AsOf = start.Add(time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "as of")) * time.Millisecond)
	}
	active := rapid.Int64Range(0, millis).Draw(t, "active")
	p.Activity.Active, p.Activity.Away = time.Duration(active)*time.Millisecond, time.Duration(millis-active)*time.Millisecond
	words := rapid.StringN(0, 1024, -1)
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		from := rapid.Int64Range(0, millis).Draw(t, "from")
		p.Activity.Rows = append(p.Activity.Rows, pow.ActivityRow{From: start.Add(time.Duration(from) * time.Millisecond),
			To: start.Add(time.Duration(rapid.Int64Range(from, millis).Draw(t, "to")) * time.Millisecond), Kind: rapid.SampledFrom([]string{"window", "web"}).Draw(t, "kind"),
			App: words.Draw(t, "app"), Title: words.Draw(t, "title"), Host: rapid.StringN(0, -1, 2048).Draw(t, "host"), Category: words.Draw(t, "category")})
	}
	return p
}

// What is sealed is what is opened, for any Proof, and the size is a Padmé size.
func TestAnyProof(t *testing.T) {
	all := allKeys(t)
	pictures := map[string][]byte{"png": pngOf(t, 1, 40, 30), "jpg": jpgOf(t, 1, 40, 30)}
	rapid.Check(t, func(r *rapid.T) {
		k := all[rapid.SampledFrom([]string{"age-pq", "age-x25519", "openpgp-v1", "openpgp-v2"}).Draw(r, "key")]
		p := drawProof(r, pictures)
		seq := rapid.Uint64Range(2, 1<<40-1).Draw(r, "seq")
		var b bytes.Buffer
		st, f, _, err := sealer().Seal(context.Background(), &b, p, seq, pow.Hash{9}, k.public, sealed)
		if err != nil {
			r.Fatal(err, err.(interface{ Unwrap() error }).Unwrap())
		}
		if int64(b.Len()) != f.Size || archive.Padme(f.Size) != f.Size || st.Seq != seq {
			r.Fatalf("%d bytes, %+v", b.Len(), f)
		}
		got, err := open(opener(t, k), b.Bytes(), noticeOf(st, f))
		if err != nil {
			r.Fatal(err, err.(interface{ Unwrap() error }).Unwrap())
		}
		if d := cmp.Diff(p, got.Proof, sameProof); d != "" {
			r.Fatal(d)
		}
	})
}

// Documents are canonical by RFC 8785: no white space, and members in the order
// of their names, which is how encoding/json writes a map.
func TestCanonical(t *testing.T) {
	x := partsOf(t, proof(t))
	x.m.Head.Note = text("\x00\x1f\b\t\n\f\r\"\\/<>&\u007f\u2028\u2029é😀")
	pieces, _ := x.pieces(t)
	for _, b := range [][]byte{pieces[1].body, bytes.SplitN(x.files[2], []byte("\n"), 2)[0]} {
		var v any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		e := json.NewEncoder(&again)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		// encoding/json escapes these two, RFC 8785 does not.
		want := bytes.ReplaceAll(bytes.ReplaceAll(again.Bytes(), []byte(`\u2028`), []byte("\u2028")), []byte(`\u2029`), []byte("\u2029"))
		if d := cmp.Diff(string(bytes.TrimSpace(want)), string(b)); d != "" {
			t.Error(d)
		}
	}
	if want := `"note":"\u0000\u001f\b\t\n\f\r\"\\/<>&` + "\u007f\u2028\u2029é😀\""; !bytes.Contains(pieces[1].body, []byte(want)) {
		t.Errorf("%s", pieces[1].body)
	}
}
