package blobs_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// single is a listener of one connection in memory, so that synctest owns the clock.
type single chan net.Conn

func (s single) Accept() (net.Conn, error) {
	c, ok := <-s
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (s single) Close() error   { return nil }
func (s single) Addr() net.Addr { return &net.UnixAddr{} }

func TestSlowUploads(t *testing.T) { // BL-22
	for name, row := range map[string]struct {
		pause time.Duration // between two bytes
		after time.Duration // when it ends at the latest
	}{"nothing at all": {time.Hour, 31 * time.Second}, "a byte a second": {time.Second, 35 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := openWorld(t)
				b := newBlob(100_000)
				header := w.uploadHeader(alice, b, len(b.data))
				near, far := net.Pipe()
				listener := make(single, 1)
				listener <- far
				srv := &http.Server{Handler: w.blobs}
				served := make(chan struct{})
				go func() { defer close(served); srv.Serve(listener) }()
				start := time.Now()
				stop := make(chan struct{})
				go func() {
					defer close(stop)
					fmt.Fprint(near, header)
					for _, c := range b.data {
						if _, err := near.Write([]byte{c}); err != nil {
							return
						}
						time.Sleep(row.pause)
					}
				}()
				line, _ := bufio.NewReader(near).ReadString('\n')
				if took := time.Since(start); !strings.Contains(line, "408") || took > row.after || took < 30*time.Second {
					t.Errorf("%q after %v", line, took)
				}
				near.Close()
				<-stop
				close(listener)
				<-served
				w.wantFiles("too slow", "blobs", 0)
			})
		})
	}
}
