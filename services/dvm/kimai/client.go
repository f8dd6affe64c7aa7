package kimai

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"pow.do/services/pow"
)

const (
	atOnce           = 4               // requests under way
	settle           = 5 * time.Second // an unknown request may still run on the server for so long
	defaultTolerance = 15*time.Minute - time.Second
)

// Config says which Kimai, as whom, and how to reach it.
type Config struct {
	// URL is the base, such as https://time.example.com or
	// https://example.com/kimai, without /api.
	URL string
	// Token returns the API token of the DVM's own Kimai user. It is asked
	// before every request and kept nowhere.
	Token func() string
	// HTTP makes the connections. Its redirect policy and cookies are not used.
	HTTP *http.Client
	// AllowPlain permits http:// to a host that is not this machine.
	AllowPlain bool
	// AllowAdminToken permits a token of an administrator, which could write
	// into invoiced and closed periods.
	AllowAdminToken bool
	// Tolerance is how far Kimai may round a time; zero means 14 min 59 s, the
	// largest that still tells rounding from a wrong zone.
	Tolerance time.Duration
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: none
}

// Client is the connection to one Kimai. It is safe for concurrent use: it has
// one request under way for each Kimai user, and four in all.
type Client struct {
	base  string
	cfg   Config
	http  http.Client
	slots chan struct{}
	born  time.Time

	gate    gate
	streaks streaks

	mu    sync.Mutex
	lanes map[int64]*lane
}

// lane is the queue of one Kimai user.
type lane struct {
	turn  chan struct{}
	quiet time.Time // an unknown request may run on the server until then
}

// New checks the configuration; it sends nothing.
func New(cfg Config) (*Client, error) {
	base, err := parseBase(cfg.URL, cfg.AllowPlain)
	if err != nil {
		return nil, fmt.Errorf("kimai: %w", err)
	}
	if cfg.Token == nil || cfg.HTTP == nil {
		return nil, errors.New("kimai: token and HTTP client are needed")
	}
	if cfg.Tolerance < 0 {
		return nil, errors.New("kimai: negative tolerance")
	}
	if cfg.Tolerance == 0 {
		cfg.Tolerance = defaultTolerance
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{
		base: base, cfg: cfg, born: cfg.Now(), slots: make(chan struct{}, atOnce), lanes: map[int64]*lane{},
		http: http.Client{
			Transport:     cfg.HTTP.Transport,
			Timeout:       cfg.HTTP.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func parseBase(raw string, plain bool) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("URL: want https://host/path without user, query and fragment")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && (plain || loopback(u.Hostname())):
	default:
		return "", errors.New("URL: want https, or http to this machine")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// enter waits for the user's turn; leave ends it.
func (c *Client) enter(ctx context.Context, user int64) (l *lane, leave func(), err error) {
	c.mu.Lock()
	l = c.lanes[user]
	if l == nil {
		l = &lane{turn: make(chan struct{}, 1), quiet: c.born.Add(settle)}
		c.lanes[user] = l
	}
	c.mu.Unlock()
	select {
	case l.turn <- struct{}{}:
		return l, func() { <-l.turn }, nil
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("kimai: wait for the member's turn: %w", ctx.Err())
	}
}

// now is the current second in UTC.
func (c *Client) now() time.Time { return c.cfg.Now().UTC().Truncate(time.Second) }

// near tells whether two intervals differ by rounding only.
func (c *Client) near(a, b pow.Interval) bool {
	return a.From.Sub(b.From).Abs() <= c.cfg.Tolerance && a.To.Sub(b.To).Abs() <= c.cfg.Tolerance
}
