package relay_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/hub/relay"
	"pow.do/services/wire/event"
)

// rows are the bad inputs that strangers can send to a relay, each with the test
// that says what becomes of it.
var rows = []struct {
	id, input string
	test      func(*testing.T)
}{
	{"RS-1", "cut frames", rowCut},
	{"RS-2", "a million brackets", rowBrackets},
	{"RS-3", "frames that are large, binary, tiny, masses of pings, unmasked, reserved, compressed", rowSocket},
	{"RS-4", "filters and names of subscriptions", rowFilters},
	{"RS-5", "20,000 subscriptions", rowSubscriptions},
	{"RS-6", "requests before AUTH", rowBeforeAuth},
	{"RS-7", "AUTH", rowAuth},
	{"RS-8", "requests for the letters of others", rowForeignLetters},
	{"RS-9", "letters to mailboxes that are not the sender's", rowMailboxes},
	{"RS-10", "deletion of another's letters", rowForeignDeletion},
	{"RS-11", "kind 21059", rowEphemeral},
	{"RS-12", "the same again; deleted, then again", rowDeletion},
	{"RS-13", "CLOSE of an unknown name; a name that is in use", rowNames},
	{"RS-14", "verbs", rowVerbs},
	{"RS-15", "a reader that reads nothing", rowSlowReader},
	{"RS-16", "HTTP", rowHTTP},
	{"RS-17", "a foreign origin", rowOrigin},
	{"RS-18", "kinds", rowKinds},
	{"RS-19", "joining", rowJoin},
}

func TestRows(t *testing.T) {
	for _, r := range rows {
		t.Run(r.id, r.test)
	}
}

// TestRowsAreComplete: no row may go missing.
func TestRowsAreComplete(t *testing.T) {
	const want = "RS-1 RS-2 RS-3 RS-4 RS-5 RS-6 RS-7 RS-8 RS-9 RS-10 RS-11 RS-12 RS-13 RS-14 RS-15 RS-16 RS-17 RS-18 RS-19"
	var got []string
	for _, r := range rows {
		got = append(got, r.id)
		if r.test == nil || r.input == "" {
			t.Errorf("%s says nothing", r.id)
		}
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("rows %s, want %s", s, want)
	}
}

func rowCut(t *testing.T) {
	w := newWorld(t)
	letter, _ := json.Marshal([]any{"EVENT", json.RawMessage(event.Marshal(w.letter(dvm)))})
	var cut []string
	for _, whole := range []string{`["EVENT","x"]`, `["REQ","a",{"kinds":[1059],"limit":1}]`, `["CLOSE","a"]`} {
		for n := range whole {
			cut = append(cut, whole[:n])
		}
	}
	for n := 1; n < len(letter); n += 19 {
		cut = append(cut, string(letter[:n]))
	}
	for len(cut) >= 3 {
		c := w.dial(alice)
		for _, s := range cut[:3] {
			c.raw(s)
		}
		code, notice := c.closed()
		wantPrefix(t, fmt.Sprintf("notice to %.40q", cut[0]), notice, "invalid:")
		if code != websocket.StatusPolicyViolation {
			t.Fatalf("%.40q: closed with %d", cut[0], code)
		}
		cut = cut[3:]
		w.setNow(w.now().Add(1e9))
	}
}

func rowBrackets(t *testing.T) {
	w := newWorld(t)
	c := w.dial(alice)
	c.raw(strings.Repeat("[", 1_000_000))
	if code, _ := c.closed(); code != websocket.StatusMessageTooBig && code != -1 {
		t.Errorf("closed with %d", code)
	}
	c = w.dial(alice)
	c.raw(strings.Repeat("[", 131_000))
	if verb, _ := c.read(); verb != "NOTICE" {
		t.Errorf("answer %s", verb)
	}
}

func rowSocket(t *testing.T) {
	w := newWorld(t)
	t.Run("2 MiB", func(t *testing.T) {
		c := w.dial(alice)
		c.raw(`["REQ","` + strings.Repeat("x", 2<<20) + `"]`)
		if code, _ := c.closed(); code != websocket.StatusMessageTooBig && code != -1 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("binary", func(t *testing.T) {
		c := w.dial(alice)
		c.ws.Write(t.Context(), websocket.MessageBinary, []byte(`["CLOSE","x"]`))
		if code, _ := c.closed(); code != websocket.StatusUnsupportedData {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("fragments of one byte", func(t *testing.T) {
		c, _ := w.dialRaw(t)
		frames := frameBytes(opText, []byte("["))
		for range 1000 {
			frames = append(frames, frameBytes(opMore, []byte("["))...)
		}
		c.c.Write(frames)
		if code := c.ended(); code != int(websocket.StatusPolicyViolation) {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("fragments are read", func(t *testing.T) {
		c, _ := w.dialRaw(t)
		c.frame(opText, []byte(`["CLO`))
		c.frame(opMore, nil)
		c.frame(final|opMore, []byte(`SE"]`))
		c.frame(final|8, []byte{3, 232})
		if code := c.ended(); code != int(websocket.StatusNormalClosure) {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("a frame in the packet of the handshake is read", func(t *testing.T) {
		for _, n := range []int{1, 60} { // 60: more than the buffer
			c, err := net.Dial("tcp", w.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			early := bytes.Repeat(frameBytes(final|opPing, []byte("hello hello hello hello")), n)
			c.Write(slices.Concat([]byte(handshake+"\r\n"), early, frameBytes(final|8, []byte{3, 232})))
			r := &rawConn{t, c, bufio.NewReader(c)}
			if resp, err := http.ReadResponse(r.br, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatal(err)
			}
			if code := r.ended(); code != int(websocket.StatusNormalClosure) {
				t.Errorf("%d frames: closed with %d", n, code)
			}
		}
	})
	t.Run("masses of pings", func(t *testing.T) {
		c, _ := w.dialRaw(t)
		c.c.Write(bytes.Repeat(frameBytes(final|opPing, []byte("x")), 1000))
		if code := c.ended(); code != int(websocket.StatusPolicyViolation) && code != 0 {
			t.Errorf("closed with %d", code)
		}
		if n := w.relay.Stats().Refused.All()["control"]; n == 0 {
			t.Error("it was not counted")
		}
	})
	for name, first := range map[string][]byte{
		"unmasked":          {final | opText, 2, '[', ']'},
		"reserved bits":     append([]byte{final | 0x40 | opText, 0x82, 0, 0, 0, 0}, "[]"...),
		"a reserved opcode": append([]byte{final | 3, 0x82, 0, 0, 0, 0}, "[]"...),
		"a long ping":       append([]byte{final | opPing, 0xfe, 0, 200}, make([]byte, 204)...),
		"a deflate bomb":    append([]byte{final | 0x40 | opText, 0x80 | 8, 0, 0, 0, 0}, "\x4b\x4c\x24\x0e\x00\x00\x00\xff"...),
		"more of nothing":   append([]byte{final | opMore, 0x82, 0, 0, 0, 0}, "[]"...),
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := w.dialRaw(t)
			c.c.Write(first)
			c.ended()
		})
	}
	t.Run("permessage-deflate", func(t *testing.T) {
		_, resp := w.dialRaw(t, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
		if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-WebSocket-Extensions") != "" {
			t.Errorf("%s, extensions %q", resp.Status, resp.Header.Get("Sec-WebSocket-Extensions"))
		}
	})
}

// rowForeignLetters: whatever is asked, only own letters are seen.
func rowForeignLetters(t *testing.T) {
	w := newWorld(t)
	mine, bobs := w.letter(alice), w.letter(bob)
	w.put(mine, bobs)
	for name, f := range map[string]filter{
		"ids": {"ids": []string{bobs.ID}}, "ids of both": {"ids": []string{mine.ID, bobs.ID}}, "author": {"authors": []string{bobs.PubKey}},
		"no kinds": {}, "kind": {"kinds": []int{1059}}, "limit 0": {"limit": 0}, "#p of another": {"#p": []string{bob.String()}},
		"#p of both": {"#p": []string{bob.String(), alice.String()}}, "time": {"since": bobs.CreatedAt, "until": bobs.CreatedAt},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.dial(alice)
			defer c.ws.CloseNow()
			want := modelCount(f, mine)
			ids, closed := c.req("a", f)
			if f["limit"] == nil && len(ids) != want || closed != "" || slices.Contains(ids, bobs.ID) {
				t.Errorf("REQ: %v %s", ids, closed)
			}
			if n, closed := c.count(f); n != want || closed != "" {
				t.Errorf("COUNT: %d %s, want %d", n, closed, want)
			}
			delete(f, "limit")
			if need, refused := c.neg("n", f, setOf()); len(need) != want || refused != "" || need[bobs.ID] {
				t.Errorf("NEG-OPEN: %v %s", need, refused)
			}
			_, closed = c.req("b", filter{"search": "x"})
			wantPrefix(t, "search", closed, "unsupported:")
		})
	}
}

// modelCount tells how many of alice's letters a filter of this row matches: one or none.
func modelCount(f filter, mine *event.Event) int {
	for name, value := range map[string]string{"ids": mine.ID, "authors": mine.PubKey, "#p": alice.String()} {
		if list, ok := f[name].([]string); ok && !slices.Contains(list, value) {
			return 0
		}
	}
	return 1
}

func rowForeignDeletion(t *testing.T) {
	w := newWorld(t)
	bobs := w.letter(bob)
	w.put(bobs)
	for _, k := range []key{alice, dvm, other} {
		// An answer must not tell what exists, so it is the one to a letter that is not there.
		w.accepted("deletion", w.deletion(k, 0, event.Tag{"e", bobs.ID}), "", k)
	}
	w.refused("by a stranger", w.deletion(nobody, 0, event.Tag{"e", bobs.ID}), "restricted:", nobody)
	w.refused("in bob's name", w.deletion(bob, 0, event.Tag{"e", bobs.ID}), "restricted:", alice)
	if ids, _ := w.dial(bob).req("a", filter{}); len(ids) != 1 {
		t.Error("it is gone")
	}
}

func rowEphemeral(t *testing.T) {
	w := newWorld(t)
	live := w.dial(alice)
	live.req("a", filter{})
	for _, kind := range []int{21059, 20000, 29999} {
		w.refused("an ephemeral wrap", w.letter(alice, func(e *event.Event) { e.Kind = kind }), "blocked:", dvm)
	}
	last := w.letter(alice)
	w.put(last)
	if ids := live.live("a", last.ID); len(ids) != 1 {
		t.Errorf("it was delivered: %v", ids)
	}
}

func rowNames(t *testing.T) {
	w := newWorld(t)
	mine, bobs := w.letter(alice), w.letter(bob)
	w.put(mine, bobs)
	c := w.dial(alice, bob)
	c.send("CLOSE", "nothing")
	if ids, closed := c.req("a", filter{"#p": []string{alice.String()}}); len(ids) != 1 || closed != "" {
		t.Errorf("%v %s", ids, closed)
	}
	if ids, closed := c.req("a", filter{"#p": []string{bob.String()}}); len(ids) != 1 || ids[0] != bobs.ID || closed != "" {
		t.Errorf("replaced: %v %s", ids, closed)
	}
	first, last := w.letter(alice), w.letter(bob)
	w.put(first, last)
	if ids := c.live("a", last.ID); len(ids) != 1 {
		t.Errorf("the replaced subscription went on: %v", ids)
	}
}

func rowVerbs(t *testing.T) {
	w := newWorld(t)
	for _, m := range []string{`["HELLO"]`, `[1]`, `null`, `{}`, `[]`, `["EVENT"]`, `["EVENT",{},{}]`, `["EVENT",]`, `["EVENT",{}]]`, `["EVENT",[]]`, `["EVENT",{} {}]`, `["REQ"]`, "[\"\xff\"]", `["CLOSE",1]`,
		`["AUTH",[]]`, `["AUTH"]`, `["COUNT"]`, `[{}]`, `[null,"a"]`, `["req","a",{}]`, `["NEG-OPEN","a",{}]`, `["NEG-MSG","a"]`, `["NEG-CLOSE"]`, `["OK","a",true,""]`, `""`, `7`} {
		c := w.dial(alice)
		c.raw(m)
		if verb, args := c.read(); verb != "NOTICE" {
			t.Errorf("%s: %s %s", m, verb, args)
		}
		c.ws.CloseNow()
		w.setNow(w.now().Add(1e9))
	}
}

func rowHTTP(t *testing.T) {
	w := newWorld(t, func(c *relay.Config) { c.PerIP = 2 })
	do := func(method, host, body string, headers ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(method, w.server.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if req.Host = host; host == "" {
			req.Host = req.URL.Host
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := w.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	for name, row := range map[string]struct {
		resp *http.Response
		want int
	}{
		"GET":                {do("GET", "", ""), http.StatusUpgradeRequired},
		"GET for a document": {do("GET", "", "", "Accept", "application/nostr+json"), http.StatusOK},
		"POST":               {do("POST", "", strings.Repeat("x", 1<<20)), http.StatusUpgradeRequired},
		"PUT":                {do("PUT", "", "x"), http.StatusUpgradeRequired},
		"own name":           {do("GET", "hub.example.com", "", "Accept", "application/nostr+json"), http.StatusOK},
		"own name and port":  {do("GET", "Hub.example.com:8443", "", "Accept", "application/nostr+json"), http.StatusOK},
		"another name":       {do("GET", "evil.example", "", "Accept", "application/nostr+json"), http.StatusMisdirectedRequest},
		"a name below it":    {do("GET", "x.hub.example.com", ""), http.StatusMisdirectedRequest},
		"another that says it is ours": {do("GET", "evil.example", "", "X-Forwarded-Host", "hub.example.com"),
			http.StatusMisdirectedRequest},
		"half a handshake": {do("GET", "", "", "Upgrade", "websocket"), http.StatusUpgradeRequired},
	} {
		if row.resp.StatusCode != row.want {
			t.Errorf("%s: %s, want %d", name, row.resp.Status, row.want)
		}
	}
	t.Run("X-Forwarded-For is not believed", func(t *testing.T) {
		remote := "192.0.2.1:1"
		w.server.Config.Handler = as(&remote, w.relay)
		for i := range 3 {
			ws, resp, err := websocket.Dial(t.Context(), w.url, &websocket.DialOptions{HTTPHeader: http.Header{
				"X-Forwarded-For": {fmt.Sprint("198.51.100.", i)}, "X-Real-Ip": {fmt.Sprint("198.51.100.", i)}, "Forwarded": {"for=198.51.100.7"}}})
			if i < 2 && err != nil || i == 2 && (err == nil || resp.StatusCode != http.StatusTooManyRequests) {
				t.Errorf("connection %d: %v", i, err)
			}
			if err == nil {
				defer ws.CloseNow()
			}
		}
	})
}

func rowOrigin(t *testing.T) {
	w := newWorld(t)
	for origin, want := range map[string]int{"https://evil.example": http.StatusForbidden, "null": http.StatusForbidden,
		"http://hub.example.com": http.StatusForbidden, "https://hub.example.com.evil.example": http.StatusForbidden,
		"https://hub.example.com": http.StatusSwitchingProtocols, "": http.StatusSwitchingProtocols} {
		ws, resp, err := websocket.Dial(t.Context(), w.url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if err == nil {
			ws.CloseNow()
		}
		if resp.StatusCode != want {
			t.Errorf("%q: %s", origin, resp.Status)
		}
	}
}

// heap returns the bytes in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func rowSubscriptions(t *testing.T) {
	w := newWorld(t)
	c := w.dial(alice)
	w.dial(alice).req("warm", filter{}) // what is made once
	before := heap()
	opened, refused := 0, 0
	var verb string
	var args []json.RawMessage
	var err error
	for i := 0; i < 20_000 && err == nil; i++ {
		c.send("REQ", fmt.Sprint("sub ", i), filter{"limit": 0})
		switch verb, args, err = c.next(); {
		case err != nil:
		case verb == "EOSE":
			opened++
		case verb == "CLOSED":
			if refused++; refused == 99 {
				if grown := heap() - before; grown > 1<<20 {
					t.Errorf("the heap grew by %d bytes", grown)
				}
			}
			wantPrefix(t, "CLOSED", text(args[1]), "rate-limited:")
		}
	}
	if opened != 20 || refused != 100 || websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("%d opened, %d refused, %v; want 20, 100 and the end", opened, refused, err)
	}
}
