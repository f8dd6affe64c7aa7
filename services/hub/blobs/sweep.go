package blobs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

// drop removes first the row, then the file: a crash in between leaves a file
// that Tidy finds.
func (s *Server) drop(ctx context.Context, x pow.Hash, before time.Time) error {
	s.files[x[0]].Lock()
	defer s.files[x[0]].Unlock()
	dropped, err := s.cfg.Shelf.Drop(ctx, x, before)
	if err != nil || !dropped {
		return err
	}
	if err := os.Remove(s.path(x)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Tidy removes temporary files and files without a row that are older than an
// hour, and rows without a file.
func (s *Server) Tidy(ctx context.Context) error {
	old := s.now().Add(-strayAge)
	if err := s.clear(old); err != nil {
		return err
	}
	for i := range 256 {
		dir := filepath.Join(s.cfg.Dir, "blobs", pow.Hash{byte(i)}.String()[:2])
		err := s.each(dir, old, func(path string, x pow.Hash, named bool) error { return s.removeStray(ctx, path, x, named) })
		if err != nil {
			return err
		}
	}
	return s.cfg.Shelf.Each(ctx, func(x pow.Hash) error { return s.dropLost(ctx, x) })
}

// clear removes the temporary files from before a time.
func (s *Server) clear(before time.Time) error {
	return s.each(s.tmp(), before, func(path string, _ pow.Hash, _ bool) error { return os.Remove(path) })
}

// each calls f for every file of a folder that was last written before a time;
// named tells whether its name is a hash.
func (s *Server) each(dir string, before time.Time, f func(path string, x pow.Hash, named bool) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // renamed or deleted meanwhile
		}
		if err != nil {
			return err
		}
		if info.ModTime().After(before) {
			continue
		}
		x, err := pow.ParseHash(entry.Name())
		if err := f(filepath.Join(dir, entry.Name()), x, err == nil); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *Server) removeStray(ctx context.Context, path string, x pow.Hash, named bool) error {
	s.files[x[0]].Lock()
	defer s.files[x[0]].Unlock()
	if named {
		if known, err := s.cfg.Shelf.Known(ctx, x); err != nil || known {
			return err
		}
	}
	return os.Remove(path)
}

func (s *Server) dropLost(ctx context.Context, x pow.Hash) error {
	s.files[x[0]].Lock()
	defer s.files[x[0]].Unlock()
	if _, err := os.Stat(s.path(x)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err := s.cfg.Shelf.Drop(ctx, x, s.now().Add(time.Hour))
	return err
}
