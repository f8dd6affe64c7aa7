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

func (p *Presenter) loadThumb(id string) {
	var thumb image.Image
	p.async(func(ctx context.Context) error {
		b, err := p.agent.Thumbnail(ctx, id)
		if err != nil {
			return err
		}
		thumb, err = Decode(b)
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

// Decode reads a thumbnail as the agent makes them, and nothing larger.
func Decode(b []byte) (image.Image, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("read thumbnail: %w", err)
	}
	if c.Width > thumbWidth || c.Height > thumbHeight {
		return nil, errors.New("read thumbnail: too large")
	}
	return jpeg.Decode(bytes.NewReader(b))
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
			p.loadPast(day)
			p.loadWeek(day)
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
	if len(p.model.Projects) == 1 || p.model.Recency(p.model.Projects[0].ID) > 0 {
		p.pick(p.model.Projects[0].ID)
	}
}

// sort puts what was worked on last first, then by customer and name.
func (p *Presenter) sort() {
	slices.SortStableFunc(p.model.Projects, func(a, b pow.Project) int {
		if d := cmp.Compare(p.model.Recency(b.ID), p.model.Recency(a.ID)); d != 0 {
			return d
		}
		if d := strings.Compare(strings.ToLower(a.Group), strings.ToLower(b.Group)); d != 0 {
			return d
		}
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
}

// Recency is higher the later a project was begun in the last week, 0 where it
// was not.
func (m Model) Recency(id pow.ProjectID) int64 {
	var r int64
	for _, list := range [][]pow.Entry{m.Entries, m.Past} {
		for _, e := range list {
			if e.Project.ID == id {
				r = max(r, e.From.Unix())
			}
		}
	}
	return r
}

// pastDays is how many days before today are looked at for what was done last.
const pastDays = 6

// loadPast asks once a day for the days before it.
func (p *Presenter) loadPast(day time.Time) {
	y, m, d := day.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, day.Location())
	if p.pastOf.Equal(today) {
		return
	}
	p.pastOf = today
	var past []pow.Entry
	p.async(func(ctx context.Context) error {
		for i := 1; i <= pastDays; i++ {
			list, err := p.agent.Entries(ctx, day.AddDate(0, 0, -i))
			if err != nil {
				return err
			}
			slices.Reverse(list)
			past = append(past, list...)
		}
		return nil
	}, func(err error) {
		if err != nil {
			p.pastOf = time.Time{} // it only sorts; the next list of today tries again
			return
		}
		p.model.Past = past
		p.sort()
		p.chooseDefault()
		p.show(p.model)
	})
}

// loadWeek asks how far the time of this week has come.
func (p *Presenter) loadWeek(now time.Time) {
	var days []pow.HistoryDay
	span := pow.Interval{From: weekStart(now, p.weekday), To: now}
	p.async(func(ctx context.Context) (err error) {
		days, err = p.agent.History(ctx, span)
		return err
	}, func(err error) {
		if err != nil {
			return // the sums of Status are shown all the same
		}
		p.model.Week = Week{}
		for _, d := range days {
			p.model.Week.Booked += d.Booked
			p.model.Week.Verified += d.Verified
			p.model.Week.OnTheWay += d.OnTheWay
			p.model.Week.Unregistered += d.Unregistered
		}
		p.show(p.model)
	})
}

// weekStart returns the local midnight at which the week of t began.
func weekStart(t time.Time, first time.Weekday) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d-int((t.Weekday()-first+7)%7), 0, 0, 0, 0, t.Location())
}

// loadMember asks for what the member set; without an answer there is no limit.
func (p *Presenter) loadMember() {
	var s pow.Settings
	p.async(func(ctx context.Context) (err error) {
		s, err = p.agent.Settings(ctx)
		return err
	}, func(err error) {
		if err != nil {
			return
		}
		p.weekday = time.Weekday(s.WeekStart)
		p.model.Limit = time.Duration(s.WeekLimit) * time.Second
		p.show(p.model)
	})
	p.loadTerms()
}

// loadTerms asks what the chosen project asks for. Without an answer the agent
// itself refuses to start what was not agreed to.
func (p *Presenter) loadTerms() {
	id := p.model.Chosen
	if id == "" {
		return
	}
	var t pow.Terms
	p.async(func(ctx context.Context) (err error) {
		t, err = p.agent.Terms(ctx, id)
		return err
	}, func(err error) {
		if err == nil && p.model.Chosen == id {
			p.model.Terms = t
			p.show(p.model)
		}
	})
}

// mostNotes is how many earlier notes are offered.
const mostNotes = 5

// Notes returns the last different notes of the chosen project, newest first.
func (m Model) Notes() []string {
	var notes []string
	take := func(e pow.Entry) {
		if e.Project.ID == m.Chosen && e.Note != "" && len(notes) < mostNotes && !slices.Contains(notes, e.Note) {
			notes = append(notes, e.Note)
		}
	}
	for _, e := range slices.Backward(m.Entries) {
		take(e)
	}
	for _, e := range m.Past {
		take(e)
	}
	return notes
}
