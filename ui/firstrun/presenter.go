package firstrun

import (
	"context"
	"image"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/input"
	"pow.do/ui/leaveout"
	"pow.do/ui/project"
)

// Maker makes or restores the identity key.
type Maker interface {
	NewKey(ctx context.Context, r pow.KeyRequest) (pow.KeyReply, error)
}

// Joiner reads invite links and joins.
type Joiner interface {
	ReadInvite(ctx context.Context, link string) (pow.JoinPreview, error)
	Join(ctx context.Context, r pow.JoinRequest) (pow.Joined, error)
	Projects(ctx context.Context) ([]pow.Project, error)
}

// Practice shows what would be taken and what would leave; none of it is kept.
type Practice interface {
	TestShot(ctx context.Context) ([][]byte, error)
	ActivityPreview(ctx context.Context) ([]pow.ActivityRow, error)
	Rehearse(ctx context.Context, edits []pow.Edit) (pow.Rehearsal, error)
}

// Keeper holds the settings and tests one part of what doctor looks at.
type Keeper interface {
	Settings(ctx context.Context) (pow.Settings, error)
	SetSettings(ctx context.Context, s pow.Settings) error
	Test(ctx context.Context, name string) ([]pow.Check, error)
}

// Agent is what the first run asks of the agent.
type Agent interface {
	Maker
	Joiner
	Practice
	Keeper
	backup.Agent
	leaveout.Agent
	project.Agent
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Step is one page of the first run.
type Step string

// The steps in order. Restore stands in for a new key; Words and Check are the
// backup on paper; Invite and Joined follow a link that was read.
const (
	Hello     Step = "hello"     // what this is, in which language and look
	Choose    Step = "key"       // new key, or one that exists
	Restore   Step = "restore"   // type it in
	Safe      Step = "safe"      // keyring or passphrase
	Backup    Step = "backup"    // a file, or words on paper
	Words     Step = "words"     // the new key's words, to write down
	Check     Step = "check"     // three of them, to see that they were
	Team      Step = "team"      // paste the invite link
	Invite    Step = "invite"    // what the link says; nothing happens before yes
	Joined    Step = "joined"    // what came of it, line by line
	Asks      Step = "asks"      // what each project asks for
	Pictures  Step = "pictures"  // permission, and a test picture
	Apps      Step = "apps"      // what ActivityWatch would give
	Out       Step = "leave-out" // what no picture may show
	Rehearsal Step = "rehearsal" // the whole way, without sending
	Ready     Step = "ready"
	Done      Step = "done"
)

// Steps is how many dots there are.
const Steps = 11

// place is the dot of each step.
var place = map[Step]int{Hello: 0, Choose: 1, Restore: 1, Safe: 2, Backup: 3, Words: 3, Check: 3, Team: 4, Invite: 4, Joined: 4,
	Asks: 5, Pictures: 6, Apps: 7, Out: 8, Rehearsal: 9, Ready: 10}

// Model is all that the first run shows.
type Model struct {
	Step   Step
	Status pow.Status
	Lost   bool
	Busy   bool
	Err    error

	Form   Form      // Restore: how the key is typed
	Key    input.Key // Restore: what was typed, taken apart
	Fault  input.Fault
	At     string   // the field that Fault belongs to
	Words  []string // of a new key, until they were backed up or put off
	Ask    int      // Check: index of the word asked for
	Offer  []string // Check: one of these is right
	Left   int      // Check: how many are still asked for
	Missed bool     // Check: the last answer was wrong
	Tested bool     // the backup was found good

	Link   string
	Invite pow.JoinPreview
	Joined pow.Joined
	Probes map[string]Probe // Joined: relays, blossom

	Projects []pow.Project // Asks: those to agree to
	Asked    int           // Asks: which one is shown
	Agreed   int

	Shots    [][]byte
	Settings pow.Settings
	Known    bool // Settings came
	Rows     []pow.ActivityRow
	Looked   bool // Rows is an answer
	Level    pow.Detail

	Before  []byte            // Rehearsal: the picture to practise on
	Covered []image.Rectangle // of it, in its pixels
	Outcome *pow.Rehearsal
}

// Probe is the test of one part.
type Probe struct {
	Busy   bool
	Checks []pow.Check
	Err    error
}

// Form is how an existing key is typed in.
type Form string

// The forms.
const (
	Twelve     Form = "12"
	TwentyFour Form = "24"
	Text       Form = "text" // nsec, ncryptsec, or words in one field
)

// Secret tells whether words or passphrases are on the screen, so that no
// picture may be taken.
func (m Model) Secret() bool {
	switch m.Step {
	case Restore, Safe, Backup, Words, Check, Team:
		return true
	}
	return false
}

// Place returns how far the first run is: dot at of all.
func (m Model) Place() (at, all int) { return place[m.Step], Steps }

// Store keeps the name of the step across a restart of the window. It holds
// nothing else.
type Store interface {
	String(key string) string
	SetString(key, value string)
}

// storeKey is where the step is kept.
const storeKey = "first-run"

// Config is what New needs; all of it is required.
type Config struct {
	Agent Agent
	Async Async
	Store Store
	Pick  func(n int) int // a number below n, by chance
	Show  func(Model)     // called after every change
}

// Presenter holds the first run's state. All its methods belong to one goroutine.
type Presenter struct {
	c     Config
	model Model

	request pow.KeyRequest // what was typed at Restore
	asked   []int          // indices still to be checked
	resumed bool
}

// New makes a presenter at the first step.
func New(c Config) *Presenter {
	return &Presenter{c: c, model: Model{Step: Hello, Form: Twelve, Level: pow.DetailCategory, Probes: map[string]Probe{}}}
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

func (p *Presenter) draw() { p.c.Show(p.model) }

// Unfinished tells whether the first run was begun here and not ended yet.
func (p *Presenter) Unfinished() bool {
	s := Step(p.c.Store.String(storeKey))
	return s != "" && s != Done
}

// Update takes a status in. The first one decides where to go on: a key that is
// there is not asked for again.
func (p *Presenter) Update(s pow.Status) {
	p.model.Status, p.model.Lost = s, false
	if !p.resumed {
		p.resumed = true
		p.resume()
	}
	p.draw()
}

func (p *Presenter) resume() {
	if !p.model.Status.Setup.Key {
		return
	}
	switch s := Step(p.c.Store.String(storeKey)); s {
	case Asks, Pictures, Apps, Out, Rehearsal, Ready, Backup, Team:
		p.to(s)
	default:
		if place[p.model.Step] < place[Team] {
			p.to(Team)
		}
	}
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost = true
	p.draw()
}

// Open starts at the invite link, with one already pasted perhaps.
func (p *Presenter) Open(link string) {
	p.model.Link = link
	if p.model.Status.Setup.Key {
		p.to(Team)
	}
	p.draw()
}

// lasting are the steps that a restart comes back to.
var lasting = map[Step]bool{Backup: true, Team: true, Asks: true, Pictures: true, Apps: true, Out: true, Rehearsal: true, Ready: true, Done: true}

func (p *Presenter) to(s Step) {
	p.model.Step, p.model.Err, p.model.Missed, p.model.Fault, p.model.At = s, nil, false, input.Fine, ""
	if lasting[s] {
		p.c.Store.SetString(storeKey, string(s))
	}
	p.enter(s)
}

// next is the way forward from the steps that need no more than a press.
var next = map[Step]Step{Hello: Choose, Backup: Team, Joined: Asks, Asks: Pictures, Pictures: Apps, Apps: Out, Out: Rehearsal, Rehearsal: Ready}

// Next goes on.
func (p *Presenter) Next() {
	if p.model.Busy {
		return
	}
	switch s, ok := next[p.model.Step]; {
	case p.model.Step == Words:
		p.ask()
	case p.model.Step == Ready:
		p.to(Done)
	case ok:
		p.leave()
		p.to(s)
	}
	p.draw()
}

// leave drops what must not outlive its step.
func (p *Presenter) leave() {
	switch p.model.Step {
	case Backup:
		p.model.Words, p.asked = nil, nil
	case Pictures:
		p.model.Shots = nil
	case Rehearsal:
		p.model.Before, p.model.Outcome, p.model.Covered = nil, nil, nil
	}
}

// back is the way back. A key that was made stays made, and so does a team.
var back = map[Step]Step{Choose: Hello, Restore: Choose, Safe: Choose, Words: Backup, Check: Words, Team: Backup, Invite: Team,
	Asks: Team, Pictures: Asks, Apps: Pictures, Out: Apps, Rehearsal: Out, Ready: Rehearsal}

// Back goes one step back; what was typed stays. False where there is none.
func (p *Presenter) Back() bool {
	s, ok := back[p.model.Step]
	if !ok || p.model.Busy {
		return false
	}
	if p.model.Step == Safe && p.request.Restore != "" {
		s = Restore
	}
	p.leave()
	p.to(s)
	p.draw()
	return true
}

// fail shows why what was typed cannot be used.
func (p *Presenter) fail(field string, f input.Fault) {
	p.model.At, p.model.Fault, p.model.Err = field, f, nil
	p.draw()
}

// do runs a step that the person waits for.
func (p *Presenter) do(work func(context.Context) error, then func()) {
	if p.model.Busy || p.model.Lost {
		p.draw()
		return
	}
	p.model.Busy, p.model.Err, p.model.Fault = true, nil, input.Fine
	p.draw()
	p.c.Async(work, func(err error) {
		p.model.Busy = false
		if p.model.Err = err; err == nil {
			then()
		}
		p.draw()
	})
}
