package settings

import (
	"slices"
	"strings"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// number is a setting that is typed as a whole number of units.
type number struct {
	group       Group
	least, most int
	unit        int // seconds in one
	value       func(*pow.Settings) *int
}

// numbers lists the settings that are whole numbers. What 0 means stands beside
// each field.
var numbers = map[Field]number{
	WeekLimit:   {General, 0, 168, 3600, func(s *pow.Settings) *int { return &s.WeekLimit }},
	AwayAfter:   {Tracking, 0, 240, 60, func(s *pow.Settings) *int { return &s.AwayAfter }},
	StopAfter:   {Tracking, 1, 16, 3600, func(s *pow.Settings) *int { return &s.StopAfter }},
	RemindAfter: {Tracking, 0, 480, 60, func(s *pow.Settings) *int { return &s.Remind }},
	ToastFor:    {Pictures, 2, 60, 1, func(s *pow.Settings) *int { return &s.ToastFor }},
	LockAfter:   {KeysGroup, 0, 1440, 60, func(s *pow.Settings) *int { return &s.LockAfter }},
}

// Limits returns what a number field takes.
func Limits(f Field) (least, most int) { return numbers[f].least, numbers[f].most }

// SetNumber takes the text of a number field in. A text that cannot be used
// changes nothing and stays in its field.
func (p *Presenter) SetNumber(f Field, text string) {
	n := numbers[f]
	v, fault := input.Number(text, n.least, n.most)
	if !p.judge(f, fault) {
		return
	}
	if *n.value(&p.model.Settings) == v*n.unit {
		p.draw()
		return
	}
	p.Change(n.group, func(s *pow.Settings) { *n.value(s) = v * n.unit })
}

// Number returns a number field's value in its unit.
func (m Model) Number(f Field) int {
	n := numbers[f]
	return *n.value(&m.Settings) / n.unit
}

// SetHours takes the hours in between which a reminder may come.
func (p *Presenter) SetHours(f Field, text string) {
	v, fault := input.TimeOfDay(text)
	if fault == input.Fine && (f == RemindFrom && v >= p.model.Settings.RemindTo || f == RemindTo && v <= p.model.Settings.RemindFrom) {
		fault = Backwards
	}
	if !p.judge(f, fault) {
		return
	}
	p.model.Faults[RemindFrom], p.model.Faults[RemindTo] = input.Fine, input.Fine
	p.Change(Tracking, func(s *pow.Settings) {
		if f == RemindFrom {
			s.RemindFrom = v
		} else {
			s.RemindTo = v
		}
	})
}

// Backwards refuses an end that is not after its beginning.
const Backwards input.Fault = "backwards"

// Remind switches the reminder on, on working days from 9 to 17, or off.
func (p *Presenter) Remind(on bool) {
	p.Change(Tracking, func(s *pow.Settings) {
		if s.Remind = 0; !on {
			return
		}
		s.Remind = 15 * 60
		if s.RemindTo == 0 {
			s.RemindFrom, s.RemindTo = 9*60, 17*60
		}
		if s.RemindDays == 0 {
			s.RemindDays = 0b0111110
		}
	})
}

// SetActivityURL takes ActivityWatch's address; empty lets the agent find it.
func (p *Presenter) SetActivityURL(text string) {
	p.setAddress(Apps, ActivityURL, text, input.WebAddress, func(s *pow.Settings) *string { return &s.ActivityURL })
}

// SetProxy takes the SOCKS5 proxy; empty is none, and then nothing waits for Tor.
func (p *Presenter) SetProxy(text string) {
	p.setAddress(Servers, Proxy, text, input.Proxy, func(s *pow.Settings) *string { return &s.Proxy })
}

func (p *Presenter) setAddress(g Group, f Field, text string, check func(string) (string, input.Fault), value func(*pow.Settings) *string) {
	text, fault := check(text)
	if fault == input.Empty {
		fault = input.Fine
	}
	if !p.judge(f, fault) {
		return
	}
	if *value(&p.model.Settings) == text {
		p.draw()
		return
	}
	p.Change(g, func(s *pow.Settings) {
		*value(s) = text
		if s.Proxy == "" {
			s.TorOnly = false
		}
	})
}

// SetActivityKey takes ActivityWatch's key; empty is none.
func (p *Presenter) SetActivityKey(text string) {
	text, fault := input.Line(text, input.MaxName)
	if fault == input.Empty {
		fault = input.Fine
	}
	if p.judge(ActivityKey, fault) && text != p.model.Settings.ActivityKey {
		p.Change(Apps, func(s *pow.Settings) { s.ActivityKey = text })
	}
	p.draw()
}

// maxNames bounds the lists of apps.
const maxNames = 500

func names(f Field, s *pow.Settings) *[]string {
	if f == TitlesOut {
		return &s.TitlesOut
	}
	return &s.AppsOut
}

// AddName puts an app into one of the lists; false where the text cannot be
// used, which then stays in its field.
func (p *Presenter) AddName(f Field, text string) bool {
	text, fault := input.Line(text, input.MaxName)
	list := *names(f, &p.model.Settings)
	switch {
	case fault == input.Fine && slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, text) }):
		fault = input.Twice
	case fault == input.Fine && len(list) >= maxNames:
		fault = "full"
	}
	if !p.judge(f, fault) {
		return false
	}
	p.Change(Apps, func(s *pow.Settings) { l := names(f, s); *l = append(slices.Clone(*l), text) })
	return true
}

// RemoveName takes an app out of one of the lists.
func (p *Presenter) RemoveName(f Field, text string) {
	p.Change(Apps, func(s *pow.Settings) {
		l := names(f, s)
		*l = slices.DeleteFunc(slices.Clone(*l), func(t string) bool { return t == text })
	})
}

// SetDisplay takes pictures of a monitor, or not; of at least one always.
func (p *Presenter) SetDisplay(n int, on bool) {
	p.Change(Pictures, func(s *pow.Settings) {
		list := slices.Clone(s.Displays)
		if len(list) == 0 {
			list = slices.Clone(p.model.Of)
		}
		list = slices.DeleteFunc(list, func(d int) bool { return d == n })
		if on {
			list = append(list, n)
		}
		slices.Sort(list)
		switch {
		case len(list) == p.every:
			s.Displays = nil
		case len(list) > 0:
			s.Displays = list
		}
	})
}

// EveryDisplay takes pictures of every monitor again, also of those that were
// added since.
func (p *Presenter) EveryDisplay() {
	p.model.Shots, p.model.Of = nil, nil
	p.Change(Pictures, func(s *pow.Settings) { s.Displays = nil })
}

// Takes tells whether pictures are taken of a monitor.
func (m Model) Takes(n int) bool {
	return len(m.Settings.Displays) == 0 || slices.Contains(m.Settings.Displays, n)
}
