package relay_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/hub/relay"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

var anna = newKey("anna") // an admin

// managed is a world that anna manages.
func managed(t testing.TB, change ...func(*relay.Config)) *world {
	return newWorld(t, append([]func(*relay.Config){func(c *relay.Config) {
		c.Management = c.Members.(relay.Management)
		c.Admins = map[pow.Key]string{anna.Key: "anna"}
	}}, change...)...)
}

// token signs a request (NIP-98).
func (w *world) token(k key, body string, change ...func(*event.Event)) string {
	sum := sha256.Sum256([]byte(body))
	e := &event.Event{Kind: 27235, CreatedAt: w.at(0), Tags: event.Tags{
		{"u", "https://hub.example.com/"}, {"method", "POST"}, {"payload", hex.EncodeToString(sum[:])}}}
	for _, f := range change {
		f(e)
	}
	return "Nostr " + base64.StdEncoding.EncodeToString(event.Marshal(sign(k, e)))
}

// post sends a body with an Authorization header and returns status and answer.
func (w *world) post(auth, body string, more ...string) (status int, answer string) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, w.server.URL, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/nostr+json+rpc")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	for _, v := range more {
		req.Header.Add("Authorization", v)
	}
	resp, err := w.server.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// call calls a method as k and returns the result as JSON, or the error.
func (w *world) call(k key, method string, params ...string) (result, failed string) {
	w.t.Helper()
	q, _ := json.Marshal(map[string]any{"method": method, "params": params})
	status, answer := w.post(w.token(k, string(q)), string(q))
	var a struct {
		Result json.RawMessage
		Error  string
	}
	if status != http.StatusOK || json.Unmarshal([]byte(answer), &a) != nil {
		w.t.Fatalf("%s: %d %s", method, status, answer)
	}
	return string(a.Result), a.Error
}

func (w *world) wantCall(k key, want, method string, params ...string) {
	w.t.Helper()
	result, failed := w.call(k, method, params...)
	if got := result + failed; got != want && !(failed != "" && strings.HasPrefix(failed, want)) {
		w.t.Errorf("%s %v: %s %s, want %s", method, params, result, failed, want)
	}
}

func TestManageTokens(t *testing.T) {
	w := managed(t)
	const body = `{"method":"supportedmethods","params":[]}`
	tag := func(name, value string) func(*event.Event) {
		return func(e *event.Event) {
			for _, tag := range e.Tags {
				if tag[0] == name {
					tag[1] = value
				}
			}
		}
	}
	drop := func(name string) func(*event.Event) {
		return func(e *event.Event) {
			e.Tags = slices.DeleteFunc(e.Tags, func(t event.Tag) bool { return t[0] == name })
		}
	}
	at := func(s int64) func(*event.Event) { return func(e *event.Event) { e.CreatedAt = w.at(s) } }
	for name, row := range map[string]struct {
		auth string
		want int
	}{
		"right":               {w.token(anna, body), 200},
		"by a DVM":            {w.token(dvm, body), 200},
		"60 s old":            {w.token(anna, body, at(-60)), 200},
		"wss without a slash": {w.token(anna, body, tag("u", origin)), 200},
		"URL alphabet":        {strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(w.token(anna, body)), 200},
		"none":                {"", 401},
		"by a member":         {w.token(alice, body), 401},
		"by a stranger":       {w.token(nobody, body), 401},
		"61 s old":            {w.token(anna, body, at(-61)), 401},
		"61 s ahead":          {w.token(anna, body, at(61)), 401},
		"other host":          {w.token(anna, body, tag("u", "https://other.example.com/")), 401},
		"a path":              {w.token(anna, body, tag("u", "https://hub.example.com/x")), 401},
		"http":                {w.token(anna, body, tag("u", "http://hub.example.com/")), 401},
		"GET":                 {w.token(anna, body, tag("method", "GET")), 401},
		"other body":          {w.token(anna, body+" "), 401},
		"no payload":          {w.token(anna, body, drop("payload")), 401},
		"no u":                {w.token(anna, body, drop("u")), 401},
		"no method":           {w.token(anna, body, drop("method")), 401},
		"two payloads":        {w.token(anna, body, func(e *event.Event) { e.Tags = append(e.Tags, e.Tags[2]) }), 401},
		"kind 1":              {w.token(anna, body, func(e *event.Event) { e.Kind = 1 }), 401},
		"Bearer":              {"Bearer x", 401},
		"no token":            {"Nostr ", 401},
		"line break":          {strings.Replace(w.token(anna, body), "Nostr ey", "Nostr \tey", 1), 401},
		"too long":            {"Nostr " + strings.Repeat("A", 9000), 401},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := w.post(row.auth, body); status != row.want {
				t.Errorf("%d %s, want %d", status, answer, row.want)
			}
		})
	}
	if status, _ := w.post(w.token(anna, body), body, w.token(anna, body)); status != 401 {
		t.Errorf("two tokens: %d", status)
	}
	forged := &event.Event{Kind: 27235, CreatedAt: w.at(0), Tags: event.Tags{{"u", origin}, {"method", "POST"}, {"payload", strings.Repeat("0", 64)}}}
	sign(nobody, forged)
	forged.PubKey = anna.String()
	if status, _ := w.post("Nostr "+base64.StdEncoding.EncodeToString(event.Marshal(forged)), body); status != 401 {
		t.Errorf("forged: %d", status)
	}
	if deeds, err := w.store.Audit(context.Background(), 100); err != nil || len(deeds) != 5 {
		t.Errorf("%d deeds are recorded, %v; want the five that were let in", len(deeds), err)
	}
}

func TestManageBodies(t *testing.T) {
	w := managed(t)
	for body, want := range map[string]string{
		`{"method":"supportedmethods"}`:                    `{"result":["supportedmethods"`,
		`{"method":"supportedmethods","params":[],"id":7}`: `{"result":["supportedmethods"`,
		`{"method":"nothing","params":[]}`:                 `{"result":null,"error":"unsupported:`,
		`{"params":[]}`:                                    `{"result":null,"error":"unsupported:`,
		`{}`:                                               `{"result":null,"error":"unsupported:`,
		``:                                                 `{"result":null,"error":"invalid:`,
		`null`:                                             `{"result":null,"error":"invalid:`,
		`[]`:                                               `{"result":null,"error":"invalid:`,
		`"x"`:                                              `{"result":null,"error":"invalid:`,
		strings.Repeat("[", 60_000):                        `{"result":null,"error":"invalid:`,
		`{"method":"banpubkey"}`:                           `{"result":null,"error":"invalid:`,
		`{"method":"banpubkey","params":["ab"]}`:           `{"result":null,"error":"invalid:`,
		`{"method":"banpubkey","params":[7]}`:              `{"result":null,"error":"invalid:`,
		`{"method":"allowpubkey","params":["` + strings.ToUpper(nobody.String()) + `"]}`: `{"result":null,"error":"invalid:`,
		`{"method":"a","method":"supportedmethods"}`:                                     `{"result":null,"error":"invalid:`,
	} {
		if status, answer := w.post(w.token(anna, body), body); status != http.StatusOK || !strings.HasPrefix(answer, want) {
			t.Errorf("%.60s: %d %s, want %s", body, status, answer, want)
		}
	}
	big := strings.Repeat(" ", 65_537)
	if status, _ := w.post(w.token(anna, big), big); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", status)
	}
	if status, _ := w.post("", big); status != http.StatusUnauthorized {
		t.Errorf("a large body of a stranger: %d", status)
	}
}

func TestManageDevices(t *testing.T) {
	w := managed(t)
	dora := newKey("dora")
	list := func(k key) string { result, _ := w.call(k, "listallowedpubkeys"); return result }
	row := func(k key, how string) string { return fmt.Sprintf(`{"pubkey":"%s","reason":"%s"}`, k, how) }
	t.Run("an admin has to name the DVM where there are two", func(t *testing.T) {
		w.wantCall(anna, "invalid:", "allowpubkey", dora.String())
		w.wantCall(anna, "invalid:", "allowpubkey", dora.String(), "", nobody.String())
		w.wantCall(anna, "true", "allowpubkey", dora.String(), "", other.String())
		if got := list(other); !strings.Contains(got, row(dora, "hand")) || strings.Contains(got, alice.String()) {
			t.Errorf("%s", got)
		}
		w.wantCall(anna, "true", "allowpubkey", dora.String(), "moved", dvm.String())
		if got := list(other); strings.Contains(got, dora.String()) {
			t.Errorf("%s", got)
		}
	})
	t.Run("a DVM manages its own", func(t *testing.T) {
		w.wantCall(other, "restricted:", "allowpubkey", alice.String())
		w.wantCall(other, "restricted:", "unallowpubkey", alice.String())
		w.wantCall(other, "restricted:", "unallowpubkey", nobody.String())
		w.wantCall(other, "unsupported:", "banpubkey", carol.String())
		w.wantCall(other, "unsupported:", "listbannedpubkeys")
		w.wantCall(other, `["supportedmethods","allowpubkey","unallowpubkey","listallowedpubkeys"]`, "supportedmethods")
		w.wantCall(other, "true", "allowpubkey", carol.String())
		w.wantCall(dvm, "invalid:", "allowpubkey", other.String())
		w.wantCall(dvm, "true", "unallowpubkey", dora.String())
		w.wantCall(dvm, "restricted:", "unallowpubkey", dvm.String())
		if got := list(other); got != "["+row(carol, "hand")+"]" {
			t.Errorf("%s", got)
		}
		if got := list(anna); strings.Count(got, "pubkey") != 3 {
			t.Errorf("an admin sees %s", got)
		}
	})
	t.Run("removal ends connections at once", func(t *testing.T) {
		c := w.dial(alice)
		c.req("a", filter{})
		w.put(w.letter(alice))
		w.wantCall(dvm, "true", "unallowpubkey", alice.String())
		if code, _ := c.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("closed with %d", code)
		}
		w.wantCall(anna, "invalid:", "unallowpubkey", alice.String())
		w.refused("a letter of it", w.letter(dvm), "restricted:", alice)
	})
}

func TestBan(t *testing.T) {
	w := managed(t, func(c *relay.Config) { c.Claims = claims{"good": time.Now().Add(time.Hour)} })
	member, stranger, both := w.dial(bob), w.dial(nobody), w.dial(carol, nobody)
	both.req("a", filter{"limit": 0})
	w.wantCall(anna, "true", "banpubkey", bob.String(), "lost\x1b laptop")
	w.wantCall(anna, "true", "banpubkey", nobody.String())
	for _, c := range []*client{member, stranger} {
		if code, _ := c.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("closed with %d", code)
		}
	}
	last := w.letter(carol)
	w.put(last)
	if ids := both.live("a", last.ID); len(ids) != 1 {
		t.Errorf("the other key of a connection got %v", ids)
	}
	for _, k := range []key{bob, nobody} {
		_, why := w.dial().auth(k)
		wantPrefix(t, "AUTH", why, "blocked:")
	}
	w.refused("join of a banned key", join(w, nobody, "good"), "auth-required:", carol)
	w.wantCall(anna, "blocked:", "allowpubkey", bob.String(), "", dvm.String())
	w.wantCall(anna, "invalid:", "banpubkey", dvm.String())
	if got, _ := w.call(anna, "listbannedpubkeys"); !strings.Contains(got, `"reason":"lost laptop"`) || !strings.Contains(got, nobody.String()) {
		t.Errorf("%s", got)
	}
	w.wantCall(anna, "true", "unbanpubkey", bob.String())
	if got, _ := w.call(anna, "listbannedpubkeys"); strings.Contains(got, bob.String()) {
		t.Errorf("%s", got)
	}
	w.refused("a letter of one that is no member any more", w.letter(dvm), "restricted:", bob)
	w.wantCall(anna, "true", "allowpubkey", bob.String(), "", dvm.String())
	w.accepted("a letter", w.letter(dvm), "", bob)
	deeds, err := w.store.Audit(context.Background(), 3)
	if err != nil || len(deeds) != 3 || deeds[2].Method != "allowpubkey" || deeds[2].Name != "anna" || deeds[2].By != anna.Key || deeds[2].Target != bob.Key {
		t.Errorf("%+v %v", deeds, err)
	}
}

// TestManageIsOff: without management the relay has no such endpoint.
func TestManageIsOff(t *testing.T) {
	w := newWorld(t)
	if status, _ := w.post(w.token(anna, "{}"), "{}"); status != http.StatusUpgradeRequired {
		t.Errorf("status %d", status)
	}
}

// TestManageRate: even an admin's key does not call without end.
func TestManageRate(t *testing.T) {
	w := managed(t)
	for i := range 121 {
		_, failed := w.call(anna, "supportedmethods")
		if (failed == "") != (i < 120) {
			t.Fatalf("call %d: %q", i, failed)
		}
	}
}

func FuzzManage(f *testing.F) {
	w := managed(f)
	for _, s := range []string{`{"method":"supportedmethods","params":[]}`, `{"method":"banpubkey","params":["` + nobody.String() + `","x"]}`, `[[`, `{"method":"`} {
		f.Add([]byte(s), "Nostr e30=")
	}
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		for _, auth := range []string{w.token(anna, string(body)), header} {
			req, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/nostr+json+rpc")
			req.Header.Set("Authorization", auth)
			w.setNow(w.now().Add(time.Second)) // under the rate
			answer := recorder{header: http.Header{}}
			w.relay.ServeHTTP(&answer, req)
			if want := map[bool]int{true: 200, false: 401}[auth != header]; answer.status != want && answer.status != 413 && answer.status != 0 {
				t.Errorf("status %d", answer.status)
			}
		}
	})
}

// recorder is an http.ResponseWriter that keeps the status; 0 is 200.
type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }
