// Package activitytest stands in for ActivityWatch in tests.
//
// Server keeps buckets and events in memory and answers as the Python server
// aw-server does, down to its oddities: it clips events to the range, whose end it
// rounds up to the next millisecond, returns neighbours that only touch it, and
// misses events that began more than 24 hours before. With Config.Rust it answers
// in the shapes of aw-server-rust, which has an optional key and none of these.
//
// The Python side is held to recorded exchanges with a real server
// (testdata/aw-server-0.13.2.jsonl), and Contract runs the same cases against
// Server and against a real one. Where a real server disagrees, it is right.
//
// Not there: queries, settings, export and CORS, which the client does not use.
package activitytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Config is what a Server is made of.
type Config struct {
	Hostname string // of the computer it pretends to be on; "": laptop
	Rust     bool   // answer as aw-server-rust does
	Key      string // demanded by a Rust server; "": none
	Now      func() time.Time
}

// Server is the test double. It is an http.Handler; Start puts it on a port.
type Server struct {
	URL string // set by Start

	cfg Config

	mu       sync.Mutex // guards the fields below
	buckets  map[string]*bucket
	lastID   int64
	requests []string
}

// New returns an empty server.
func New(cfg Config) *Server {
	if cfg.Hostname == "" {
		cfg.Hostname = "laptop"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Server{cfg: cfg, buckets: map[string]*bucket{}}
}

// Start runs a new server on a free port of 127.0.0.1 until the test ends.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s := New(cfg)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// AddBucket makes an empty bucket.
func (s *Server) AddBucket(id, kind, hostname string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[id] = &bucket{id: id, kind: kind, client: "test", hostname: hostname, data: map[string]any{}, created: s.cfg.Now()}
}

// RemoveBucket deletes a bucket with its events.
func (s *Server) RemoveBucket(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets, id)
}

// Insert adds events to a bucket, each with a new id.
func (s *Server) Insert(id string, events ...Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[id].insert(s.numbered(events)...)
}

// Requests returns method and path with query of every request so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// numbered gives each event the next id.
func (s *Server) numbered(events []Event) []Event {
	out := slices.Clone(events)
	for i := range out {
		s.lastID++
		out[i].id = s.lastID
	}
	return out
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	if r.Host == "" {
		refuse(w, http.StatusBadRequest, "host header is missing")
		return
	}
	if name, _, _ := strings.Cut(r.Host, ":"); name != "127.0.0.1" && name != "localhost" {
		refuse(w, http.StatusBadRequest, "host header is invalid (was "+r.Host+")")
		return
	}
	path := r.URL.Path
	if s.cfg.Rust && s.cfg.Key != "" && path != "/api/0/info" && r.Header.Get("Authorization") != "Bearer "+s.cfg.Key {
		refuse(w, http.StatusUnauthorized, "Missing or invalid API key. Set 'Authorization: Bearer <key>' header.")
		return
	}
	switch rest, inBuckets := strings.CutPrefix(path, "/api/0/buckets/"); {
	case path == "/api/0/info" && r.Method == http.MethodGet:
		s.info(w)
	case path == "/api/0/buckets" && r.Method == http.MethodGet && !s.cfg.Rust:
		w.Header().Set("Location", "http://"+r.Host+"/api/0/buckets/")
		page(w, http.StatusPermanentRedirect)
	case inBuckets && rest == "" && r.Method == http.MethodGet:
		s.list(w)
	case inBuckets && rest != "":
		s.bucket(w, r, strings.Split(rest, "/"))
	default:
		page(w, http.StatusNotFound)
	}
}

func (s *Server) info(w http.ResponseWriter) {
	version := "v0.13.2"
	if s.cfg.Rust {
		version = "v0.14.0 (rust)"
	}
	reply(w, http.StatusOK, map[string]any{
		"hostname": s.cfg.Hostname, "version": version, "testing": false,
		"device_id": deviceID,
	})
}

const deviceID = "00000000-0000-4000-8000-000000000001"

func (s *Server) list(w http.ResponseWriter) {
	all := map[string]any{}
	for id, b := range s.buckets {
		v := b.describe()
		newest, ok := b.newest()
		switch {
		case s.cfg.Rust:
			delete(v, "name")
			meta := map[string]any{"start": nil, "end": nil}
			if ok {
				meta["start"], meta["end"] = stamp(b.oldest().At), stamp(newest.end())
			}
			v["metadata"], v["events"], v["last_updated"], v["created"] = meta, nil, nil, nil
		case ok:
			v["last_updated"] = stamp(newest.end())
		}
		all[id] = v
	}
	reply(w, http.StatusOK, all)
}

// bucket answers everything below /api/0/buckets/{id}.
func (s *Server) bucket(w http.ResponseWriter, r *http.Request, path []string) {
	route := r.Method + " " + strings.Join(path[1:], "/")
	b, known := s.buckets[path[0]]
	if route == "POST " {
		s.create(w, r, path[0])
		return
	}
	if !known && (r.Method == http.MethodGet || r.Method == http.MethodPost || r.Method == http.MethodDelete) {
		refuse(w, http.StatusNotFound, "There's no bucket named "+path[0])
		return
	}
	switch {
	case route == "GET ":
		reply(w, http.StatusOK, b.describe())
	case route == "DELETE ":
		s.drop(w, r, path[0])
	case route == "POST heartbeat":
		s.heartbeat(w, r, b)
	case route == "GET events":
		s.events(w, r, b)
	case route == "POST events":
		s.insert(w, r, b)
	case route == "GET events/count":
		start, _, _, err := ranged(r, s.cfg.Rust)
		if err != nil {
			s.fail(w, err)
			return
		}
		reply(w, http.StatusOK, len(b.overlapping(start, time.Time{}, s.cfg.Rust)))
	case len(path) == 3 && path[1] == "events":
		s.event(w, r, b, path[2])
	default:
		w.Header().Set("Allow", "OPTIONS, DELETE, POST, GET, PUT, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "The method is not allowed for the requested URL.")
	}
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, id string) {
	var v struct{ Client, Type, Hostname *string }
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil || v.Client == nil || v.Type == nil || v.Hostname == nil {
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	if _, known := s.buckets[id]; known {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	b := &bucket{id: id, kind: *v.Type, client: *v.Client, hostname: *v.Hostname, data: map[string]any{}, created: s.cfg.Now()}
	if b.hostname == "!local" {
		b.hostname, b.data["device_id"] = s.cfg.Hostname, deviceID
	}
	s.buckets[id] = b
	reply(w, http.StatusOK, map[string]any{})
}

func (s *Server) drop(w http.ResponseWriter, r *http.Request, id string) {
	if r.URL.Query().Get("force") != "1" {
		refuse(w, http.StatusUnauthorized, "Deleting buckets is only permitted if aw-server is running in testing mode or if ?force=1")
		return
	}
	delete(s.buckets, id)
	reply(w, http.StatusOK, map[string]any{})
}

func (s *Server) heartbeat(w http.ResponseWriter, r *http.Request, b *bucket) {
	pulse, err := strconv.ParseFloat(r.URL.Query().Get("pulsetime"), 64)
	if err != nil {
		refuse(w, http.StatusBadRequest, "Missing required parameter pulsetime")
		return
	}
	var v wireEvent
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		refuse(w, http.StatusBadRequest, "The browser (or proxy) sent a request that this server could not understand.")
		return
	}
	e, err := v.event()
	if err != nil {
		s.fail(w, err)
		return
	}
	stored, ok := b.merge(e, time.Duration(pulse*float64(time.Second)))
	if !ok {
		stored = s.numbered([]Event{e})[0]
		b.insert(stored)
	}
	reply(w, http.StatusOK, stored.wire())
}

func (s *Server) insert(w http.ResponseWriter, r *http.Request, b *bucket) {
	var raw json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
		refuse(w, http.StatusBadRequest, "no JSON")
		return
	}
	var list []wireEvent
	if json.Unmarshal(raw, &list) != nil {
		list = make([]wireEvent, 1)
		if err := json.Unmarshal(raw, &list[0]); err != nil {
			s.fail(w, err)
			return
		}
	}
	events := make([]Event, len(list))
	for i, v := range list {
		var err error
		if events[i], err = v.event(); err != nil {
			s.fail(w, err)
			return
		}
	}
	b.insert(s.numbered(events)...)
	reply(w, http.StatusOK, nil)
}

func (s *Server) events(w http.ResponseWriter, r *http.Request, b *bucket) {
	start, end, limit, err := ranged(r, s.cfg.Rust)
	if err != nil {
		s.fail(w, err)
		return
	}
	list := []any{}
	for _, e := range b.overlapping(start, end, s.cfg.Rust) {
		if limit >= 0 && len(list) == limit {
			break
		}
		list = append(list, e.clip(start, end).wire())
	}
	reply(w, http.StatusOK, list)
}

func (s *Server) event(w http.ResponseWriter, r *http.Request, b *bucket, number string) {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		page(w, http.StatusNotFound)
		return
	}
	at := b.index(id)
	switch {
	case r.Method == http.MethodDelete:
		n := 0
		if at >= 0 {
			b.events = append(b.events[:at], b.events[at+1:]...)
			n = 1
		}
		reply(w, http.StatusOK, map[string]any{"success": n})
	case at < 0:
		reply(w, http.StatusNotFound, nil)
	default:
		reply(w, http.StatusOK, b.events[at].wire())
	}
}

// ranged reads start, end and limit. Python rounds start down and end up to
// whole milliseconds, the latter also when it is one.
func ranged(r *http.Request, rust bool) (start, end time.Time, limit int, err error) {
	q := r.URL.Query()
	limit = -1
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil {
			return
		}
	}
	if text := q.Get("start"); text != "" {
		if start, err = parseTime(text, rust); err != nil {
			return
		}
	}
	if text := q.Get("end"); text != "" {
		if end, err = parseTime(text, rust); err != nil {
			return
		}
	}
	if !rust {
		start = start.Truncate(time.Millisecond)
		if !end.IsZero() {
			end = end.Truncate(time.Millisecond).Add(time.Millisecond)
		}
	}
	return
}

// fail answers a bad parameter: Python with 500, Rust with 400.
func (s *Server) fail(w http.ResponseWriter, err error) {
	if s.cfg.Rust {
		refuse(w, http.StatusBadRequest, "Failed to parse: "+err.Error())
		return
	}
	refuse(w, http.StatusInternalServerError, "Internal Server Error")
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

func refuse(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]any{"message": message})
}

// page answers as the web framework does where the program is not asked.
func page(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html>\n<title>%d %s</title>\n", status, http.StatusText(status))
}
