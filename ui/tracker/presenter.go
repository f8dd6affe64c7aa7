package tracker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
)

// Timer starts, stops and names what is running.
type Timer interface {
	Start(ctx context.Context, r pow.StartRequest) (pow.Status, error)
	Stop(ctx context.Context) (pow.Status, error)
	SetNote(ctx context.Context, note string) error
}

// Day lists what can be worked on and what was.
type Day interface {
	Projects(ctx context.Context) ([]pow.Project, error)
	Entries(ctx context.Context, day time.Time) ([]pow.Entry, error)
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
	Day
	Pictures
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Block says why the timer cannot be started.
type Block string

// The blocks. NoTeam and NoProjects have an empty state of their own.
const (
	Free           Block = ""
	NoTeam         Block = "no-team"
	Waits          Block = "waits" // the team has to let this device in
	NoProjects     Block = "no-projects"
	ChooseProject  Block = "choose-project"
	ChooseActivity Block = "choose-activity"
)

// Model is all that the page shows.
type Model struct {
	Status   pow.Status
	Received time.Time // when Status came; its monotonic part drives the clock
	Lost     bool      // the agent does not answer
	Projects []pow.Project
	Chosen   pow.ProjectID
	Activity pow.KimaiActivityID
	Entries  []pow.Entry
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
	}
	return Free
}

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

	model   Model
	known   bool
	shown   bool
	stale   bool // Entries are older than Status
	noting  bool // a note is on its way to the agent
	pressed bool // Toggle was pressed meanwhile
	entries int  // the newest question for Entries; older answers are dropped
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent    Agent
	Async    Async
	Now      func() time.Time
	Show     func(Model)    // called after every change
	Switched func(Switched) // called when a switch is done
}

// New makes a presenter. It asks nothing before the first Update.
func New(c Config) *Presenter {
	return &Presenter{agent: c.Agent, async: c.Async, now: c.Now, show: c.Show, switched: c.Switched}
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
	}
}

// follow moves the choice to the project that runs.
func (p *Presenter) follow(before pow.Status, first bool) {
	t := p.model.Status.Timer
	if t.Project == nil || !first && before.Timer.Session == t.Session {
		return
	}
	if p.model.Chosen != t.Project.ID {
		p.model.Chosen, p.model.Activity = t.Project.ID, ""
	}
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

func (p *Presenter) loadThumb(id string) {
	var thumb image.Image
	p.async(func(ctx context.Context) error {
		b, err := p.agent.Thumbnail(ctx, id)
		if err != nil {
			return err
		}
		thumb, err = decode(b)
		return err
	}, func(err error) {
		if err != nil || p.model.Picture == nil || p.model.Picture.ID != id {
			return // no thumbnail: the card says when it was taken, and that is enough
		}
		p.model.Thumb = thumb
		p.show(p.model)
	})
}

// The largest thumbnail that is decoded, in pixels.
const (
	thumbWidth  = 320
	thumbHeight = 180
)

func decode(b []byte) (image.Image, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("read thumbnail: %w", err)
	}
	if c.Width > thumbWidth || c.Height > thumbHeight {
		return nil, errors.New("read thumbnail: too large")
	}
	return jpeg.Decode(bytes.NewReader(b))
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

func (p *Presenter) loadEntries() {
	if !p.shown || !p.stale {
		return
	}
	p.stale = false
	p.entries++
	mine, day := p.entries, p.now()
	var list []pow.Entry
	p.async(func(ctx context.Context) (err error) {
		list, err = p.agent.Entries(ctx, day)
		return err
	}, func(err error) {
		if mine != p.entries {
			return
		}
		if err != nil {
			p.stale = true
			p.model.Err = err
		} else {
			p.model.Entries = list
			p.sort()
			p.chooseDefault()
		}
		p.show(p.model)
	})
}

func (p *Presenter) loadProjects() {
	if !p.model.Status.Setup.Team {
		p.model.Projects = nil
		return
	}
	var list []pow.Project
	p.async(func(ctx context.Context) (err error) {
		list, err = p.agent.Projects(ctx)
		return err
	}, func(err error) {
		if err != nil {
			p.model.Err = err
		} else {
			p.model.Projects = list
			p.sort()
			p.chooseDefault()
		}
		p.show(p.model)
	})
}

// chooseDefault proposes the last project worked on, or the only one there is.
func (p *Presenter) chooseDefault() {
	if _, ok := p.model.Project(); ok || len(p.model.Projects) == 0 {
		return
	}
	p.model.Chosen = ""
	if len(p.model.Projects) == 1 || p.recency(p.model.Projects[0].ID) > 0 {
		p.model.Chosen = p.model.Projects[0].ID
	}
}

// sort puts what was worked on today first, then by customer and name.
func (p *Presenter) sort() {
	slices.SortStableFunc(p.model.Projects, func(a, b pow.Project) int {
		if d := cmp.Compare(p.recency(b.ID), p.recency(a.ID)); d != 0 {
			return d
		}
		if d := strings.Compare(strings.ToLower(a.Group), strings.ToLower(b.Group)); d != 0 {
			return d
		}
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
}

// recency is higher the later a project was begun today, 0 where it was not.
func (p *Presenter) recency(id pow.ProjectID) int64 {
	var r int64
	for _, e := range p.model.Entries {
		if e.Project.ID == id {
			r = max(r, e.From.Unix())
		}
	}
	return r
}
