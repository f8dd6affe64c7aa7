package relays

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"pow.do/services/pow"
)

// frame is one message of a relay, taken apart. Nothing in it is proven.
type frame struct {
	kind  string // EVENT, OK, EOSE, CLOSED, NOTICE, AUTH, NEG-MSG, NEG-ERR
	sub   string
	event json.RawMessage // EVENT
	id    pow.Hash        // OK
	ok    bool            // OK
	text  string          // OK, CLOSED, NOTICE; the challenge of AUTH; hex of NEG-MSG, reason of NEG-ERR
}

var errFrame = errors.New("not a frame of NIP-01")

// parseFrame reads one message. The caller has bounded its size.
func parseFrame(b []byte) (f frame, err error) {
	var parts []json.RawMessage
	if json.Unmarshal(b, &parts) != nil || len(parts) < 2 || len(parts) > 8 {
		return f, errFrame
	}
	str := func(i int) (s string) {
		if i >= len(parts) || len(parts[i]) == 0 || parts[i][0] != '"' || json.Unmarshal(parts[i], &s) != nil {
			err = errFrame
		}
		return s
	}
	switch f.kind = str(0); f.kind {
	case "EVENT":
		if f.sub = str(1); len(parts) != 3 {
			return f, errFrame
		}
		f.event = parts[2]
	case "OK":
		id, bad := pow.ParseHash(str(1))
		if bad != nil || len(parts) < 3 {
			return f, errFrame
		}
		f.id = id
		switch string(parts[2]) {
		case "true":
			f.ok = true
		case "false":
		default:
			return f, errFrame
		}
		if len(parts) > 3 {
			f.text = str(3)
		}
	case "EOSE":
		f.sub = str(1)
	case "CLOSED":
		if f.sub = str(1); len(parts) > 2 {
			f.text = str(2)
		}
	case "NEG-MSG", "NEG-ERR":
		if f.sub = str(1); len(parts) > 2 || f.kind == "NEG-MSG" {
			f.text = str(2)
		}
	case "NOTICE", "AUTH":
		f.text = str(1)
	default:
		return f, errFrame
	}
	return f, err
}

// prefixes are the machine-readable words of NIP-01 and NIP-42 that mean more
// than error, and those that relays in the field use beside them.
var prefixes = []string{
	"restricted", "rate-limited", "duplicate", "blocked", "invalid", "pow", "mute", "deleted", "replaced", "unsupported", "info",
}

// prefix finds the machine-readable word of an answer. Some relays put a word
// of their own in front ("ERROR: auth-required: …"): auth-required counts
// wherever it stands among the leading words, then the first known one but
// error, then the first.
func prefix(text string) string {
	var words []string
	for {
		word, rest, ok := strings.Cut(text, ":")
		if word = strings.ToLower(strings.TrimSpace(word)); !ok || !isWord(word) {
			break
		}
		words, text = append(words, word), rest
	}
	if slices.Contains(words, "auth-required") {
		return "auth-required"
	}
	for _, w := range words {
		if slices.Contains(prefixes, w) {
			return w
		}
	}
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// isWord tells whether s could be a machine-readable prefix.
func isWord(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// answer turns the text of a relay into an Answer.
func answer(ok bool, text string) pow.Answer {
	return pow.Answer{OK: ok, Prefix: prefix(text), Text: pow.Clean(text)}
}
