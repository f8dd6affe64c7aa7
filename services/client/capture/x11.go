//go:build unix && !darwin

package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"math/bits"
	"slices"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xinerama"
	"github.com/jezek/xgb/xproto"

	"pow.do/services/pow"
)

// x11 takes the selected monitors of the display that DISPLAY names, over a
// connection of its own. It hangs as long as the server does.
func (c *Capturer) x11() ([]Frame, error) {
	xgb.Logger.SetOutput(io.Discard) // it would write to the program's stderr
	conn, err := xgb.NewConn()
	if err != nil {
		return nil, pow.ErrNoDisplay.With(err)
	}
	defer hangUp(conn)
	setup := xproto.Setup(conn)
	if conn.DefaultScreen >= len(setup.Roots) {
		return nil, pow.ErrNoDisplay.With(errors.New("DISPLAY names a screen that is not there"))
	}
	screen := &setup.Roots[conn.DefaultScreen]
	if err := trueColour(setup, screen); err != nil {
		return nil, err
	}
	var frames []Frame
	for i, bounds := range monitors(conn, screen) {
		if !c.wanted(i) {
			continue
		}
		img, err := getImage(conn, screen, bounds)
		if err != nil {
			return nil, err
		}
		frames = append(frames, Frame{Display: i, Image: img, At: c.cfg.Now(), Bounds: bounds})
	}
	return frames, nil
}

// hangUp ends the connection and waits until its goroutines are gone.
func hangUp(conn *xgb.Conn) {
	conn.Close()
	for {
		if event, err := conn.WaitForEvent(); event == nil && err == nil {
			return
		}
	}
}

// trueColour makes sure that a pixel is four bytes: blue, green, red, unused.
// Other depths would give wrong colours and no error.
func trueColour(setup *xproto.SetupInfo, screen *xproto.ScreenInfo) error {
	fits := func(f xproto.Format) bool {
		return f.Depth == screen.RootDepth && f.BitsPerPixel == 32 && f.ScanlinePad == 32
	}
	rgb := func(v xproto.VisualInfo) bool {
		return v.VisualId == screen.RootVisual && v.Class == xproto.VisualClassTrueColor &&
			v.RedMask == 0xff0000 && v.GreenMask == 0xff00 && v.BlueMask == 0xff
	}
	if setup.ImageByteOrder == xproto.ImageOrderLSBFirst && slices.ContainsFunc(setup.PixmapFormats, fits) {
		for _, d := range screen.AllowedDepths {
			if slices.ContainsFunc(d.Visuals, rgb) {
				return nil
			}
		}
	}
	return ErrUnsupported.With(fmt.Errorf("a screen of colour depth %d", screen.RootDepth))
}

// monitors returns where the monitors lie on the root window, the primary one
// first, as Xinerama tells it (modern servers answer from RandR). Monitors that
// show the same part count once. A server without it has one monitor.
func monitors(conn *xgb.Conn, screen *xproto.ScreenInfo) []image.Rectangle {
	whole := image.Rect(0, 0, int(screen.WidthInPixels), int(screen.HeightInPixels))
	var all []image.Rectangle
	if extension(conn, "XINERAMA") {
		if reply, err := xinerama.QueryScreens(conn).Reply(); err == nil {
			for _, s := range reply.ScreenInfo {
				x, y := int(s.XOrg), int(s.YOrg)
				r := image.Rect(x, y, x+int(s.Width), y+int(s.Height)).Intersect(whole)
				if !r.Empty() && !slices.Contains(all, r) {
					all = append(all, r)
				}
			}
		}
	}
	if len(all) == 0 {
		return []image.Rectangle{whole}
	}
	return all
}

// extension makes an extension's requests usable. xgb's own way to do so also
// writes into tables that all connections of the program share, without a lock;
// they are needed for events only.
func extension(conn *xgb.Conn, name string) bool {
	r, err := xproto.QueryExtension(conn, uint16(len(name)), name).Reply()
	if err != nil || !r.Present {
		return false
	}
	conn.ExtLock.Lock()
	defer conn.ExtLock.Unlock()
	conn.Extensions[name] = r.MajorOpcode
	return true
}

// replyHead is what comes before the data of an X11 reply, in bytes.
const replyHead = 32

// getImage reads one monitor's pixels and swaps them in place to RGBA.
func getImage(conn *xgb.Conn, screen *xproto.ScreenInfo, r image.Rectangle) (*image.RGBA, error) {
	if err := checkSize(r.Dx(), r.Dy()); err != nil {
		return nil, err
	}
	// The raw reply spares a second copy of the picture.
	reply, err := xproto.GetImage(conn, xproto.ImageFormatZPixmap, xproto.Drawable(screen.Root),
		int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), 0xffffffff).Cookie.Reply()
	if err != nil {
		return nil, ErrUnusable.With(err)
	}
	if len(reply) != replyHead+4*r.Dx()*r.Dy() {
		return nil, ErrUnusable.With(fmt.Errorf("%d bytes for %d×%d pixels", len(reply), r.Dx(), r.Dy()))
	}
	pix := reply[replyHead:]
	for i := 0; i+4 <= len(pix); i += 4 {
		pixel := pix[i : i+4 : i+4]
		v := bits.ReverseBytes32(binary.LittleEndian.Uint32(pixel))
		binary.LittleEndian.PutUint32(pixel, v>>8|0xff000000)
	}
	return &image.RGBA{Pix: pix, Stride: 4 * r.Dx(), Rect: image.Rect(0, 0, r.Dx(), r.Dy())}, nil
}
