package away

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// diary writes down what a Handler is told, in seconds after noon.
type diary []string

func (d *diary) Away(since time.Time, reason string) {
	*d = append(*d, fmt.Sprintf("%s %v", reason, since.Sub(noon).Seconds()))
}
func (d *diary) Back(at time.Time) { *d = append(*d, fmt.Sprintf("back %v", at.Sub(noon).Seconds())) }
func (d *diary) Shutdown()         { *d = append(*d, "shutdown") }

func TestMachine(t *testing.T) {
	type step struct {
		at   int
		do   signal // or below
		idle int    // ≥ 0: input so many seconds ago
	}
	const none, here, unknown, jump = signal(-1), signal(-2), signal(-3), signal(-4)
	input := func(at, idle int) step { return step{at, none, idle} }
	says := func(at int, s signal) step { return step{at: at, do: s} }
	for name, c := range map[string]struct {
		after int
		steps []step
		want  []string
	}{
		"input in time":                {300, []step{input(299, 299), input(300, 1)}, nil},
		"idle since the last input":    {300, []step{input(310, 300), input(320, 310), input(400, 0)}, []string{"idle 10", "back 400"}},
		"never idle":                   {0, []step{input(9999, 9999)}, nil},
		"lock at once":                 {300, []step{says(5, locked), input(6, 0), says(60, unlocked)}, []string{"screen-locked 5", "back 60"}},
		"a password is no return":      {300, []step{says(5, locked), input(50, 0), input(51, 0)}, []string{"screen-locked 5"}},
		"lock while idle":              {300, []step{input(310, 300), says(400, locked), says(500, unlocked)}, []string{"idle 10", "screen-locked 10", "back 500"}},
		"locked twice, unlocked twice": {300, []step{says(1, locked), says(2, locked), says(3, unlocked), says(4, unlocked)}, []string{"screen-locked 1", "back 3"}},
		"sleep, then input":            {300, []step{says(5, sleeping), says(3600, woken), input(3601, 3), input(3610, 1)}, []string{"asleep 5", "back 3609"}},
		"sleep without input sources":  {300, []step{says(5, sleeping), says(3600, woken), says(3601, unknown)}, []string{"asleep 5", "back 3601"}},
		"lock, sleep, wake, unlock":    {300, []step{says(5, locked), says(6, sleeping), says(100, woken), input(101, 0), says(102, unlocked)}, []string{"screen-locked 5", "asleep 5", "back 102"}},
		"unlocked while asleep":        {300, []step{says(5, sleeping), says(6, locked), says(7, unlocked), says(90, woken), input(100, 0)}, []string{"asleep 5", "back 100"}},
		"sleep that nobody announced":  {300, []step{says(600, jump), input(601, 500), input(605, 0)}, []string{"asleep 590", "back 605"}},
		"announced, and in the clocks": {300, []step{says(5, sleeping), says(600, jump), says(600, woken), input(610, 0)}, []string{"asleep 5", "back 610"}},
		"the person says so":           {300, []step{says(5, locked), says(9, here), says(10, unlocked)}, []string{"screen-locked 5", "back 9"}},
		"a command from elsewhere":     {300, []step{says(100, here), input(110, 400), input(399, 700), input(400, 701)}, []string{"idle 100"}},
		"unlock without a lock":        {300, []step{says(5, unlocked)}, nil},
		"shutdown":                     {300, []step{says(5, shutdown)}, []string{"shutdown"}},
		"no source: present":           {300, []step{says(9999, unknown)}, nil},
	} {
		var got diary
		m := machine{handler: &got, after: time.Duration(c.after) * time.Second}
		for _, s := range c.steps {
			now := noon.Add(time.Duration(s.at) * time.Second)
			switch s.do {
			case none:
				m.input(now, time.Duration(s.idle)*time.Second, true)
			case unknown:
				m.input(now, 0, false)
			case here:
				m.here(now)
			case jump:
				m.slept(now.Add(-10*time.Second), now)
			default:
				m.signal(s.do, now)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
