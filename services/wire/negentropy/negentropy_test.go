package negentropy_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nbd-wtf/go-nostr"
	peer "github.com/nbd-wtf/go-nostr/nip77/negentropy"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy/storage/vector"
	"pgregory.net/rapid"

	"pow.do/services/pow"
	"pow.do/services/wire/negentropy"
)

// item is the n-th of a fixed world: seven items share each second.
func item(n int) negentropy.Item {
	return negentropy.Item{At: int64(1_700_000_000 + n/7), ID: sha256.Sum256(fmt.Append(nil, n))}
}

func items(numbers ...int) []negentropy.Item {
	list := make([]negentropy.Item, len(numbers))
	for i, n := range numbers {
		list[i] = item(n)
	}
	return list
}

// span lists numbers from a to b, without b.
func span(a, b int) (list []int) {
	for n := a; n < b; n++ {
		list = append(list, n)
	}
	return list
}

// ids is the set of what came: an id comes again when an answer was cut.
func ids(list []pow.Hash) map[pow.Hash]int {
	m := map[pow.Hash]int{}
	for _, id := range list {
		m[id] = 1
	}
	return m
}

// minus is the ids of a that are not in b.
func minus(a, b []negentropy.Item) map[pow.Hash]int {
	m := map[pow.Hash]int{}
	for _, it := range a {
		m[it.ID] = 1
	}
	for _, it := range b {
		delete(m, it.ID)
	}
	return m
}

// fataler is a test of testing or of rapid.
type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// compare runs a whole comparison and returns how many answers it took.
func compare(t fataler, asks, answers *negentropy.Set, limit int) (have, need []pow.Hash, rounds int) {
	message := asks.First()
	for message != nil {
		if rounds++; rounds > 5_000 {
			t.Fatal("it does not end")
		}
		answer, err := answers.Answer(message, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(answer) > limit {
			t.Fatalf("an answer of %d bytes, over %d", len(answer), limit)
		}
		next, h, n, err := asks.Next(answer, limit)
		if err != nil {
			t.Fatal(err)
		}
		message, have, need = next, append(have, h...), append(need, n...)
	}
	return have, need, rounds
}

func TestCompare(t *testing.T) {
	for name, row := range map[string]struct{ mine, theirs []int }{
		"both empty":      {nil, nil},
		"one empty":       {nil, span(0, 100)},
		"other empty":     {span(0, 5000), nil},
		"equal":           {span(0, 5000), span(0, 5000)},
		"one is missing":  {span(0, 5000), append(span(0, 2499), span(2500, 5000)...)},
		"one second":      {span(0, 3), span(2, 7)},
		"apart":           {span(0, 2000), span(3000, 5000)},
		"overlapping":     {append(span(0, 100), span(4000, 9000)...), span(50, 6000)},
		"twice the same":  {append(span(0, 40), span(0, 40)...), span(0, 41)},
		"every other one": {span(0, 3000), slices.DeleteFunc(span(0, 3000), func(n int) bool { return n%2 == 0 })},
	} {
		for _, limit := range []int{negentropy.Least, 10_000, negentropy.Frame} {
			t.Run(fmt.Sprint(name, " ", limit), func(t *testing.T) {
				mine, theirs := items(row.mine...), items(row.theirs...)
				have, need, _ := compare(t, negentropy.NewSet(slices.Clone(mine)), negentropy.NewSet(slices.Clone(theirs)), limit)
				checkIDs(t, "have", have, minus(mine, theirs))
				checkIDs(t, "need", need, minus(theirs, mine))
			})
		}
	}
}

// checkIDs compares what was reported with what differs.
func checkIDs(t *testing.T, what string, got []pow.Hash, want map[pow.Hash]int) {
	t.Helper()
	if diff := cmp.Diff(want, ids(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%.2000s", what, diff)
	}
}

// TestRandomSets compares sets of any overlap, with the smallest room for answers.
func TestRandomSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 800).Draw(t, "items")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		common := r.Float64()
		var mine, theirs []negentropy.Item
		for i := range n {
			both := r.Float64() < common
			if side := r.IntN(2) == 0; both || side {
				mine = append(mine, item(i))
				if !both {
					continue
				}
			}
			theirs = append(theirs, item(i))
		}
		r.Shuffle(len(mine), func(i, k int) { mine[i], mine[k] = mine[k], mine[i] })
		limit := rapid.SampledFrom([]int{negentropy.Least, 5_000, negentropy.Frame}).Draw(t, "limit")
		have, need, _ := compare(t, negentropy.NewSet(slices.Clone(mine)), negentropy.NewSet(slices.Clone(theirs)), limit)
		if !maps.Equal(ids(have), minus(mine, theirs)) || !maps.Equal(ids(need), minus(theirs, mine)) {
			t.Fatalf("%d have and %d need, want %d and %d", len(have), len(need), len(minus(mine, theirs)), len(minus(theirs, mine)))
		}
	})
}

// TestAgainstAnother meets the implementation of go-nostr on both sides.
func TestAgainstAnother(t *testing.T) {
	mine, theirs := items(append(span(0, 2000), span(2500, 4000)...)...), items(append(span(300, 3000), 3500)...)
	want := [2]map[pow.Hash]int{minus(mine, theirs), minus(theirs, mine)}
	t.Run("it answers", func(t *testing.T) {
		ours, other := negentropy.NewSet(slices.Clone(mine)), foreign(theirs)
		var have, need []pow.Hash
		for message := ours.First(); message != nil; {
			answer, err := other.Reconcile(hex.EncodeToString(message))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := hex.DecodeString(answer)
			if err != nil {
				t.Fatal(err)
			}
			next, h, n, err := ours.Next(raw, negentropy.Frame)
			if err != nil {
				t.Fatal(err)
			}
			message, have, need = next, append(have, h...), append(need, n...)
		}
		checkIDs(t, "have", have, want[0])
		checkIDs(t, "need", need, want[1])
	})
	t.Run("it asks", func(t *testing.T) {
		ours, other := negentropy.NewSet(slices.Clone(theirs)), foreign(mine)
		have, need := gather(other.Haves), gather(other.HaveNots)
		for message := other.Start(); message != ""; {
			raw, err := hex.DecodeString(message)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := ours.Answer(raw, negentropy.Least)
			if err != nil {
				t.Fatal(err)
			}
			if message, err = other.Reconcile(hex.EncodeToString(answer)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, [2]map[pow.Hash]int{ids(<-have), ids(<-need)}); diff != "" {
			t.Errorf("-want +got: %.2000s", diff)
		}
	})
}

func foreign(list []negentropy.Item) *peer.Negentropy {
	v := vector.New()
	for _, it := range list {
		v.Insert(nostr.Timestamp(it.At), it.ID.String())
	}
	v.Seal()
	return peer.New(v, 0)
}

func gather(from chan string) <-chan []pow.Hash {
	done := make(chan []pow.Hash, 1)
	go func() {
		var all []pow.Hash
		for s := range from {
			h, _ := pow.ParseHash(s)
			all = append(all, h)
		}
		done <- all
	}()
	return done
}

// TestVectors pins the bytes: they were compared with those of go-nostr v0.52.3
// and of nostr-tools 2.25.2.
func TestVectors(t *testing.T) {
	for name, row := range map[string]struct {
		set   []int
		first string // its SHA-256 where it is long
	}{
		"empty":   {nil, "6100000200"},
		"one":     {span(0, 1), "6100000201" + item(0).ID.String()},
		"hundred": {span(0, 100), "sha256 c986e85644edab907eb8d2dd5d2575549d765fd7bcf80a30f79e16bce70e7c03"},
	} {
		first := negentropy.NewSet(items(row.set...)).First()
		got, sum := hex.EncodeToString(first), sha256.Sum256(first)
		if len(got) > 100 {
			got = "sha256 " + hex.EncodeToString(sum[:])
		}
		if got != row.first {
			t.Errorf("%s: %s, want %s", name, got, row.first)
		}
		if other := foreign(items(row.set...)).Start(); other != hex.EncodeToString(first) {
			t.Errorf("%s: go-nostr begins with %s", name, other)
		}
	}
}

// TestRounds: what 50,000 letters cost that are the same, but for ten.
func TestRounds(t *testing.T) {
	mine, theirs := items(span(0, 50_000)...), items(span(0, 50_000)...)
	for n := range 10 {
		theirs = slices.Delete(theirs, n*4000, n*4000+1)
	}
	have, need, rounds := compare(t, negentropy.NewSet(mine), negentropy.NewSet(theirs), negentropy.Frame)
	if len(have) != 10 || len(need) != 0 || rounds > 5 {
		t.Errorf("%d have, %d need, %d rounds", len(have), len(need), rounds)
	}
}

func TestBadMessages(t *testing.T) {
	s := negentropy.NewSet(items(span(0, 100)...))
	for name, message := range map[string]string{
		"empty": "", "not of this protocol": "00", "next to the versions": "70", "cut in a bound": "6101", "cut in a time": "6181",
		"cut in an id":       "610120" + "00",
		"an id of 33 bytes":  "610121" + hex.EncodeToString(make([]byte, 33)) + "00",
		"no mode":            "610000",
		"mode 3":             "61000003",
		"cut fingerprint":    "61000001" + hex.EncodeToString(make([]byte, 15)),
		"cut list":           "6100000202" + hex.EncodeToString(make([]byte, 63)),
		"endless list":       "61000002" + "ffffffffffffffff7f",
		"a number too large": "61" + "ffffffffffffffffffff7f",
	} {
		b, err := hex.DecodeString(message)
		if err != nil {
			t.Fatal(name)
		}
		if _, err := s.Answer(b, negentropy.Frame); !errors.Is(err, negentropy.ErrMessage) {
			t.Errorf("%s: Answer gave %v", name, err)
		}
		if _, have, need, err := s.Next(b, negentropy.Frame); !errors.Is(err, negentropy.ErrMessage) || len(have)+len(need) > 0 {
			t.Errorf("%s: Next gave %v, %d, %d", name, err, len(have), len(need))
		}
	}
	if answer, err := s.Answer([]byte{0x62, 1, 2, 3}, negentropy.Frame); err != nil || !bytes.Equal(answer, []byte{0x61}) {
		t.Errorf("another version: %x %v", answer, err)
	}
	if _, _, _, err := s.Next([]byte{0x62}, negentropy.Frame); !errors.Is(err, negentropy.ErrVersion) {
		t.Errorf("another version: %v", err)
	}
}

func FuzzMessages(f *testing.F) {
	s := negentropy.NewSet(items(span(0, 200)...))
	f.Add(s.First())
	answer, err := negentropy.NewSet(items(span(50, 300)...)).Answer(s.First(), negentropy.Least)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answer)
	f.Add([]byte{0x61, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{0x62})
	f.Fuzz(func(t *testing.T, message []byte) {
		if answer, err := s.Answer(message, negentropy.Least); err == nil {
			if len(answer) > negentropy.Least {
				t.Errorf("an answer of %d bytes", len(answer))
			}
			if _, _, _, err := s.Next(answer, negentropy.Least); err != nil {
				t.Errorf("the own answer is not understood: %v", err)
			}
		}
		if next, have, _, err := s.Next(message, negentropy.Least); err == nil && (len(next) > negentropy.Least || len(have) > s.Len()) {
			t.Errorf("%d bytes, %d ids", len(next), len(have))
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	mine, theirs := negentropy.NewSet(items(span(0, 50_000)...)), negentropy.NewSet(items(span(10, 50_000)...))
	for b.Loop() {
		if _, err := theirs.Answer(mine.First(), negentropy.Frame); err != nil {
			b.Fatal(err)
		}
	}
}
