package queue

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// goodFile is a small whole queue file.
func goodFile(t testing.TB) []byte {
	t.Helper()
	path := t.TempDir() + "/queue.db"
	db, _, _, err := openFile(path, time.Unix(1795100000, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		err := db.Update(func(b *bolt.Tx) error {
			key := bytes.Repeat([]byte{'a' + byte(i)}, 26)
			return b.Bucket([]byte(tabDetails.name)).Put(key, encodeValue(tabDetails.kind, uint64(i), key, bytes.Repeat(key, 60)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestInspectPassesAWholeFile(t *testing.T) {
	b := goodFile(t)
	version, err := inspectPages(pageFile{bytes.NewReader(b), int64(len(b))})
	if err != nil || version != 5 {
		t.Errorf("version %d, %v", version, err)
	}
}

// TestInspectFindsALyingFreelist: bbolt would write over the page in use.
func TestInspectFindsALyingFreelist(t *testing.T) {
	b := goodFile(t)
	file := pageFile{bytes.NewReader(b), int64(len(b))}
	m, err := file.preflight()
	if err != nil {
		t.Fatal(err)
	}
	page := b[m.freelist*pageSize:]
	n := order.Uint16(page[10:])
	order.PutUint64(page[pageHeader+8*int(n):], m.root)
	order.PutUint16(page[10:], n+1)
	if _, err := inspectPages(file); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, want damaged", err)
	}
}

// FuzzInspect: any file is whole or damaged, within its own size in memory.
func FuzzInspect(f *testing.F) {
	good := goodFile(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(make([]byte, 3*pageSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		file := pageFile{bytes.NewReader(b), int64(len(b))}
		_, err := inspectPages(file)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%v", err)
		}
		scan(file)
	})
}

// FuzzDecodeValue: what decodes encodes to the same bytes.
func FuzzDecodeValue(f *testing.F) {
	key := []byte("01JD5V3W8Q4N2Z7K9T6M1B0XYA")
	f.Add(key, encodeValue('c', 7, key, []byte("payload")))
	f.Add(key, []byte{})
	f.Add([]byte(nil), encodeValue(0, 0, nil, nil))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		kind, version, payload, err := decodeValue(key, value)
		if err == nil && !bytes.Equal(encodeValue(kind, version, key, payload), value) {
			t.Error("not the same value")
		}
	})
}
