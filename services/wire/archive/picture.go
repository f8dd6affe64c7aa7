package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A picture is only walked through: from one chunk or segment to the next, so
// that nothing rides along (text, positions, thumbnails, animations, a second
// file behind the end) and no memory is reserved for pixels.

var errPicture = errors.New("picture is not of a kind that is allowed")

// checkPicture reads r to its end. format is png or jpg; the picture must be of
// that format and have the given size in pixels.
func checkPicture(r io.Reader, format string, width, height int) error {
	br := bufio.NewReaderSize(r, 64<<10) // holds a whole JPEG segment
	walk := walkPNG
	if format == "jpg" {
		walk = walkJPEG
	}
	w, h, err := walk(br)
	if err != nil {
		return err
	}
	if w != width || h != height {
		return errors.New("picture is of another size")
	}
	switch _, err := br.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("bytes after the picture")
	default:
		return err
	}
}

func sideOK(width, height int) bool {
	return width > 0 && height > 0 && width <= maxSide && height <= maxSide && width*height <= maxPixels
}

// walkPNG reads one PNG (ISO/IEC 15948) that has the chunks IHDR, PLTE, tRNS,
// IDAT and IEND only.
func walkPNG(br *bufio.Reader) (width, height int, err error) {
	if err := expect(br, "\x89PNG\r\n\x1a\n"); err != nil {
		return 0, 0, err
	}
	for last := ""; last != "IEND"; {
		var h [8]byte
		if err := fill(br, h[:]); err != nil {
			return 0, 0, err
		}
		length, kind := binary.BigEndian.Uint32(h[:]), string(h[4:])
		if !follows(last, kind) || length > maxFile || (kind == "IEND" && length != 0) {
			return 0, 0, errPicture
		}
		if kind == "IHDR" {
			b, err := br.Peek(13)
			if err != nil || length != 13 {
				return 0, 0, errors.Join(errPicture, notShort(err))
			}
			if width, height, err = parseIHDR(b); err != nil {
				return 0, 0, err
			}
		}
		if err := skipChunk(br, kind, int(length)); err != nil {
			return 0, 0, err
		}
		last = kind
	}
	return width, height, nil
}

// follows tells whether a PNG chunk may come after another.
func follows(last, kind string) bool {
	switch kind {
	case "IHDR":
		return last == ""
	case "PLTE":
		return last == "IHDR"
	case "tRNS":
		return last == "IHDR" || last == "PLTE"
	case "IDAT":
		return last != ""
	case "IEND":
		return last == "IDAT"
	}
	return false
}

func parseIHDR(b []byte) (width, height int, err error) {
	w, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	depths := map[byte]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}
	depthOK := false
	for _, d := range []byte(depths[b[9]]) {
		depthOK = depthOK || d == b[8]
	}
	if w > maxSide || h > maxSide || !sideOK(int(w), int(h)) || !depthOK || b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return 0, 0, errPicture
	}
	return int(w), int(h), nil
}

// skipChunk reads a chunk's data and compares its checksum.
func skipChunk(br *bufio.Reader, kind string, length int) error {
	sum := crc32.ChecksumIEEE([]byte(kind))
	for length > 0 {
		b, err := br.Peek(min(length, br.Size()))
		if err != nil {
			return notShort(err)
		}
		sum = crc32.Update(sum, crc32.IEEETable, b)
		length -= len(b)
		if _, err := br.Discard(len(b)); err != nil {
			return err
		}
	}
	var want [4]byte
	if err := fill(br, want[:]); err != nil {
		return err
	}
	if sum != binary.BigEndian.Uint32(want[:]) {
		return errPicture
	}
	return nil
}

// expect reads the bytes of want.
func expect(br *bufio.Reader, want string) error {
	got := make([]byte, len(want))
	if err := fill(br, got); err != nil {
		return err
	}
	if string(got) != want {
		return errPicture
	}
	return nil
}

// fill reads len(b) bytes; the end before that is not a picture.
func fill(br *bufio.Reader, b []byte) error {
	_, err := io.ReadFull(br, b)
	return notShort(err)
}

// notShort says what an end in the middle of a picture means.
func notShort(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errPicture
	}
	return err
}
