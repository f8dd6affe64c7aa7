package welcome

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"pow.do/services/pow"
)

// Agent is what the first run asks of the agent.
type Agent interface {
	NewKey(ctx context.Context, r pow.KeyRequest) (pow.KeyReply, error)
	ReadInvite(ctx context.Context, link string) (pow.JoinPreview, error)
	Join(ctx context.Context, r pow.JoinRequest) (pow.Joined, error)
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Step is one page of the first run.
type Step int

// The steps in order. Restore stands in for Words and Check where a key exists
// already; Consent follows a link that was read.
const (
	Hello   Step = iota // what this is
	Choose              // new key, or one that exists
	Restore             // type it in
	Safe                // keyring or passphrase
	Words               // the new key's words, to write down
	Check               // three of them, to see that they were
	Team                // paste the invite link
	Consent             // what the link says; nothing happens before yes
	Ready               // joined
)

// LeastPassphrase is the shortest passphrase accepted, in runes.
const LeastPassphrase = 10

// ErrShort and ErrDiffer refuse a passphrase before the agent sees it.
var (
	ErrShort  = &pow.Error{Code: "passphrase-short", What: "the passphrase is too short", Mend: "use 10 characters or more; four or five words are good"}
	ErrDiffer = &pow.Error{Code: "passphrase-differs", What: "the two passphrases are not the same", Mend: "type it again"}
)

// Model is all that the first run shows.
type Model struct {
	Step    Step
	Keyring bool     // the system's keyring can hold the keys
	HasKey  bool     // there is an identity key: the team is all that is missing
	Npub    string   // the new identity
	Words   []string // of a new key, until they were checked
	Ask     int      // Check: index of the word asked for
	Options []string // Check: one of these is right
	Left    int      // Check: how many are still asked for
	Missed  bool     // Check: the last answer was wrong
	Link    string
	Invite  pow.JoinPreview
	Joined  pow.Joined
	Busy    bool
	Err     error
}

// Secret tells whether words or passphrases are on the screen, so that no
// picture may be taken.
func (m Model) Secret() bool {
	switch m.Step {
	case Restore, Safe, Words, Check, Team:
		return true
	}
	return false
}

// Place returns how far the first run is: dot at of all.
func (m Model) Place() (at, all int) {
	switch m.Step {
	case Hello:
		return 0, 5
	case Choose, Restore:
		return 1, 5
	case Safe:
		return 2, 5
	case Words, Check:
		return 3, 5
	}
	return 4, 5
}

// Presenter holds the first run's state. All its methods belong to one goroutine.
type Presenter struct {
	agent Agent
	async Async
	show  func(Model)
	pick  func(n int) int // a number below n

	model   Model
	restore pow.KeyRequest // what was typed at Restore
	asked   []int          // indices still to be checked
}

// New makes a presenter; show is called after every change.
func New(agent Agent, async Async, show func(Model)) *Presenter {
	return &Presenter{agent: agent, async: async, show: show, pick: rand.IntN}
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Update takes what the agent knows of the setup in, and skips what is done.
func (p *Presenter) Update(s pow.Setup) {
	p.model.Keyring, p.model.HasKey = s.Keyring, s.Key
	if s.Npub != "" {
		p.model.Npub = s.Npub
	}
	if s.Key && p.model.Step < Safe {
		p.to(Team)
	}
	p.show(p.model)
}

// Open starts at the invite link, with one already pasted perhaps.
func (p *Presenter) Open(link string) {
	p.model.Link = link
	if p.model.HasKey {
		p.to(Team)
	}
	p.show(p.model)
}

func (p *Presenter) to(s Step) {
	p.model.Step, p.model.Err, p.model.Missed = s, nil, false
}

// Next goes on where no more than that is needed.
func (p *Presenter) Next() {
	switch p.model.Step {
	case Hello:
		p.to(Choose)
	case Words:
		p.ask()
	}
	p.show(p.model)
}

// Back goes one step back; what was typed stays. A key that was made stays made.
func (p *Presenter) Back() {
	back := map[Step]Step{Choose: Hello, Restore: Choose, Safe: Choose, Check: Words, Consent: Team}
	if s, ok := back[p.model.Step]; ok && !p.model.Busy {
		if p.model.Step == Safe && p.restore.Restore != "" {
			s = Restore
		}
		p.to(s)
		p.show(p.model)
	}
}

// MakeNew asks for a new key.
func (p *Presenter) MakeNew() {
	p.restore = pow.KeyRequest{}
	p.to(Safe)
	p.show(p.model)
}

// UseOld asks for a key that exists.
func (p *Presenter) UseOld() {
	p.to(Restore)
	p.show(p.model)
}

// Restored takes what was typed: words, nsec or ncryptsec.
func (p *Presenter) Restored(key, passphrase string) {
	key = strings.Join(strings.Fields(key), " ")
	if key == "" {
		return
	}
	p.restore = pow.KeyRequest{Restore: key, RestorePassphrase: passphrase}
	p.to(Safe)
	p.show(p.model)
}

// KeepInKeyring makes or restores the key and lets the system keep it.
func (p *Presenter) KeepInKeyring() { p.makeKey("") }

// KeepBehind makes or restores the key and protects it with a passphrase.
func (p *Presenter) KeepBehind(passphrase, again string) {
	switch {
	case len([]rune(passphrase)) < LeastPassphrase:
		p.model.Err = ErrShort
	case passphrase != again:
		p.model.Err = ErrDiffer
	default:
		p.makeKey(passphrase)
		return
	}
	p.show(p.model)
}

func (p *Presenter) makeKey(passphrase string) {
	r := p.restore
	r.Passphrase = passphrase
	var reply pow.KeyReply
	p.do(func(ctx context.Context) (err error) {
		reply, err = p.agent.NewKey(ctx, r)
		return err
	}, func() {
		p.restore = pow.KeyRequest{}
		p.model.Npub, p.model.HasKey = reply.Npub, true
		if p.model.Words = strings.Fields(reply.Mnemonic); len(p.model.Words) > 0 {
			p.to(Words)
			return
		}
		p.to(Team)
	})
}

// checks is how many words are asked for.
const checks = 3

func (p *Presenter) ask() {
	p.asked = nil
	for len(p.asked) < min(checks, len(p.model.Words)) {
		if i := p.pick(len(p.model.Words)); !slices.Contains(p.asked, i) {
			p.asked = append(p.asked, i)
		}
	}
	slices.Sort(p.asked)
	p.to(Check)
	p.offer()
}

// offer shows the next word to pick among six.
func (p *Presenter) offer() {
	p.model.Left, p.model.Ask = len(p.asked), p.asked[0]
	options := []string{p.model.Words[p.model.Ask]}
	for tries := 0; len(options) < 6 && tries < 200; tries++ {
		if w := p.model.Words[p.pick(len(p.model.Words))]; !slices.Contains(options, w) {
			options = append(options, w)
		}
	}
	slices.Sort(options)
	p.model.Options = options
}

// Answer picks a word at Check.
func (p *Presenter) Answer(word string) {
	if p.model.Step != Check || len(p.asked) == 0 {
		return
	}
	if p.model.Missed = word != p.model.Words[p.model.Ask]; !p.model.Missed {
		if p.asked = p.asked[1:]; len(p.asked) == 0 {
			p.Later()
			return
		}
	}
	p.offer()
	p.show(p.model)
}

// Later goes on and forgets the words, checked or not.
func (p *Presenter) Later() {
	p.model.Words, p.model.Options, p.asked = nil, nil, nil
	p.to(Team)
	p.show(p.model)
}

// Read shows what an invite link says.
func (p *Presenter) Read(link string) {
	link = strings.TrimSpace(link)
	if link == "" {
		return
	}
	p.model.Link = link
	var v pow.JoinPreview
	p.do(func(ctx context.Context) (err error) {
		v, err = p.agent.ReadInvite(ctx, link)
		return err
	}, func() {
		p.model.Invite = v
		p.to(Consent)
	})
}

// Agree joins with the link that was shown.
func (p *Presenter) Agree(name string) {
	if p.model.Step != Consent {
		return
	}
	r := pow.JoinRequest{Link: p.model.Link, Name: strings.TrimSpace(name)}
	var j pow.Joined
	p.do(func(ctx context.Context) (err error) {
		j, err = p.agent.Join(ctx, r)
		return err
	}, func() {
		p.model.Joined, p.model.Link = j, ""
		p.to(Ready)
	})
}

// do runs a step that the person waits for.
func (p *Presenter) do(work func(context.Context) error, then func()) {
	if p.model.Busy {
		return
	}
	p.model.Busy, p.model.Err = true, nil
	p.show(p.model)
	p.async(work, func(err error) {
		p.model.Busy = false
		if p.model.Err = err; err == nil {
			then()
		}
		p.show(p.model)
	})
}
