package relays_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pow.do/services/wire/event"
	"pow.do/services/wire/negentropy"
	"pow.do/services/wire/relays"
	"pow.do/services/wire/relays/relaystest"
)

// keeper is a relay that says OK to deletions and deletes nothing. It may speak
// NIP-77, break off, or not know it.
type keeper struct {
	neg   string // "yes", "no" (a NOTICE), "error" (NEG-ERR), "nonsense"
	shown int    // how many of the newest the live subscription shows

	mu     sync.Mutex
	events []*event.Event
	asked  []string // verbs and subscriptions of the client, in order
}

// holds sets what is stored, and forgets what was asked.
func (k *keeper) holds(events []*event.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events, k.asked = events, nil
}

// heard returns what was asked, and forgets it.
func (k *keeper) heard() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() { k.asked = nil }()
	return k.asked
}

func (k *keeper) script(p *relaystest.Peer) {
	p.Auth()
	for {
		m := p.Next()
		if m.Kind == "" {
			return
		}
		k.answer(p, m)
	}
}

func (k *keeper) answer(p *relaystest.Peer, m relaystest.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m.Kind != "EVENT" {
		k.asked = append(k.asked, m.Kind+" "+m.Sub)
	}
	switch m.Kind {
	case "EVENT":
		p.Send("OK", m.Event.ID, true, "")
	case "REQ":
		k.query(p, m)
	case "NEG-OPEN", "NEG-MSG":
		k.negotiate(p, m)
	}
}

func (k *keeper) query(p *relaystest.Peer, m relaystest.Message) {
	var parts []json.RawMessage
	var f struct {
		IDs   []string
		Until *int64
	}
	if json.Unmarshal([]byte(m.Text), &parts) != nil || json.Unmarshal(parts[2], &f) != nil {
		panic(m.Text)
	}
	for i, e := range k.events {
		switch {
		case len(f.IDs) > 0 && !slices.Contains(f.IDs, e.ID):
		case len(f.IDs) == 0 && f.Until == nil && i >= k.shown:
		case f.Until != nil && int64(e.CreatedAt) > *f.Until:
		default:
			p.Send("EVENT", m.Sub, e)
		}
	}
	p.Send("EOSE", m.Sub)
}

func (k *keeper) negotiate(p *relaystest.Peer, m relaystest.Message) {
	var parts []string
	var raw []json.RawMessage
	if json.Unmarshal([]byte(m.Text), &raw) != nil {
		panic(m.Text)
	}
	for _, r := range raw {
		var s string
		_ = json.Unmarshal(r, &s)
		parts = append(parts, s)
	}
	switch k.neg {
	case "no":
		p.Send("NOTICE", "what?")
		return
	case "error":
		p.Send("NEG-ERR", m.Sub, "blocked: no")
		return
	case "nonsense":
		p.Send("NEG-MSG", m.Sub, "61ff")
		return
	}
	items := make([]negentropy.Item, len(k.events))
	for i, e := range k.events {
		items[i] = negentropy.Item{At: int64(e.CreatedAt), ID: event.ID(e)}
	}
	b, err := hex.DecodeString(parts[len(parts)-1])
	if err != nil {
		panic(m.Text)
	}
	answer, err := negentropy.NewSet(items).Answer(b, negentropy.Frame)
	if err != nil {
		panic(err)
	}
	p.Send("NEG-MSG", m.Sub, hex.EncodeToString(answer))
}

// deleting handles an event by asking the relay to delete it.
func deleting(g *got, pool **relays.Pool) func(*relays.Config) {
	return func(c *relays.Config) {
		c.Handle = func(ctx context.Context, origin string, e *event.Event, raw []byte) error {
			d := &event.Event{Kind: 5, CreatedAt: e.CreatedAt, Tags: event.Tags{{"e", e.ID}, {"k", "1059"}}}
			if err := me.Sign(d); err != nil {
				return err
			}
			if _, err := (*pool).Publish(ctx, origin, event.Marshal(d)); err != nil {
				return err
			}
			return g.handle(ctx, origin, e, raw)
		}
	}
}

// TestRelaysThatKeep: once a relay is found to keep what was deleted, a new
// connection reads what is missing there and not everything.
func TestRelaysThatKeep(t *testing.T) {
	for neg, row := range map[string]struct {
		compared bool // by NIP-77
		paged    bool
	}{"yes": {true, false}, "no": {false, true}, "error": {false, true}, "nonsense": {false, true}} {
		t.Run(neg, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				old := letters(40)
				k := &keeper{neg: neg, shown: 10}
				k.holds(old)
				m := relaystest.NewMemory()
				connected := make(chan *relaystest.Peer, 10)
				h := relaystest.NewHostileIn(t, m, func(p *relaystest.Peer) { connected <- p; k.script(p) })
				g := &got{came: make(chan struct{}, 1)}
				var pool *relays.Pool
				c := relays.Config{Origins: []string{h.URL}, Key: me, HTTP: m.Client(), Filters: inbox()}
				deleting(g, &pool)(&c)
				pool = relays.New(c)
				ctx, stop := context.WithCancel(context.Background())
				done := make(chan error)
				go func() { done <- pool.Run(ctx) }()
				g.wait(t, 40) // all of it, by paging
				synctest.Wait()

				fresh := letters(260) // as old as the others, and more than one REQ asks for
				all := append(slices.Clone(old), fresh...)
				slices.SortFunc(all, func(a, b *event.Event) int { return int(b.CreatedAt - a.CreatedAt) })
				k.holds(all)
				(<-connected).Cut()
				g.wait(t, 40+260)
				time.Sleep(time.Minute)
				synctest.Wait()
				asked := k.heard()
				if !slices.Contains(asked, "NEG-OPEN ng0") {
					t.Errorf("it did not compare: %v", asked)
				}
				if row.compared != slices.Contains(asked, "NEG-CLOSE ng0") && neg != "nonsense" || row.paged != slices.Contains(asked, "REQ pg0") {
					t.Errorf("asked %v", asked)
				}
				known := map[string]int{}
				for _, id := range g.ids() {
					known[id]++
				}
				for _, e := range fresh {
					if known[e.ID] != 1 {
						t.Errorf("a letter was handled %d times", known[e.ID])
					}
				}
				time.Sleep(6 * time.Hour) // again on the same connection
				synctest.Wait()
				asked = k.heard()
				if row.compared != slices.Contains(asked, "NEG-OPEN ng0") || row.paged != slices.Contains(asked, "REQ pg0") {
					t.Errorf("six hours later: %v", asked)
				}
				stop()
				<-done
			})
		})
	}
}
