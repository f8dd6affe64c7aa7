package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// The entries of an archive that are not pictures.
const (
	nameStatement = "statement.json"
	nameManifest  = "manifest.json"
	nameActivity  = "activity.ndjson"
	nameConsent   = "consent.json"
	namePad       = "pad"
)

// Fixed sizes and values of zip headers (PKWARE APPNOTE 6.3). Every field that
// says nothing has one allowed value, so that both headers of an entry follow
// from the entry alone and a reader can compare instead of interpret.
const (
	localSize     = 30
	directorySize = 46
	endSize       = 22
	zipVersion    = 20
	zipDate       = 1<<5 | 1 // 1980-01-01: when something was sealed stands in the Statement

	stored   = 0
	deflated = 8

	bufferSize = 256 << 10 // four chunks of age a read
)

var errZip = errors.New("not the zip file of an archive")

// entry is one file in the zip.
type entry struct {
	name     string
	method   uint16
	crc      uint32
	packed   int64 // bytes in the zip
	size     int64 // bytes inflated
	position int64 // of the local header
}

// body returns where the entry's bytes begin, end where they stop.
func (e entry) body() int64 { return e.position + localSize + int64(len(e.name)) }
func (e entry) end() int64  { return e.body() + e.packed }

// common appends the fields that both headers share.
func (e entry) common(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, zipVersion)
	b = le.AppendUint16(b, 0) // flags: not encrypted, sizes stand here and not behind the body
	b = le.AppendUint16(b, e.method)
	b = le.AppendUint16(b, 0) // time
	b = le.AppendUint16(b, zipDate)
	b = le.AppendUint32(b, e.crc)
	b = le.AppendUint32(b, uint32(e.packed))
	b = le.AppendUint32(b, uint32(e.size))
	b = le.AppendUint16(b, uint16(len(e.name)))
	return le.AppendUint16(b, 0) // no extra field
}

// local returns the header before the body.
func (e entry) local() []byte {
	b := e.common([]byte("PK\x03\x04"))
	return append(b, e.name...)
}

// directory returns the header in the central directory.
func (e entry) directory() []byte {
	le := binary.LittleEndian
	b := e.common(le.AppendUint16([]byte("PK\x01\x02"), zipVersion))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // comment length, disk, attributes: a plain file
	b = le.AppendUint32(b, uint32(e.position))
	return append(b, e.name...)
}

// endRecord returns the record that ends the file; there is no comment.
func endRecord(entries int, size, position int64) []byte {
	le := binary.LittleEndian
	b := []byte("PK\x05\x06\x00\x00\x00\x00")
	b = le.AppendUint16(b, uint16(entries))
	b = le.AppendUint16(b, uint16(entries))
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint32(b, uint32(position))
	return le.AppendUint16(b, 0)
}

// tail returns the central directory and the end record of entries.
func tail(entries []entry) []byte {
	var b []byte
	for _, e := range entries {
		b = append(b, e.directory()...)
	}
	return append(b, endRecord(len(entries), int64(len(b)), entries[len(entries)-1].end())...)
}

// readDirectory reads and checks the structure of a zip file of size bytes: the
// end record, the directory, and every local header. What it returns lies in
// order, without gap or overlap, and fills the file.
func readDirectory(r io.ReaderAt, size int64) ([]entry, error) {
	var end [endSize]byte
	if size < endSize {
		return nil, errZip
	}
	if err := readAt(r, end[:], size-endSize); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint16(end[10:]))
	length, position := int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
	if !bytes.Equal(end[:], endRecord(n, length, position)) || position+length+endSize != size {
		return nil, errZip
	}
	if n < 3 || n > maxEntries || length > maxEntries*(directorySize+int64(len(nameActivity))) {
		return nil, errors.New("too many entries, or too few")
	}
	directory := make([]byte, length)
	if err := readAt(r, directory, position); err != nil {
		return nil, err
	}
	entries, err := parseDirectory(directory, n)
	if err != nil {
		return nil, err
	}
	if entries[n-1].end() != position {
		return nil, errors.New("bytes that belong to no entry")
	}
	for i, e := range entries {
		local := make([]byte, localSize+len(e.name))
		if err := readAt(r, local, e.position); err != nil {
			return nil, err
		}
		if !bytes.Equal(local, e.local()) {
			return nil, fmt.Errorf("entry %d: local header differs from the directory", i)
		}
	}
	return entries, nil
}

// parseDirectory reads n headers that fill b.
func parseDirectory(b []byte, n int) ([]entry, error) {
	entries, position := make([]entry, 0, n), int64(0)
	for i := range n {
		if len(b) < directorySize {
			return nil, errZip
		}
		le := binary.LittleEndian
		end := directorySize + int(le.Uint16(b[28:]))
		if end > len(b) {
			return nil, errZip
		}
		e := entry{name: string(b[directorySize:end]), method: le.Uint16(b[10:]), crc: le.Uint32(b[16:]),
			packed: int64(le.Uint32(b[20:])), size: int64(le.Uint32(b[24:])), position: position}
		if !bytes.Equal(b[:end], e.directory()) {
			return nil, fmt.Errorf("entry %d: header is not as it should be, or entries are out of order", i)
		}
		if err := e.check(i, n); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		if i > 0 && entries[i-1].name == nameActivity && e.name != nameConsent && e.name != namePad {
			return nil, fmt.Errorf("entry %d: name is not allowed here", i)
		}
		entries, position, b = append(entries, e), e.end(), b[end:]
	}
	if len(b) > 0 {
		return nil, errZip
	}
	return entries, nil
}

// check allows only what an archive has in the place i of n.
func (e entry) check(i, n int) error {
	limit := int64(maxFile)
	switch {
	case i == 0 && e.name == nameStatement:
		limit = maxStatement
	case i == 1 && e.name == nameManifest:
		limit = maxManifest
	case i == n-1 && e.name == namePad:
	case i > 1 && i == n-2 && e.name == nameConsent:
		limit = maxConsent
	case i > 1 && (i == n-2 || i == n-3) && e.name == nameActivity:
	case i > 1 && i < n-1 && (e.name == string(pictureName(i-2, "png")) || e.name == string(pictureName(i-2, "jpg"))):
	default:
		return errors.New("name is not allowed here")
	}
	switch {
	case e.size > limit:
		return errors.New("too large")
	case e.method == stored && e.packed == e.size:
		return nil
	case e.method == deflated && e.name == nameActivity && e.packed > 0 && e.size <= e.packed*maxRatio:
		return nil
	}
	return errors.New("method, or ratio of sizes, is not allowed here")
}

// readAt fills b. The end of the file inside b is a broken structure.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return errZip
	}
	return err
}

// content reads the bytes of one entry, inflated. It returns io.EOF only where
// size, checksum and the end of the packed bytes all agree.
type content struct {
	packed *bufio.Reader
	r      io.Reader
	left   int64
	sum    uint32
	want   uint32
}

func (e entry) open(r io.ReaderAt) *content {
	c := &content{packed: bufio.NewReaderSize(io.NewSectionReader(r, e.body(), e.packed), bufferSize), left: e.size, want: e.crc}
	c.r = c.packed
	if e.method == deflated {
		c.r = flate.NewReader(c.packed) // takes no more from a bufio.Reader than it needs
	}
	return c
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.left -= int64(n)
	c.sum = crc32.Update(c.sum, crc32.IEEETable, p[:n])
	if c.left < 0 {
		return 0, errors.New("longer than declared")
	}
	if err != io.EOF {
		return n, err
	}
	if _, more := c.packed.ReadByte(); more != io.EOF || c.left != 0 || c.sum != c.want {
		return n, errors.New("size or checksum is wrong")
	}
	return n, io.EOF
}

// deflate packs b for the entry of the activity. Rows so alike that they pack
// beyond the ratio a reader allows stay as they are.
func deflate(b []byte) (packed []byte, method uint16, err error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, 0, err
	}
	if _, err = w.Write(b); err == nil {
		err = w.Close()
	}
	if int64(len(b)) > int64(out.Len())*maxRatio {
		return b, stored, err
	}
	return out.Bytes(), deflated, err
}
