package review_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pow.do/services/pow"
	"pow.do/ui/review"
	"pow.do/ui/theme"
)

// state leads to one state of the page, by keyboard where there is a key.
type state struct {
	name  string
	agent func(*agent)
	do    func(*rig)
}

func states() []state {
	return []state{
		{"grid", nil, func(r *rig) { r.key(fyne.KeyRight, fyne.KeySpace, fyne.KeyRight) }},
		{"unfolded", nil, func(r *rig) { r.key(fyne.KeyEnd, fyne.KeyReturn, fyne.KeyDown) }},
		{"seals", func(a *agent) {
			for i := range a.list {
				a.list[i].SealsAt = clock().Add(12*time.Minute + 30*time.Second)
			}
		}, func(*rig) {}},
		{"failed", func(a *agent) { a.wrong = errors.New("The tracker did not answer.") }, func(r *rig) { r.key(fyne.KeyA) }},
		{"empty", func(a *agent) { a.list = nil }, func(*rig) {}},
		{"off", func(a *agent) { a.list, a.terms.Project.Pictures = nil, pow.Forbidden }, func(r *rig) {
			s := r.Presenter.Model().Status
			s.Timer.Project, s.Held = &website, 10
			r.Update(s, clock())
			r.later.run()
		}},
		{"look", nil, func(r *rig) { r.key(fyne.KeyRight, fyne.KeyReturn) }},
		{"area", nil, func(r *rig) { r.look("C5").key(fyne.KeyR) }},
		{"before", nil, func(r *rig) { r.look("C5").key(fyne.KeyTab) }},
		{"cropable", nil, func(r *rig) { r.look("C13") }},
		{"damaged", nil, func(r *rig) { r.look("C12") }},
		{"sealed", nil, func(r *rig) { r.look("C11") }},
		{"remove", nil, func(r *rig) { r.key(fyne.KeyRight, fyne.KeyDelete) }},
		{"apps", func(a *agent) {
			a.rows[2].LeftOut, a.rows[2].Rule = true, "KeePassXC"
			a.rows[0].LeftOut = true
			a.rows[3].Provisional = true
		}, func(r *rig) { r.Presenter.SetTab(review.AppTimes) }},
	}
}

// look opens the large view of one picture.
func (r *rig) look(id string) *rig {
	r.Presenter.Open(id)
	r.later.run()
	return r
}

// Every state in both looks, and in two of the three width classes.
func TestGolden(t *testing.T) {
	for _, s := range states() {
		for name, c := range map[string]struct {
			variant theme.Variant
			size    fyne.Size
		}{"light": {theme.Light, fyne.NewSize(784, 610)}, "dark": {theme.Dark, fyne.NewSize(424, 530)}} {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				a := busyDay()
				if s.agent != nil {
					s.agent(a)
				}
				r := newRig(t, a, c.variant, "en", c.size)
				s.do(r)
				test.AssertRendersToMarkup(t, fmt.Sprintf("%s-%s.xml", s.name, name), r.win.Canvas())
			})
		}
	}
}
