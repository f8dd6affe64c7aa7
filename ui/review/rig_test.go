package review_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"pow.do/services/pow"
	"pow.do/ui/review"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

const npub = "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2"

// clock is the moment of every test: Friday, 20 November 2026, 16:34:07.
func clock() time.Time { return time.Date(2026, 11, 20, 16, 34, 7, 0, time.Local) }

func at(hour, minute int) time.Time { return time.Date(2026, 11, 20, hour, minute, 12, 0, time.Local) }

var (
	website = pow.ProjectRef{ID: "00000000000000a1", Name: "Website relaunch", Group: "Acme GmbH"}
	kiosk   = pow.ProjectRef{ID: "00000000000000a6", Name: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord", Group: "Nordbahn"}
)

// agent is a fake of fields and functions; it does what it is told to its list.
type agent struct {
	list     []pow.Picture
	rows     []pow.AppTime
	terms    pow.Terms
	preview  pow.Preview
	effects  map[bool]pow.Effect // by KeepTime
	calls    []string
	requests []pow.PictureRequest
	edits    []pow.EditRequest
	removes  []pow.RemoveRequest
	outs     []pow.LeaveOut
	days     []time.Time
	wrong    error // what every act answers with
	broken   error // what Pictures answers with
	unread   error // what Picture answers with
}

func (a *agent) Pictures(_ context.Context, day time.Time) ([]pow.Picture, error) {
	a.days = append(a.days, day)
	if !day.Equal(time.Date(2026, 11, 20, 0, 0, 0, 0, time.Local)) {
		return nil, a.broken
	}
	return slices.Clone(a.list), a.broken
}

func (a *agent) AppTimes(_ context.Context, day time.Time) ([]pow.AppTime, error) {
	return slices.Clone(a.rows), a.broken
}

func (a *agent) Terms(context.Context, pow.ProjectID) (pow.Terms, error) { return a.terms, nil }

func (a *agent) Thumbnail(_ context.Context, id string) ([]byte, error) {
	return shot(id, 320, 180), nil
}

func (a *agent) Picture(_ context.Context, r pow.PictureRequest) ([]byte, error) {
	a.requests = append(a.requests, r)
	w, h := 1280, 720
	if r.MaxWidth > 0 {
		s := min(float64(r.MaxWidth)/1280, float64(r.MaxHeight)/720, 1)
		w, h = int(1280*s), int(720*s)
	}
	return shot(r.ID, w, h), a.unread
}

func (a *agent) set(ids []string, f func(*pow.Picture)) {
	for i := range a.list {
		if slices.Contains(ids, a.list[i].ID) {
			f(&a.list[i])
		}
	}
}

func (a *agent) note(act string, ids []string) {
	a.calls = append(a.calls, act+" "+strings.Join(ids, ","))
}

func (a *agent) Edit(_ context.Context, r pow.EditRequest) error {
	a.note("edit", r.IDs)
	a.edits = append(a.edits, r)
	if a.wrong == nil {
		a.set(r.IDs, func(p *pow.Picture) { p.State, p.Areas, p.Covered, p.Undo = pow.PictureEdited, p.Areas+1, 90, true })
	}
	return a.wrong
}

func (a *agent) Approve(_ context.Context, ids []string) error {
	a.note("approve", ids)
	if a.wrong == nil {
		a.set(ids, func(p *pow.Picture) { p.State = pow.PictureApproved })
	}
	return a.wrong
}

func (a *agent) Undo(_ context.Context, ids []string) error {
	a.note("undo", ids)
	if a.wrong == nil {
		a.set(ids, func(p *pow.Picture) { p.State, p.Areas, p.Covered, p.Undo = pow.PictureHeld, 0, 0, false })
	}
	return a.wrong
}

func (a *agent) Remove(_ context.Context, r pow.RemoveRequest) (pow.Effect, error) {
	a.removes = append(a.removes, r)
	if !r.DryRun {
		a.note("remove", r.IDs)
		if a.wrong == nil {
			a.set(r.IDs, func(p *pow.Picture) {
				p.State, p.Undo = pow.TimeRemoved, true
				if r.KeepTime {
					p.State = pow.PictureRemoved
				}
			})
		}
	}
	return a.effects[r.KeepTime], a.wrong
}

func (a *agent) LeaveOut(_ context.Context, r pow.LeaveOut) error {
	a.outs = append(a.outs, r)
	for i := range a.rows {
		if slices.Contains(r.IDs, a.rows[i].ID) {
			a.rows[i].LeftOut = !r.Back
		}
	}
	return a.wrong
}

func (a *agent) Preview(context.Context) (pow.Preview, error) { return a.preview, nil }

// shots keeps what was drawn: most tests look at the same few pictures.
var shots = map[string][]byte{}

// shot is a JPEG of something like a desktop, another for every id.
func shot(id string, w, h int) []byte {
	key := fmt.Sprint(id, w, h)
	if shots[key] == nil {
		shots[key] = drawShot(id, w, h)
	}
	return shots[key]
}

func drawShot(id string, w, h int) []byte {
	n := 0
	for _, c := range id {
		n = n*7 + int(c)
	}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	fill := func(x, y, r, b float64, c color.RGBA) {
		at := image.Rect(int(x*float64(w)), int(y*float64(h)), int(r*float64(w)), int(b*float64(h)))
		draw.Draw(m, at, image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(0, 0, 1, 1, color.RGBA{uint8(40 + 23*n%90), uint8(70 + 31*n%80), uint8(110 + 17*n%90), 255})
	x, y := 0.05+float64(n%7)*0.02, 0.08+float64(n%5)*0.02
	fill(x, y, x+0.62, y+0.72, color.RGBA{245, 246, 248, 255})
	fill(x, y, x+0.62, y+0.06, color.RGBA{200, 206, 214, 255})
	for i := range 8 {
		top := y + 0.11 + 0.07*float64(i)
		fill(x+0.03, top, x+0.1+0.05*float64((n+3*i)%10), top+0.025, color.RGBA{120, 130, 142, 255})
	}
	fill(0.6, 0.5, 0.94, 0.9, color.RGBA{30, 36, 44, 255})
	for i := range 5 {
		fill(0.62, 0.54+0.06*float64(i), 0.68+0.04*float64((n+i)%6), 0.56+0.06*float64(i), color.RGBA{102, 209, 140, 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func picture(id string, hour, minute int, p pow.ProjectRef, state pow.PictureState) pow.Picture {
	return pow.Picture{
		CaptureInfo: pow.CaptureInfo{ID: id, At: at(hour, minute), Width: 1280, Height: 720, Size: 214_000, Format: "png"},
		Session:     "S1", Project: p, State: state,
	}
}

// busyDay has a picture of every state.
func busyDay() *agent {
	two := picture("C3", 9, 17, website, pow.PictureHeld)
	two.Display = 1
	edited := picture("C5", 9, 33, website, pow.PictureEdited)
	edited.Areas, edited.Covered, edited.Undo = 2, 90, true
	skipped := picture("", 9, 41, website, pow.PictureSkipped)
	skipped.Reason = pow.SkipApp
	removed := picture("C9", 10, 2, kiosk, pow.PictureRemoved)
	removed.Undo = true
	gone := picture("C10", 10, 13, kiosk, pow.TimeRemoved)
	broken := picture("C12", 10, 34, kiosk, pow.PictureHeld)
	broken.Damaged = true
	windowed := picture("C13", 10, 44, kiosk, pow.PictureHeld)
	windowed.Window, windowed.Again = pow.Rect{X: 100, Y: 60, W: 800, H: 520}, 3
	return &agent{
		list: []pow.Picture{
			picture("C1", 9, 4, website, pow.PictureHeld), picture("C2", 9, 17, website, pow.PictureHeld), two,
			picture("C4", 9, 24, website, pow.PictureApproved), edited, skipped,
			picture("C6", 9, 51, website, pow.PictureHeld), picture("C7", 9, 53, website, pow.PictureHeld), picture("C8", 9, 58, website, pow.PictureHeld),
			removed, gone, picture("C11", 10, 25, kiosk, pow.PictureSealed), broken, windowed,
		},
		rows: []pow.AppTime{
			row("R1", 9, 2, 9, 15, "Firefox", "Acme – Pull request 12"), row("R2", 9, 15, 9, 21, "Code", "header.tsx"),
			row("R3", 9, 21, 9, 22, "KeePassXC", ""), row("R4", 9, 22, 9, 50, "Code", "footer.tsx"),
		},
		preview: pow.Preview{Team: "Studio Nord", DVMNpub: npub, Recipient: "5f0c2a9112345678", Retention: 30},
		effects: map[bool]pow.Effect{
			true:  {Pictures: 1, UnverifiedSeconds: 600, Confirm: true},
			false: {Pictures: 1, LostSeconds: 600, Lost: []pow.Interval{{From: at(9, 10).Truncate(time.Minute), To: at(9, 20).Truncate(time.Minute)}}},
		},
	}
}

func row(id string, fromHour, fromMinute, toHour, toMinute int, app, title string) pow.AppTime {
	return pow.AppTime{ID: id, Session: "S1", Project: website, ActivityRow: pow.ActivityRow{
		From: at(fromHour, fromMinute), To: at(toHour, toMinute), Kind: "window", App: app, Title: title,
	}}
}

// later holds work back until run, as the agent's answer would be.
type later struct{ work []func() }

func (l *later) async(work func(context.Context) error, done func(error)) {
	l.work = append(l.work, func() { done(work(context.Background())) })
}

func (l *later) run() {
	for len(l.work) > 0 {
		f := l.work[0]
		l.work = l.work[1:]
		f()
	}
}

// rig is the page in a window without a display.
type rig struct {
	*review.Page
	t      testing.TB
	agent  *agent
	later  *later
	win    fyne.Window
	snacks []string
	undo   func()
	secret []bool
	opened int // Register sheets
}

func newRig(t testing.TB, a *agent, v theme.Variant, language string, size fyne.Size) *rig {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(v))
	if err := words.Load(language); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, agent: a, later: &later{}}
	r.Page = review.New(review.Config{Agent: a, Async: r.later.async, Now: clock}, review.Links{
		Say:      func(err error) (string, string) { return err.Error(), "" },
		Register: func() { r.opened++ },
		Copy:     func(s string) { r.snacks = append(r.snacks, "copied "+s) },
		Snack:    func(s, _ string, f func()) { r.snacks, r.undo = append(r.snacks, s), f },
		Secret:   func(on bool) { r.secret = append(r.secret, on) },
	})
	r.win = test.NewTempWindow(t, widgets.Layers(widgets.NewFill(theme.Ground, "", 0), r.Object()))
	r.win.SetPadded(false)
	r.win.Resize(size)
	r.Update(pow.Status{Held: 9, HeldSeconds: 4200, Team: "Studio Nord", Setup: pow.Setup{Key: true, Team: true}}, clock())
	r.Visible(true)
	r.later.run() // what came takes the focus
	return r
}

// key types a key where the focus is, and waits for the answers.
func (r *rig) key(keys ...fyne.KeyName) *rig {
	for _, k := range keys {
		if f := r.win.Canvas().Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: k})
		}
		r.later.run()
	}
	return r
}

// texts returns every text that can be seen, in order.
func texts(o fyne.CanvasObject) (all []string) {
	if !o.Visible() {
		return nil
	}
	switch x := o.(type) {
	case *canvas.Text:
		return []string{x.Text}
	case *fyne.Container:
		for _, c := range x.Objects {
			all = append(all, texts(c)...)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			all = append(all, texts(c)...)
		}
	}
	return all
}

func (r *rig) sees(want string) bool {
	o := r.win.Content()
	if top := r.win.Canvas().Overlays().Top(); top != nil {
		o = top
	}
	return strings.Contains(strings.Join(texts(o), " "), want)
}

func (r *rig) see(want string) {
	r.t.Helper()
	if !r.sees(want) {
		r.t.Errorf("%q is not on the screen: %q", want, texts(r.win.Content()))
	}
}
