package review

import (
	"context"
	"image"
	"time"

	"pow.do/services/pow"
)

// Day tells what was recorded.
type Day interface {
	Pictures(ctx context.Context, day time.Time) ([]pow.Picture, error)
	AppTimes(ctx context.Context, day time.Time) ([]pow.AppTime, error)
	Terms(ctx context.Context, id pow.ProjectID) (pow.Terms, error)
}

// Bytes are the pictures themselves. A Thumbnail is a JPEG of at most 320 by 180
// pixels, a Picture a PNG or JPEG that fits into what was asked for.
type Bytes interface {
	Thumbnail(ctx context.Context, id string) ([]byte, error)
	Picture(ctx context.Context, r pow.PictureRequest) ([]byte, error)
}

// Editor changes pictures, and takes that back.
type Editor interface {
	Edit(ctx context.Context, r pow.EditRequest) error
	Approve(ctx context.Context, ids []string) error
	Undo(ctx context.Context, ids []string) error
}

// Remover takes things out of what will be sent, and tells what would be.
type Remover interface {
	Remove(ctx context.Context, r pow.RemoveRequest) (pow.Effect, error)
	LeaveOut(ctx context.Context, r pow.LeaveOut) error
	Preview(ctx context.Context) (pow.Preview, error)
}

// Agent is all that this page asks of the agent.
type Agent interface {
	Day
	Bytes
	Editor
	Remover
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Tab is one of the two things of a day to look at.
type Tab int

// The tabs.
const (
	Pictures Tab = iota
	AppTimes
)

// Model is all that the page shows.
type Model struct {
	Status   pow.Status
	Lost     bool      // the agent does not answer
	Day      time.Time // its local midnight
	Today    bool      // Day is today: there is no later one
	Pictures []pow.Picture
	Known    bool // Pictures are those of Day
	Projects []pow.ProjectRef
	Filter   pow.ProjectID
	Off      bool // the running project takes no pictures
	Tab      Tab
	Rows     []pow.AppTime
	RowsSeen bool // Rows are those of Day
	Busy     bool // a step that the person started is running
	Err      error
	Look     *Look     // the large view, where one is open
	Removing *Removing // the question before a removal
}

// Shown returns the pictures of the chosen project.
func (m Model) Shown() []pow.Picture { return of(m.Pictures, m.Filter) }

// ShownRows returns the app times of the chosen project.
func (m Model) ShownRows() (out []pow.AppTime) {
	for _, r := range m.Rows {
		if m.Filter == "" || r.Project.ID == m.Filter {
			out = append(out, r)
		}
	}
	return out
}

// SealsAt returns when the first of the shown pictures is registered by itself;
// zero: none is.
func (m Model) SealsAt() (at time.Time) {
	for _, p := range m.Shown() {
		if !p.SealsAt.IsZero() && (at.IsZero() || p.SealsAt.Before(at)) {
			at = p.SealsAt
		}
	}
	return at
}

// Act is something that was done, for the line that says so.
type Act string

// The acts.
const (
	Approved  Act = "approved"
	Redacted  Act = "redacted"
	Blurred   Act = "blurred"
	Cropped   Act = "cropped"
	Removed   Act = "removed"
	Monitor   Act = "monitor"
	Undone    Act = "undone"
	AppOut    Act = "app-out"
	TitlesOut Act = "titles-out"
)

// Did tells of an act on N things. Undo is nil where it cannot be taken back.
type Did struct {
	Act  Act
	N    int
	App  string
	Undo func()
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent Agent
	Async Async
	Now   func() time.Time
}

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	agent Agent
	async Async
	now   func() time.Time
	show  func(Model)
	did   func(Did)

	model    Model
	thumbs   *thumbs
	shown    bool
	known    bool       // a status came
	unloaded bool       // Err says that the day could not be read
	stale    bool       // what is shown is older than the status
	loads    int        // the newest question for a day; older answers are dropped
	looks    int        // raised when the large view shows something else
	fetching bool       // a large picture is on its way
	steps    []func()   // that wait for the one that runs
	done     [][]string // acts that can be taken back, the last one last
	room     image.Point
	open     string // to be opened once its day is there
}

// NewPresenter makes a presenter; show is called after every change, came when a
// thumbnail is there, did after every act. It asks nothing before Visible.
func NewPresenter(c Config, show func(Model), came func(id string), did func(Did)) *Presenter {
	p := &Presenter{agent: c.Agent, async: c.Async, now: c.Now, show: show, did: did}
	p.thumbs = newThumbs(c.Agent.Thumbnail, c.Async, came)
	p.model.Day, p.model.Today = midnight(c.Now()), true
	return p
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Thumb returns a decoded thumbnail, or nil and fetches it.
func (p *Presenter) Thumb(id string) image.Image { return p.thumbs.get(id) }

// ThumbRoom says how many pixels of the screen a thumbnail has.
func (p *Presenter) ThumbRoom(width, height int) { p.thumbs.fit(image.Pt(width, height)) }

// Counts says how many pictures wait, and what became of the day's.
func (p *Presenter) Counts() Counts {
	c := count(p.model.Shown())
	c.Waiting = p.model.Status.Held
	return c
}

// Update takes a new status in.
func (p *Presenter) Update(s pow.Status) {
	before, first, lost := p.model.Status, !p.known, p.model.Lost
	p.known, p.model.Lost, p.model.Status = true, false, s
	if s.Setup.Locked {
		p.wipe()
		p.show(p.model)
		return
	}
	if first || differs(before, s) {
		p.stale = true
		p.load()
	} else if !lost && before.Team == s.Team && before.HeldSeconds/60 == s.HeldSeconds/60 {
		return // nothing that can be seen: while tracking this comes every second
	}
	p.show(p.model)
}

// differs tells whether the day may have changed.
func differs(a, b pow.Status) bool {
	last := func(s pow.Status) (id string, again int) {
		if s.LastCapture != nil {
			return s.LastCapture.ID, s.LastCapture.Again
		}
		return "", 0
	}
	aID, aAgain := last(a)
	bID, bAgain := last(b)
	if aID != bID || aAgain != bAgain || a.Held != b.Held || a.Setup.Locked != b.Setup.Locked {
		return true
	}
	for _, s := range pow.States {
		if a.Outbox[s] != b.Outbox[s] {
			return true
		}
	}
	return false
}

// wipe forgets everything that was decoded: the keys are locked.
func (p *Presenter) wipe() {
	p.thumbs.wipe()
	p.loads++
	p.looks++
	p.done, p.steps = nil, nil
	p.model.Look, p.model.Removing, p.model.Busy = nil, nil, false
	p.model.Pictures, p.model.Rows, p.model.Known, p.model.RowsSeen = nil, nil, false, false
	p.stale = true
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost = true
	p.show(p.model)
}

// Visible tells the page whether it can be seen; a hidden page asks nothing and
// keeps no large picture.
func (p *Presenter) Visible(on bool) {
	p.shown = on
	if !on {
		p.looks++
		if p.model.Look != nil {
			p.model.Look.Image, p.model.Look.Before = nil, false
			p.model.Look.Actual = false
		}
		p.model.Removing = nil
		p.show(p.model)
		return
	}
	if today := midnight(p.now()); p.model.Today && !p.model.Day.Equal(today) {
		p.setDay(today)
	}
	p.stale = true
	p.load()
	p.fetchLook()
	p.show(p.model)
}

// SetDay shows the day of t.
func (p *Presenter) SetDay(t time.Time) {
	if day := midnight(t); !day.Equal(p.model.Day) {
		p.setDay(day)
		p.load()
	}
	p.show(p.model)
}

func (p *Presenter) setDay(day time.Time) {
	p.model.Day, p.model.Today = day, day.Equal(midnight(p.now()))
	p.model.Pictures, p.model.Known, p.model.Rows, p.model.RowsSeen = nil, false, nil, false
	p.model.Look, p.model.Removing, p.model.Err = nil, nil, nil
	p.done, p.stale = nil, true
}

// Earlier shows the day before.
func (p *Presenter) Earlier() { p.SetDay(p.model.Day.AddDate(0, 0, -1)) }

// Later shows the day after; there is none after today.
func (p *Presenter) Later() {
	if !p.model.Today {
		p.SetDay(p.model.Day.AddDate(0, 0, 1))
	}
}

// SetFilter shows one project, or all for "".
func (p *Presenter) SetFilter(id pow.ProjectID) {
	p.model.Filter = id
	p.show(p.model)
}

// SetTab shows pictures or app times.
func (p *Presenter) SetTab(t Tab) {
	p.model.Tab = t
	p.show(p.model)
}

// load asks for the day, unless nobody looks or nothing has changed.
func (p *Presenter) load() {
	if !p.shown || !p.stale || p.model.Status.Setup.Locked {
		return
	}
	p.stale = false
	p.loads++
	p.thumbs.failed = map[string]bool{}
	p.loadPictures(p.loads, p.model.Day)
	p.loadRows(p.loads, p.model.Day)
}

func (p *Presenter) loadPictures(mine int, day time.Time) {
	var list []pow.Picture
	var off bool
	running := p.model.Status.Timer.Project
	p.async(func(ctx context.Context) (err error) {
		if list, err = p.agent.Pictures(ctx, day); err != nil || running == nil || len(list) > 0 {
			return err
		}
		terms, err := p.agent.Terms(ctx, running.ID)
		off = err == nil && (terms.Project.Pictures == pow.Forbidden || terms.Project.Pictures == pow.Optional && !terms.Choice.Pictures)
		return nil // without terms the page says less, and that is all
	}, func(err error) {
		if mine != p.loads {
			return
		}
		if err != nil || p.unloaded { // a failure of an act stays until the next act
			p.model.Err = err
		}
		if p.unloaded = err != nil; !p.unloaded {
			p.model.Pictures, p.model.Known, p.model.Off = list, true, off
			p.model.Projects = p.projects()
			p.followLook()
			p.openWanted()
		}
		p.show(p.model)
	})
}

func (p *Presenter) loadRows(mine int, day time.Time) {
	var rows []pow.AppTime
	p.async(func(ctx context.Context) (err error) {
		rows, err = p.agent.AppTimes(ctx, day)
		return err
	}, func(err error) {
		if mine != p.loads {
			return
		}
		if err == nil {
			p.model.Rows, p.model.RowsSeen = rows, true
			p.model.Projects = p.projects()
		} else if p.model.Tab == AppTimes {
			p.model.Err = err
		}
		p.show(p.model)
	})
}

// projects lists what the day was spent on, in the order of time.
func (p *Presenter) projects() (out []pow.ProjectRef) {
	seen := map[pow.ProjectID]bool{}
	add := func(r pow.ProjectRef) {
		if !seen[r.ID] {
			seen[r.ID] = true
			out = append(out, r)
		}
	}
	for _, c := range p.model.Pictures {
		add(c.Project)
	}
	for _, r := range p.model.Rows {
		add(r.Project)
	}
	return out
}
