package kimai

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"pow.do/services/pow"
)

const (
	requestTimeout = 30 * time.Second
	pageSize       = 500
	maxPages       = 200
)

// body is what a create or change sends; fields that are nil are not sent.
type body struct {
	Project     int64   `json:"project,omitempty"`
	Activity    int64   `json:"activity,omitempty"`
	User        int64   `json:"user,omitempty"`
	Begin       string  `json:"begin,omitempty"`
	End         string  `json:"end,omitempty"`
	Description *string `json:"description,omitempty"`
}

func (b body) fields() (names []string) {
	add := func(name string, sent bool) {
		if sent {
			names = append(names, name)
		}
	}
	add("user", b.User != 0)
	add("project", b.Project != 0)
	add("activity", b.Activity != 0)
	add("begin", b.Begin != "")
	add("end", b.End != "")
	add("description", b.Description != nil)
	return names
}

// request is one call below /api/.
type request struct {
	kind  kind
	path  string
	query url.Values
	body  *body
}

func (r request) method() string {
	switch r.kind {
	case create:
		return http.MethodPost
	case change:
		return http.MethodPatch
	}
	return http.MethodGet
}

// do makes one request and reads its answer into v, which may be nil. Every
// error is a *failure.
func (c *Client) do(ctx context.Context, r request, v any) (http.Header, error) {
	a, f := c.exchange(ctx, r)
	if f == nil {
		var sent []string
		if r.body != nil {
			sent = r.body.fields()
		}
		f = classify(r.kind, sent, a, c.cfg.Now())
	}
	if f == nil && v != nil {
		if err := decode(a.body, v); err != nil {
			f = &failure{class: lost(r.kind), status: a.status, strike: true, err: err}
		}
	}
	if f != nil {
		f.text = c.scrub(f.text)
		return nil, c.count(f)
	}
	c.streaks.garbage.Store(0)
	return a.header, nil
}

// scrub takes the token out of a text of the server.
func (c *Client) scrub(text string) string {
	if t := c.cfg.Token(); t != "" {
		text = strings.ReplaceAll(text, t, "…")
	}
	return text
}

// exchange sends the request and reads the whole answer.
func (c *Client) exchange(ctx context.Context, r request) (*answer, *failure) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, &failure{class: again, err: ctx.Err()}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var t trace
	req, err := c.request(t.watch(ctx), r)
	if err != nil {
		return nil, &failure{class: stop, err: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, t.failure(r, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, &failure{class: lost(r.kind), err: fmt.Errorf("%s %s: answer cut: %w", r.method(), r.path, err)}
	case len(b) > maxBody:
		return nil, &failure{class: lost(r.kind), status: resp.StatusCode, strike: true, err: fmt.Errorf("%w: too large", errShape)}
	}
	return &answer{resp.StatusCode, resp.Header, b}, nil
}

func (c *Client) request(ctx context.Context, r request) (*http.Request, error) {
	token := c.cfg.Token()
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token is empty or has characters that no token has")
	}
	var payload io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(b)
	}
	target := c.base + "/api/" + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method(), target, payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// trace sees whether a connection was asked for and had; what was sent over it
// may have been executed.
type trace struct{ asked, had atomic.Bool }

func (t *trace) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.had.Store(true) },
	})
}

// failure classifies an error without an answer. The URL of the request is left
// out of its text.
func (t *trace) failure(r request, err error) *failure {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	f := &failure{class: lost(r.kind), err: fmt.Errorf("%s %s: %w", r.method(), r.path, err)}
	var dial *net.OpError
	switch {
	case untrusted(err):
		f.class = stop
	case t.asked.Load() && !t.had.Load(), errors.As(err, &dial) && dial.Op == "dial":
		f.class = again
	}
	return f
}

// untrusted tells whether the server's certificate was refused.
func untrusted(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.HostnameError)) ||
		errors.As(err, new(x509.UnknownAuthorityError)) || errors.As(err, new(x509.CertificateInvalidError))
}

// record reads one record by its id.
func (c *Client) record(ctx context.Context, id int64) (*record, error) {
	var r record
	if _, err := c.do(ctx, request{kind: one, path: sheetPath(id)}, &r); err != nil {
		return nil, err
	}
	if r.id != id {
		return nil, &failure{class: stop, status: http.StatusOK, err: errors.New("asked for one record, got another")}
	}
	return &r, nil
}

// patch changes a record. An empty body moves it to its owner's zone.
func (c *Client) patch(ctx context.Context, id int64, b body) (*record, error) {
	var r record
	_, err := c.do(ctx, request{kind: change, path: sheetPath(id), body: &b}, &r)
	if f := (*failure)(nil); errors.As(err, &f) && f.class == ask && f.status < 300 {
		return c.record(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	if r.id != id {
		return nil, &failure{class: stop, status: http.StatusOK, err: errors.New("changed one record, got another")}
	}
	return &r, nil
}

func sheetPath(id int64) string { return "timesheets/" + number64(id) }

// records lists the records of one member, and only of that member: for a user
// that does not exist Kimai answers with the caller's own list.
func (c *Client) records(ctx context.Context, user int64, filter url.Values) ([]record, error) {
	q := url.Values{
		"user": {number64(user)}, "orderBy": {"id"}, "order": {"ASC"}, "size": {strconv.Itoa(pageSize)},
	}
	for k, v := range filter {
		q[k] = v
	}
	var out []record
	seen := map[int64]bool{}
	for page := 1; page <= maxPages; page++ {
		q.Set("page", strconv.Itoa(page))
		rows, last, err := c.page(ctx, q, page)
		if err != nil {
			return nil, err
		}
		fresh := false
		for _, r := range rows {
			if r.user != user {
				return nil, &failure{class: park, reason: pow.ParkUserUnmapped, status: http.StatusOK,
					err: errors.New("asked for the records of one user, got another's: no such user, or view_other_timesheet is missing")}
			}
			if !seen[r.id] {
				seen[r.id], fresh = true, true
				out = append(out, r)
			}
		}
		if last || !fresh {
			break
		}
	}
	return out, nil
}

// page reads one page; a page behind the end is a 404.
func (c *Client) page(ctx context.Context, q url.Values, n int) (rows []record, last bool, err error) {
	h, err := c.do(ctx, request{kind: list, path: "timesheets", query: q}, &rows)
	if f := (*failure)(nil); errors.As(err, &f) && f.status == http.StatusNotFound && n > 1 {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	pages, err := strconv.Atoi(h.Get("X-Total-Pages"))
	return rows, err != nil && len(rows) < pageSize || err == nil && n >= pages, nil
}
