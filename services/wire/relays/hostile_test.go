package relays_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/relays"
	"pow.do/services/wire/relays/relaystest"
)

// mailboxOf answers AUTH, waits for the inbox subscription and leaves the rest
// to the script.
func mailboxOf(script func(p *relaystest.Peer, sub string)) func(*relaystest.Peer) {
	return func(p *relaystest.Peer) {
		p.Auth()
		m := p.Await("REQ")
		if m.Kind == "" {
			return
		}
		script(p, m.Sub)
	}
}

// Nonsense, forgeries and lies on a connection that goes on: only the genuine
// event is delivered, and it is not suppressed (RC-1 … RC-5, RC-8, RC-9, RC-17).
func TestDrops(t *testing.T) {
	genuine := relaystest.Letter(me.Public())
	forged := *genuine
	forged.Content = "AgAA"
	signature := *genuine
	signature.Sig = relaystest.Letter(me.Public()).Sig
	other := relaystest.Letter(dvm.Public())
	note := event.Event{Kind: 1, CreatedAt: 1_795_000_000, Tags: event.Tags{{"p", me.Public().String()}}}
	if err := me.Sign(&note); err != nil {
		t.Fatal(err)
	}
	raw := string(event.Marshal(genuine))
	texts := func(all ...string) func(*relaystest.Peer, string) {
		return func(p *relaystest.Peer, sub string) {
			for _, s := range all {
				_ = p.Text(strings.ReplaceAll(s, "SUB", sub))
			}
		}
	}
	events := func(all ...*event.Event) func(*relaystest.Peer, string) {
		return func(p *relaystest.Peer, sub string) {
			for _, e := range all {
				_ = p.Send("EVENT", sub, e)
			}
		}
	}
	five := make([]*event.Event, 5)
	for i := range five {
		c := *genuine
		c.ID = strings.Repeat(fmt.Sprintf("%02x", i), 32)
		five[i] = &c
	}
	for name, lie := range map[string]func(*relaystest.Peer, string){
		"RC-1 short frame":     texts(`["EVENT","x`, `["EVENT"`, `[`, ``, `"`, `{}`, `[]`, `["EVENT"]`, `[["EVENT"]]`, `[null,null]`, strings.Repeat("[", 100_000)),
		"RC-2 half an event":   texts(`["EVENT","SUB",{"id":"ab"}]`, `["EVENT","SUB",{}]`, `["EVENT","SUB",null]`, `["EVENT","SUB",[]]`, `["EVENT","SUB"]`, `["EVENT",7,`+raw+`]`),
		"RC-3 forged copy":     events(&forged, &signature),
		"RC-4 five forged ids": events(five...),
		"RC-5 other filter":    events(other, &note),
		"RC-5 unknown subs":    texts(`["EVENT","else",`+raw+`]`, `["EVENT","",`+raw+`]`, `["EVENT","SUB",`+raw+`,1,2,3,4,5,6,7]`),
		"RC-8 EOSE of others":  texts(slices.Repeat([]string{`["EOSE","else"]`, `["EOSE",1]`, `["EOSE"]`}, 300)...),
		"RC-9 OK":              texts(`["OK","`+genuine.ID+`",true,""]`, `["OK","`+genuine.ID+`",1,""]`, `["OK","x",true]`, `["OK",7,true,""]`, `["OK","`+genuine.ID+`"]`, `["OK","`+strings.Repeat("0", 64)+`",true,""]`),
		"RC-17 twice":          events(genuine, genuine),
		"duplicate members":    texts(`["EVENT","SUB",` + strings.Replace(raw, `"kind":1059`, `"kind":1059,"kind":1`, 1) + `]`),
		"unknown kinds":        texts(`["COUNT","SUB",{"count":1}]`, `["NEG-MSG","SUB","61"]`, `["HELLO","x"]`, `["NOTICE",7]`, `["AUTH",7]`, `["CLOSED","else","error: x"]`, `["CLOSED"]`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := relaystest.NewMemory()
				h := relaystest.NewHostileIn(t, m, mailboxOf(func(p *relaystest.Peer, sub string) {
					lie(p, sub)
					_ = p.Send("EVENT", sub, genuine)
					for range 1000 {
						_ = p.Send("EOSE", sub)
					}
					p.Wait()
				}))
				_, g := start(t, h.URL, in(m))
				g.wait(t, 1)
				time.Sleep(time.Minute) // everything else has been read by then
				same(t, g.ids(), []string{genuine.ID})
				if n := h.Connections(); n != 1 {
					t.Errorf("%d connections", n)
				}
			})
		})
	}
}

// What ends a connection: the next one works (RC-7, RC-8, RC-11, RC-15).
func TestCloses(t *testing.T) {
	genuine := relaystest.Letter(me.Public())
	big := []byte(strings.Repeat("a", 1<<20))
	for name, misuse := range map[string]func(*relaystest.Peer, string){
		"RC-7 33 MB": func(p *relaystest.Peer, _ string) {
			_ = p.Raw([]byte{0x81, 127, 0, 0, 0, 0, 2, 0, 0, 0})
			for range 33 {
				if p.Raw(big) != nil {
					return
				}
			}
		},
		"RC-7 compressed": func(p *relaystest.Peer, _ string) { _ = p.Frame(0x41, true, []byte{0xaa, 0x56, 0}); p.Wait() },
		"RC-7 one byte over": func(p *relaystest.Peer, _ string) {
			_ = p.Text(`["NOTICE","` + strings.Repeat("a", 131_072-12) + `"]`)
			p.Wait()
		},
		"RC-8 events for ever": func(p *relaystest.Peer, sub string) {
			for p.Text(`["EVENT","`+sub+`",{}]`) == nil {
			}
		},
		"junk for ever": func(p *relaystest.Peer, _ string) {
			for p.Text(`["EVENT","else",{}]`) == nil {
			}
		},
		"RC-11 NOTICE": func(p *relaystest.Peer, _ string) {
			for p.Send("NOTICE", "\x1b[2J buy now") == nil {
			}
		},
		"RC-11 AUTH": func(p *relaystest.Peer, _ string) {
			for i := 0; p.Send("AUTH", fmt.Sprint(i)) == nil; i++ {
			}
		},
		"RC-15 continuations": func(p *relaystest.Peer, _ string) {
			_ = p.Frame(1, false, []byte("["))
			for p.Frame(0, false, []byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) == nil {
			}
		},
		"RC-15 a byte a minute": func(p *relaystest.Peer, _ string) {
			_ = p.Raw([]byte{0x81, 100})
			for p.Raw([]byte("[")) == nil {
				time.Sleep(time.Minute)
			}
		},
		"RC-15 a fragment now and then": func(p *relaystest.Peer, _ string) { // with pongs in between
			_ = p.Frame(1, false, []byte("["))
			for p.Frame(0, false, []byte(" ")) == nil {
				time.Sleep(20 * time.Second)
			}
		},
		"binary":        func(p *relaystest.Peer, _ string) { _ = p.Frame(2, true, []byte{1}); p.Wait() },
		"reserved bits": func(p *relaystest.Peer, _ string) { _ = p.Frame(0x31, true, []byte("[]")); p.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := relaystest.NewMemory()
				h := relaystest.NewHostileIn(t, m, mailboxOf(func(p *relaystest.Peer, sub string) {
					if p.N == 1 {
						misuse(p, sub)
						return
					}
					_ = p.Send("EVENT", sub, genuine)
					p.Wait()
				}))
				_, g := start(t, h.URL, in(m))
				began := time.Now()
				same(t, g.wait(t, 1), []string{genuine.ID})
				if took := time.Since(began); took > 2*time.Minute {
					t.Errorf("held on for %v", took)
				}
			})
		})
	}
}

// A relay that answers nothing any more is given up after 90 s, and one whose
// pongs come is not.
func TestSilence(t *testing.T) {
	for _, deaf := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := relaystest.NewMemory()
			ended := make(chan time.Duration, 10)
			h := relaystest.NewHostileIn(t, m, mailboxOf(func(p *relaystest.Peer, _ string) {
				began := time.Now()
				p.Wait()
				ended <- time.Since(began)
			}))
			h.Deaf = deaf
			start(t, h.URL, in(m))
			time.Sleep(10 * time.Minute)
			select {
			case d := <-ended:
				if !deaf || d < 90*time.Second || d > 2*time.Minute {
					t.Errorf("deaf %v: ended after %v", deaf, d)
				}
			default:
				if deaf {
					t.Error("still connected to a silent relay")
				}
			}
		})
	}
}

// Without any EOSE live events come all the same, and older ones are paged for (RC-8).
func TestNoEOSE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := relaystest.NewMemory()
		all := letters(3)
		h := relaystest.NewHostileIn(t, m, mailboxOf(func(p *relaystest.Peer, sub string) {
			_ = p.Send("EVENT", sub, all[0])
			page := p.Await("REQ")
			if !strings.Contains(page.Text, fmt.Sprintf(`"until":%d`, all[0].CreatedAt)) {
				t.Errorf("paged with %s", page.Text)
			}
			_ = p.Send("EVENT", page.Sub, all[1])
			_ = p.Send("EVENT", sub, all[2])
			p.Wait()
		}))
		_, g := start(t, h.URL, in(m))
		same(t, g.wait(t, 3), idsOf(all))
	})
}

// A subscription that is closed comes back when the word says (RC-12, RC-18).
func TestClosed(t *testing.T) {
	for _, c := range []struct {
		text      string
		low, high time.Duration
	}{
		{"restricted: not on the list", time.Hour, time.Hour},
		{"rate-limited: slow down", 30 * time.Second, time.Minute},
		{"error: shutting down", 0, time.Minute},
		{"blocked: bye", 0, time.Minute},
		{"", 0, time.Minute},
		{"no word at all", 0, time.Minute},
		{"invalid: filter", 0, time.Minute},
		{"auth-required: again", 0, 2 * time.Second},
		{"ERROR: auth-required: we can't serve DMs", 0, 2 * time.Second},
	} {
		t.Run(c.text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := relaystest.NewMemory()
				genuine := relaystest.Letter(me.Public())
				var took time.Duration
				h := relaystest.NewHostileIn(t, m, mailboxOf(func(p *relaystest.Peer, sub string) {
					_ = p.Send("CLOSED", sub, c.text)
					at := time.Now()
					again := p.Next()
					if again.Kind == "AUTH" {
						_ = p.Send("OK", again.Event.ID, true, "")
						again = p.Next()
					}
					took = time.Since(at)
					_ = p.Send("EVENT", again.Sub, genuine)
					p.Wait()
				}))
				_, g := start(t, h.URL, in(m))
				g.wait(t, 1)
				if took < c.low || took > c.high {
					t.Errorf("asked again after %v, want %v … %v", took, c.low, c.high)
				}
			})
		})
	}
}

// A relay whose connections end at once is not hammered (RC-13).
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := relaystest.NewMemory()
		h := relaystest.NewHostileIn(t, m, func(*relaystest.Peer) {})
		pool, _ := start(t, h.URL, in(m))
		time.Sleep(time.Hour)
		if n := h.Connections(); n < 60 || n > 600 {
			t.Errorf("%d connections in an hour", n)
		}
		before := h.Connections()
		pool.Wake()
		synctest.Wait()
		if h.Connections() == before {
			t.Error("Wake did not reconnect")
		}
	})
}

// What is no relay is offline, with the cause, and others go on (RC-14).
func TestNoRelay(t *testing.T) {
	write := func(s string) func(net.Conn, *http.Request) bool {
		return func(c net.Conn, _ *http.Request) bool { _, _ = c.Write([]byte(s)); return true }
	}
	for name, c := range map[string]struct {
		before func(net.Conn, *http.Request) bool
		want   string
	}{
		"301":    {write("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "HTTP status 301"},
		"page":   {write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<html"), "HTTP status 200"},
		"403":    {write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), "HTTP status 403"},
		"noise":  {write("\x15\x03\x01 go away \x1b[31m\n"), "malformed"},
		"hangup": {write(""), "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := relaystest.NewMemory()
				h := relaystest.NewHostileIn(t, m, nil)
				h.Before = c.before
				p, _ := start(t, h.URL, in(m))
				time.Sleep(time.Second / 2)
				got := p.Connections()[0]
				if got.State != "offline" || !strings.Contains(got.Error, c.want) || strings.Contains(got.Error, "\x1b") {
					t.Errorf("%+v, want %q", got, c.want)
				}
				_, err := p.Publish(t.Context(), h.URL, event.Marshal(relaystest.Letter(dvm.Public())))
				if !errors.Is(err, pow.ErrOffline) {
					t.Errorf("publish: %v", err)
				}
			})
		})
	}
}

// While Handle is busy the socket is not read: a relay with a hundred thousand
// events waits.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := relaystest.NewMemory()
		all := letters(400)
		var sent atomic.Int64
		h := relaystest.NewHostileIn(t, m, mailboxOf(func(p *relaystest.Peer, sub string) {
			for _, e := range all {
				if p.Send("EVENT", sub, e) != nil {
					return
				}
				sent.Add(1)
			}
			p.Wait()
		}))
		release := make(chan struct{})
		_, g := start(t, h.URL, in(m), func(c *relays.Config) {
			inner := c.Handle
			c.Handle = func(ctx context.Context, o string, e *event.Event, b []byte) error {
				select {
				case <-release:
				case <-ctx.Done():
				}
				return inner(ctx, o, e, b)
			}
		})
		time.Sleep(time.Hour) // longer than any silence would be forgiven
		if n := sent.Load(); n < 256 || n > 262 {
			t.Errorf("%d events were taken off the socket while one was handled", n)
		}
		close(release)
		same(t, g.wait(t, len(all)), idsOf(all))
		if n := h.Connections(); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}
