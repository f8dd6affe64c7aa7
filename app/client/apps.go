package client

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"pow.do/services/client/activity"
	"pow.do/services/pow"
)

// apps is ActivityWatch as the settings want it: at another address, or not at all.
type apps struct {
	log *slog.Logger

	mu     sync.Mutex // guards all below
	client *activity.Client
	off    bool
}

func newApps(log *slog.Logger) *apps {
	return &apps{log: log, client: activity.New(activity.Config{Log: log})}
}

// set takes over what the settings say.
func (p *apps) set(s pow.Settings) {
	c := activity.New(activity.Config{URL: s.ActivityURL, Key: s.ActivityKey, Log: p.log})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client, p.off = c, s.ActivityOff
}

func (p *apps) now() (c *activity.Client, off bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.client, p.off
}

// State returns ok, absent, locked or off.
func (p *apps) State(ctx context.Context) string {
	c, off := p.now()
	if off {
		return "off"
	}
	return c.State(ctx)
}

// Read returns what ActivityWatch saw in an interval.
func (p *apps) Read(ctx context.Context, in pow.Interval, detail pow.Detail) pow.Activity {
	a, _ := p.ReadBy(ctx, in, detail, activity.Rules{})
	return a
}

// ReadBy is Read under the person's rules; it returns beside it what they left out.
func (p *apps) ReadBy(ctx context.Context, in pow.Interval, detail pow.Detail, rules activity.Rules) (pow.Activity, []pow.ActivityRow) {
	c, off := p.now()
	if off {
		detail = pow.DetailOff
	}
	return c.ReadBy(ctx, in, detail, rules)
}

// front returns the app and title of the window that had the keyboard last, of
// the newest half minute; known is false when nobody saw one.
func (p *apps) front(ctx context.Context, now time.Time) (row pow.ActivityRow, known bool) {
	a := p.Read(ctx, pow.Interval{From: now.Add(-30 * time.Second), To: now}, pow.DetailTitle)
	for _, r := range a.Rows {
		if r.Kind == "window" && !r.To.Before(row.To) {
			row, known = r, true
		}
	}
	return row, known
}

// present tells whether ActivityWatch saw input after a moment.
func (p *apps) present(ctx context.Context, since, now time.Time) bool {
	if _, off := p.now(); off {
		return false
	}
	in := pow.Interval{From: since.Add(time.Second).Truncate(time.Second), To: now.Truncate(time.Second)}
	if !in.Valid() {
		return false
	}
	a := p.Read(ctx, in, pow.DetailCategory)
	// Its watcher calls somebody active until three minutes have passed without
	// input, so that much "active" is no sight of anybody.
	return a.Cause == "" && a.Active > activity.Settle
}
