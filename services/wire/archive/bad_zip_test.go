package archive_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

func check(b []byte) func() (pow.Opened, error) {
	return func() (pow.Opened, error) { return verify(b) }
}

// fresh is a good archive in pieces: statement, manifest, png, jpg, activity, pad.
func fresh(t *testing.T) []piece {
	t.Helper()
	pieces, _ := partsOf(t, proof(t)).pieces(t)
	if _, err := verify(zipOf(pieces)); err != nil {
		t.Fatal("the good case: ", err)
	}
	return pieces
}

// AR-13, AR-15, AR-24: a picture under another name, in the manifest too.
func TestBadNames(t *testing.T) {
	for id, name := range map[string]string{
		"AR-13/parent": "../x", "AR-13/absolute": "/x", "AR-13/inner": "a/../../x", "AR-13/backslash": `..\x`, "AR-13/drive": `C:\x`,
		"AR-13/unc": `\\srv\x`, "AR-13/device": "CON", "AR-13/nul": "c0001\x00.png", "AR-13/empty": "", "AR-13/long": strings.Repeat("a", 65_535),
		"AR-13/utf8": "c0001\xff.png", "AR-13/rtl": "c0001\u202egnp.exe", "AR-13/dot": "c0001.png.", "AR-13/space": "c0001.png ", "AR-13/upper": "C0001.PNG",
		"AR-13/number": "c0002.png", "AR-13/digits": "c00001.png", "AR-13/folder": "a/c0001.png", "AR-14/folder": "c0001.png/", "AR-14/bare folder": "x/",
		"AR-15/fold": "c0002.JPG", "AR-15/statement": "statement.json", "AR-15/manifest": "Manifest.json", "AR-15/pad": "pad", "AR-24": "inner.zip",
		"AR-24/webp": "c0001.webp", "AR-24/svg": "c0001.svg",
	} {
		x := partsOf(t, proof(t))
		x.m.Files[0].Name = text(name)
		pieces, _ := x.pieces(t)
		refuse(t, id, pow.ErrArchive, nil, check(zipOf(pieces)))
	}
	pieces := fresh(t)
	pieces[3] = pieces[2]
	refuse(t, "AR-15/equal", pow.ErrArchive, nil, check(zipOf(pieces)))
	pieces = fresh(t)
	pieces[2], pieces[3] = pieces[3], pieces[2]
	refuse(t, "AR-15/order", pow.ErrArchive, nil, check(zipOf(pieces)))
	pieces = fresh(t)
	refuse(t, "AR-15/no pad", pow.ErrArchive, nil, check(zipOf(pieces[:5])))
	refuse(t, "AR-15/two pads", pow.ErrArchive, nil, check(zipOf(append(pieces, pieces[5]))))
}

// headers gives the offset of the local and the directory header of each entry.
func headers(t *testing.T, b []byte) (local, directory []int) {
	t.Helper()
	for _, e := range must[[]archive.Entry](t)(archive.ReadDirectory(bytes.NewReader(b), int64(len(b)))) {
		from, _ := e.Span()
		local = append(local, int(from)-30-len(e.Name()))
	}
	at := int(binary.LittleEndian.Uint32(b[len(b)-6:]))
	for range local {
		directory = append(directory, at)
		at += 46 + int(binary.LittleEndian.Uint16(b[at+28:]))
	}
	return local, directory
}

// patched is a good archive with bytes changed in headers of entry i: each
// change is an offset into the local or the directory header.
func patched(t *testing.T, i int, local, directory map[int]byte) func() (pow.Opened, error) {
	t.Helper()
	b := zipOf(fresh(t))
	l, d := headers(t, b)
	for at, v := range local {
		b[l[i]+at] = v
	}
	for at, v := range directory {
		b[d[i]+at] = v
	}
	return check(b)
}

func TestBadHeaders(t *testing.T) {
	type m = map[int]byte
	for id, c := range map[string]struct{ local, directory m }{
		"AR-14/symlink": {nil, m{5: 3, 41: 0xa0 | 1, 40: 0xff}}, "AR-14/device": {nil, m{5: 3, 41: 0x21}}, "AR-14/folder bit": {nil, m{38: 0x10}},
		"AR-14/setuid": {nil, m{5: 3, 41: 0x89, 40: 0xed}}, "AR-14/made by unix": {nil, m{5: 3}},
		"AR-17/zstd": {m{8: 93}, m{10: 93}}, "AR-17/unknown": {m{8: 99}, m{10: 99}}, "AR-17/deflate a picture": {m{8: 8}, m{10: 8}},
		"AR-18/below": {m{22: 1}, m{24: 1}}, "AR-18/above": {m{24: 9}, m{26: 9}}, "AR-18/both above": {m{20: 9, 24: 9}, m{22: 9, 26: 9}},
		"AR-18/max":      {m{22: 255, 23: 255, 24: 255, 25: 255}, m{24: 255, 25: 255, 26: 255, 27: 255}},
		"AR-18/both max": {m{18: 255, 19: 255, 20: 255, 21: 255, 22: 255, 23: 255, 24: 255, 25: 255}, m{20: 255, 21: 255, 22: 255, 23: 255, 24: 255, 25: 255, 26: 255, 27: 255}},
		"AR-18/negative": {m{25: 0x80}, m{27: 0x80}},
		"AR-19":          {m{14: 0, 15: 0}, m{16: 0, 17: 0}},
		"AR-22/name":     {m{30: 'x'}, nil}, "AR-22/size": {m{22: 0, 23: 0}, nil}, "AR-22/packed": {m{18: 0, 19: 0}, nil}, "AR-22/method": {m{8: 8}, nil},
		"AR-22/crc": {m{14: 0, 15: 0}, nil}, "AR-22/signature": {m{3: 5}, nil}, "AR-22/time": {m{10: 1}, nil}, "AR-22/extra": {m{28: 4}, nil},
		"AR-23/encrypted": {m{6: 1}, m{8: 1}}, "AR-23/descriptor": {m{6: 8}, m{8: 8}}, "AR-23/utf8": {m{7: 8}, m{9: 8}}, "AR-23/strong": {m{6: 0x41}, m{8: 0x41}},
		"AR-23/version": {m{4: 51}, m{6: 51}}, "AR-23/comment": {nil, m{32: 4}}, "AR-23/extra": {nil, m{30: 4}}, "AR-23/disk": {nil, m{34: 1}},
		"AR-23/internal": {nil, m{36: 1}}, "AR-23/date": {m{12: 0, 13: 0}, m{14: 0, 15: 0}}, "AR-16/position": {nil, m{42: 1}}, "AR-16/signature": {nil, m{3: 5}},
	} {
		refuse(t, id, pow.ErrArchive, nil, patched(t, 2, c.local, c.directory))
	}
}

// deflatedPiece packs b as the activity.
func deflatedPiece(t *testing.T, b []byte) piece {
	var out bytes.Buffer
	w := must[*flate.Writer](t)(flate.NewWriter(&out, flate.BestCompression))
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return piece{"activity.ndjson", archive.Deflated, out.Bytes(), int64(len(b)), crc32.ChecksumIEEE(b)}
}

func TestBadDeflate(t *testing.T) {
	rows := must[[]byte](t)(archive.EncodeActivity(proof(t).Activity.Rows))
	with := func(change func(*piece)) func() (pow.Opened, error) {
		pieces := fresh(t)
		pieces[4] = deflatedPiece(t, rows)
		change(&pieces[4])
		return check(zipOf(pieces))
	}
	if _, err := with(func(*piece) {})(); err != nil {
		t.Error("the good case: ", err)
	}
	refuse(t, "AR-18/deflated below", pow.ErrArchive, nil, with(func(p *piece) { p.size-- }))
	refuse(t, "AR-18/deflated above", pow.ErrArchive, nil, with(func(p *piece) { p.size++ }))
	refuse(t, "AR-18/deflated max", pow.ErrArchive, nil, with(func(p *piece) { p.size = math.MaxUint32 }))
	refuse(t, "AR-19/deflated", pow.ErrArchive, nil, with(func(p *piece) { p.crc++ }))
	refuse(t, "AR-18/behind the stream", pow.ErrArchive, nil, with(func(p *piece) { p.body = append(p.body, 0) }))
	refuse(t, "AR-18/stream cut", pow.ErrArchive, nil, with(func(p *piece) { p.body = p.body[:len(p.body)-1] }))
	refuse(t, "AR-18/empty stream", pow.ErrArchive, nil, with(func(p *piece) { p.body = nil }))
	refuse(t, "AR-16/ratio", pow.ErrArchive, nil, with(func(p *piece) { *p = deflatedPiece(t, make([]byte, 31<<20)) }))
	alike := proof(t)
	for range 10_000 {
		alike.Activity.Rows = append(alike.Activity.Rows, alike.Activity.Rows[0])
	}
	x := partsOf(t, alike)
	pieces, _ := x.pieces(t)
	if _, err := verify(zipOf(pieces)); err != nil {
		t.Error("the good case: ", err)
	}
	pieces[4] = deflatedPiece(t, x.files[2])
	refuse(t, "AR-16/ratio of good rows", pow.ErrArchive, nil, check(zipOf(pieces)))
	x = partsOf(t, proof(t))
	x.m.Files[2].Size++ // the manifest tells the same lie
	pieces, _ = x.pieces(t)
	pieces[4] = deflatedPiece(t, rows)
	pieces[4].size++
	refuse(t, "AR-18/deflated above, in both", pow.ErrArchive, nil, check(zipOf(pieces)))
	bomb := deflatedPiece(t, make([]byte, 31<<20))
	refuse(t, "AR-16/ratio hidden", pow.ErrArchive, nil, with(func(p *piece) { *p = bomb; p.size = int64(len(p.body)) * 100 }))
}

// AR-16: many directory records that point at one body.
func TestOverlap(t *testing.T) {
	pieces := fresh(t)
	bomb := deflatedPiece(t, make([]byte, 1<<20))
	for _, same := range []bool{true, false} {
		var b []byte
		var entries []archive.Entry
		for i := range 400 {
			e := archive.MakeEntry(bomb.name, bomb.method, bomb.crc, int64(len(bomb.body)), bomb.size, 0)
			if i == 0 {
				b = append(e.Local(), bomb.body...)
			}
			if !same && i < len(pieces) {
				e = archive.MakeEntry(pieces[i].name, 0, bomb.crc, int64(len(bomb.body)), bomb.size, 0)
			}
			entries = append(entries, e)
		}
		refuse(t, "AR-16/overlap", pow.ErrArchive, nil, check(append(b, archive.Tail(entries)...)))
	}
}

func TestBadEnd(t *testing.T) {
	good := zipOf(fresh(t))
	end := good[len(good)-22:]
	position := int64(binary.LittleEndian.Uint32(end[16:]))
	size := int64(binary.LittleEndian.Uint32(end[12:]))
	join := func(p ...[]byte) []byte { return bytes.Join(p, nil) }
	count := func(n int) []byte { return join(good[:len(good)-22], archive.EndRecord(n, size, position)) }
	refuse(t, "AR-10/zip", pow.ErrArchive, nil, check(join(good, []byte{0})))
	refuse(t, "AR-20/65535", pow.ErrArchive, nil, check(count(65_535)))
	refuse(t, "AR-20/513", pow.ErrArchive, nil, check(count(513)))
	refuse(t, "AR-20/one more", pow.ErrArchive, nil, check(count(7)))
	refuse(t, "AR-20/one less", pow.ErrArchive, nil, check(count(5)))
	refuse(t, "AR-20/none", pow.ErrArchive, nil, check(archive.EndRecord(0, 0, 0)))
	million := bytes.Repeat(archive.MakeEntry("a", 0, 0, 0, 0, 0).Directory(), 1_000_000)
	refuse(t, "AR-20/million", pow.ErrArchive, nil, check(join(million, archive.EndRecord(1_000_000&0xffff, int64(len(million)), 0))))
	refuse(t, "AR-20/long directory", pow.ErrArchive, nil, check(join(million, archive.EndRecord(512, int64(len(million)), 0))))
	refuse(t, "AR-21/two ends", pow.ErrArchive, nil, check(join(good, end)))
	refuse(t, "AR-21/two ends, whole", pow.ErrArchive, nil, check(join(good, archive.EndRecord(6, size+22, position))))
	refuse(t, "AR-21/before", pow.ErrArchive, nil, check(join([]byte("data"), good)))
	refuse(t, "AR-21/before, moved", pow.ErrArchive, nil, check(join([]byte("data"), good[:len(good)-22], archive.EndRecord(6, size, position+4))))
	refuse(t, "AR-21/between", pow.ErrArchive, nil, check(join(good[:position], []byte("data"), good[position:len(good)-22], archive.EndRecord(6, size, position+4))))
	comment := bytes.Clone(good)
	comment[len(comment)-2] = 22
	refuse(t, "AR-21/comment", pow.ErrArchive, nil, check(join(comment, end)))
	disk := bytes.Clone(good)
	disk[len(disk)-18] = 1
	refuse(t, "AR-21/disk", pow.ErrArchive, nil, check(disk))
	for n := range len(good) {
		if _, err := verify(good[:n]); err == nil {
			t.Fatalf("cut to %d bytes and accepted", n)
		}
	}
	var z64 bytes.Buffer
	w := zip.NewWriter(&z64)
	for _, p := range fresh(t) {
		f := must[interface{ Write([]byte) (int, error) }](t)(w.Create(p.name))
		if _, err := f.Write(p.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	refuse(t, "AR-23/another zip program", pow.ErrArchive, nil, check(z64.Bytes()))
}

// Nothing but zeros hides in the pad.
func TestBadPad(t *testing.T) {
	for _, at := range []int{0, 70_000, 99_999} {
		b := make([]byte, 100_000)
		b[at] = 1
		pieces := fresh(t)
		pieces[5] = storedPiece("pad", b)
		refuse(t, "pad", pow.ErrArchive, nil, check(zipOf(pieces)))
	}
}
