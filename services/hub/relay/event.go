package relay

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// The kinds this relay knows; every other one is refused.
const (
	kindDeletion     = 5      // NIP-09
	kindVanish       = 62     // NIP-62
	kindLetter       = 1_059  // NIP-59
	kindAuth         = 22_242 // NIP-42
	kindJoin         = 28_934 // NIP-43
	kindLeave        = 28_936 // NIP-43
	kindAnnouncement = 31_990 // NIP-89
)

// rule says what an event of one kind must look like and what is done with it.
type rule struct {
	shape       func(*Relay, *event.Event) bool
	back, ahead time.Duration                    // window of created_at; a negative back is none
	may         func(*conn, *event.Event) string // why this connection may not send it, or ""
	act         func(*conn, *event.Event)        // after id and signature were checked
}

var rules = map[int]rule{
	kindLetter:       {letterShape, past, future, (*conn).mayWrite, (*conn).onLetter},
	kindDeletion:     {deletionShape, past, future, (*conn).mayDelete, (*conn).onDeletion},
	kindVanish:       {vanishShape, -1, future, (*conn).isAuthor, (*conn).onVanish},
	kindJoin:         {joinShape, handshake, handshake, (*conn).isAuthor, (*conn).onJoin},
	kindLeave:        {leaveShape, handshake, handshake, (*conn).isAuthor, (*conn).onLeave},
	kindAnnouncement: {announcementShape, -1, future, (*conn).mayAnnounce, (*conn).onAnnouncement},
}

// onEvent passes an event through all checks, cheap ones first: who may not
// send it cannot make the relay check a signature. Nothing is looked up by the
// claimed id before it was recomputed.
func (c *conn) onEvent(raw json.RawMessage) {
	e, err := event.Parse(raw)
	if err != nil {
		c.unreadable(raw)
		return
	}
	rule, known := rules[e.Kind]
	switch {
	case !known:
		c.refuse(e.ID, "blocked: kind "+strconv.Itoa(e.Kind)+" is not kept here")
	case len(c.keys()) == 0:
		c.refuse(e.ID, authRequired)
	case !rule.shape(c.relay, e):
		c.refuse(e.ID, "invalid: tags or content")
	case !c.relay.within(e, rule.back, rule.ahead):
		c.refuse(e.ID, outOfRange)
	case expired(e, c.relay.now()):
		c.refuse(e.ID, "invalid: expired")
	default:
		if why := rule.may(c, e); why != "" {
			c.refuse(e.ID, why)
			return
		}
		c.verified(e, rule.act)
	}
}

func (c *conn) verified(e *event.Event, act func(*conn, *event.Event)) {
	switch err := event.Verify(e); {
	case err == nil:
		act(c, e)
		return
	case errors.Is(err, event.ErrID):
		c.refuse(e.ID, "invalid: wrong id")
	default:
		c.refuse(e.ID, "invalid: wrong signature")
	}
	if c.forged++; c.forged > maxForged {
		c.kill(websocket.StatusPolicyViolation, "too many forged events")
	}
}

// isAuthor: the event's author is authenticated here.
func (c *conn) isAuthor(e *event.Event) string {
	if !c.holds(event.Author(e)) {
		return authRequired
	}
	return ""
}

// expiration returns when the event expires (NIP-40); ok is false without a tag.
func expiration(e *event.Event) (t time.Time, ok bool, err error) {
	v, ok, err := event.Single(e, "expiration")
	if err != nil || !ok {
		return time.Time{}, false, err
	}
	n, err := strconv.ParseUint(v, 10, 53)
	return time.Unix(int64(n), 0), err == nil, err
}

func expired(e *event.Event, now time.Time) bool {
	t, ok, _ := expiration(e)
	return ok && !t.After(now)
}

// tagsWithin checks what holds for the tags of every kind.
func tagsWithin(e *event.Event, most int) bool {
	if len(e.Tags) > most {
		return false
	}
	for _, tag := range e.Tags {
		for _, v := range tag {
			if len(v) > maxTagValue {
				return false
			}
		}
	}
	_, _, err := expiration(e)
	return err == nil
}

// letterShape: nothing but one recipient, an expiration and a nonce may stand
// in clear, and the content must look like NIP-44.
func letterShape(_ *Relay, e *event.Event) bool {
	if !tagsWithin(e, 3) || len(e.Content) < minLetter || len(e.Content) > maxLetter || !isBase64(strings.TrimSuffix(strings.TrimSuffix(e.Content, "="), "=")) {
		return false
	}
	recipients := 0
	for _, tag := range e.Tags {
		switch tag[0] {
		case "p":
			if _, err := pow.ParseKey(tag.Value()); err != nil || len(tag) != 2 {
				return false
			}
			recipients++
		case "expiration", "nonce":
		default:
			return false
		}
	}
	return recipients == 1
}

// isBase64 tells whether s has nothing but the standard alphabet.
func isBase64(s string) bool {
	for i := range len(s) {
		switch b := s[i]; {
		case b >= 'A' && b <= 'Z', b >= 'a' && b <= 'z', b >= '0' && b <= '9', b == '+', b == '/':
		default:
			return false
		}
	}
	return true
}

// recipient of a letter.
func recipient(e *event.Event) pow.Key {
	p, _, _ := event.Single(e, "p")
	to, _ := pow.ParseKey(p)
	return to
}

func (c *conn) mayWrite(e *event.Event) string {
	if _, ok := c.payer(recipient(e)); !ok {
		return restricted
	}
	return ""
}

func (c *conn) onLetter(e *event.Event) {
	to := recipient(e)
	payer, ok := c.payer(to)
	if !ok { // removed meanwhile
		c.refuse(e.ID, restricted)
		return
	}
	if !c.relay.pace(c.relay.rates.letters, payer) {
		c.refuse(e.ID, "rate-limited: too many letters")
		return
	}
	now := c.relay.now()
	expires, ok, _ := expiration(e)
	if !ok {
		expires = now.Add(letterLife)
	}
	if latest := now.Add(maxLetterLife); expires.After(latest) {
		expires = latest
	}
	c.put(e, to, expires, payer)
}

// pace limits a key across its connections.
func (r *Relay) pace(rates *rates, key pow.Key) bool {
	factor := 1.0
	if r.dvms[key] {
		factor = dvmFactor
	}
	return rates.take(string(key[:]), factor)
}

// put stores an event; the answer and the readers follow after its commit.
// Messages behind it on this connection do not wait for that, up to maxPending.
func (c *conn) put(e *event.Event, to pow.Key, expires time.Time, payer pow.Key) {
	m := &mail{id: event.ID(e), kind: e.Kind, author: event.Author(e), to: to, json: event.Marshal(e), event: e}
	c.pending <- struct{}{}
	c.relay.inbound.take(len(m.json))
	c.relay.cfg.Events.Put(e, m.json, expires, payer, func(err error) {
		<-c.pending
		c.relay.inbound.give(len(m.json))
		c.send(c.relay.answer(e.ID, err))
		if err == nil {
			c.relay.stats.Accepted.Add(1)
			c.relay.broadcast(m)
		}
	})
}

// never is the expiry of what names none and may stay.
var never = time.Unix(1<<53, 0)

// announcementShape: NIP-89 with an address.
func announcementShape(_ *Relay, e *event.Event) bool {
	d, ok, err := event.Single(e, "d")
	return tagsWithin(e, maxTags) && len(e.Content) <= maxAnnouncement && ok && err == nil && d != "" &&
		!event.HasControl(e)
}

func (c *conn) mayAnnounce(e *event.Event) string {
	if author := event.Author(e); !c.holds(author) || !c.relay.dvms[author] {
		return restricted
	}
	return ""
}

func (c *conn) onAnnouncement(e *event.Event) {
	author := event.Author(e)
	expires, ok, _ := expiration(e)
	if !ok {
		expires = never
	}
	c.put(e, pow.Key{}, expires, author)
}

// deletionShape: ids and addresses that are well formed.
func deletionShape(_ *Relay, e *event.Event) bool {
	if !tagsWithin(e, maxDeletionTags) {
		return false
	}
	for _, tag := range e.Tags {
		if tag[0] == "e" {
			if _, err := pow.ParseHash(tag.Value()); err != nil {
				return false
			}
		}
	}
	return true
}

func (c *conn) mayDelete(e *event.Event) string {
	author := event.Author(e)
	if _, ok := c.relay.dvmOf(author); !ok || !c.holds(author) {
		return restricted
	}
	return ""
}

// onDeletion deletes for its author (NIP-09). The request itself is not kept:
// here it would only list the ids of letters.
func (c *conn) onDeletion(e *event.Event) {
	author := event.Author(e)
	if !c.relay.pace(c.relay.rates.deletions, author) {
		c.refuse(e.ID, "rate-limited: too many deletions")
		return
	}
	var ids []pow.Hash
	var ds []string
	address := strconv.Itoa(kindAnnouncement) + ":" + e.PubKey + ":"
	for _, tag := range e.Tags {
		if d, mine := strings.CutPrefix(tag.Value(), address); tag[0] == "a" && mine {
			ds = append(ds, d)
		}
		if tag[0] == "e" {
			id, _ := pow.ParseHash(tag.Value())
			ids = append(ids, id)
		}
	}
	c.pending <- struct{}{}
	c.relay.cfg.Events.Delete(author, e.CreatedAt.Time(), ids, ds, func(err error) {
		<-c.pending
		c.send(c.relay.answer(e.ID, err))
	})
}
