package event_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"pow.do/services/wire/event"
)

func TestParseToken(t *testing.T) {
	e := signed(t)
	b := event.Marshal(e)
	for name, form := range map[string]*base64.Encoding{"std": base64.StdEncoding, "raw": base64.RawStdEncoding, "url": base64.URLEncoding, "raw url": base64.RawURLEncoding} {
		got, err := event.ParseToken("nostr " + form.EncodeToString(b))
		if err != nil || got.ID != e.ID || event.Verify(got) != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := base64.StdEncoding.EncodeToString(b)
	for name, header := range map[string]string{
		"nothing": "", "no scheme": good, "another scheme": "Bearer " + good, "no event": "Nostr ", "not base64": "Nostr ***",
		"a line break": "Nostr " + good[:8] + "\n" + good[8:], "not an event": "Nostr " + base64.StdEncoding.EncodeToString([]byte("{}")),
		"long": "Nostr " + strings.Repeat("A", 9000),
	} {
		if _, err := event.ParseToken(header); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
