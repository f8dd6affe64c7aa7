package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

func stretch(from, to int) pow.Interval {
	return pow.Interval{From: start.Add(time.Duration(from) * time.Second), To: start.Add(time.Duration(to) * time.Second)}
}

// marked is a Proof whose worker used every freedom, with a consent.
func marked(t testing.TB) pow.Proof {
	p := proof(t)
	p.Captures[0].Areas, p.Captures[0].Covered = 2, 90
	p.Captures[1].Cropped = true
	p.Dropped, p.Skipped = 3, 2
	p.Without = []pow.Interval{stretch(0, 10), stretch(100, 200)}
	p.Kept = []pow.Interval{stretch(300, 420)}
	p.ByHand = []pow.Interval{stretch(0, 600)}
	p.Consent = []byte(`{"kind":25943,"any":"bytes"}`)
	return p
}

func markedZip(t testing.TB) []byte {
	pieces, _ := partsOf(t, marked(t)).pieces(t)
	return zipOf(pieces)
}

func TestMarksTravel(t *testing.T) {
	k := agePQ(t)
	p := marked(t)
	b, want := seal(t, p, k)
	got, err := open(opener(t, k), b, want)
	if err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	if d := cmp.Diff(p, got.Proof, sameProof); d != "" {
		t.Error(d)
	}
	p.Activity.Rows, p.Captures = nil, nil // the consent alone
	b, want = seal(t, p, k)
	if got, err = open(opener(t, k), b, want); err != nil || !bytes.Equal(got.Proof.Consent, p.Consent) {
		t.Errorf("%q %v", got.Proof.Consent, err)
	}
}

// A Proof that nothing was done to has the bytes that it always had.
func TestMarksAreAbsentWhenEmpty(t *testing.T) {
	pieces, _ := partsOf(t, proof(t)).pieces(t)
	for _, word := range []string{"by_hand", "kept", "without", "skipped", "areas", "covered", "cropped", "consent"} {
		if bytes.Contains(pieces[1].body, []byte(word)) {
			t.Errorf("%s stands in a manifest that has none", word)
		}
	}
}

func TestMarksSurviveResealing(t *testing.T) {
	k := agePQ(t)
	p := marked(t)
	var first, second bytes.Buffer
	_, _, head, err := sealer().Seal(context.Background(), &first, p, 1, pow.Hash{}, k.public, sealed)
	if err != nil {
		t.Fatal(err)
	}
	st, f, err := sealer().Reseal(context.Background(), &second, head, p, k.public, sealed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := open(opener(t, k), second.Bytes(), noticeOf(st, f))
	if err != nil || cmp.Diff(p, got.Proof, sameProof) != "" {
		t.Errorf("%v %s", err, cmp.Diff(p, got.Proof, sameProof))
	}
	for name, change := range map[string]func(*pow.Proof){
		"kept": func(p *pow.Proof) { p.Kept = nil }, "by hand": func(p *pow.Proof) { p.ByHand = nil }, "without": func(p *pow.Proof) { p.Without = nil },
		"skipped": func(p *pow.Proof) { p.Skipped = 0 }, "consent": func(p *pow.Proof) { p.Consent = nil }, "areas": func(p *pow.Proof) { p.Captures[0].Areas = 1 },
	} {
		other := marked(t)
		other.Captures = append([]pow.Capture(nil), p.Captures...)
		change(&other)
		if _, _, err := sealer().Reseal(context.Background(), &second, head, other, k.public, sealed); !errors.Is(err, pow.ErrArchive) {
			t.Errorf("%s: another proof under the same statement: %v", name, err)
		}
	}
}

func TestBadMarks(t *testing.T) {
	from, to := start.Unix(), start.Unix()+600
	pair := func(a, b int64) string { return fmt.Sprintf("[[%d,%d]]", a, b) }
	good := func(x *parts) {}
	bad := func(change func(*parts)) func() (pow.Opened, error) {
		x := partsOf(t, marked(t))
		change(x)
		pieces, _ := x.pieces(t)
		return check(zipOf(pieces))
	}
	if _, err := bad(good)(); err != nil {
		t.Fatal("the good one:", err)
	}
	kept := `"kept":` + pair(from+300, from+420)
	swap := func(new string) func() (pow.Opened, error) {
		return bad(func(x *parts) {
			x.override["manifest.json"] = func(b []byte) []byte {
				if !bytes.Contains(b, []byte(kept)) {
					t.Fatal("not found")
				}
				return bytes.Replace(b, []byte(kept), []byte(new), 1)
			}
		})
	}
	for name, new := range map[string]string{
		"three numbers": fmt.Sprintf(`"kept":[[%d,%d,0]]`, from+300, from+420), "one number": fmt.Sprintf(`"kept":[[%d]]`, from+300),
		"empty list": `"kept":[]`, "null": `"kept":null`, "object": `"kept":{}`, "texts": fmt.Sprintf(`"kept":[["%d","%d"]]`, from, to),
	} {
		refuse(t, "marks/"+name, pow.ErrArchive, nil, swap(new))
	}
	early, late := start.Add(-time.Second), start.Add(601*time.Second)
	for name, in := range map[string][]pow.Interval{
		"before the interval": {{From: early, To: start.Add(9 * time.Second)}}, "behind the interval": {{From: start, To: late}},
		"empty": {stretch(5, 5)}, "backwards": {stretch(9, 5)}, "out of order": {stretch(20, 30), stretch(0, 5)},
		"overlapping": {stretch(0, 10), stretch(9, 20)}, "touching": {stretch(0, 10), stretch(10, 20)},
	} {
		for _, which := range []func(*pow.Proof){
			func(p *pow.Proof) { p.Kept = in }, func(p *pow.Proof) { p.ByHand = in }, func(p *pow.Proof) { p.Without = in },
		} {
			p := marked(t)
			which(&p)
			pieces, _ := partsOf(t, p).pieces(t)
			refuse(t, "marks/"+name, pow.ErrArchive, nil, check(zipOf(pieces)))
			if _, _, _, err := sealer().Seal(context.Background(), new(bytes.Buffer), p, 1, pow.Hash{}, agePQ(t).public, sealed); !errors.Is(err, pow.ErrArchive) {
				t.Errorf("%s: sealed what no reader takes: %v", name, err)
			}
		}
	}
	for name, change := range map[string]func(*parts){
		"areas":           func(x *parts) { x.m.Files[0].Picture.Areas = 1001 },
		"no areas":        func(x *parts) { x.m.Files[0].Picture.Areas = 0 },
		"minus areas":     func(x *parts) { x.m.Files[0].Picture.Areas = -1 },
		"covered":         func(x *parts) { x.m.Files[0].Picture.Covered = 1001 },
		"skipped":         func(x *parts) { x.m.Head.Skipped = 100_001 },
		"minus skipped":   func(x *parts) { x.m.Head.Skipped = -1 },
		"consent too big": func(x *parts) { x.consent(bytes.Repeat([]byte("x"), 4097)) },
		"consent changed": func(x *parts) { x.files[3] = []byte(`{"kind":25943,"any":"sheep"}`) },
		"consent before": func(x *parts) {
			x.m.Files[2], x.m.Files[3], x.files[2], x.files[3] = x.m.Files[3], x.m.Files[2], x.files[3], x.files[2]
		},
		"consent twice": func(x *parts) {
			x.m.Files, x.files = append(x.m.Files, x.m.Files[3]), append(x.files, x.files[3])
		},
		"consent is a picture": func(x *parts) { x.m.Files[3].Picture = x.m.Files[1].Picture },
	} {
		refuse(t, "marks/"+name, pow.ErrArchive, nil, bad(change))
	}
	large := marked(t)
	large.Consent = make([]byte, 4097)
	if _, _, _, err := sealer().Seal(context.Background(), new(bytes.Buffer), large, 1, pow.Hash{}, agePQ(t).public, sealed); !errors.Is(err, pow.ErrTooLarge) {
		t.Errorf("sealed a consent of 4097 bytes: %v", err)
	}
}

// consent puts another consent into the archive, with the size that it has.
func (x *parts) consent(b []byte) {
	f := archive.NewManifest(pow.Proof{Consent: b}, nil, "").Files[0]
	x.m.Files[3], x.files[3] = f, b
}

// Extracted files are checked like the archive that they came from.
func TestMarksInFiles(t *testing.T) {
	pieces, _ := partsOf(t, marked(t)).pieces(t)
	files := fstest.MapFS{}
	for _, p := range pieces[:len(pieces)-1] {
		files[p.name] = &fstest.MapFile{Data: p.body}
	}
	got, err := archive.VerifyFiles(context.Background(), files)
	if err != nil || !bytes.Equal(got.Proof.Consent, marked(t).Consent) {
		t.Errorf("%q %v", got.Proof.Consent, err)
	}
	delete(files, "consent.json")
	if _, err := archive.VerifyFiles(context.Background(), files); !errors.Is(err, pow.ErrArchive) {
		t.Errorf("without its consent: %v", err)
	}
}
