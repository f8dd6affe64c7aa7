package relay

import (
	"github.com/coder/websocket"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Arrived hands an event that another hub stored in the same database to the
// readers here, as if it had been stored by this one. It does not block.
func (r *Relay) Arrived(json []byte) {
	e, err := event.Parse(json)
	if err != nil {
		r.log.Error("another hub stored what is not an event", "err", err)
		return
	}
	m := &mail{id: event.ID(e), kind: e.Kind, author: event.Author(e), json: json, event: e}
	if e.Kind == kindLetter {
		p, _, _ := event.Single(e, "p")
		m.to, _ = pow.ParseKey(p)
	}
	r.broadcast(m)
}

// Missed closes every connection (1012): events of other hubs may not have
// reached their readers, who ask again for what is stored when they come back.
func (r *Relay) Missed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.kill(websocket.StatusServiceRestart, "connect again")
	}
}

// SetAdmins replaces Config.Admins.
func (r *Relay) SetAdmins(admins map[pow.Key]string) { r.admins.Store(&admins) }
