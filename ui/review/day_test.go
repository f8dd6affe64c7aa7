package review_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/ui/review"
)

// lay writes rows as hour: slot=keys, one word a moment.
func lay(rows []review.Row) (out []string) {
	for _, r := range rows {
		s := r.Hour.Format("15")
		for i, slot := range r.Slots {
			for _, m := range slot {
				s += " " + string(rune('0'+i)) + "="
				for _, p := range m.Pictures {
					s += review.Key(p)
				}
			}
		}
		out = append(out, s)
	}
	return out
}

func TestRows(t *testing.T) {
	moved := func(p pow.Picture, d time.Duration, display int) pow.Picture {
		p.At, p.Display = p.At.Add(d), display
		return p
	}
	base := func(id string, h, m int) pow.Picture { return picture(id, h, m, website, pow.PictureHeld) }
	other := moved(base("b", 9, 4), time.Second, 1)
	other.Session = "S2"
	for _, c := range []struct {
		name string
		list []pow.Picture
		want []string
	}{
		{"nothing", nil, nil},
		{"slots", []pow.Picture{base("a", 9, 0), base("b", 9, 9), base("c", 9, 10), base("d", 9, 59)}, []string{"09 0=a 0=b 1=c 5=d"}},
		{"an hour without anything has no row", []pow.Picture{base("a", 9, 0), base("b", 11, 0)}, []string{"09 0=a", "11 0=b"}},
		{"two monitors are one moment", []pow.Picture{base("a", 9, 4), moved(base("b", 9, 4), time.Second, 1)}, []string{"09 0=ab"}},
		{"too far apart", []pow.Picture{base("a", 9, 4), moved(base("b", 9, 4), 11*time.Second, 1)}, []string{"09 0=a 0=b"}},
		{"the same monitor again", []pow.Picture{base("a", 9, 4), moved(base("b", 9, 4), time.Second, 0)}, []string{"09 0=a 0=b"}},
		{"another session", []pow.Picture{base("a", 9, 4), other}, []string{"09 0=a 0=b"}},
	} {
		if diff := cmp.Diff(c.want, lay(review.Rows(c.list))); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestSkippedHaveKeysOfTheirOwn(t *testing.T) {
	a := picture("", 9, 4, website, pow.PictureSkipped)
	b := a
	b.Display = 1
	if review.Key(a) == review.Key(b) || review.Key(a) == "" {
		t.Errorf("%q and %q", review.Key(a), review.Key(b))
	}
	if n := len(review.Rows([]pow.Picture{a, b})[0].Slots[0]); n != 2 {
		t.Errorf("%d moments, want 2", n)
	}
}

func TestWhatMayBeDone(t *testing.T) {
	for _, c := range []struct {
		state              pow.PictureState
		damaged            bool
		edit, remove, open bool
	}{
		{pow.PictureHeld, false, true, true, true},
		{pow.PictureApproved, false, true, true, true},
		{pow.PictureEdited, false, true, true, true},
		{pow.PictureRemoved, false, false, true, true},
		{pow.TimeRemoved, false, false, false, true},
		{pow.PictureSkipped, false, false, false, false},
		{pow.PictureSealed, false, false, false, true},
		{pow.PictureHeld, true, false, true, true},
		{pow.PictureSealed, true, false, false, true},
		{pow.TimeRemoved, true, false, false, true},
	} {
		p := picture("a", 9, 4, website, c.state)
		p.Damaged = c.damaged
		if e, r, o := review.CanEdit(p), review.CanRemove(p), review.CanOpen(p); e != c.edit || r != c.remove || o != c.open {
			t.Errorf("%s, damaged %v: edit %v, remove %v, open %v", c.state, c.damaged, e, r, o)
		}
	}
}

func TestShares(t *testing.T) {
	p := picture("a", 9, 17, website, pow.PictureHeld)
	out := row("r", 9, 10, 9, 20, "Bank", "")
	out.LeftOut = true
	web := row("w", 9, 10, 9, 20, "Firefox", "")
	web.Kind = "web"
	other := row("o", 9, 10, 9, 20, "Mail", "")
	other.Session = "S2"
	plain := row("c", 9, 19, 9, 30, "", "")
	plain.Category = "Development"
	got := review.Shares([]pow.AppTime{row("a", 9, 0, 9, 12, "Code", ""), row("b", 9, 12, 9, 19, "Firefox", ""), plain, out, web, other, row("d", 9, 21, 9, 30, "Late", "")}, p)
	want := []review.Share{{Name: "Firefox", For: 7 * time.Minute}, {Name: "Code", For: 2*time.Minute + 12*time.Second}, {Name: "Development", For: 48 * time.Second}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
