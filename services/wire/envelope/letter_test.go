package envelope_test

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
)

// Nothing about a Letter may tell when it was made or what is inside: sizes are
// one, keys are fresh, and the three dates are uniform and independent. The
// thresholds are those that a good source crosses once in ten million runs;
// back-dating by 40 hours only, or in whole minutes, crosses them every time.
func TestLettersAreAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 2000 letters")
	}
	const n = 2000
	now := at(noticeTime)
	var seals, wraps, expires []float64
	keys, odd := map[string]bool{}, map[int64]bool{}
	for range n {
		_, seal, err := envelope.SealNotice(member, vectorNotice(), now)
		if err != nil {
			t.Fatal(err)
		}
		l, err := envelope.Wrap(seal, dvm.Public(), now)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := event.Parse(seal)
		w, _ := event.Parse(l.JSON)
		x, _ := strconv.ParseInt(w.Tags[1][1], 10, 64)
		if len(seal) != 3163 || len(l.JSON) != 5313 || len(w.Tags) != 2 || keys[w.PubKey] {
			t.Fatalf("%d, %d bytes, %v", len(seal), len(l.JSON), w.Tags)
		}
		keys[w.PubKey], odd[int64(w.CreatedAt)%60] = true, true
		seals = append(seals, float64(now.Unix()-int64(s.CreatedAt))/172_800)
		wraps = append(wraps, float64(now.Unix()-int64(w.CreatedAt))/172_800)
		expires = append(expires, (float64(x-now.Unix())/86_400-30)/2)
	}
	if len(odd) != 60 {
		t.Errorf("only %d of 60 seconds occur", len(odd))
	}
	for name, s := range map[string][]float64{"seal": seals, "wrap": wraps, "expiration": expires} {
		if d := distance(s); d > 2.9/math.Sqrt(n) {
			t.Errorf("%s is not uniform: distance %.4f", name, d)
		}
	}
	for name, pair := range map[string][2][]float64{"seal, wrap": {seals, wraps}, "seal, expiration": {seals, expires}, "wrap, expiration": {wraps, expires}} {
		if r := correlation(pair[0], pair[1]); math.Abs(r) > 5.3/math.Sqrt(n) {
			t.Errorf("%s are not independent: correlation %.4f", name, r)
		}
	}
}

// distance is the Kolmogorov-Smirnov distance to the uniform distribution on [0, 1].
func distance(s []float64) (d float64) {
	s = slices.Sorted(slices.Values(s))
	for i, x := range s {
		if x < 0 || x > 1 {
			return 1
		}
		d = max(d, x-float64(i)/float64(len(s)), float64(i+1)/float64(len(s))-x)
	}
	return d
}

func correlation(a, b []float64) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := a[i]-0.5, b[i]-0.5
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// A Letter made of a stored seal is new outside and the same inside.
func TestRewrap(t *testing.T) {
	id, seal, err := envelope.SealNotice(member, vectorNotice(), at(noticeTime))
	if err != nil {
		t.Fatal(err)
	}
	later := at(noticeTime).Add(72 * time.Hour)
	a, err1 := envelope.Wrap(seal, dvm.Public(), at(noticeTime))
	b, err2 := envelope.Wrap(seal, dvm.Public(), later)
	if err1 != nil || err2 != nil || a.ID == b.ID {
		t.Fatal(err1, err2)
	}
	for _, l := range [][]byte{a.JSON, b.JSON} {
		m, err := dvmReader().Open(l, later)
		if err != nil || m.Rumor != id || string(m.SealEvent) != string(seal) {
			t.Errorf("%v", err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(forgery{}.letter(f))
	for _, c := range negatives(f)[:12] {
		f.Add([]byte(c.Letter))
	}
	r := dvmReader()
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := r.Open(b, at(noticeTime))
		if err == nil && (m.Author != member.Public() || (m.Bad == "") == (m.Notice == nil && m.Account == nil)) {
			t.Fatalf("%+v", m)
		}
	})
}

// FuzzPayload puts any text where a stranger can put it: into a signed wrap.
func FuzzPayload(f *testing.F) {
	good, _ := envelope.Encrypt([32]byte{1}, [32]byte{1}, []byte("x"))
	f.Add(good)
	f.Add(string(make([]byte, 132)))
	f.Fuzz(func(t *testing.T, s string) {
		if plain, err := envelope.Decrypt([32]byte{1}, s); err == nil && s != good && len(plain) == 0 {
			t.Fatal("opened to nothing")
		}
	})
}

// FuzzRumor gives any content and one more tag to an author who may write.
func FuzzRumor(f *testing.F) {
	f.Add(5940, "", "param", "seq")
	f.Add(5941, `{"binding":{}}`, "v", "2")
	f.Fuzz(func(t *testing.T, kind int, content, name, value string) {
		e := &event.Event{Kind: kind & 0xffff, Content: content, Tags: event.Tags{{"p", dvm.Public().String()}, {"v", "1"}, {name, value},
			{"param", "action", "enrol"}, {"param", "device", device.Public().String()}, {"param", "ann", "1"}}}
		_, seal, err := fixed(1, noticeTime, noticeTime, 0, oneTime[1]).Seal(member, dvm.Public(), e, at(noticeTime))
		if err != nil {
			return
		}
		l, err := fixed(2, noticeTime, noticeTime, noticeTime+30*86_400, oneTime[1]).Wrap(seal, dvm.Public(), at(noticeTime))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := dvmReader().Open(l.JSON, at(noticeTime)); err == nil && m.Author != member.Public() {
			t.Fatalf("%+v", m)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	l := forgery{}.letter(b)
	r := dvmReader()
	for b.Loop() {
		if _, err := r.Open(l, at(noticeTime)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
}

func BenchmarkMake(b *testing.B) {
	for b.Loop() {
		_, seal, err := envelope.SealNotice(member, vectorNotice(), at(noticeTime))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := envelope.Wrap(seal, dvm.Public(), at(noticeTime)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
}
