package tracker

import (
	"context"
	"image"
	"slices"
	"time"

	"pow.do/services/pow"
)

// Timer starts, stops and names what is running.
type Timer interface {
	Start(ctx context.Context, r pow.StartRequest) (pow.Status, error)
	Stop(ctx context.Context) (pow.Status, error)
	SetNote(ctx context.Context, note string) error
	// UndoSwitch takes the last switch of project back, for a minute.
	UndoSwitch(ctx context.Context) (pow.Status, error)
}

// Pauser stops recording for a while.
type Pauser interface {
	Pause(ctx context.Context) (pow.Status, error)
	Resume(ctx context.Context) (pow.Status, error)
	OffRecord(ctx context.Context, r pow.OffRecord) (pow.Status, error)
}

// Member tells what was agreed to and what the member set.
type Member interface {
	Terms(ctx context.Context, id pow.ProjectID) (pow.Terms, error)
	Settings(ctx context.Context) (pow.Settings, error)
}

// Day lists what can be worked on and what was.
type Day interface {
	Projects(ctx context.Context) ([]pow.Project, error)
	Entries(ctx context.Context, day time.Time) ([]pow.Entry, error)
	EditEntry(ctx context.Context, e pow.EntryEdit) error
	UndoEntry(ctx context.Context, id string) error
	History(ctx context.Context, span pow.Interval) ([]pow.HistoryDay, error)
}

// Pictures shows and removes a held picture. A Thumbnail is a JPEG of at most
// 320 by 180 pixels.
type Pictures interface {
	Thumbnail(ctx context.Context, id string) ([]byte, error)
	Drop(ctx context.Context, ids []string) error
}

// Agent is all that this page asks of the agent.
type Agent interface {
	Timer
	Pauser
	Day
	Pictures
	Member
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Block says why the timer cannot be started.
type Block string

// The blocks. NoTeam, Waits and NoProjects have an empty state of their own;
// AskFirst is mended by reading what the project asks for.
const (
	Free           Block = ""
	NoTeam         Block = "no-team"
	Waits          Block = "waits" // the team has to let this device in
	NoProjects     Block = "no-projects"
	ChooseProject  Block = "choose-project"
	ChooseActivity Block = "choose-activity"
	AskFirst       Block = "ask-first"
	Suspended      Block = "suspended"
)

// Model is all that the page shows.
type Model struct {
	Status   pow.Status
	Received time.Time // when Status came; its monotonic part drives the clock
	Lost     bool      // the agent does not answer
	Projects []pow.Project
	Chosen   pow.ProjectID
	Activity pow.KimaiActivityID
	Terms    pow.Terms // of Chosen, once they came
	Entries  []pow.Entry
	Past     []pow.Entry // of the days before, newest first
	Week     Week
	Limit    time.Duration    // the member's own for a week, 0: none
	Picture  *pow.CaptureInfo // of the running session only
	Thumb    image.Image      // once it came
	Asking   bool             // whether to remove Picture
	Draft    string           // the note to start with
	Busy     bool             // a step that the person started is running
	Err      error            // of the last such step
}

// Running tells whether time runs.
func (m Model) Running() bool { return m.Status.Timer.State == pow.Tracking }

// Open tells whether there is a session, running or paused.
func (m Model) Open() bool {
	s := m.Status.Timer.State
	return s != "" && s != pow.Stopped
}

// Elapsed returns the session's time at now: the agent's number and, while time
// runs, what passed since it came. It never counts by itself.
func (m Model) Elapsed(now time.Time) time.Duration {
	d := time.Duration(m.Status.Timer.Elapsed) * time.Second
	if m.Running() && !m.Lost {
		d += max(0, now.Sub(m.Received))
	}
	return d
}

// Project returns the chosen project.
func (m Model) Project() (pow.Project, bool) {
	for _, p := range m.Projects {
		if p.ID == m.Chosen {
			return p, true
		}
	}
	return pow.Project{}, false
}

// Block returns why Start is not possible.
func (m Model) Block() Block {
	p, ok := m.Project()
	switch {
	case m.suspended():
		return Suspended
	case !m.Status.Setup.Team && m.Status.Setup.Waits != "":
		return Waits
	case !m.Status.Setup.Team:
		return NoTeam
	case len(m.Projects) == 0:
		return NoProjects
	case !ok:
		return ChooseProject
	case p.ActivityRule == pow.Required && m.Activity == "":
		return ChooseActivity
	case m.Terms.Project.ID == m.Chosen && m.Terms.Consent != pow.ConsentGiven && m.Terms.Consent != "":
		return AskFirst
	}
	return Free
}

// suspended tells whether the team takes no proofs from the member for now.
func (m Model) suspended() bool {
	return slices.ContainsFunc(m.Status.Warnings, func(f pow.Fault) bool {
		return f.Code == pow.CodeMemberSuspended || f.Code == pow.CodeNotMember
	})
}

// silentFrom is how long after a receipt the team's server may take the timer
// for stopped (protocol §2.2, the least that is announced).
const silentFrom = 15 * time.Minute

// Silent returns how long ago the running session was heard of last, where that
// is so long that the server may show it as stopped; else 0.
func (m Model) Silent(now time.Time) time.Duration {
	last := m.Status.LastReceipt
	if !m.Running() || last == nil || last.At.Before(m.Status.Timer.Since) {
		return 0
	}
	if d := now.Sub(last.At); d > silentFrom {
		return d
	}
	return 0
}

// Week is the time of this week by how far it has come.
type Week struct{ Booked, Verified, OnTheWay, Unregistered int64 }

// Sum returns all of it, in seconds.
func (w Week) Sum() int64 { return w.Booked + w.Verified + w.OnTheWay + w.Unregistered }

// Switched is told after one project gave way to another.
type Switched struct {
	At   time.Time
	Undo func()
}

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	agent    Agent
	async    Async
	now      func() time.Time
	show     func(Model)
	switched func(Switched)
	edited   func(undo func())

	model   Model
	known   bool
	shown   bool
	stale   bool      // Entries are older than Status
	noting  bool      // a note is on its way to the agent
	pressed bool      // Toggle was pressed meanwhile
	entries int       // the newest question for Entries; older answers are dropped
	pastOf  time.Time // the day that Past comes before
	weekday time.Weekday
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent    Agent
	Async    Async
	Now      func() time.Time
	Show     func(Model)       // called after every change
	Switched func(Switched)    // called when a switch is done
	Edited   func(undo func()) // called when an entry was corrected
}

// New makes a presenter. It asks nothing before the first Update.
func New(c Config) *Presenter {
	return &Presenter{weekday: time.Monday, agent: c.Agent, async: c.Async, now: c.Now, show: c.Show, switched: c.Switched, edited: c.Edited}
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Update takes a new status in.
func (p *Presenter) Update(s pow.Status, received time.Time) {
	before := p.model.Status
	first := !p.known
	p.known, p.model.Lost = true, false
	p.model.Status, p.model.Received = s, received
	p.follow(before, first)
	p.pickPicture(before, first)
	if first || before.Setup.Team != s.Setup.Team {
		p.loadProjects()
		p.loadMember()
	}
	if first || differs(before, s) {
		p.stale = true
		p.loadEntries()
	}
	p.show(p.model)
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost = true
	p.show(p.model)
}

// Visible tells the page whether it can be seen; a hidden page asks nothing.
func (p *Presenter) Visible(on bool) {
	p.shown = on
	if on && p.known {
		p.loadProjects()
		p.loadEntries()
		p.loadMember()
	}
}

// follow moves the choice to the project that runs.
func (p *Presenter) follow(before pow.Status, first bool) {
	t := p.model.Status.Timer
	if t.Project == nil || !first && before.Timer.Session == t.Session {
		return
	}
	p.pick(t.Project.ID)
}

// pick takes another project as the chosen one, and asks for its terms.
func (p *Presenter) pick(id pow.ProjectID) {
	if p.model.Chosen == id {
		return
	}
	p.model.Chosen, p.model.Activity, p.model.Terms = id, "", pow.Terms{}
	p.loadTerms()
}

// pickPicture shows the newest picture of the running session; an older one
// belongs to another project and could be photographed.
func (p *Presenter) pickPicture(before pow.Status, first bool) {
	c := p.model.Status.LastCapture
	if c != nil && (!p.model.Open() || c.At.Before(p.model.Status.Timer.Since)) {
		c = nil
	}
	old := p.model.Picture
	p.model.Picture = c
	if c == nil || old == nil || old.ID != c.ID {
		p.model.Thumb, p.model.Asking = nil, false
	}
	if c != nil && (old == nil || old.ID != c.ID) {
		p.loadThumb(c.ID)
	}
}

// differs tells whether the day's list may have changed.
func differs(a, b pow.Status) bool {
	if a.Timer.State != b.Timer.State || a.Timer.Session != b.Timer.Session ||
		a.Timer.Note != b.Timer.Note || a.Held != b.Held || a.HeldSeconds != b.HeldSeconds {
		return true
	}
	for _, s := range pow.States {
		if a.Outbox[s] != b.Outbox[s] {
			return true
		}
	}
	return false
}
