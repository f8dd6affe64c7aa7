package firstrun

import (
	"context"
	"slices"
	"strings"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// MakeNew asks for a new key.
func (p *Presenter) MakeNew() {
	p.request = pow.KeyRequest{}
	p.to(Safe)
	p.draw()
}

// UseOld asks for a key that exists.
func (p *Presenter) UseOld() {
	p.to(Restore)
	p.draw()
}

// SetForm says how the key is typed in.
func (p *Presenter) SetForm(f Form) {
	p.model.Form = f
	p.model.Key, p.model.Fault = input.Key{Wrong: -1}, input.Fine
	p.draw()
}

// Typed looks at the key while it is typed.
func (p *Presenter) Typed(key string) {
	p.model.Key, p.model.Fault = input.ReadKey(key)
	p.model.At = "key"
	if p.model.Fault == input.Empty {
		p.model.Fault = input.Fine
	}
	p.draw()
}

// Restored takes what was typed: words, nsec or ncryptsec with its passphrase.
func (p *Presenter) Restored(key, phrase string) {
	k, fault := input.ReadKey(key)
	p.model.Key = k
	switch {
	case fault != input.Fine:
		p.fail("key", fault)
		return
	case k.Kind == input.Sealed && phrase == "":
		p.fail("phrase", input.NoPhrase)
		return
	case len(phrase) > input.MaxPassphrase:
		p.fail("phrase", input.Long)
		return
	}
	p.request = pow.KeyRequest{Restore: k.Text, RestorePassphrase: phrase}
	p.to(Safe)
	p.draw()
}

// KeepInKeyring makes or restores the key and lets the system keep it.
func (p *Presenter) KeepInKeyring() { p.makeKey("") }

// KeepBehind makes or restores the key and protects it with a passphrase.
func (p *Presenter) KeepBehind(phrase, again string) {
	switch f := input.Passphrase(phrase, again); f {
	case input.Fine:
		p.makeKey(phrase)
	case input.Differs:
		p.fail("again", f)
	default:
		p.fail("phrase", f)
	}
}

func (p *Presenter) makeKey(phrase string) {
	r := p.request
	r.Passphrase = phrase
	var reply pow.KeyReply
	p.do(func(ctx context.Context) (err error) {
		reply, err = p.c.Agent.NewKey(ctx, r)
		return err
	}, func() {
		p.request, p.model.Key = pow.KeyRequest{}, input.Key{Wrong: -1}
		p.model.Status.Setup.Key, p.model.Status.Setup.Npub = true, reply.Npub
		p.model.Words = strings.Fields(reply.Mnemonic)
		p.to(Backup)
	})
}

// OnPaper shows the words of the new key.
func (p *Presenter) OnPaper() {
	if len(p.model.Words) > 0 {
		p.to(Words)
	}
	p.draw()
}

// BackedUp tells that a backup was found good.
func (p *Presenter) BackedUp() {
	p.model.Tested = true
	p.draw()
}

// checks is how many words are asked for, offers how many are shown.
const (
	checks = 3
	offers = 6
)

func (p *Presenter) ask() {
	p.asked = nil
	for len(p.asked) < min(checks, len(p.model.Words)) {
		if i := p.c.Pick(len(p.model.Words)); !slices.Contains(p.asked, i) {
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
	for tries := 0; len(options) < offers && tries < 200; tries++ {
		if w := p.model.Words[p.c.Pick(len(p.model.Words))]; !slices.Contains(options, w) {
			options = append(options, w)
		}
	}
	slices.Sort(options)
	p.model.Offer = options
}

// Answer picks a word at Check. After the last right one the agent remembers
// that the backup was tested.
func (p *Presenter) Answer(word string) {
	if p.model.Step != Check || len(p.asked) == 0 || p.model.Busy {
		return
	}
	if p.model.Missed = word != p.model.Words[p.model.Ask]; p.model.Missed {
		p.offer()
		p.draw()
		return
	}
	if len(p.asked) > 1 {
		p.asked = p.asked[1:]
		p.offer()
		p.draw()
		return
	}
	list := slices.Clone(p.model.Words)
	p.do(func(ctx context.Context) error { return p.c.Agent.TestBackup(ctx, pow.BackupTest{Words: list}) }, func() {
		p.model.Tested, p.model.Words, p.model.Offer, p.asked = true, nil, nil, nil
		p.to(Team)
	})
}

// Later puts the backup off and forgets the words.
func (p *Presenter) Later() {
	p.model.Words, p.model.Offer, p.asked = nil, nil, nil
	p.to(Team)
	p.draw()
}
