// Package site is what an admin looks at in a browser: the week, a member's
// day, the evidence of a proof, what waits for a decision, and the quarantine.
//
// It is meant for the private machine's loopback address and has a login of its
// own all the same: a one-time link from the command line, or a Nostr key by
// NIP-98. Every look at evidence is noted under the admin's name before it is
// shown; where it cannot be noted, nothing is shown.
//
// Pages are made on the server. The only script signs in with a browser's Nostr
// extension and shows pictures large; no page needs it for anything else, and
// the Content-Security-Policy allows no script, style or picture but this
// program's own. What members and foreign servers wrote is text, never markup.
//
// A signed-in browser is known by a cookie that other sites cannot use
// (SameSite=Strict), and each form carries a token as well. Sessions live in
// memory: a restart signs everybody out.
package site

import (
	"context"
	"embed"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"pow.do/services/pow"
)

// Query narrows what is asked for. Zero fields do not narrow.
type Query struct {
	Member   pow.OpaqueID
	Session  pow.SessionID
	Proof    int64
	From, To time.Time
}

// Books is what the pages show.
type Books interface {
	Members(ctx context.Context) ([]pow.Member, error)
	Sessions(ctx context.Context, q Query) ([]pow.SessionReport, error)
	Proofs(ctx context.Context, q Query) ([]pow.ProofReport, error)
	Quarantine(ctx context.Context) ([]pow.Quarantined, error)
	// Report writes a report as html, csv, json or pdf.
	Report(ctx context.Context, w io.Writer, format string, q Query) error
}

// Evidence is what a proof holds. Picture opens the sealed archive:
// pow.ErrNotFound when it is not kept any more.
type Evidence interface {
	Pictures(ctx context.Context, proof int64) ([]pow.Capture, error)
	ActivityIn(ctx context.Context, proof int64) ([]pow.ActivityRow, error)
	Picture(ctx context.Context, proof int64, n int) ([]byte, error)
}

// Decisions are what an admin may do.
type Decisions interface {
	Approve(ctx context.Context, session pow.SessionID, now time.Time) error
	Reject(ctx context.Context, session pow.SessionID, words string, now time.Time) error
	Retry(ctx context.Context, quarantined int64, now time.Time) error
	Drop(ctx context.Context, quarantined int64, now time.Time) error
}

// Doors knows the admins and notes what they look at.
type Doors interface {
	AdminOf(ctx context.Context, identity pow.Key) (name string, err error)
	HasAdmin(ctx context.Context, name string) error
	UseLink(ctx context.Context, hash pow.Hash, now time.Time) (admin string, err error)
	Looked(ctx context.Context, k pow.Look) error
	Looks(ctx context.Context, n int) ([]pow.Look, error)
}

// Config is what a Site is made of.
type Config struct {
	Team string
	Books
	Evidence
	Decisions
	Doors
	// Signer returns whose NIP-98 token it is, for a POST to url.
	Signer func(authorization, url string, now time.Time) (pow.Key, error)
	Zone   *time.Location // of days and times on the pages
	Now    func() time.Time
	Log    *slog.Logger
}

// Site answers a browser.
type Site struct {
	cfg   Config
	pages map[string]*template.Template
	guard *guard
	mux   *http.ServeMux
}

//go:embed pages static
var files embed.FS

// New makes the site; it starts nothing.
func New(cfg Config) *Site {
	s := &Site{cfg: cfg, pages: map[string]*template.Template{}, guard: newGuard(cfg.Doors, cfg.Now), mux: http.NewServeMux()}
	for _, name := range []string{"login", "week", "day", "proof", "waiting", "quarantine", "log", "sorry"} {
		s.pages[name] = template.Must(template.New("layout.html").Funcs(s.funcs()).ParseFS(files, "pages/layout.html", "pages/"+name+".html"))
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	s.mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	s.mux.HandleFunc("GET /login", s.login)
	s.mux.HandleFunc("POST /login", s.signIn)
	s.mux.HandleFunc("POST /login/key", s.signInWithKey)
	s.mux.HandleFunc("POST /logout", s.logout)
	for pattern, f := range map[string]page{
		"GET /{$}": s.home, "GET /week": s.week, "GET /day": s.day, "GET /proof": s.proof, "GET /picture": s.picture, "GET /waiting": s.waiting,
		"GET /quarantine": s.quarantine, "GET /log": s.looks, "GET /report": s.report,
		"POST /approve": s.approve, "POST /refuse": s.refuse, "POST /quarantine/retry": s.retry, "POST /quarantine/drop": s.drop,
	} {
		s.mux.HandleFunc(pattern, s.signedIn(f))
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // no-referrer would take the Origin from our own forms
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.mux.ServeHTTP(w, r)
}

// maxForm bounds what a browser may send, in bytes.
const maxForm = 16 << 10
