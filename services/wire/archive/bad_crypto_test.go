package archive_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	agetest "c2sp.org/CCTV/age"
	"filippo.io/age/armor"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

// refuse runs one bad input as a sub-test: the error has the code of want (a
// *pow.Error) and, where cause is given, that cause; little memory is reserved.
func refuse(t *testing.T, id string, want *pow.Error, cause error, run func() (pow.Opened, error)) {
	t.Run(id, func(t *testing.T) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := run()
		runtime.ReadMemStats(&after)
		coded := new(pow.Error)
		if !errors.As(err, &coded) || coded.Code != want.Code || (cause != nil && !errors.Is(err, cause)) {
			t.Errorf("error is %v (%v), want %s and %v", err, errors.Unwrap(err), want.Code, cause)
		}
		if got.App != "" || !got.Statement.ID.IsZero() || got.Proof.Captures != nil {
			t.Error("something of it was used")
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 { // counts what was freed, too
			t.Errorf("%d bytes were allocated", used)
		}
	})
}

// decrypt opens b within the limits on encryption only, since these inputs have
// no Padmé size.
func decrypt(o *archive.Opener, b []byte) func() (pow.Opened, error) {
	return func() (pow.Opened, error) {
		_, err := o.Decrypt(bytes.NewReader(b), int64(len(b)))
		return pow.Opened{}, err
	}
}

// asIs opens b with a Notice that claims its size.
func asIs(o *archive.Opener, b []byte, want pow.Notice) func() (pow.Opened, error) {
	want.Size = int64(len(b))
	return func() (pow.Opened, error) { return open(o, b, want) }
}

func TestBadSizes(t *testing.T) {
	k := ageX25519(t)
	o := opener(t, k)
	b, want := seal(t, proof(t), k)
	refuse(t, "AR-1", pow.ErrArchive, nil, asIs(o, nil, want))
	refuse(t, "AR-2", pow.ErrArchive, nil, asIs(o, []byte("a"), want))
	other := want
	other.Size = archive.Padme(want.Size + 1)
	refuse(t, "size", pow.ErrArchive, nil, func() (pow.Opened, error) { return open(o, b, other) })
	refuse(t, "padme", pow.ErrArchive, nil, asIs(o, append(b[:len(b):len(b)], 0), want))
	huge := want
	huge.Size = pow.MaxSealed + 1
	refuse(t, "huge", pow.ErrTooLarge, nil, func() (pow.Opened, error) {
		return o.Open(t.Context(), bytes.NewReader(b), huge.Size, huge)
	})
	short := want
	short.Size = archive.Padme(want.Size + 1)
	refuse(t, "short file", pow.ErrArchive, nil, func() (pow.Opened, error) {
		return o.Open(t.Context(), bytes.NewReader(b), short.Size, short)
	})
}

func TestBadEncryption(t *testing.T) {
	k, stranger := ageX25519(t), allKeys(t)
	o := opener(t, k)
	b, want := seal(t, proof(t), k)
	x := partsOf(t, proof(t))
	pieces, _ := x.pieces(t)
	plain := zipOf(pieces)
	plain = append(plain, make([]byte, int(archive.Padme(int64(len(plain))))-len(plain))...)
	refuse(t, "AR-3", pow.ErrArchive, archive.ErrPlaintext, asIs(o, plain, want))
	for name, s := range stranger {
		foreign, want := seal(t, proof(t), s)
		refuse(t, "AR-4/"+name, pow.ErrDecrypt, archive.ErrOtherKey, asIs(opener(t), foreign, want))
		cause := archive.ErrOtherKey
		if s.public.Alg == pow.OpenPGP {
			cause = nil // a hidden recipient and damage look alike
		}
		refuse(t, "AR-4/rotated "+name, pow.ErrDecrypt, cause, asIs(opener(t, allKeys(t)[name]), foreign, want))
	}
	refuse(t, "AR-6", pow.ErrArchive, nil, decrypt(o, armoredAge(t, b)))
	refuse(t, "AR-6/pgp", pow.ErrArchive, nil, decrypt(o, []byte("-----BEGIN PGP MESSAGE-----\n\n")))
	refuse(t, "not encrypted at all", pow.ErrArchive, nil, decrypt(o, []byte("hello, this is text")))
	other := want
	other.Alg = pow.AgePQ
	refuse(t, "alg", pow.ErrMismatch, nil, asIs(o, b, other))
	other.Alg = "age-new"
	refuse(t, "alg/unknown", pow.ErrVersion, nil, asIs(o, b, other))
}

func armoredAge(t *testing.T, b []byte) []byte {
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBadAgeHeader(t *testing.T) {
	k := ageX25519(t)
	o := opener(t, k)
	b, _ := seal(t, proof(t), k)
	lines := strings.SplitAfterN(string(b), "\n", 4)
	intro, stanza, payload := lines[0], lines[1]+lines[2], lines[3]
	refuse(t, "AR-5", pow.ErrArchive, nil, decrypt(o, []byte(intro+"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 22\n"+lines[2]+payload)))
	refuse(t, "AR-11/stanzas", pow.ErrArchive, nil, decrypt(o, []byte(intro+strings.Repeat(stanza, 10_000)+payload)))
	refuse(t, "AR-11/nine", pow.ErrArchive, nil, decrypt(o, []byte(intro+strings.Repeat(stanza, 9)+payload)))
	refuse(t, "AR-11/line", pow.ErrArchive, nil, decrypt(o, []byte(intro+"-> X25519 "+strings.Repeat("A", 1<<20)+"\n"+payload)))
	refuse(t, "AR-11/body", pow.ErrArchive, nil, decrypt(o, []byte(intro+lines[1]+strings.Repeat(strings.Repeat("A", 64)+"\n", 300)+payload)))
	refuse(t, "AR-11/no end", pow.ErrArchive, nil, decrypt(o, []byte(intro+stanza)))
	refuse(t, "AR-11/kind", pow.ErrArchive, nil, decrypt(o, []byte(intro+"-> ssh-ed25519 AAAA BBBB\nAAAA\n"+stanza+payload)))
	refuse(t, "AR-11/none", pow.ErrDecrypt, nil, decrypt(o, []byte(intro+payload)))
	refuse(t, "AR-11/twice", pow.ErrDecrypt, nil, decrypt(o, []byte(intro+strings.Repeat(stanza, 2)+payload))) // MAC
}

// A cut or changed archive is refused wherever it was touched.
func TestBadPayload(t *testing.T) {
	for name, k := range map[string]keys{"pq": agePQ(t), "x": ageX25519(t)} {
		p := proof(t)
		p.Captures = append(p.Captures, captureOf(start.Add(400*time.Second), pngOf(t, 123457, 350, 350), "png", 350, 350))
		b, want := seal(t, p, k)
		o := opener(t, k)
		header := len(b) - int(plainSize(t, o, b)) - (int(plainSize(t, o, b))+65535)/65536*16
		chunks := 0
		for at := header; at < len(b); at += 65536 + 16 {
			flipped := bytes.Clone(b)
			flipped[at+(len(b)-at)/3] ^= 4
			refuse(t, fmt.Sprintf("AR-9/%s chunk %d", name, chunks), pow.ErrDecrypt, nil, asIs(o, flipped, want))
			chunks++
		}
		if chunks < 4 {
			t.Fatalf("only %d chunks", chunks)
		}
		refuse(t, "AR-8/inside "+name, pow.ErrDecrypt, nil, decrypt(o, b[:len(b)-5]))
		refuse(t, "AR-8/border "+name, pow.ErrDecrypt, nil, decrypt(o, b[:header+2*(65536+16)]))
		refuse(t, "AR-8/last chunk missing "+name, pow.ErrDecrypt, nil, decrypt(o, b[:header+(chunks-1)*(65536+16)]))
		refuse(t, "AR-8/nothing "+name, pow.ErrDecrypt, nil, decrypt(o, b[:header]))
		refuse(t, "AR-10/age "+name, pow.ErrDecrypt, nil, decrypt(o, append(bytes.Clone(b), 0)))
		refuse(t, "AR-10/chunk "+name, pow.ErrDecrypt, nil, decrypt(o, append(bytes.Clone(b), make([]byte, 70_000)...)))
		mac := bytes.Clone(b)
		mac[bytes.Index(b, []byte("\n--- "))+6] ^= 1
		refuse(t, "AR-9/mac "+name, pow.ErrDecrypt, nil, asIs(o, mac, want))
	}
}

func plainSize(t *testing.T, o *archive.Opener, b []byte) int64 {
	return int64(len(must[[]byte](t)(o.Decrypt(bytes.NewReader(b), int64(len(b))))))
}

// Vectors that succeed in age but ask for what archives do not use.
var outsideLimits = map[string]string{
	"armor_crlf": "armor", "armor_full_last_line": "armor", "armor_hybrid": "armor", "armor_no_eol": "armor", "armor_scrypt": "armor",
	"armor_whitespace_outside": "armor", "armor_x25519": "armor", "scrypt": "passphrase",
	"hybrid_grease": "stanza", "x25519_grease": "stanza", "stanza_empty_body": "stanza", "stanza_empty_last_line": "stanza",
	"stanza_valid_characters": "stanza",
}

// AR-7: every vector of C2SP's test suite for age ends as it says.
func TestAgeVectors(t *testing.T) {
	tests := must[[]fs.DirEntry](t)(fs.ReadDir(agetest.Vectors, "."))
	if len(tests) != 147 {
		t.Errorf("%d vectors", len(tests))
	}
	for _, f := range tests {
		t.Run("AR-7/"+f.Name(), func(t *testing.T) {
			field, file := readVector(t, must[[]byte](t)(fs.ReadFile(agetest.Vectors, f.Name())))
			var secrets []archive.Key
			for _, s := range field["identity"] {
				alg := pow.AgeX25519
				if strings.HasPrefix(s, "AGE-SECRET-KEY-PQ-") {
					alg = pow.AgePQ
				}
				secrets = append(secrets, archive.Key{Alg: alg, Secret: s})
			}
			o := must[*archive.Opener](t)(archive.NewOpener(secrets...))
			plain, err := o.Decrypt(bytes.NewReader(file), int64(len(file)))
			if field["expect"][0] != "success" || outsideLimits[f.Name()] != "" {
				if !errors.Is(err, pow.ErrArchive) && !errors.Is(err, pow.ErrDecrypt) {
					t.Errorf("expected %s: %v", field["expect"][0], err)
				}
				return
			}
			sum := sha256.Sum256(plain)
			if err != nil || hex.EncodeToString(sum[:]) != field["payload"][0] {
				t.Errorf("error %v, or another payload", err)
			}
		})
	}
}

// readVector splits a vector into its fields and the age file.
func readVector(t *testing.T, b []byte) (fields map[string][]string, file []byte) {
	fields = map[string][]string{}
	for {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if b = rest; !ok || len(line) == 0 {
			break
		}
		key, value, _ := strings.Cut(string(line), ": ")
		fields[key] = append(fields[key], value)
	}
	if fields["compressed"] != nil {
		z := must[io.ReadCloser](t)(zlib.NewReader(bytes.NewReader(b)))
		b = must[[]byte](t)(io.ReadAll(z))
	}
	return fields, b
}
