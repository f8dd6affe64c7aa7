package e2e_test

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// desktop paints on a display what a person at work has on it: an editor full
// of text in a few colours, with a darker panel beside it.
type desktop struct {
	t    testing.TB
	conn *xgb.Conn
	root xproto.Drawable
	gc   xproto.Gcontext
	w, h int
}

func (w *world) paintDesktop() *desktop {
	w.t.Helper()
	xgb.Logger.SetOutput(io.Discard)
	if err := os.Setenv("XAUTHORITY", os.DevNull); err != nil {
		w.t.Fatal(err)
	}
	conn, err := xgb.NewConnDisplay(w.display)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(conn.Close)
	screen := xproto.Setup(conn).DefaultScreen(conn)
	d := &desktop{t: w.t, conn: conn, root: xproto.Drawable(screen.Root), w: int(screen.WidthInPixels), h: int(screen.HeightInPixels)}
	if d.gc, err = xproto.NewGcontextId(conn); err != nil {
		w.t.Fatal(err)
	}
	if err := xproto.CreateGCChecked(conn, d.gc, d.root, 0, nil).Check(); err != nil {
		w.t.Fatal(err)
	}
	d.paint()
	return d
}

// Colours as the server has them: blue, green, red, unused.
const (
	editorGround = 0x263238
	panelGround  = 0x101010
)

var inks = []uint32{0xdcdcdc, 0x82aaff, 0xc3e88d, 0xf78c6c}

// paint draws the whole screen in strips that fit into a request.
func (d *desktop) paint() {
	d.t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	var glyphs [90][8 * 16]bool
	for i := range glyphs {
		for range 5 {
			x, y, down := 1+rnd.IntN(5), 3+rnd.IntN(9), rnd.IntN(2) == 0
			for k := range 5 {
				if down {
					glyphs[i][min(y+k, 13)*8+x] = true
				} else {
					glyphs[i][y*8+min(x+k, 6)] = true
				}
			}
		}
	}
	pix := make([]uint32, d.w*d.h)
	for i := range pix {
		if pix[i] = editorGround; i%d.w > d.w*2/3 {
			pix[i] = panelGround
		}
	}
	for top := 8; top+16 <= d.h; top += 18 {
		x := 8 + 32*rnd.IntN(4)
		for end := x + rnd.IntN(d.w*3/4); x+8 <= min(end, d.w); x += 8 {
			ink := inks[rnd.IntN(len(inks))]
			for range 2 + rnd.IntN(9) {
				for i, on := range glyphs[rnd.IntN(len(glyphs))] {
					if px := x + i%8; on && px < d.w {
						pix[(top+i/8)*d.w+px] = ink
					}
				}
				x += 8
			}
		}
	}
	const rows = 30
	for top := 0; top < d.h; top += rows {
		n := min(rows, d.h-top)
		var data []byte
		for _, p := range pix[top*d.w : (top+n)*d.w] {
			data = binary.LittleEndian.AppendUint32(data, p)
		}
		if err := xproto.PutImageChecked(d.conn, xproto.ImageFormatZPixmap, d.root, d.gc, uint16(d.w), uint16(n), 0, int16(top), 0, 24, data).Check(); err != nil {
			d.t.Fatal(err)
		}
	}
}

// change makes the screen another one, as the next line of work does.
func (d *desktop) change(n int) {
	d.t.Helper()
	r := xproto.Rectangle{X: int16(n * 37 % d.w), Y: int16(n * 53 % d.h), Width: 9, Height: 14}
	if err := xproto.PolyFillRectangleChecked(d.conn, d.root, d.gc, []xproto.Rectangle{r}).Check(); err != nil {
		d.t.Fatal(err)
	}
}
