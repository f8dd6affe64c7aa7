// Package retry says when to try again, and which errors make that pointless.
// It is arithmetic only: nobody sleeps here. The caller stores the next attempt,
// so that back-off survives a restart.
package retry

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Policy is a back-off with full jitter: the n-th wait is uniform in
// [0, min(Max, Base·2ⁿ)], but never below Base (threats R24).
type Policy struct{ Base, Max time.Duration }

// Connecting paces attempts to reach a server, Refused attempts that a server
// answered with a refusal that may pass.
var (
	Connecting = Policy{Base: time.Second, Max: 30 * time.Second}
	Refused    = Policy{Base: time.Second, Max: 15 * time.Minute}
)

// After returns how long to wait before attempt number attempts+1, after
// attempts failures (1 or more).
func (p Policy) After(attempts int) time.Duration {
	ceiling := p.Max
	if n := attempts - 1; n < 30 {
		ceiling = min(p.Max, p.Base<<max(0, n))
	}
	if ceiling <= p.Base {
		return p.Base
	}
	return p.Base + rand.N(ceiling-p.Base+1)
}

type permanent struct{ err error }

func (e permanent) Error() string { return e.err.Error() }
func (e permanent) Unwrap() error { return e.err }

// Permanent marks err as one that trying again cannot help.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent tells whether trying again cannot help.
func IsPermanent(err error) bool { return errors.As(err, new(permanent)) }

type later struct {
	err  error
	wait time.Duration
}

func (e later) Error() string { return e.err.Error() }
func (e later) Unwrap() error { return e.err }

// MaxWait caps what a foreign server may ask us to wait (Retry-After).
const MaxWait = time.Hour

// Later marks err with the wait that a server asked for, capped at MaxWait.
func Later(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return later{err, min(max(wait, 0), MaxWait)}
}

// Wait returns the wait that err asks for, or the policy's.
func (p Policy) Wait(err error, attempts int) time.Duration {
	var l later
	if errors.As(err, &l) {
		return max(l.wait, p.Base)
	}
	return p.After(attempts)
}
