package parcel_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/parcel"
)

// wrap is a signed event of a kind.
func wrap(t testing.TB, kind int) *event.Event {
	t.Helper()
	k, err := identity.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	e := &event.Event{Kind: kind, CreatedAt: 1_790_000_000, Content: "opaque"}
	if err := k.Sign(e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRoundTrip(t *testing.T) {
	e := wrap(t, 1059)
	for _, sealed := range []string{"", "s", strings.Repeat("sealed", 10_000)} {
		var b bytes.Buffer
		if err := parcel.Write(&b, event.Marshal(e), strings.NewReader(sealed), int64(len(sealed))); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		l, err := parcel.Read(bytes.NewReader(b.Bytes()), func(kept pow.Letter, size int64, r io.Reader) error {
			if kept.ID != event.ID(e) || size != int64(len(sealed)) {
				t.Errorf("size %d", size)
			}
			_, err := io.Copy(&got, r)
			return err
		})
		if err != nil || l.ID != event.ID(e) || !bytes.Equal(l.JSON, event.Marshal(e)) || got.String() != sealed {
			t.Errorf("%d bytes: %v, %d came back", len(sealed), err, got.Len())
		}
	}
	short := parcel.Write(io.Discard, event.Marshal(e), strings.NewReader("s"), 2)
	if !errors.Is(short, io.EOF) {
		t.Error("a Sealed that is too short:", short)
	}
}

// file is one entry of a tar that Write would not make.
type file struct {
	name, body string
	kind       byte
	size       int64 // 0: the body's
}

func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Size: max(f.size, int64(len(f.body))), Typeflag: f.kind, ModTime: time.Unix(0, 0)}
		if f.kind == tar.TypeSymlink {
			h.Size, h.Linkname = 0, "/etc/passwd"
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.body); err != nil && h.Size > 0 {
			t.Fatal(err)
		}
	}
	_ = w.Close() // refuses what is cut short, which is the point here
	return b.Bytes()
}

func TestRefuses(t *testing.T) {
	head := file{name: "powdo.json", body: `{"v":1}`}
	good := file{name: "letter.json", body: string(event.Marshal(wrap(t, 1059)))}
	forged := wrap(t, 1059)
	forged.Content = "other"
	sealed := file{name: "sealed", body: "x"}
	for name, c := range map[string]struct {
		files []file
		want  error
	}{
		"nothing":          {nil, parcel.ErrNoParcel},
		"another tar":      {[]file{{name: "readme", body: "x"}}, parcel.ErrNoParcel},
		"broken head":      {[]file{{name: "powdo.json", body: `{"v":1,"v":2}`}, good}, parcel.ErrNoParcel},
		"newer":            {[]file{{name: "powdo.json", body: `{"v":2}`}, good}, pow.ErrVersion},
		"huge head":        {[]file{{name: "powdo.json", body: strings.Repeat(" ", 2000)}}, parcel.ErrNoParcel},
		"no letter":        {[]file{head}, pow.ErrArchive},
		"another kind":     {[]file{head, {name: "letter.json", body: string(event.Marshal(wrap(t, 1)))}}, pow.ErrArchive},
		"forged letter":    {[]file{head, {name: "letter.json", body: string(event.Marshal(forged))}}, pow.ErrArchive},
		"a link":           {[]file{head, good, {name: "sealed", kind: tar.TypeSymlink}}, pow.ErrArchive},
		"another name":     {[]file{head, good, {name: "../sealed", body: "x"}}, pow.ErrArchive},
		"an entry more":    {[]file{head, good, sealed, sealed}, pow.ErrArchive},
		"too large":        {[]file{head, good, {name: "sealed", size: pow.MaxSealed + 1}}, pow.ErrTooLarge},
		"cut short":        {[]file{head, good, {name: "sealed", body: "x", size: 5000}}, io.ErrUnexpectedEOF},
		"letter cut short": {[]file{head, {name: "letter.json", body: "{", size: 5000}}, pow.ErrArchive},
	} {
		_, err := parcel.Read(bytes.NewReader(tarOf(t, c.files...)), func(_ pow.Letter, size int64, r io.Reader) error {
			_, err := io.ReadAll(r)
			return err
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mine := errors.New("the disk is full")
	if _, err := parcel.Read(bytes.NewReader(tarOf(t, head, good, sealed)), func(pow.Letter, int64, io.Reader) error { return mine }); err != mine {
		t.Error("keep's error:", err)
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := parcel.Write(&b, event.Marshal(wrap(f, 1059)), strings.NewReader("sealed"), 6); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:700])
	f.Add(tarOf(f, file{name: "powdo.json", body: `{"v":1}`}))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := int64(0)
		l, err := parcel.Read(bytes.NewReader(b), func(_ pow.Letter, size int64, r io.Reader) (err error) {
			n, err = io.Copy(io.Discard, r)
			return err
		})
		if err == nil && (l.ID.IsZero() || n > pow.MaxSealed) {
			t.Errorf("letter %v, %d bytes", l.ID, n)
		}
	})
}
