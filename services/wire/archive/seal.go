package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"pow.do/services/pow"
)

// Sealer makes Sealed archives of one device for one DVM.
type Sealer struct {
	Author Signer    // identity key
	Device pow.Key   // device that the Proofs are from
	DVM    pow.Key   // whom the Statements are for
	App    string    // program and version, at most 64 runes
	Rand   io.Reader // of the salts; nil: crypto/rand
}

// Seal signs a Statement for p and writes the encrypted archive to w. seq and
// prev are the Statement's place in the device's chain, now is the time of
// sealing. Pictures are read one after another through Capture.Open.
//
// head is statement.json and manifest.json in clear: what Reseal needs. It holds
// the note and the salts, so it rests encrypted like the captures.
//
// On an error what was written to w is useless. Errors: pow.ErrTooLarge; others
// with a code, wrapping ErrCapture where a picture is at fault, mean that p
// would be refused; errors wrapping ErrRecipient concern the archive key.
func (s Sealer) Seal(ctx context.Context, w io.Writer, p pow.Proof, seq uint64, prev pow.Hash, r pow.Recipient, now time.Time) (st pow.Statement, sealed pow.Sealed, head []byte, err error) {
	c, err := s.compose(p, seq, prev, now)
	if err != nil {
		return st, sealed, nil, err
	}
	if sealed, err = c.write(ctx, w, p.Captures, r, now); err != nil {
		return st, sealed, nil, err
	}
	return c.statement, sealed, c.head(), nil
}

// Reseal writes the archive of an earlier Seal again, for another recipient:
// the same Statement, manifest and files, so the same evidence; only the
// encryption is new. p is the same Proof; head is what Seal returned.
func (s Sealer) Reseal(ctx context.Context, w io.Writer, head []byte, p pow.Proof, r pow.Recipient, now time.Time) (pow.Statement, pow.Sealed, error) {
	c, err := s.parseHead(head, p)
	if err != nil {
		return pow.Statement{}, pow.Sealed{}, err
	}
	sealed, err := c.write(ctx, w, p.Captures, r, now)
	return c.statement, sealed, err
}

// contents is an archive before it is packed, except for the pictures.
type contents struct {
	statement     pow.Statement
	statementJSON []byte
	manifest      *manifest
	manifestJSON  []byte
	activity      []byte // plain
	consent       []byte
}

// compose signs p. What it returns has passed the reader's checks.
func (s Sealer) compose(p pow.Proof, seq uint64, prev pow.Hash, now time.Time) (*contents, error) {
	if p.Interval.From.Nanosecond() != 0 || p.Interval.To.Nanosecond() != 0 {
		return nil, pow.ErrStatement.With(errors.New("interval is not in whole seconds"))
	}
	activity, err := encodeActivity(p.Activity.Rows)
	if err != nil {
		return nil, err
	}
	if _, err := parseActivity(bytes.NewReader(activity), p.Interval); err != nil {
		return nil, coded(pow.ErrArchive, err)
	}
	if len(p.Consent) > maxConsent {
		return nil, pow.ErrTooLarge.With(errors.New("consent is too large"))
	}
	m := newManifest(p, activity, s.App)
	if len(m.Files) > maxEntries-3 {
		return nil, pow.ErrTooLarge.With(errors.New("too many pictures"))
	}
	random := s.Rand
	if random == nil {
		random = rand.Reader
	}
	root, err := m.salt(random)
	if err != nil {
		return nil, err
	}
	c := &contents{activity: activity, consent: p.Consent}
	c.statement, c.statementJSON, err = newStatement(s.Author, pow.Statement{Device: s.Device, DVM: s.DVM, Session: p.Session,
		Project: p.Project, KimaiActivity: p.KimaiActivity, Seq: seq, Prev: prev, Interval: p.Interval, Root: root}, now)
	if err != nil {
		return nil, err
	}
	if c.manifestJSON, err = encode(m); err != nil {
		return nil, err
	}
	if len(c.manifestJSON) > maxManifest {
		return nil, pow.ErrTooLarge.With(errors.New("manifest is too large"))
	}
	c.manifest, err = parseManifest(c.manifestJSON, c.statement)
	return c, err
}

// newManifest describes p, without salts and leaves.
func newManifest(p pow.Proof, activity []byte, app string) *manifest {
	a := p.Activity
	m := &manifest{
		Files: make([]file, 0, len(p.Captures)+2),
		Head: head{App: text(app), ByHand: partsOf(p.ByHand), Dropped: p.Dropped, Kept: partsOf(p.Kept), Note: text(p.Note),
			Skipped: p.Skipped, Version: pow.ArchiveVersion, Without: partsOf(p.Without),
			Activity: summary{Active: a.Active.Milliseconds(), AsOf: millis(a.AsOf), Away: a.Away.Milliseconds(),
				Cause: text(a.Cause), Provisional: a.Provisional, Unknown: a.Unknown.Milliseconds()}},
	}
	for i, c := range p.Captures {
		m.Files = append(m.Files, file{Name: pictureName(i, c.Format), SHA256: c.Hash, Size: c.Size,
			Picture: &picture{Again: unixMillis(c.Again), Areas: c.Areas, At: c.At.UnixMilli(), Covered: c.Covered, Cropped: c.Cropped,
				Display: c.Display, Height: c.Height, ID: text(c.ID), Width: c.Width}})
	}
	if len(activity) > 0 {
		m.Files = append(m.Files, file{Name: nameActivity, SHA256: sha256.Sum256(activity), Size: int64(len(activity))})
	}
	if len(p.Consent) > 0 {
		m.Files = append(m.Files, file{Name: nameConsent, SHA256: sha256.Sum256(p.Consent), Size: int64(len(p.Consent))})
	}
	return m
}

func unixMillis(in []time.Time) (out []int64) {
	for _, t := range in {
		out = append(out, t.UnixMilli())
	}
	return out
}

// head joins the two documents; neither holds a line feed.
func (c *contents) head() []byte {
	return bytes.Join([][]byte{c.statementJSON, c.manifestJSON}, []byte("\n"))
}

// parseHead reads a head and checks that p is the Proof that it describes.
func (s Sealer) parseHead(head []byte, p pow.Proof) (*contents, error) {
	statement, rest, _ := bytes.Cut(head, []byte("\n"))
	c := &contents{statementJSON: statement, manifestJSON: rest, consent: p.Consent}
	var err error
	if c.statement, err = parseStatement(statement); err != nil {
		return nil, err
	}
	if c.manifest, err = parseManifest(rest, c.statement); err != nil {
		return nil, err
	}
	if c.activity, err = encodeActivity(p.Activity.Rows); err != nil {
		return nil, err
	}
	if st := c.statement; st.Session != p.Session || st.Project != p.Project || st.KimaiActivity != p.KimaiActivity ||
		!st.Interval.From.Equal(p.Interval.From) || !st.Interval.To.Equal(p.Interval.To) || st.DVM != s.DVM || st.Device != s.Device {
		return nil, pow.ErrStatement.With(errors.New("statement is another device's, or of another proof"))
	}
	same := newManifest(p, c.activity, string(c.manifest.Head.App))
	same.Head.Leaf, same.Head.Salt = c.manifest.Head.Leaf, c.manifest.Head.Salt
	for i := range min(len(same.Files), len(c.manifest.Files)) {
		same.Files[i].Leaf, same.Files[i].Salt = c.manifest.Files[i].Leaf, c.manifest.Files[i].Salt
	}
	if again, err := encode(same); err != nil || !bytes.Equal(again, rest) {
		return nil, pow.ErrArchive.With(errors.New("proof is not the one of this head"))
	}
	return c, nil
}

// write packs and encrypts. The zip's size is known before the first byte, so
// the pad is too.
func (c *contents) write(ctx context.Context, w io.Writer, captures []pow.Capture, r pow.Recipient, now time.Time) (sealed pow.Sealed, err error) {
	to, err := parseRecipient(r.Alg, r.Key, now)
	if err != nil {
		return sealed, err
	}
	if to.id != r.ID {
		return sealed, fmt.Errorf("%w: its id is another", ErrRecipient)
	}
	packed, method, err := deflate(c.activity)
	if err != nil {
		return sealed, err
	}
	sum := sha256.New()
	out := &counter{w: io.MultiWriter(w, sum)}
	plain, size, err := to.encrypt(out)
	if err != nil {
		return sealed, fmt.Errorf("encrypt: %w", err)
	}
	pad, total, err := fit(c.plainSize(int64(len(packed))), size)
	if err != nil {
		return sealed, err
	}
	if total > pow.MaxSealed {
		return sealed, pow.ErrTooLarge.With(fmt.Errorf("archive of %d bytes", total))
	}
	z := &zipWriter{w: plain}
	z.add(nameStatement, c.statementJSON)
	z.add(nameManifest, c.manifestJSON)
	if err := c.writePictures(ctx, z, captures); err != nil {
		return sealed, err
	}
	if len(c.activity) > 0 {
		z.header(entry{name: nameActivity, method: method, crc: crc32.ChecksumIEEE(c.activity),
			packed: int64(len(packed)), size: int64(len(c.activity))})
		z.write(packed)
	}
	if len(c.consent) > 0 {
		z.add(nameConsent, c.consent)
	}
	z.pad(pad)
	z.write(tail(z.entries))
	if z.err == nil {
		z.err = plain.Close()
	}
	if z.err != nil {
		return sealed, fmt.Errorf("write archive: %w", z.err)
	}
	if out.n != total {
		return sealed, fmt.Errorf("archive has %d bytes, not %d", out.n, total)
	}
	return pow.Sealed{Hash: pow.Hash(sum.Sum(nil)), Size: total, Archive: pow.ArchiveVersion, Alg: r.Alg, Recipient: to.id}, nil
}

// plainSize returns the size of the zip without the pad's zeros.
func (c *contents) plainSize(packed int64) int64 {
	n := int64(endSize)
	add := func(name string, size int64) { n += localSize + directorySize + 2*int64(len(name)) + size }
	add(nameStatement, int64(len(c.statementJSON)))
	add(nameManifest, int64(len(c.manifestJSON)))
	for _, f := range c.manifest.Files {
		if f.Name == nameActivity {
			add(nameActivity, packed)
			continue
		}
		add(string(f.Name), f.Size)
	}
	add(namePad, 0)
	return n
}

// writePictures reads, checks and writes every picture.
func (c *contents) writePictures(ctx context.Context, z *zipWriter, captures []pow.Capture) error {
	var buf []byte
	for i, capture := range captures {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := c.manifest.Files[i]
		if int64(cap(buf)) < f.Size {
			buf = make([]byte, f.Size)
		}
		buf = buf[:f.Size]
		if err := readCapture(capture, buf); err != nil {
			return fmt.Errorf("capture %d: %w", i, err)
		}
		z.add(string(f.Name), buf)
		if z.err != nil {
			return fmt.Errorf("write archive: %w", z.err)
		}
	}
	return nil
}

// readCapture fills b, which has the picture's size, and checks that it is the
// picture that c describes.
func readCapture(c pow.Capture, b []byte) error {
	r, err := c.Open()
	if err != nil {
		return fmt.Errorf("open picture: %w", err)
	}
	defer r.Close()
	if _, err = io.ReadFull(r, b); err == nil {
		switch _, err = io.ReadFull(r, make([]byte, 1)); err {
		case io.EOF:
			err = nil
		case nil:
			err = io.ErrUnexpectedEOF
		}
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return pow.ErrArchive.With(fmt.Errorf("%w: size", ErrCapture))
	}
	if err != nil {
		return fmt.Errorf("read picture: %w", err)
	}
	if sha256.Sum256(b) != c.Hash {
		return pow.ErrArchive.With(fmt.Errorf("%w: hash", ErrCapture))
	}
	if err := checkPicture(bytes.NewReader(b), c.Format, c.Width, c.Height); err != nil {
		return pow.ErrArchive.With(fmt.Errorf("%w: %w", ErrCapture, err))
	}
	return nil
}

// zipWriter writes entries in order. After an error it does nothing.
type zipWriter struct {
	w       io.Writer
	entries []entry
	err     error
}

func (z *zipWriter) write(b []byte) {
	if z.err == nil {
		_, z.err = z.w.Write(b)
	}
}

// header writes e's local header behind the entry before it.
func (z *zipWriter) header(e entry) {
	if n := len(z.entries); n > 0 {
		e.position = z.entries[n-1].end()
	}
	z.entries = append(z.entries, e)
	z.write(e.local())
}

// add writes a stored entry.
func (z *zipWriter) add(name string, b []byte) {
	z.header(entry{name: name, crc: crc32.ChecksumIEEE(b), packed: int64(len(b)), size: int64(len(b))})
	z.write(b)
}

// pad writes the entry of n zeros.
func (z *zipWriter) pad(n int64) {
	zeros := make([]byte, min(n, blockSize))
	each := func(do func(b []byte)) {
		for left := n; left > 0; left -= int64(len(zeros)) {
			do(zeros[:min(left, int64(len(zeros)))])
		}
	}
	sum := uint32(0)
	each(func(b []byte) { sum = crc32.Update(sum, crc32.IEEETable, b) })
	z.header(entry{name: namePad, crc: sum, packed: n, size: n})
	each(z.write)
}
