package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"pow.do/services/client/outbox"
	"pow.do/services/pow"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/relays"
)

// appName is what archives and letters say of the program that made them.
const appName = "powdo/" + Version

// link is the connection to a team: mailbox, file servers and outbox, for one
// set of keys and one team. When either changes, a new one is built.
type link struct {
	pool    *relays.Pool
	blossom *blossom.Client
	outbox  *outbox.Outbox
	relays  []string
	servers []string
}

// relinkAfter is how long a link that failed is left alone.
const relinkAfter = 10 * time.Second

// Deliver carries proofs out and receipts in until ctx ends, whenever there are
// keys and a team.
func (a *Agent) Deliver(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.deliverOnce(ctx); err != nil && ctx.Err() == nil {
			a.warn("delivery", err)
			sleep(ctx, relinkAfter)
		}
	}
	return nil
}

// deliverOnce runs one link until ctx ends, keys or team change, or it fails.
func (a *Agent) deliverOnce(ctx context.Context) error {
	n := a.newLink()
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	if n != nil {
		go func() { done <- n.run(running, a) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-a.renew:
	case err = <-done:
		n = nil
	}
	a.mu.Lock()
	a.net = nil
	a.mu.Unlock()
	stop()
	if n != nil {
		err = <-done
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (n *link) run(ctx context.Context, a *Agent) error {
	parts := []func(context.Context) error{n.pool.Run, a.watchConnections(n)}
	if n.outbox != nil {
		parts = append(parts, n.outbox.Run)
	}
	return together(ctx, parts...)
}

// newLink builds the link for the present keys and team; nil when one is missing.
func (a *Agent) newLink() *link {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.renew: // older than what is read now
	default:
	}
	if a.keys == nil || a.team == nil {
		return nil
	}
	t, keys := *a.team, a.keys
	n := &link{relays: union(t.relays(), t.Relays), servers: union(t.blossom(), t.Blossom)}
	known := hostsOf(n.relays, n.servers)
	client := a.dialer.HTTPClient(func(host string) bool { return known[host] })
	device := keys.device.Public()
	inbox := &inbox{agent: a, link: n, reader: envelope.Reader{Me: keys.device, Kinds: []int{envelope.KindReceipt, envelope.KindCatalogue},
		Allow: func(author pow.Key) bool { return author == t.DVM }}, dvm: t.DVM, device: keys.device}
	n.pool = relays.New(relays.Config{Origins: n.relays, Key: keys.device, HTTP: client, Log: a.log, Handle: inbox.take,
		Filters: []relays.Filter{{Kinds: []int{envelope.KindWrap}, P: []pow.Key{device}, Limit: 500}, announcementFilter(t.DVM)}})
	n.blossom = blossom.New(blossom.Config{Key: keys.device, HTTP: client, Log: a.log})
	if t.Code != "" {
		n.outbox = a.newOutbox(n, keys, t.DVM)
	}
	a.net = n
	return n
}

// union returns a, and what of b is not in it. Who joins a team again, perhaps
// with a link that names new places, needs both.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func hostsOf(lists ...[]string) map[string]bool {
	hosts := map[string]bool{}
	for _, list := range lists {
		for _, origin := range list {
			if u, err := url.Parse(origin); err == nil {
				hosts[u.Hostname()] = true
			}
		}
	}
	return hosts
}

// renewLink makes Deliver build a new link.
func (a *Agent) renewLink() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.renewLocked()
}

func (a *Agent) renewLocked() {
	a.net = nil
	select {
	case a.renew <- struct{}{}:
	default:
	}
}

// linked waits until there is a link.
func (a *Agent) linked(ctx context.Context) (*link, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		a.mu.Lock()
		n := a.net
		a.mu.Unlock()
		if n != nil {
			return n, nil
		}
		select {
		case <-ctx.Done():
			return nil, pow.ErrTimeout
		case <-tick.C:
		}
	}
}

// watchConnections tells the watchers when a relay's state changes.
func (a *Agent) watchConnections(n *link) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		was := ""
		for {
			if is := fmt.Sprint(n.pool.Connections()); is != was {
				was = is
				a.changed()
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	}
}

// kick makes the outbox look again now.
func (a *Agent) kick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.net != nil && a.net.outbox != nil {
		a.net.outbox.Kick()
	}
}
