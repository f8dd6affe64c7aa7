package envelope

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// Times of a Letter. All are uniform and drawn from crypto/rand.
const (
	maxBackdate  = 172_800 * time.Second // of seal and wrap, each on its own
	minRetention = 30 * 24 * time.Hour   // from made to the expiration tag
	maxExtra     = 2 * 24 * time.Hour    // added to it, so that it does not give the making time away
)

// source is where everything random comes from. There is one real source; the
// test vectors need others.
type source struct {
	nonce    func() ([32]byte, error)                  // of NIP-44
	oneTime  func() (identity.Secret, error)           // signs a wrap
	backdate func() (time.Duration, error)             // 0 to maxBackdate, whole seconds
	extra    func() (time.Duration, error)             // 0 to 2 days, whole seconds
	sign     func(identity.Secret, *event.Event) error // BIP-340
}

func random() source {
	return source{
		nonce: func() (n [32]byte, err error) {
			_, err = rand.Read(n[:])
			return n, err
		},
		oneTime:  identity.NewSecret,
		backdate: func() (time.Duration, error) { return seconds(maxBackdate) },
		extra:    func() (time.Duration, error) { return seconds(maxExtra) },
		sign:     func(s identity.Secret, e *event.Event) error { return s.Sign(e) },
	}
}

// seconds draws a whole number of seconds, uniform in [0, max].
func seconds(max time.Duration) (time.Duration, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(max/time.Second)+1))
	if err != nil {
		return 0, fmt.Errorf("draw a time: %w", err)
	}
	return time.Duration(n.Int64()) * time.Second, nil
}
