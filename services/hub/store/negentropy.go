package store

import (
	"context"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
)

// Items calls each for up to most stored events that match a filter, whatever
// its limit, in no certain order: their id, kind, time in Unix seconds, and whom
// they concern, the recipient of a gift wrap or the author of an announcement.
// It reads no event's bytes. Which events are found is as for Find.
func (s *Store) Items(ctx context.Context, f nostr.Filter, letters, announcers []pow.Key, most int,
	each func(id pow.Hash, kind int, at int64, of pow.Key) error) error {
	f.Limit = most
	hand := func(refs []ref, kind int, of pow.Key) error {
		for _, r := range refs {
			if most--; most < 0 {
				return errEnough
			}
			if err := each(r.id, kind, r.at, of); err != nil {
				return err
			}
		}
		return nil
	}
	err := s.items(ctx, f, letters, announcers, hand)
	if err == errEnough {
		return nil
	}
	return err
}

func (s *Store) items(ctx context.Context, f nostr.Filter, letters, announcers []pow.Key, hand func([]ref, int, pow.Key) error) error {
	for _, p := range letters {
		found, err := s.letters(ctx, f, []pow.Key{p})
		if err == nil {
			err = hand(found, kindLetter, p)
		}
		if err != nil {
			return err
		}
	}
	for _, author := range announcers {
		found, err := s.announcements(ctx, f, []pow.Key{author})
		if err == nil {
			err = hand(found, kindAnnouncement, author)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
