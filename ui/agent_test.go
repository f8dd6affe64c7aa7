package ui

import (
	"context"
	"slices"
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
	consent  pow.Consent
	settings pow.Settings
	days     []pow.HistoryDay
	thumb    []byte
	calls    chan string // what was asked for, in order
	wrong    error       // what every act answers with
}

func newFake(s pow.Status) *fakeAgent {
	return &fakeAgent{status: s, changes: make(chan pow.Status, 8), calls: make(chan string, 256), consent: pow.ConsentGiven, settings: pow.DefaultSettings()}
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
func (f *fakeAgent) Entries(_ context.Context, day time.Time) ([]pow.Entry, error) {
	if day.Day() != clock().Day() && len(f.entries) > 0 {
		return []pow.Entry{{Project: *ref(kiosk), From: day, To: day.Add(time.Hour), Seconds: 3600, State: "booked", Note: "Texts"}}, nil
	}
	return f.entries, nil
}
func (f *fakeAgent) Thumbnail(context.Context, string) ([]byte, error) {
	if f.thumb == nil {
		return nil, pow.ErrNotFound
	}
	return f.thumb, nil
}
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
func (f *fakeAgent) UndoSwitch(context.Context) (pow.Status, error) {
	f.calls <- "undo switch"
	return f.status, f.wrong
}
func (f *fakeAgent) Pause(context.Context) (pow.Status, error) {
	f.calls <- "pause"
	return f.status, f.wrong
}
func (f *fakeAgent) Resume(context.Context) (pow.Status, error) {
	f.calls <- "resume"
	return f.status, f.wrong
}
func (f *fakeAgent) OffRecord(_ context.Context, r pow.OffRecord) (pow.Status, error) {
	f.calls <- "off the record " + r.Until.Format("15:04")
	return f.status, f.wrong
}
func (f *fakeAgent) Terms(_ context.Context, id pow.ProjectID) (pow.Terms, error) {
	return pow.Terms{Project: website, Team: "Studio Nord", DVMNpub: npub, Consent: f.consent}, nil
}
func (f *fakeAgent) Agree(context.Context, pow.AgreeRequest) error {
	f.calls <- "agree"
	return f.wrong
}
func (f *fakeAgent) Withdraw(context.Context, pow.ProjectID) error   { return f.wrong }
func (f *fakeAgent) Choose(context.Context, pow.ProjectChoice) error { return f.wrong }
func (f *fakeAgent) Settings(context.Context) (pow.Settings, error)  { return f.settings, nil }
func (f *fakeAgent) SetSettings(_ context.Context, s pow.Settings) error {
	f.settings = s
	return f.wrong
}
func (f *fakeAgent) Windows(context.Context) ([]pow.OpenWindow, error) { return nil, nil }
func (f *fakeAgent) AnswerAway(_ context.Context, a pow.AwayAnswer) (pow.Status, error) {
	f.calls <- "away " + a.ID + " " + string(a.Choice) + a.Project
	s := f.status
	s.Away = slices.DeleteFunc(slices.Clone(s.Away), func(q pow.AwayQuestion) bool { return q.ID == a.ID })
	f.status = s
	return s, f.wrong
}
func (f *fakeAgent) EditEntry(_ context.Context, e pow.EntryEdit) error {
	f.calls <- "edit " + e.ID
	return f.wrong
}
func (f *fakeAgent) UndoEntry(_ context.Context, id string) error {
	f.calls <- "undo " + id
	return f.wrong
}
func (f *fakeAgent) History(context.Context, pow.Interval) ([]pow.HistoryDay, error) {
	return f.days, nil
}
func (f *fakeAgent) CheckProofs(context.Context) (pow.Check, error) {
	return pow.Check{Name: "proofs", State: "ok", Detail: "212 of 212 in order"}, f.wrong
}
func (f *fakeAgent) Pictures(context.Context, time.Time) ([]pow.Picture, error) { return nil, nil }
func (f *fakeAgent) Picture(context.Context, pow.PictureRequest) ([]byte, error) {
	return nil, pow.ErrNotFound
}
func (f *fakeAgent) AppTimes(context.Context, time.Time) ([]pow.AppTime, error) { return nil, nil }
func (f *fakeAgent) Edit(context.Context, pow.EditRequest) error                { return f.wrong }
func (f *fakeAgent) Approve(context.Context, []string) error                    { return f.wrong }
func (f *fakeAgent) Undo(context.Context, []string) error                       { return f.wrong }
func (f *fakeAgent) Remove(context.Context, pow.RemoveRequest) (pow.Effect, error) {
	return pow.Effect{}, f.wrong
}
func (f *fakeAgent) LeaveOut(context.Context, pow.LeaveOut) error { return f.wrong }
func (f *fakeAgent) Lock(context.Context) error                   { f.calls <- "lock"; return f.wrong }
func (f *fakeAgent) Quit(context.Context) error                   { f.calls <- "quit"; return f.wrong }
func (f *fakeAgent) Test(context.Context, string) ([]pow.Check, error) {
	return nil, f.wrong
}
func (f *fakeAgent) TestShot(context.Context) ([][]byte, error) { return nil, f.wrong }
func (f *fakeAgent) Keys(context.Context) (pow.KeysInfo, error) {
	return pow.KeysInfo{Npub: npub, DeviceNpub: npub, Storage: "keyring"}, nil
}
func (f *fakeAgent) ChangePassphrase(context.Context, pow.PassphraseChange) error { return f.wrong }
func (f *fakeAgent) RemoveDevice(context.Context, pow.Key) error                  { return f.wrong }
func (f *fakeAgent) Leave(context.Context) error                                  { return f.wrong }
func (f *fakeAgent) Sizes(context.Context) (pow.Sizes, error)                     { return pow.Sizes{}, nil }
func (f *fakeAgent) Backup(context.Context, string) (string, error)               { return "", f.wrong }
func (f *fakeAgent) TestBackup(context.Context, pow.BackupTest) error             { return f.wrong }
func (f *fakeAgent) Unlock(context.Context, string) error                         { f.calls <- "unlock"; return f.wrong }

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
		{ID: "E0", Session: "S0", Project: *ref(long), From: at(8, 10), To: at(8, 55), Seconds: 2700, State: "attention"},
		{ID: "E2", Session: "S3", Project: *ref(kiosk), From: at(8, 55), To: at(9, 0), Seconds: 300, State: "held", Note: "Call", ByHand: true,
			Was: &pow.Entry{Project: *ref(kiosk), From: at(8, 55), To: at(9, 2), Note: "Call"}},
		{ID: "E1", Session: "S1", Project: *ref(website), From: at(9, 2), State: "tracking", Note: "Header"},
	}
	f.items = []pow.OutboxItem{
		{ID: "P1", Project: ref(kiosk), From: at(8, 10), To: at(8, 55), Captures: 3, State: pow.Queued, Attempts: 2, NextAttempt: at(10, 32), LastError: &pow.Fault{Code: "offline", Text: "refused"}},
		{ID: "P2", Project: ref(website), From: at(7, 0), To: at(8, 0), Captures: 6, State: pow.Relayed, Seq: 41, Size: 1310720, SealedHash: pow.Hash{1},
			Servers: []pow.Place{{URL: "https://hub.example.com", State: pow.PlaceDone}}, Relays: []pow.Place{{URL: "wss://hub.example.com", State: pow.PlaceDone}}},
		{ID: "P3", Project: ref(long), From: at(6, 0), To: at(7, 0), Captures: 6, State: pow.Attention, Receipt: &pow.ReceiptInfo{Code: pow.CodeRejected, At: at(9, 0), Text: "Leave lunch out."}},
		{ID: "P4", Project: ref(kiosk), From: at(5, 0), To: at(6, 0), Captures: 1, State: pow.Booked, Receipt: &pow.ReceiptInfo{Code: pow.CodeBooked, At: at(9, 0), Timesheet: 4711}},
	}
	f.settings.WeekLimit = 40 * 3600
	for i := range 5 {
		day := time.Date(2026, 11, 16+i, 0, 0, 0, 0, time.Local)
		f.days = append(f.days,
			pow.HistoryDay{Day: day, Project: *ref(website), Total: 14400, Booked: 7200, Verified: 2400, OnTheWay: 3000, Unregistered: 1800, Kept: int64(i) * 600},
			pow.HistoryDay{Day: day, Project: *ref(kiosk), Total: int64(i) * 1500, Unregistered: int64(i) * 1500})
	}
	f.days = append(f.days, pow.HistoryDay{Day: at(0, 0), Project: *ref(long), Total: 2700, Booked: 2700, Difference: -900})
	f.preview = pow.Preview{Project: *ref(website), Parts: []pow.PreviewPart{{From: at(9, 2), To: at(10, 2), Captures: 6}, {From: at(10, 2), To: at(10, 14), Captures: 1}},
		Seconds: 4320, Captures: 7, Bytes: 1234567, Rows: 41, Detail: pow.DetailCategory, Team: "Studio Nord", DVMNpub: npub, Recipient: "5f0c2a9112345678",
		Servers: []string{"https://hub.example.com"}, Relays: []string{"wss://hub.example.com"}, Retention: 30}
	return f
}
