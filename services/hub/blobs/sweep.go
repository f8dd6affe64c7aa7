package blobs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"time"

	"pow.do/services/pow"
)

const (
	expireEvery = 10 * time.Minute
	tidyEvery   = time.Hour
	strayAge    = time.Hour // of a file that nothing refers to
	expireChunk = 500
)

// Run removes what uploads of an earlier process have left. Then it deletes what
// has expired every 10 minutes and tidies the folder at start and every hour,
// until ctx ends. From then on uploads are refused.
func (s *Server) Run(ctx context.Context) error {
	expire, tidy := time.NewTicker(expireEvery), time.NewTicker(tidyEvery)
	defer expire.Stop()
	defer tidy.Stop()
	defer s.stopping.Store(true)
	s.report(ctx, errors.Join(s.clear(s.opened), s.Expire(ctx), s.Tidy(ctx)))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-expire.C:
			s.report(ctx, s.Expire(ctx))
		case <-s.wake:
			s.report(ctx, s.Expire(ctx))
		case <-tidy.C:
			s.report(ctx, s.Tidy(ctx))
		}
	}
}

// Forget asks Run to look for blobs that lost their owners. It does not block.
func (s *Server) Forget() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Server) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.Error("blobs could not be cleaned up", "err", nameless(err))
	}
}

// Expire deletes blobs whose newest upload is older than the TTL, and those
// that nobody owns.
func (s *Server) Expire(ctx context.Context) error {
	for {
		before := s.now().Add(-s.cfg.TTL)
		list, err := s.cfg.Shelf.Expired(ctx, before, expireChunk)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, x := range list {
			if err := s.drop(ctx, x, before); err != nil {
				return err
			}
			s.stats.Expired.Add(1)
		}
	}
}

// drop removes first the row, then the bytes: a crash in between leaves bytes
// that Tidy finds.
func (s *Server) drop(ctx context.Context, x pow.Hash, before time.Time) error {
	defer s.lock(x)()
	name, dropped, err := s.cfg.Shelf.Drop(ctx, x, before)
	if err != nil || !dropped {
		return err
	}
	return s.cfg.Bytes.Remove(ctx, x, name)
}

// clear removes the temporary files from before a time.
func (s *Server) clear(before time.Time) error {
	return eachFile(s.tmp(), func(path string, at time.Time) error {
		if at.After(before) {
			return nil
		}
		return os.Remove(path)
	})
}

// place is where the bytes of a blob lie.
type place struct {
	x    pow.Hash
	name string
}

// Tidy removes temporary files that are older than an hour, bytes without a row
// and rows without bytes. It walks through both in the order of their hashes.
func (s *Server) Tidy(ctx context.Context) error {
	old := s.now().Add(-strayAge)
	if err := s.clear(old); err != nil {
		return err
	}
	var failed error
	next, stop := iter.Pull(func(yield func(place) bool) {
		failed = s.cfg.Shelf.Each(ctx, func(x pow.Hash, name string) error {
			if !yield(place{x, name}) {
				return errStopped
			}
			return nil
		})
	})
	defer stop()
	row, more := next()
	err := s.cfg.Bytes.Each(ctx, old, func(x pow.Hash, name string, old bool) error {
		for more && bytes.Compare(row.x[:], x[:]) < 0 {
			if err := s.dropLost(ctx, row); err != nil {
				return err
			}
			row, more = next()
		}
		if more && row == (place{x, name}) {
			row, more = next()
			return nil
		}
		if old {
			return s.removeStray(ctx, place{x, name})
		}
		return nil
	})
	for ; err == nil && more; row, more = next() {
		err = s.dropLost(ctx, row)
	}
	stop()
	if errors.Is(failed, errStopped) {
		failed = nil
	}
	return errors.Join(err, failed)
}

var errStopped = errors.New("stopped")

func (s *Server) removeStray(ctx context.Context, p place) error {
	defer s.lock(p.x)()
	if known, err := s.cfg.Shelf.Known(ctx, p.x, p.name); err != nil || known {
		return err
	}
	return s.cfg.Bytes.Remove(ctx, p.x, p.name)
}

// dropLost removes the row of a blob whose bytes are not there.
func (s *Server) dropLost(ctx context.Context, p place) error {
	defer s.lock(p.x)()
	f, err := s.cfg.Bytes.Open(ctx, p.x, p.name)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	known, err := s.cfg.Shelf.Known(ctx, p.x, p.name)
	if err != nil || !known {
		return err
	}
	_, _, err = s.cfg.Shelf.Drop(ctx, p.x, s.now().Add(time.Hour))
	return err
}
