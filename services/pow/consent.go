package pow

import "time"

// Demand is what a project asks of a member, every value filled in: what a
// consent is given to.
type Demand struct {
	DVM       Key
	Project   ProjectID
	Pictures  Rule   // required, optional, forbidden
	Interval  int    // seconds between pictures
	Detail    Detail // most detailed activity data that leaves
	Retention int    // days that the Sealed is kept
	Policy    Hash   // of the team's policy text
}

// What a catalogue means that leaves a value out.
const (
	DefaultInterval  = 600 // seconds
	DefaultRetention = 30  // days
)

// DemandOf is what a project of a DVM asks for, under a policy text.
func DemandOf(dvm Key, p Project, policy Hash) Demand {
	d := Demand{DVM: dvm, Project: p.ID, Pictures: p.Pictures, Interval: p.Interval, Detail: p.Detail, Retention: p.Retention, Policy: policy}
	if d.Pictures.rank() < 0 {
		d.Pictures = Optional
	}
	if d.Interval <= 0 {
		d.Interval = DefaultInterval
	}
	if d.Detail.rank() < 0 {
		d.Detail = DetailCategory
	}
	if d.Retention <= 0 {
		d.Retention = DefaultRetention
	}
	return d
}

// More tells whether d asks for anything that goes beyond what was agreed to:
// another DVM, project or policy text, pictures where there were none or none
// demanded, more of them, more detail, a longer retention.
func (d Demand) More(agreed Demand) bool {
	return d.DVM != agreed.DVM || d.Project != agreed.Project || d.Policy != agreed.Policy ||
		d.Pictures.rank() > agreed.Pictures.rank() ||
		d.Pictures != Forbidden && d.Interval < agreed.Interval ||
		d.Detail.rank() > agreed.Detail.rank() || d.Retention > agreed.Retention
}

// Bound returns a choice that lies inside of d: no picture where they are
// forbidden, one in every interval where they are required, no more detail than
// is asked for.
func (d Demand) Bound(c ProjectChoice) ProjectChoice {
	c.Project = d.Project
	switch d.Pictures {
	case Required:
		c.Pictures = true
	case Forbidden:
		c.Pictures = false
	}
	if c.Interval < MinInterval || c.Interval >= d.Interval {
		c.Interval = 0
	}
	if r := c.Detail.rank(); r < 0 || r > d.Detail.rank() {
		c.Detail = d.Detail
	}
	c.SealAfter = max(0, c.SealAfter)
	return c
}

// MinInterval is the shortest time between two pictures, in seconds.
const MinInterval = 60

// rank orders rules by how much they ask for; −1: no such rule.
func (r Rule) rank() int {
	switch r {
	case Forbidden:
		return 0
	case Optional:
		return 1
	case Required:
		return 2
	}
	return -1
}

// rank orders levels by how much they tell; −1: no such level.
func (d Detail) rank() int {
	for i, l := range []Detail{DetailOff, DetailCategory, DetailApp, DetailTitle} {
		if d == l {
			return i
		}
	}
	return -1
}

// Least returns the level that tells less.
func (d Detail) Least(o Detail) Detail {
	if o.rank() < d.rank() {
		return o
	}
	return d
}

// Agreement is a member's signed consent to a Demand, with the choice made
// inside of it. It travels inside archives only.
type Agreement struct {
	ID        Hash // of the signed event
	Author    Key  // the member's identity, which signed
	Demand    Demand
	Catalogue int  // revision that the Demand comes from
	Terms     Hash // of the Demand in canonical form: what the person saw
	Choice    ProjectChoice
	At        time.Time
}
