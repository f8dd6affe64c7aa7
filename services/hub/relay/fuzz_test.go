package relay_test

import (
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pow.do/services/hub/relay"
	"pow.do/services/wire/event"
)

// alarm fails a test when the relay reports a panic.
type alarm struct{ t testing.TB }

func (a alarm) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "panicked") {
		a.t.Errorf("%s", b)
	}
	return len(b), nil
}

// FuzzConversation says any lines to a relay as a member. It must answer or
// close, show no foreign letter (see next), and never panic.
func FuzzConversation(f *testing.F) {
	w := newWorld(f, func(c *relay.Config) { c.Log = slog.New(slog.NewTextHandler(alarm{f}, nil)) })
	w.put(w.letter(alice), w.letter(bob))
	letter := string(event.Marshal(w.letter(dvm)))
	first := hex.EncodeToString(setOf().First())
	for _, s := range []string{
		`["REQ","a",{}]` + "\n" + `["CLOSE","a"]`, `["REQ","a",{"kinds":[1059],"limit":0},{"ids":[]}]`, `["EVENT",` + letter + `]`,
		`["EVENT",` + strings.Replace(letter, "1059", "5", 1) + `]`, `["COUNT","a",{"#p":["` + bob.String() + `"]}]`,
		`["NEG-OPEN","a",{},"` + first + `"]` + "\n" + `["NEG-MSG","a","` + first + `"]` + "\n" + `["NEG-CLOSE","a"]`,
		`["NEG-OPEN","a",{"since":1},"61ff"]`, `["AUTH",` + letter + `]`, "[[[[\n{\n\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		w.t = t
		w.setNow(w.now().Add(time.Minute)) // under the rates
		c := w.dial(alice)
		defer c.ws.CloseNow()
		for n, line := range strings.Split(lines, "\n") {
			if n == 20 {
				break
			}
			c.raw(line)
		}
		c.send("COUNT", "the end", filter{"kinds": []int{1}})
		for {
			verb, args, err := c.next()
			if err != nil || (verb == "COUNT" || verb == "CLOSED") && text(args[0]) == "the end" {
				return
			}
		}
	})
}
