package pow_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pow.do/services/pow"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func span(from, to int) pow.Interval {
	return pow.Interval{From: noon.Add(time.Duration(from) * time.Second), To: noon.Add(time.Duration(to) * time.Second)}
}

func spans(t *rapid.T, name string) (out []pow.Interval) {
	for range rapid.IntRange(0, 12).Draw(t, name) {
		from := rapid.IntRange(0, 100).Draw(t, "from")
		out = append(out, span(from, from+rapid.IntRange(-3, 20).Draw(t, "long")))
	}
	return out
}

// paint is the slow model: the set of seconds that a list of intervals covers.
func paint(in []pow.Interval) map[int]bool {
	m := map[int]bool{}
	for _, i := range in {
		for s := -10; s < 150; s++ {
			if i.Contains(noon.Add(time.Duration(s) * time.Second)) {
				m[s] = true
			}
		}
	}
	return m
}

func TestUnionAndSubtractAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := spans(t, "a"), spans(t, "b")
		u := pow.Union(a)
		if d := cmp.Diff(paint(a), paint(u)); d != "" {
			t.Fatalf("union covers something else: %s", d)
		}
		for i := 1; i < len(u); i++ {
			if !u[i].From.After(u[i-1].To) {
				t.Fatalf("not disjoint and in order: %v", u)
			}
		}
		if int(pow.Total(a)/time.Second) != len(paint(a)) {
			t.Fatal("total")
		}
		shuffled := rapid.Permutation(a).Draw(t, "order")
		if d := cmp.Diff(u, pow.Union(append(shuffled, a...))); d != "" {
			t.Fatalf("order or repetition matters: %s", d)
		}
		want := paint(a)
		for s := range paint(b) {
			delete(want, s)
		}
		if d := cmp.Diff(want, paint(pow.Subtract(a, b))); d != "" {
			t.Fatalf("subtract: %s", d)
		}
	})
}

func TestBridge(t *testing.T) {
	in := []pow.Interval{span(0, 10), span(70, 80), span(141, 150)}
	want := []pow.Interval{span(0, 80), span(141, 150)}
	if d := cmp.Diff(want, pow.Bridge(in, time.Minute)); d != "" {
		t.Error(d)
	}
}

func TestIntervalJSON(t *testing.T) {
	b, err := json.Marshal(span(0, 60))
	if err != nil || string(b) != `["2026-11-20T12:00:00Z","2026-11-20T12:01:00Z"]` {
		t.Errorf("%s %v", b, err)
	}
	var i pow.Interval
	if err := json.Unmarshal(b, &i); err != nil || i != span(0, 60) {
		t.Errorf("%v %v", i, err)
	}
}

func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := span(0, rapid.IntRange(1, 400).Draw(t, "long"))
		var captures []pow.Weight
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			captures = append(captures, pow.Weight{At: whole.From.Add(time.Duration(rapid.IntRange(0, 400_000).Draw(t, "ms")) * time.Millisecond),
				Bytes: int64(rapid.IntRange(1, 100).Draw(t, "bytes"))})
		}
		pieces := pow.Split(whole, captures, time.Minute, 100)
		at := whole.From
		for _, p := range pieces {
			if !p.From.Equal(at) || !p.Valid() || p.Duration() > time.Minute {
				t.Fatalf("pieces %v", pieces)
			}
			at = p.To
			var sum int64
			seconds := map[time.Time]bool{}
			for _, c := range captures {
				if p.Contains(c.At) {
					sum += c.Bytes
					seconds[c.At.Truncate(time.Second)] = true
				}
			}
			if sum > 100 && len(seconds) > 1 {
				t.Fatalf("%d bytes in %v", sum, p)
			}
		}
		if !at.Equal(whole.To) {
			t.Fatalf("ends at %v", at)
		}
	})
}

func TestULID(t *testing.T) {
	// The worked example of the ULID specification's reference implementation.
	id, err := pow.NewULID(time.UnixMilli(1469918176385), bytes.NewReader(make([]byte, 10)))
	if err != nil || id != "01ARYZ6S410000000000000000" {
		t.Errorf("%s %v", id, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, 1<<47).Draw(t, "ms")
		r := rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "random")
		a, _ := pow.NewULID(time.UnixMilli(ms), bytes.NewReader(r))
		b, _ := pow.NewULID(time.UnixMilli(ms+1), bytes.NewReader(r))
		if !pow.IsULID(a) || a >= b {
			t.Fatal(a, b)
		}
	})
	if _, err := pow.NewULID(noon, bytes.NewReader(nil)); err == nil {
		t.Error("no randomness, no error")
	}
	for _, s := range []string{"", "01ARYZ6S41TSV4RRFFQ69G5FA", "81ARYZ6S410000000000000000", "01arYZ6S410000000000000000", "01ARYZ6S41000000000000000U"} {
		if pow.IsULID(s) {
			t.Errorf("%q is a ULID", s)
		}
	}
}

func TestHex(t *testing.T) {
	good := string(bytes.Repeat([]byte("0f"), 32))
	if h, err := pow.ParseHash(good); err != nil || h.String() != good {
		t.Error(h, err)
	}
	for _, s := range []string{"", good[1:], good + "0", "F" + good[1:], "g" + good[1:]} {
		if _, err := pow.ParseKey(s); err == nil {
			t.Errorf("%q is a key", s)
		}
	}
	if _, err := pow.ParseOpaqueID("0123456789ABCDEF"); err == nil {
		t.Error("upper case is an opaque id")
	}
}

func TestUsableRecipient(t *testing.T) {
	a := pow.Announcement{Recipients: []pow.Recipient{
		{ID: "old", Alg: pow.AgePQ, Expires: noon},
		{ID: "future", Alg: pow.AgePQ, NotBefore: noon.Add(time.Hour)},
		{ID: "x", Alg: pow.AgeX25519, NotBefore: noon},
		{ID: "pq", Alg: pow.AgePQ},
	}}
	if r, ok := a.Usable(noon, nil); !ok || r.ID != "x" {
		t.Errorf("%+v %v", r, ok)
	}
	if r, ok := a.Usable(noon, []string{pow.AgePQ}); !ok || r.ID != "pq" {
		t.Errorf("%+v %v", r, ok)
	}
	if _, ok := a.Usable(noon, []string{pow.OpenPGP}); ok {
		t.Error("an algorithm that is not there")
	}
}

// Every code has a status, and only three of them end a proof's life.
func TestCodes(t *testing.T) {
	for c, want := range map[pow.Code]string{pow.CodeReceived: "processing", pow.CodeBooked: "success", pow.CodeParked: "partial",
		pow.CodeBusy: "error", pow.CodeEnrolled: "success", "nobody-knows": "error"} {
		if c.Status() != want {
			t.Errorf("%s: %s", c, c.Status())
		}
	}
	if pow.Code("nobody-knows").Known() || !pow.CodeBusy.Retryable() || pow.CodeMismatch.Retryable() {
		t.Error("known or retryable")
	}
	ends := []pow.Code{}
	for _, c := range []pow.Code{pow.CodeReceived, pow.CodeAccepted, pow.CodeBooked, pow.CodeParked, pow.CodeRejected, pow.CodeBusy} {
		if c.EndsLife() {
			ends = append(ends, c)
		}
	}
	if !slices.Equal(ends, []pow.Code{pow.CodeAccepted, pow.CodeBooked, pow.CodeParked}) {
		t.Error(ends)
	}
}

func TestNoticeEqual(t *testing.T) {
	s := pow.Statement{ID: pow.Hash{1}, Author: pow.Key{2}, Device: pow.Key{3}, DVM: pow.Key{4}, Session: "s", Project: "p", KimaiActivity: "k",
		Seq: 5, Prev: pow.Hash{6}, Interval: span(0, 9)}
	n := pow.Notice{Statement: s.ID, Author: s.Author, Device: s.Device, DVM: s.DVM, Session: s.Session, Project: s.Project,
		KimaiActivity: s.KimaiActivity, Seq: s.Seq, Prev: s.Prev, Interval: s.Interval}
	if d := n.Equal(s); d != "" {
		t.Errorf("differs in %s", d)
	}
	for want, change := range map[string]func(*pow.Notice){
		"statement": func(n *pow.Notice) { n.Statement[0]++ }, "identity": func(n *pow.Notice) { n.Author[0]++ },
		"device": func(n *pow.Notice) { n.Device[0]++ }, "dvm": func(n *pow.Notice) { n.DVM[0]++ }, "session": func(n *pow.Notice) { n.Session = "t" },
		"project": func(n *pow.Notice) { n.Project = "q" }, "activity": func(n *pow.Notice) { n.KimaiActivity = "" }, "seq": func(n *pow.Notice) { n.Seq++ },
		"prev": func(n *pow.Notice) { n.Prev[0]++ }, "from": func(n *pow.Notice) { n.Interval.From = noon.Add(1) }, "to": func(n *pow.Notice) { n.Interval.To = noon },
	} {
		m := n
		change(&m)
		if got := m.Equal(s); got != want {
			t.Errorf("changed %s, found %q", want, got)
		}
	}
}
