package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"pow.do/services/pow"
)

// Client calls the agent of one home folder. The zero Home is not useful.
type Client struct{ Home string }

// Call sends one request and decodes the reply into result (nil: ignored).
// Errors: pow.ErrNoAgent when nobody listens; the agent's own *pow.Error;
// pow.ErrTimeout when ctx ends first.
func (c Client) Call(ctx context.Context, method string, params, result any) error {
	conn, err := c.send(ctx, method, params)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	return read(ctx, json.NewDecoder(io.LimitReader(conn, MaxReply)), result)
}

// Watch calls fn with each document of the agent's stream until ctx ends (nil)
// or the agent is lost (pow.ErrNoAgent).
func (c Client) Watch(ctx context.Context, params any, fn func(json.RawMessage)) error {
	conn, err := c.send(ctx, Watch, params)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	d := json.NewDecoder(conn)
	for {
		var doc json.RawMessage
		if err := read(ctx, d, &doc); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		fn(doc)
	}
}

func (c Client) send(ctx context.Context, method string, params any) (net.Conn, error) {
	conn, err := dial(ctx, SocketPath(c.Home))
	if err != nil {
		return nil, lost(ctx, err)
	}
	if !sameUser(conn) { // it would be told passphrases
		return nil, errors.Join(pow.ErrNoAgent.With(errors.New("another user answers on the control socket")), conn.Close())
	}
	req := request{Method: method}
	if params != nil {
		if req.Params, err = json.Marshal(params); err != nil {
			return nil, errors.Join(fmt.Errorf("encode %s: %w", method, err), conn.Close())
		}
	}
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return nil, errors.Join(lost(ctx, err), conn.Close())
	}
	return conn, nil
}

// lost tells an agent that is not there from a caller's time that is over. The
// connection may see the deadline a moment before ctx does.
func lost(ctx context.Context, err error) error {
	var late net.Error
	if ctx.Err() != nil || errors.As(err, &late) && late.Timeout() {
		return pow.ErrTimeout.With(err)
	}
	return pow.ErrNoAgent.With(err)
}

func read(ctx context.Context, d *json.Decoder, result any) error {
	var r reply
	if err := d.Decode(&r); err != nil {
		return lost(ctx, err)
	}
	if r.Error != nil {
		return r.Error
	}
	if result == nil || r.Result == nil {
		return nil
	}
	return json.Unmarshal(r.Result, result)
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", path)
}
