package pow_test

import (
	"testing"

	"pow.do/services/pow"
)

func TestAskingForMore(t *testing.T) {
	agreed := pow.Demand{DVM: pow.Key{1}, Project: "3f6c1d2e9a0b4c5d", Pictures: pow.Optional, Interval: 600, Detail: pow.DetailApp, Retention: 30, Policy: pow.Hash{1}}
	for name, c := range map[string]struct {
		change func(*pow.Demand)
		more   bool
	}{
		"the same":            {func(*pow.Demand) {}, false},
		"pictures required":   {func(d *pow.Demand) { d.Pictures = pow.Required }, true},
		"pictures forbidden":  {func(d *pow.Demand) { d.Pictures = pow.Forbidden }, false},
		"shorter interval":    {func(d *pow.Demand) { d.Interval = 599 }, true},
		"longer interval":     {func(d *pow.Demand) { d.Interval = 1200 }, false},
		"shorter, no picture": {func(d *pow.Demand) { d.Pictures, d.Interval = pow.Forbidden, 60 }, false},
		"titles":              {func(d *pow.Demand) { d.Detail = pow.DetailTitle }, true},
		"no activity":         {func(d *pow.Demand) { d.Detail = pow.DetailOff }, false},
		"longer retention":    {func(d *pow.Demand) { d.Retention = 31 }, true},
		"shorter retention":   {func(d *pow.Demand) { d.Retention = 7 }, false},
		"another text":        {func(d *pow.Demand) { d.Policy = pow.Hash{2} }, true},
		"another server":      {func(d *pow.Demand) { d.DVM = pow.Key{2} }, true},
		"another project":     {func(d *pow.Demand) { d.Project = "a90cc1e04b7d2f18" }, true},
	} {
		d := agreed
		c.change(&d)
		if got := d.More(agreed); got != c.more {
			t.Errorf("%s: %v", name, got)
		}
	}
	d := pow.DemandOf(pow.Key{1}, pow.Project{ID: "3f6c1d2e9a0b4c5d"}, pow.Hash{})
	if d.Pictures != pow.Optional || d.Interval != 600 || d.Detail != pow.DetailCategory || d.Retention != 30 {
		t.Errorf("left out: %+v", d)
	}
}

func TestChoicesStayInside(t *testing.T) {
	for name, c := range map[string]struct {
		demand       pow.Rule
		choice, want pow.ProjectChoice
	}{
		"required":  {pow.Required, pow.ProjectChoice{Interval: 120}, pow.ProjectChoice{Pictures: true, Interval: 120, Detail: pow.DetailCategory}},
		"forbidden": {pow.Forbidden, pow.ProjectChoice{Pictures: true}, pow.ProjectChoice{Detail: pow.DetailCategory}},
		"optional":  {pow.Optional, pow.ProjectChoice{Pictures: true, Detail: pow.DetailOff}, pow.ProjectChoice{Pictures: true, Detail: pow.DetailOff}},
		"too much":  {pow.Optional, pow.ProjectChoice{Interval: 601, Detail: pow.DetailTitle, SealAfter: -1}, pow.ProjectChoice{Detail: pow.DetailCategory}},
		"too fast":  {pow.Optional, pow.ProjectChoice{Interval: 5, Detail: "all"}, pow.ProjectChoice{Detail: pow.DetailCategory}},
	} {
		got := pow.Demand{Pictures: c.demand, Interval: 600, Detail: pow.DetailCategory}.Bound(c.choice)
		if got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if pow.DetailTitle.Least(pow.DetailCategory) != pow.DetailCategory || pow.DetailOff.Least(pow.DetailApp) != pow.DetailOff {
		t.Error("Least")
	}
}
