package register_test

import (
	"context"
	"errors"
	"testing"

	"pow.do/services/pow"
	"pow.do/ui/register"
)

type agent struct {
	preview pow.Preview
	err     error
	sent    *int
}

func (a agent) Preview(context.Context) (pow.Preview, error) { return a.preview, a.err }
func (a agent) Register(context.Context) ([]string, error) {
	*a.sent++
	return []string{"P1"}, nil
}

// Nothing may be sent before its effect was shown.
func TestRegisterOnlyAfterThePreview(t *testing.T) {
	sent := 0
	full := pow.Preview{Parts: []pow.PreviewPart{{Captures: 1}}}
	for _, c := range []struct {
		name  string
		agent agent
		load  bool
		want  int
	}{
		{"not looked yet", agent{preview: full}, false, 0},
		{"nothing to send", agent{}, true, 0},
		{"preview failed", agent{preview: full, err: errors.New("no")}, true, 0},
		{"shown", agent{preview: full}, true, 1},
		{"a question is open", agent{preview: pow.Preview{Parts: full.Parts, Away: []pow.AwayQuestion{{ID: "A1"}}}}, true, 0},
	} {
		sent = 0
		c.agent.sent = &sent
		p := register.New(c.agent, func(work func(context.Context) error, done func(error)) {
			done(work(context.Background()))
		}, func(register.Model) {})
		if c.load {
			p.Load()
		}
		p.Register()
		if sent != c.want {
			t.Errorf("%s: sent %d, want %d", c.name, sent, c.want)
		}
	}
}

func TestASecondPressSendsNothing(t *testing.T) {
	sent := 0
	var held []func()
	p := register.New(agent{preview: pow.Preview{Parts: []pow.PreviewPart{{}}}, sent: &sent},
		func(work func(context.Context) error, done func(error)) {
			held = append(held, func() { done(work(context.Background())) })
		}, func(register.Model) {})
	p.Load()
	held[0]()
	p.Register()
	p.Register()
	if len(held) != 2 {
		t.Errorf("%d requests, want 2", len(held))
	}
}
