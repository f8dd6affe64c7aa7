package envelope

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/strictjson"
)

const (
	actionEnrol    = "enrol"
	maxDeviceName  = 40 // runes
	maxApp         = 64
	maxClaim       = 64
	maxBindingSkew = 7 * 24 * time.Hour
)

// enrolment is the content of an enrol request.
type enrolment struct {
	Claim   string          `json:"claim,omitempty"`
	Binding json.RawMessage `json:"binding"`
	Name    string          `json:"name,omitempty"`
	Policy  string          `json:"policy,omitempty"`
	App     string          `json:"app,omitempty"`
}

// SealAccount makes the rumor (kind 5941) and the seal of an Account request.
// Author, ID and CreatedAt are set from the key and now. An enrol request
// carries the device's own signature over identity and DVM (kind 25941), for
// which device must be the key of a.Device; other actions do not use it.
func SealAccount(from identity.Secret, device identity.Secret, a pow.Account, now time.Time) (rumor pow.Hash, sealEvent []byte, err error) {
	return random().sealAccount(from, device, a, now)
}

func (s source) sealAccount(from, device identity.Secret, a pow.Account, now time.Time) (pow.Hash, []byte, error) {
	e := &event.Event{Kind: KindAccount, Tags: accountTags(a), Content: "{}"}
	if a.Action == actionEnrol {
		if device.Public() != a.Device {
			return pow.Hash{}, nil, errors.New("seal an account request: not the key of this device")
		}
		binding, err := s.binding(device, from.Public(), a.DVM, now)
		if err != nil {
			return pow.Hash{}, nil, fmt.Errorf("seal an account request: %w", err)
		}
		content := enrolment{Claim: a.Claim, Binding: binding, Name: oneLine(a.Name, maxDeviceName), App: a.App}
		if !a.Policy.IsZero() {
			content.Policy = a.Policy.String()
		}
		e.Content = compact(content)
	}
	id, seal, err := s.seal(from, a.DVM, e, now)
	if err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal an account request: %w", err)
	}
	if _, err := readAccount(e); err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal an account request: %w", err)
	}
	return id, seal, nil
}

func accountTags(a pow.Account) event.Tags {
	t := event.Tags{{"p", a.DVM.String()}, {"v", "1"}, param("action", a.Action), param("device", a.Device.String())}
	if a.Ann != 0 {
		t = append(t, param("ann", decimal(a.Ann)))
	}
	if a.Session != "" {
		t = append(t, param("session", string(a.Session)))
	}
	if !a.Target.IsZero() {
		t = append(t, param("target", a.Target.String()))
	}
	return t
}

// binding is the device's word that it belongs to this identity at this DVM. It
// is never published.
func (s source) binding(device identity.Secret, member, dvm pow.Key, now time.Time) ([]byte, error) {
	e := &event.Event{Kind: KindBinding, CreatedAt: event.Timestamp(now.Unix()),
		Tags: event.Tags{{"p", dvm.String()}, {"identity", member.String()}, {"v", "1"}}}
	if err := s.sign(device, e); err != nil {
		return nil, err
	}
	return event.Marshal(e), nil
}

func readAccount(e *event.Event) (*pow.Account, error) {
	r := &reader{e: e}
	if err := r.version(); err != nil {
		return nil, err
	}
	a := &pow.Account{ID: event.ID(e), Author: event.Author(e), CreatedAt: time.Unix(int64(e.CreatedAt), 0)}
	p, _ := r.value("p")
	a.DVM = r.key("p", p)
	if a.Action = r.need("action"); a.Action == "" || len(a.Action) > 32 || strings.Trim(a.Action, "abcdefghijklmnopqrstuvwxyz-") != "" {
		r.fail("action")
	}
	a.Device = r.key("device", r.need("device"))
	if v, ok := r.param("ann"); ok || a.Action == actionEnrol {
		a.Ann = int(r.number("ann", v, 1))
	}
	if v, ok := r.param("session"); ok || a.Action == "status" {
		a.Session = r.session(v)
	}
	if v, ok := r.param("target"); ok || a.Action == "remove-device" {
		a.Target = r.key("target", v)
	}
	if _, ok := r.value("pad"); !ok {
		r.fail("no pad")
	}
	if a.Action == actionEnrol {
		r.enrolment(a)
	}
	return a, r.err()
}

func (r *reader) enrolment(a *pow.Account) {
	var c enrolment
	if strictjson.Unmarshal([]byte(r.e.Content), &c) != nil {
		r.fail("content")
		return
	}
	if c.Policy != "" {
		a.Policy = r.hash("policy", c.Policy)
	}
	if len(c.Claim) > maxClaim || !isLine(c.Claim, maxClaim) || !isLine(c.Name, maxDeviceName) || !isLine(c.App, maxApp) {
		r.fail("content")
		return
	}
	a.Claim, a.Name, a.App = c.Claim, c.Name, c.App
	a.Bound = bound(c.Binding, a)
}

// bound tells whether the binding is the device's own and about this identity
// and this DVM, made about when the request was.
func bound(binding []byte, a *pow.Account) bool {
	e, err := event.Parse(binding)
	if err != nil || e.Kind != KindBinding || e.Content != "" {
		return false
	}
	r := &reader{e: e}
	p, _ := r.value("p")
	member, _ := r.value("identity")
	skew := a.CreatedAt.Sub(time.Unix(int64(e.CreatedAt), 0)).Abs()
	return r.version() == nil && r.err() == nil && p == a.DVM.String() && member == a.Author.String() &&
		e.PubKey == a.Device.String() && skew <= maxBindingSkew && event.Verify(e) == nil
}

// compact writes v as JSON without white space and without HTML escapes.
func compact(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "" // cannot happen: every content is a struct of plain values
	}
	return strings.TrimSuffix(b.String(), "\n")
}
