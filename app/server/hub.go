package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"pow.do/services/hub/blobs"
	"pow.do/services/hub/relay"
	"pow.do/services/hub/store"
	"pow.do/services/pow"
)

// HubConfig says what the public server needs to know. Dir, DVMs and Claims are required.
type HubConfig struct {
	Dir string // hub.db, blobs/ and tmp/; made 0700 when missing
	// Database is postgres://…, which several hubs may share; "" or "sqlite:" is
	// hub.db.
	Database string
	// Blobs is s3://BUCKET?endpoint=URL, which several hubs may share; "" or
	// "file:" is blobs/. See blobs.OpenBucket.
	Blobs string
	// Origins are the public URL and its aliases, the canonical one first;
	// http(s) and ws(s) mean the same here. They may be set later: SetOrigins.
	Origins []string
	DVMs    []pow.Key     // whose claims are honoured
	Claims  relay.Claims  // checks claims, for the same DVMs and origins
	Name    string        // shown in NIP-11; "": "pow.do hub"
	Version string        // shown in NIP-11
	BlobTTL time.Duration // 0: 14 days
	MaxBlob int64         // bytes; 0: 64 MiB
	// Admins may manage the whitelist over the network (NIP-86), by these names
	// in the audit log. The DVMs may manage their own devices.
	Admins map[pow.Key]string
	// PerIP bounds the connections of one address: 0: 16, negative: no limit.
	// Loopback is never counted.
	PerIP int
	// Proxies are the addresses of fronts whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: slog.Default
}

// Hub is the public server: relay and Blossom on one origin, over one store.
type Hub struct {
	store *store.Store
	relay *relay.Relay
	blobs *blobs.Server
	dir   string
	disk  *store.Disk // that uploads are written to
	front front
	log   *slog.Logger
	close func() // gives back what blobs holds
}

// Device is one row of the whitelist.
type Device = store.Device

// OpenHub opens or creates the hub's folder. It serves nobody by itself: hand
// Handler to HTTPServer, and run Run beside it. A second process may open the
// hub to Allow, Deny or List while the first one runs.
func OpenHub(ctx context.Context, cfg HubConfig) (*Hub, error) {
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	s, err := openStore(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the hub: %w", err)
	}
	h := &Hub{store: s, dir: cfg.Dir, disk: s.Disk(), log: cfg.Log, close: func() {}}
	if h.disk == nil {
		h.disk = store.NewDisk(cfg.Dir, nil)
	}
	b, err := h.openBlobs(cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the hub: %w", err), s.Close())
	}
	r := relay.New(relay.Config{
		Name: cmp.Or(cfg.Name, "pow.do hub"), Version: cfg.Version, DVMs: cfg.DVMs,
		Events: s, Search: s, Members: s, Claims: cfg.Claims, Vanished: b.Forget,
		Management: s, Admins: cfg.Admins,
		PerIP: cfg.PerIP, Now: cfg.Now, Log: cfg.Log,
	})
	s.OnChange(r.Changed)
	s.OnArrival(r.Arrived, r.Missed)
	h.relay, h.blobs = r, b
	h.SetOrigins(cfg.Origins)
	h.SetProxies(cfg.Proxies)
	return h, nil
}

func openStore(ctx context.Context, cfg HubConfig) (*store.Store, error) {
	c := store.Config{DVMs: cfg.DVMs, Now: cfg.Now, Log: cfg.Log}
	switch {
	case strings.HasPrefix(cfg.Database, "postgres://"), strings.HasPrefix(cfg.Database, "postgresql://"):
		c.URL = cfg.Database
	case cfg.Database == "", cfg.Database == "sqlite:":
		c.Path = filepath.Join(cfg.Dir, "hub.db")
	default:
		return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "--database is neither sqlite: nor postgres://…"}
	}
	return store.Open(ctx, c)
}

func (h *Hub) openBlobs(cfg HubConfig) (*blobs.Server, error) {
	c := blobs.Config{
		Dir: cfg.Dir, DVMs: cfg.DVMs, Members: h.store, Index: h.store, Quota: h.store, Shelf: h.store, Room: h.disk.Room,
		TTL: cfg.BlobTTL, MaxBlob: cfg.MaxBlob, Now: cfg.Now, Log: cfg.Log,
	}
	switch {
	case strings.HasPrefix(cfg.Blobs, "s3:"):
		bucket, err := blobs.OpenBucket(cfg.Blobs)
		if err != nil {
			return nil, usage(err)
		}
		c.Bytes, h.close = bucket, bucket.Close
	case cfg.Blobs != "" && cfg.Blobs != "file:":
		return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "--blobs is neither file: nor s3://…"}
	}
	return blobs.Open(c)
}

// SetOrigins replaces HubConfig.Origins, for a port that is known only after
// Listen. Claims have their own list.
func (h *Hub) SetOrigins(origins []string) {
	web, socket := make([]string, len(origins)), make([]string, len(origins))
	for i, o := range origins {
		o = strings.TrimSuffix(o, "/")
		if rest, ok := strings.CutPrefix(o, "ws"); ok {
			o = "http" + rest
		}
		web[i] = o
		socket[i] = "ws" + strings.TrimPrefix(o, "http")
	}
	h.blobs.SetOrigins(web)
	h.relay.SetOrigins(socket)
	h.front.setHosts(web)
}

// SetProxies replaces HubConfig.Proxies.
func (h *Hub) SetProxies(list []netip.Prefix) { h.front.proxies.Store(&list) }

// SetAdmins replaces HubConfig.Admins.
func (h *Hub) SetAdmins(admins map[pow.Key]string) { h.relay.SetAdmins(admins) }

// Handler serves the relay at "/" and Blossom everywhere else, to requests that
// name one of the hub's origins.
func (h *Hub) Handler() http.Handler {
	return h.front.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && r.Method != http.MethodOptions {
			h.relay.ServeHTTP(w, r)
			return
		}
		h.blobs.ServeHTTP(w, r)
	}))
}

// purgeEvery is how often expired letters and their like are deleted.
const purgeEvery = 10 * time.Minute

// Run deletes what has expired and notices changes of the whitelist by other
// processes, until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() { errs[0] = h.store.Watch(ctx) })
	wg.Go(func() { errs[1] = h.blobs.Run(ctx) })
	wg.Go(func() { h.purge(ctx) })
	wg.Wait()
	return errors.Join(errs[:]...)
}

func (h *Hub) purge(ctx context.Context) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		if err := h.store.Purge(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("expired letters could not be deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// shell is the name in the audit log of whoever acts on the hub's own machine.
const shell = "shell"

// errBanned means that an admin shut the device out.
var errBanned = &pow.Error{Code: "banned", What: "an admin of this hub shut this device out", Mend: "let one of them call unbanpubkey first"}

// Allow puts a device on the whitelist by hand, unless an admin banned it.
func (h *Hub) Allow(ctx context.Context, device, dvm pow.Key) error {
	if h.store.Banned(device) {
		return errBanned
	}
	if err := h.store.Record(ctx, pow.Key{}, shell, "allowpubkey", device); err != nil {
		return err
	}
	return h.store.Allow(ctx, device, dvm)
}

// Deny takes a device off the whitelist, deletes its mail and, within a second
// or two, ends its connections; pow.ErrNotFound when it is not there.
func (h *Hub) Deny(ctx context.Context, device pow.Key) error {
	if err := h.store.Record(ctx, pow.Key{}, shell, "unallowpubkey", device); err != nil {
		return err
	}
	return h.store.Deny(ctx, device)
}

// dismiss is Deny by the DVM of the same program; a device that is not there is
// no error.
func (h *Hub) dismiss(ctx context.Context, device, dvm pow.Key) error {
	err := h.store.Record(ctx, dvm, "dvm", "unallowpubkey", device)
	if err == nil {
		err = h.store.Deny(ctx, device)
	}
	if errors.Is(err, pow.ErrNotFound) {
		return nil
	}
	return err
}

// Deed is one row of the audit log.
type Deed = store.Deed

// Audit returns up to most of the newest changes of the whitelist that a person
// or a DVM made, the newest last.
func (h *Hub) Audit(ctx context.Context, most int) ([]Deed, error) { return h.store.Audit(ctx, most) }

// List returns the whitelist.
func (h *Hub) List(ctx context.Context) ([]Device, error) { return h.store.List(ctx) }

// HubStats are counters since the start, for metrics.
type HubStats struct {
	Connections, Accepted, Delivered, Joined int64
	Refused                                  map[string]int64 // by reason
	BlobsUploaded, BlobBytes, BlobsServed    int64
	BlobsDeleted, BlobsExpired               int64
	RequestsRefused                          map[string]int64 // by Blossom, by reason
}

// Stats returns the counters.
func (h *Hub) Stats() HubStats {
	r, b := h.relay.Stats(), h.blobs.Stats()
	return HubStats{
		Connections: r.Connections.Load(), Accepted: r.Accepted.Load(), Delivered: r.Delivered.Load(),
		Joined: r.Joined.Load(), Refused: r.Refused.All(),
		BlobsUploaded: b.Uploaded.Load(), BlobBytes: b.UploadedBytes.Load(), BlobsServed: b.Served.Load(),
		BlobsDeleted: b.Deleted.Load(), BlobsExpired: b.Expired.Load(), RequestsRefused: b.Refused.All(),
	}
}

// Size counts what is stored.
func (h *Hub) Size(ctx context.Context) (store.Size, error) { return h.store.Size(ctx) }

// readyTime bounds the answers of all parts together.
const readyTime = 5 * time.Second

// Ready tells whether the database answers, the disk has room, and blobs can be
// kept; the error names the parts that are not ready.
func (h *Hub) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	return errors.Join(named("database", h.store.Ping(ctx)), named("disk", h.disk.Room(0)), named("blobs", h.blobs.Ready(ctx)))
}

func named(part string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	return nil
}

// Close ends the connections and closes the store. Shut the HTTP server down
// first, and wait for Run.
func (h *Hub) Close() error {
	h.relay.Close()
	h.close()
	return h.store.Close()
}

// HTTPServer returns a server with the limits of a public one. Its own log is
// off, because it would name the addresses of peers; panics are logged without.
func HTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: recovering(h), ReadHeaderTimeout: 3 * time.Second, MaxHeaderBytes: 16 << 10,
		IdleTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
	}
}

func recovering(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p != http.ErrAbortHandler {
				slog.Error("a request panicked", "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler)
		}()
		h.ServeHTTP(w, r)
	})
}
