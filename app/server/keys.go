package server

import (
	"fmt"
	"path/filepath"
	"time"

	"pow.do/services/dvm/keys"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/identity"
)

// generator makes the DVM's keys.
type generator struct{}

func (generator) NewNostr() (string, error) {
	s, err := identity.NewSecret()
	if err != nil {
		return "", err
	}
	h := pow.Hash(s.Bytes())
	return h.String(), nil
}

func (generator) NewArchive(alg string) (secret, recipient string, err error) {
	k, err := identity.NewArchiveKey(alg)
	if err != nil {
		return "", "", err
	}
	return k.Secret(), k.Recipient(time.Time{}, time.Time{}).Key, nil
}

// makeKeys makes the DVM's keys, unless there are some.
func makeKeys(folder string) (identity.Secret, error) {
	if _, err := keys.Create(folder, generator{}, nil, time.Now()); err != nil && err != error(keys.ErrExists) {
		return identity.Secret{}, err
	}
	_, s, err := openKeys(folder)
	return s, err
}

func openKeys(folder string) (keys.Keys, identity.Secret, error) {
	k, err := keys.Load(folder, nil)
	if err != nil {
		return k, identity.Secret{}, err
	}
	s, err := identity.ParseSecretHex(string(k.Nostr))
	if err != nil {
		return k, s, fmt.Errorf("read the DVM's key: %w", err)
	}
	return k, s, nil
}

// keysFolder is where the DVM's keys rest.
func (d *desk) keysFolder() string { return filepath.Join(d.dir, "dvm", "keys") }

// archiveKeys are the secrets that open archives: the current ones and those
// that were rotated but may still be in use.
func archiveKeys(k keys.Keys) (out []archive.Key) {
	for _, k := range k.Archive {
		out = append(out, archive.Key{Alg: k.Alg, Secret: string(k.Secret)})
	}
	return out
}
