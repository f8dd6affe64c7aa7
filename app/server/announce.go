package server

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
)

// policyText is what members agree to, unless policy.txt in the DVM's folder
// says it in the admin's own words.
const policyText = `pow.do records what a project asks for, while its timer runs: pictures of the screen at random moments, and which
programs were used. You see both before they are sent, and can remove them. They are encrypted on your computer; only this
team's server can open them, and it keeps them as long as the project says. Hours are kept as long as the books need.
Never recorded: keys typed, camera, microphone. There is no live view and no score.`

const (
	policyFile       = "policy.txt"
	announcementFile = "announcement.json"
	maxPolicy        = 16 << 10
)

// announce returns the announcement for the present configuration: the one that
// was signed last while nothing changed, else a new one with the next revision.
func (r *dvmRole) announce(now time.Time) (announced, error) {
	path := filepath.Join(r.cfg.Dir, "dvm", announcementFile)
	want, err := r.wanted(now)
	if err != nil {
		return announced{}, err
	}
	if old, err := os.ReadFile(path); err == nil {
		before, err := envelope.ReadAnnouncement(old, r.secret.Public())
		if err != nil {
			return announced{}, fmt.Errorf("read the last announcement: %w", err)
		}
		want.Revision = before.Revision
		if sameAnnouncement(before, want) {
			return announced{before, old}, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return announced{}, fmt.Errorf("read the last announcement: %w", err)
	}
	want.Revision++
	signed, err := envelope.Announce(r.secret, want, now)
	if err != nil {
		return announced{}, fmt.Errorf("sign the announcement: %w", err)
	}
	if err := writeDurably(path, signed); err != nil {
		return announced{}, fmt.Errorf("keep the announcement: %w", err)
	}
	ann, err := envelope.ReadAnnouncement(signed, r.secret.Public())
	return announced{ann, signed}, err
}

func (r *dvmRole) wanted(now time.Time) (pow.Announcement, error) {
	text, err := os.ReadFile(filepath.Join(r.cfg.Dir, "dvm", policyFile))
	if errors.Is(err, os.ErrNotExist) {
		text, err = []byte(policyText), nil
	}
	if err == nil && len(text) > maxPolicy {
		err = errors.New("longer than 16 KiB")
	}
	if err != nil {
		return pow.Announcement{}, fmt.Errorf("read %s: %w", policyFile, err)
	}
	// What nobody may seal to any more only makes the event longer.
	recipients := slices.DeleteFunc(r.archive.keys.Load().Recipients(), func(k pow.Recipient) bool {
		return !k.Expires.IsZero() && !now.Before(k.Expires)
	})
	return pow.Announcement{DVM: r.secret.Public(), Name: r.cfg.Name, Recipients: recipients, Relays: r.cfg.Relays, Blossom: r.cfg.Blossom,
		Copies: 1, Limits: r.limits(), PolicyHash: sha256.Sum256(text), PolicyText: string(text), PolicyLang: "en"}, nil
}

func sameAnnouncement(a, b pow.Announcement) bool {
	a.ID, b.ID = pow.Hash{}, pow.Hash{}
	return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b)
}

// writeDurably replaces a file: what is visible under its name is whole.
func writeDurably(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}
