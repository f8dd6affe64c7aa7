package queue

import (
	"bytes"
	"fmt"
	"os"
)

// inspect reads the whole file without mapping it: meta pages, every page of
// the tree, the list of free pages, the checksum of every row. Only a file that
// passes is opened with bbolt. It returns the highest version of a row.
func inspect(path string) (version uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("open the queue: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("open the queue: %w", err)
	}
	return inspectPages(pageFile{f, st.Size()})
}

func inspectPages(f pageFile) (version uint64, err error) {
	m, err := f.preflight()
	if err != nil {
		return 0, err
	}
	in := inspection{f: f, m: m, seen: make([]uint64, m.high/64+1)}
	in.claim(0, 1)
	if err := in.freelist(); err != nil {
		return 0, err
	}
	root := branchWalk{in: &in, leaf: in.bucket}
	if err := root.page(m.root, 0); err != nil {
		return 0, err
	}
	return in.version, nil
}

// inspection remembers which pages were met: none may be met twice, and none
// of those on the list of free pages at all.
type inspection struct {
	f       pageFile
	m       meta
	seen    []uint64 // one bit a page
	version uint64
}

// claim marks pages id…id+more and reports whether all were unmarked.
func (in *inspection) claim(id, more uint64) bool {
	if id >= in.m.high || more >= in.m.high-id {
		return false
	}
	for p := id; p <= id+more; p++ {
		if in.seen[p/64]>>(p%64)&1 == 1 {
			return false
		}
		in.seen[p/64] |= 1 << (p % 64)
	}
	return true
}

// load reads a page with its overflow into buf.
func (in *inspection) load(id uint64, buf []byte) (header, []byte, error) {
	var first [pageHeader]byte
	if id >= in.m.high {
		return header{}, nil, damaged("page %d of %d", id, in.m.high)
	}
	if err := in.f.read(first[:], int64(id)*pageSize); err != nil {
		return header{}, nil, err
	}
	h := parseHeader(first[:])
	if h.id != id || !in.claim(id, h.overflow) {
		return header{}, nil, damaged("page %d", id)
	}
	size := int(h.overflow+1) * pageSize
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	return h, buf, in.f.read(buf, int64(id)*pageSize)
}

func (in *inspection) freelist() error {
	h, b, err := in.load(in.m.freelist, nil)
	if err != nil {
		return err
	}
	ids, n := b[pageHeader:], uint64(h.count)
	if n == 0xFFFF {
		n, ids = order.Uint64(ids), ids[8:]
	}
	if h.flags != flagFreelist || n > uint64(len(ids))/8 {
		return damaged("list of free pages")
	}
	for i := range n {
		if !in.claim(order.Uint64(ids[8*i:]), 0) {
			return damaged("list of free pages")
		}
	}
	return nil
}

// bucket checks one entry of the root: a table.
func (in *inspection) bucket(e element, name, value []byte) error {
	if e.flags != elementBucket || len(value) < bucketHeader {
		return damaged("table")
	}
	rows := branchWalk{in: in, leaf: func(e element, key, value []byte) error {
		return in.row(string(name), e, key, value)
	}}
	if root := order.Uint64(value); root != 0 {
		return rows.page(root, 0)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader {
		return damaged("table")
	}
	return rows.leaves(parseHeader(inline), inline)
}

// row checks one row. Tables of a newer program are left alone here: the
// schema number refuses them later, politely.
func (in *inspection) row(name string, e element, key, value []byte) error {
	kind, version, _, err := decodeValue(key, value)
	if t, known := tableOf(kind); err != nil || e.flags != 0 || known && t.name != name {
		return damaged("row of %q", name)
	}
	in.version = max(in.version, version)
	return nil
}

// branchWalk visits one tree in order of keys.
type branchWalk struct {
	in   *inspection
	leaf func(e element, key, value []byte) error
	last []byte // the last key met
	same bool   // the next key may equal it: a branch repeats the first key below
	buf  []byte // of the leaf in hand
}

const maxDepth = 32

func (w *branchWalk) page(id uint64, depth int) error {
	h, b, err := w.in.load(id, w.buf)
	if err != nil {
		return err
	}
	switch {
	case h.flags == flagLeaf:
		w.buf = b
		return w.leaves(h, b)
	case h.flags == flagBranch && depth < maxDepth && h.count > 0:
		return w.branch(h, bytes.Clone(b), depth)
	}
	return damaged("page %d", id)
}

// rises reports whether key comes after the last one, and remembers it.
func (w *branchWalk) rises(key []byte, branch bool) bool {
	c := 1
	if w.last != nil {
		c = bytes.Compare(key, w.last)
	}
	ok := c > 0 || c == 0 && w.same
	w.last, w.same = append(w.last[:0], key...), branch
	return ok
}

// branch checks that every key leads to its page: greater than all before it
// and not greater than the first one below.
func (w *branchWalk) branch(h header, b []byte, depth int) error {
	for i := range h.count {
		e, ok := elementAt(b, flagBranch, i)
		key, _, inside := e.within(b)
		if !ok || !inside || !w.rises(key, true) {
			return damaged("branch")
		}
		if err := w.page(e.child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *branchWalk) leaves(h header, b []byte) error {
	if h.flags != flagLeaf {
		return damaged("leaf")
	}
	for i := range h.count {
		e, ok := elementAt(b, flagLeaf, i)
		key, value, inside := e.within(b)
		if !ok || !inside || !w.rises(key, false) {
			return damaged("leaf")
		}
		if err := w.leaf(e, key, value); err != nil {
			return err
		}
	}
	return nil
}
