package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"pow.do/services/pow"
)

// secured wraps the hub's listener in TLS when certificates are configured: from
// files, which reload reads again, or from an ACME server such as Let's Encrypt,
// which looks at this same port (TLS-ALPN-01).
func (s *serving) secured(ln net.Listener) (net.Listener, error) {
	g := s.p.g
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	switch {
	case len(g.TLSDomain) > 0 && g.TLSCert+g.TLSKey != "":
		return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "--tls-domain and --tls-cert exclude each other"}
	case len(g.TLSDomain) > 0:
		m := autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(s.dir, "hub", "acme")), Email: g.ACMEEmail,
			HostPolicy: autocert.HostWhitelist(g.TLSDomain...), Client: &acme.Client{DirectoryURL: g.ACMEURL},
		}
		cfg.GetCertificate = m.GetCertificate
		cfg.NextProtos = append(cfg.NextProtos, acme.ALPNProto)
		s.group.add("certificates", func(ctx context.Context) error { return s.fetchCertificates(ctx, &m) })
	case g.TLSCert != "" && g.TLSKey != "":
		c := &certificate{}
		if err := c.load(g); err != nil {
			return nil, err
		}
		s.reloads = append(s.reloads, c.load)
		cfg.GetCertificate = c.get
	case g.TLSCert+g.TLSKey != "":
		return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "--tls-cert and --tls-key go together"}
	default:
		return ln, nil
	}
	return tls.NewListener(ln, cfg), nil
}

// fetchCertificates asks for what is not there yet before anybody calls: an
// answer takes longer than a caller's handshake may.
func (s *serving) fetchCertificates(ctx context.Context, m *autocert.Manager) error {
	for _, name := range s.p.g.TLSDomain {
		go func() { // it ends by itself; the next handshake tries again
			hello := &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
			if _, err := m.GetCertificate(hello); err != nil && ctx.Err() == nil {
				s.p.log().Warn("no certificate yet", "domain", name, "error", err)
			}
		}()
	}
	<-ctx.Done()
	return nil
}

// certificate is read from two files.
type certificate struct {
	now atomic.Pointer[tls.Certificate]
}

// load keeps the old one when the files cannot be used.
func (c *certificate) load(g *grammar) error {
	pair, err := tls.LoadX509KeyPair(g.TLSCert, g.TLSKey)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	c.now.Store(&pair)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now.Load(), nil }
