package kimaitest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP answers as Kimai does. One request is worked on at a time.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return
	}
	leave := s.arrive(r, b)
	defer leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.world.Now().UTC().Format(http.TimeFormat))
	s.calls = append(s.calls, r.Method+" "+r.URL.RequestURI())
	s.route(&reply{w}, r, b)
}

// arrive notes which member a write is for, to see whether two meet.
func (s *Server) arrive(r *http.Request, b []byte) (leave func()) {
	if r.Method == http.MethodGet {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var f struct{ User int64 }
	_ = json.Unmarshal(b, &f)
	if id, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/api/timesheets/"), 10, 64); err == nil && s.record(id) != nil {
		f.User = s.record(id).User
	}
	s.busy[f.User]++
	s.raced = s.raced || s.busy[f.User] > 1
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.busy[f.User]--
	}
}

// reply writes Kimai's answers.
type reply struct{ w http.ResponseWriter }

func (r *reply) json(status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a value of this package
	}
	r.w.Header().Set("Content-Type", "application/json")
	r.w.WriteHeader(status)
	_, _ = r.w.Write(b)
}

func (r *reply) status(code int) {
	text := http.StatusText(code)
	r.json(code, map[string]any{"code": code, "message": text})
}

func (s *Server) route(w *reply, r *http.Request, body []byte) {
	path := r.URL.Path
	if path != "/api" && !strings.HasPrefix(path, "/api/") {
		w.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.w.Header().Set("Location", "/en/login")
		w.w.WriteHeader(http.StatusFound)
		return
	}
	u := s.authenticate(w, r)
	if u == nil {
		return
	}
	if strings.HasSuffix(path, "/") {
		w.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.w.Header().Set("Location", "http://"+r.Host+strings.TrimSuffix(r.URL.RequestURI(), "/"))
		w.w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	s.dispatch(w, r, u, strings.TrimPrefix(path, "/api/"), body)
}

// authenticate returns nil after an answer.
func (s *Server) authenticate(w *reply, r *http.Request) *User {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok && r.Header.Get("X-Auth-User") != "":
		w.json(http.StatusForbidden, object{"message": "Invalid credentials"})
		return nil
	case !ok:
		w.status(http.StatusUnauthorized)
		return nil
	}
	for i := range s.world.Users {
		u := &s.world.Users[i]
		if token != "TEST-TOKEN-"+u.Name || u.Disabled {
			continue
		}
		if !s.may(u, "api_access") {
			w.status(http.StatusForbidden)
			return nil
		}
		return u
	}
	w.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token",error_description="Invalid credentials."`)
	w.w.Header().Set("Content-Type", "application/json")
	w.w.WriteHeader(http.StatusUnauthorized)
	return nil
}

func (s *Server) dispatch(w *reply, r *http.Request, u *User, path string, body []byte) {
	get := r.Method == http.MethodGet
	id, single := strings.CutPrefix(path, "timesheets/")
	n, err := strconv.ParseInt(id, 10, 64)
	switch {
	case get && path == "ping":
		w.json(http.StatusOK, map[string]string{"message": "pong"})
	case get && path == "version":
		w.json(http.StatusOK, s.version())
	case get && path == "config/timesheet":
		w.json(http.StatusOK, s.config())
	case get && path == "users/me":
		w.json(http.StatusOK, s.showMe(u))
	case get && path == "users":
		s.listUsers(w, r, u)
	case get && strings.HasPrefix(path, "users/"):
		w.status(http.StatusForbidden)
	case get && path == "customers":
		w.json(http.StatusOK, []any{s.showCustomer(u)})
	case get && path == "projects":
		s.listProjects(w, r, u)
	case get && path == "activities":
		s.listActivities(w, r, u)
	case path == "timesheets" && get:
		s.list(w, r, u)
	case path == "timesheets" && r.Method == http.MethodPost:
		s.create(w, u, jsonOnly(r, body))
	case path == "timesheets":
		w.w.Header().Set("Allow", "GET, POST")
		w.status(http.StatusMethodNotAllowed)
	case single && err == nil && get:
		s.show(w, u, s.record(n))
	case single && err == nil && r.Method == http.MethodPatch:
		s.change(w, u, s.record(n), jsonOnly(r, body))
	case single && err == nil && r.Method == http.MethodDelete && u.Role == RoleDVM:
		w.status(http.StatusForbidden)
	default:
		w.status(http.StatusNotFound)
	}
}

// jsonOnly drops a body of another type, as Kimai does.
func jsonOnly(r *http.Request, body []byte) []byte {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return []byte("{}")
	}
	return body
}
