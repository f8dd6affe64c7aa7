package review_test

import (
	"crypto/rand"
	"errors"
	"image"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/ui/review"
)

// What the large view asks for: at the size of the view, whole at 1:1, and the
// original only for comparing.
func TestLookRequests(t *testing.T) {
	b := newBare(busyDay())
	b.Open("C5")
	b.later.run()
	b.Compare()
	b.later.run()
	b.Compare()
	b.later.run()
	b.Zoom()
	b.later.run()
	if l := b.Model().Look; !l.Whole || l.Pixels != image.Pt(1280, 720) || l.Image.Bounds().Size() != l.Pixels {
		t.Errorf("1:1 shows %v for %v", l.Image.Bounds(), l.Pixels)
	}
	b.Zoom()
	b.later.run()
	if l := b.Model().Look; l.Whole || l.Image.Bounds().Dx() >= 1280 || l.Pixels != image.Pt(1280, 720) {
		t.Errorf("shows %v for %v", l.Image.Bounds(), l.Pixels)
	}
	b.Room(600, 300) // smaller: what is there is enough
	b.Room(1000, 700)
	b.later.run()
	small := pow.PictureRequest{ID: "C5", MaxWidth: 640, MaxHeight: 480}
	before, whole, large := small, pow.PictureRequest{ID: "C5"}, small
	before.Original = true
	large.MaxWidth, large.MaxHeight = 1120, 800
	if diff := cmp.Diff([]pow.PictureRequest{small, before, small, whole, small, large}, b.agent.requests); diff != "" {
		t.Error(diff)
	}
}

func TestLookShowsNothingOld(t *testing.T) {
	b := newBare(busyDay())
	b.Open("C1")
	b.later.run()
	b.Turn(1)
	if b.Model().Look.Image != nil {
		t.Error("shows the last picture as the next")
	}
	b.Turn(1)
	b.Turn(1)
	if len(b.later.work) != 1 {
		t.Errorf("%d pictures on their way at once", len(b.later.work))
	}
	first := b.later.work[0]
	b.later.work = b.later.work[1:]
	first()
	if b.Model().Look.Image != nil {
		t.Error("an old answer is shown as the newest")
	}
	b.later.run()
	if l := b.Model().Look; l.Picture.ID != "C4" || l.Image == nil || len(b.agent.requests) != 3 {
		t.Errorf("at %s after %d requests", l.Picture.ID, len(b.agent.requests))
	}
	b.Area(image.Rect(0, 0, 10, 10))
	work := b.later.work
	b.later.work = nil
	work[0]() // the edit is done, its bytes are not here yet
	if b.Model().Look.Image != nil {
		t.Error("still shows what was blacked out")
	}
}

func TestLookThatCannotBeRead(t *testing.T) {
	a := busyDay()
	b := newBare(a)
	b.Open("C12")
	b.later.run()
	if len(a.requests) != 0 {
		t.Error("asked for a picture that is known to be damaged")
	}
	b.Turn(-1)
	a.unread = errors.New("no")
	b.later.run()
	if l := b.Model().Look; l.Err == nil || l.Image != nil {
		t.Errorf("err %v", l.Err)
	}
}

func TestLookGoesThroughWhatCanBeSeen(t *testing.T) {
	b := newBare(busyDay())
	b.SetFilter(website.ID)
	b.Open("C5")
	b.Turn(1) // over the skipped one
	if l := b.Model().Look; l.Picture.ID != "C6" || l.At != 6 || l.Of != 8 {
		t.Errorf("%s, %d of %d", l.Picture.ID, l.At, l.Of)
	}
	b.Turn(2)
	b.Turn(1)
	if id := b.Model().Look.Picture.ID; id != "C8" {
		t.Errorf("went over the end to %s", id)
	}
	b.Open("nothing")
	if id := b.Model().Look.Picture.ID; id != "C8" {
		t.Errorf("went to %s", id)
	}
}

func TestTools(t *testing.T) {
	rect := image.Rect(1, 2, 4, 6)
	area := pow.Rect{X: 1, Y: 2, W: 3, H: 4}
	for _, c := range []struct {
		name string
		id   string
		do   func(*bare)
		want []pow.Edit
	}{
		{"drag", "C1", func(b *bare) { b.Area(rect) }, []pow.Edit{{Kind: pow.EditRedact, Rect: area}}},
		{"blur an area", "C1", func(b *bare) { b.Arm(pow.EditBlur); b.Area(rect) }, []pow.Edit{{Kind: pow.EditBlur, Rect: area}}},
		{"blur twice", "C1", func(b *bare) { b.Arm(pow.EditBlur); b.Arm(pow.EditBlur) }, []pow.Edit{{Kind: pow.EditBlur}}},
		{"blur, then black", "C1", func(b *bare) { b.Arm(pow.EditBlur); b.Arm(pow.EditRedact); b.Area(rect) }, []pow.Edit{{Kind: pow.EditRedact, Rect: area}}},
		{"left again", "C1", func(b *bare) { b.Arm(pow.EditBlur); b.Disarm(); b.Area(rect) }, []pow.Edit{{Kind: pow.EditRedact, Rect: area}}},
		{"not on the original", "C5", func(b *bare) { b.Compare(); b.Area(rect) }, nil},
		{"a tool leaves the original", "C5", func(b *bare) { b.Compare(); b.Arm(pow.EditRedact); b.Area(rect) }, []pow.Edit{{Kind: pow.EditRedact, Rect: area}}},
		{"crop", "C13", func(b *bare) { b.Crop() }, []pow.Edit{{Kind: pow.EditCrop}}},
		{"crop to nothing known", "C1", func(b *bare) { b.Crop() }, nil},
		{"sealed", "C11", func(b *bare) { b.Arm(pow.EditBlur); b.Area(rect); b.Crop() }, nil},
	} {
		b := newBare(busyDay())
		b.Open(c.id)
		b.later.run()
		c.do(b)
		b.later.run()
		var got []pow.Edit
		for _, e := range b.agent.edits {
			got = append(got, e.Edits...)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// A monitor can be left out as long as another one of the moment stays.
func TestLeaveMonitor(t *testing.T) {
	b := newBare(busyDay())
	b.Open("C1")
	b.LeaveMonitor()
	b.Open("C2")
	b.LeaveMonitor()
	b.later.run()
	b.Open("C3")
	b.LeaveMonitor()
	b.later.run()
	if diff := cmp.Diff([]pow.RemoveRequest{{IDs: []string{"C2"}, KeepTime: true}}, b.agent.removes); diff != "" {
		t.Error(diff)
	}
	if b.did[0].Act != review.Monitor || b.did[0].Undo == nil {
		t.Errorf("told %+v", b.did)
	}
}

func TestApproveGoesOn(t *testing.T) {
	b := newBare(busyDay())
	b.Open("C1")
	b.ApproveLook()
	b.later.run()
	if got := b.Model().Look.Picture.ID; got != "C2" || b.agent.calls[0] != "approve C1" {
		t.Errorf("at %s after %v", got, b.agent.calls)
	}
}

// Undo in the large view is about the picture in it.
func TestUndoInTheLargeView(t *testing.T) {
	b := newBare(busyDay())
	b.Cover([]string{"C1"}, pow.EditBlur)
	b.later.run()
	b.Open("C5")
	b.Undo([]string{"C5"})
	b.later.run()
	if diff := cmp.Diff([]string{"edit C1", "undo C5"}, b.agent.calls); diff != "" {
		t.Error(diff)
	}
}

func TestOpenPictureOfAnyDay(t *testing.T) {
	a := busyDay()
	id, err := pow.NewULID(at(9, 4), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.list[0].ID = id
	b := newBare(a)
	b.SetFilter(kiosk.ID)
	b.SetDay(clock().AddDate(0, 0, -3))
	b.later.run()
	b.OpenPicture(id)
	b.later.run()
	if m := b.Model(); m.Look == nil || m.Look.Picture.ID != id || !m.Today {
		t.Errorf("day %v, look %+v", m.Day, m.Look)
	}
	b.Close()
	for _, id := range []string{"", "C1", "U0000000000000000000000000"} {
		b.OpenPicture(id)
		b.later.run()
	}
	if d := b.Model().Day; d.Before(clock().Add(-48 * time.Hour)) {
		t.Errorf("went to %v", d)
	}
}

// The toast may name a picture that the page has not heard of yet.
func TestOpenPictureThatIsNew(t *testing.T) {
	b := newBare(busyDay())
	b.agent.list = append(b.agent.list, picture("C20", 16, 30, website, pow.PictureHeld))
	b.OpenPicture("C20")
	b.later.run()
	if l := b.Model().Look; l == nil || l.Picture.ID != "C20" || l.Image == nil {
		t.Errorf("%+v", l)
	}
	b.Visible(false)
	b.Close()
	b.agent.list = append(b.agent.list, picture("C21", 16, 31, website, pow.PictureHeld))
	b.OpenPicture("C21") // before the window shows the page
	b.Visible(true)
	b.later.run()
	if l := b.Model().Look; l == nil || l.Picture.ID != "C21" {
		t.Errorf("%+v", l)
	}
}
