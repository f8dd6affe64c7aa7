package blossomtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// Hostile starts a server on 127.0.0.1 that answers everything in one way, for
// instance with one of Lies. It ends with the test.
func Hostile(t testing.TB, answer http.HandlerFunc) (url string) {
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	return srv.URL
}

// Lies are the ways to get a download of a blob wrong (BL-24).
func Lies(blob []byte) map[string]http.HandlerFunc {
	body := func(b []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
	}
	wrong := bytes.Clone(blob)
	wrong[len(wrong)/2] ^= 1
	return map[string]http.HandlerFunc{
		"wrong bytes": body(wrong),
		"short":       body(blob[:len(blob)-1]),
		"long":        body(append(bytes.Clone(blob), 0)),
		"empty":       body(nil),
		"endless":     endless,
		"chunked and short": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(blob[:len(blob)-1])
			w.(http.Flusher).Flush()
		},
		"gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(blob)
			_ = z.Close()
		},
		"gzip in name only": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(blob)
		},
		"login page":      func(w http.ResponseWriter, _ *http.Request) { page(w, http.StatusOK) },
		"204 for 200":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"206 of nothing":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) },
		"cut in the body": func(w http.ResponseWriter, _ *http.Request) { cut(w, len(blob), blob[:len(blob)/2]) },
	}
}

// page answers as a captive portal does.
func page(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!doctype html><title>Please log in</title>"))
}

// Page is a login page in place of the answer.
func Page(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { page(w, status) }
}

// endless writes until the client hangs up.
func endless(w http.ResponseWriter, _ *http.Request) {
	chunk := bytes.Repeat([]byte{7}, 64<<10)
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// cut promises n bytes, sends fewer and drops the connection.
func cut(w http.ResponseWriter, n int, b []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(n))
	_, _ = w.Write(b)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// Descriptor answers an upload with a descriptor that names this hash and size.
func Descriptor(hash string, size int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil {
			_, _ = bytes.NewBuffer(nil).ReadFrom(r.Body)
		}
		fmt.Fprintf(w, `{"url":"https://blobs.example.org/%s","sha256":"%s","size":%d,"type":"application/octet-stream","uploaded":1}`, hash, hash, size)
	}
}

// Status answers with a status and a text that no terminal should see as it is.
func Status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("X-Reason", "no\u202eyes\u200b "+strings.Repeat("x", 300))
		w.WriteHeader(code)
	}
}
