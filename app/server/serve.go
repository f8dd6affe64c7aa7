package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"pow.do/app/cli"
)

// shutdownTime is how long requests under way may take after SIGTERM.
const shutdownTime = 8 * time.Second

// readyLine is what a server prints, once, when it is ready to serve; the same
// is kept in ready.json so that `invite` knows where a hub on port 0 is.
type readyLine struct {
	Ready   bool   `json:"ready"`
	Relay   string `json:"relay,omitempty"`
	Blossom string `json:"blossom,omitempty"`
	Admin   string `json:"admin,omitempty"`
	Listen  string `json:"listen,omitempty"` // host:port of the hub
	DVMNpub string `json:"dvm_npub,omitempty"`
}

const readyFile = "ready.json"

func (p *program) sayReady(dir string, r readyLine) error {
	r.Ready = true
	kept := r
	if last := lastReady(dir); kept.Relay == "" { // the other role may run as a program of its own
		kept.Relay, kept.Blossom = last.Relay, last.Blossom
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	if err := writeDurably(filepath.Join(dir, readyFile), b); err != nil {
		return fmt.Errorf("note where the server listens: %w", err)
	}
	return cli.JSON(p.s.Out, r)
}

func lastReady(dir string) (r readyLine) {
	b, err := os.ReadFile(filepath.Join(dir, readyFile))
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return readyLine{}
	}
	return r
}

// group runs parts side by side: the first that ends, ends all.
type group struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan error
	n      int
}

func newGroup(ctx context.Context) *group {
	ctx, cancel := context.WithCancel(ctx)
	return &group{ctx: ctx, cancel: cancel, done: make(chan error)}
}

func (g *group) add(name string, run func(context.Context) error) {
	g.n++
	go func() {
		err := run(g.ctx)
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		g.done <- err
	}()
}

func (g *group) wait() (err error) {
	defer g.cancel()
	for range g.n {
		e := <-g.done
		g.cancel()
		if !errors.Is(e, context.Canceled) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// serveHTTP answers on ln until ctx ends; requests under way may finish.
func serveHTTP(ctx context.Context, ln net.Listener, srv *http.Server) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		err := srv.Shutdown(late)
		if err != nil {
			err = srv.Close()
		}
		stopped <- err
	})
	err := srv.Serve(ln)
	if stop() { // it ended by itself
		return err
	}
	return <-stopped
}

// admin answers /healthz, /readyz and /metrics for the operator, on loopback.
type admin struct {
	ready    atomic.Bool
	probe    func(context.Context) error // asks the parts; nil: none has anything to say
	registry *prometheus.Registry
	site     http.Handler // of the DVM; nil where there is none
}

func newAdmin() *admin { return &admin{registry: prometheus.NewRegistry()} }

func (a *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		err := errors.New("not ready")
		if a.ready.Load() {
			err = a.ask(r.Context())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{}))
	if a.site != nil {
		mux.Handle("/", a.site)
	}
	return localOnly(mux)
}

func (a *admin) ask(ctx context.Context) error {
	if a.probe == nil {
		return nil
	}
	return a.probe(ctx)
}

// localOnly refuses requests whose Host is a name: a page that rebinds its name
// to a loopback address must not read the metrics.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if host != "localhost" && net.ParseIP(host) == nil {
			http.Error(w, "name the server by its address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *admin) serve(ctx context.Context, ln net.Listener) error {
	return serveHTTP(ctx, ln, &http.Server{Handler: a.handler(), ReadHeaderTimeout: 3 * time.Second, MaxHeaderBytes: 16 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second})
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		err = fmt.Errorf("listen on %s: %w", addr, err)
	}
	return ln, err
}
