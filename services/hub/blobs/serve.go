package blobs

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"pow.do/services/pow"
)

// get answers GET and HEAD (BUD-01).
func (s *Server) get(w http.ResponseWriter, r *http.Request, x pow.Hash) error {
	signer, _, err := s.authorize(r, "get", x)
	if err != nil {
		return err
	}
	_, name, uploaded, err := s.cfg.Index.Blob(r.Context(), x, signer)
	if err != nil {
		return err
	}
	f, err := s.cfg.Bytes.Open(r.Context(), x, name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", "attachment")
	h.Set("ETag", `"`+x.String()+`"`)
	h.Set("Sunset", uploaded.Add(s.cfg.TTL).UTC().Format(http.TimeFormat))
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // several ranges: the whole blob
	}
	s.stats.Served.Add(1)
	http.ServeContent(&patient{w, http.NewResponseController(w), s}, r, "", time.Time{}, f)
	return nil
}

// patient gives up on a reader that takes nothing for idleWait.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	server  *Server
}

// WriteHeader puts back what ServeContent takes from its own refusals.
func (p *patient) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		commonHeaders(p.Header())
		p.Header().Set("X-Reason", "no such part")
		p.server.stats.Refused.add("no such part")
	}
	p.ResponseWriter.WriteHeader(status)
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(idleWait)); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

// remove answers DELETE (BUD-12): the blob goes when nobody owns it any more.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, x pow.Hash) error {
	signer, _, err := s.authorize(r, "delete", x)
	if err != nil {
		return err
	}
	defer s.lock(x)()
	name, orphan, err := s.cfg.Index.Disown(r.Context(), x, signer)
	if err != nil {
		return err
	}
	if orphan { // it is gone already; Tidy finds what cannot be removed now
		s.report(r.Context(), s.cfg.Bytes.Remove(context.WithoutCancel(r.Context()), x, name))
	}
	s.stats.Deleted.Add(1)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
