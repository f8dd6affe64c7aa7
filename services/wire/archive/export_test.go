package archive

import (
	"io"
	"time"

	"pow.do/services/pow"
)

// What tests of bad inputs need to forge an archive.
type (
	Manifest = manifest
	Head     = head
	Summary  = summary
	File     = file
	Picture  = picture
	Row      = row
	Entry    = entry
)

const (
	Stored   = stored
	Deflated = deflated
)

var (
	Encode         = encode
	NewManifest    = newManifest
	EncodeActivity = encodeActivity
	ParseActivity  = parseActivity
	ParseManifest  = parseManifest
	ParseStatement = parseStatement
	ReadDirectory  = readDirectory
	CheckPicture   = checkPicture
	CheckPackets   = checkPackets
	AgeAlgs        = ageAlgs
	Fit            = fit
	Tail           = tail
	EndRecord      = endRecord
)

func (m *manifest) Salting(random io.Reader) (pow.Hash, error) { return m.salt(random) }

func Sign(s Signer, st pow.Statement, now time.Time) (pow.Statement, []byte, error) {
	return newStatement(s, st, now)
}

func MakeEntry(name string, method uint16, crc uint32, packed, size, position int64) Entry {
	return entry{name: name, method: method, crc: crc, packed: packed, size: size, position: position}
}

func (e entry) Local() []byte     { return e.local() }
func (e entry) Directory() []byte { return e.directory() }
func (e entry) Name() string      { return e.name }
func (e entry) Span() (from, to int64) {
	return e.body(), e.end()
}

// Decrypt reads any encrypted file within the limits of archives.
func (o *Opener) Decrypt(r io.ReaderAt, size int64) ([]byte, error) {
	plain, n, err := o.decrypt(r, size, "")
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(plain, 0, n))
}

// SizeOf encrypts n zeros and returns the size that was foretold and the real one.
func SizeOf(r pow.Recipient, now time.Time, n int64) (foretold, real int64, err error) {
	to, err := parseRecipient(r.Alg, r.Key, now)
	if err != nil {
		return 0, 0, err
	}
	c := &counter{w: io.Discard}
	w, size, err := to.encrypt(c)
	if err != nil {
		return 0, 0, err
	}
	for left := n; left > 0 && err == nil; left -= min(left, 1000) {
		_, err = w.Write(make([]byte, min(left, 1000)))
	}
	if err == nil {
		err = w.Close()
	}
	return size(n), c.n, err
}

// Text makes the string type of documents.
func Text(s string) text { return text(s) }
