package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
)

// JPEG markers (ITU-T T.81, table B.1).
const (
	markSOF0 = 0xc0 // baseline
	markDHT  = 0xc4
	markRST0 = 0xd0
	markRST7 = 0xd7
	markEOI  = 0xd9
	markSOS  = 0xda
	markDQT  = 0xdb
	markDRI  = 0xdd
	markAPP0 = 0xe0
)

// walkJPEG reads one baseline JPEG: optionally a JFIF header without thumbnail,
// then tables, one frame and its scans. No other application data, no comments.
func walkJPEG(br *bufio.Reader) (width, height int, err error) {
	if err := expect(br, "\xff\xd8"); err != nil {
		return 0, 0, err
	}
	mark, err := readMark(br)
	if err == nil && mark == markAPP0 {
		if err = readJFIF(br); err == nil {
			mark, err = readMark(br)
		}
	}
	scans := 0
	for err == nil {
		switch {
		case mark == markDQT || mark == markDHT || mark == markDRI:
			if _, err = segment(br); err == nil {
				mark, err = readMark(br)
			}
		case mark == markSOF0 && width == 0:
			if width, height, err = readFrame(br); err == nil {
				mark, err = readMark(br)
			}
		case mark == markSOS && width > 0:
			scans++
			if _, err = segment(br); err == nil {
				mark, err = skipScan(br)
			}
		case mark == markEOI && scans > 0:
			return width, height, nil
		default:
			err = errPicture
		}
	}
	return 0, 0, err
}

// readMark reads the marker that must come now.
func readMark(br *bufio.Reader) (byte, error) {
	var b [2]byte
	if err := fill(br, b[:]); err != nil {
		return 0, err
	}
	if b[0] != 0xff {
		return 0, errPicture
	}
	return b[1], nil
}

// segment reads a length and the bytes that it counts. They are valid until the
// next read.
func segment(br *bufio.Reader) ([]byte, error) {
	var b [2]byte
	if err := fill(br, b[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(b[:])) - 2
	if n < 0 {
		return nil, errPicture
	}
	body, err := br.Peek(n)
	if err != nil {
		return nil, notShort(err)
	}
	_, err = br.Discard(n)
	return body, err
}

// readJFIF reads the rest of an APP0 segment: a JFIF header of 16 bytes, whose
// thumbnail is 0 by 0.
func readJFIF(br *bufio.Reader) error {
	b, err := segment(br)
	if err != nil {
		return err
	}
	if len(b) != 14 || string(b[:5]) != "JFIF\x00" || b[12] != 0 || b[13] != 0 {
		return errPicture
	}
	return nil
}

// readFrame reads the frame header: 8 bits, grey or three components.
func readFrame(br *bufio.Reader) (width, height int, err error) {
	b, err := segment(br)
	if err != nil {
		return 0, 0, err
	}
	if len(b) < 6 || b[0] != 8 || (b[5] != 1 && b[5] != 3) || len(b) != 6+3*int(b[5]) {
		return 0, 0, errPicture
	}
	height, width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if !sideOK(width, height) {
		return 0, 0, errPicture
	}
	return width, height, nil
}

// skipScan reads entropy-coded bytes up to the marker that ends them, and
// returns it. Inside, 0xff is followed by 0 or is a restart marker.
func skipScan(br *bufio.Reader) (byte, error) {
	for {
		_, err := br.ReadSlice(0xff)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return 0, notShort(err)
		}
		mark, err := br.ReadByte()
		if err != nil {
			return 0, notShort(err)
		}
		if mark != 0 && (mark < markRST0 || mark > markRST7) {
			return mark, nil
		}
	}
}
