package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"pow.do/services/pow"
)

// What an age file looks like from outside (C2SP age specification).
const (
	ageIntro  = "age-encryption.org/v1\n"
	ageNonce  = 16
	ageChunk  = 64 << 10
	ageTag    = 16
	stanzaPQ  = "mlkem768x25519"
	stanzaX   = "X25519"
	ageArmor  = "-----BEGIN AGE ENCRYPTED FILE"
	pgpArmor  = "-----BEGIN PGP"
	zipPrefix = "PK\x03\x04"
)

func ageRecipient(alg, key string) (recipient, error) {
	var to age.Recipient
	var err error
	if alg == pow.AgePQ {
		to, err = age.ParseHybridRecipient(key)
	} else {
		to, err = age.ParseX25519Recipient(key)
	}
	if err != nil {
		return recipient{}, err
	}
	if fmt.Sprint(to) != key {
		return recipient{}, errors.New("recipient is not in its canonical spelling")
	}
	encrypt := func(w io.Writer) (io.WriteCloser, func(int64) int64, error) {
		c := &counter{w: w}
		plain, err := age.Encrypt(c, to)
		header := c.n // with the nonce
		return plain, func(n int64) int64 {
			chunks := max(1, (n+ageChunk-1)/ageChunk)
			return header + n + chunks*ageTag
		}, err
	}
	return recipient{id: recipientID([]byte(key)), encrypt: encrypt}, nil
}

// ageAlgs reads the header of an age file and returns the algorithms of its
// stanzas. It is stricter than the library, which would parse 2 MiB of header
// and run scrypt: only the two kinds of stanza, few and short.
func ageAlgs(start []byte) (algs map[string]bool, err error) {
	algs = map[string]bool{}
	rest, stanzas := bytes.TrimPrefix(start, []byte(ageIntro)), 0
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		switch {
		case !ok:
			return nil, errors.New("age header is too long or cut off")
		case bytes.HasPrefix(line, []byte("---")):
			return algs, nil // the library reads the MAC
		case bytes.HasPrefix(line, []byte("-> "+stanzaPQ+" ")):
			algs[pow.AgePQ] = true
			stanzas++
		case bytes.HasPrefix(line, []byte("-> "+stanzaX+" ")):
			algs[pow.AgeX25519] = true
			stanzas++
		case bytes.HasPrefix(line, []byte("->")):
			return nil, errors.New("age stanza of a kind that is not allowed")
		}
		if stanzas > maxStanzas {
			return nil, errors.New("too many age stanzas")
		}
		rest = after
	}
}

// openAge returns the plaintext of an age file, which is decrypted and
// authenticated chunk by chunk as it is read.
func openAge(r io.ReaderAt, size int64, ids []age.Identity) (io.ReaderAt, int64, error) {
	if len(ids) == 0 {
		return nil, 0, ErrOtherKey
	}
	plain, n, err := age.DecryptReaderAt(r, size, ids...)
	if errors.As(err, new(*age.NoIdentityMatchError)) {
		return nil, 0, ErrOtherKey
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open age file: %w", err)
	}
	return authenticated{plain}, n, nil
}

// authenticated gives errors of decryption their code.
type authenticated struct{ r io.ReaderAt }

// ReadAt implements io.ReaderAt.
func (a authenticated) ReadAt(p []byte, at int64) (int, error) {
	n, err := a.r.ReadAt(p, at)
	if err != nil && err != io.EOF {
		err = pow.ErrDecrypt.With(err)
	}
	return n, err
}
