package queue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// place is where the best copy of a row lies in a damaged file.
type place struct {
	version uint64
	off     int64
	ksize   int
	vsize   int
}

// rowName is a row's identity: kind and key.
type rowName struct {
	kind byte
	key  string
}

// rescue is what a scan of a damaged file found.
type rescue struct {
	rows    map[rowName]place
	version uint64 // highest of a row
	broken  int    // rows whose checksum fails
}

// scan looks at every page for leaves, wherever the tree leads, and takes every
// row whose checksum holds. The tree cannot be trusted; the rows can. Of several
// copies the one with the highest version wins, so an old copy on a free page
// never replaces a newer one.
func scan(f pageFile) rescue {
	r := rescue{rows: map[rowName]place{}}
	var head [pageHeader]byte
	for id := int64(2); id < f.size/pageSize; id++ {
		off := id * pageSize
		if f.read(head[:], off) != nil {
			continue
		}
		if h := parseHeader(head[:]); h.id == uint64(id) && h.flags == flagLeaf {
			r.leaf(f, off, f.size-off, h.count)
		}
	}
	return r
}

// leaf takes the rows of the leaf at off, of which room bytes are left.
func (r *rescue) leaf(f pageFile, off, room int64, count int) {
	count = min(count, (pageSize-pageHeader)/elementSize) // bbolt splits before more
	table := make([]byte, min(int64(pageHeader+count*elementSize), room))
	if f.read(table, off) != nil {
		return
	}
	for i := range count {
		e, ok := elementAt(table, flagLeaf, i)
		size := int64(e.ksize) + int64(e.vsize)
		if !ok {
			return
		}
		if e.ksize == 0 || e.ksize > maxKey || e.vsize > maxValue || int64(e.key) > room-size {
			r.broken++
			continue
		}
		row := make([]byte, size)
		if f.read(row, off+int64(e.key)) != nil {
			r.broken++
			continue
		}
		key, value := row[:e.ksize], row[e.ksize:]
		if e.flags == elementBucket {
			r.inline(f, off+int64(e.key)+int64(e.ksize), value)
			continue
		}
		r.take(off+int64(e.key), key, value)
	}
}

// inline takes the rows of a small table that lies inside the root page.
func (r *rescue) inline(f pageFile, off int64, value []byte) {
	if len(value) < bucketHeader+pageHeader || order.Uint64(value) != 0 {
		return
	}
	h := parseHeader(value[bucketHeader:])
	if h.flags == flagLeaf {
		r.leaf(f, off+bucketHeader, int64(len(value)-bucketHeader), h.count)
	}
}

func (r *rescue) take(off int64, key, value []byte) {
	kind, version, _, err := decodeValue(key, value)
	if _, known := tableOf(kind); err != nil || !known {
		r.broken++
		return
	}
	r.version = max(r.version, version)
	name := rowName{kind, string(key)}
	if old, ok := r.rows[name]; !ok || version > old.version {
		r.rows[name] = place{version, off, len(key), len(value)}
	}
}

// salvage sets the damaged file aside and puts a new one of its whole rows in
// its place. The new file is complete before the old one moves; after a kill
// between the two renames the next start finishes the second.
func salvage(path string, now time.Time) (aside string, r rescue, err error) {
	aside = fmt.Sprintf("%s.corrupt-%s", path, now.UTC().Format("20060102T150405.000"))
	fresh := path + salvagedSuffix
	if err := os.RemoveAll(fresh); err != nil {
		return "", r, fmt.Errorf("salvage the queue: %w", err)
	}
	if st, err := os.Lstat(path); err == nil && st.Mode().IsRegular() {
		r, err = copyRows(path, fresh)
		if err != nil {
			return "", r, err
		}
	} else if err := createFile(fresh); err != nil {
		return "", r, err
	}
	if err := os.Rename(path, aside); err != nil {
		return "", r, fmt.Errorf("set the damaged queue aside: %w", err)
	}
	return aside, r, finishSalvage(path)
}

func finishSalvage(path string) error {
	if err := os.Rename(path+salvagedSuffix, path); err != nil {
		return fmt.Errorf("put the salvaged queue in place: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// copyRows writes every row that scan finds in from to the new file to.
func copyRows(from, to string) (r rescue, err error) {
	f, err := os.Open(from)
	if err != nil {
		return r, fmt.Errorf("open the damaged queue: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return r, fmt.Errorf("open the damaged queue: %w", err)
	}
	pages := pageFile{f, st.Size()}
	r = scan(pages)
	if err := createFile(to); err != nil {
		return r, err
	}
	db, err := openBolt(to)
	if err != nil {
		return r, err
	}
	return r, errors.Join(r.write(pages, db), db.Close())
}

// batchBytes bounds what one transaction of a copy holds in memory.
const batchBytes = 4 << 20

func (r *rescue) write(f pageFile, db *bolt.DB) error {
	names := make([]rowName, 0, len(r.rows))
	for n := range r.rows {
		names = append(names, n)
	}
	for len(names) > 0 {
		err := db.Update(func(b *bolt.Tx) error {
			for size := 0; size < batchBytes && len(names) > 0; names = names[1:] {
				p, n := r.rows[names[0]], names[0]
				row := make([]byte, p.ksize+p.vsize)
				if err := f.read(row, p.off); err != nil {
					return err
				}
				t, _ := tableOf(n.kind)
				if err := b.Bucket([]byte(t.name)).Put(row[:p.ksize], row[p.ksize:]); err != nil {
					return err
				}
				size += len(row)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("copy the rows of the damaged queue: %w", err)
		}
	}
	return nil
}
