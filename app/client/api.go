package client

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"pow.do/services/client/control"
	"pow.do/services/pow"
)

// API is what the window, the command line and the tests ask of the agent. The
// Agent answers it in the same process; remote answers it over the socket.
type API interface {
	Status(ctx context.Context) (pow.Status, error)
	// Watch calls fn at each change, at most ten times a second, until ctx ends
	// (nil) or the agent is lost (pow.ErrNoAgent).
	Watch(ctx context.Context, fn func(pow.Status)) error
	Projects(ctx context.Context) ([]pow.Project, error)
	Start(ctx context.Context, r pow.StartRequest) (pow.Status, error)
	Stop(ctx context.Context) (pow.Status, error)
	SetNote(ctx context.Context, note string) error
	// Capture takes a picture of every display now.
	Capture(ctx context.Context) ([]pow.CaptureInfo, error)
	// Thumbnail returns a JPEG of at most 320×180.
	Thumbnail(ctx context.Context, id string) ([]byte, error)
	Drop(ctx context.Context, ids []string) error
	Entries(ctx context.Context, day time.Time) ([]pow.Entry, error)
	// Preview says what Register would send.
	Preview(ctx context.Context) (pow.Preview, error)
	// Register makes proofs of what is held and puts them in the outbox; it
	// returns their ids.
	Register(ctx context.Context) ([]string, error)
	Outbox(ctx context.Context) ([]pow.OutboxItem, error)
	// Retry tries a delivery again now; "" means all.
	Retry(ctx context.Context, id string) error
	NewKey(ctx context.Context, r pow.KeyRequest) (pow.KeyReply, error)
	Unlock(ctx context.Context, passphrase string) error
	// Backup returns the identity key as an ncryptsec (NIP-49) under a passphrase.
	Backup(ctx context.Context, passphrase string) (string, error)
	ReadInvite(ctx context.Context, link string) (pow.JoinPreview, error)
	Join(ctx context.Context, r pow.JoinRequest) (pow.Joined, error)
	// Sensitive holds pictures back while secrets are on the screen; it lapses
	// after sensitiveFor unless it is renewed.
	Sensitive(ctx context.Context, on bool) error
	Doctor(ctx context.Context) ([]pow.Check, error)
	// Quit ends the agent.
	Quit(ctx context.Context) error
	toolsAPI
	reviewAPI
	consentAPI
	watchAPI
	// WatchWindow is Watch for the one window, which can be asked to show a page
	// (Status.Open).
	WatchWindow(ctx context.Context, fn func(pow.Status)) error
}

// nothing stands where a method takes or returns no value.
type nothing struct{}

type call func(ctx context.Context, params json.RawMessage) (any, error)

// method turns a typed method into one that the socket can carry.
func method[P, R any](f func(context.Context, P) (R, error)) call {
	return func(ctx context.Context, params json.RawMessage) (any, error) {
		var p P
		if len(params) > 0 {
			if err := json.Unmarshal(params, &p); err != nil {
				return nil, pow.ErrUsage.With(err)
			}
		}
		return f(ctx, p)
	}
}

func asks[R any](f func(context.Context) (R, error)) call {
	return method(func(ctx context.Context, _ nothing) (R, error) { return f(ctx) })
}

func acts[P any](f func(context.Context, P) error) call {
	return method(func(ctx context.Context, p P) (nothing, error) { return nothing{}, f(ctx, p) })
}

// methods names every method of api as it goes over the socket.
func methods(a API) map[string]call {
	all := map[string]call{
		"status": asks(a.Status), "projects": asks(a.Projects), "start": method(a.Start), "stop": asks(a.Stop),
		"note": acts(a.SetNote), "capture": asks(a.Capture), "thumbnail": method(a.Thumbnail), "drop": acts(a.Drop),
		"entries": method(a.Entries), "preview": asks(a.Preview), "register": asks(a.Register), "outbox": asks(a.Outbox),
		"retry": acts(a.Retry), "new-key": method(a.NewKey), "unlock": acts(a.Unlock), "backup": method(a.Backup), "read-invite": method(a.ReadInvite),
		"join": method(a.Join), "sensitive": acts(a.Sensitive), "doctor": asks(a.Doctor),
		"quit": acts(func(ctx context.Context, _ nothing) error { return a.Quit(ctx) }),
	}
	maps.Copy(all, toolsMethods(a))
	maps.Copy(all, reviewMethods(a))
	maps.Copy(all, watchMethods(a))
	return all
}

// door answers the control socket with an API.
type door struct {
	api     API
	methods map[string]call
}

func newDoor(a API) door { return door{a, methods(a)} }

// Call implements control.Handler.
func (d door) Call(ctx context.Context, name string, params json.RawMessage) (any, error) {
	m, ok := d.methods[name]
	if !ok {
		return nil, &pow.Error{Code: pow.CodeUnsupported, What: "the running agent does not know this", Mend: "restart it: powdo agent --stop"}
	}
	return m(ctx, params)
}

// watching says who watches.
type watching struct {
	Window bool `json:"window,omitempty"`
}

// Watch implements control.Handler.
func (d door) Watch(ctx context.Context, params json.RawMessage, send func(any) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var who watching
	if len(params) > 0 && json.Unmarshal(params, &who) != nil {
		return pow.ErrUsage
	}
	watch := d.api.Watch
	if who.Window {
		watch = d.api.WatchWindow
	}
	return watch(ctx, func(s pow.Status) {
		if err := send(s); err != nil {
			cancel(err)
		}
	})
}

// remote is the API of an agent that runs in another process.
type remote struct{ c control.Client }

func get[R any](ctx context.Context, r remote, name string, params any) (v R, err error) {
	err = r.c.Call(ctx, name, params, &v)
	return v, err
}

func (r remote) Status(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r, "status", nil)
}

func (r remote) Watch(ctx context.Context, fn func(pow.Status)) error {
	return r.watch(ctx, watching{}, fn)
}

func (r remote) WatchWindow(ctx context.Context, fn func(pow.Status)) error {
	return r.watch(ctx, watching{Window: true}, fn)
}

func (r remote) watch(ctx context.Context, who watching, fn func(pow.Status)) error {
	return r.c.Watch(ctx, who, func(b json.RawMessage) {
		var s pow.Status
		if json.Unmarshal(b, &s) == nil {
			fn(s)
		}
	})
}

func (r remote) Projects(ctx context.Context) ([]pow.Project, error) {
	return get[[]pow.Project](ctx, r, "projects", nil)
}

func (r remote) Start(ctx context.Context, q pow.StartRequest) (pow.Status, error) {
	return get[pow.Status](ctx, r, "start", q)
}

func (r remote) Stop(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r, "stop", nil)
}

func (r remote) SetNote(ctx context.Context, note string) error {
	return r.c.Call(ctx, "note", note, nil)
}

func (r remote) Capture(ctx context.Context) ([]pow.CaptureInfo, error) {
	return get[[]pow.CaptureInfo](ctx, r, "capture", nil)
}

func (r remote) Thumbnail(ctx context.Context, id string) ([]byte, error) {
	return get[[]byte](ctx, r, "thumbnail", id)
}

func (r remote) Drop(ctx context.Context, ids []string) error { return r.c.Call(ctx, "drop", ids, nil) }

func (r remote) Entries(ctx context.Context, day time.Time) ([]pow.Entry, error) {
	return get[[]pow.Entry](ctx, r, "entries", day)
}

func (r remote) Preview(ctx context.Context) (pow.Preview, error) {
	return get[pow.Preview](ctx, r, "preview", nil)
}

func (r remote) Register(ctx context.Context) ([]string, error) {
	return get[[]string](ctx, r, "register", nil)
}

func (r remote) Outbox(ctx context.Context) ([]pow.OutboxItem, error) {
	return get[[]pow.OutboxItem](ctx, r, "outbox", nil)
}

func (r remote) Retry(ctx context.Context, id string) error { return r.c.Call(ctx, "retry", id, nil) }

func (r remote) NewKey(ctx context.Context, q pow.KeyRequest) (pow.KeyReply, error) {
	return get[pow.KeyReply](ctx, r, "new-key", q)
}

func (r remote) Unlock(ctx context.Context, passphrase string) error {
	return r.c.Call(ctx, "unlock", passphrase, nil)
}

func (r remote) Backup(ctx context.Context, passphrase string) (string, error) {
	return get[string](ctx, r, "backup", passphrase)
}

func (r remote) ReadInvite(ctx context.Context, link string) (pow.JoinPreview, error) {
	return get[pow.JoinPreview](ctx, r, "read-invite", link)
}

func (r remote) Join(ctx context.Context, q pow.JoinRequest) (pow.Joined, error) {
	return get[pow.Joined](ctx, r, "join", q)
}

func (r remote) Sensitive(ctx context.Context, on bool) error {
	return r.c.Call(ctx, "sensitive", on, nil)
}

func (r remote) Doctor(ctx context.Context) ([]pow.Check, error) {
	return get[[]pow.Check](ctx, r, "doctor", nil)
}

func (r remote) Quit(ctx context.Context) error { return r.c.Call(ctx, "quit", nothing{}, nil) }
