//go:build unix && !darwin

package capture

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/godbus/dbus/v5"
)

// AppID is the name under which the desktop keeps its permission; a desktop
// file of that name must be installed.
const AppID = "do.pow.client"

const (
	portalName    = "org.freedesktop.portal.Desktop"
	portalPath    = "/org/freedesktop/portal/desktop"
	portalRequest = "org.freedesktop.portal.Request"
	// maxPortalFile bounds the file that the portal hands over, in bytes.
	maxPortalFile = 256 << 20
)

// portal asks the desktop for one picture of everything. Closing the connection,
// which the end of ctx does, withdraws a question that is still open.
func (c *Capturer) portal(ctx context.Context) ([]Frame, error) {
	if len(c.selected()) > 0 {
		return nil, ErrUnsupported.With(errors.New("under Wayland all monitors are in one picture: none can be selected"))
	}
	conn, err := sessionBus(ctx)
	if err != nil {
		return nil, ErrUnsupported.With(fmt.Errorf("reach the session bus: %w", err))
	}
	defer conn.Close()
	uri, err := askPortal(ctx, conn)
	if err != nil {
		return nil, err
	}
	at := c.cfg.Now()
	img, err := takeAway(uri)
	if err != nil {
		return nil, ErrUnusable.With(err)
	}
	return []Frame{{Image: img, At: at, Bounds: img.Rect}}, nil
}

// sessionBus connects to the running bus; unlike godbus's default it never
// starts one.
func sessionBus(ctx context.Context) (*dbus.Conn, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := conn.Auth(nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := conn.Hello(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// askPortal calls Screenshot and returns the address of the file. The answer
// comes as a signal on a request object whose path can be predicted: it is
// subscribed to before the call, so an immediate answer is not missed.
func askPortal(ctx context.Context, conn *dbus.Conn) (string, error) {
	portal := conn.Object(portalName, portalPath)
	// Names us to portals that know this interface (1.19.4); others lack it.
	_ = portal.CallWithContext(ctx, "org.freedesktop.host.portal.Registry.Register", 0, AppID, map[string]dbus.Variant{}).Err

	token := "powdo" + rand.Text()
	sender := strings.ReplaceAll(strings.TrimPrefix(conn.Names()[0], ":"), ".", "_")
	request := dbus.ObjectPath(portalPath + "/request/" + sender + "/" + token)
	signals := make(chan *dbus.Signal, 8)
	conn.Signal(signals)
	if err := listen(ctx, conn, request); err != nil {
		return "", err
	}
	options := map[string]dbus.Variant{
		"handle_token": dbus.MakeVariant(token),
		"modal":        dbus.MakeVariant(false),
		"interactive":  dbus.MakeVariant(false),
	}
	var handle dbus.ObjectPath
	if err := portal.CallWithContext(ctx, "org.freedesktop.portal.Screenshot.Screenshot", 0, "", options).Store(&handle); err != nil {
		return "", portalError(err)
	}
	if handle != request { // portals before 0.9 choose the path themselves
		if err := listen(ctx, conn, handle); err != nil {
			return "", err
		}
	}
	var owner string
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, portalName).Store(&owner); err != nil {
		return "", portalError(err)
	}
	for {
		select {
		case s := <-signals:
			if s == nil {
				return "", ErrUnusable.With(errors.New("the session bus hung up"))
			}
			// Anybody on the bus can send us a signal and so name a file of theirs.
			if s.Sender == owner && s.Path == handle && s.Name == portalRequest+".Response" {
				return response(s.Body)
			}
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func listen(ctx context.Context, conn *dbus.Conn, request dbus.ObjectPath) error {
	err := conn.AddMatchSignalContext(ctx, dbus.WithMatchObjectPath(request),
		dbus.WithMatchInterface(portalRequest), dbus.WithMatchMember("Response"))
	if err != nil {
		return ErrUnusable.With(fmt.Errorf("listen for the portal's answer: %w", err))
	}
	return nil
}

// portalError sorts the refusals of the bus and of the portal.
func portalError(err error) error {
	var e dbus.Error
	if errors.As(err, &e) {
		switch strings.TrimPrefix(e.Name, "org.freedesktop.DBus.Error.") {
		case "ServiceUnknown", "NameHasNoOwner", "UnknownMethod", "UnknownInterface", "UnknownObject":
			return ErrUnsupported.With(err)
		case "AccessDenied", "org.freedesktop.portal.Error.NotAllowed":
			return ErrDenied.With(err)
		}
	}
	return ErrUnusable.With(fmt.Errorf("ask the portal: %w", err))
}

// response reads the body of Response: 0 success, 1 cancelled by the person, 2
// ended otherwise, which is also the answer once a "no" is stored.
func response(body []any) (string, error) {
	var code uint32
	var results map[string]dbus.Variant
	if err := dbus.Store(body, &code, &results); err != nil {
		return "", ErrUnusable.With(fmt.Errorf("read the portal's answer: %w", err))
	}
	if code != 0 {
		return "", ErrDenied.With(fmt.Errorf("the portal answered %d", code))
	}
	uri, ok := results["uri"].Value().(string)
	if !ok {
		return "", ErrUnusable.With(errors.New("the portal named no file"))
	}
	return uri, nil
}

// takeAway opens the portal's file, unlinks it at once and decodes it. Its
// errors do not name the file.
func takeAway(uri string) (*image.RGBA, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || (u.Host != "" && u.Host != "localhost") {
		return nil, errors.New("the portal's answer is no local file")
	}
	f, err := os.OpenFile(u.Path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open the portal's file: %w", nameless(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("the portal's answer is no regular file")
	}
	if err := os.Remove(u.Path); err != nil {
		return nil, fmt.Errorf("remove the portal's file: %w", nameless(err))
	}
	if info.Size() > maxPortalFile {
		return nil, fmt.Errorf("the portal's file has %d bytes", info.Size())
	}
	return decode(f)
}

// decode reads a PNG of bounded size into opaque RGBA.
func decode(f io.ReadSeeker) (*image.RGBA, error) {
	head, err := png.DecodeConfig(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("read the portal's picture: %w", err)
	}
	if err := checkSize(head.Width, head.Height); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the portal's picture: %w", nameless(err))
	}
	src, err := png.Decode(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("read the portal's picture: %w", err)
	}
	img := image.NewRGBA(image.Rect(0, 0, head.Width, head.Height))
	draw.Draw(img, img.Rect, image.Black, image.Point{}, draw.Src)
	draw.Draw(img, img.Rect, src, src.Bounds().Min, draw.Over)
	return img, nil
}

// nameless strips the path from err: it may hold the person's name.
func nameless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
