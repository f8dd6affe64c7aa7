package server

import (
	"context"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// reload waits for SIGHUP, then reads the settings again and has every part take
// over what can change while it runs. No connection is closed. Settings that
// cannot be read change nothing.
func (s *serving) reload(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	log := s.p.log()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
		}
		tellManager("RELOADING=1")
		g, err := s.p.reread()
		for _, f := range s.reloads {
			if err == nil {
				err = f(g)
			}
		}
		if err != nil {
			log.Error("the settings could not be read again; the old ones stay", "err", err)
		} else {
			log.Info("the settings were read again")
		}
		tellManager("READY=1")
	}
}

// tellManager tells systemd, if it asked (Type=notify), what the program does.
func tellManager(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return // a manager that does not listen is no reason to stop
	}
	c.Write([]byte(state))
	c.Close()
}
