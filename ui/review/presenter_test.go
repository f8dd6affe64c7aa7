package review_test

import (
	"errors"
	"image"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/ui/review"
)

// bare is a presenter without a page.
type bare struct {
	*review.Presenter
	agent *agent
	later later
	did   []review.Did
	came  []string
	drawn int
}

func newBare(a *agent) *bare {
	b := &bare{agent: a}
	b.Presenter = review.NewPresenter(review.Config{Agent: a, Async: b.later.async, Now: clock},
		func(review.Model) { b.drawn++ }, func(id string) { b.came = append(b.came, id) }, func(d review.Did) { b.did = append(b.did, d) })
	b.Room(640, 360)
	b.Update(pow.Status{Held: 9, Setup: pow.Setup{Team: true}})
	b.Visible(true)
	b.later.run()
	return b
}

func all(a *agent) (keys []string) {
	for _, p := range a.list {
		keys = append(keys, review.Key(p))
	}
	return keys
}

// An act concerns only what it can be done to, whatever was selected.
func TestActs(t *testing.T) {
	open := "C1,C2,C3,C4,C5,C6,C7,C8,C13"
	for _, c := range []struct {
		name string
		do   func(*bare)
		want []string
		did  review.Act
	}{
		{"approve", func(b *bare) { b.Approve(all(b.agent)) }, []string{"approve " + open}, review.Approved},
		{"black out", func(b *bare) { b.Cover(all(b.agent), pow.EditRedact) }, []string{"edit " + open}, review.Redacted},
		{"blur", func(b *bare) { b.Cover([]string{"C1"}, pow.EditBlur) }, []string{"edit C1"}, review.Blurred},
		{"nothing to approve", func(b *bare) { b.Approve([]string{"C9", "C10", "C11", "C12"}) }, nil, ""},
		{"nothing to remove", func(b *bare) { b.AskRemove([]string{"C10", "C11"}); b.later.run(); b.Remove() }, nil, ""},
		{"remove", func(b *bare) { b.AskRemove([]string{"C1", "C11", "C12"}); b.later.run(); b.Remove() }, []string{"remove C1,C12"}, review.Removed},
		{"undo the last act", func(b *bare) {
			b.Cover([]string{"C1"}, pow.EditBlur)
			b.later.run()
			b.Cover([]string{"C2"}, pow.EditBlur)
			b.later.run()
			b.Undo([]string{"C1"})
		}, []string{"edit C1", "edit C2", "undo C2"}, review.Undone},
		{"undo what was done earlier", func(b *bare) { b.Undo([]string{"C1", "C5", "C9"}) }, []string{"undo C5,C9"}, review.Undone},
		{"nothing to undo", func(b *bare) { b.Undo([]string{"C1"}) }, nil, ""},
		{"undo from the snackbar", func(b *bare) {
			b.Cover([]string{"C1"}, pow.EditBlur)
			b.later.run()
			b.did[0].Undo()
			b.later.run()
			b.Undo(nil) // it is undone already
		}, []string{"edit C1", "undo C1"}, review.Undone},
	} {
		b := newBare(busyDay())
		c.do(b)
		b.later.run()
		if diff := cmp.Diff(c.want, b.agent.calls); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if n := len(b.did); c.did != "" && (n == 0 || b.did[n-1].Act != c.did) || c.did == "" && n > 0 {
			t.Errorf("%s: told %+v", c.name, b.did)
		}
	}
}

// Edits apply in order, so one waits for the other.
func TestEditsKeepTheirOrder(t *testing.T) {
	b := newBare(busyDay())
	b.Open("C1")
	b.later.run()
	b.Area(image.Rect(1, 2, 11, 22))
	b.Area(image.Rect(3, 4, 13, 24))
	if len(b.later.work) != 1 || !b.Model().Busy {
		t.Fatalf("%d steps at once", len(b.later.work))
	}
	b.later.run()
	want := []pow.Edit{{Kind: pow.EditRedact, Rect: pow.Rect{X: 1, Y: 2, W: 10, H: 20}}, {Kind: pow.EditRedact, Rect: pow.Rect{X: 3, Y: 4, W: 10, H: 20}}}
	var got []pow.Edit
	for _, e := range b.agent.edits {
		got = append(got, e.Edits...)
	}
	if diff := cmp.Diff(want, got); diff != "" || b.Model().Busy {
		t.Error(diff)
	}
}

func TestAFailureIsShownAndTheNextStepGoesOn(t *testing.T) {
	a := busyDay()
	a.wrong = errors.New("no")
	b := newBare(a)
	b.Approve([]string{"C1"})
	b.later.run()
	if m := b.Model(); !errors.Is(m.Err, a.wrong) || m.Busy {
		t.Errorf("err %v, busy %v", m.Err, m.Busy)
	}
	if len(b.did) != 0 {
		t.Error("told as done")
	}
	a.wrong = nil
	b.Approve([]string{"C1"})
	b.later.run()
	if m := b.Model(); m.Err != nil || len(b.did) != 1 {
		t.Errorf("err %v, told %+v", m.Err, b.did)
	}
}

// Nothing is removed before its effect was shown.
func TestRemoveOnlyAfterItsEffect(t *testing.T) {
	b := newBare(busyDay())
	b.AskRemove([]string{"C1"})
	b.Remove()
	b.later.run()
	r := b.Model().Removing
	if len(b.agent.calls) != 0 || r == nil || !r.Known || !r.KeepTime || r.Keep.UnverifiedSeconds != 600 || r.Lose.LostSeconds != 600 {
		t.Fatalf("calls %v, %+v", b.agent.calls, r)
	}
	b.ChooseTime(false)
	b.Remove()
	b.Remove()
	b.later.run()
	want := []pow.RemoveRequest{{IDs: []string{"C1"}, KeepTime: true, DryRun: true}, {IDs: []string{"C1"}, DryRun: true}, {IDs: []string{"C1"}}}
	if diff := cmp.Diff(want, b.agent.removes); diff != "" || b.Model().Removing != nil {
		t.Error(diff)
	}
}

func TestRemoveThatFails(t *testing.T) {
	a := busyDay()
	a.wrong = errors.New("no")
	b := newBare(a)
	b.AskRemove([]string{"C1"})
	b.later.run()
	b.Remove()
	b.later.run()
	if r := b.Model().Removing; r == nil || r.Known || r.Err == nil || len(a.calls) != 0 {
		t.Fatalf("after a dry run that failed: %+v, %v", r, a.calls)
	}
	b.Leave()
	a.wrong = nil
	b.AskRemove([]string{"C1"})
	b.later.run()
	a.wrong = errors.New("no")
	b.Remove()
	b.later.run()
	if r := b.Model().Removing; r == nil || r.Busy || r.Err == nil {
		t.Errorf("after a removal that failed: %+v", r)
	}
}

// A picture that is out already has only its time left to decide.
func TestRemoveTheTimeOnly(t *testing.T) {
	b := newBare(busyDay())
	b.AskRemove([]string{"C9"})
	b.later.run()
	b.ChooseTime(true)
	if r := b.Model().Removing; !r.TimeOnly || r.KeepTime {
		t.Errorf("%+v", r)
	}
}

func TestDays(t *testing.T) {
	b := newBare(busyDay())
	b.Later()
	if len(b.agent.days) != 1 || !b.Model().Today {
		t.Errorf("asked %v", b.agent.days)
	}
	b.Earlier()
	if m := b.Model(); m.Today || m.Known || m.Pictures != nil {
		t.Error("shows the pictures of another day")
	}
	work := b.later.work // of yesterday
	b.later.work = nil
	b.Later()
	b.later.run()
	b.later.work = work
	b.later.run()
	if m := b.Model(); !m.Today || len(m.Pictures) != len(b.agent.list) {
		t.Errorf("an old answer took the place of the newest: %d pictures", len(m.Pictures))
	}
}

func TestAHiddenPageAsksNothing(t *testing.T) {
	b := newBare(busyDay())
	b.Open("C1")
	b.later.run()
	b.Visible(false)
	if b.Model().Look.Image != nil {
		t.Error("keeps a large picture while hidden")
	}
	before := len(b.agent.days)
	b.Update(pow.Status{Held: 12})
	b.later.run()
	if len(b.agent.days) != before {
		t.Error("asked while hidden")
	}
	b.Visible(true)
	b.later.run()
	if len(b.agent.days) != before+1 || b.Model().Look == nil || b.Model().Look.Image == nil {
		t.Error("does not come back to where it was")
	}
}

// Locking forgets everything that was decoded.
func TestLockForgets(t *testing.T) {
	b := newBare(busyDay())
	b.Thumb("C1")
	b.Open("C1")
	b.later.run()
	s := b.Model().Status
	s.Setup.Locked = true
	b.Update(s)
	if m := b.Model(); m.Look != nil || m.Pictures != nil || m.Rows != nil || b.Thumb("C1") != nil {
		t.Error("something is left")
	}
	s.Setup.Locked = false
	b.Update(s)
	b.later.run()
	if !b.Model().Known {
		t.Error("does not come back")
	}
}

func TestAppTimes(t *testing.T) {
	a := busyDay()
	a.rows[2].LeftOut, a.rows[2].Rule = true, "KeePassXC"
	a.rows[1].LeftOut = true
	b := newBare(a)
	rows := b.Model().Rows
	b.LeaveOut(rows[0])
	b.LeaveOut(rows[1])
	b.LeaveOut(rows[2])
	b.LeaveOutApp("Firefox", true)
	b.later.run()
	b.did[0].Undo()
	b.later.run()
	want := []pow.LeaveOut{
		{IDs: []string{"R1"}}, {IDs: []string{"R2"}, Back: true}, {App: "KeePassXC", Back: true},
		{App: "Firefox", Titles: true}, {App: "Firefox", Titles: true, Back: true},
	}
	if diff := cmp.Diff(want, a.outs); diff != "" {
		t.Error(diff)
	}
}

func TestThumbs(t *testing.T) {
	b := newBare(busyDay())
	ids := make([]string, 120)
	for i := range ids {
		ids[i] = string(rune('A'+i%26)) + string(rune('a'+i/26))
	}
	for _, id := range ids[:40] {
		b.Thumb(id)
		b.Thumb(id)
	}
	if len(b.later.work) != 2 {
		t.Errorf("%d fetches at once, want 2", len(b.later.work))
	}
	b.later.run()
	if len(b.came) != 40 || b.came[2] != ids[39] {
		t.Errorf("%d came, the third %v: what was wanted last is in sight", len(b.came), b.came[2])
	}
	for _, id := range ids {
		b.Thumb(id)
		b.later.run()
	}
	kept := 0
	for i := len(ids) - 1; i >= 0 && b.Thumb(ids[i]) != nil; i-- {
		kept++
	}
	if kept != 96 {
		t.Errorf("%d decoded thumbnails are kept, want 96", kept)
	}
}

// A thumbnail that was on its way while its picture was blacked out is old.
func TestAnOldThumbnailIsNotShown(t *testing.T) {
	b := newBare(busyDay())
	b.Thumb("C1")
	fetch := b.later.work
	b.later.work = nil
	b.Cover([]string{"C1"}, pow.EditRedact)
	b.later.run()
	b.later.work = fetch
	b.later.work[0]()
	b.later.work = b.later.work[1:]
	if b.Thumb("C1") != nil {
		t.Error("shows what was there before it was blacked out")
	}
	b.later.run()
	if b.Thumb("C1") == nil {
		t.Error("is not fetched again")
	}
}

func TestCounts(t *testing.T) {
	b := newBare(busyDay())
	want := review.Counts{Waiting: 9, Held: 8, Approved: 1, Edited: 1, Removed: 2, Skipped: 1, Sealed: 1}
	if diff := cmp.Diff(want, b.Counts()); diff != "" {
		t.Error(diff)
	}
	b.SetFilter(kiosk.ID)
	if c := b.Counts(); c.Held != 2 || c.Edited != 0 {
		t.Errorf("of one project: %+v", c)
	}
}

func TestSealsAt(t *testing.T) {
	a := busyDay()
	a.list[3].SealsAt, a.list[1].SealsAt = clock().Add(time.Hour), clock().Add(time.Minute)
	b := newBare(a)
	if got := b.Model().SealsAt(); !got.Equal(clock().Add(time.Minute)) {
		t.Errorf("%v", got)
	}
	if b.SetFilter(kiosk.ID); !b.Model().SealsAt().IsZero() {
		t.Error("counts down for another project")
	}
}

func TestTheDayFollowsWhatHappens(t *testing.T) {
	b := newBare(busyDay())
	asked := func(f func(*pow.Status)) bool {
		before := len(b.agent.days)
		s := b.Model().Status
		f(&s)
		b.Update(s)
		b.later.run()
		return len(b.agent.days) > before
	}
	for name, c := range map[string]struct {
		edit func(*pow.Status)
		want bool
	}{
		"the clock goes on":    {func(s *pow.Status) { s.Timer.Elapsed++; s.HeldSeconds++ }, false},
		"a new picture":        {func(s *pow.Status) { s.LastCapture = &pow.CaptureInfo{ID: "C20"} }, true},
		"more waits":           {func(s *pow.Status) { s.Held++ }, true},
		"something was sealed": {func(s *pow.Status) { s.Outbox = map[pow.State]int{pow.Queued: 1} }, true},
	} {
		if got := asked(c.edit); got != c.want {
			t.Errorf("%s: asked %v", name, got)
		}
	}
}

// Thumbnails are kept as large as they are drawn, and made anew for more room.
func TestThumbsFitTheirRoom(t *testing.T) {
	b := newBare(busyDay())
	size := func() image.Point {
		b.Thumb("C1")
		b.later.run()
		return b.Thumb("C1").Bounds().Size()
	}
	for _, c := range []struct{ room, want image.Point }{
		{image.Pt(400, 400), image.Pt(320, 180)},
		{image.Pt(160, 90), image.Pt(320, 180)}, // there already
		{image.Pt(170, 90), image.Pt(160, 90)},
		{image.Pt(170, 100), image.Pt(170, 95)},
		{image.Pt(170, 101), image.Pt(170, 95)},
	} {
		b.ThumbRoom(c.room.X, c.room.Y)
		if got := size(); got != c.want {
			t.Errorf("room %v: %v, want %v", c.room, got, c.want)
		}
	}
}

// A project whose work shows in app times only can be chosen too.
func TestProjects(t *testing.T) {
	a := busyDay()
	a.list = a.list[:1]
	a.rows[1].Project = kiosk
	b := newBare(a)
	if diff := cmp.Diff([]pow.ProjectRef{website, kiosk}, b.Model().Projects); diff != "" {
		t.Error(diff)
	}
	b.SetFilter(kiosk.ID)
	if m := b.Model(); len(m.Shown()) != 0 || len(m.ShownRows()) != 1 {
		t.Errorf("%d pictures, %d rows", len(m.Shown()), len(m.ShownRows()))
	}
}

// While the timer runs a status comes every second; it is drawn when it shows.
func TestOnlyWhatShowsIsDrawn(t *testing.T) {
	b := newBare(busyDay())
	for _, c := range []struct {
		name string
		edit func(*pow.Status)
		want int
	}{
		{"a second", func(s *pow.Status) { s.HeldSeconds++ }, 0},
		{"a minute", func(s *pow.Status) { s.HeldSeconds += 60 }, 1},
		{"the team", func(s *pow.Status) { s.Team = "Studio Nord" }, 1},
	} {
		s := b.Model().Status
		c.edit(&s)
		b.drawn = 0
		if b.Update(s); b.drawn != c.want {
			t.Errorf("%s: drawn %d times, want %d", c.name, b.drawn, c.want)
		}
	}
	b.Lose()
	b.drawn = 0
	if b.Update(b.Model().Status); b.drawn != 1 {
		t.Error("stays greyed after the agent came back")
	}
}

// A day that could not be read is read again, and the words about it go then.
func TestADayThatCannotBeRead(t *testing.T) {
	a := busyDay()
	a.broken = errors.New("no")
	b := newBare(a)
	if m := b.Model(); !errors.Is(m.Err, a.broken) || m.Known {
		t.Errorf("err %v", m.Err)
	}
	a.broken = nil
	b.Update(pow.Status{Held: 12})
	b.later.run()
	if m := b.Model(); m.Err != nil || !m.Known {
		t.Errorf("err %v", m.Err)
	}
}
