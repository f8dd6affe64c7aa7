package envelope

import (
	"fmt"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

const maxServers = 4

// SealNotice makes the rumor (kind 5940) and the seal of a Notice, once; both
// the id and the seal are kept for all Letters that may be needed. Author, ID
// and CreatedAt are set from the key and now. A Notice that our own reader would
// refuse is not made.
func SealNotice(from identity.Secret, n pow.Notice, now time.Time) (rumor pow.Hash, sealEvent []byte, err error) {
	return random().sealNotice(from, n, now)
}

func (s source) sealNotice(from identity.Secret, n pow.Notice, now time.Time) (pow.Hash, []byte, error) {
	e := &event.Event{Kind: KindNotice, Tags: noticeTags(n)}
	id, seal, err := s.seal(from, n.DVM, e, now)
	if err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal a notice: %w", err)
	}
	if _, err := readNotice(e); err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal a notice: %w", err)
	}
	return id, seal, nil
}

func noticeTags(n pow.Notice) event.Tags {
	t := event.Tags{{"p", n.DVM.String()}, {"v", "1"}}
	if !n.IsHint() {
		t = append(t, event.Tag{"x", n.Sealed.String()}, event.Tag{"size", decimal(n.Size)},
			event.Tag{"archive", decimal(n.Archive)}, event.Tag{"enc", n.Alg, n.Recipient})
		for _, s := range n.Servers {
			t = append(t, event.Tag{"server", s})
		}
		t = append(t, event.Tag{"statement", n.Statement.String()})
	}
	t = append(t, param("action", string(n.Action)), param("device", n.Device.String()), param("project", string(n.Project)))
	if n.KimaiActivity != "" {
		t = append(t, param("activity", string(n.KimaiActivity)))
	}
	t = append(t, param("session", string(n.Session)))
	if n.IsHint() {
		t = append(t, param("at", unix(n.At)))
	} else {
		t = append(t, param("seq", decimal(n.Seq)), param("prev", n.Prev.String()),
			param("from", unix(n.Interval.From)), param("to", unix(n.Interval.To)))
	}
	return append(t, param("cat", decimal(n.Catalogue)))
}

func readNotice(e *event.Event) (*pow.Notice, error) {
	r := &reader{e: e}
	if err := r.version(); err != nil {
		return nil, err
	}
	n := &pow.Notice{ID: event.ID(e), Author: event.Author(e), CreatedAt: time.Unix(int64(e.CreatedAt), 0)}
	p, _ := r.value("p")
	n.DVM = r.key("p", p)
	switch n.Action = pow.Action(r.need("action")); n.Action {
	case pow.ActionStart, pow.ActionExtend, pow.ActionStop:
	case "":
		r.fail("action")
	default:
		return nil, unsupported
	}
	n.Device = r.key("device", r.need("device"))
	n.Project = r.opaque("project", r.need("project"))
	if a, ok := r.param("activity"); ok {
		n.KimaiActivity = r.opaque("activity", a)
	}
	n.Session = r.session(r.need("session"))
	n.Catalogue = int(r.number("cat", r.need("cat"), 0))
	if _, ok := r.value("pad"); !ok {
		r.fail("no pad")
	}
	if isProof(e) {
		r.proof(n)
	} else {
		n.At = r.time("at", r.need("at"))
		if n.Action == pow.ActionExtend {
			r.fail("extend without a proof")
		}
	}
	return n, r.err()
}

// isProof tells whether the Notice has any of the tags that come all together or not at all.
func isProof(e *event.Event) bool {
	for _, t := range e.Tags {
		name := t[0]
		if name == "param" && len(t) > 1 {
			name = t[1]
		}
		switch name {
		case "x", "size", "archive", "enc", "server", "statement", "seq", "prev", "from", "to":
			return true
		}
	}
	return false
}

func (r *reader) proof(n *pow.Notice) {
	x, _ := r.value("x")
	if n.Sealed = r.hash("x", x); n.Sealed.IsZero() {
		r.fail("x")
	}
	size, _ := r.value("size")
	n.Size = r.number("size", size, 1)
	archive, _ := r.value("archive")
	n.Archive = int(r.number("archive", archive, 1))
	if enc := r.tag("enc"); len(enc) > 1 && enc[0] != "" && len(enc[0]) <= 32 {
		n.Alg, n.Recipient = enc[0], string(r.opaque("enc", enc[1]))
	} else {
		r.fail("enc")
	}
	n.Servers = r.servers()
	statement, _ := r.value("statement")
	n.Statement = r.hash("statement", statement)
	n.Seq = uint64(r.number("seq", r.need("seq"), 1))
	if n.Prev = r.hash("prev", r.need("prev")); n.Prev.IsZero() != (n.Seq == 1) {
		r.fail("prev")
	}
	n.Interval = pow.Interval{From: r.time("from", r.need("from")), To: r.time("to", r.need("to"))}
	if !n.Interval.Valid() {
		r.fail("from not before to")
	}
}

// servers reads the origins that hold the Sealed. A URL with a path, a user or
// a foreign scheme is no origin: nobody is led anywhere by a Notice.
func (r *reader) servers() (list []string) {
	for _, t := range r.e.Tags {
		if t[0] != "server" {
			continue
		}
		if len(t) < 2 || len(list) == maxServers {
			r.fail("server")
			return nil
		}
		o, err := pow.ParseOrigin(t[1], pow.BlossomOrigin)
		if err != nil {
			r.fail("server")
		}
		list = append(list, o)
	}
	if len(list) == 0 {
		r.fail("no server")
	}
	return list
}
