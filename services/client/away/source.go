package away

import (
	"context"
	"time"
)

const (
	// answerTime is how long a source of input may take.
	answerTime = 5 * time.Second
	// retryAfter is how long one that failed is left alone.
	retryAfter = time.Minute
)

// source asks one witness of input, one question at a time. One that hangs is
// left alone until it answers.
type source struct {
	ask  func(context.Context) (time.Duration, error)
	end  func()
	slot chan struct{} // held by the open question; it guards from
	from time.Time     // before it the source is left alone
}

func newSource(ask func(context.Context) (time.Duration, error), end func()) *source {
	return &source{ask: ask, end: end, slot: make(chan struct{}, 1)}
}

func (s *source) idle(ctx context.Context) (d time.Duration, known bool) {
	select {
	case s.slot <- struct{}{}:
	default:
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	answer := make(chan time.Duration, 1)
	go func() {
		defer func() { <-s.slot }()
		defer close(answer)
		defer cancel()
		if time.Now().Before(s.from) {
			return
		}
		d, err := s.ask(ctx)
		if err != nil {
			s.end()
			s.from = time.Now().Add(retryAfter)
			return
		}
		answer <- d
	}()
	select {
	case d, known = <-answer:
	case <-ctx.Done():
	}
	return d, known
}

// close ends the source's connection, unless it hangs in a question.
func (s *source) close() {
	wait := time.NewTimer(answerTime)
	defer wait.Stop()
	select {
	case s.slot <- struct{}{}:
		s.end()
	case <-wait.C:
	}
}
