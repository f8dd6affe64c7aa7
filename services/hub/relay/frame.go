package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coder/websocket"

	"pow.do/services/pow"
)

var errFrame = errors.New("not a message of a client")

// anEvent is how clients write the message that comes most often.
var anEvent = []byte(`["EVENT",`)

// parse splits a message into its verb and the rest. What an EVENT holds is not
// looked at: it is read as one event, strictly, by whoever takes it.
func parse(message []byte) (verb string, args []json.RawMessage, err error) {
	if rest, ok := bytes.CutPrefix(message, anEvent); ok && bytes.HasSuffix(rest, []byte("]")) {
		return "EVENT", []json.RawMessage{json.RawMessage(rest[:len(rest)-1])}, nil
	}
	if !utf8.Valid(message) || json.Unmarshal(message, &args) != nil || len(args) == 0 || args[0][0] != '"' {
		return "", nil, errFrame
	}
	if err := json.Unmarshal(args[0], &verb); err != nil {
		return "", nil, errFrame
	}
	return verb, args[1:], nil
}

// frame builds a message to the client from its elements.
func frame(elements ...any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(elements) // strings, booleans and raw JSON cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// subID reads the name of a subscription.
func subID(raw json.RawMessage) (string, error) {
	var id string
	if raw[0] != '"' || json.Unmarshal(raw, &id) != nil || id == "" || utf8.RuneCountInString(id) > maxSubID {
		return "", errFrame
	}
	for _, r := range id {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return "", errFrame
		}
	}
	return id, nil
}

// handle answers one message.
func (c *conn) handle(message []byte) {
	if !c.mayTalk() {
		c.relay.stats.Refused.Add("frames")
		c.notice(tooMany)
		c.kill(websocket.StatusPolicyViolation, "too many messages")
		return
	}
	verb, args, err := parse(message)
	if err != nil {
		c.badFrame("invalid: not a JSON array that starts with a verb")
		return
	}
	if verb != "AUTH" && len(c.keys()) == 0 {
		if c.unauthed++; c.unauthed > maxUnauthed {
			c.notice("auth-required: too many messages before AUTH")
			c.kill(websocket.StatusPolicyViolation, "not authenticated")
			return
		}
	}
	switch {
	case verb == "EVENT" && len(args) == 1:
		c.onEvent(args[0])
	case verb == "AUTH" && len(args) == 1:
		c.onAuth(args[0])
	case verb == "REQ" && len(args) >= 1:
		c.onReq(args)
	case verb == "COUNT" && len(args) >= 1:
		c.onCount(args)
	case verb == "CLOSE" && len(args) == 1:
		c.onClose(args[0])
	case verb == "NEG-OPEN" && len(args) == 3:
		c.onNegOpen(args)
	case verb == "NEG-MSG" && len(args) == 2:
		c.onNegMsg(args)
	case verb == "NEG-CLOSE" && len(args) == 1:
		c.onNegClose(args[0])
	default:
		c.badFrame("invalid: unknown verb, or a wrong number of elements")
	}
}

// mayTalk counts a message of any kind.
func (c *conn) mayTalk() bool {
	c.mu.Lock()
	rank := c.rank
	c.mu.Unlock()
	perMinute, burst := float64(strangersFrames), 1.0
	if rank >= member {
		perMinute, burst = framesPerMinute, framesBurstTimes
	}
	if rank == server {
		perMinute *= dvmFactor
	}
	return c.frameRate.take(c.relay.now(), perMinute, perMinute*burst, 1)
}

// badFrame answers what cannot be answered to a name; the third time it closes.
func (c *conn) badFrame(text string) {
	c.relay.stats.Refused.Add("frame")
	c.notice(text)
	if c.bad++; c.bad >= maxBadFrames {
		c.kill(websocket.StatusPolicyViolation, "malformed messages")
	}
}

// ok answers an event.
func (c *conn) ok(id string, accepted bool, text string) {
	c.send(frame("OK", id, accepted, text))
}

// refuse answers an event with OK false and counts the reason.
func (c *conn) refuse(id, text string) {
	c.relay.stats.Refused.Add(prefix(text))
	c.ok(id, false, text)
}

// prefix returns the machine-readable word of an answer (NIP-01).
func prefix(text string) string {
	word, _, _ := strings.Cut(text, ":")
	return word
}

// answers are the OK texts to what the store refuses, by code.
var answers = map[pow.Code]string{
	"replaced":     "duplicate: a newer version is stored",
	"deleted":      "blocked: deleted",
	"vanished":     "blocked: deleted",
	"no-mailbox":   restricted,
	"mailbox-full": "rate-limited: mailbox full",
	"quota":        "rate-limited: daily quota used up",
	"disk-full":    "error: no disk space",
}

const (
	restricted   = "restricted: not allowed, or no such mailbox"
	authRequired = "auth-required: authenticate first"
)

// answer turns the store's result into an OK.
func (r *Relay) answer(id string, err error) []byte {
	var refusal *pow.Error
	switch {
	case err == nil:
		return frame("OK", id, true, "")
	case errors.As(err, &refusal) && refusal.Code == "duplicate":
		return frame("OK", id, true, "duplicate: already stored")
	}
	text := "error: could not be stored"
	if refusal != nil && answers[refusal.Code] != "" {
		text = answers[refusal.Code]
	}
	r.stats.Refused.Add(prefix(text))
	return frame("OK", id, false, text)
}
