package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	"pow.do/app/config"
	"pow.do/services/dvm"
	"pow.do/services/dvm/meter"
	"pow.do/services/pow"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/consent"
	"pow.do/services/wire/dial"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/relays"
)

// dvmRole is the private server: a mailbox at its relays, a client of its
// Blossom servers, a ledger, and the worker between them. It listens on nothing.
type dvmRole struct {
	desk
	cfg     dvmConfig
	log     *slog.Logger
	pool    *relays.Pool
	worker  *dvm.Worker
	archive *keyFile
	ann     atomic.Pointer[announced]
	renewed chan struct{} // a new announcement is to be published

	closeSheets func() error
}

type dvmConfig struct {
	Dir            string // the data folder
	Name           string
	Relays         []string
	Blossom        []string
	Silence        time.Duration
	Kimai          string
	KimaiTokenFile string
	TimesheetFile  string // instead of Kimai; empty: none
	Proxy          string
	Hub            *Hub // of the same program, or nil
	Log            *slog.Logger
}

// announced is the DVM's announcement as it was signed.
type announced struct {
	pow.Announcement
	event []byte
}

// openDVM opens keys, ledger and connections; nothing is dialled before run.
func openDVM(ctx context.Context, cfg dvmConfig) (*dvmRole, error) {
	d, err := openDesk(ctx, cfg.Dir)
	if err != nil {
		return nil, err
	}
	r := &dvmRole{desk: *d, cfg: cfg, log: cfg.Log, renewed: make(chan struct{}, 1), closeSheets: func() error { return nil }}
	if err := r.build(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *dvmRole) build() error {
	var err error
	if r.archive, err = followKeys(&r.desk, r.log); err != nil {
		return err
	}
	if err := r.reannounce(); err != nil {
		return err
	}
	dialer, err := newDialer(r.cfg.Proxy)
	if err != nil {
		return err
	}
	known := hostsOf(r.cfg.Relays, r.cfg.Blossom)
	client := dialer.HTTPClient(func(host string) bool { return known[host] })
	var sheets dvm.Timesheets
	if sheets, r.closeSheets, err = openTimesheets(r.cfg); err != nil {
		return err
	}
	r.pool = relays.New(relays.Config{Origins: r.cfg.Relays, Key: r.secret, HTTP: client, Log: r.log, Handle: r.take,
		Filters: []relays.Filter{{Kinds: []int{envelope.KindWrap}, P: []pow.Key{r.secret.Public()}, Limit: 500}}})
	unwrap := unwrapper{r}
	wrap := wrapper{r.secret}
	r.worker, err = dvm.New(dvm.Config{
		Key: r.secret.Public(), Folder: filepath.Join(r.cfg.Dir, "dvm", "sealed"), Relays: r.cfg.Relays, Blossom: r.cfg.Blossom,
		Limits: r.limits(), Announcement: func() pow.Announcement { return r.ann.Load().Announcement }, Knock: true, Opaque: r.keys.OpaqueID,
		Measure: meter.Measure, Space: func() (int64, int64, error) { return diskSpace(r.cfg.Dir) },
		Ledger: r.ledger, Unwrap: unwrap, Fetch: blossom.New(blossom.Config{Key: r.secret, HTTP: client, Log: r.log}), Open: r.archive, Consent: consent.Read,
		Timesheets: sheets, Hubs: dismisser{r}, Wrap: wrap, Publish: r.pool, Delete: deleter{r.pool, wrap, r.cfg.Relays, r.log}, Log: r.log,
	})
	return err
}

// close ends the use of the ledger and of the timesheet file.
func (r *dvmRole) close() error { return errors.Join(r.closeSheets(), r.desk.close()) }

func (r *dvmRole) limits() pow.Limits {
	l := pow.DefaultLimits
	l.Silence = r.cfg.Silence
	return l
}

// take hands a letter to the worker.
func (r *dvmRole) take(ctx context.Context, origin string, e *event.Event, raw []byte) error {
	return r.worker.Deliver(ctx, origin, pow.Letter{ID: event.ID(e), JSON: raw})
}

// run collects, works and announces until ctx ends.
func (r *dvmRole) run(ctx context.Context) error {
	g := newGroup(ctx)
	g.add("mailbox", r.pool.Run)
	g.add("worker", r.worker.Run)
	g.add("announcement", r.keepAnnounced)
	g.add("keys", func(ctx context.Context) error { return r.archive.run(ctx, r.reannounce) })
	return g.wait()
}

// reannounce signs a new announcement if there is something new to say.
func (r *dvmRole) reannounce() error {
	ann, err := r.announce(time.Now())
	if err != nil {
		return err
	}
	r.ann.Store(&ann)
	select {
	case r.renewed <- struct{}{}:
	default:
	}
	return nil
}

// announceEvery is how often the relays are asked whether they still hold the announcement.
const announceEvery = 10 * time.Minute

// keepAnnounced publishes the announcement to every relay, and reads it back:
// an OK does not prove that a relay stores it.
func (r *dvmRole) keepAnnounced(ctx context.Context) error {
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		case <-r.renewed:
		}
		wait = announceEvery
		for _, origin := range r.cfg.Relays {
			if err := r.announceAt(ctx, origin); err != nil && ctx.Err() == nil {
				r.log.Warn("announcement not stored yet", "relay", origin, "error", err)
				wait = 5 * time.Second
			}
		}
	}
}

func (r *dvmRole) announceAt(ctx context.Context, origin string) error {
	ann := r.ann.Load()
	filter := relays.Filter{Kinds: []int{envelope.KindAnnouncement}, Authors: []pow.Key{r.secret.Public()}, D: []string{"powdo"}, Limit: 1}
	stored := func() bool {
		events, err := r.pool.Fetch(ctx, origin, filter)
		return err == nil && len(events) > 0 && event.ID(events[0]) == ann.ID
	}
	if stored() {
		return nil
	}
	answer, err := r.pool.Publish(ctx, origin, ann.event)
	if err != nil {
		return err
	}
	if !answer.OK {
		return fmt.Errorf("refused: %s: %s", answer.Prefix, answer.Text)
	}
	if !stored() {
		return errors.New("accepted, but not stored")
	}
	return nil
}

// unwrapper opens letters from members and, as far as the worker lets them,
// requests to enrol from strangers.
type unwrapper struct{ role *dvmRole }

// Open implements dvm.Unwrapper. A letter that the worker wants to wait, or not
// to open at all, comes back with the worker's own error.
func (u unwrapper) Open(letter []byte, now time.Time) (pow.Mail, error) {
	r := u.role
	var verdict error
	reader := envelope.Reader{Me: r.secret, Kinds: []int{envelope.KindNotice, envelope.KindAccount},
		Allow: func(author pow.Key) bool {
			_, err := r.ledger.Member(context.Background(), author)
			return err == nil
		},
		Enrol: func(author pow.Key) bool {
			verdict = r.worker.Allow(context.Background(), author)
			return verdict == nil
		}}
	mail, err := reader.Open(letter, now)
	var refused *envelope.RejectError
	switch {
	case verdict != nil:
		return mail, verdict
	case errors.As(err, &refused):
		return mail, dropped{refused}
	}
	return mail, err
}

// dropped names the counter of a letter that fell at a step of the checklist.
type dropped struct{ *envelope.RejectError }

// Step implements what the worker counts by.
func (d dropped) Step() string { return fmt.Sprintf("%d %s", d.RejectError.Step, d.Reason) }

// wrapper adapts the envelope to the worker.
type wrapper struct{ secret identity.Secret }

func (w wrapper) SealReceipt(r pow.Receipt) (pow.Hash, []byte, error) {
	return envelope.SealReceipt(w.secret, r, time.Now())
}

func (w wrapper) SealCatalogue(device pow.Key, c pow.Catalogue) ([][]byte, error) {
	return envelope.SealCatalogue(w.secret, device, c, time.Now())
}

func (w wrapper) Wrap(seal []byte, to pow.Key, now time.Time) (pow.Letter, error) {
	return envelope.Wrap(seal, to, now)
}

// deleter asks every relay to delete letters that were processed, also those
// that they did not come from: a copy may reach them later.
type deleter struct {
	pool   *relays.Pool
	wrap   wrapper
	relays []string
	log    *slog.Logger
}

func (d deleter) DeleteLetters(ctx context.Context, wraps []pow.Hash) (err error) {
	deletion, err := envelope.Deletion(d.wrap.secret, wraps, time.Now())
	if err != nil {
		return err
	}
	for _, origin := range d.relays {
		if _, e := d.pool.Publish(ctx, origin, deletion); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

// dismisser takes removed devices off the whitelist of the hub in the same
// program, and of every relay that can be managed over the network. Where that
// is not so, its operator has to do it: powdo-server hub deny.
type dismisser struct{ role *dvmRole }

// Dismiss implements dvm.Hubs.
func (d dismisser) Dismiss(ctx context.Context, device pow.Key) (err error) {
	r := d.role
	if r.cfg.Hub != nil {
		err = r.cfg.Hub.dismiss(ctx, device, r.secret.Public())
	}
	for _, origin := range r.cfg.Relays {
		if r.cfg.Hub != nil && r.cfg.Hub.relay.Own(origin) {
			continue
		}
		switch e := r.pool.Dismiss(ctx, origin, device); {
		case errors.Is(e, relays.ErrUnmanaged):
			r.log.WarnContext(ctx, "a removed device has to be removed at this relay by hand", "relay", origin)
		case e != nil:
			err = errors.Join(err, fmt.Errorf("%s: %w", origin, e))
		}
	}
	return err
}

func newDialer(proxy string) (*dial.Dialer, error) {
	addr, err := config.Proxy(proxy)
	if err != nil {
		return nil, usage(err)
	}
	d, err := dial.New(dial.Config{SOCKS5: addr})
	if err != nil {
		return nil, usage(err)
	}
	return d, nil
}

func hostsOf(lists ...[]string) map[string]bool {
	hosts := map[string]bool{}
	for _, list := range lists {
		for _, origin := range list {
			if u, err := url.Parse(origin); err == nil {
				hosts[u.Hostname()] = true
			}
		}
	}
	return hosts
}
