package relay

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Events stores letters and announcements. The done functions run after the
// commit, one at a time and in the order of commits. Refusals are *pow.Error.
type Events interface {
	// Put stores a verified event; payer is whose quota it counts against.
	Put(e *event.Event, json []byte, expires time.Time, payer pow.Key, done func(error))
	// Delete removes what author may delete and refuses it from then on (NIP-09).
	Delete(author pow.Key, at time.Time, ids []pow.Hash, ds []string, done func(error))
	// Vanish forgets a key (NIP-62).
	Vanish(ctx context.Context, key pow.Key, at time.Time) error
}

// Search finds stored events. When Find first calls each, every event that was
// stored before has been handed to its done function.
type Search interface {
	Find(ctx context.Context, filters []nostr.Filter, letters, announcers []pow.Key,
		each func(id pow.Hash, kind int, author, to pow.Key, json []byte) error) error
	Count(ctx context.Context, filters []nostr.Filter, letters, announcers []pow.Key, ceiling int) (int, error)
	// Items lists up to most events that match, in no order; of is the recipient
	// of a gift wrap or the author of an announcement.
	Items(ctx context.Context, f nostr.Filter, letters, announcers []pow.Key, most int,
		each func(id pow.Hash, kind int, at int64, of pow.Key) error) error
}

// Members is the whitelist of devices.
type Members interface {
	// DVMOf returns the DVM that a device is a member of. It does not block.
	DVMOf(device pow.Key) (dvm pow.Key, ok bool)
	// Join admits a device; see Claims. Refusals have the code member,
	// claim-used or quota.
	Join(ctx context.Context, device, dvm pow.Key, claim string, expires time.Time) error
	Leave(ctx context.Context, device pow.Key) error
	// Banned tells whether a key is shut out. It does not block.
	Banned(key pow.Key) bool
}

// Claims checks the claim of a join request: that it is well formed, signed by
// a DVM that this hub serves, meant for this hub, and valid now. The id names
// it, so that it can be used once.
type Claims interface {
	Check(claim string, now time.Time) (dvm pow.Key, id string, expires time.Time, err error)
}

// Config is what a relay needs. Events, Search, Members and Claims are required.
type Config struct {
	Name    string // for NIP-11
	Version string // for NIP-11
	DVMs    []pow.Key
	Events  Events
	Search  Search
	Members Members
	Claims  Claims
	// Management is for admins; nil switches NIP-86 off.
	Management Management
	// Admins may call all of it, by the names that the audit log uses. The
	// DVMs may manage their own devices.
	Admins map[pow.Key]string
	// Vanished is called after a key was forgotten; nil for nothing.
	Vanished func()
	// PerIP bounds the connections of one address: 0 means 16, negative no
	// limit, for a TLS front or an onion service on another host. Loopback is
	// never counted: there such a front is the peer.
	PerIP int
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: slog.Default
}

// Relay is an http.Handler for the relay's one path. Set its origins before it
// serves, and call Close after the HTTP server has stopped.
type Relay struct {
	cfg     Config
	now     func() time.Time
	log     *slog.Logger
	dvms    map[pow.Key]bool
	origins atomic.Pointer[[]string]
	admins  atomic.Pointer[map[pow.Key]string]
	rates   allRates
	stats   Stats
	buffers sync.Pool // of *bytes.Buffer, for messages
	inbound *budget   // bytes of events that wait for their commit
	// reserved counts the items that negotiations hold, queued the bytes that
	// wait for readers.
	reserved, queued atomic.Int64

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	serving sync.WaitGroup

	mu    sync.Mutex // guards what follows
	conns map[*conn]struct{}
	byIP  map[string]int
	byKey map[pow.Key]map[*conn]struct{}
}

// Stats counts since the start. No key, address or id is in it.
type Stats struct {
	Connections atomic.Int64 // open now
	Accepted    atomic.Int64 // events that are on disk
	Delivered   atomic.Int64 // events sent to readers
	Joined      atomic.Int64
	Refused     Counters // by reason
}

// New returns a relay that serves nobody until SetOrigins was called.
func New(cfg Config) *Relay {
	if cfg.Events == nil || cfg.Search == nil || cfg.Members == nil || cfg.Claims == nil {
		panic("relay: Events, Search, Members and Claims are required")
	}
	r := &Relay{
		cfg: cfg, now: cfg.Now, log: cmp.Or(cfg.Log, slog.Default()), dvms: map[pow.Key]bool{},
		conns: map[*conn]struct{}{}, byIP: map[string]int{}, byKey: map[pow.Key]map[*conn]struct{}{},
	}
	if r.now == nil {
		r.now = time.Now
	}
	for _, k := range cfg.DVMs {
		r.dvms[k] = true
	}
	r.cfg.PerIP = cmp.Or(cfg.PerIP, connsPerIP)
	r.rates = newAllRates(r.now)
	r.inbound = newBudget(maxInbound)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.SetOrigins(nil)
	r.SetAdmins(cfg.Admins)
	return r
}

// SetOrigins says under which origins (ws:// or wss://, host, port) this relay
// is reached. AUTH and requests to vanish for any other are refused.
func (r *Relay) SetOrigins(origins []string) {
	normal := make([]string, len(origins))
	for i, o := range origins {
		normal[i] = origin(o)
	}
	r.origins.Store(&normal)
}

// Own tells whether a URL is one of the relay's origins, with or without "/".
func (r *Relay) Own(raw string) bool {
	o := origin(raw)
	for _, mine := range *r.origins.Load() {
		if o != "" && o == mine {
			return true
		}
	}
	return false
}

// origin normalises scheme://host[:port][/]; anything else gives "".
func origin(raw string) string {
	u, err := url.Parse(raw)
	if len(raw) > 255 || err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		u.Host == "" || u.Path != "" && u.Path != "/" || strings.HasSuffix(raw, "#") {
		return ""
	}
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	switch {
	case scheme != "ws" && scheme != "wss", strings.HasSuffix(u.Host, ":"):
		return ""
	case port == "" || scheme == "ws" && port == "80" || scheme == "wss" && port == "443":
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + port
}

// Stats returns the running counters.
func (r *Relay) Stats() *Stats { return &r.stats }

// Close closes every connection (1001) and waits until they have ended.
func (r *Relay) Close() {
	r.mu.Lock()
	r.cancel()
	for c := range r.conns {
		c.kill(websocket.StatusGoingAway, "shutting down")
	}
	r.mu.Unlock()
	cut := time.AfterFunc(closeWait, r.cutAll)
	defer cut.Stop()
	r.serving.Wait()
}

// cutAll ends what did not answer the close frame.
func (r *Relay) cutAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.cut()
	}
}

// ServeHTTP upgrades to a WebSocket, or answers with the relay information
// document (NIP-11), a request to manage (NIP-86), or 426.
func (r *Relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch {
	case !r.named(req.Host):
		r.stats.Refused.Add("host")
		w.Header().Set("Connection", "close")
		http.Error(w, "no such host here", http.StatusMisdirectedRequest)
	case strings.EqualFold(req.Header.Get("Upgrade"), "websocket"):
		r.upgrade(w, req)
	case req.Method == http.MethodGet && strings.Contains(req.Header.Get("Accept"), "application/nostr+json"):
		r.info(w)
	case req.Method == http.MethodPost && contentType(req) == contentManage && r.cfg.Management != nil:
		r.manage(w, req)
	default:
		w.Header().Set("Connection", "close")
		http.NewResponseController(w).SetReadDeadline(time.Now()) // no waiting for a body
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this is a Nostr relay", http.StatusUpgradeRequired)
	}
}

// named tells whether a request was meant for this relay: its Host is that of
// an origin, or an address. A name that somebody else pointed here is refused,
// so that no web page can reach a relay behind its own name.
func (r *Relay) named(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	if name == "" || name == "localhost" || net.ParseIP(name) != nil {
		return true
	}
	for _, o := range *r.origins.Load() {
		if u, err := url.Parse(o); err == nil && strings.EqualFold(u.Hostname(), name) {
			return true
		}
	}
	return false
}

// contentType returns the media type of a request, without parameters.
func contentType(req *http.Request) string {
	t, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

func (r *Relay) upgrade(w http.ResponseWriter, req *http.Request) {
	if o := req.Header.Get("Origin"); o != "" && !r.Own("ws"+strings.TrimPrefix(strings.ToLower(o), "http")) {
		r.stats.Refused.Add("origin")
		http.Error(w, "foreign origin", http.StatusForbidden)
		return
	}
	ip := peer(req.RemoteAddr)
	leave, ok := r.enter(ip)
	if !ok {
		r.stats.Refused.Add("connections")
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many connections", http.StatusTooManyRequests)
		return
	}
	c, err := r.accept(w, req, ip)
	if err != nil {
		leave()
		return
	}
	// The HTTP server's goroutine ends here: its stack and buffers would be
	// most of what an idle connection costs. Close waits for this one.
	go func() {
		defer leave()
		c.serve()
	}()
}

// enter counts a connection of an address; leave takes it back.
func (r *Relay) enter(ip string) (leave func(), ok bool) {
	if ip != "" && r.cfg.PerIP > 0 && !r.rates.connects.take(ip, 1) {
		return nil, false
	}
	wide := site(ip)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil || r.stats.Connections.Load() >= maxConns ||
		r.cfg.PerIP > 0 && (ip != "" && r.byIP[ip] >= r.cfg.PerIP || wide != "" && r.byIP[wide] >= siteFactor*r.cfg.PerIP) {
		return nil, false
	}
	r.serving.Add(1)
	r.stats.Connections.Add(1)
	r.byIP[ip]++
	r.byIP[wide]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, from := range []string{ip, wide} {
			if r.byIP[from]--; r.byIP[from] == 0 {
				delete(r.byIP, from)
			}
		}
		r.stats.Connections.Add(-1)
		r.serving.Done()
	}, true
}

func (r *Relay) register(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *Relay) unregister(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
	for _, k := range c.keys() {
		r.unlink(c, k)
	}
}

// link makes c a reader of key's mail; false when the key has too many connections.
func (r *Relay) link(c *conn, key pow.Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, live := r.conns[c]; !live || len(r.byKey[key]) >= connsPerKey {
		return false
	}
	if r.byKey[key] == nil {
		r.byKey[key] = map[*conn]struct{}{}
	}
	r.byKey[key][c] = struct{}{}
	return true
}

// unlink needs mu.
func (r *Relay) unlink(c *conn, key pow.Key) {
	delete(r.byKey[key], c)
	if len(r.byKey[key]) == 0 {
		delete(r.byKey, key)
	}
}

// Changed re-judges every connection after the whitelist changed: keys that are
// no longer members lose their connections. It does not block.
func (r *Relay) Changed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		r.judge(c)
	}
}

// judge takes away the keys that a connection may not hold any more. It needs mu.
func (r *Relay) judge(c *conn) {
	for _, key := range c.rejudge() {
		r.unlink(c, key)
	}
}

// rejudged judges one connection.
func (r *Relay) rejudged(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judge(c)
}

// broadcast hands a committed event to every connection that may be listening.
func (r *Relay) broadcast(m *mail) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.kind == kindLetter {
		for c := range r.byKey[m.to] {
			c.offer(m)
		}
		return
	}
	for c := range r.conns {
		c.offer(m)
	}
}
