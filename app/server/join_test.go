package server_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/invite"
)

// TestRS19 holds the hub with real claims to the row of joining: whatever is
// wrong with a claim, the answer is one, and a good one admits one device.
func TestRS19(t *testing.T) {
	var h *runningHub
	h = startHub(t, filepath.Join(t.TempDir(), "hub"), func(claim string, now time.Time) (pow.Key, string, time.Time, error) {
		c, err := invite.CheckHubClaim(claim, []pow.Key{h.DVM.public}, []string{"ws://" + h.Host}, now)
		return c.DVM, c.ID, c.Expires, err
	})
	claimOf := func(by hubKey, relay string, made, expires time.Duration) string {
		t.Helper()
		now := time.Now()
		c, _, err := invite.NewHubClaim(by, []string{relay}, now.Add(expires), now.Add(made))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	here := "ws://" + h.Host
	join := func(word, claim string) (ok bool, why string) {
		t.Helper()
		device := newHubKey(word)
		c := dialHub(t, h, device)
		defer c.ws.CloseNow()
		e := &event.Event{Kind: 28934, CreatedAt: event.Timestamp(time.Now().Unix()), Tags: event.Tags{{"-"}, {"claim", claim}}}
		if err := device.Sign(e); err != nil {
			t.Fatal(err)
		}
		c.send("EVENT", json.RawMessage(event.Marshal(e)))
		answer := c.read()
		return answer[2] == true, fmt.Sprint(answer[3])
	}
	good, spent := claimOf(h.DVM, here, 0, time.Hour), claimOf(h.DVM, here, 0, time.Hour)
	if ok, why := join("first", spent); !ok || why != "info: welcome" {
		t.Fatal(why)
	}
	for name, claim := range map[string]string{
		"of another DVM":      claimOf(newHubKey("another"), here, 0, time.Hour),
		"for another hub":     claimOf(h.DVM, "wss://hub.example.org", 0, time.Hour),
		"expired":             claimOf(h.DVM, here, -2*time.Hour, -time.Second),
		"from the future":     claimOf(h.DVM, here, time.Hour, 2*time.Hour),
		"spent":               spent,
		"cut":                 good[:len(good)-4],
		"changed":             good[:200] + "A" + good[201:len(good)-1] + "A",
		"padded":              good + "=",
		"too long":            good + strings.Repeat("A", 2_048),
		"empty":               "",
		"not base64":          "!",
		"an event, not coded": `{"kind":25940}`,
	} {
		t.Run(name, func(t *testing.T) {
			if ok, why := join("second "+name, claim); ok || why != "restricted: claim refused" {
				t.Errorf("%v %q", ok, why)
			}
		})
	}
	t.Run("50 at once", func(t *testing.T) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		admitted := 0
		for i := range 50 {
			wg.Go(func() {
				if ok, _ := join(fmt.Sprint("racer ", i), good); ok {
					mu.Lock()
					admitted++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if admitted != 1 {
			t.Errorf("%d were admitted by one claim", admitted)
		}
	})
}
