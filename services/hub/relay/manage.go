package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/strictjson"
)

// Management is the whitelist as admins change it (NIP-86).
type Management interface {
	// Record writes a call into the audit log before it is carried out. name is
	// how the configuration calls the signer; target is zero where there is none.
	Record(ctx context.Context, by pow.Key, name, method string, target pow.Key) error
	Allow(ctx context.Context, device, dvm pow.Key) error
	// Deny returns pow.ErrNotFound when the device is not there.
	Deny(ctx context.Context, device pow.Key) error
	EachDevice(ctx context.Context, each func(device, dvm pow.Key, how string) error) error
	Ban(ctx context.Context, key pow.Key, reason string) error
	Unban(ctx context.Context, key pow.Key) error
	EachBanned(ctx context.Context, each func(key pow.Key, reason string) error) error
}

// contentManage is the media type of NIP-86.
const contentManage = "application/nostr+json+rpc"

// call is one request to manage the relay.
type call struct {
	*Relay
	ctx    context.Context
	signer pow.Key
	admin  bool // otherwise a DVM, for its own devices
	name   string
	params []string
	key    pow.Key // the first parameter, where there is one
}

// method is one of NIP-86: whether it is about a key, whether DVMs may call it,
// and what it does.
type method struct {
	name        string
	keyed, dvms bool
	do          func(*call) (result any, err error)
}

func methods() []method {
	return []method{
		{"supportedmethods", false, true, (*call).supported},
		{"allowpubkey", true, true, (*call).allow},
		{"unallowpubkey", true, true, (*call).unallow},
		{"listallowedpubkeys", false, true, (*call).listAllowed},
		{"banpubkey", true, false, (*call).ban},
		{"unbanpubkey", true, false, (*call).unban},
		{"listbannedpubkeys", false, false, (*call).listBanned},
	}
}

// manage answers a request of NIP-86. Who asks is checked before the body is
// read, and that it is the body which was signed before it is looked at.
func (r *Relay) manage(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Connection", "close")
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(manageWait))
	signer, payload, ok := r.authorized(req)
	if !ok {
		r.unauthorized(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxManage))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		http.Error(w, "the request is too large", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "the request did not arrive", http.StatusBadRequest)
		return
	case !payload.is(body):
		r.unauthorized(w)
		return
	}
	c := &call{Relay: r, ctx: req.Context(), signer: signer}
	if c.name, c.admin = (*r.admins.Load())[signer]; !c.admin {
		c.name = "dvm"
	}
	result, err := c.carryOut(body)
	answer := struct {
		Result any    `json:"result"`
		Error  string `json:"error,omitempty"`
	}{Result: result}
	if err != nil {
		r.stats.Refused.Add("manage")
		answer.Error = err.Error()
	}
	w.Header().Set("Content-Type", contentManage)
	json.NewEncoder(w).Encode(answer)
}

func (r *Relay) unauthorized(w http.ResponseWriter) {
	r.stats.Refused.Add("manage")
	http.NewResponseController(w).SetReadDeadline(time.Now()) // no waiting for the rest
	w.Header().Set("WWW-Authenticate", "Nostr")
	http.Error(w, "sign the request with the key of an admin (NIP-98)", http.StatusUnauthorized)
}

// Refusals of calls. They are the texts of answers.
var (
	errCall     = errors.New("invalid: not a request of NIP-86")
	errMethod   = errors.New("unsupported: no such method for this key")
	errKey      = errors.New("invalid: want a public key of 64 lower-case hex digits")
	errWhichDVM = errors.New("invalid: whose device is it to be? name the DVM as the third parameter")
	errForeign  = errors.New("restricted: not one of your devices")
	errBanned   = errors.New("blocked: this key is banned")
	errDVMKey   = errors.New("invalid: this is the key of a DVM")
	errNoDevice = errors.New("invalid: not on the whitelist")
	errOurs     = errors.New("error: it could not be done; see the log")
)

// carryOut reads a call, writes it down and does it.
func (c *call) carryOut(body []byte) (any, error) {
	m, err := c.parse(body)
	if err != nil {
		return nil, err
	}
	if !c.rates.calls.take(string(c.signer[:]), 1) {
		return nil, errors.New(tooMany)
	}
	if err := c.cfg.Management.Record(c.ctx, c.signer, c.name, m.name, c.key); err != nil {
		c.log.Error("a call of an admin could not be recorded", "err", err)
		return nil, errOurs
	}
	return m.do(c)
}

// parse reads {"method":…,"params":[…]} and finds the method.
func (c *call) parse(body []byte) (m method, err error) {
	var q struct {
		Method string   `json:"method"`
		Params []string `json:"params"`
	}
	if strictjson.Check(body, 2) != nil || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) || json.Unmarshal(body, &q) != nil {
		return m, errCall
	}
	all := methods()
	i := slices.IndexFunc(all, func(m method) bool { return m.name == q.Method && (c.admin || m.dvms) })
	if i < 0 {
		return m, errMethod
	}
	c.params = q.Params
	if all[i].keyed {
		if len(q.Params) == 0 {
			return m, errKey
		}
		if c.key, err = pow.ParseKey(q.Params[0]); err != nil {
			return m, errKey
		}
	}
	return all[i], nil
}

// param returns the n-th parameter, "" when there is none.
func (c *call) param(n int) string {
	if n < len(c.params) {
		return c.params[n]
	}
	return ""
}

// supported lists the methods that this signer may call.
func (c *call) supported() (any, error) {
	var names []string
	for _, m := range methods() {
		if c.admin || m.dvms {
			names = append(names, m.name)
		}
	}
	return names, nil
}

// allow admits a device: of the DVM that asks, of the only DVM, or of the one
// that an admin names in a third parameter.
func (c *call) allow() (any, error) {
	dvm := c.signer
	if c.admin && len(c.cfg.DVMs) == 1 {
		dvm = c.cfg.DVMs[0]
	} else if c.admin {
		dvm, _ = pow.ParseKey(c.param(2))
	}
	has, member := c.dvmOf(c.key)
	switch {
	case !c.dvms[dvm]:
		return nil, errWhichDVM
	case c.dvms[c.key]:
		return nil, errDVMKey
	case c.cfg.Members.Banned(c.key):
		return nil, errBanned
	case member && has != dvm && !c.admin:
		return nil, errForeign
	case member && has == dvm:
		return true, nil
	}
	return c.done(c.cfg.Management.Allow(c.ctx, c.key, dvm))
}

// unallow takes a device off the whitelist; its connections end at once. A DVM
// learns nothing of devices that are not its own.
func (c *call) unallow() (any, error) {
	if dvm, ok := c.dvmOf(c.key); !c.admin && (!ok || dvm != c.signer || c.dvms[c.key]) {
		return nil, errForeign
	}
	err := c.cfg.Management.Deny(c.ctx, c.key)
	if errors.Is(err, pow.ErrNotFound) {
		return nil, errNoDevice
	}
	return c.done(err)
}

// ban shuts a key out for good, member or not.
func (c *call) ban() (any, error) {
	if c.dvms[c.key] {
		return nil, errDVMKey
	}
	return c.done(c.cfg.Management.Ban(c.ctx, c.key, pow.Clean(c.param(1))))
}

func (c *call) unban() (any, error) { return c.done(c.cfg.Management.Unban(c.ctx, c.key)) }

// listed is one row of an answer.
type listed struct {
	PubKey pow.Key `json:"pubkey"`
	Reason string  `json:"reason"`
}

// listAllowed lists devices; a DVM sees its own.
func (c *call) listAllowed() (any, error) {
	list := []listed{}
	err := c.cfg.Management.EachDevice(c.ctx, func(device, dvm pow.Key, how string) error {
		if c.admin || dvm == c.signer {
			list = append(list, listed{device, how})
		}
		return nil
	})
	return c.result(list, err)
}

func (c *call) listBanned() (any, error) {
	list := []listed{}
	err := c.cfg.Management.EachBanned(c.ctx, func(key pow.Key, reason string) error {
		list = append(list, listed{key, reason})
		return nil
	})
	return c.result(list, err)
}

func (c *call) done(err error) (any, error) { return c.result(true, err) }

func (c *call) result(v any, err error) (any, error) {
	if err == nil {
		return v, nil
	}
	c.log.Error("a call of an admin failed", "err", err)
	return nil, errOurs
}
