package store

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Found is called with a stored event: its id, kind, author, recipient (zero
// unless it is a gift wrap) and serialisation, which must not be changed.
// An error ends the search.
type Found = func(id pow.Hash, kind int, author, to pow.Key, json []byte) error

// Find calls each for the stored events that match any of the filters, newest
// first, ties lowest id first, none twice. Limit of a filter counts, zero means
// none. Gift wraps are found only when addressed to one of letters,
// announcements only when made by one of announcers.
//
// No database transaction is open while each runs, so a slow caller holds up
// nobody. When each is first called, every event that was stored before the
// search has been handed to its done callback (see Put): who listens first and
// searches then misses nothing.
func (s *Store) Find(ctx context.Context, filters []nostr.Filter, letters, announcers []pow.Key, each Found) error {
	refs, err := s.refs(ctx, filters, letters, announcers)
	if err != nil {
		return err
	}
	s.gate.Lock() // passes once the callbacks of a running commit have returned
	s.gate.Unlock()
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	for chunk := range slices.Chunk(refs, loadChunk) {
		if err := s.loadEach(ctx, chunk, each); err != nil {
			return err
		}
	}
	return nil
}

// Count counts what Find would find, were there no limits, up to ceiling + 1.
func (s *Store) Count(ctx context.Context, filters []nostr.Filter, letters, announcers []pow.Key, ceiling int) (int, error) {
	unlimited := slices.Clone(filters)
	for i := range unlimited {
		unlimited[i].Limit = ceiling + 1
	}
	refs, err := s.refs(ctx, unlimited, letters, announcers)
	return min(len(refs), ceiling+1), err
}

// ref is a found event, before its bytes are read.
type ref struct {
	id pow.Hash
	at int64
}

func (a ref) compare(b ref) int {
	return cmp.Or(cmp.Compare(b.at, a.at), slices.Compare(a.id[:], b.id[:]))
}

func (s *Store) refs(ctx context.Context, filters []nostr.Filter, letters, announcers []pow.Key) ([]ref, error) {
	var all []ref
	for _, f := range filters {
		if f.Limit <= 0 {
			continue
		}
		found, err := s.letters(ctx, f, letters)
		if err != nil {
			return nil, err
		}
		more, err := s.announcements(ctx, f, announcers)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
		slices.SortFunc(found, ref.compare)
		all = append(all, found[:min(len(found), f.Limit)]...)
	}
	slices.SortFunc(all, ref.compare)
	return slices.Compact(all), nil
}

// letters searches each mailbox on its own, along an index that is already in
// the right order and holds all that is asked for.
func (s *Store) letters(ctx context.Context, f nostr.Filter, mailboxes []pow.Key) (all []ref, err error) {
	if f.Kinds != nil && !slices.Contains(f.Kinds, kindLetter) {
		return nil, nil
	}
	for name, values := range f.Tags {
		if name != "p" { // a letter has no other one-letter tag
			return nil, nil
		}
		mailboxes = slices.DeleteFunc(slices.Clone(mailboxes), func(k pow.Key) bool {
			return !slices.Contains(values, k.String())
		})
	}
	for _, p := range mailboxes {
		found, err := s.mailbox(ctx, f, p)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (s *Store) mailbox(ctx context.Context, f nostr.Filter, p pow.Key) (found []ref, err error) {
	now := s.now().Unix()
	query := `SELECT id, created_at, expires_at FROM events WHERE kind = 1059 AND p = $1 AND expires_at > $2
		AND created_at >= $3 AND created_at <= $4`
	args := []any{p[:], now, bound(f.Since, 0), bound(f.Until, math.MaxInt64)}
	query, args = in(query, args, "id", f.IDs)
	query, args = in(query, args, "pubkey", f.Authors)
	var doubtful []ref
	err = scan(ctx, s.read, func(rows *sql.Rows) error {
		var id []byte
		var at, expires int64
		if err := rows.Scan(&id, &at, &expires); err != nil {
			return err
		}
		r := ref{pow.Hash(id), at}
		if expires-now <= hour { // rounded up: it may have expired already
			doubtful = append(doubtful, r)
			return nil
		}
		if found = append(found, r); len(found) == f.Limit {
			return errEnough
		}
		return nil
	}, query+" ORDER BY created_at DESC, id", args...)
	if err != nil && err != errEnough {
		return nil, err
	}
	alive, err := s.alive(ctx, doubtful, now)
	return append(found, alive...), err
}

const errEnough = enough("enough")

type enough string

func (e enough) Error() string { return string(e) }

func bound(t *nostr.Timestamp, none int64) int64 {
	if t == nil {
		return none
	}
	return int64(*t)
}

// in adds a condition that a column is one of these hex values; nil adds none.
func in(query string, args []any, column string, values []string) (string, []any) {
	if values == nil {
		return query, args
	}
	if len(values) == 0 {
		return query + " AND false", args
	}
	var marks []string
	for _, v := range values {
		k, _ := pow.ParseHash(v)
		args = append(args, k[:])
		marks = append(marks, "$"+strconv.Itoa(len(args)))
	}
	return query + " AND " + column + " IN (" + strings.Join(marks, ",") + ")", args
}

// alive drops the letters whose own expiration has passed.
func (s *Store) alive(ctx context.Context, refs []ref, now int64) (alive []ref, err error) {
	at := map[pow.Hash]int64{}
	for _, r := range refs {
		at[r.id] = r.at
	}
	for chunk := range slices.Chunk(refs, loadChunk) {
		err := s.loadEach(ctx, chunk, func(id pow.Hash, _ int, _, _ pow.Key, json []byte) error {
			if e, err := event.Parse(json); err == nil && !expired(e, now) {
				alive = append(alive, ref{id, at[id]})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return alive, nil
}

func expired(e *event.Event, now int64) bool {
	v, ok, _ := event.Single(e, "expiration")
	t, err := strconv.ParseInt(v, 10, 64)
	return ok && err == nil && t <= now
}

// announcements are few: at most Announcements per DVM.
func (s *Store) announcements(ctx context.Context, f nostr.Filter, authors []pow.Key) (found []ref, err error) {
	if f.Kinds != nil && !slices.Contains(f.Kinds, kindAnnouncement) {
		return nil, nil
	}
	for _, author := range authors {
		err := scan(ctx, s.read, func(rows *sql.Rows) error {
			var json []byte
			if err := rows.Scan(&json); err != nil {
				return err
			}
			e, err := event.Parse(json)
			if err == nil && f.Matches(e) {
				found = append(found, ref{event.ID(e), int64(e.CreatedAt)})
			}
			return err
		}, `SELECT json FROM events JOIN bodies ON n = body WHERE kind = 31990 AND pubkey = $1`, author[:])
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// loadChunk is how many events are read at once.
const loadChunk = 32

var loadQuery, _ = in(`SELECT id, kind, pubkey, p, json FROM events JOIN bodies ON n = body WHERE true`, nil, "id", make([]string, loadChunk))

// loadEach reads the events of a chunk and calls each in its order.
func (s *Store) loadEach(ctx context.Context, chunk []ref, each Found) error {
	type row struct {
		kind       int
		author, to pow.Key
		json       []byte
	}
	args := make([]any, loadChunk)
	for i := range args {
		args[i] = chunk[min(i, len(chunk)-1)].id[:]
	}
	rows, err := s.load.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	found := make(map[pow.Hash]row, len(chunk))
	err = collect(rows, func() error {
		var r row
		var id, author, to []byte
		if err := rows.Scan(&id, &r.kind, &author, &to, &r.json); err != nil {
			return err
		}
		r.author = pow.Key(author)
		if len(to) == len(r.to) {
			r.to = pow.Key(to)
		}
		found[pow.Hash(id)] = r
		return nil
	})
	if err != nil {
		return err
	}
	for _, ref := range chunk {
		if r, ok := found[ref.id]; ok { // otherwise deleted meanwhile
			if err := each(ref.id, r.kind, r.author, r.to, r.json); err != nil {
				return err
			}
		}
	}
	return nil
}

func collect(rows *sql.Rows, each func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(); err != nil {
			return err
		}
	}
	return rows.Err()
}
