package archive_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

// seeds is a small good archive in clear, whole and in pieces.
func seeds(f *testing.F) (whole []byte, pieces []piece, st pow.Statement) {
	p := proof(f)
	p.Captures = []pow.Capture{captureOf(start, pngOf(f, 1, 1, 1), "png", 1, 1)}
	pieces, st = partsOf(f, p).pieces(f)
	return zipOf(pieces), pieces, st
}

func FuzzDirectory(f *testing.F) {
	whole, _, _ := seeds(f)
	f.Add(whole)
	f.Add(markedZip(f))
	f.Add(archive.EndRecord(3, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := archive.ReadDirectory(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if !bytes.HasSuffix(b, archive.Tail(entries)) {
			t.Fatal("another directory says the same")
		}
		at := int64(0)
		for _, e := range entries {
			from, to := e.Span()
			if from != at+int64(len(e.Local())) || to < from {
				t.Fatal("a gap or an overlap")
			}
			at = to
		}
	})
}

func FuzzVerify(f *testing.F) {
	whole, pieces, _ := seeds(f)
	f.Add(whole)
	f.Add(markedZip(f))
	f.Add(zipOf(pieces[:2]))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := verify(b)
		if err == nil && got.Statement.Author != author.Public() {
			t.Fatal("accepted what nobody signed")
		}
		if err != nil && !errors.As(err, new(*pow.Error)) {
			t.Fatalf("no verdict: %v", err)
		}
	})
}

func FuzzManifest(f *testing.F) {
	_, pieces, st := seeds(f)
	f.Add(pieces[1].body)
	f.Add([]byte(`{"files":[],"head":{}}`))
	marks, _ := partsOf(f, marked(f)).pieces(f)
	f.Add(marks[1].body)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := archive.ParseManifest(b, st)
		if err != nil {
			return
		}
		if again, err := archive.Encode(m); err != nil || !bytes.Equal(again, b) {
			t.Fatal("not the same bytes")
		}
	})
}

func FuzzStatement(f *testing.F) {
	_, pieces, _ := seeds(f)
	f.Add(pieces[0].body)
	f.Add([]byte(`{"kind":25942,"tags":[["v","2"]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := archive.ParseStatement(b); err == nil && (s.Seq == 0 || !s.Interval.Valid()) {
			t.Fatalf("%+v", s)
		}
	})
}

func FuzzPicture(f *testing.F) {
	f.Add(pngOf(f, 1, 4, 3), true)
	f.Add(jpgOf(f, 1, 4, 3), false)
	f.Add(smallPNG(1<<31, 1), true)
	f.Fuzz(func(t *testing.T, b []byte, asPNG bool) {
		format := map[bool]string{true: "png", false: "jpg"}[asPNG]
		if archive.CheckPicture(bytes.NewReader(b), format, 4, 3) == nil &&
			archive.CheckPicture(bytes.NewReader(append(b, 0)), format, 4, 3) == nil {
			t.Fatal("a byte more is still the same picture")
		}
	})
}

func FuzzActivity(f *testing.F) {
	_, pieces, st := seeds(f)
	f.Add(pieces[3].body)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := archive.ParseActivity(bytes.NewReader(b), st.Interval)
		if err != nil {
			return
		}
		if again, err := archive.EncodeActivity(rows); err != nil || !bytes.Equal(again, b) {
			t.Fatal("not the same bytes")
		}
	})
}

// What is in front of the encryption is read before any key is used.
func FuzzEncrypted(f *testing.F) {
	all := allKeys(f)
	var each []keys
	for _, k := range all {
		b, _ := seal(f, proof(f), k)
		f.Add(b)
		each = append(each, k)
	}
	o := opener(f, each...)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := o.Decrypt(bytes.NewReader(b), int64(len(b)))
		if err != nil && !errors.As(err, new(*pow.Error)) {
			t.Fatalf("no verdict: %v", err)
		}
		if err == io.EOF {
			t.Fatal("end of file is no answer")
		}
	})
}
