package welcome_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pow.do/services/pow"
	"pow.do/ui/welcome"
)

type agent struct {
	key    func(pow.KeyRequest) (pow.KeyReply, error)
	invite func(string) (pow.JoinPreview, error)
	join   func(pow.JoinRequest) (pow.Joined, error)
}

func (a agent) NewKey(_ context.Context, r pow.KeyRequest) (pow.KeyReply, error) { return a.key(r) }
func (a agent) ReadInvite(_ context.Context, l string) (pow.JoinPreview, error)  { return a.invite(l) }
func (a agent) Join(_ context.Context, r pow.JoinRequest) (pow.Joined, error)    { return a.join(r) }

func atOnce(work func(context.Context) error, done func(error)) { done(work(context.Background())) }

const words = "leader monkey parrot ring guide accident before fence cannon height naive bean"

func TestNewKeyToReady(t *testing.T) {
	var asked pow.KeyRequest
	joins := 0
	p := welcome.New(agent{
		key: func(r pow.KeyRequest) (pow.KeyReply, error) {
			asked = r
			return pow.KeyReply{Npub: "npub1x", Mnemonic: words}, nil
		},
		invite: func(string) (pow.JoinPreview, error) { return pow.JoinPreview{Name: "Nord"}, nil },
		join:   func(pow.JoinRequest) (pow.Joined, error) { joins++; return pow.Joined{Team: "Nord"}, nil },
	}, atOnce, func(welcome.Model) {})
	at := func(want welcome.Step) {
		t.Helper()
		if got := p.Model().Step; got != want {
			t.Fatalf("at step %d, want %d", got, want)
		}
	}
	p.Next()
	at(welcome.Choose)
	p.MakeNew()
	at(welcome.Safe)
	p.KeepBehind("short", "short")
	if !errors.Is(p.Model().Err, welcome.ErrShort) {
		t.Errorf("err %v", p.Model().Err)
	}
	p.KeepBehind("long enough to keep", "long enough to kee")
	if !errors.Is(p.Model().Err, welcome.ErrDiffer) {
		t.Errorf("err %v", p.Model().Err)
	}
	p.KeepBehind("long enough to keep", "long enough to keep")
	at(welcome.Words)
	if asked.Passphrase != "long enough to keep" || asked.Restore != "" {
		t.Errorf("asked %+v", asked)
	}
	p.Next()
	at(welcome.Check)
	for p.Model().Step == welcome.Check {
		m := p.Model()
		right := m.Words[m.Ask]
		if len(m.Options) != 6 || !slices.Contains(m.Options, right) {
			t.Fatalf("options %v for %q", m.Options, right)
		}
		wrong := m.Options[0]
		if wrong == right {
			wrong = m.Options[1]
		}
		if p.Answer(wrong); !p.Model().Missed {
			t.Error("a wrong word passed")
		}
		p.Answer(right)
	}
	at(welcome.Team)
	if p.Model().Words != nil {
		t.Error("the words are still in memory")
	}
	p.Read(" powdo://join#x ")
	at(welcome.Consent)
	if joins != 0 {
		t.Fatal("joined without a yes")
	}
	p.Agree(" laptop ")
	at(welcome.Ready)
	if joins != 1 || p.Model().Link != "" {
		t.Errorf("%d joins, link %q", joins, p.Model().Link)
	}
}

func TestRestoreSkipsTheWords(t *testing.T) {
	var asked pow.KeyRequest
	p := welcome.New(agent{key: func(r pow.KeyRequest) (pow.KeyReply, error) { asked = r; return pow.KeyReply{}, nil }}, atOnce, func(welcome.Model) {})
	p.Next()
	p.UseOld()
	p.Restored("  leader\n monkey ", "pass")
	p.KeepInKeyring()
	if asked.Restore != "leader monkey" || asked.RestorePassphrase != "pass" || asked.Passphrase != "" {
		t.Errorf("asked %+v", asked)
	}
	if p.Model().Step != welcome.Team {
		t.Errorf("step %d", p.Model().Step)
	}
}

func TestSecretsAreGuarded(t *testing.T) {
	for s, want := range map[welcome.Step]bool{
		welcome.Hello: false, welcome.Choose: false, welcome.Restore: true, welcome.Safe: true,
		welcome.Words: true, welcome.Check: true, welcome.Team: true, welcome.Consent: false, welcome.Ready: false,
	} {
		if got := (welcome.Model{Step: s}).Secret(); got != want {
			t.Errorf("step %d: %v, want %v", s, got, want)
		}
	}
}

func TestAKeyThatExistsGoesOnAtTheTeam(t *testing.T) {
	p := welcome.New(agent{}, atOnce, func(welcome.Model) {})
	p.Update(pow.Setup{Key: true, Npub: "npub1x"})
	if p.Model().Step != welcome.Team {
		t.Errorf("step %d", p.Model().Step)
	}
	p.Back()
	if p.Model().Step != welcome.Team {
		t.Error("went back behind a key that exists")
	}
}

func TestAFailureKeepsTheStep(t *testing.T) {
	want := &pow.Error{Code: pow.CodeClaimUsed}
	p := welcome.New(agent{invite: func(string) (pow.JoinPreview, error) { return pow.JoinPreview{}, want }}, atOnce, func(welcome.Model) {})
	p.Update(pow.Setup{Key: true})
	p.Read("powdo://join#x")
	if m := p.Model(); m.Step != welcome.Team || !errors.Is(m.Err, want) || m.Busy || m.Link == "" {
		t.Errorf("%+v", m)
	}
}
