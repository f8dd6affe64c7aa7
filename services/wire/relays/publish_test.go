package relays_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/relays"
	"pow.do/services/wire/relays/relaystest"
	"pow.do/services/wire/retry"
)

// publishTo runs a script for one connection and publishes one Letter to it.
func publishTo(t *testing.T, script func(p *relaystest.Peer, letter *event.Event)) (a pow.Answer, took time.Duration, err error) {
	t.Helper()
	letter := relaystest.Letter(dvm.Public())
	synctest.Test(t, func(t *testing.T) {
		m := relaystest.NewMemory()
		h := relaystest.NewHostileIn(t, m, func(p *relaystest.Peer) { script(p, letter) })
		pool, _ := start(t, h.URL, in(m))
		began := time.Now()
		a, err = pool.Publish(t.Context(), h.URL, event.Marshal(letter))
		took = time.Since(began)
	})
	return a, took, err
}

// Every answer of the table of protocol §8 comes out as it is.
func TestPublishAnswers(t *testing.T) {
	for _, c := range []struct {
		ok   bool
		text string
		want pow.Answer
	}{
		{true, "", pow.Answer{OK: true}},
		{true, "duplicate: have it", pow.Answer{OK: true, Prefix: "duplicate", Text: "duplicate: have it"}},
		{true, "anything at all", pow.Answer{OK: true, Text: "anything at all"}},
		{false, "duplicate: have it", pow.Answer{Prefix: "duplicate", Text: "duplicate: have it"}},
		{false, "restricted: no", pow.Answer{Prefix: "restricted", Text: "restricted: no"}},
		{false, "blocked: no", pow.Answer{Prefix: "blocked", Text: "blocked: no"}},
		{false, "rate-limited: slow", pow.Answer{Prefix: "rate-limited", Text: "rate-limited: slow"}},
		{false, "invalid: id", pow.Answer{Prefix: "invalid", Text: "invalid: id"}},
		{false, "pow: 20 bits", pow.Answer{Prefix: "pow", Text: "pow: 20 bits"}},
		{false, "mute: nobody", pow.Answer{Prefix: "mute", Text: "mute: nobody"}},
		{false, "error: disk", pow.Answer{Prefix: "error", Text: "error: disk"}},
		{false, "deleted: was here", pow.Answer{Prefix: "deleted", Text: "deleted: was here"}},
		{false, "replaced: newer", pow.Answer{Prefix: "replaced", Text: "replaced: newer"}},
		{false, "tired: come back", pow.Answer{Prefix: "tired", Text: "tired: come back"}},
		{false, "No Colon", pow.Answer{Text: "No Colon"}},
		{false, "", pow.Answer{}},
		{false, "ERROR: restricted: no", pow.Answer{Prefix: "restricted", Text: "ERROR: restricted: no"}},
		{false, "blocked:\u202e\x1b[31m" + strings.Repeat("x", 400), pow.Answer{Prefix: "blocked", Text: "blocked:[31m" + strings.Repeat("x", 188)}},
	} {
		a, _, err := publishTo(t, func(p *relaystest.Peer, letter *event.Event) {
			p.Auth()
			p.Await("EVENT")
			// Answers to something else come first (RC-9).
			_ = p.Send("OK", strings.Repeat("ab", 32), true, "")
			_ = p.Text(`["OK","` + letter.ID + `",1,""]`)
			_ = p.Send("OK", letter.ID, c.ok, c.text)
			p.Wait()
		})
		if err != nil || a != c.want {
			t.Errorf("%v %q: %+v, %v", c.ok, c.text, a, err)
		}
	}
}

// Whatever happens without an OK is not a success (RC-10).
func TestPublishUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*relaystest.Peer, *event.Event)
		want   error
		took   time.Duration
	}{
		"no OK": {func(p *relaystest.Peer, _ *event.Event) { p.Auth(); p.Wait() }, relays.ErrUnknown, 20 * time.Second},
		"lost":  {func(p *relaystest.Peer, _ *event.Event) { p.Auth(); p.Await("EVENT") }, relays.ErrUnknown, 0},
		"other id": {func(p *relaystest.Peer, _ *event.Event) {
			p.Auth()
			p.Await("EVENT")
			_ = p.Send("OK", strings.Repeat("ab", 32), true, "")
			p.Wait()
		}, relays.ErrUnknown, 20 * time.Second},
		"never sent": {func(*relaystest.Peer, *event.Event) {}, pow.ErrOffline, 20 * time.Second},
	} {
		a, took, err := publishTo(t, c.script)
		if !errors.Is(err, c.want) || a.OK || took != c.took || retry.IsPermanent(err) {
			t.Errorf("%s: %+v, %v after %v", name, a, err, took)
		}
	}
}

// A connection that ends before anything was sent costs nothing: the next one
// takes the event.
func TestPublishNextConnection(t *testing.T) {
	a, _, err := publishTo(t, func(p *relaystest.Peer, letter *event.Event) {
		if p.N == 1 {
			return
		}
		p.Auth()
		p.Await("EVENT")
		_ = p.Send("OK", letter.ID, true, "")
		p.Wait()
	})
	if err != nil || !a.OK {
		t.Errorf("%+v, %v", a, err)
	}
}

// auth-required is answered with AUTH and the very same event, once (RC-18).
func TestPublishAuthRequired(t *testing.T) {
	for _, text := range []string{"auth-required: who are you?", "ERROR: auth-required: x", "blocked: auth-required: x"} {
		late := func(accept bool, rest func(*relaystest.Peer, *event.Event)) func(*relaystest.Peer, *event.Event) {
			return func(p *relaystest.Peer, letter *event.Event) {
				first := p.Await("EVENT") // no challenge before it is needed
				_ = p.Send("OK", letter.ID, false, text)
				_ = p.Send("AUTH", "later")
				m := p.Await("AUTH")
				_ = p.Send("OK", m.Event.ID, accept, "restricted: not you")
				if accept {
					if second := p.Await("EVENT"); second.Text != first.Text {
						t.Errorf("resent as %s", second.Text)
					}
				}
				rest(p, letter)
			}
		}
		a, _, err := publishTo(t, late(true, func(p *relaystest.Peer, letter *event.Event) { _ = p.Send("OK", letter.ID, true, ""); p.Wait() }))
		if err != nil || !a.OK {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
		a, _, err = publishTo(t, late(true, func(p *relaystest.Peer, letter *event.Event) { _ = p.Send("OK", letter.ID, false, text); p.Wait() }))
		if err != nil || a.OK || a.Prefix != "restricted" {
			t.Errorf("%q twice: %+v, %v", text, a, err)
		}
		a, _, err = publishTo(t, late(false, func(p *relaystest.Peer, _ *event.Event) { p.Wait() }))
		if err != nil || a.OK || a.Prefix != "restricted" {
			t.Errorf("%q, AUTH refused: %+v, %v", text, a, err)
		}
		a, took, err := publishTo(t, func(p *relaystest.Peer, letter *event.Event) {
			p.Await("EVENT")
			_ = p.Send("OK", letter.ID, false, text)
			p.Wait()
		})
		if err != nil || a.OK || a.Prefix != "auth-required" || took > 30*time.Second {
			t.Errorf("%q without a challenge: %+v, %v after %v", text, a, err, took)
		}
	}
}

func TestPublishRefuses(t *testing.T) {
	p := relays.New(relays.Config{Origins: []string{"ws://127.0.0.1:1"}, Key: me, HTTP: httpClient(), Handle: (&got{}).handle})
	letter := relaystest.Letter(dvm.Public())
	forged := *letter
	forged.ID = strings.Repeat("ab", 32)
	for name, b := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "forged": event.Marshal(&forged)} {
		if _, err := p.Publish(t.Context(), "ws://127.0.0.1:1", b); !retry.IsPermanent(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Publish(t.Context(), "wss://relay.example.org", event.Marshal(letter)); !errors.Is(err, relays.ErrNoRelay) {
		t.Errorf("unknown relay: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Publish(ctx, "ws://127.0.0.1:1", event.Marshal(letter)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Join: AUTH first, then the request; afterwards what was refused is asked again.
func TestJoin(t *testing.T) {
	for _, c := range []struct {
		ok     bool
		text   string
		prefix string
	}{
		{true, "info: welcome", "info"}, {true, "duplicate: already a member", "duplicate"}, {false, "restricted: claim refused", "restricted"}, {false, "invalid: created_at", "invalid"},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := relaystest.NewMemory()
			genuine := relaystest.Letter(me.Public())
			h := relaystest.NewHostileIn(t, m, mailboxOf(func(p *relaystest.Peer, sub string) {
				_ = p.Send("CLOSED", sub, "restricted: not a member")
				e := p.Await("EVENT").Event
				if e == nil {
					return
				}
				claim, _, _ := event.Single(e, "claim")
				if e.Kind != 28934 || claim != "the claim" || !slices.ContainsFunc(e.Tags, func(t event.Tag) bool { return t[0] == "-" }) || e.PubKey != me.Public().String() {
					t.Errorf("joined with %+v", e)
				}
				_ = p.Send("OK", e.ID, c.ok, c.text)
				if again := p.Await("REQ"); again.Kind != "" {
					_ = p.Send("EVENT", again.Sub, genuine)
				}
				p.Wait()
			}))
			h.Info = `{"name":"hub","supported_nips":[1,11,42,43,"7D"]}`
			pool, g := start(t, h.URL, in(m))
			a, err := pool.Join(t.Context(), h.URL, "the claim")
			if err != nil || a.OK != c.ok || a.Prefix != c.prefix {
				t.Errorf("%q: %+v, %v", c.text, a, err)
			}
			if c.ok {
				began := time.Now()
				if g.wait(t, 1); time.Since(began) > time.Minute {
					t.Errorf("mail came %v after joining", time.Since(began))
				}
			} else if state := pool.Connections()[0]; state.State != "refused" {
				t.Errorf("%+v", state)
			}
		})
	}
}

// AUTH that is refused shows, and does not keep the program from asking.
func TestAuthRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := relaystest.NewMemory()
		h := relaystest.NewHostileIn(t, m, func(p *relaystest.Peer) {
			_ = p.Send("AUTH", "x")
			e := p.Await("AUTH").Event
			relay, _, _ := event.Single(e, "relay")
			challenge, _, _ := event.Single(e, "challenge")
			if e.Kind != 22242 || relay != "ws://127.0.0.1/" || challenge != "x" || event.Verify(e) != nil {
				t.Errorf("AUTH %+v", e)
			}
			_ = p.Send("OK", e.ID, false, "blocked: banned")
			p.Wait()
		})
		pool, _ := start(t, h.URL, in(m))
		time.Sleep(time.Second)
		if c := pool.Connections()[0]; c.State != "refused" || !strings.Contains(c.Error, "blocked: banned") {
			t.Errorf("%+v", c)
		}
	})
}

func TestFetch(t *testing.T) {
	all := letters(3)
	for name, c := range map[string]struct {
		script func(p *relaystest.Peer, sub string)
		want   error
		n      int
	}{
		"found": {func(p *relaystest.Peer, sub string) {
			_ = p.Send("EVENT", sub, all[0])
			_ = p.Send("EVENT", sub, all[0])
			_ = p.Send("EVENT", sub, relaystest.Letter(dvm.Public()))
			_ = p.Send("EVENT", sub, all[1])
			_ = p.Send("EVENT", sub, all[2])
			_ = p.Send("EOSE", sub)
		}, nil, 2},
		"nothing":    {func(p *relaystest.Peer, sub string) { _ = p.Send("EOSE", sub) }, nil, 0},
		"no EOSE":    {func(p *relaystest.Peer, sub string) { _ = p.Send("EVENT", sub, all[0]) }, relays.ErrUnknown, 0},
		"restricted": {func(p *relaystest.Peer, sub string) { _ = p.Send("CLOSED", sub, "restricted: no") }, pow.ErrNotAdmitted, 0},
		"auth twice": {func(p *relaystest.Peer, sub string) {
			_ = p.Send("CLOSED", sub, "auth-required: x")
			_ = p.Send("OK", p.Await("AUTH").Event.ID, true, "")
			_ = p.Send("CLOSED", p.Await("REQ").Sub, "auth-required: x")
		}, pow.ErrNotAdmitted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := relaystest.NewMemory()
				h := relaystest.NewHostileIn(t, m, func(p *relaystest.Peer) {
					p.Auth()
					c.script(p, p.Await("REQ").Sub)
					p.Wait()
				})
				pool, _ := start(t, h.URL, in(m), func(c *relays.Config) { c.Filters = nil })
				f := inbox()[0]
				f.Limit = 2
				got, err := pool.Fetch(t.Context(), h.URL, f)
				if !errors.Is(err, c.want) || len(got) != c.n {
					t.Errorf("%d events, %v", len(got), err)
				}
			})
		})
	}
}
