package dvm

import (
	"context"
	"errors"
	"time"

	"pow.do/services/pow"
)

const (
	lookEvery  = 2 * time.Second // for changes by the command line
	tidyEvery  = 30 * time.Second
	sweepEvery = time.Hour
	strayAge   = 24 * time.Hour // of a Sealed that belongs to no proof
	eraseBatch = 100
)

// chores remembers what was done when.
type chores struct {
	changed     int64
	tidy, sweep time.Time
}

// keepHouse does what happens by the clock, and what the command line asked for
// by writing to the ledger.
func (w *Worker) keepHouse(ctx context.Context) (time.Time, error) {
	now := w.Now()
	n, err := w.Ledger.Changed(ctx)
	if err != nil {
		return now, err
	}
	if n != w.chores.changed {
		w.chores.changed = n
		if err := w.resume(ctx); err != nil {
			return now, err
		}
		if err := w.takeAside(ctx); err != nil { // a letter may have come by hand
			return now, err
		}
		w.booking.up()
		w.posting.up()
	}
	if err := w.sendCatalogues(ctx); err != nil {
		return now, err
	}
	if now.Sub(w.chores.tidy) >= tidyEvery {
		if err := w.tidy(ctx, now); err != nil {
			return now, err
		}
		w.chores.tidy = now
	}
	if now.Sub(w.chores.sweep) >= sweepEvery {
		if err := w.sweep(ctx, now); err != nil {
			return now, err
		}
		w.chores.sweep = now
	}
	return now.Add(lookEvery), nil
}

// tidy closes silent sessions, erases what has expired, takes up strangers'
// letters and tells the hubs about removed devices.
func (w *Worker) tidy(ctx context.Context, now time.Time) error {
	if err := w.Ledger.Silent(ctx, now, w.Limits.Silence); err != nil {
		return err
	}
	w.booking.up()
	if err := w.takeAside(ctx); err != nil {
		return err
	}
	if err := w.retire(ctx, now); err != nil {
		return err
	}
	return w.dismiss(ctx)
}

// retire erases sealed archives at the end of their retention: the file first, so
// that the ledger never says that something is gone which is not.
func (w *Worker) retire(ctx context.Context, now time.Time) error {
	for ctx.Err() == nil {
		expired, err := w.Ledger.Expired(ctx, now, eraseBatch)
		if err != nil || len(expired) == 0 {
			return err
		}
		for _, h := range expired {
			if err := w.shelf.drop(h); err != nil {
				return err
			}
			if err := w.Ledger.Erased(ctx, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// dismiss tells the hubs about removed devices; what fails is tried again.
func (w *Worker) dismiss(ctx context.Context) error {
	if w.Hubs == nil {
		return nil
	}
	devices, err := w.Ledger.Dismissals(ctx)
	for _, d := range devices {
		if w.Hubs.Dismiss(ctx, d) != nil {
			w.Log.Warn("a hub still admits a removed device")
			continue
		}
		err = errors.Join(err, w.Ledger.Dismissed(ctx, d))
	}
	return err
}

// sweep removes archives that belong to no proof, and forgets what is old.
func (w *Worker) sweep(ctx context.Context, now time.Time) error {
	err := w.shelf.strays(ctx, now, strayAge, func(h pow.Hash) error {
		held, err := w.Ledger.Holds(ctx, h)
		if err != nil || held {
			return err
		}
		return w.shelf.drop(h)
	})
	if err != nil {
		return err
	}
	return w.Ledger.Prune(ctx, now)
}

// sendCatalogues puts the catalogues that changed into the outgoing mail.
func (w *Worker) sendCatalogues(ctx context.Context) error {
	a := w.Announcement()
	due, err := w.Ledger.CataloguesDue(ctx, a.ID, a.Revision)
	if err != nil {
		return err
	}
	for _, d := range due {
		seals, err := w.Wrap.SealCatalogue(d.Device, d.Catalogue)
		if err != nil {
			w.Log.Error("a catalogue cannot be sealed", "projects", len(d.Catalogue.Projects))
			continue
		}
		if err := w.Ledger.PostCatalogue(ctx, d, seals, w.Now()); err != nil {
			return err
		}
		w.posting.up()
	}
	return nil
}
