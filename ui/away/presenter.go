package away

import (
	"context"
	"slices"
	"time"

	"pow.do/services/pow"
)

// Agent is all that these questions ask of the agent.
type Agent interface {
	AnswerAway(ctx context.Context, a pow.AwayAnswer) (pow.Status, error)
	Projects(ctx context.Context) ([]pow.Project, error)
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Model is all that is shown.
type Model struct {
	// Questions are those of stretches that are over, oldest first. While the
	// person is away there is nobody to ask.
	Questions []pow.AwayQuestion
	Projects  []pow.Project // to book to, once they came
	Busy      bool          // an answer is on its way
	Err       error         // of the last answer
}

// Presenter holds the questions. All its methods belong to one goroutine.
type Presenter struct {
	c     Config
	model Model
	asked map[string]bool // questions that were shown once
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent Agent
	Async Async
	Show  func(Model)                      // called after every change
	Heard func(s pow.Status, at time.Time) // the status after an answer
	Now   func() time.Time
}

// newPresenter makes a presenter without questions.
func newPresenter(c Config) *Presenter { return &Presenter{c: c, asked: map[string]bool{}} }

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Update takes a new status in and tells whether it holds a question that was
// never shown: then it is asked without being called for.
func (p *Presenter) Update(s pow.Status) (fresh bool) {
	var list []pow.AwayQuestion
	for _, q := range s.Away {
		if q.To.IsZero() {
			continue
		}
		list = append(list, q)
		fresh = fresh || !p.asked[q.ID]
		p.asked[q.ID] = true
	}
	if slices.Equal(list, p.model.Questions) {
		return false
	}
	p.model.Questions = list
	if len(list) > 0 && p.model.Projects == nil {
		p.loadProjects()
	}
	p.c.Show(p.model)
	return fresh
}

func (p *Presenter) loadProjects() {
	var list []pow.Project
	p.c.Async(func(ctx context.Context) (err error) {
		list, err = p.c.Agent.Projects(ctx)
		return err
	}, func(err error) {
		if err == nil { // without them there are three answers left
			p.model.Projects = list
			p.c.Show(p.model)
		}
	})
}

// Answer decides about one stretch; project goes with pow.AwayOther.
func (p *Presenter) Answer(id string, choice pow.AwayChoice, project pow.ProjectID) {
	if p.model.Busy {
		return
	}
	p.model.Busy, p.model.Err = true, nil
	p.c.Show(p.model)
	var s pow.Status
	p.c.Async(func(ctx context.Context) (err error) {
		s, err = p.c.Agent.AnswerAway(ctx, pow.AwayAnswer{ID: id, Choice: choice, Project: string(project)})
		return err
	}, func(err error) {
		p.model.Busy = false
		if p.model.Err = err; err != nil {
			p.c.Show(p.model)
			return
		}
		p.c.Heard(s, p.c.Now())
		p.c.Show(p.model)
	})
}
