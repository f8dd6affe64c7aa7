package settings

import (
	"context"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/input"
	"pow.do/ui/leaveout"
)

// Keeper holds the settings.
type Keeper interface {
	Settings(ctx context.Context) (pow.Settings, error)
	SetSettings(ctx context.Context, s pow.Settings) error
}

// Prober tests one part of what doctor looks at: capture, activitywatch,
// relays, blossom, dvm, proxy, keyring, tray, notify, away.
type Prober interface {
	Test(ctx context.Context, name string) ([]pow.Check, error)
	TestShot(ctx context.Context) ([][]byte, error)
}

// Keys shows and guards the keys.
type Keys interface {
	Keys(ctx context.Context) (pow.KeysInfo, error)
	Lock(ctx context.Context) error
	ChangePassphrase(ctx context.Context, c pow.PassphraseChange) error
	RemoveDevice(ctx context.Context, device pow.Key) error
}

// Team names what was agreed with whom.
type Team interface {
	Projects(ctx context.Context) ([]pow.Project, error)
	Terms(ctx context.Context, id pow.ProjectID) (pow.Terms, error)
	Leave(ctx context.Context) error
}

// Data measures and erases.
type Data interface {
	Sizes(ctx context.Context) (pow.Sizes, error)
	Forget(ctx context.Context, r pow.ForgetRequest) (pow.Forgotten, error)
}

// Agent is all that this page asks of the agent.
type Agent interface {
	Keeper
	Prober
	Keys
	Team
	Data
	leaveout.Agent
	backup.Agent
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Group is one section of the page.
type Group int

// The sections in order.
const (
	General Group = iota
	Tracking
	Pictures
	Apps
	Projects
	KeysGroup
	Servers
	DataGroup
	About
)

// Field is a text field; its text stays when it cannot be used.
type Field string

// The fields.
const (
	WeekLimit   Field = "week-limit" // hours
	AwayAfter   Field = "away-after" // minutes
	StopAfter   Field = "stop-after" // hours
	RemindAfter Field = "remind"     // minutes
	RemindFrom  Field = "remind-from"
	RemindTo    Field = "remind-to"
	ToastFor    Field = "toast-for" // seconds
	ActivityURL Field = "activity-url"
	ActivityKey Field = "activity-key"
	AppsOut     Field = "apps-out"
	TitlesOut   Field = "titles-out"
	LockAfter   Field = "lock-after" // minutes
	Proxy       Field = "proxy"
	OldPhrase   Field = "old-phrase"
	NewPhrase   Field = "new-phrase"
	NewAgain    Field = "new-again"
)

// Probe is the test of one part.
type Probe struct {
	Busy   bool
	Known  bool
	Checks []pow.Check
	Err    error
}

// Ask is a question that has to be answered before something happens.
type Ask struct {
	Kind   AskKind
	Device pow.Device        // AskDevice
	Forget pow.ForgetRequest // AskForget
	Would  pow.Forgotten     // AskForget: what would go
}

// AskKind names a question.
type AskKind int

// The questions.
const (
	AskNothing AskKind = iota
	AskDevice
	AskLeave
	AskForget
)

// Model is all that the page shows.
type Model struct {
	Status   pow.Status
	Lost     bool
	Known    bool // Settings came
	Settings pow.Settings
	Faults   map[Field]input.Fault
	Err      map[Group]error // of the last act in a section
	Busy     map[Group]bool
	Probes   map[string]Probe
	Shots    [][]byte // one a monitor that pictures are taken of, from TestShot
	Of       []int    // the monitor of each of Shots
	Keys     pow.KeysInfo
	Changed  bool // the passphrase was
	Terms    []pow.Terms
	Sizes    pow.Sizes
	Sized    bool
	Erased   *pow.Forgotten // what the last deletion did
	Ask      Ask
}

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	c     Config
	model Model
	held  pow.Settings // as the agent has them
	saves bool         // a SetSettings is on its way
	dirty bool         // there is something newer than it
	shown bool
	asked int
	every int // how many monitors there are, once it is known
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent Agent
	Async Async
	Now   func() time.Time
	Show  func(Model) // called after every change
}

// New makes a presenter. It asks nothing before it is visible.
func New(c Config) *Presenter {
	return &Presenter{c: c, model: Model{Faults: map[Field]input.Fault{}, Err: map[Group]error{}, Busy: map[Group]bool{}, Probes: map[string]Probe{}}}
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

func (p *Presenter) draw() { p.c.Show(p.model) }

// Update takes a new status in.
func (p *Presenter) Update(s pow.Status) {
	back, was := p.model.Lost, p.model.Status
	p.model.Status, p.model.Lost = s, false
	if back {
		p.Load()
	}
	if back || !alike(s, was) {
		p.draw()
	}
}

// alike tells whether two statuses look the same on this page; the clock and the
// counts of others do not stand here.
func alike(a, b pow.Status) bool {
	return a.Setup == b.Setup && a.Team == b.Team && a.Version == b.Version && a.Pid == b.Pid && slices.Equal(a.Relays, b.Relays)
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost = true
	p.draw()
}

// Visible tells the page whether it can be seen; a hidden page asks nothing, and
// keeps no picture of the screen.
func (p *Presenter) Visible(on bool) {
	p.shown = on
	if on {
		p.Load()
		return
	}
	p.model.Shots, p.model.Of, p.model.Ask, p.model.Changed = nil, nil, Ask{}, false
}

// Load asks for everything that the page shows.
func (p *Presenter) Load() {
	if !p.shown || p.model.Lost {
		return
	}
	p.asked++
	mine := p.asked
	var s pow.Settings
	p.c.Async(func(ctx context.Context) (err error) {
		s, err = p.c.Agent.Settings(ctx)
		return err
	}, func(err error) {
		if mine != p.asked {
			return
		}
		p.model.Err[General] = err
		if err == nil && !p.saves {
			p.held, p.model.Settings, p.model.Known = s, s, true
		}
		p.draw()
	})
	p.loadKeys()
	p.loadTerms()
	p.loadSizes()
}

func (p *Presenter) loadKeys() {
	var k pow.KeysInfo
	p.c.Async(func(ctx context.Context) (err error) {
		k, err = p.c.Agent.Keys(ctx)
		return err
	}, func(err error) {
		if err == nil {
			p.model.Keys = k
		}
		p.draw()
	})
}

func (p *Presenter) loadTerms() {
	var list []pow.Terms
	p.c.Async(func(ctx context.Context) error {
		projects, err := p.c.Agent.Projects(ctx)
		for _, pr := range projects {
			t, err := p.c.Agent.Terms(ctx, pr.ID)
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return err
	}, func(err error) {
		p.model.Err[Projects] = err
		if err == nil {
			p.model.Terms = list
		}
		p.draw()
	})
}

func (p *Presenter) loadSizes() {
	var s pow.Sizes
	p.c.Async(func(ctx context.Context) (err error) {
		s, err = p.c.Agent.Sizes(ctx)
		return err
	}, func(err error) {
		if err == nil {
			p.model.Sizes, p.model.Sized = s, true
		}
		p.draw()
	})
}

// Change edits the settings and lets them hold at once. Where the agent refuses,
// what held before is shown again, with the reason in the section.
func (p *Presenter) Change(g Group, edit func(*pow.Settings)) {
	if !p.model.Known || p.model.Lost {
		p.draw() // the control goes back to what holds
		return
	}
	edit(&p.model.Settings)
	p.model.Err[g] = nil
	if p.saves {
		p.dirty = true
		p.draw()
		return
	}
	p.save(g)
}

func (p *Presenter) save(g Group) {
	p.saves, p.dirty = true, false
	s := p.model.Settings
	p.draw()
	p.c.Async(func(ctx context.Context) error { return p.c.Agent.SetSettings(ctx, s) }, func(err error) {
		p.saves = false
		if err == nil {
			p.held = s
		} else {
			p.model.Settings, p.dirty = p.held, false
		}
		p.model.Err[g] = err
		if p.dirty {
			p.save(g)
			return
		}
		p.draw()
	})
}

// judge remembers whether a field's text can be used, and tells.
func (p *Presenter) judge(f Field, fault input.Fault) bool {
	p.model.Faults[f] = fault
	if fault != input.Fine {
		p.draw()
	}
	return fault == input.Fine
}
