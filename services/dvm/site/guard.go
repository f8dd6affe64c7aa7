package site

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"pow.do/services/pow"
)

const (
	cookieName  = "powdo"
	signedInFor = 8 * time.Hour
	maxSignedIn = 64
)

// visit is one signed-in browser.
type visit struct {
	admin string
	form  string // the token of its forms
	ends  time.Time
}

// guard knows the signed-in browsers, by the hash of their cookie.
type guard struct {
	doors Doors
	now   func() time.Time

	mu     sync.Mutex
	visits map[[32]byte]visit
	tokens map[string]time.Time // NIP-98 tokens that were used, until they are over
}

func newGuard(d Doors, now func() time.Time) *guard {
	return &guard{doors: d, now: now, visits: map[[32]byte]visit{}, tokens: map[string]time.Time{}}
}

// admit signs a browser in.
func (g *guard) admit(w http.ResponseWriter, admin string) {
	secret := rand.Text()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep()
	if len(g.visits) >= maxSignedIn { // the one that ends first makes room
		var first [32]byte
		for h, v := range g.visits {
			if old, ok := g.visits[first]; !ok || v.ends.Before(old.ends) {
				first = h
			}
		}
		delete(g.visits, first)
	}
	g.visits[sha256.Sum256([]byte(secret))] = visit{admin: admin, form: rand.Text(), ends: g.now().Add(signedInFor)}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(signedInFor / time.Second)})
}

func (g *guard) sweep() {
	now := g.now()
	for h, v := range g.visits {
		if !now.Before(v.ends) {
			delete(g.visits, h)
		}
	}
	for t, ends := range g.tokens {
		if !now.Before(ends) {
			delete(g.tokens, t)
		}
	}
}

// once tells whether a token was not used before.
func (g *guard) once(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep()
	_, used := g.tokens[token]
	g.tokens[token] = g.now().Add(5 * time.Minute)
	return !used
}

// of returns the visit of a request. An admin who was removed is signed out.
func (g *guard) of(ctx context.Context, r *http.Request) (visit, error) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return visit{}, pow.ErrNotFound
	}
	g.mu.Lock()
	v, ok := g.visits[sha256.Sum256([]byte(c.Value))]
	g.mu.Unlock()
	if !ok || !g.now().Before(v.ends) {
		return visit{}, pow.ErrNotFound
	}
	return v, g.doors.HasAdmin(ctx, v.admin)
}

func (g *guard) leave(r *http.Request) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.visits, sha256.Sum256([]byte(c.Value)))
}

var errForeign = errors.New("the request came from another site")

// own refuses what another site made the browser send.
func own(r *http.Request) error {
	if f := r.Header.Get("Sec-Fetch-Site"); f != "" && f != "same-origin" {
		return errForeign
	}
	if o := r.Header.Get("Origin"); o != "" {
		u, err := url.Parse(o)
		if err != nil || u.Host != r.Host {
			return errForeign
		}
	}
	return nil
}

// formOK tells whether a form is one of this visit's.
func (v visit) formOK(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.PostFormValue("form")), []byte(v.form)) == 1
}

// login shows the way in.
func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	s.show(w, http.StatusOK, "login", visit{}, map[string]any{"Key": r.URL.Query().Get("key")})
}

// signIn takes a one-time link. It is a form, so that a program that only looks
// at links does not use them up.
func (s *Site) signIn(w http.ResponseWriter, r *http.Request) {
	if own(r) != nil {
		s.sorry(w, http.StatusForbidden, "This came from another site.")
		return
	}
	admin, err := s.cfg.UseLink(r.Context(), sha256.Sum256([]byte(r.PostFormValue("key"))), s.cfg.Now())
	if err != nil {
		s.show(w, http.StatusForbidden, "login", visit{}, map[string]any{"Problem": "This link was used already, or is over. Ask for a new one: powdo-server admins link NAME"})
		return
	}
	s.enter(w, r, admin, "link")
}

// signInWithKey takes a NIP-98 token from the page's script and answers with
// 204, or with one line that says why not.
func (s *Site) signInWithKey(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("Authorization")
	key, err := s.cfg.Signer(token, "http://"+r.Host+r.URL.Path, s.cfg.Now())
	if err != nil || own(r) != nil || !s.guard.once(token) {
		http.Error(w, "This signature does not open the door.", http.StatusForbidden)
		return
	}
	admin, err := s.cfg.AdminOf(r.Context(), key)
	if err != nil {
		http.Error(w, "No admin has this key.", http.StatusForbidden)
		return
	}
	if err := s.note(r.Context(), admin, "signed-in", "key"); err != nil {
		http.Error(w, "The log cannot be written; nothing is shown.", http.StatusServiceUnavailable)
		return
	}
	s.guard.admit(w, admin)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Site) enter(w http.ResponseWriter, r *http.Request, admin, by string) {
	if err := s.note(r.Context(), admin, "signed-in", by); err != nil {
		s.fail(w, err)
		return
	}
	s.guard.admit(w, admin)
	http.Redirect(w, r, "/week", http.StatusSeeOther)
}

func (s *Site) logout(w http.ResponseWriter, r *http.Request) {
	if own(r) == nil {
		s.guard.leave(r)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// page answers a signed-in admin. What it returns is shown as a sentence.
type page func(w http.ResponseWriter, r *http.Request, v visit) error

func (s *Site) signedIn(f page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := s.guard.of(r.Context(), r)
		if err != nil {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		if r.Method == http.MethodPost && (own(r) != nil || !v.formOK(r)) {
			s.sorry(w, http.StatusForbidden, "This form is not from this page, or is too old. Go back, reload, and try again.")
			return
		}
		if err := f(w, r, v); err != nil {
			s.fail(w, err)
		}
	}
}

func (s *Site) note(ctx context.Context, admin, act, target string) error {
	return s.cfg.Looked(ctx, pow.Look{At: s.cfg.Now(), Admin: admin, Act: act, Target: target})
}
