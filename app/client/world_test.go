package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pow.do/app/server"
	"pow.do/services/client/capture"
	"pow.do/services/client/control"
	"pow.do/services/client/windows"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/invite"
	"pow.do/services/wire/relays"
)

// world is a real hub on this machine, and a DVM made of the wire's parts whose
// every answer a test can choose.
type world struct {
	t      *testing.T
	secret identity.Secret
	relay  string
	files  string
	pool   *relays.Pool
	blobs  *blossom.Client
	opener *archive.Opener
	ann    pow.Announcement
	own    []byte // the announcement as it was signed

	mu     sync.Mutex // guards all below
	device pow.Key
	opened []pow.Opened
	hints  []pow.Notice
	deaf   bool // does not answer notices
}

// projects is how many the catalogue has: enough for more than one part.
const projects = 12

// claims checks invitations as the servers do.
type claims struct {
	dvm   pow.Key
	relay string
}

func (c claims) Check(claim string, now time.Time) (pow.Key, string, time.Time, error) {
	found, err := invite.CheckHubClaim(claim, []pow.Key{c.dvm}, []string{c.relay}, now)
	return found.DVM, found.ID, found.Expires, err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	secret, err := identity.NewSecret()
	must(t, err)
	key, err := identity.NewArchiveKey(pow.AgeX25519)
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	host := ln.Addr().String()
	w := &world{t: t, secret: secret, relay: "ws://" + host, files: "http://" + host}
	hub, err := server.OpenHub(t.Context(), server.HubConfig{Dir: t.TempDir(), Origins: []string{w.files}, DVMs: []pow.Key{secret.Public()},
		Claims: claims{secret.Public(), w.relay}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	w.opener, err = archive.NewOpener(archive.Key{Alg: key.Alg(), Secret: key.Secret()})
	must(t, err)
	hour := time.Now().Truncate(time.Second).Add(-time.Hour)
	w.announce(pow.Announcement{DVM: secret.Public(), Name: "Studio Nord", Revision: 1, Recipients: []pow.Recipient{key.Recipient(hour, hour.AddDate(1, 0, 0))},
		Relays: []string{w.relay}, Blossom: []string{w.files}, Copies: 1, Limits: pow.DefaultLimits, PolicyText: "What is recorded.", PolicyLang: "en"})
	client := &http.Client{Transport: &http.Transport{}}
	w.blobs = blossom.New(blossom.Config{Key: secret, HTTP: client})
	w.pool = relays.New(relays.Config{Origins: []string{w.relay}, Key: secret, HTTP: client, Handle: w.handle,
		Filters: []relays.Filter{{Kinds: []int{envelope.KindWrap}, P: []pow.Key{secret.Public()}, Limit: 500}}})
	ctx, cancel := context.WithCancel(context.Background())
	srv := server.HTTPServer(hub.Handler())
	var parts sync.WaitGroup
	parts.Go(func() { _ = srv.Serve(ln) })
	parts.Go(func() { _ = hub.Run(ctx) })
	parts.Go(func() { _ = w.pool.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		must(t, srv.Close())
		parts.Wait()
		must(t, hub.Close())
		client.CloseIdleConnections()
	})
	w.publish(w.own)
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// announce signs an announcement and makes it the one in force.
func (w *world) announce(a pow.Announcement) {
	w.t.Helper()
	b, err := envelope.Announce(w.secret, a, time.Now())
	must(w.t, err)
	w.ann, err = envelope.ReadAnnouncement(b, w.secret.Public())
	must(w.t, err)
	w.own = b
}

func (w *world) publish(b []byte) {
	w.t.Helper()
	a, err := w.pool.Publish(w.t.Context(), w.relay, b)
	if err != nil || !a.OK {
		w.t.Fatalf("publish: %+v %v", a, err)
	}
}

// invite makes a link that is good for one device.
func (w *world) invite() string {
	w.t.Helper()
	now := time.Now()
	hub, _, err := invite.NewHubClaim(w.secret, []string{w.relay}, now.Add(time.Hour), now)
	must(w.t, err)
	claim, err := invite.NewClaim()
	must(w.t, err)
	return invite.Link{Name: "Studio Nord", DVM: w.secret.Public(), Relays: []string{w.relay}, Blossom: []string{w.files}, HubClaim: hub,
		Claim: claim, Expires: now.Add(time.Hour).Truncate(time.Second)}.String()
}

// catalogue is what the member may book.
func (w *world) catalogue(revision int, state string) pow.Catalogue {
	c := pow.Catalogue{Revision: revision, MemberID: "c41f0a6be2d97385", MemberName: "Anna", MemberState: state, Announcement: w.ann.ID, AnnRevision: w.ann.Revision}
	for i := range projects {
		c.Projects = append(c.Projects, pow.Project{ID: pow.ProjectID(fmt.Sprintf("%016x", i+1)), Name: fmt.Sprintf("Project %02d with a name that takes its room", i+1),
			Group: "Acme GmbH", Color: "#3b82f6", Pictures: pow.Optional, Interval: 600, Detail: pow.DetailOff, Retention: 30, ActivityRule: pow.None})
	}
	return c
}

// handle answers a letter: an enrolment with the catalogue, its last part first;
// a notice with its verdict, twice.
func (w *world) handle(ctx context.Context, _ string, _ *event.Event, raw []byte) error {
	reader := envelope.Reader{Me: w.secret, Kinds: []int{envelope.KindNotice, envelope.KindAccount}, Allow: func(pow.Key) bool { return true }}
	m, err := reader.Open(raw, time.Now())
	if err != nil {
		return nil
	}
	switch {
	case m.Account != nil && m.Account.Action == "enrol":
		w.mu.Lock()
		w.device = m.Account.Device
		w.mu.Unlock()
		w.answer(ctx, pow.Receipt{Device: m.Account.Device, Answers: m.Rumor, Code: pow.CodeEnrolled})
		w.sendCatalogue(ctx, w.catalogue(1, "active"))
	case m.Account != nil:
		w.answer(ctx, pow.Receipt{Device: m.Account.Device, Answers: m.Rumor, Code: pow.CodeDone})
	case m.Notice != nil && m.Notice.IsHint():
		w.mu.Lock()
		w.hints = append(w.hints, *m.Notice)
		w.mu.Unlock()
	case m.Notice != nil:
		w.mu.Lock()
		deaf := w.deaf
		w.mu.Unlock()
		if deaf {
			return nil
		}
		return w.judge(ctx, *m.Notice)
	}
	return nil
}

func (w *world) judge(ctx context.Context, n pow.Notice) error {
	var sealed bytes.Buffer
	if err := w.blobs.Get(ctx, n.Servers[0], n.Sealed, n.Size, &sealed); err != nil {
		return err
	}
	opened, err := w.opener.Open(ctx, bytes.NewReader(sealed.Bytes()), n.Size, n)
	if err != nil {
		w.t.Error("the DVM cannot open what was sent:", err)
		return nil
	}
	w.mu.Lock()
	w.opened = append(w.opened, opened)
	w.mu.Unlock()
	r := pow.Receipt{Device: n.Device, Answers: n.ID, Sealed: n.Sealed, Session: n.Session, Seq: n.Seq, Code: pow.CodeBooked, Blob: "deleted",
		Span: n.Interval, Proven: int64(n.Interval.Duration() / time.Second), Booking: pow.Booking{State: "booked", System: "ledger"}}
	w.answer(ctx, r)
	w.answer(ctx, r)
	return nil
}

func (w *world) answer(ctx context.Context, r pow.Receipt) {
	r.DVM, r.CreatedAt = w.secret.Public(), time.Now()
	_, seal, err := envelope.SealReceipt(w.secret, r, time.Now())
	if err != nil {
		w.t.Error(err)
		return
	}
	w.mail(ctx, seal, r.Device)
}

// sendCatalogue sends the parts of a revision, the last one first.
func (w *world) sendCatalogue(ctx context.Context, c pow.Catalogue) {
	w.mu.Lock()
	device := w.device
	w.mu.Unlock()
	seals, err := envelope.SealCatalogue(w.secret, device, c, time.Now())
	if err != nil || len(seals) < 2 {
		w.t.Errorf("catalogue of %d parts: %v", len(seals), err)
		return
	}
	slices.Reverse(seals)
	for _, s := range seals {
		w.mail(ctx, s, device)
	}
}

func (w *world) mail(ctx context.Context, seal []byte, to pow.Key) {
	letter, err := envelope.Wrap(seal, to, time.Now())
	if err == nil {
		var a pow.Answer
		if a, err = w.pool.Publish(ctx, w.relay, letter.JSON); err == nil && !a.OK {
			err = errors.New(a.Prefix + ": " + a.Text)
		}
	}
	if err != nil && ctx.Err() == nil {
		w.t.Error("letter:", err)
	}
}

// painting is a screen that shows another picture each time.
type painting struct {
	mu sync.Mutex
	n  int
}

func (p *painting) Grab(context.Context) ([]capture.Frame, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for i := range 320 * 200 {
		img.Set(i%320, i/320, color.RGBA{uint8(i * p.n), uint8(i >> 8), uint8(p.n * 90), 255})
	}
	return []capture.Frame{{Image: img, At: time.Now()}}, nil
}

// nothingOpen is a desktop without windows.
func nothingOpen(context.Context) ([]windows.Window, error) { return nil, nil }

// machine is a home folder with its running agent.
type machine struct {
	remote
	agent *Agent
	stop  func()
}

const passphrase = "correct horse battery staple"

// boot starts the agent of a home folder, as powdo agent does.
func boot(t *testing.T, home, pass string) *machine {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := control.Listen(ctx, home)
	must(t, err)
	a, err := Open(ctx, Config{Home: home, Passphrase: func() (string, error) { return pass, nil }, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	a.pictures.screen, a.pictures.list = new(painting), nothingOpen
	done := make(chan error)
	go func() { done <- a.Run(ctx, ln) }()
	m := &machine{remote: remote{control.Client{Home: home}}, agent: a}
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, a.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(m.stop)
	return m
}

func newHome(t testing.TB) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "h")
	must(t, os.Mkdir(home, 0o700))
	return home
}

// until waits for a state of the agent.
func (m *machine) until(t *testing.T, what string, ok func(pow.Status) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := m.Status(ctx)
		if err == nil && ok(s) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not reached: %s (%v)\n%+v", what, err, s)
		case <-tick.C:
		}
	}
}
