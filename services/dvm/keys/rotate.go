package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Grave is how long an archive key is kept after its end: letters live for up
// to 32 days at a relay, and what they name was sealed before that end.
const Grave = 35 * 24 * time.Hour

// Rotate puts a new archive key of each kind before the present ones, which end
// after overlap: until then members who have not seen the new ones may seal to
// them. A program that is running goes on with what it loaded until it loads
// again. Errors are those of Load.
func Rotate(folder string, g Generator, seal Sealer, now time.Time, overlap time.Duration) (Keys, error) {
	return change(folder, seal, func(k *Keys) error {
		end := now.UTC().Truncate(time.Second).Add(overlap)
		for i, a := range k.Archive {
			if a.Expires.IsZero() || a.Expires.After(end) {
				k.Archive[i].Expires = end
			}
		}
		fresh, err := newArchives(g, now)
		k.Archive = append(fresh, k.Archive...)
		return err
	})
}

// Bury destroys the archive keys that ended Grave ago, and returns the ids of
// their recipients. Those that keep names stay: an archive on the disk still
// needs them. Once a key is destroyed nobody can open what was sealed to it, not
// even with a copy of the ciphertext.
func Bury(folder string, seal Sealer, now time.Time, keep func(recipient string) bool) (gone []string, err error) {
	bury := func(k *Keys) error {
		var rest []Archive
		for i, r := range k.Recipients() {
			if !r.Expires.IsZero() && now.After(r.Expires.Add(Grave)) && !keep(r.ID) {
				gone = append(gone, r.ID)
			} else {
				rest = append(rest, k.Archive[i])
			}
		}
		switch {
		case len(gone) == 0:
			return errNothing
		case len(rest) == 0:
			return errors.New("the last archive key is never destroyed; rotate first")
		}
		k.Archive = rest
		return nil
	}
	switch _, err = change(folder, seal, bury); {
	case errors.Is(err, errNothing):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return gone, nil
}

// errNothing ends a change that changes nothing.
var errNothing = errors.New("nothing to change")

// errChanged: two programs changed the keys at the same time.
var errChanged = errors.New("another program changed the keys meanwhile; try again")

// change replaces the key file by one with changed keys, whole or not at all.
func change(folder string, seal Sealer, f func(*Keys) error) (Keys, error) {
	before, err := read(folder)
	if err != nil {
		return Keys{}, err
	}
	k, err := parse(before, seal)
	if err != nil {
		return Keys{}, err
	}
	if err := f(&k); err != nil {
		return Keys{}, err
	}
	b, err := json.Marshal(k)
	if err == nil && seal != nil {
		b, err = seal.Seal(b)
	}
	if err == nil && len(b) > maxFile {
		err = errors.New("too many archive keys")
	}
	if err == nil {
		err = replace(folder, before, b)
	}
	if err != nil {
		return Keys{}, fmt.Errorf("change the keys: %w", err)
	}
	return k, nil
}

func replace(folder string, before, b []byte) error {
	f, err := os.CreateTemp(folder, "new-") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if now, err := read(folder); err != nil || !bytes.Equal(now, before) {
		return errors.Join(errChanged, err)
	}
	if err := os.Rename(f.Name(), filepath.Join(folder, fileName)); err != nil {
		return err
	}
	return syncFolder(folder)
}
