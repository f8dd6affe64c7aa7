package blossom

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// Get downloads a blob of a known hash and size and writes it to w while it is
// hashed: w must not be used for anything before Get has returned nil. At most
// size bytes are written. pow.ErrBlobMissing means that the server does not have
// it, pow.ErrHashMismatch that it sent something else; both mean: ask the next
// server. An error of w is returned as it is.
func (c *Client) Get(ctx context.Context, origin string, h pow.Hash, size int64, w io.Writer) error {
	if size <= 0 || size > pow.MaxSealed {
		return retry.Permanent(fmt.Errorf("download: %w", errSize))
	}
	resp, end, err := c.send(ctx, call{origin: origin, method: http.MethodGet, path: "/" + h.String(), verb: "get", hash: h})
	if err != nil {
		return err
	}
	defer end()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return pow.ErrBlobMissing
	default:
		return c.refusal(resp, time.Now())
	}
	if resp.ContentLength >= 0 && resp.ContentLength != size || resp.Header.Get("Content-Encoding") != "" {
		return fmt.Errorf("download: %w", pow.ErrHashMismatch)
	}
	sum := sha256.New()
	sink := &sink{w: w}
	n, err := io.Copy(io.MultiWriter(sum, sink), io.LimitReader(resp.Body, size))
	switch {
	case sink.err != nil:
		return fmt.Errorf("download: %w", sink.err)
	case err != nil:
		return offline(resp.Request.Context(), err)
	case n < size || pow.Hash(sum.Sum(nil)) != h:
		return fmt.Errorf("download: %w", pow.ErrHashMismatch)
	}
	if extra, _ := io.CopyN(io.Discard, resp.Body, 1); extra > 0 {
		return fmt.Errorf("download: %w", pow.ErrHashMismatch)
	}
	return nil
}

// sink tells errors of writing from those of reading.
type sink struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (n int, err error) {
	n, s.err = s.w.Write(p)
	return n, s.err
}
