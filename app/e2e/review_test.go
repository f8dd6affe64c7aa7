package e2e_test

import (
	"bytes"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestReview changes what was captured before it leaves, and looks at the other
// end at what has arrived: covered pixels are gone, what was removed never came,
// and both are told. The consent that "join" signed is there, too.
func TestReview(t *testing.T) {
	w, server, agent := joined(t)
	type cell struct{ ID, State string }
	w.must("powdo", "start", projectName)
	w.must("powdo", "capture")
	cells := into[[]cell](w, w.must("powdo", "review", "--json"))
	if len(cells) == 0 || cells[0].State != "held" {
		t.Fatalf("held: %+v", cells)
	}
	id := cells[0].ID
	before := w.picture(id)
	w.must("powdo", "review", "redact", id, "--rect", "32,48,160,64")
	w.must("powdo", "review", "redact", id, "--rect", "0,0,5,5")
	w.must("powdo", "review", "undo", id)
	shown := w.picture(id)
	if bytes.Equal(before, shown) {
		t.Error("nothing was covered")
	}
	w.must("powdo", "register", "--wait")
	type proofDoc struct {
		ID     int64
		Marks  []string
		Checks struct{ Consent string }
	}
	ps := into[[]proofDoc](w, w.must("powdo-server", "proofs", "--json"))
	if len(ps) != 1 || len(ps[0].Marks) != 1 || ps[0].Marks[0] != "edited" || ps[0].Checks.Consent != "ok" {
		t.Fatalf("proof: %+v", ps)
	}
	to := filepath.Join(t.TempDir(), "opened")
	w.must("powdo-server", "proofs", "open", strconv.FormatInt(ps[0].ID, 10), "--to", to)
	names, err := filepath.Glob(filepath.Join(to, "c0001.*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("opened: %v %v", names, err)
	}
	arrived, err := os.ReadFile(names[0])
	if err != nil || !bytes.Equal(arrived, shown) {
		t.Errorf("what arrived is not what was shown: %v", err)
	}
	img, _, err := image.Decode(bytes.NewReader(arrived))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []image.Point{{32, 48}, {100, 80}, {191, 111}} {
		if c := color.RGBAModel.Convert(img.At(p.X, p.Y)); c != (color.RGBA{0x0B, 0x0F, 0x14, 0xFF}) {
			t.Errorf("pixel %v is %v", p, c)
		}
	}
	if _, err := os.Stat(filepath.Join(to, "consent.json")); err != nil {
		t.Error("the consent did not travel:", err)
	}
	server.stop(t)
	agent.stop(t)
}

// picture returns a picture as it will be sent.
func (w *world) picture(id string) []byte {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "picture")
	w.must("powdo", "review", "show", id, "-o", file)
	b, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}
