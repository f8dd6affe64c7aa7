package relay_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// rawConn is a WebSocket whose frames a test writes byte by byte.
type rawConn struct {
	t  *testing.T
	c  net.Conn
	br *bufio.Reader
}

const handshake = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

// dialRaw upgrades a connection; headers are lines without the line break.
func (w *world) dialRaw(t *testing.T, headers ...string) (*rawConn, *http.Response) {
	t.Helper()
	c, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(c, handshake, strings.Join(append(headers, ""), "\r\n"), "\r\n")
	r := &rawConn{t, c, bufio.NewReader(c)}
	resp, err := http.ReadResponse(r.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r, resp
}

// The first byte of a frame.
const (
	final  = 0x80
	opText = 1
	opMore = 0
	opPing = 9
)

// frame writes one frame, masked with zeros. Errors are for the reader to find.
func (r *rawConn) frame(first byte, payload []byte) { r.c.Write(frameBytes(first, payload)) }

func frameBytes(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// ended reads up to the end of the connection, and returns the code of a close
// frame, or 0 when there was none.
func (r *rawConn) ended() (code int) {
	r.t.Helper()
	for {
		var head [2]byte
		if _, err := io.ReadFull(r.br, head[:]); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				r.t.Error("the connection was not closed")
			}
			return code
		}
		n := int64(head[1])
		if n == 126 {
			var more [2]byte
			io.ReadFull(r.br, more[:])
			n = int64(binary.BigEndian.Uint16(more[:]))
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(r.br, payload); err == nil && head[0] == final|8 && n >= 2 {
			code = int(binary.BigEndian.Uint16(payload))
		}
	}
}
