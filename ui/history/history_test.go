package history_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/history"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

type agent struct {
	asked    []pow.Interval
	days     []pow.HistoryDay
	entries  []pow.Entry
	settings pow.Settings
	check    pow.Check
	err      error
}

func (a *agent) History(_ context.Context, span pow.Interval) ([]pow.HistoryDay, error) {
	a.asked = append(a.asked, span)
	return a.days, a.err
}
func (a *agent) Entries(context.Context, time.Time) ([]pow.Entry, error) { return a.entries, a.err }
func (a *agent) CheckProofs(context.Context) (pow.Check, error)          { return a.check, a.err }
func (a *agent) Settings(context.Context) (pow.Settings, error)          { return a.settings, nil }

func midnight(day int) time.Time { return time.Date(2026, 11, day, 0, 0, 0, 0, time.Local) }

var (
	web  = pow.ProjectRef{ID: "00000000000000a1", Name: "Website relaunch", Group: "Acme GmbH"}
	long = pow.ProjectRef{ID: "00000000000000a3", Name: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord", Group: "=cmd()"}
)

func busy() *agent {
	return &agent{settings: pow.DefaultSettings(), days: []pow.HistoryDay{
		{Day: midnight(16), Project: long, Total: 7200, Verified: 3600, OnTheWay: 3600},
		{Day: midnight(17), Project: web, Total: 3600, Booked: 3600},
		{Day: midnight(17), Project: web, Total: 60, Unregistered: 60, Kept: 60},
		{Day: midnight(18), Project: web, Total: 14400, Booked: 14400, Difference: -900},
		{Day: midnight(19), Project: web, Difference: 300},
		{Day: midnight(30), Project: web, Total: 999}, // not of this week
	}, entries: []pow.Entry{
		{Project: web, From: uitest.At(11, 0), Seconds: 60, State: "tracking"},
		{Project: long, From: uitest.At(9, 0), To: uitest.At(10, 0), Seconds: 3600, State: "booked", Kept: true, Note: "Lunch"},
		{Project: web, From: uitest.At(10, 0), To: uitest.At(10, 30), Seconds: 1800, State: "held", ByHand: true},
	}, check: pow.Check{Name: "proofs", State: "ok", Detail: "212 of 212 in order"}}
}

func present(a *agent) (*history.Presenter, *uitest.Agenda) {
	var l uitest.Agenda
	p := history.New(history.Config{Agent: a, Async: l.Go, Now: uitest.Clock, Show: func(history.Model) {}})
	return p, &l
}

func TestTheWeekIsSortedIntoRows(t *testing.T) {
	a := busy()
	p, l := present(a)
	p.Visible(true)
	l.Run()
	m := p.Model()
	if !m.Week.Equal(midnight(16)) || !a.asked[0].From.Equal(midnight(16)) || !a.asked[0].To.Equal(midnight(23)) {
		t.Errorf("week %v, asked %v", m.Week, a.asked)
	}
	if len(m.Rows) != 2 || m.Rows[0].Project != web || m.Rows[0].Sum.Total != 18060 || m.Rows[1].Sum.Total != 7200 {
		t.Fatalf("%+v", m.Rows)
	}
	if d := m.Rows[0].Days[1]; d.Total != 3660 || d.Booked != 3600 || d.Kept != 60 {
		t.Errorf("two stretches of a day: %+v", d)
	}
	if m.Days != [7]int64{7200, 3660, 14400} || m.Total != 25260 {
		t.Errorf("%v, together %d", m.Days, m.Total)
	}
}

func TestWeeksStartWhereTheMemberSays(t *testing.T) {
	a := busy()
	a.settings.WeekStart = int(time.Sunday)
	p, l := present(a)
	p.Visible(true)
	l.Run()
	if !p.Model().Week.Equal(midnight(15)) {
		t.Errorf("week of %v", p.Model().Week)
	}
}

func TestMove(t *testing.T) {
	p, l := present(busy())
	p.Visible(true)
	l.Run()
	p.Move(1)
	if l.Waits() != 0 {
		t.Error("asked for a week that is yet to come")
	}
	p.Move(-1)
	if m := p.Model(); !m.Week.Equal(midnight(9)) || m.Latest(uitest.Clock()) {
		t.Errorf("week %v", m.Week)
	}
	p.Move(-1) // before the answer for the week between
	l.Run()
	if m := p.Model(); !m.Week.Equal(midnight(2)) || !m.Ready {
		t.Errorf("week %v", m.Week)
	}
}

func TestADayNamesItsGaps(t *testing.T) {
	p, l := present(busy())
	p.Visible(true)
	l.Run()
	p.OpenDay(4)
	l.Run()
	d := p.Model().Day
	if d == nil || len(d.Items) != 4 || !d.Items[2].Gap.Valid() || d.Items[2].Gap.Duration() != 30*time.Minute {
		t.Fatalf("%+v", d)
	}
	p.OpenDay(1)
	if !p.CloseDay() {
		t.Error("nothing to close")
	}
	l.Run()
	if p.Model().Day != nil || p.CloseDay() {
		t.Error("an answer opened the day again")
	}
}

func TestOnlyWhatMovesIsAskedAgain(t *testing.T) {
	a := busy()
	p, l := present(a)
	p.Visible(true)
	l.Run()
	s := pow.Status{Outbox: map[pow.State]int{pow.Booked: 1}}
	p.Update(s)
	l.Run()
	n := len(a.asked)
	p.Update(s)
	l.Run()
	if len(a.asked) != n {
		t.Error("asked again for nothing")
	}
	p.Visible(false)
	s.Outbox = map[pow.State]int{pow.Booked: 2}
	p.Update(s)
	if l.Waits() != 0 {
		t.Error("a hidden page asks")
	}
}

func TestCheckProofs(t *testing.T) {
	a := busy()
	p, l := present(a)
	p.CheckProofs()
	p.CheckProofs()
	if l.Waits() != 1 || !p.Model().Busy {
		t.Error("checked twice at a time")
	}
	l.Run()
	if c := p.Model().Check; c == nil || c.State != "ok" {
		t.Errorf("%+v", c)
	}
	a.err = errors.New("x")
	p.CheckProofs()
	l.Run()
	if m := p.Model(); m.Err == nil || m.Check != nil || m.Busy {
		t.Errorf("%+v", m)
	}
}

func TestExport(t *testing.T) {
	p, l := present(busy())
	p.Visible(true)
	l.Run()
	name, b, err := p.Export(history.CSV)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if err != nil || name != "hours-2026-11-16.csv" || len(lines) != 7 {
		t.Fatalf("%s, %v: %s", name, err, b)
	}
	if !strings.Contains(lines[1], ",'=cmd(),7200,0,3600,3600,0,0,0,0") {
		t.Errorf("a name is a formula: %s", lines[1])
	}
	name, b, err = p.Export(history.JSON)
	var back []pow.HistoryDay
	if err = errors.Join(err, json.Unmarshal(b, &back)); err != nil || name != "hours-2026-11-16.json" || len(back) != 6 {
		t.Errorf("%s, %v: %d days", name, err, len(back))
	}
}

func page(t *testing.T, a *agent, l *uitest.Agenda) *history.Page {
	t.Helper()
	p := history.NewPage(history.Config{Agent: a, Async: l.Go, Now: uitest.Clock},
		history.Links{Say: uitest.Say, Save: func(string, []byte) {}})
	p.Visible(true)
	l.Run()
	return p
}

func TestLooks(t *testing.T) {
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		for _, width := range []float32{428, 784} {
			uitest.App(t, v, "en")
			var l uitest.Agenda
			p := page(t, busy(), &l)
			s := uitest.Show(t, p.Object(), width, 1200)
			s.Golden("week-" + map[float32]string{428: "428", 784: "784"}[width] + "-" + name)
			p.Presenter.OpenDay(4)
			p.Presenter.CheckProofs()
			l.Run()
			s.See("30 min, nothing recorded", "kept while away", "changed by hand", "212 of 212 in order",
				"Wed 18 Nov: the team booked 15 min less than was proven.", "Thu 19 Nov: the team booked 5 min more")
			s.Golden("day-" + map[float32]string{428: "428", 784: "784"}[width] + "-" + name)
			s.Fits(p.Object())
			s.Walk()
		}
	}
}

func TestEmptyAndFailed(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	var l uitest.Agenda
	a := &agent{settings: pow.DefaultSettings()}
	p := page(t, a, &l)
	s := uitest.Show(t, p.Object(), 784, 600)
	s.See("Nothing in this week")
	a.err = errors.New("gone")
	p.Presenter.Move(-1)
	l.Run()
	s.See("Said: gone")
	p.Lose()
	if !s.Disabled(words.T("history.check")) {
		t.Error("asks an agent that does not answer")
	}
}
