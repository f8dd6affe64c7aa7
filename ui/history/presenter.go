package history

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
)

// Agent is all that this page asks of the agent.
type Agent interface {
	History(ctx context.Context, span pow.Interval) ([]pow.HistoryDay, error)
	Entries(ctx context.Context, day time.Time) ([]pow.Entry, error)
	CheckProofs(ctx context.Context) (pow.Check, error)
}

// Settings tells on which day a week starts.
type Settings interface {
	Settings(ctx context.Context) (pow.Settings, error)
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Row is one project's week.
type Row struct {
	Project pow.ProjectRef
	Days    [7]pow.HistoryDay
	Sum     pow.HistoryDay
}

// Item is one line of a day's timeline: an entry, or a gap between two.
type Item struct {
	Entry pow.Entry
	Gap   pow.Interval // Valid: nothing was recorded in it
}

// Day is the timeline of one day.
type Day struct {
	Date  time.Time
	Items []Item
	Ready bool // the answer came
}

// Model is all that the page shows.
type Model struct {
	Week  time.Time // the local midnight at which it begins
	Rows  []Row
	Days  [7]int64 // sums, in seconds
	Total int64
	Day   *Day
	Check *pow.Check // of the proofs, once it was asked for
	Busy  bool       // a check is running
	Ready bool       // the week's answer came
	Lost  bool
	Err   error
}

// Date returns a day of the week shown.
func (m Model) Date(i int) time.Time { return m.Week.AddDate(0, 0, i) }

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	c       Config
	model   Model
	shown   bool
	first   time.Weekday
	asked   int // the newest question for a week; older answers are dropped
	list    []pow.HistoryDay
	outbox  map[pow.State]int
	held    int64
	settled bool // first is known
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent interface {
		Agent
		Settings
	}
	Async Async
	Now   func() time.Time
	Show  func(Model) // called after every change
}

// New makes a presenter. It asks nothing before it is visible.
func New(c Config) *Presenter {
	p := &Presenter{c: c, first: time.Monday}
	p.model.Week = weekOf(c.Now(), p.first)
	return p
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Update takes a new status in: what is on its way moves on.
func (p *Presenter) Update(s pow.Status) {
	p.model.Lost = false
	same := p.held == s.HeldSeconds
	for _, state := range pow.States {
		same = same && p.outbox[state] == s.Outbox[state]
	}
	p.outbox, p.held = s.Outbox, s.HeldSeconds
	if p.shown && !same {
		p.load()
	}
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost = true
	p.c.Show(p.model)
}

// Visible tells the page whether it can be seen; a hidden page asks nothing.
func (p *Presenter) Visible(on bool) {
	p.shown = on
	if !on {
		return
	}
	if p.settled {
		p.load()
		return
	}
	var s pow.Settings
	p.c.Async(func(ctx context.Context) (err error) {
		s, err = p.c.Agent.Settings(ctx)
		return err
	}, func(err error) {
		if p.settled = true; err == nil {
			p.first = time.Weekday(s.WeekStart)
			p.model.Week = weekOf(p.c.Now(), p.first)
		}
		p.load()
	})
}

// Move shows another week, so many later; not one that is yet to come.
func (p *Presenter) Move(weeks int) {
	to := p.model.Week.AddDate(0, 0, 7*weeks)
	if to.After(p.c.Now()) {
		return
	}
	p.model.Week, p.model.Day, p.model.Ready = to, nil, false
	p.load()
	p.c.Show(p.model)
}

// Latest tells whether the week shown is the one that runs.
func (m Model) Latest(now time.Time) bool { return m.Week.AddDate(0, 0, 7).After(now) }

func (p *Presenter) load() {
	p.asked++
	mine, span := p.asked, pow.Interval{From: p.model.Week, To: p.model.Week.AddDate(0, 0, 7)}
	var days []pow.HistoryDay
	p.c.Async(func(ctx context.Context) (err error) {
		days, err = p.c.Agent.History(ctx, span)
		return err
	}, func(err error) {
		if mine != p.asked {
			return
		}
		if p.model.Err = err; err == nil {
			p.take(days)
		}
		p.c.Show(p.model)
	})
}

// take sorts the days into rows, the project with the most time first.
func (p *Presenter) take(days []pow.HistoryDay) {
	p.list, p.model.Ready = days, true
	p.model.Rows, p.model.Days, p.model.Total = nil, [7]int64{}, 0
	at := map[pow.ProjectID]int{}
	for _, d := range days {
		n := dayIndex(p.model.Week, d.Day)
		if n < 0 {
			continue
		}
		i, ok := at[d.Project.ID]
		if !ok {
			i = len(p.model.Rows)
			at[d.Project.ID] = i
			p.model.Rows = append(p.model.Rows, Row{Project: d.Project})
		}
		r := &p.model.Rows[i]
		r.Days[n] = add(r.Days[n], d)
		r.Sum = add(r.Sum, d)
		p.model.Days[n] += d.Total
		p.model.Total += d.Total
	}
	slices.SortStableFunc(p.model.Rows, func(a, b Row) int {
		if d := cmp.Compare(b.Sum.Total, a.Sum.Total); d != 0 {
			return d
		}
		return strings.Compare(a.Project.Name, b.Project.Name)
	})
}

func add(a, b pow.HistoryDay) pow.HistoryDay {
	a.Day, a.Project = b.Day, b.Project
	a.Total += b.Total
	a.Booked += b.Booked
	a.Verified += b.Verified
	a.OnTheWay += b.OnTheWay
	a.Unregistered += b.Unregistered
	a.Kept += b.Kept
	a.ByHand += b.ByHand
	a.Difference += b.Difference
	return a
}

// dayIndex returns which day of a week t lies on, −1 for none.
func dayIndex(week, t time.Time) int {
	y, m, d := t.In(week.Location()).Date()
	for i := range 7 {
		if wy, wm, wd := week.AddDate(0, 0, i).Date(); y == wy && m == wm && d == wd {
			return i
		}
	}
	return -1
}

// weekOf returns the local midnight at which the week of t began.
func weekOf(t time.Time, first time.Weekday) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d-int((t.Weekday()-first+7)%7), 0, 0, 0, 0, t.Location())
}

// OpenDay shows the timeline of a day of the week.
func (p *Presenter) OpenDay(i int) {
	day := &Day{Date: p.model.Date(i)}
	p.model.Day = day
	p.c.Show(p.model)
	var list []pow.Entry
	p.c.Async(func(ctx context.Context) (err error) {
		list, err = p.c.Agent.Entries(ctx, day.Date)
		return err
	}, func(err error) {
		if p.model.Day != day {
			return
		}
		if p.model.Err = err; err == nil {
			p.model.Day = &Day{Date: day.Date, Items: timeline(list), Ready: true}
		}
		p.c.Show(p.model)
	})
}

// CloseDay leaves the timeline; it tells whether one was open.
func (p *Presenter) CloseDay() bool {
	if p.model.Day == nil {
		return false
	}
	p.model.Day = nil
	p.c.Show(p.model)
	return true
}

// leastGap is the shortest time without an entry that is worth a line.
const leastGap = time.Minute

// timeline puts the gaps between the entries of a day.
func timeline(list []pow.Entry) (items []Item) {
	slices.SortStableFunc(list, func(a, b pow.Entry) int { return a.From.Compare(b.From) })
	var end time.Time
	for _, e := range list {
		if gap := (pow.Interval{From: end, To: e.From}); !end.IsZero() && gap.Duration() >= leastGap {
			items = append(items, Item{Gap: gap})
		}
		items = append(items, Item{Entry: e})
		if e.To.After(end) {
			end = e.To
		}
	}
	return items
}

// CheckProofs looks at every proof that this computer has made.
func (p *Presenter) CheckProofs() {
	if p.model.Busy {
		return
	}
	p.model.Busy, p.model.Check = true, nil
	p.c.Show(p.model)
	var c pow.Check
	p.c.Async(func(ctx context.Context) (err error) {
		c, err = p.c.Agent.CheckProofs(ctx)
		return err
	}, func(err error) {
		p.model.Busy = false
		if p.model.Err = err; err == nil {
			p.model.Check = &c
		}
		p.c.Show(p.model)
	})
}
