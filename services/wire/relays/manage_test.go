package relays_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/relays"
)

// office is a relay that is managed: it answers each call with a function.
type office struct {
	t      *testing.T
	info   string
	ahead  time.Duration // of its clock
	answer func(method string) (status int, body string)
	calls  []string
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now().Add(o.ahead)
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if r.Method == http.MethodGet {
		io.WriteString(w, o.info)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Error(err)
	}
	if !o.signed(r, body, now) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	method := strings.Split(string(body), `"`)[3]
	o.calls = append(o.calls, string(body))
	status, answer := o.answer(method)
	w.WriteHeader(status)
	io.WriteString(w, answer)
}

// signed checks a token as NIP-98 says.
func (o *office) signed(r *http.Request, body []byte, now time.Time) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Nostr "))
	if err != nil {
		return false
	}
	e, err := event.Parse(raw)
	if err != nil || event.Verify(e) != nil {
		return false
	}
	sum := sha256.Sum256(body)
	age := now.Unix() - int64(e.CreatedAt)
	return e.Kind == 27235 && event.Author(e) == me.Public() && max(age, -age) <= 60 && r.Header.Get("Content-Type") == "application/nostr+json+rpc" &&
		e.Tags.Find("u")[1] == "http://"+r.Host+"/" && e.Tags.Find("method")[1] == "POST" && e.Tags.Find("payload")[1] == hex.EncodeToString(sum[:])
}

func TestDismiss(t *testing.T) {
	const managed = `{"supported_nips":[1,86]}`
	there := fmt.Sprintf(`{"result":[{"pubkey":"%s","reason":"hand"}]}`, dvm.Public())
	always := func(status int, body string) func(string) (int, string) {
		return func(string) (int, string) { return status, body }
	}
	refused := func(list string) func(string) (int, string) {
		return func(method string) (int, string) {
			if method == "unallowpubkey" {
				return 200, `{"result":null,"error":"no such device\u202e"}`
			}
			return 200, list
		}
	}
	for name, row := range map[string]struct {
		office office
		want   error // nil: none
		calls  int
	}{
		"done":                      {office{info: managed, answer: always(200, `{"result":true}`)}, nil, 1},
		"a clock an hour ahead":     {office{info: managed, answer: always(200, `{"result":true}`), ahead: time.Hour}, nil, 1},
		"a clock an hour behind":    {office{info: managed, answer: always(200, `{"result":true}`), ahead: -time.Hour}, nil, 1},
		"it was not there":          {office{info: managed, answer: refused(`{"result":[]}`)}, nil, 2},
		"it stays there":            {office{info: managed, answer: refused(there)}, errAny, 2},
		"false, and it stays there": {office{info: managed, answer: always(200, there)}, errAny, 2},
		"not managed":               {office{info: `{"supported_nips":[1]}`}, relays.ErrUnmanaged, 0},
		"no document":               {office{info: `<html>`}, errAny, 0},
		"401":                       {office{info: managed, answer: always(401, "")}, pow.ErrNotAdmitted, 1},
		"403":                       {office{info: managed, answer: always(403, "")}, pow.ErrNotAdmitted, 1},
		"503":                       {office{info: managed, answer: always(503, "")}, pow.ErrOffline, 1},
		"a page":                    {office{info: managed, answer: always(200, "<html>")}, pow.ErrOffline, 1},
		"a redirect":                {office{info: managed, answer: always(302, "")}, pow.ErrOffline, 1},
		"an answer without end":     {office{info: managed, answer: always(200, `{"result":true,"x":"`+strings.Repeat("x", 2<<20))}, pow.ErrOffline, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := row.office
			o.t = t
			srv := httptest.NewServer(&o)
			defer srv.Close()
			p := relays.New(relays.Config{Key: me, HTTP: httpClient(), Handle: new(got).handle})
			err := p.Dismiss(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), dvm.Public())
			if row.want == nil && err != nil || row.want != nil && (err == nil || row.want != errAny && !errors.Is(err, row.want)) {
				t.Errorf("%v, want %v", err, row.want)
			}
			if len(o.calls) != row.calls {
				t.Errorf("calls %s, want %d", o.calls, row.calls)
			}
			if err != nil && strings.ContainsRune(err.Error(), '\u202e') {
				t.Errorf("not cleaned: %q", err)
			}
			if want := `{"method":"unallowpubkey","params":["` + dvm.Public().String() + `"]}`; len(o.calls) > 0 && o.calls[0] != want {
				t.Errorf("%s, want %s", o.calls[0], want)
			}
		})
	}
}

var errAny = errors.New("any error")
