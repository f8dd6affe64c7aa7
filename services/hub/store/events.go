package store

import (
	"math/rand/v2"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// The kinds that are stored.
const (
	kindLetter       = 1059  // gift wrap (NIP-59)
	kindAnnouncement = 31990 // handler information (NIP-89), addressable
)

// Limits of mailboxes and of writing. A DVM may do DVMFactor times what a
// member may in a day.
const (
	MailboxLettersDVM    = 200_000
	MailboxLettersDevice = 20_000
	MailboxBytes         = 2 << 30
	LettersPerDay        = 5_000
	DeletionsPerDay      = 20_000
	DVMFactor            = 50
	Announcements        = 64 // addresses per DVM
)

// Never is the expiry of what does not expire.
var Never = time.Unix(1<<53, 0)

// Put stores a verified event whose serialisation is json: a gift wrap or an
// announcement. payer is the authenticated key whose daily quota it counts
// against; it is not stored with the event. done gets nil once the event is
// durable, or one of ErrDuplicate, ErrReplaced, ErrDeleted, ErrVanished,
// ErrNoMailbox, ErrMailboxFull, ErrQuota, pow.ErrDiskFull. It runs on the
// writer's goroutine, in the order of commits, and must not block.
func (s *Store) Put(e *event.Event, json []byte, expires time.Time, payer pow.Key, done func(error)) {
	if s.disk != nil {
		if err := s.disk.Room(int64(len(json))); err != nil {
			done(err)
			return
		}
	}
	r := record{id: event.ID(e), author: event.Author(e), kind: e.Kind, at: int64(e.CreatedAt),
		json: json, expires: roundUp(expires)}
	if e.Kind == kindLetter {
		p, _, _ := event.Single(e, "p")
		r.p, _ = pow.ParseKey(p)
		s.submit(func(w *writer) error { return w.putLetter(r, payer, s.dvms) }, done)
		return
	}
	r.d, _, _ = event.Single(e, "d")
	s.submit(func(w *writer) error { return w.putAnnouncement(r) }, done)
}

// record is a row of events.
type record struct {
	id      pow.Hash
	author  pow.Key
	kind    int
	at      int64
	p       pow.Key // zero: none
	d       string
	json    []byte
	expires int64
}

// roundUp hides in which minute a letter without an expiration of its own came.
func roundUp(t time.Time) int64 { return (t.Unix() + 3599) / 3600 * 3600 }

// facts are what the database knows about a letter that is to be stored.
type facts struct {
	stored, deleted, vanished, mailbox bool
	letters, bytes                     int64
}

// terms are what a letter is to be stored under.
type terms struct {
	payer   pow.Key
	perDay  int64 // letters of payer
	dvm     bool  // the recipient is a DVM, which needs no place on the whitelist
	letters int64 // that fit into the mailbox
}

// putLetter asks for the facts, and on PostgreSQL stores the letter in the same
// statement if they allow it.
func (w *writer) putLetter(r record, payer pow.Key, dvms map[pow.Key]bool) error {
	t := terms{payer: payer, perDay: LettersPerDay * factor(dvms[payer]), dvm: dvms[r.p], letters: MailboxLettersDevice}
	if t.dvm {
		t.letters = MailboxLettersDVM
	}
	f, store, err := w.engine.ask(w, r, t)
	switch {
	case err != nil:
		return err
	case f.deleted:
		return ErrDeleted
	case f.stored:
		return ErrDuplicate
	case f.vanished:
		return ErrVanished
	case !f.mailbox && !t.dvm:
		return ErrNoMailbox
	case f.letters >= t.letters || f.bytes+int64(len(r.json)) > MailboxBytes:
		return ErrMailboxFull
	}
	return store()
}

// asking is how the facts are asked for, as columns of one row.
const asking = `EXISTS (SELECT 1 FROM events WHERE id = $1) AS stored,
	EXISTS (SELECT 1 FROM tombstones WHERE id = $1 AND author IN ($2, $3) AND until > $5) AS deleted,
	EXISTS (SELECT 1 FROM vanished WHERE pubkey = $2 AND upto >= $4) AS vanished,
	EXISTS (SELECT 1 FROM whitelist WHERE device = $3) AS mailbox,
	coalesce((SELECT letters FROM mailboxes WHERE p = $3), 0) AS letters,
	coalesce((SELECT bytes FROM mailboxes WHERE p = $3), 0) AS bytes`

// asked are the parameters of asking.
func (r record) asked(now int64) []any { return []any{r.id[:], r.author[:], r.p[:], r.at, now} }

func factor(dvm bool) int64 {
	if dvm {
		return DVMFactor
	}
	return 1
}

func (w *writer) insert(r record) error {
	w.loud = true
	return w.engine.insert(w, r, rand.Int64()) // random, so that it does not tell the order of arrival
}

// values are the columns of events; n is the number of the body.
func (r record) values(n int64) []any {
	p := r.p[:]
	if r.p.IsZero() {
		p = []byte{}
	}
	return []any{r.id[:], r.kind, r.author[:], r.at, p, r.d, n, len(r.json), r.expires}
}

// putAnnouncement keeps the newest version of an address; of two of the same
// second, the one with the lowest id (NIP-01).
func (w *writer) putAnnouncement(r record) error {
	var deleted, vanished bool
	var addresses int64
	err := w.row(`SELECT
		EXISTS (SELECT 1 FROM tombstones WHERE id = $1 AND author = $2 AND until > $5)
		OR EXISTS (SELECT 1 FROM erased WHERE pubkey = $2 AND d = $3 AND upto >= $4 AND until > $5),
		EXISTS (SELECT 1 FROM vanished WHERE pubkey = $2 AND upto >= $4),
		(SELECT count(*) FROM events WHERE kind = 31990 AND pubkey = $2 AND d <> $3)`,
		[]any{r.id[:], r.author[:], r.d, r.at, w.now().Unix()}, &deleted, &vanished, &addresses)
	switch {
	case err != nil:
		return err
	case deleted:
		return ErrDeleted
	case vanished:
		return ErrVanished
	case addresses >= Announcements:
		return ErrQuota
	}
	var same, newer bool
	err = w.row(`SELECT
		EXISTS (SELECT 1 FROM events WHERE id = $1),
		EXISTS (SELECT 1 FROM events WHERE kind = 31990 AND pubkey = $2 AND d = $3
			AND (created_at > $4 OR created_at = $4 AND id < $1))`,
		[]any{r.id[:], r.author[:], r.d, r.at}, &same, &newer)
	switch {
	case err != nil:
		return err
	case same:
		return ErrDuplicate
	case newer:
		return ErrReplaced
	}
	if _, err := w.exec(`DELETE FROM events WHERE kind = 31990 AND pubkey = $1 AND d = $2`, r.author[:], r.d); err != nil {
		return err
	}
	return w.insert(r)
}
