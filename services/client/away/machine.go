package away

import "time"

// machine turns what the sources say into stretches of absence.
type machine struct {
	handler Handler
	after   time.Duration // of the person's settings; 0: never idle
	seen    time.Time     // when the second opinion last saw them

	away           bool
	since          time.Time
	reason         string
	locked, asleep bool
	// last is the moment after which input means that they are back.
	last time.Time
	// said is when they said to be here; it counts as input, which a command from
	// another computer is not for the sources.
	said time.Time
}

// slack is how exactly a source knows the moment of the last input.
const slack = time.Second

func (m *machine) signal(s signal, now time.Time) {
	switch s {
	case locked:
		m.locked = true
		m.leave(now, Locked)
	case unlocked:
		if m.locked {
			m.locked = false
			if !m.asleep {
				m.back(now)
			}
		}
	case sleeping:
		m.asleep = true
		m.leave(now, Asleep)
	case woken:
		m.wake(now)
	case shutdown:
		m.handler.Shutdown()
	}
}

// slept says that the computer slept without a word, between two looks.
func (m *machine) slept(from, now time.Time) {
	m.leave(from, Asleep)
	m.wake(now)
}

// wake ends sleep. Nobody needs to be there: the next input tells.
func (m *machine) wake(now time.Time) { m.asleep, m.last = false, now }

func (m *machine) here(now time.Time) {
	m.locked, m.asleep, m.said = false, false, now
	m.back(now)
}

// due tells whether so much time without input makes the person away.
func (m *machine) due(now time.Time, idle time.Duration, known bool) bool {
	return known && !m.away && m.after > 0 && min(idle, now.Sub(m.said)) >= m.after
}

// input takes how long ago the last input was. Where that is not known, a
// person is taken for present unless the screen is locked or the computer sleeps.
func (m *machine) input(now time.Time, idle time.Duration, known bool) {
	at := now.Add(-idle)
	if at.Before(m.said) {
		at = m.said
	}
	switch {
	case m.due(now, idle, known):
		m.last = at
		m.leave(at, Idle)
	case !m.away || m.locked || m.asleep:
	case !known:
		m.back(now)
	case at.After(m.last.Add(slack)):
		m.back(at)
	}
}

func (m *machine) leave(since time.Time, reason string) {
	if m.away && (m.reason == reason || m.reason != Idle && reason == Idle || m.reason == Asleep) {
		return
	}
	if !m.away {
		m.away, m.since, m.last = true, since, since
	}
	m.reason = reason
	m.handler.Away(m.since, reason)
}

func (m *machine) back(at time.Time) {
	if !m.away {
		return
	}
	m.away, m.reason = false, ""
	if at.Before(m.since) {
		at = m.since
	}
	m.handler.Back(at)
}
