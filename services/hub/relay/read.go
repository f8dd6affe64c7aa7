package relay

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/coder/websocket"
)

// read takes messages off the socket and handles them one after another, until
// the connection ends.
func (c *conn) read() {
	for {
		kind, r, err := c.ws.Reader(c.ctx)
		if err != nil || c.dead() {
			return
		}
		if kind != websocket.MessageText {
			c.kill(websocket.StatusUnsupportedData, "text only")
			return
		}
		message, done, ok := c.message(r)
		if ok {
			c.seen.Store(time.Now().UnixNano())
			c.handle(message)
		}
		done()
		if !ok || c.dead() {
			return
		}
	}
}

// message reads one message into a borrowed buffer, which done gives back. It
// has to arrive in time and in few pieces: the library bounds its size only.
func (c *conn) message(r io.Reader) (message []byte, done func(), ok bool) {
	b, _ := c.relay.buffers.Get().(*bytes.Buffer)
	if b == nil {
		b = new(bytes.Buffer)
	}
	b.Reset()
	late := time.AfterFunc(messageWait, func() { c.kill(websocket.StatusPolicyViolation, "message without end"); c.cut() })
	defer late.Stop()
	done = func() { c.relay.buffers.Put(b) }
	for pieces := 0; ; {
		b.Grow(bytes.MinRead)
		room := b.AvailableBuffer()
		n, err := r.Read(room[:cap(room)])
		b.Write(room[:n])
		if err == io.EOF {
			return b.Bytes(), done, true
		}
		if n < leastPiece {
			pieces++
		}
		if err != nil || pieces > maxPieces {
			c.kill(websocket.StatusPolicyViolation, "message in too many pieces")
			return nil, done, false
		}
	}
}

// control is called for every ping and pong: they need no answer of the
// connection's own, but may not come in masses.
func (c *conn) control() bool {
	if !c.controls.take(time.Now(), controlsPerMinute, controlsPerMinute, 1) {
		c.relay.stats.Refused.Add("control")
		c.kill(websocket.StatusPolicyViolation, "too many pings")
		return false
	}
	return true
}

// accept upgrades a request to a WebSocket without compression.
func (r *Relay) accept(ip string) (options *websocket.AcceptOptions, serve func(*websocket.Conn) *conn) {
	var c *conn // set before anything is read
	return &websocket.AcceptOptions{
			InsecureSkipVerify: true, // the origin was checked, against the configuration instead of Host
			CompressionMode:    websocket.CompressionDisabled,
			OnPingReceived:     func(context.Context, []byte) bool { return c.control() },
			OnPongReceived:     func(context.Context, []byte) { c.control() },
		}, func(ws *websocket.Conn) *conn {
			ws.SetReadLimit(maxFrame)
			c = newConn(r, ws, ip)
			return c
		}
}
