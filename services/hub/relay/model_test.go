package relay_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/hub/relay"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// model is what a relay should hold and show, kept by hand.
type model struct {
	t       *testing.T
	w       *world
	r       *rand.Rand
	keys    []key
	dvmOf   map[pow.Key]pow.Key // members, and each DVM its own
	banned  map[pow.Key]bool
	stored  map[string]*event.Event
	deleted map[string]*event.Event // with a tombstone of whoever may
	all     []*event.Event          // that ever were, to ask for
	clients []*modelClient
}

// modelClient is a connection with what it has authenticated and subscribed to.
type modelClient struct {
	*client
	keys []key
	subs int // so far
	negs int // negotiations so far
}

// TestSequences does whatever the relay offers, in any order, and compares every
// answer with a model. Whatever arrives on a connection, asked for or live, is
// checked against its keys by next.
func TestSequences(t *testing.T) {
	steps := 100_000
	if testing.Short() {
		steps = 4_000
	}
	w := managed(t, func(c *relay.Config) {
		c.Claims = claims{}
	})
	m := &model{t: t, w: w, r: rand.New(rand.NewPCG(7, 9)), keys: []key{alice, bob, carol, dvm, other, nobody},
		banned: map[pow.Key]bool{}, stored: map[string]*event.Event{}, deleted: map[string]*event.Event{}, dvmOf: map[pow.Key]pow.Key{
			alice.Key: dvm.Key, bob.Key: dvm.Key, carol.Key: other.Key, dvm.Key: dvm.Key, other.Key: other.Key}}
	deeds := []struct {
		weight int
		do     func()
	}{
		{20, m.publish}, {3, m.announce}, {6, m.remove}, {2, m.leave}, {3, m.allow}, {2, m.deny}, {1, m.ban}, {1, m.vanish},
		{4, m.connect}, {2, m.disconnect}, {6, m.authenticate}, {1, m.later}, {25, m.request}, {15, m.count}, {15, m.negotiate},
	}
	total := 0
	for _, d := range deeds {
		total += d.weight
	}
	for range steps {
		n := m.r.IntN(total)
		for _, d := range deeds {
			if n -= d.weight; n < 0 {
				d.do()
				break
			}
		}
		if t.Failed() {
			return
		}
		w.setNow(w.now().Add(600 * time.Millisecond)) // under the rates
	}
}

func pickOne[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// some returns a connection that has a key, if there is one.
func (m *model) some() *modelClient {
	for len(m.clients) == 0 { // a banned key gets none
		m.connect()
	}
	return pickOne(m.r, m.clients)
}

func (m *model) connect() {
	if len(m.clients) > 6 {
		return
	}
	c := &modelClient{client: m.w.dial()}
	m.clients = append(m.clients, c)
	m.auth(c, pickOne(m.r, m.keys))
}

func (m *model) disconnect() {
	if len(m.clients) > 0 {
		m.drop(pickOne(m.r, m.clients))
	}
}

func (m *model) drop(c *modelClient) {
	c.ws.CloseNow()
	m.clients = slices.DeleteFunc(m.clients, func(o *modelClient) bool { return o == c })
}

func (m *model) authenticate() { m.auth(m.some(), pickOne(m.r, m.keys)) }

func (m *model) auth(c *modelClient, k key) {
	if len(c.keys) >= 4 || slices.Contains(c.keys, k) {
		return
	}
	ok, why := c.auth(k)
	if ok == m.banned[k.Key] || !ok && !strings.HasPrefix(why, "blocked:") {
		m.t.Errorf("AUTH: %v %s, banned %v", ok, why, m.banned[k.Key])
	}
	if ok {
		c.keys = append(c.keys, k)
	} else if len(c.keys) == 0 {
		m.drop(c)
	}
}

// lose is what the model expects of connections when a key is removed.
func (m *model) lose(k key) {
	for _, c := range slices.Clone(m.clients) {
		if i := slices.Index(c.keys, k); i >= 0 {
			c.keys = slices.Delete(c.keys, i, i+1)
			if len(c.keys) == 0 {
				if code, _ := c.closed(); code != 1008 {
					m.t.Errorf("closed with %d", code)
				}
				m.drop(c)
			}
		}
	}
	maps.DeleteFunc(m.stored, func(_ string, e *event.Event) bool { return e.Kind == 1059 && e.Tags.Find("p")[1] == k.String() })
}

func (m *model) holds(c *modelClient, k pow.Key) bool {
	return slices.ContainsFunc(c.keys, func(o key) bool { return o.Key == k })
}

// mayWrite is the rule of mailboxes in other words.
func (m *model) mayWrite(c *modelClient, to pow.Key) bool {
	for _, k := range c.keys {
		d, ok := m.dvmOf[k.Key]
		isDVM := d == k.Key
		switch {
		case !ok:
		case isDVM && to != k.Key && m.dvmOf[to] == k.Key:
			return true
		case !isDVM && to == d:
			return true
		}
	}
	return false
}

func (m *model) publish() {
	c, to := m.some(), pickOne(m.r, m.keys)
	e := m.w.letter(to, func(e *event.Event) { e.CreatedAt = m.w.at(-int64(m.r.IntN(5) * 1000)) })
	switch again := m.r.IntN(6); {
	case again == 0 && len(m.all) > 0:
		e = pickOne(m.r, m.all)
	}
	if e.Kind != 1059 {
		return
	}
	to.Key, _ = pow.ParseKey(e.Tags.Find("p")[1])
	ok, why := c.publish(e)
	_, gone := m.deleted[e.ID]
	want := ""
	switch {
	case len(c.keys) == 0:
		want = "auth-required:"
	case int64(e.CreatedAt) < m.w.now().Unix()-7*86_400:
		want = "invalid:"
	case !m.mayWrite(c, to.Key):
		want = "restricted:"
	case gone:
		want = "blocked:"
	}
	if ok != (want == "") || !strings.HasPrefix(why, want) {
		m.t.Errorf("letter: %v %q, want %q", ok, why, want)
	}
	if ok {
		m.stored[e.ID] = e
		m.all = append(m.all, e)
	}
}

func (m *model) announce() {
	c, by := m.some(), pickOne(m.r, []key{dvm, other})
	e := m.w.announcement(by, "powdo", 0)
	ok, why := c.publish(e)
	if ok != m.holds(c, by.Key) {
		m.t.Errorf("announcement: %v %s", ok, why)
	}
	if ok {
		maps.DeleteFunc(m.stored, func(_ string, o *event.Event) bool { return o.Kind == 31990 && o.PubKey == e.PubKey })
		m.stored[e.ID] = e
		m.all = append(m.all, e)
	}
}

func (m *model) remove() {
	c, by := m.some(), pickOne(m.r, m.keys)
	if len(m.all) == 0 {
		return
	}
	e := pickOne(m.r, m.all)
	ok, why := c.publish(m.w.deletion(by, 0, event.Tag{"e", e.ID}))
	if _, member := m.dvmOf[by.Key]; ok != (member && m.holds(c, by.Key)) {
		m.t.Errorf("deletion: %v %s", ok, why)
	}
	p := e.Tags.Find("p")
	if ok && (e.PubKey == by.String() || p != nil && p[1] == by.String()) {
		delete(m.stored, e.ID)
		m.deleted[e.ID] = e
	}
}

// members are the devices on the whitelist.
func (m *model) members() (list []key) {
	for _, k := range []key{alice, bob, carol} {
		if _, ok := m.dvmOf[k.Key]; ok {
			list = append(list, k)
		}
	}
	return list
}

func (m *model) leave() {
	for _, c := range m.clients {
		for _, k := range c.keys {
			if slices.Contains(m.members(), k) {
				if ok, why := c.publish(sign(k, &event.Event{Kind: 28936, CreatedAt: m.w.at(0), Tags: event.Tags{{"-"}}})); !ok {
					m.t.Errorf("leaving: %s", why)
				}
				delete(m.dvmOf, k.Key)
				m.lose(k)
				return
			}
		}
	}
}

func (m *model) allow() {
	k := pickOne(m.r, []key{alice, bob, carol})
	if d := pickOne(m.r, []key{dvm, other}); !m.banned[k.Key] && m.dvmOf[k.Key].IsZero() {
		m.w.wantCall(anna, "true", "allowpubkey", k.String(), "", d.String())
		m.dvmOf[k.Key] = d.Key
	}
}

func (m *model) deny() {
	if list := m.members(); len(list) > 0 {
		k := pickOne(m.r, list)
		if err := m.w.store.Deny(context.Background(), k.Key); err != nil {
			m.t.Error(err)
		}
		delete(m.dvmOf, k.Key)
		m.lose(k)
	}
}

func (m *model) ban() {
	for k := range m.banned {
		m.w.wantCall(anna, "true", "unbanpubkey", k.String())
		delete(m.banned, k)
		return
	}
	k := pickOne(m.r, []key{alice, bob, carol, nobody})
	m.w.wantCall(anna, "true", "banpubkey", k.String())
	m.banned[k.Key] = true
	delete(m.dvmOf, k.Key)
	m.lose(k)
}

func (m *model) vanish() {
	for _, c := range m.clients {
		for _, k := range c.keys {
			if k == carol || k == bob {
				e := sign(k, &event.Event{Kind: 62, CreatedAt: m.w.at(0), Tags: event.Tags{{"relay", "ALL_RELAYS"}}})
				ok, why := c.publish(e)
				if !ok && !strings.HasPrefix(why, "rate-limited:") {
					m.t.Errorf("vanishing: %s", why)
				}
				if _, member := m.dvmOf[k.Key]; ok && member {
					delete(m.dvmOf, k.Key)
					m.lose(k)
				}
				return
			}
		}
	}
}

// later lets everything expire, now and then.
func (m *model) later() {
	if m.r.IntN(50) > 0 {
		return
	}
	m.w.setNow(m.w.now().Add(33 * 24 * time.Hour))
	maps.DeleteFunc(m.stored, func(_ string, e *event.Event) bool { return e.Kind == 1059 })
	clear(m.deleted) // too old to come again
	if m.r.IntN(2) == 0 {
		if err := m.w.store.Purge(context.Background()); err != nil {
			m.t.Error(err)
		}
	}
}

// visible lists what a connection may see of what is stored, newest first.
func (m *model) visible(c *modelClient, f nostr.Filter) (ids []string) {
	var found []*event.Event
	for _, e := range m.stored {
		show := e.Kind == 1059 && slices.ContainsFunc(c.keys, func(k key) bool { return e.Tags.Find("p")[1] == k.String() })
		for _, k := range c.keys {
			d, ok := m.dvmOf[k.Key]
			show = show || e.Kind == 31990 && ok && e.PubKey == d.String()
		}
		if show && f.Matches(e) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *event.Event) int {
		if a.CreatedAt != b.CreatedAt {
			return int(b.CreatedAt - a.CreatedAt)
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, e := range found {
		ids = append(ids, e.ID)
	}
	return ids
}

// admitted tells whether a connection may ask at all.
func (m *model) admitted(c *modelClient) bool {
	return slices.ContainsFunc(c.keys, func(k key) bool { _, ok := m.dvmOf[k.Key]; return ok })
}

func (m *model) filter() nostr.Filter {
	if len(m.all) == 0 {
		return nostr.Filter{Limit: 500}
	}
	return randomFilter(m.r, m.all[max(0, len(m.all)-60):])
}

func (m *model) check(c *modelClient, what string, f nostr.Filter, got, want []string, refused string) {
	if !m.admitted(c) {
		if !strings.HasPrefix(refused, "restricted:") {
			m.t.Errorf("%s of strangers: %v %s", what, got, refused)
		}
		return
	}
	if refused != "" || !slices.Equal(got, want) {
		m.t.Errorf("%s %s: %s\n got %v\nwant %v", what, f, refused, got, want)
	}
}

func (m *model) request() {
	c, f := m.some(), m.filter()
	c.subs++ // a name of its own: live events of an old one may still be on their way
	c.send("CLOSE", fmt.Sprint("s", c.subs-4))
	ids, refused := c.req(fmt.Sprint("s", c.subs), plain(f))
	want := m.visible(c, f)
	m.check(c, "REQ", f, ids, want[:min(len(want), f.Limit)], refused)
}

func (m *model) count() {
	c, f := m.some(), m.filter()
	n, refused := c.count(plain(f))
	m.check(c, "COUNT", f, make([]string, n), make([]string, len(m.visible(c, f))), strings.TrimPrefix(refused, "CLOSED "))
}

func (m *model) negotiate() {
	c, f := m.some(), m.filter()
	wire := plain(f)
	delete(wire, "limit")
	c.negs++ // a name of its own: the end of an earlier one may still be on its way
	need, refused := c.neg(fmt.Sprint("n", c.negs), wire, setOf())
	want := m.visible(c, f)
	slices.Sort(want)
	m.check(c, "NEG-OPEN", f, slices.Sorted(maps.Keys(need)), want, refused)
}
