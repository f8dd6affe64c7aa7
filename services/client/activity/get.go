package activity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits of one request.
const (
	connectTimeout = 2 * time.Second
	requestTimeout = 10 * time.Second
	maxBody        = 8 << 20 // bytes
)

// Classes of refusals that no caller outside needs to tell apart.
var (
	errNoBucket = errors.New("no such bucket")
	errRequest  = errors.New("the request was refused")
	errInternal = errors.New("a fault of the server")
	errBusy     = errors.New("the server is busy")
)

// loopback parses an address and refuses all that is not on this computer.
func loopback(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, ErrAddress // err would quote the address
	}
	if u.Scheme != "http" || (u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost") ||
		u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return nil, ErrAddress
	}
	if u.Port() == "" {
		u.Host += ":5600"
	}
	return &url.URL{Scheme: "http", Host: u.Host}, nil
}

// newHTTP returns a client that reaches nothing but 127.0.0.1: whatever a name
// resolves to, whatever proxy the environment sets, wherever a reply redirects.
func newHTTP(port string) *http.Client {
	dialer := net.Dialer{Timeout: connectTimeout}
	return &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
			},
			DisableKeepAlives:      true, // a few requests every ten minutes
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get fetches a path. Faults that pass by themselves are tried again: 500 once,
// 503 three times. A 401 is answered with the key of the server's config file,
// then with the one of the settings.
func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		body, err := c.unlocked(ctx, path)
		var wait time.Duration
		switch {
		case errors.Is(err, errInternal) && attempt == 1:
			wait = 2 * time.Second
		case errors.Is(err, errBusy) && attempt <= 3:
			wait = time.Second
		default:
			return body, err
		}
		if err := c.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// unlocked fetches a path, with another key where the last one is refused.
func (c *Client) unlocked(ctx context.Context, path string) ([]byte, error) {
	body, err := c.once(ctx, path)
	if !errors.Is(err, ErrLocked) {
		return body, err
	}
	refused := c.key
	for _, key := range append(keysFor(c.cfg.KeyFiles, c.base.Port()), c.cfg.Key) {
		if key == "" || key == refused {
			continue
		}
		c.key = key
		if body, err := c.once(ctx, path); !errors.Is(err, ErrLocked) {
			return body, err
		}
	}
	c.key = ""
	return nil, err
}

// once sends one request and reads one bounded reply.
func (c *Client) once(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String()+path, nil)
	if err != nil {
		return nil, errRequest // err would quote the path
	}
	req.Header.Set("Accept", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, ErrAbsent.With(pathless(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, ErrAbsent.With(err)
	}
	if err := judge(resp.StatusCode, resp.Header.Get("Content-Type"), body); err != nil {
		return nil, err
	}
	return body, nil
}

// pathless strips the URL, which names a bucket, from a request's error.
func pathless(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// judge gives a reply its class. Texts differ between servers and are not
// looked at, but for the guard of the Host header.
func judge(status int, contentType string, body []byte) error {
	switch {
	case status == http.StatusOK:
		if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
			return ErrForeign.With(errors.New("the reply is not JSON"))
		}
		if len(body) > maxBody {
			return ErrForeign.With(errors.New("the reply is too large"))
		}
		return nil
	case status >= 300 && status < 400:
		return ErrForeign.With(errors.New("the reply is a redirect"))
	case status == http.StatusBadRequest && strings.Contains(string(body[:min(len(body), 200)]), "host header"):
		return ErrAddress.With(errors.New("the server refused the Host header"))
	case status == http.StatusUnauthorized:
		return ErrLocked
	case status == http.StatusNotFound:
		return errNoBucket
	case status == http.StatusServiceUnavailable:
		return errBusy
	case status >= 500:
		return errInternal
	}
	return fmt.Errorf("%w: status %d", errRequest, status)
}
