package queue

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"
)

// ErrDamaged tells that stored bytes are not what was written. Opening the
// queue again sets the damaged rows aside and keeps the others.
var ErrDamaged = errors.New("damaged queue")

// table is one bucket. Its kind stands in every value, so that a row found
// loose in a damaged file can be put back where it belongs.
type table struct {
	name string
	kind byte
}

// The tables. Keys are ULIDs unless said otherwise.
var (
	tabCaptures   = table{"captures", 'c'}   // clear: session, moment, size, delivery
	tabDetails    = table{"details", 't'}    // encrypted: what else is known of a capture, thumbnail
	tabPictures   = table{"pictures", 'p'}   // encrypted
	tabOriginals  = table{"originals", 'g'}  // encrypted: the picture before its edits, by capture
	tabBefore     = table{"before", 'b'}     // encrypted: the details before the edits, by capture
	tabSkips      = table{"skips", 'k'}      // clear: moments without a picture, and why
	tabGaps       = table{"gaps", 'j'}       // clear: time of a session that is questioned or taken out
	tabDropped    = table{"dropped", 'x'}    // clear: session/capture, its moment
	tabSegments   = table{"segments", 's'}   // clear: tracked time
	tabNotes      = table{"notes", 'n'}      // encrypted: by segment
	tabWas        = table{"was", 'w'}        // encrypted: the note before a correction, by segment
	tabDocs       = table{"docs", 'd'}       // clear, by name
	tabSecrets    = table{"secrets", 'e'}    // encrypted, by name
	tabDeliveries = table{"deliveries", 'o'} // clear: no texts, no names
	tabTexts      = table{"texts", 'r'}      // encrypted: text of the Receipt, by delivery
	tabEvidence   = table{"evidence", 'v'}   // kind 13 of the Receipt, opaque, by delivery
	tabActivity   = table{"activity", 'a'}   // encrypted, by delivery
	tabConsents   = table{"consents", 'z'}   // encrypted: the signed consent, by delivery
	tabHeads      = table{"heads", 'h'}      // encrypted: what re-sealing needs, by delivery
	tabLetters    = table{"letters", 'l'}    // clear: when a wrap id was handled
	tabMeta       = table{"meta", 'm'}       // clear: schema, chain, erased, purged
)

var tables = []table{
	tabCaptures, tabDetails, tabPictures, tabOriginals, tabBefore, tabSkips, tabGaps, tabDropped,
	tabSegments, tabNotes, tabWas, tabDocs, tabSecrets,
	tabDeliveries, tabTexts, tabEvidence, tabActivity, tabConsents, tabHeads, tabLetters, tabMeta,
}

func tableOf(kind byte) (table, bool) {
	for _, t := range tables {
		if t.kind == kind {
			return t, true
		}
	}
	return table{}, false
}

// A value is: CRC-32C over everything that follows and the key (4 bytes, big
// endian), kind (1), version (8), payload. Versions rise with every
// transaction: of two copies of a row in a damaged file the higher one counts.
const valueHeader = 4 + 1 + 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, rest []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, rest), castagnoli, key)
}

func encodeValue(kind byte, version uint64, key, payload []byte) []byte {
	v := make([]byte, valueHeader, valueHeader+len(payload))
	v[4] = kind
	binary.BigEndian.PutUint64(v[5:], version)
	v = append(v, payload...)
	binary.BigEndian.PutUint32(v, checksum(key, v[4:]))
	return v
}

// decodeValue checks v against its key and returns a payload that shares v's memory.
func decodeValue(key, v []byte) (kind byte, version uint64, payload []byte, err error) {
	if len(v) < valueHeader || binary.BigEndian.Uint32(v) != checksum(key, v[4:]) {
		return 0, 0, nil, ErrDamaged
	}
	return v[4], binary.BigEndian.Uint64(v[5:]), v[valueHeader:], nil
}

// tx is one bbolt transaction with checked rows. after runs once it is committed.
type tx struct {
	b       *bolt.Tx
	version uint64
	after   []func()
}

// get returns a payload that is valid until the transaction ends; nil when
// there is no such row.
func (t *tx) get(tab table, key string) ([]byte, error) {
	v := t.b.Bucket([]byte(tab.name)).Get([]byte(key))
	if v == nil {
		return nil, nil
	}
	kind, _, payload, err := decodeValue([]byte(key), v)
	if err == nil && kind != tab.kind {
		err = ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", tab.name, err)
	}
	return payload, nil
}

func (t *tx) put(tab table, key string, payload []byte) error {
	v := encodeValue(tab.kind, t.version, []byte(key), payload)
	return t.b.Bucket([]byte(tab.name)).Put([]byte(key), v)
}

func (t *tx) del(tab table, key string) error {
	return t.b.Bucket([]byte(tab.name)).Delete([]byte(key))
}

// getJSON reports whether the row exists.
func (t *tx) getJSON(tab table, key string, v any) (bool, error) {
	payload, err := t.get(tab, key)
	if payload == nil || err != nil {
		return false, err
	}
	if err := json.Unmarshal(payload, v); err != nil {
		return false, fmt.Errorf("read %s: %w", tab.name, errors.Join(ErrDamaged, err))
	}
	return true, nil
}

// unmarshalRow reads the payload of a clear row.
func unmarshalRow(payload []byte, v any) error {
	if err := json.Unmarshal(payload, v); err != nil {
		return errors.Join(ErrDamaged, err)
	}
	return nil
}

func (t *tx) putJSON(tab table, key string, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store %s: %w", tab.name, err)
	}
	return t.put(tab, key, payload)
}

// each calls fn for every row in order of keys. fn may not change the table.
func (t *tx) each(tab table, fn func(key string, payload []byte) error) error {
	return t.b.Bucket([]byte(tab.name)).ForEach(func(k, v []byte) error {
		_, _, payload, err := decodeValue(k, v)
		if err != nil {
			return fmt.Errorf("read %s: %w", tab.name, err)
		}
		return fn(string(k), payload)
	})
}

// keys returns the keys of a table that pass.
func (t *tx) keys(tab table, pass func(key string) bool) (keys []string) {
	c := t.b.Bucket([]byte(tab.name)).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if pass(string(k)) {
			keys = append(keys, string(k))
		}
	}
	return keys
}

// then runs fn after the commit, before anybody else can write.
func (t *tx) then(fn func()) { t.after = append(t.after, fn) }

func (t *tx) has(tab table, key string) bool {
	return t.b.Bucket([]byte(tab.name)).Get([]byte(key)) != nil
}
