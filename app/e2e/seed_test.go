package e2e_test

import (
	"crypto/rand"
	"image"
	"image/color"
	"image/draw"
	"os"
	"strings"
	"testing"
	"time"

	"pow.do/services/client/capture"
	"pow.do/services/client/queue"
	"pow.do/services/client/vault"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// TestSeedADay fills a home folder with a day of work, for the pictures in the
// README: POWDO_SEED names the folder, POWDO_SEED_WORK what to put there, as
// project:minutes ago:length in minutes:note:minutes between pictures (0: none),
// separated by commas. No agent may run there.
func TestSeedADay(t *testing.T) {
	home := os.Getenv("POWDO_SEED")
	if home == "" {
		t.Skip("for packaging/dev/screenshots.sh")
	}
	v, err := vault.New(vault.Config{Dir: home, Sealer: noSealer{}})
	check(t, err)
	public, err := v.Public()
	check(t, err)
	box, err := identity.ParseBox(public.Review)
	check(t, err)
	q, _, err := queue.Open(queue.Config{Dir: home, Box: box})
	check(t, err)
	for i, line := range strings.Split(os.Getenv("POWDO_SEED_WORK"), ",") {
		parts := strings.Split(line, ":")
		if len(parts) != 5 {
			t.Fatalf("%q", line)
		}
		ago, err1 := time.ParseDuration(parts[1] + "m")
		length, err2 := time.ParseDuration(parts[2] + "m")
		check(t, err1)
		every, err3 := time.ParseDuration(parts[4] + "m")
		check(t, err2)
		check(t, err3)
		seedWork(t, q, work{pow.ProjectID(parts[0]), pow.Interval{From: time.Now().Add(-ago), To: time.Now().Add(length - ago)}, parts[3], every}, i)
	}
	check(t, q.Close())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// noSealer stands where nothing secret is opened.
type noSealer struct{}

func (noSealer) Seal([]byte, string) ([]byte, error) { return nil, pow.ErrLocked }
func (noSealer) Open([]byte, string) ([]byte, error) { return nil, pow.ErrLocked }

// work is a stretch of tracked time.
type work struct {
	project pow.ProjectID
	span    pow.Interval
	note    string
	every   time.Duration // between pictures; 0: none
}

// seedWork tracks a stretch, with pictures at moments that look random.
func seedWork(t *testing.T, q *queue.Queue, w work, look int) {
	t.Helper()
	session, err := pow.NewSessionID(w.span.From, rand.Reader)
	check(t, err)
	_, err = q.OpenSegment(queue.Segment{Session: session, Project: w.project, Note: w.note, Interval: pow.Interval{From: w.span.From}})
	check(t, err)
	for n := 0; w.every > 0; n++ {
		at := w.span.From.Add(time.Duration(n)*w.every + time.Duration(n*67%480+37)*w.every/600)
		if !w.span.Contains(at) {
			break
		}
		check(t, q.Tick(at))
		pic, err := capture.Encode(capture.Frame{Image: drawScreen(look+n, n), At: at})
		check(t, err)
		id, err := pow.NewULID(at, rand.Reader)
		check(t, err)
		check(t, q.AddCapture(pow.Capture{ID: id, Session: session, At: at.Truncate(time.Millisecond), Format: pic.Format, Width: pic.Width,
			Height: pic.Height}, pic.Data, pic.Thumb))
	}
	_, err = q.CloseSegment(w.span.To)
	check(t, err)
}

// drawScreen draws what a screen may look like: an editor, a page, or a table.
func drawScreen(look, n int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 1920, 1080))
	fill := func(x, y, w, h int, c color.RGBA) {
		draw.Draw(m, image.Rect(x, y, x+w, y+h), image.NewUniform(c), image.Point{}, draw.Src)
	}
	grey := func(v uint8) color.RGBA { return color.RGBA{v, v, v, 255} }
	fill(0, 0, 1920, 1080, color.RGBA{38, 70, 83, 255})
	fill(0, 0, 1920, 32, grey(24))
	fill(120, 80, 1500, 900, grey(250))
	fill(120, 80, 1500, 44, grey(222))
	switch look % 3 {
	case 0: // an editor
		fill(120, 124, 1500, 856, color.RGBA{30, 34, 42, 255})
		fill(120, 124, 260, 856, color.RGBA{37, 42, 51, 255})
		inks := []color.RGBA{{198, 120, 221, 255}, {152, 195, 121, 255}, {97, 175, 239, 255}, grey(171)}
		for line := range 34 {
			x := 420 + 36*((line*5+n)%4)
			for word := range 3 + (line*7+n)%5 {
				w := 40 + (line*31+word*53+n*11)%150
				fill(x, 150+line*24, w, 10, inks[(line+word)%4])
				x += w + 14
			}
		}
	case 1: // a page
		fill(220, 170, 620, 28, color.RGBA{10, 107, 90, 255})
		for line := range 22 {
			fill(220, 240+line*28, 500+(line*97+n*41)%420, 9, grey(120))
		}
		fill(1180, 170, 360, 240, color.RGBA{233, 196, 106, 255})
		fill(1180, 440, 360, 180, color.RGBA{42, 157, 143, 255})
	default: // a table
		for row := range 26 {
			for col := range 9 {
				fill(150+col*160, 160+row*30, 156, 26, grey(uint8(255-(row%2)*12)))
				fill(160+col*160, 168+row*30, 30+(row*37+col*29+n*13)%100, 9, grey(90))
			}
		}
	}
	return m
}
