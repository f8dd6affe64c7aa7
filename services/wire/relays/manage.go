package relays

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/strictjson"
)

// ErrUnmanaged means that a relay does not speak NIP-86: whoever runs it has to
// remove devices by hand.
var ErrUnmanaged = errors.New("this relay is not managed over the network")

const (
	nipManagement = 86
	kindHTTP      = 27235   // NIP-98
	maxManaged    = 1 << 20 // bytes of an answer
	contentManage = "application/nostr+json+rpc"
)

// Dismiss has a relay take a device off its whitelist, as the DVM whose key the
// Pool has (NIP-86, unallowpubkey). It is no error when the device is not there.
// The origin need not be one of the Pool's, and no connection of it is used.
// Errors: ErrUnmanaged, pow.ErrNotAdmitted when the relay does not take orders
// from this key, pow.ErrOffline; all but the first may be tried again.
func (p *Pool) Dismiss(ctx context.Context, origin string, device pow.Key) error {
	ctx, stop := context.WithTimeout(ctx, infoTime)
	defer stop()
	info, err := p.Info(ctx, origin)
	if err != nil {
		return err
	}
	if !info.Has(nipManagement) {
		return ErrUnmanaged
	}
	m := manager{p, origin, 0}
	var done bool
	refused := m.call(ctx, &done, "unallowpubkey", device.String())
	if refused == nil && done {
		return nil
	}
	if errors.As(refused, new(*pow.Error)) { // it did not come to an answer
		return fmt.Errorf("dismiss a device: %w", refused)
	}
	// Refusals are words for people. What counts is whether the device is there.
	var list []struct {
		PubKey string `json:"pubkey"`
	}
	if err := m.call(ctx, &list, "listallowedpubkeys"); err != nil {
		return fmt.Errorf("dismiss a device: %w", err)
	}
	for _, row := range list {
		if row.PubKey == device.String() {
			return fmt.Errorf("dismiss a device: %w", cmp.Or(refused, errStill))
		}
	}
	return nil
}

var errStill = errors.New("the relay still admits it")

// manager makes calls to one relay.
type manager struct {
	pool   *Pool
	origin string
	skew   time.Duration // how far its clock is ahead
}

// call calls a method. An error that is no *pow.Error is the relay's own refusal.
func (m *manager) call(ctx context.Context, into any, method string, params ...string) error {
	body, err := json.Marshal(map[string]any{"method": method, "params": append([]string{}, params...)})
	if err != nil {
		return err
	}
	status, answer, err := m.post(ctx, body)
	if status == http.StatusUnauthorized && err == nil && m.skew != 0 { // our clock is wrong, or theirs
		status, answer, err = m.post(ctx, body)
	}
	switch {
	case err != nil:
		return pow.ErrOffline.With(err)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return pow.ErrNotAdmitted.With(fmt.Errorf("HTTP status %d", status))
	case status != http.StatusOK:
		return pow.ErrOffline.With(fmt.Errorf("HTTP status %d", status))
	}
	var reply struct {
		Result json.RawMessage `json:"result"`
		Error  string          `json:"error"`
	}
	if err := strictjson.Unmarshal(answer, &reply); err != nil {
		return pow.ErrOffline.With(errors.New("the answer is not one of NIP-86"))
	}
	if reply.Error != "" {
		return errors.New(pow.Clean(reply.Error))
	}
	if err := json.Unmarshal(reply.Result, into); err != nil {
		return errors.New("the result is not what was asked for")
	}
	return nil
}

// post sends a signed body, and learns from the answer's Date how far the
// relay's clock is ahead when it is far enough to matter.
func (m *manager) post(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	url := "http" + strings.TrimPrefix(m.origin, "ws") + "/"
	now := m.pool.c.Now()
	token, err := m.token(url, body, now.Add(m.skew))
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", contentManage)
	req.Header.Set("Authorization", token)
	resp, err := m.pool.c.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	m.skew = 0
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		if d := at.Sub(now); d > tokenSlack || d < -tokenSlack {
			m.skew = d
		}
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxManaged+1))
	if err == nil && len(answer) > maxManaged {
		err = errors.New("the answer is too long")
	}
	return resp.StatusCode, answer, err
}

// tokenSlack is how far clocks may differ before a token is dated by the
// relay's; relays take ± 60 s.
const tokenSlack = 30 * time.Second

// token signs a request (NIP-98).
func (m *manager) token(url string, body []byte, at time.Time) (string, error) {
	sum := sha256.Sum256(body)
	e := &event.Event{Kind: kindHTTP, CreatedAt: event.Timestamp(at.Unix()), Tags: event.Tags{
		{"u", url}, {"method", http.MethodPost}, {"payload", hex.EncodeToString(sum[:])}}}
	if err := m.pool.c.Key.Sign(e); err != nil {
		return "", fmt.Errorf("sign the request: %w", err)
	}
	return "Nostr " + base64.StdEncoding.EncodeToString(event.Marshal(e)), nil
}
