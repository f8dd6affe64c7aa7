package relays

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/strictjson"
)

// Info is what pow.do wants to know of a relay's NIP-11 document. All of it is
// the relay's own word.
type Info struct {
	Name         string // cut and cleaned
	Software     string // cut and cleaned
	NIPs         []int
	AuthRequired bool
}

// Has tells whether the relay says that it supports a NIP.
func (i Info) Has(nip int) bool { return slices.Contains(i.NIPs, nip) }

const (
	infoTime  = 30 * time.Second
	maxInfo   = 64 << 10
	nipAccess = 43 // requests to join
)

// Info reads the relay's NIP-11 document. It needs no connection of the Pool,
// and the origin need not be one of its relays.
func (p *Pool) Info(ctx context.Context, origin string) (Info, error) {
	ctx, stop := context.WithTimeout(ctx, infoTime)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http"+strings.TrimPrefix(origin, "ws"), nil)
	if err != nil {
		return Info{}, fmt.Errorf("relay information: %w", err)
	}
	req.Header.Set("Accept", "application/nostr+json")
	resp, err := p.c.HTTP.Do(req)
	if err != nil {
		return Info{}, pow.ErrOffline.With(fmt.Errorf("relay information: %w", err))
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxInfo+1))
	if err != nil {
		return Info{}, pow.ErrOffline.With(fmt.Errorf("relay information: %w", err))
	}
	if resp.StatusCode != http.StatusOK || len(b) > maxInfo {
		return Info{}, fmt.Errorf("relay information: HTTP status %d, %d bytes", resp.StatusCode, len(b))
	}
	return parseInfo(b)
}

func parseInfo(b []byte) (Info, error) {
	var doc struct {
		Name       string            `json:"name"`
		Software   string            `json:"software"`
		NIPs       []json.RawMessage `json:"supported_nips"`
		Limitation struct {
			Auth bool `json:"auth_required"`
		} `json:"limitation"`
	}
	if err := strictjson.Unmarshal(b, &doc); err != nil {
		return Info{}, fmt.Errorf("relay information: %w", err)
	}
	i := Info{Name: pow.Clean(doc.Name), Software: pow.Clean(doc.Software), AuthRequired: doc.Limitation.Auth}
	for _, raw := range doc.NIPs { // some relays list "7D" and the like
		var n int
		if json.Unmarshal(raw, &n) == nil {
			i.NIPs = append(i.NIPs, n)
		}
	}
	return i, nil
}

// Join asks a relay of the Pool to admit the Pool's key (NIP-43, kind 28934)
// with a hub claim. A relay that does not list NIP-43 admits its users in ways
// of its own: then nothing is sent and the Answer is true with the prefix info.
// Afterwards the subscriptions that were refused are asked for again.
func (p *Pool) Join(ctx context.Context, origin, hubClaim string) (pow.Answer, error) {
	r, err := p.relay(origin)
	if err != nil {
		return pow.Answer{}, err
	}
	info, err := p.Info(ctx, origin)
	if err != nil {
		return pow.Answer{}, err
	}
	if !info.Has(nipAccess) {
		return pow.Answer{OK: true, Prefix: "info", Text: "this relay takes no requests to join"}, nil
	}
	wait, stop := context.WithTimeout(ctx, okTime)
	defer stop()
	c, err := r.connection(wait)
	if err != nil {
		return pow.Answer{}, err
	}
	e := &event.Event{Kind: 28934, CreatedAt: event.Timestamp(c.now().Unix()), Tags: event.Tags{{"-"}, {"claim", hubClaim}}}
	if err := p.c.Key.Sign(e); err != nil {
		return pow.Answer{}, fmt.Errorf("sign the request to join: %w", err)
	}
	a, err := p.Publish(ctx, origin, event.Marshal(e))
	if err == nil && a.OK {
		r.nudge()
	}
	return a, err
}
