package relaystest

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"pow.do/services/wire/event"
)

// Hostile is a websocket server that does what its script says, down to the
// single byte. The script runs once per connection, in order of arrival; when
// it returns, the connection is closed.
type Hostile struct {
	URL string
	// Info is the NIP-11 document; an empty one lists no NIP.
	Info string
	// Before sees every request before it is answered; when it returns true,
	// it has answered.
	Before func(net.Conn, *http.Request) bool
	// Deaf leaves pings without a pong.
	Deaf bool

	script func(*Peer)
	all    sync.WaitGroup

	mu    sync.Mutex
	n     int
	conns []net.Conn
}

// Peer is the script's end of one connection.
type Peer struct {
	N        int // 1 for the first connection
	c        net.Conn
	hostile  *Hostile
	messages chan string
	writing  chan struct{} // one at a time; a lock would stop the clock of a synctest bubble
}

// NewHostile starts a Hostile on 127.0.0.1. It ends with the test.
func NewHostile(t testing.TB, script func(*Peer)) *Hostile {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &Hostile{URL: "ws://" + l.Addr().String(), script: script}
	h.Serve(t, l)
	return h
}

// NewHostileIn starts a Hostile in memory, for testing/synctest.
func NewHostileIn(t testing.TB, m *Memory, script func(*Peer)) *Hostile {
	h := &Hostile{URL: "ws://127.0.0.1", script: script}
	h.Serve(t, m)
	return h
}

// Serve answers on a listener until the test ends.
func (h *Hostile) Serve(t testing.TB, l net.Listener) {
	h.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.conns = append(h.conns, c)
			h.mu.Unlock()
			h.all.Go(func() { h.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		h.mu.Lock()
		for _, c := range h.conns {
			c.Close()
		}
		h.mu.Unlock()
		h.all.Wait()
	})
}

// Connections returns how many handshakes there were.
func (h *Hostile) Connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}

func (h *Hostile) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil || h.Before != nil && h.Before(c, req) {
		return
	}
	if req.Header.Get("Upgrade") == "" {
		info := h.Info
		if info == "" {
			info = "{}"
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(info), info)
		return
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	h.mu.Lock()
	h.n++
	p := &Peer{N: h.n, c: c, hostile: h, messages: make(chan string, 4096), writing: make(chan struct{}, 1)}
	h.mu.Unlock()
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(p.messages)
		for p.readFrame(r) {
		}
	})
	h.script(p)
	c.Close()
	reader.Wait()
}

// readFrame takes one frame of the client: masked, and never fragmented.
func (p *Peer) readFrame(r *bufio.Reader) bool {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return false
	}
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		var b [2]byte
		_, _ = io.ReadFull(r, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, _ = io.ReadFull(r, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	body := make([]byte, 4+min(n, 1<<20))
	if _, err := io.ReadFull(r, body); err != nil {
		return false
	}
	for i := range body[4:] {
		body[4+i] ^= body[i%4]
	}
	switch head[0] & 0x0f {
	case 1:
		p.messages <- string(body[4:])
	case 8:
		return false
	case 9:
		if !p.hostile.Deaf {
			p.Frame(10, true, body[4:])
		}
	}
	return true
}

// Raw writes bytes to the socket. Errors are the client's hanging up.
func (p *Peer) Raw(b []byte) error {
	p.writing <- struct{}{}
	defer func() { <-p.writing }()
	_, err := p.c.Write(b)
	return err
}

// Frame writes one frame.
func (p *Peer) Frame(opcode byte, fin bool, payload []byte) error {
	head := []byte{opcode, 0}
	if fin {
		head[0] |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		head[1] = byte(n)
	case n < 1<<16:
		head[1] = 126
		head = binary.BigEndian.AppendUint16(head, uint16(n))
	default:
		head[1] = 127
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	return p.Raw(append(head, payload...))
}

// Text writes one whole text message.
func (p *Peer) Text(s string) error { return p.Frame(1, true, []byte(s)) }

// Send writes a message of NIP-01. Events are written as they are, also forged.
func (p *Peer) Send(parts ...any) error {
	for i, part := range parts {
		if e, ok := part.(*event.Event); ok {
			parts[i] = json.RawMessage(event.Marshal(e))
		}
	}
	b, err := json.Marshal(parts)
	if err != nil {
		panic(err)
	}
	return p.Text(string(b))
}

// Message is one message of the client.
type Message struct {
	Kind  string // "" when the client hung up
	Sub   string
	Event *event.Event // EVENT, AUTH
	Text  string       // all of it
}

// Next waits for the next message.
func (p *Peer) Next() (m Message) {
	s, ok := <-p.messages
	if !ok {
		return m
	}
	m.Text = s
	var parts []json.RawMessage
	if json.Unmarshal([]byte(s), &parts) != nil || len(parts) < 2 || json.Unmarshal(parts[0], &m.Kind) != nil {
		panic("relaystest: the client sent " + s)
	}
	_ = json.Unmarshal(parts[1], &m.Sub)
	m.Event, _ = event.Parse(parts[1])
	return m
}

// Await waits for the next message of a kind and skips the others.
func (p *Peer) Await(kind string) Message {
	for {
		if m := p.Next(); m.Kind == kind || m.Kind == "" {
			return m
		}
	}
}

// Auth sends a challenge and accepts the answer.
func (p *Peer) Auth() {
	_ = p.Send("AUTH", fmt.Sprintf("challenge %d", p.N))
	if m := p.Await("AUTH"); m.Event != nil {
		_ = p.Send("OK", m.Event.ID, true, "")
	}
}

// Cut drops the connection.
func (p *Peer) Cut() { _ = p.c.Close() }

// Wait waits until the client hangs up.
func (p *Peer) Wait() {
	for p.Next().Kind != "" {
	}
}

// Memory is a network of one listener without sockets, so that time in a
// testing/synctest bubble passes by itself while everybody waits.
type Memory struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

// NewMemory makes one.
func NewMemory() *Memory {
	return &Memory{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept implements net.Listener.
func (m *Memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

// Addr implements net.Listener.
func (m *Memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// DialContext connects to the listener, whatever the address.
func (m *Memory) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case m.conns <- there:
		return here, nil
	case <-m.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Client is an HTTP client on this network that follows no redirects.
func (m *Memory) Client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DialContext: m.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
