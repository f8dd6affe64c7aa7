package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The layout of a bbolt file, version 2, as far as the queue must read it
// without bbolt: bbolt maps the file and dies with the process on a short one.
// Numbers are in the byte order of the machine.
const (
	pageSize    = 4096 // of every file that the queue makes, whatever the machine's is
	pageHeader  = 16   // id u64, flags u16, count u16, overflow u32
	elementSize = 16   // of branches and leaves alike
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	metaSize    = 64

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10

	elementBucket = 0x01 // leaf element: its value is a bucket
	bucketHeader  = 16   // root page u64, sequence u64; a page follows when root is 0

	maxKey   = 256
	maxValue = 48 << 20 // larger than any encrypted picture
)

var order = binary.NativeEndian

// meta is the newest valid one of the two pages that say where everything is.
type meta struct{ root, freelist, high, txid uint64 }

// pageFile reads pages of a file that nobody changes meanwhile.
type pageFile struct {
	r    io.ReaderAt
	size int64
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// read fills buf from off; a file that ends before is damaged.
func (f pageFile) read(buf []byte, off int64) error {
	if off < 0 || off > f.size-int64(len(buf)) {
		return damaged("the file ends early")
	}
	if _, err := f.r.ReadAt(buf, off); err != nil {
		if errors.Is(err, io.EOF) {
			return damaged("the file ends early")
		}
		return fmt.Errorf("read the queue: %w", err)
	}
	return nil
}

// preflight finds the valid meta page with the higher transaction and checks
// that the file is as long as it says. A file that fails would kill the process.
func (f pageFile) preflight() (m meta, err error) {
	found := false
	for i := range int64(2) {
		var p [pageHeader + metaSize]byte
		if err := f.read(p[:], i*pageSize); err != nil {
			return m, err
		}
		if n, ok := parseMeta(p[pageHeader:]); ok && (!found || n.txid > m.txid) {
			m, found = n, true
		}
	}
	switch {
	case !found:
		return m, damaged("no valid meta page")
	case m.high < 2 || m.high > uint64(f.size)/pageSize:
		return m, damaged("%d pages expected", m.high)
	}
	return m, nil
}

func parseMeta(b []byte) (m meta, ok bool) {
	sum := fnv.New64a()
	sum.Write(b[:56])
	if order.Uint32(b) != metaMagic || order.Uint32(b[4:]) != metaVersion ||
		order.Uint32(b[8:]) != pageSize || order.Uint64(b[56:]) != sum.Sum64() {
		return meta{}, false
	}
	return meta{
		root: order.Uint64(b[16:]), freelist: order.Uint64(b[32:]),
		high: order.Uint64(b[40:]), txid: order.Uint64(b[48:]),
	}, true
}

// header is the first 16 bytes of a page.
type header struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64
}

func parseHeader(b []byte) header {
	return header{
		id: order.Uint64(b), flags: order.Uint16(b[8:]),
		count: int(order.Uint16(b[10:])), overflow: uint64(order.Uint32(b[12:])),
	}
}

// element is one entry of a page. Key and value lie at absolute offsets of the
// bytes that the page was read from.
type element struct {
	flags, ksize, vsize uint32
	key                 uint64 // offset of the key; the value follows
	child               uint64 // branches: the page below
}

// elementAt reads entry i of the page in b. It does not check that key and
// value lie inside.
func elementAt(b []byte, flags uint16, i int) (e element, ok bool) {
	off := pageHeader + i*elementSize
	if off+elementSize > len(b) {
		return e, false
	}
	s := b[off:]
	if flags == flagBranch {
		return element{ksize: order.Uint32(s[4:]), key: uint64(off) + uint64(order.Uint32(s)), child: order.Uint64(s[8:])}, true
	}
	return element{
		flags: order.Uint32(s), key: uint64(off) + uint64(order.Uint32(s[4:])),
		ksize: order.Uint32(s[8:]), vsize: order.Uint32(s[12:]),
	}, true
}

// within cuts key and value out of the page.
func (e element) within(b []byte) (key, value []byte, ok bool) {
	end := e.key + uint64(e.ksize) + uint64(e.vsize)
	if e.ksize == 0 || e.ksize > maxKey || e.vsize > maxValue || end > uint64(len(b)) {
		return nil, nil, false
	}
	mid := e.key + uint64(e.ksize)
	return b[e.key:mid], b[mid:end], true
}
