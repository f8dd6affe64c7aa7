package relaystest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pow.do/services/wire/event"
)

// auth: the challenge is answered by a device, and by nothing that only looks
// like an answer.
func (s *suite) auth(t *testing.T) {
	tag := func(name, value string) func(*event.Event) {
		return func(e *event.Event) {
			for _, t := range e.Tags {
				if t[0] == name {
					t[1] = value
				}
			}
		}
	}
	for name, change := range map[string]func(*event.Event){
		"other challenge": tag("challenge", strings.Repeat("5a", 32)),
		"other host":      tag("relay", "wss://relay.example.org"),
		"long ago":        At(-3601),
		"far ahead":       At(3601),
		"kind 1":          func(e *event.Event) { e.Kind = 1 },
		"no challenge":    func(e *event.Event) { e.Tags = e.Tags[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			l := s.open(t, nil)
			l.waitChallenge()
			if ok, _ := l.auth(s.Member, change); ok {
				t.Fatal("accepted")
			}
			if events, closed := l.subscribe("after", mail(s.Member)); closed == "" && len(events) > 0 {
				t.Fatal("mail was served")
			}
		})
	}
	t.Run("right", func(t *testing.T) {
		l := s.login(t, s.Member)
		if _, closed := l.query(mail(s.Member)); closed != "" {
			t.Errorf("REQ after AUTH: CLOSED %s", closed)
		}
	})
	if !s.Hub {
		return
	}
	t.Run("601 s", func(t *testing.T) {
		l := s.open(t, nil)
		l.waitChallenge()
		if ok, _ := l.auth(s.Member, At(-630)); ok {
			t.Error("630 s old: accepted")
		}
		if ok, text := l.auth(s.Member, At(-570)); !ok {
			t.Errorf("570 s old: %s", text)
		}
	})
}

// authTwoKeys: a second AUTH adds a key and takes none away.
func (s *suite) authTwoKeys(t *testing.T) {
	dvm := s.login(t, s.DVM)
	a, b := Letter(s.Member.Public()), Letter(s.Other.Public())
	dvm.stored(a, b)
	l := s.login(t, s.Member, s.Other)
	got, closed := l.query(byID(a, b))
	if closed != "" || len(got) != 2 {
		t.Errorf("%d events %q, want the mail of both keys", len(got), closed)
	}
	l = s.login(t, RandomKey(), s.Member)
	if got, closed = l.query(byID(a, b)); closed != "" || len(got) != 1 || got[0].ID != a.ID {
		t.Errorf("%d events %q, want the member's only", len(got), closed)
	}
}

// authForwardedHost: the relay's own origin comes from its configuration,
// never from what a request says about itself.
func (s *suite) authForwardedHost(t *testing.T) {
	const other = "relay.example.org"
	h := http.Header{"X-Forwarded-Host": {other}, "X-Forwarded-Proto": {"https"}, "Forwarded": {"host=" + other + ";proto=https"}}
	l := s.open(t, h)
	l.waitChallenge()
	ok, _ := l.auth(s.Member, func(e *event.Event) { e.Tags[0][1] = "wss://" + other })
	if ok {
		t.Error("an AUTH for another host was accepted")
	}
	u, err := url.Parse(s.Origin)
	if err != nil {
		t.Fatal(err)
	}
	if ok, text := l.auth(s.Member, func(e *event.Event) { e.Tags[0][1] = u.Scheme + "://" + u.Host + "/" }); !ok {
		t.Errorf("an AUTH for the relay's own origin was refused: %s", text)
	}
}

// authLimits: before AUTH everything is refused with the word for it, and a
// stranger's key opens nothing.
func (s *suite) authLimits(t *testing.T) {
	l := s.open(t, nil)
	l.refused("EVENT before AUTH", Letter(s.Member.Public()), "auth-required")
	if _, closed := l.query(mail(s.Member)); !strings.HasPrefix(closed, "auth-required:") {
		t.Errorf("REQ before AUTH: CLOSED %q", closed)
	}
	l = s.login(t, RandomKey())
	if _, closed := l.query(mail(s.Member)); !strings.HasPrefix(closed, "restricted:") {
		t.Errorf("REQ of a stranger: CLOSED %q", closed)
	}
	l.refused("Letter of a stranger", Letter(s.Member.Public()), "restricted")
	l.refused("Letter of a stranger to the DVM", Letter(s.DVM.Public()), "restricted")
}
