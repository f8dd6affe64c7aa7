package kimaitest

import (
	"net/http"
	"net/http/httptest"
	"sync"
)

// Fault stands in front of a server and spoils single answers.
type Fault struct {
	Next http.Handler

	mu   sync.Mutex
	plan []plan
}

type plan struct {
	match func(*http.Request) bool
	spoil Spoil
}

// Spoil is what happens to one request.
type Spoil func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Once spoils the next request that match accepts, after those planned before.
func (f *Fault) Once(match func(*http.Request) bool, s Spoil) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = append(f.plan, plan{match, s})
}

// Method matches requests by their method.
func Method(m string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == m }
}

// ServeHTTP passes on what is not planned.
func (f *Fault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := f.take(r); s != nil {
		s(w, r, f.Next)
		return
	}
	f.Next.ServeHTTP(w, r)
}

func (f *Fault) take(r *http.Request) Spoil {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range f.plan {
		if p.match(r) {
			f.plan = append(f.plan[:i], f.plan[i+1:]...)
			return p.spoil
		}
	}
	return nil
}

// Lose lets the server act and drops the connection instead of the answer.
func Lose() Spoil { return Cut(-1) }

// Refuse drops the connection before the server sees the request.
func Refuse() Spoil {
	return func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }
}

// Cut lets the server act, sends the headers and the first k bytes of its answer
// and drops the connection; with k below zero nothing is sent at all.
func Cut(k int) Spoil {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		if k < 0 {
			panic(http.ErrAbortHandler)
		}
		copyHeader(w, rec)
		w.Header().Set("Content-Length", "8388608") // more than will come
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes()[:min(k, rec.Body.Len())])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// Hold lets the server act and keeps the answer back until release is closed or
// the caller has gone. started is closed when the server has acted.
func Hold(started chan<- struct{}, release <-chan struct{}) Spoil {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		close(started)
		select {
		case <-release:
		case <-r.Context().Done():
		}
		copyHeader(w, rec)
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}
}

// Answer answers instead of the server, which does not act. header is a list of
// names and values.
func Answer(status int, body string, header ...string) Spoil {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { answer(w, status, body, header) }
}

// Replace lets the server act and answers something else.
func Replace(status int, body string, header ...string) Spoil {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		answer(w, status, body, header)
	}
}

func answer(w http.ResponseWriter, status int, body string, header []string) {
	w.Header().Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func copyHeader(w http.ResponseWriter, from *httptest.ResponseRecorder) {
	for k, v := range from.Header() {
		w.Header()[k] = v
	}
}
