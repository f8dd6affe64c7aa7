package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/event"
)

// forged is a good archive with its parts changed before leaves, root and
// signature are computed.
func forged(t *testing.T, change func(*parts)) func() (pow.Opened, error) {
	t.Helper()
	x := partsOf(t, proof(t))
	change(x)
	pieces, _ := x.pieces(t)
	return check(zipOf(pieces))
}

// swapped is a good archive with one document's text changed after everything
// was computed.
func swapped(t *testing.T, name, old, new string) func() (pow.Opened, error) {
	return forged(t, func(x *parts) {
		x.override[name] = func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("no %q in %s", old, name)
			}
			return bytes.Replace(b, []byte(old), []byte(new), 1)
		}
	})
}

func TestBadDocuments(t *testing.T) {
	pieces := fresh(t)
	manifest := string(pieces[1].body)
	dropped := `"dropped":1,`
	refuse(t, "AR-25/no statement", pow.ErrArchive, nil, check(zipOf(pieces[1:])))
	refuse(t, "AR-25/no manifest", pow.ErrArchive, nil, check(zipOf(append(pieces[:1:1], pieces[2:]...))))
	refuse(t, "AR-25/statement twice", pow.ErrArchive, nil, check(zipOf(append(pieces[:1:1], pieces...))))
	refuse(t, "AR-25/manifest twice", pow.ErrArchive, nil, check(zipOf(append(pieces[:2:2], pieces[1:]...))))
	refuse(t, "AR-25/places", pow.ErrArchive, nil, check(zipOf(append([]piece{pieces[1], pieces[0]}, pieces[2:]...))))
	large := append(pieces[:0:0], pieces...)
	large[1] = storedPiece("manifest.json", []byte(manifest+strings.Repeat(" ", 5<<20)))
	refuse(t, "AR-25/5 MiB manifest", pow.ErrArchive, nil, check(zipOf(large)))
	large[0], large[1] = storedPiece("statement.json", make([]byte, 16<<10+1)), pieces[1]
	refuse(t, "AR-25/16 KiB statement", pow.ErrArchive, nil, check(zipOf(large)))
	for id, new := range map[string]string{
		"depth": dropped + `"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + ",", "duplicate": dropped + dropped,
		"duplicate case": dropped + `"Dropped":1,`, "case": `"Dropped":1,`, "nan": `"dropped":NaN,`, "1e400": `"dropped":1e400,`, "float": `"dropped":1.0,`,
		"exponent": `"dropped":1e0,`, "minus zero": `"dropped":-0,`, "string": `"dropped":"1",`, "null": `"dropped":null,`, "space": `"dropped": 1,`,
		"missing": ``, "large": `"dropped":12345678901234567890,`, "deep unknown": dropped + `"x":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + ",",
	} {
		refuse(t, "AR-25/"+id, pow.ErrArchive, nil, swapped(t, "manifest.json", dropped, new))
	}
	for id, f := range map[string]func(b []byte) []byte{
		"bom": func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }, "empty": func([]byte) []byte { return nil },
		"trailing": func(b []byte) []byte { return append(b, '\n') }, "array": func([]byte) []byte { return []byte("[]") },
		"nothing": func([]byte) []byte { return []byte("null") }, "object": func([]byte) []byte { return []byte("{}") },
		"escape": func(b []byte) []byte { return bytes.Replace(b, []byte("Gr"), []byte(`\u0047r`), 1) },
		"utf8":   func(b []byte) []byte { return bytes.Replace(b, []byte("Gr"), []byte("\xff"), 1) },
		"2028":   func(b []byte) []byte { return bytes.Replace(b, []byte("\u2028"), []byte(`\u2028`), 1) },
		"slash":  func(b []byte) []byte { return bytes.Replace(b, []byte("powdo"), []byte(`p\/`), 1) },
		"half":   func(b []byte) []byte { return bytes.Replace(b, []byte("Gr"), []byte(`\ud800`), 1) },
	} {
		refuse(t, "AR-25/manifest "+id, pow.ErrArchive, nil, forged(t, func(x *parts) { x.override["manifest.json"] = f }))
		if strings.Contains("bom empty trailing array nothing object", id) {
			refuse(t, "AR-25/statement "+id, pow.ErrStatement, nil, forged(t, func(x *parts) { x.override["statement.json"] = f }))
		}
	}
}

func TestBadManifest(t *testing.T) {
	hash := func(b []byte) pow.Hash { return sha256.Sum256(b) }
	pictures := fresh(t)
	for id, change := range map[string]func(*parts){
		"salts equal":    func(x *parts) { x.random = strings.NewReader(strings.Repeat("salt", 1000)) },
		"salts missing":  func(x *parts) { x.random = strings.NewReader(strings.Repeat("\x00", 4000)) },
		"hash":           func(x *parts) { x.m.Files[0].SHA256[0]++ },
		"activity hash":  func(x *parts) { x.m.Files[2].SHA256[0]++ },
		"size":           func(x *parts) { x.m.Files[0].Size++ },
		"size 0":         func(x *parts) { x.m.Files[0].Size = 0 },
		"order":          func(x *parts) { x.m.Files[0], x.m.Files[1] = x.m.Files[1], x.m.Files[0] },
		"no picture":     func(x *parts) { x.m.Files[0].Picture = nil },
		"not activity":   func(x *parts) { x.m.Files[2].Name = "activity.json" },
		"activity first": func(x *parts) { x.m.Files[1], x.m.Files[2] = x.m.Files[2], x.m.Files[1] },
		"width":          func(x *parts) { x.m.Files[0].Picture.Width++ },
		"height":         func(x *parts) { x.m.Files[1].Picture.Height-- },
		"display":        func(x *parts) { x.m.Files[0].Picture.Display = -1 },
		"id":             func(x *parts) { x.m.Files[0].Picture.ID = "01jd5v3w8q4n2z7k9t6m1b0xya" },
		"id twice":       func(x *parts) { x.m.Files[1].Picture.ID = x.m.Files[0].Picture.ID },
		"note":           func(x *parts) { x.m.Head.Note = text(strings.Repeat("x", 501)) },
		"app":            func(x *parts) { x.m.Head.App = text("a\nb") },
		"long app":       func(x *parts) { x.m.Head.App = text(strings.Repeat("x", 65)) },
		"dropped":        func(x *parts) { x.m.Head.Dropped = -1 },
		"cause":          func(x *parts) { x.m.Head.Activity.Cause = "<script>" },
		"active":         func(x *parts) { x.m.Head.Activity.Active = 600_001 },
		"overflow":       func(x *parts) { x.m.Head.Activity.Active, x.m.Head.Activity.Away = 1<<62, 1<<62 },
		"negative":       func(x *parts) { x.m.Head.Activity.Away = -1 },
		"as of":          func(x *parts) { x.m.Head.Activity.AsOf = -1 },
		"no rows":        func(x *parts) { x.files[2] = nil; x.m.Files[2].Size = 0; x.m.Files[2].SHA256 = hash(nil) },
	} {
		refuse(t, "AR-26/"+id, pow.ErrArchive, nil, forged(t, change))
	}
	less := partsOf(t, proof(t))
	less.m.Files = less.m.Files[:2]
	extra, _ := less.pieces(t)
	refuse(t, "AR-26/extra file", pow.ErrArchive, nil, check(zipOf(append(extra[:4:4], pictures[4:]...))))
	refuse(t, "AR-26/missing file", pow.ErrArchive, nil, check(zipOf(append(pictures[:3:3], pictures[4:]...))))
	refuse(t, "AR-26/files null", pow.ErrArchive, nil, forged(t, func(x *parts) { x.m.Files = nil; x.files = nil }))
	leaf := func(n int) string { // the n-th leaf of a manifest is replaced by its neighbour
		return strings.SplitN(strings.SplitN(string(pictures[1].body), `"leaf":"`, n+2)[n+1], `"`, 2)[0]
	}
	wrong := append(pictures[:0:0], pictures...)
	wrong[1] = storedPiece("manifest.json", []byte(strings.Replace(string(pictures[1].body), leaf(0), leaf(1), 1)))
	refuse(t, "AR-26/leaf", pow.ErrArchive, nil, check(zipOf(wrong)))
	again := fresh(t) // other salts, so another root
	wrong[1] = again[1]
	refuse(t, "AR-26/root", pow.ErrArchive, nil, check(zipOf(wrong)))
	wrong[1] = pictures[1]
	wrong[2] = storedPiece("c0001.png", pngOf(t, 77, 40, 30))
	refuse(t, "AR-26/another picture", pow.ErrArchive, nil, check(zipOf(wrong)))
}

// AR-28: moments are inside the interval, whose last second counts as a whole.
func TestCaptureTimes(t *testing.T) {
	end := start.Add(600 * time.Second)
	for id, c := range map[string]struct {
		first, second time.Time
		again         []time.Time
		ok            bool
	}{
		"from": {start, start, nil, true}, "to": {start, end, nil, true}, "within the last second": {start, end.Add(999 * time.Millisecond), nil, true},
		"after": {start, end.Add(time.Second), nil, false}, "before": {start.Add(-time.Millisecond), end, nil, false},
		"backwards": {end, start, nil, false}, "again": {start, end, []time.Time{start, end.Add(999 * time.Millisecond)}, true},
		"again after": {start, end, []time.Time{end.Add(time.Second)}, false}, "again before": {start.Add(5 * time.Second), end, []time.Time{start}, false},
		"again backwards": {start, end, []time.Time{end, start}, false},
	} {
		run := forged(t, func(x *parts) {
			x.m.Files[0].Picture.At, x.m.Files[1].Picture.At, x.m.Files[0].Picture.Again = c.first.UnixMilli(), c.second.UnixMilli(), nil
			for _, a := range c.again {
				x.m.Files[0].Picture.Again = append(x.m.Files[0].Picture.Again, a.UnixMilli())
			}
		})
		if !c.ok {
			refuse(t, "AR-28/"+id, pow.ErrArchive, nil, run)
		} else if _, err := run(); err != nil {
			t.Errorf("AR-28/%s: %v", id, err)
		}
	}
	// A still screen gives equal pictures: a hint for the reader, not a fault.
	p := proof(t)
	b := pngOf(t, 1, 40, 30)
	p.Captures = nil
	for i := range 100 {
		p.Captures = append(p.Captures, captureOf(start.Add(time.Duration(i)*time.Second), b, "png", 40, 30))
	}
	k := ageX25519(t)
	raw, want := seal(t, p, k)
	if got, err := open(opener(t, k), raw, want); err != nil || got.Proof.Captures[0].Hash != got.Proof.Captures[99].Hash {
		t.Errorf("AR-28/still: %v", err)
	}
}

func TestBadActivity(t *testing.T) {
	row := func(line string) func() (pow.Opened, error) {
		return forged(t, func(x *parts) {
			x.files[2] = []byte(line)
			x.m.Files[2].Size, x.m.Files[2].SHA256 = int64(len(line)), sha256.Sum256([]byte(line))
		})
	}
	from := start.UnixMilli()
	good := fmt.Sprintf(`{"from":%d,"kind":"web","to":%d}`, from, from+1)
	if _, err := row(good + "\n")(); err != nil {
		t.Error("the good case: ", err)
	}
	for id, line := range map[string]string{
		"no end": good, "empty line": good + "\n\n", "crlf": good + "\r\n", "space": " " + good + "\n", "text": "hello\n", "array": "[" + good + "]\n",
		"kind": strings.Replace(good, "web", "file", 1) + "\n", "no kind": fmt.Sprintf("{\"from\":%d,\"to\":%d}\n", from, from),
		"backwards": fmt.Sprintf("{\"from\":%d,\"kind\":\"web\",\"to\":%d}\n", from+1, from),
		"before":    fmt.Sprintf("{\"from\":%d,\"kind\":\"web\",\"to\":%d}\n", from-1, from), "after": fmt.Sprintf("{\"from\":%d,\"kind\":\"web\",\"to\":%d}\n", from, from+601_000),
		"long line": `{"app":"` + strings.Repeat("x", 70_000) + `",` + good[1:] + "\n", "app": `{"app":"` + strings.Repeat("x", 1025) + `",` + good[1:] + "\n",
		"host":      strings.Replace(good, `"kind"`, `"host":"`+strings.Repeat("x", 2049)+`","kind"`, 1) + "\n",
		"empty app": `{"app":"",` + good[1:] + "\n", "duplicate": strings.Replace(good, `"kind":"web"`, `"kind":"web","kind":"web"`, 1) + "\n",
		"utf8":      `{"app":"` + "\xff" + `",` + good[1:] + "\n",
		"many rows": strings.Repeat(good+"\n", 100_001),
	} {
		refuse(t, "L-MAN/"+id, pow.ErrArchive, nil, row(line))
	}
	refuse(t, "AR-29/row", pow.ErrVersion, archive.ErrUnknown, row(`{"colour":"red",`+good[1:]+"\n"))
}

func TestVersions(t *testing.T) {
	for id, c := range map[string]struct {
		version int
		want    *pow.Error
	}{"0": {0, pow.ErrArchive}, "-1": {-1, pow.ErrArchive}, "999": {999, pow.ErrVersion}} {
		refuse(t, "AR-29/manifest "+id, c.want, nil, forged(t, func(x *parts) { x.m.Head.Version = c.version }))
		k := ageX25519(t)
		b, want := seal(t, proof(t), k)
		want.Archive = c.version
		refuse(t, "AR-29/notice "+id, c.want, nil, asIs(opener(t, k), b, want))
	}
	refuse(t, "AR-29/unknown member", pow.ErrVersion, archive.ErrUnknown, swapped(t, "manifest.json", `"dropped":1,`, `"critical":true,"dropped":1,`))
	refuse(t, "AR-29/unknown member of a file", pow.ErrVersion, archive.ErrUnknown, swapped(t, "manifest.json", `"name":"c0001.png",`, `"blurred":true,"name":"c0001.png",`))
	for v, want := range map[string]*pow.Error{"0": pow.ErrStatement, "": pow.ErrStatement, "01": pow.ErrStatement, "x": pow.ErrStatement, "2": pow.ErrVersion, "999": pow.ErrVersion} {
		refuse(t, "AR-29/statement "+v, want, nil, forged(t, func(x *parts) {
			x.override["statement.json"] = func(b []byte) []byte {
				return resign(t, b, func(e *event.Event) { e.Tags[1][1] = v; e.Tags = append(e.Tags, event.Tag{"new", "x"}) })
			}
		}))
	}
}

// resign changes an event and signs it anew.
func resign(t testing.TB, b []byte, change func(*event.Event)) []byte {
	e := must[*event.Event](t)(event.Parse(b))
	change(e)
	if err := author.Sign(e); err != nil {
		t.Fatal(err)
	}
	return event.Marshal(e)
}

// AR-30: somebody else's archive, announced again.
func TestForeignArchive(t *testing.T) {
	k := agePQ(t)
	o := opener(t, k)
	b, want := seal(t, proof(t), k)
	for id, change := range map[string]func(*pow.Notice){
		"author": func(n *pow.Notice) { n.Author = other.Public() }, "statement": func(n *pow.Notice) { n.Statement[0]++ },
		"dvm": func(n *pow.Notice) { n.DVM = other.Public() }, "device": func(n *pow.Notice) { n.Device = other.Public() },
		"project": func(n *pow.Notice) { n.Project = "0000000000000000" }, "activity": func(n *pow.Notice) { n.KimaiActivity = "" },
		"session": func(n *pow.Notice) { n.Session = "01JD5V3W8Q4N2Z7K9T6M1B0XYB" }, "seq": func(n *pow.Notice) { n.Seq++ },
		"prev": func(n *pow.Notice) { n.Prev[0]++ }, "from": func(n *pow.Notice) { n.Interval.From = n.Interval.From.Add(time.Second) },
		"to": func(n *pow.Notice) { n.Interval.To = n.Interval.To.Add(-time.Second) },
	} {
		n := want
		change(&n)
		refuse(t, "AR-30/"+id, pow.ErrMismatch, nil, func() (pow.Opened, error) { return open(o, b, n) })
	}
	// The root is in the Statement, whose id the Notice names: another manifest
	// under a new Statement is not what was announced.
	x := partsOf(t, proof(t))
	x.m.Head.Dropped = 7
	pieces, _ := x.pieces(t)
	refuse(t, "AR-30/root", pow.ErrMismatch, nil, asIs(o, sealPlain(t, pieces, k), want))
	x = partsOf(t, proof(t))
	x.by = other
	pieces, st := x.pieces(t)
	forgedArchive := sealPlain(t, pieces, k)
	n := noticeOf(st, pow.Sealed{Size: int64(len(forgedArchive)), Archive: 1, Alg: k.public.Alg})
	if _, err := open(o, forgedArchive, n); err != nil {
		t.Errorf("the good case: %v", err)
	}
	n.Author = author.Public()
	refuse(t, "AR-30/signed by another", pow.ErrMismatch, nil, func() (pow.Opened, error) {
		return o.Open(context.Background(), bytes.NewReader(forgedArchive), n.Size, n)
	})
}
