package ui

import (
	"context"
	"time"

	"pow.do/services/pow"
)

// fakeAgent answers from fields; what is nil answers with nothing.
type fakeAgent struct {
	status   pow.Status
	statErr  error
	changes  chan pow.Status
	projects []pow.Project
	entries  []pow.Entry
	items    []pow.OutboxItem
	preview  pow.Preview
	joined   pow.Joined
	calls    chan string // what was asked for, in order
	wrong    error       // what every act answers with
}

func newFake(s pow.Status) *fakeAgent {
	return &fakeAgent{status: s, changes: make(chan pow.Status, 8), calls: make(chan string, 256)}
}

func (f *fakeAgent) Status(context.Context) (pow.Status, error) { return f.status, f.statErr }

func (f *fakeAgent) Watch(ctx context.Context, put func(pow.Status)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s, ok := <-f.changes:
			if !ok {
				return pow.ErrNoAgent
			}
			put(s)
		}
	}
}

func (f *fakeAgent) Sensitive(_ context.Context, on bool) error {
	if on {
		f.calls <- "sensitive on"
	} else {
		f.calls <- "sensitive off"
	}
	return nil
}

func (f *fakeAgent) Start(_ context.Context, r pow.StartRequest) (pow.Status, error) {
	f.calls <- "start " + r.Project
	s := f.status
	s.Timer = pow.TimerStatus{State: pow.Tracking, Project: &pow.ProjectRef{ID: pow.ProjectID(r.Project), Name: "Kiosk app"}, Session: "S2", Since: clock()}
	return s, f.wrong
}

func (f *fakeAgent) Stop(context.Context) (pow.Status, error) {
	f.calls <- "stop"
	s := f.status
	s.Timer = pow.TimerStatus{State: pow.Stopped}
	return s, f.wrong
}

func (f *fakeAgent) SetNote(_ context.Context, n string) error {
	f.calls <- "note " + n
	return f.wrong
}
func (f *fakeAgent) Projects(context.Context) ([]pow.Project, error) { return f.projects, nil }
func (f *fakeAgent) Entries(context.Context, time.Time) ([]pow.Entry, error) {
	return f.entries, nil
}
func (f *fakeAgent) Thumbnail(context.Context, string) ([]byte, error) { return nil, pow.ErrNotFound }
func (f *fakeAgent) Drop(_ context.Context, ids []string) error {
	f.calls <- "drop " + ids[0]
	return f.wrong
}
func (f *fakeAgent) Outbox(context.Context) ([]pow.OutboxItem, error) { return f.items, nil }
func (f *fakeAgent) Retry(_ context.Context, id string) error {
	f.calls <- "retry " + id
	return f.wrong
}
func (f *fakeAgent) Preview(context.Context) (pow.Preview, error) { return f.preview, f.wrong }
func (f *fakeAgent) Register(context.Context) ([]string, error) {
	f.calls <- "register"
	return []string{"P1", "P2"}, f.wrong
}
func (f *fakeAgent) NewKey(context.Context, pow.KeyRequest) (pow.KeyReply, error) {
	f.calls <- "new key"
	return pow.KeyReply{Npub: npub, Mnemonic: mnemonic}, f.wrong
}
func (f *fakeAgent) ReadInvite(context.Context, string) (pow.JoinPreview, error) {
	return pow.JoinPreview{Name: "Studio Nord", DVMNpub: npub, Relays: []string{"wss://hub.example.com"}, Blossom: []string{"https://hub.example.com"}}, f.wrong
}
func (f *fakeAgent) Join(context.Context, pow.JoinRequest) (pow.Joined, error) {
	f.calls <- "join"
	return f.joined, f.wrong
}
func (f *fakeAgent) Unlock(context.Context, string) error { f.calls <- "unlock"; return f.wrong }

const (
	npub     = "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2"
	mnemonic = "leader monkey parrot ring guide accident before fence cannon height naive bean"
)

// clock is the moment of every test: Friday, 20 November 2026, 10:14:07.
func clock() time.Time { return time.Date(2026, 11, 20, 10, 14, 7, 0, time.Local) }

func at(hour, minute int) time.Time { return time.Date(2026, 11, 20, hour, minute, 0, 0, time.Local) }

var (
	website = pow.Project{ID: "00000000000000a1", Name: "Website relaunch", Group: "Acme GmbH", Pictures: pow.Required, Interval: 600, Detail: pow.DetailCategory, Retention: 30}
	kiosk   = pow.Project{ID: "00000000000000a2", Name: "Kiosk app", Group: "Nordbahn", Pictures: pow.Optional, Interval: 600}
	long    = pow.Project{ID: "00000000000000a3", Name: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord", Group: "Nordbahn Verkehrsgesellschaft mit beschränkter Haftung", Pictures: pow.Forbidden}
)

func ref(p pow.Project) *pow.ProjectRef {
	return &pow.ProjectRef{ID: p.ID, Name: p.Name, Group: p.Group, Color: p.Color}
}

// busyDay is an agent in the middle of everything.
func busyDay() *fakeAgent {
	f := newFake(pow.Status{
		Timer:        pow.TimerStatus{State: pow.Tracking, Project: ref(website), Session: "S1", Since: at(9, 2), Elapsed: 4327, Note: "Header"},
		TodaySeconds: 15000, WeekSeconds: 81600, Held: 7, HeldSeconds: 4200,
		Outbox:        map[pow.State]int{pow.Queued: 1, pow.Relayed: 1, pow.Attention: 1, pow.Booked: 12},
		Relays:        []pow.Connection{{URL: "wss://a", State: "online"}, {URL: "wss://b", State: "offline"}},
		ActivityWatch: "ok", LastCapture: &pow.CaptureInfo{ID: "C1", At: at(10, 10)},
		Setup: pow.Setup{Key: true, Team: true, Npub: npub}, Team: "Studio Nord", Version: "1",
	})
	f.projects = []pow.Project{website, kiosk, long}
	f.entries = []pow.Entry{
		{Session: "S0", Project: *ref(long), From: at(8, 10), To: at(8, 55), Seconds: 2700, State: "attention"},
		{Session: "S1", Project: *ref(website), From: at(9, 2), State: "tracking", Note: "Header"},
	}
	f.items = []pow.OutboxItem{
		{ID: "P1", Project: ref(kiosk), From: at(8, 10), To: at(8, 55), Captures: 3, State: pow.Queued, Attempts: 2, NextAttempt: at(10, 32), LastError: &pow.Fault{Code: "offline", Text: "refused"}},
		{ID: "P2", Project: ref(website), From: at(7, 0), To: at(8, 0), Captures: 6, State: pow.Relayed, Seq: 41, Size: 1310720, SealedHash: pow.Hash{1},
			Servers: []pow.Place{{URL: "https://hub.example.com", State: pow.PlaceDone}}, Relays: []pow.Place{{URL: "wss://hub.example.com", State: pow.PlaceDone}}},
		{ID: "P3", Project: ref(long), From: at(6, 0), To: at(7, 0), Captures: 6, State: pow.Attention, Receipt: &pow.ReceiptInfo{Code: pow.CodeRejected, At: at(9, 0), Text: "Leave lunch out."}},
		{ID: "P4", Project: ref(kiosk), From: at(5, 0), To: at(6, 0), Captures: 1, State: pow.Booked, Receipt: &pow.ReceiptInfo{Code: pow.CodeBooked, At: at(9, 0), Timesheet: 4711}},
	}
	f.preview = pow.Preview{Project: *ref(website), Parts: []pow.PreviewPart{{From: at(9, 2), To: at(10, 2), Captures: 6}, {From: at(10, 2), To: at(10, 14), Captures: 1}},
		Seconds: 4320, Captures: 7, Bytes: 1234567, Rows: 41, Detail: pow.DetailCategory, Team: "Studio Nord", DVMNpub: npub, Recipient: "5f0c2a9112345678",
		Servers: []string{"https://hub.example.com"}, Relays: []string{"wss://hub.example.com"}, Retention: 30}
	return f
}
