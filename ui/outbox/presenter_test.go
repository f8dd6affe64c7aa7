package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/ui/outbox"
)

type agent struct {
	items []pow.OutboxItem
	retry func(id string) error

	export func(pow.ExportRequest) error
	take   func(file string) (int, error)
}

func (a agent) Outbox(context.Context) ([]pow.OutboxItem, error) { return a.items, nil }
func (a agent) Retry(_ context.Context, id string) error         { return a.retry(id) }
func (a agent) ExportProof(_ context.Context, r pow.ExportRequest) error {
	return a.export(r)
}
func (a agent) ImportProofs(_ context.Context, file string) (int, error) { return a.take(file) }

// now runs work at once.
func atOnce(work func(context.Context) error, done func(error)) { done(work(context.Background())) }

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func TestSteps(t *testing.T) {
	done := []pow.Place{{State: pow.PlaceDone}}
	for _, c := range []struct {
		name string
		item pow.OutboxItem
		done int
		now  pow.State
	}{
		{"queued", pow.OutboxItem{State: pow.Queued}, 1, pow.Sealing},
		{"relayed", pow.OutboxItem{State: pow.Relayed}, 4, pow.Received},
		{"booked", pow.OutboxItem{State: pow.Booked}, 7, ""},
		{"stuck early", pow.OutboxItem{State: pow.Attention}, 2, ""}, // the eighth station is done too
		{"stuck sealed", pow.OutboxItem{State: pow.Attention, SealedHash: pow.Hash{1}}, 3, ""},
		{"stuck on a server", pow.OutboxItem{State: pow.Attention, Servers: done}, 4, ""},
		{"stuck at a relay", pow.OutboxItem{State: pow.Attention, Relays: done}, 5, ""},
		{"refused", pow.OutboxItem{State: pow.Attention, Receipt: &pow.ReceiptInfo{Code: pow.CodeRejected}}, 6, ""},
	} {
		n, at := 0, pow.State("")
		for _, s := range outbox.Steps(c.item) {
			if s.Done {
				n++
			}
			if s.Now {
				at = s.State
			}
		}
		if n != c.done || at != c.now {
			t.Errorf("%s: %d done, now %q; want %d, %q", c.name, n, at, c.done, c.now)
		}
	}
}

func TestNext(t *testing.T) {
	parked := &pow.ReceiptInfo{Code: pow.CodeParked}
	for _, c := range []struct {
		name string
		item pow.OutboxItem
		want outbox.Next
	}{
		{"booked", pow.OutboxItem{State: pow.Booked}, outbox.Finished},
		{"parked", pow.OutboxItem{State: pow.Accepted, Receipt: parked}, outbox.Finished},
		{"attention", pow.OutboxItem{State: pow.Attention, NextAttempt: now.Add(time.Hour)}, outbox.Yours},
		{"waits", pow.OutboxItem{State: pow.Queued, NextAttempt: now.Add(time.Minute)}, outbox.Later},
		{"due", pow.OutboxItem{State: pow.Sealing, NextAttempt: now}, outbox.Working},
		{"sent", pow.OutboxItem{State: pow.Relayed}, outbox.Answer},
		{"sent, again at a time", pow.OutboxItem{State: pow.Relayed, NextAttempt: now.Add(time.Hour)}, outbox.Later},
	} {
		if got := outbox.NextFor(c.item, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func items() []pow.OutboxItem {
	return []pow.OutboxItem{
		{ID: "old", From: now.Add(-3 * time.Hour), State: pow.Booked},
		{ID: "new", From: now, State: pow.Queued},
		{ID: "stuck", From: now.Add(-time.Hour), State: pow.Attention},
	}
}

func ids(m outbox.Model) (s []string) {
	for _, i := range m.Items {
		s = append(s, i.ID)
	}
	return s
}

func TestFilters(t *testing.T) {
	p := outbox.New(outbox.Config{Agent: agent{items: items()}, Async: atOnce, Show: func(outbox.Model) {}})
	p.Visible(true)
	p.Update(pow.Status{})
	for f, want := range map[outbox.Filter][]string{
		outbox.All: {"new", "stuck", "old"}, outbox.Open: {"new", "stuck"}, outbox.Stuck: {"stuck"},
	} {
		p.SetFilter(f)
		if d := cmp.Diff(want, ids(p.Model())); d != "" {
			t.Errorf("filter %d: %s", f, d)
		}
		if m := p.Model(); m.All != 3 || m.Open != 2 || m.Stuck != 1 {
			t.Errorf("counts %d %d %d", m.All, m.Open, m.Stuck)
		}
	}
	p.SetFilter(outbox.All)
	p.Choose("old")
	p.SetFilter(outbox.Stuck)
	if p.Model().Chosen != "" {
		t.Error("the detail of a proof that is not listed stays open")
	}
}

func TestRetryAllLeavesOutWhatIsFinished(t *testing.T) {
	var tried []string
	want := errors.New("no")
	p := outbox.New(outbox.Config{Async: atOnce, Show: func(outbox.Model) {},
		Agent: agent{items: items(), retry: func(id string) error { tried = append(tried, id); return nil }}})
	p.Visible(true)
	p.Update(pow.Status{})
	p.RetryAll()
	if d := cmp.Diff([]string{"new", "stuck"}, tried); d != "" {
		t.Error(d)
	}
	p = outbox.New(outbox.Config{Async: atOnce, Show: func(outbox.Model) {},
		Agent: agent{items: items(), retry: func(string) error { return want }}})
	p.Visible(true)
	p.Update(pow.Status{})
	p.Retry("new")
	if m := p.Model(); m.Err != want || m.Trying {
		t.Errorf("err %v, trying %v", m.Err, m.Trying)
	}
}
