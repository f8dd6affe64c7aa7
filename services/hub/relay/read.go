package relay

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
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
	late := time.AfterFunc(messageWait, func() {
		c.kill(websocket.StatusPolicyViolation, "message without end")
		c.cut()
	})
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
func (r *Relay) accept(w http.ResponseWriter, req *http.Request, ip string) (*conn, error) {
	var c *conn // set before anything is read
	h := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(h, req, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the origin was checked, against the configuration instead of Host
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     func(context.Context, []byte) bool { return c.control() },
		OnPongReceived:     func(context.Context, []byte) { c.control() },
	})
	if err != nil {
		return nil, err // it has answered
	}
	ws.SetReadLimit(maxFrame)
	c = newConn(r, ws, h.conn, ip)
	return c, nil
}

// hijacker hands over the connection below a WebSocket, because the library
// waits five seconds for the answer to a close frame, and gives it buffers of
// the size that letters do not need.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = conn
	early, err := buffered.Reader.Peek(buffered.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(bytes.NewReader(bytes.Clone(early)), max(bufferSize, len(early)))
	r.Peek(len(early)) // the library takes what is buffered, and then reads from conn
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, bufferSize)), nil
}
