package queue_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// enqueued puts a delivery of one hour into the queue.
func enqueued(t *testing.T, q *queue.Queue, from time.Time) pow.Delivery {
	t.Helper()
	d := pow.Delivery{ID: ulid(t, from), Session: pow.SessionID(ulid(t, from)), Project: project, Interval: pow.Interval{From: from, To: from.Add(time.Hour)}}
	if err := q.Enqueue([]pow.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDeliveriesIn(t *testing.T) {
	q, _ := open(t, t.TempDir())
	enqueued(t, q, day)
	second := enqueued(t, q, day.Add(2*time.Hour))
	for _, c := range []struct {
		from, to time.Duration
		want     int
	}{{0, 4 * time.Hour, 2}, {time.Hour, 2 * time.Hour, 0}, {150 * time.Minute, 151 * time.Minute, 1}} {
		ds, err := q.DeliveriesIn(pow.Interval{From: day.Add(c.from), To: day.Add(c.to)})
		if err != nil || len(ds) != c.want {
			t.Errorf("%v–%v: %d deliveries, want %d (%v)", c.from, c.to, len(ds), c.want, err)
		}
		if c.want == 1 && ds[0].ID != second.ID {
			t.Error("the other delivery")
		}
	}
}

// The first moment of every state is kept, whatever comes later.
func TestSteps(t *testing.T) {
	q, _ := open(t, t.TempDir())
	d := enqueued(t, q, day)
	for _, s := range []pow.State{pow.Uploaded, pow.Attention, pow.Uploaded} {
		if _, err := q.Update(d.ID, func(d *pow.Delivery) error { d.State = s; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	got, err := q.Delivery(d.ID)
	if err != nil || len(got.Steps) != 3 || got.Steps[pow.Queued].IsZero() || got.Steps[pow.Uploaded].IsZero() || got.Steps[pow.Attention].IsZero() {
		t.Errorf("steps %v, %v", got.Steps, err)
	}
}

// Nothing of a queue stays, and nothing beside it goes.
func TestDestroy(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	q, _ := open(t, dir)
	enqueued(t, q, day)
	if err := queue.Destroy(dir); err == nil {
		t.Fatal("destroyed while it is open")
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"queue.db.corrupt-20261120", "other"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := queue.Destroy(dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 { // the lock, which who waits for it has open
		t.Errorf("left: %v, %v", left, err)
	}
}
