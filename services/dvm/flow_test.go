package dvm_test

import (
	"testing"
	"time"

	"pow.do/services/pow"
)

func TestOneProof(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		x.want(n, pow.CodeBooked)
		r := x.last(n.ID)
		if r.Device != laptop || r.Sealed != n.Sealed || r.Seq != 1 || r.Proven != 600 || r.Booking.System != "ledger" || r.Booking.Timesheet == 0 || r.Text == "" {
			t.Errorf("receipt %+v", r)
		}
		s := x.session(session(1))
		if s.Proven != 600 || s.State != "open" || s.Booking.State != "booked" || len(s.Intervals) != 1 || s.Proofs != 1 {
			t.Errorf("session %+v", s)
		}
		p := x.proofs()
		want := pow.Checks{Signature: "ok", Chain: "ok", Hashes: "ok", Window: "ok", Policy: "ok", Consent: "-"}
		if len(p) != 1 || p[0].Checks != want || p[0].State != "accepted" || p[0].Code != pow.CodeBooked || p[0].Captures != 1 {
			t.Errorf("proofs %+v", p)
		}
		if len(x.spent) != 1 || x.deleted[digest("wrap", n.ID, 1)] != 1 {
			t.Errorf("blobs deleted %v, letters deleted %v", x.spent, x.deleted)
		}
	})
}
