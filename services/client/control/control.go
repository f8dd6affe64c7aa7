// Package control is the agent's local door: the window, the command line and
// tests talk to the running agent through it.
//
// The door is a Unix socket in the home folder, mode 0600 in a 0700 folder, and
// where the system tells who is calling, another user is turned away. A
// connection carries one request and its reply, each one JSON document on one
// line; the method "watch" is answered by a stream of documents until either
// side hangs up. What the methods are is the business of the two ends.
//
//	→ {"method":"start","params":{"project":"Website"}}
//	← {"result":{…}}            or  {"error":{"code":"unknown-project","what":"…","mend":"…"}}
package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"pow.do/services/pow"
)

// Limits of the door (threats L-CTL).
const (
	MaxRequest     = 1 << 20  // bytes of one request
	MaxReply       = 64 << 20 // bytes of one reply, a client's bound
	MaxConnections = 16
	headerTimeout  = 10 * time.Second
	// maxSocketPath is what every supported system takes in a sockaddr_un.
	maxSocketPath = 100
)

// Watch is the method whose reply is a stream.
const Watch = "watch"

type request struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params,omitempty"`
}

type reply struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *pow.Error      `json:"error,omitempty"`
}

// SocketPath returns where the agent of a home folder listens. A home whose
// path is too long for a socket gets one in a private folder of the system's
// temporary folder, named after a hash of the home.
func SocketPath(home string) string {
	p := filepath.Join(home, "agent.sock")
	if len(p) <= maxSocketPath {
		return p
	}
	sum := sha256.Sum256([]byte(home))
	return filepath.Join(os.TempDir(), "powdo-"+strconv.Itoa(os.Getuid())+"-"+hex.EncodeToString(sum[:8]), "agent.sock")
}

// Handler answers requests. Both methods are called from many goroutines.
type Handler interface {
	// Call answers one request. A *pow.Error reaches the caller as it is, any
	// other error as code "internal".
	Call(ctx context.Context, method string, params json.RawMessage) (any, error)
	// Watch calls send with each new state until ctx ends or send fails.
	Watch(ctx context.Context, params json.RawMessage, send func(any) error) error
}

// Listen opens the door of a home folder. It fails with pow.ErrInUse when an
// agent already has it; a socket left over by a dead one is replaced. A lock
// beside the socket makes that safe when two agents start at the same moment:
// neither ever removes the other's socket.
func Listen(ctx context.Context, home string) (net.Listener, error) {
	path := SocketPath(home)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the socket's folder: %w", err)
	}
	if err := private(filepath.Dir(path)); err != nil {
		return nil, err
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	ln, err := listen(ctx, path)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	return &locked{Listener: ln, unlock: sync.OnceValue(unlock)}, nil
}

func listen(ctx context.Context, path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// locked is a listener that gives up its lock after its socket.
type locked struct {
	net.Listener
	unlock func() error
}

// Close implements net.Listener.
func (l *locked) Close() error { return errors.Join(l.Listener.Close(), l.unlock()) }

// private refuses a folder that others may enter: in the system's temporary
// folder somebody else may have made it first.
func private(dir string) error {
	fi, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the socket's folder: %w", err)
	}
	if !fi.IsDir() || runtime.GOOS != "windows" && fi.Mode().Perm()&0o077 != 0 {
		return &pow.Error{Code: "unsafe-folder", What: "others may enter the folder of the control socket", Mend: "chmod 700 " + dir}
	}
	return nil
}

// Serve answers on ln until ctx ends, then closes it and waits for every
// request that is under way. When ln fails, the requests are ended.
func Serve(ctx context.Context, ln net.Listener, h Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	slots := make(chan struct{}, MaxConnections)
	for {
		conn, err := ln.Accept()
		if err != nil {
			asked := ctx.Err() != nil
			cancel()
			for range MaxConnections {
				slots <- struct{}{} // wait for the last request
			}
			if asked {
				return nil
			}
			return fmt.Errorf("accept on the control socket: %w", err)
		}
		select {
		case slots <- struct{}{}:
			go func() {
				defer func() { <-slots }()
				serve(ctx, conn, h)
			}()
		default:
			_ = conn.Close()
		}
	}
}

func serve(ctx context.Context, conn net.Conn, h Handler) {
	ctx, cancel := context.WithCancel(ctx)
	var own sync.WaitGroup
	defer own.Wait()
	defer conn.Close()
	defer cancel()
	if !sameUser(conn) {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(headerTimeout))
	own.Go(func() { <-ctx.Done(); _ = conn.SetDeadline(time.Unix(1, 0)) })
	var req request
	if err := json.NewDecoder(io.LimitReader(conn, MaxRequest)).Decode(&req); err != nil {
		_ = write(conn, nil, &pow.Error{Code: pow.ErrUsage.Code, What: "not a request"})
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	if ctx.Err() != nil {
		return // the deadline that was just taken away was the end
	}
	own.Go(func() { hangUp(conn, cancel) })
	if req.Method == Watch {
		_ = h.Watch(ctx, req.Params, func(v any) error { return write(conn, v, nil) })
		return
	}
	v, err := h.Call(ctx, req.Method, req.Params)
	_ = write(conn, v, err)
}

// hangUp cancels the request when the caller goes away; it ends when conn is closed.
func hangUp(conn net.Conn, cancel context.CancelFunc) {
	_, _ = conn.Read(make([]byte, 1))
	cancel()
}

func write(w io.Writer, v any, err error) error {
	var r reply
	if err != nil {
		var e *pow.Error
		if !errors.As(err, &e) {
			e = &pow.Error{Code: pow.CodeInternal, What: err.Error()}
		}
		r.Error = e
	} else {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode a reply: %w", err)
		}
		r.Result = b
	}
	return json.NewEncoder(w).Encode(r)
}

// WindowLock takes the lock of a home folder's one window; it ends with the
// process. Errors: pow.ErrInUse when another window has it.
func WindowLock(home string) (unlock func() error, err error) {
	return lockFile(filepath.Join(filepath.Dir(SocketPath(home)), "window.lock"))
}
