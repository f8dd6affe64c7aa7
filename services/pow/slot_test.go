package pow_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"pow.do/services/pow"
)

func shot(id string, gone bool, seconds ...float64) pow.Shot {
	s := pow.Shot{ID: id, Gone: gone}
	for _, at := range seconds {
		s.Moments = append(s.Moments, noon.Add(time.Duration(at*float64(time.Second))))
	}
	return s
}

func TestTheTimeOfAPicture(t *testing.T) {
	hour := []pow.Interval{span(0, 3600)}
	for name, c := range map[string]struct {
		work  []pow.Interval
		shots []pow.Shot
		want  []pow.Interval // of picture a
	}{
		"alone":                     {hour, []pow.Shot{shot("a", false, 600)}, []pow.Interval{span(0, 1801)}},
		"since the one before":      {hour, []pow.Shot{shot("b", false, 300), shot("a", false, 900.5), shot("c", false, 1500)}, []pow.Interval{span(301, 901)}},
		"the last has the rest":     {hour, []pow.Shot{shot("b", false, 2800), shot("a", false, 3400)}, []pow.Interval{span(2801, 3600)}},
		"not further than longest":  {hour, []pow.Shot{shot("a", false, 1800), shot("b", false, 1900)}, []pow.Interval{span(601, 1801)}},
		"a skipped moment divides":  {hour, []pow.Shot{shot("", false, 500), shot("a", false, 900), shot("b", false, 1500)}, []pow.Interval{span(501, 901)}},
		"two displays share":        {hour, []pow.Shot{shot("a", false, 600), shot("b", false, 602.2), shot("c", false, 900)}, []pow.Interval{span(0, 603)}},
		"seen again":                {hour, []pow.Shot{shot("a", false, 300, 900), shot("b", false, 600), shot("c", false, 901.5, 1200)}, []pow.Interval{span(0, 301), span(601, 902)}},
		"not over a pause":          {[]pow.Interval{span(0, 100), span(200, 300)}, []pow.Shot{shot("a", false, 250)}, []pow.Interval{span(200, 300)}},
		"at the stroke of the end":  {[]pow.Interval{span(0, 100)}, []pow.Shot{shot("b", false, 40), shot("a", false, 100)}, []pow.Interval{span(41, 100)}},
		"at the stroke of the next": {[]pow.Interval{span(0, 100)}, []pow.Shot{shot("a", false, 50), shot("b", false, 101)}, []pow.Interval{span(0, 100)}},
		"outside":                   {[]pow.Interval{span(0, 100)}, []pow.Shot{shot("a", false, 150)}, nil},
	} {
		if d := cmp.Diff(c.want, pow.SlotOf("a", c.work, c.shots, 20*time.Minute), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestTimeWithoutPictures(t *testing.T) {
	hour := []pow.Interval{span(0, 3600)}
	for name, c := range map[string]struct {
		shots []pow.Shot
		want  []pow.Interval
	}{
		"nothing removed":       {[]pow.Shot{shot("a", false, 300), shot("", false, 900)}, nil},
		"one of three":          {[]pow.Shot{shot("a", false, 300), shot("b", true, 900), shot("c", false, 1500)}, []pow.Interval{span(301, 901)}},
		"two in a row":          {[]pow.Shot{shot("a", false, 300), shot("b", true, 900), shot("c", true, 1500), shot("d", false, 2000)}, []pow.Interval{span(301, 1501)}},
		"another display stays": {[]pow.Shot{shot("a", true, 300), shot("b", false, 301)}, nil},
		"both displays":         {[]pow.Shot{shot("a", true, 300), shot("b", true, 301), shot("c", false, 600)}, []pow.Interval{span(0, 302)}},
	} {
		if d := cmp.Diff(c.want, pow.Without(hour, c.shots, 20*time.Minute), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestSlotsNeverOverlapNorLeaveTheWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		work := spans(t, "work")
		var shots []pow.Shot
		for i := range rapid.IntRange(0, 8).Draw(t, "shots") {
			shots = append(shots, shot(string(rune('a'+i)), rapid.Bool().Draw(t, "gone"), rapid.Float64Range(-10, 130).Draw(t, "at")))
		}
		longest := time.Duration(rapid.IntRange(1, 60).Draw(t, "longest")) * time.Second
		var gone []pow.Interval
		seen := map[int]string{}
		for _, s := range shots {
			slot := pow.SlotOf(s.ID, work, shots, longest)
			if rest := pow.Subtract(slot, work); len(rest) > 0 {
				t.Fatalf("%s reaches out of the work: %v", s.ID, rest)
			}
			if s.Gone {
				gone = append(gone, slot...)
			}
			for second := range paint(slot) {
				at := noon.Add(time.Duration(second) * time.Second)
				if other, ok := seen[second]; ok && !sameMoment(shots, other, s.ID) {
					t.Fatalf("%v belongs to %s and %s", at, other, s.ID)
				}
				seen[second] = s.ID
			}
			for _, m := range s.Moments {
				if pow.Subtract([]pow.Interval{{From: m, To: m.Add(1)}}, work) == nil && !covers(slot, m) && !sharesSecond(shots, s) {
					t.Fatalf("the moment of %s lies outside its own slot %v", s.ID, slot)
				}
			}
		}
		if rest := pow.Subtract(pow.Without(work, shots, longest), gone); len(rest) > 0 {
			t.Fatalf("without a picture, and of no removed one: %v", rest)
		}
	})
}

func covers(in []pow.Interval, m time.Time) bool {
	for _, i := range in {
		if i.Contains(m) {
			return true
		}
	}
	return false
}

// sameMoment tells whether two shots can be joined by others less than five seconds apart.
func sameMoment(shots []pow.Shot, a, b string) bool {
	at := map[string]time.Time{}
	for _, s := range shots {
		at[s.ID] = s.Moments[0]
	}
	return at[a].Sub(at[b]).Abs() < 5*time.Second
}

// sharesSecond tells whether another shot falls into the same second, which
// belongs to one of them.
func sharesSecond(shots []pow.Shot, s pow.Shot) bool {
	for _, o := range shots {
		if o.ID != s.ID && o.Moments[0].Truncate(time.Second).Equal(s.Moments[0].Truncate(time.Second)) {
			return true
		}
	}
	return false
}
