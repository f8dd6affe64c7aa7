package vault

import (
	"context"
	"errors"
	"time"

	"github.com/zalando/go-keyring"

	"pow.do/services/pow"
)

// systemRing is the keyring of the operating system.
type systemRing struct{}

func (systemRing) Set(service, user, secret string) error {
	return keyring.Set(service, user, secret)
}
func (systemRing) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (systemRing) Delete(service, user string) error        { return keyring.Delete(service, user) }

// guardedRing bounds the wait for a keyring, which may show a prompt that nobody
// answers. A call that does not come back keeps its goroutine until it does; so
// there is one call at a time.
type guardedRing struct {
	ring Ring
	wait time.Duration
	busy chan struct{}
}

var errNoAnswer = errors.New("the keyring does not answer")

func (r guardedRing) do(call func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.wait)
	defer cancel()
	select {
	case r.busy <- struct{}{}:
	case <-ctx.Done():
		return errNoAnswer
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-r.busy }()
		done <- call()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errNoAnswer
	}
}

func (r guardedRing) get(user string) (string, error) {
	got := make(chan string, 1)
	err := r.do(func() error {
		s, err := r.ring.Get(service, user)
		got <- s
		return err
	})
	if err != nil {
		return "", err
	}
	return <-got, nil
}

// keep stores a secret and reads it back: some keyrings say yes and forget.
func (r guardedRing) keep(user, secret string) error {
	if err := r.do(func() error { return r.ring.Set(service, user, secret) }); err != nil {
		return err
	}
	s, err := r.get(user)
	if err == nil && s != secret {
		err = errors.New("the keyring returns another value")
	}
	return err
}

func (r guardedRing) delete(user string) error {
	err := r.do(func() error { return r.ring.Delete(service, user) })
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return pow.ErrLocked.With(err)
	}
	return nil
}
