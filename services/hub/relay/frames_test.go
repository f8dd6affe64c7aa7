package relay_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pow.do/services/hub/relay"
)

func TestHTTP(t *testing.T) {
	w := newWorld(t)
	get := func(headers ...string) *http.Response {
		req, err := http.NewRequest(http.MethodGet, w.server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := w.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	t.Run("NIP-11", func(t *testing.T) {
		resp := get("Accept", "application/nostr+json")
		var doc struct {
			NIPs       []int `json:"supported_nips"`
			Limitation struct {
				Auth  bool `json:"auth_required"`
				Lower int  `json:"created_at_lower_limit"`
			}
		}
		if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(doc.NIPs, []int{1, 9, 11, 40, 42, 43, 45, 59, 62, 70, 77}) || !doc.Limitation.Auth || doc.Limitation.Lower != 604_800 {
			t.Errorf("%+v", doc)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Content-Type") != "application/nostr+json" {
			t.Errorf("headers %v", resp.Header)
		}
	})
}

func TestOrigin(t *testing.T) {
	for in, want := range map[string]string{
		"wss://hub.example.com": "wss://hub.example.com", "wss://hub.example.com/": "wss://hub.example.com",
		"WSS://Hub.Example.Com:443": "wss://hub.example.com", "ws://h:80/": "ws://h", "ws://h:8080": "ws://h:8080",
		"ws://[::1]:7447": "ws://[::1]:7447", "wss://h/x": "", "wss://h?": "", "wss://u@h": "", "https://h": "", "h": "", "": "",
		"wss://h#": "", "wss://h:": "", "wss://h//": "",
	} {
		if got := relay.Origin(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestPeer(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:1": "", "[::1]:1": "", "192.0.2.7:1": "192.0.2.7", "[::ffff:192.0.2.7]:1": "192.0.2.7",
		"[2001:db8::1]:1": "2001:db8::/64", "[2001:db8::ffff]:9": "2001:db8::/64", "pipe": "",
	} {
		if got := relay.Peer(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func rowFilters(t *testing.T) {
	w := newWorld(t)
	w.put(w.letter(alice))
	c := w.dial(alice)
	hex64 := strings.Repeat("ab", 32)
	many := func(s string, n int) []string { return slices.Repeat([]string{s}, n) }
	for _, row := range []struct {
		name    string
		filters []any
		want    string
	}{
		{"none", nil, "invalid:"},
		{"eleven", slices.Repeat([]any{filter{"limit": 0}}, 11), "invalid:"},
		{"not an object", []any{1}, "invalid:"},
		{"duplicate member", []any{json.RawMessage(`{"limit":1,"limit":2}`)}, "invalid:"},
		{"member in two cases", []any{json.RawMessage(`{"kinds":[1],"Kinds":[1059]}`)}, "invalid:"},
		{"limit -1", []any{filter{"limit": -1}}, "invalid:"},
		{"limit 1.5", []any{filter{"limit": 1.5}}, "invalid:"},
		{"limit 1e9", []any{filter{"limit": 1_000_000_000}}, ""},
		{"since after until", []any{filter{"since": 2, "until": 1}}, "invalid:"},
		{"501 ids", []any{filter{"ids": many(hex64, 501)}}, "invalid:"},
		{"500 ids", []any{filter{"ids": many(hex64, 500)}}, ""},
		{"101 authors", []any{filter{"authors": many(hex64, 101)}}, "invalid:"},
		{"21 kinds", []any{filter{"kinds": slices.Repeat([]int{1}, 21)}}, "invalid:"},
		{"kind 65536", []any{filter{"kinds": []int{65_536}}}, "invalid:"},
		{"101 filters", slices.Repeat([]any{filter{"limit": 0}}, 101), "invalid:"},
		{"1900 ids", []any{filter{"ids": many(hex64, 1900)}}, "invalid:"},
		{"an empty tag name", []any{filter{"#": many("x", 1)}}, "invalid:"},
		{"a tag name that is no letter", []any{filter{"#1": many("x", 1)}}, "invalid:"},
		{"101 values", []any{filter{"#t": many("x", 101)}}, "invalid:"},
		{"four tags", []any{filter{"#a": many("x", 1), "#b": many("x", 1), "#c": many("x", 1), "#d": many("x", 1)}}, "invalid:"},
		{"long tag name", []any{filter{"#name": many("x", 1)}}, "invalid:"},
		{"short id", []any{filter{"ids": many("ab", 1)}}, "invalid:"},
		{"upper-case author", []any{filter{"authors": many(strings.ToUpper(hex64), 1)}}, "invalid:"},
		{"null in a list", []any{json.RawMessage(`{"ids":[null]}`)}, "invalid:"},
		{"short #p", []any{filter{"#p": many("ab", 1)}}, "invalid:"},
		{"search", []any{filter{"search": "x"}}, "unsupported:"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, closed := c.req("a", row.filters...); !strings.HasPrefix(closed, row.want) || row.want == "" && closed != "" {
				t.Errorf("CLOSED %q, want %q", closed, row.want)
			}
		})
	}
	for name, id := range map[string]string{"empty": "", "65": strings.Repeat("x", 65), "control": "a\x01", "half a pair": "\ufffd"} {
		t.Run("sub id "+name, func(t *testing.T) {
			c := w.dial(alice)
			c.send("REQ", id, filter{})
			if verb, _ := c.read(); verb != "NOTICE" {
				t.Errorf("answer %s", verb)
			}
		})
	}
	if _, closed := c.req(strings.Repeat("é", 64), filter{}); closed != "" {
		t.Errorf("64 characters: %s", closed)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`["EVENT","x`, `["REQ","a",{"ids":[]}]`, `["REQ","a",{"#p":["` + strings.Repeat("0", 64) + `"],"limit":0}]`,
		`[[[[`, `["CLOSE",null]`, `["REQ","\ud800",{}]`, `["REQ"," ",{"since":1,"until":0}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) { _ = relay.Parse(b) })
}

// A claimed id says nothing before it was recomputed.
func TestForgedID(t *testing.T) {
	w := newWorld(t)
	c, d := w.dial(alice), w.dial(dvm)
	genuine := w.letter(alice)
	forged := *w.letter(alice)
	forged.ID = genuine.ID
	ok, why := d.publish(&forged)
	if ok {
		t.Error("a valid signature with a foreign id was accepted")
	}
	wantPrefix(t, "forged", why, "invalid:")
	broken := *genuine
	broken.Sig = forged.Sig
	if ok, _ := d.publish(&broken); ok {
		t.Error("a foreign signature was accepted")
	}
	if ok, why := d.publish(genuine); !ok || why != "" {
		t.Errorf("the genuine one: %v %q", ok, why)
	}
	if ids, _ := c.req("a", filter{"ids": []string{genuine.ID}}); len(ids) != 1 {
		t.Errorf("found %v", ids)
	}
}
