package blossom

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"sync"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
	"pow.do/services/wire/strictjson"
)

// Stored is what a server says about a blob that it has now.
type Stored struct {
	Sunset time.Time // when it will delete it; zero when it does not say
}

// Put uploads a Sealed and returns when the server has said, with the right
// hash and size, that it has it. pow.ErrHashMismatch means that the local bytes
// are not those of the Sealed any more.
func (c *Client) Put(ctx context.Context, origin string, s pow.Sealed) (Stored, error) {
	if s.Size <= 0 || s.Size > pow.MaxSealed || s.Open == nil {
		return Stored{}, retry.Permanent(fmt.Errorf("upload: %w", errSize))
	}
	if s.Size > askFirst {
		if err := c.probe(ctx, origin, s.Hash, s.Size); err != nil && !errors.Is(err, ErrNotOffered) {
			return Stored{}, err
		}
	}
	stored, err := c.put(ctx, origin, s)
	var place *pow.PlaceError
	if errors.As(err, &place) && place.Code == codeConflict {
		// The bytes that we sent had the right hash: something went wrong on the way.
		stored, err = c.put(ctx, origin, s)
	}
	if errors.As(err, &place) && place.Code == codeUnknown && ctx.Err() == nil {
		if ok, sunset, size, herr := c.has(ctx, origin, s.Hash); herr == nil && ok && size == s.Size {
			return Stored{sunset}, nil
		}
	}
	return stored, err
}

// put is one upload.
func (c *Client) put(ctx context.Context, origin string, s pow.Sealed) (Stored, error) {
	up := &upload{sealed: s}
	resp, end, err := c.send(ctx, call{
		origin: origin, method: http.MethodPut, path: "/upload", verb: "upload", hash: s.Hash,
		header: map[string]string{"X-SHA-256": s.Hash.String()}, body: up.open, size: s.Size,
	})
	if local := up.failure(); local != nil {
		if err == nil {
			end()
		}
		return Stored{}, local
	}
	if err != nil {
		var place *pow.PlaceError
		if up.began() && errors.As(err, &place) {
			place.Code = codeUnknown // it may have arrived
		}
		return Stored{}, err
	}
	defer end()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		// A server may answer before our side was read to its end.
		if !up.whole() {
			if err := rehash(s); err != nil {
				return Stored{}, err
			}
		}
		return c.confirm(ctx, origin, s, resp)
	case http.StatusConflict:
		if err := rehash(s); err != nil {
			return Stored{}, err
		}
	}
	return Stored{}, c.refusal(resp, time.Now())
}

// confirm checks the descriptor. A server that sends none is asked.
func (c *Client) confirm(ctx context.Context, origin string, s pow.Sealed, resp *http.Response) (Stored, error) {
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDescriptor+1))
	if err != nil {
		return Stored{}, &pow.PlaceError{State: pow.PlaceWait, Code: codeUnknown, Err: err}
	}
	if len(b) == 0 && resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		ok, sunset, size, err := c.has(ctx, origin, s.Hash)
		switch {
		case err != nil:
			return Stored{}, err
		case !ok || size != s.Size:
			return Stored{}, &pow.PlaceError{State: pow.PlaceRefused, Code: "bad-descriptor", Answer: "the server says that it took the file, and does not have it"}
		}
		return Stored{sunset}, nil
	}
	d, err := parseDescriptor(b)
	if err != nil {
		return Stored{}, &pow.PlaceError{State: pow.PlaceWait, Code: "server-error", Answer: "the answer is not that of a Blossom server", Err: err}
	}
	if d.SHA256 != s.Hash.String() || d.Size != s.Size {
		return Stored{}, &pow.PlaceError{State: pow.PlaceRefused, Code: "bad-descriptor", Answer: "the server stored something else"}
	}
	return Stored{parseSunset(resp.Header)}, nil
}

// descriptor is what of BUD-02's blob descriptor counts: its url is ignored.
type descriptor struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

var errDescriptor = errors.New("not a blob descriptor")

func parseDescriptor(b []byte) (d descriptor, err error) {
	if len(b) > maxDescriptor || strictjson.Check(b, strictjson.MaxDepth) != nil || json.Unmarshal(b, &d) != nil {
		return d, errDescriptor
	}
	return d, nil
}

// upload is the Sealed as a request body: hashed while it is read, so that
// damage on the own disk is not taken for the server's fault. The HTTP library
// reads in a goroutine of its own.
type upload struct {
	sealed pow.Sealed

	mu   sync.Mutex
	read bool  // guarded by mu: anything was read
	good bool  // guarded by mu: all was read and has its hash
	err  error // guarded by mu: what is wrong on our side
}

func (u *upload) open() (io.ReadCloser, error) {
	f, err := u.sealed.Open()
	if err != nil {
		return nil, err
	}
	return &body{f: f, u: u, h: sha256.New()}, nil
}

func (u *upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

func (u *upload) began() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.read
}

func (u *upload) whole() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.good
}

type body struct {
	f io.ReadCloser
	u *upload
	h hash.Hash
	n int64
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.f.Read(p)
	b.h.Write(p[:n])
	b.n += int64(n)
	b.u.mu.Lock()
	defer b.u.mu.Unlock()
	b.u.read = b.u.read || n > 0
	switch {
	case err == nil:
	case err == io.EOF && b.n == b.u.sealed.Size && pow.Hash(b.h.Sum(nil)) == b.u.sealed.Hash:
		b.u.good = true
	case err == io.EOF:
		b.u.err = fmt.Errorf("upload: %w", pow.ErrHashMismatch)
		err = b.u.err
	default:
		b.u.err = fmt.Errorf("read the sealed archive: %w", err)
	}
	if err == nil && b.n > b.u.sealed.Size {
		b.u.err = fmt.Errorf("upload: %w", pow.ErrHashMismatch)
		err = b.u.err
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error { return b.f.Close() }

// rehash reads the own Sealed once more: a server may refuse before it was
// read to its end.
func rehash(s pow.Sealed) error {
	f, err := s.Open()
	if err != nil {
		return fmt.Errorf("read the sealed archive: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return fmt.Errorf("read the sealed archive: %w", err)
	}
	if n != s.Size || pow.Hash(h.Sum(nil)) != s.Hash {
		return fmt.Errorf("upload: %w", pow.ErrHashMismatch)
	}
	return nil
}
