package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"slices"
)

// The bounds of what is kept and decoded.
const (
	mostThumbs  = 96 // decoded, of at most thumbWidth by thumbHeight: 22 MB
	mostWanted  = 48 // waiting to be fetched
	mostFetches = 2  // at a time
	thumbWidth  = 320
	thumbHeight = 180
	mostSide    = 16384 // of a whole picture, in pixels
	mostPixels  = 64 << 20
)

// thumbs holds the newest decoded thumbnails. They are fetched and decoded
// beside the owner's goroutine, what was wanted last first: that is what is in
// sight.
type thumbs struct {
	fetch  func(ctx context.Context, id string) ([]byte, error)
	async  Async
	came   func(id string)
	kept   map[string]*image.RGBA
	used   []string // least recently first
	wanted []string // fetched from the end
	failed map[string]bool
	flying map[string]bool
	room   image.Point // pixels of the screen that a thumbnail has
	age    int         // raised when something is forgotten: what is on its way then is old
}

func newThumbs(fetch func(context.Context, string) ([]byte, error), async Async, came func(string)) *thumbs {
	t := &thumbs{fetch: fetch, async: async, came: came, flying: map[string]bool{}, room: image.Pt(thumbWidth, thumbHeight)}
	t.wipe()
	return t
}

// get returns a thumbnail, or nil and fetches it.
func (t *thumbs) get(id string) image.Image {
	if m := t.kept[id]; m != nil {
		t.used = append(without(t.used, id), id)
		return m
	}
	if !t.failed[id] && !t.flying[id] {
		t.wanted = append(without(t.wanted, id), id)
		if len(t.wanted) > mostWanted {
			t.wanted = t.wanted[1:]
		}
		t.next()
	}
	return nil
}

func without(list []string, id string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == id })
}

func (t *thumbs) next() {
	for len(t.flying) < mostFetches && len(t.wanted) > 0 {
		id, age, room := t.wanted[len(t.wanted)-1], t.age, t.room
		t.wanted = t.wanted[:len(t.wanted)-1]
		t.flying[id] = true
		var m *image.RGBA
		t.async(func(ctx context.Context) error {
			b, err := t.fetch(ctx, id)
			if err == nil {
				m, err = decode(b, image.Pt(thumbWidth, thumbHeight))
			}
			if err == nil {
				m = shrink(m, room)
			}
			return err
		}, func(err error) {
			delete(t.flying, id)
			switch {
			case age != t.age:
				t.came(id) // the grid asks again for what it shows
			case err != nil:
				t.failed[id] = true
			default:
				t.keep(id, m)
			}
			t.next()
		})
	}
}

func (t *thumbs) keep(id string, m *image.RGBA) {
	if len(t.used) >= mostThumbs {
		delete(t.kept, t.used[0])
		t.used = t.used[1:]
	}
	t.kept[id], t.used = m, append(t.used, id)
	t.came(id)
}

// fit says how large thumbnails are drawn. Those kept were made for less room
// when it grows, and are made anew.
func (t *thumbs) fit(room image.Point) {
	larger := room.X > t.room.X || room.Y > t.room.Y
	if t.room = room; larger {
		t.wipe()
	}
}

// forget drops thumbnails that are not true any more.
func (t *thumbs) forget(ids []string) {
	t.age++
	for _, id := range ids {
		delete(t.kept, id)
		delete(t.failed, id)
		t.used = without(t.used, id)
	}
}

// wipe drops everything.
func (t *thumbs) wipe() {
	t.age++
	t.kept, t.failed, t.used, t.wanted = map[string]*image.RGBA{}, map[string]bool{}, nil, nil
}

var errTooLarge = errors.New("read picture: larger than asked for")

// decode reads a JPEG or PNG of at most so many pixels, as the screen needs it.
func decode(b []byte, most image.Point) (*image.RGBA, error) {
	config, whole := jpeg.DecodeConfig, jpeg.Decode
	if bytes.HasPrefix(b, []byte("\x89PNG")) {
		config, whole = png.DecodeConfig, png.Decode
	}
	c, err := config(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if c.Width > most.X || c.Height > most.Y || c.Width*c.Height > mostPixels {
		return nil, errTooLarge
	}
	m, err := whole(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if rgba, ok := m.(*image.RGBA); ok && rgba.Stride == 4*c.Width {
		return rgba, nil
	}
	out := image.NewRGBA(image.Rect(0, 0, c.Width, c.Height))
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out, nil
}

// shrink scales a picture down to fit into a size, each pixel the mean of those
// that it stands for. What fits already is left as it is.
func shrink(m *image.RGBA, room image.Point) *image.RGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if w <= room.X && h <= room.Y || room.X < 1 || room.Y < 1 {
		return m
	}
	to := image.Pt(room.X, max(1, h*room.X/w))
	if to.Y > room.Y {
		to = image.Pt(max(1, w*room.Y/h), room.Y)
	}
	out := image.NewRGBA(image.Rectangle{Max: to})
	for y := range to.Y {
		for x := range to.X {
			from := image.Rect(x*w/to.X, y*h/to.Y, (x+1)*w/to.X, (y+1)*h/to.Y)
			copy(out.Pix[out.PixOffset(x, y):], mean(m, from))
		}
	}
	return out
}

// mean returns the colour of an area, opaque.
func mean(m *image.RGBA, r image.Rectangle) []byte {
	var red, green, blue, n int
	for y := r.Min.Y; y < r.Max.Y; y++ {
		line := m.Pix[m.PixOffset(r.Min.X, y):m.PixOffset(r.Max.X, y)]
		for ; len(line) >= 4; line = line[4:] {
			red, green, blue, n = red+int(line[0]), green+int(line[1]), blue+int(line[2]), n+1
		}
	}
	return []byte{byte(red / n), byte(green / n), byte(blue / n), 0xFF}
}
