package firstrun_test

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/firstrun"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
)

const (
	npub     = "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2"
	mnemonic = "leader monkey parrot ring guide accident before fence cannon height naive bean"
	sealed   = "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p"
	good     = "four words are good"
	link     = "powdo://join#eyJ2IjoxfQ"
)

// agent answers from fields and notes what it was asked.
type agent struct {
	wrong    error
	calls    []string
	key      pow.KeyRequest
	joined   pow.Joined
	settings pow.Settings
	consent  map[pow.ProjectID]pow.Consent
	chosen   []pow.ProjectChoice
	checks   map[string][]pow.Check
	edits    []pow.Edit
	rows     []pow.ActivityRow
	tested   pow.BackupTest
}

func (a *agent) did(s string) error { a.calls = append(a.calls, s); return a.wrong }

func (a *agent) NewKey(_ context.Context, r pow.KeyRequest) (pow.KeyReply, error) {
	a.key = r
	reply := pow.KeyReply{Npub: npub}
	if r.Restore == "" {
		reply.Mnemonic = mnemonic
	}
	return reply, a.did("new key")
}
func (a *agent) ReadInvite(context.Context, string) (pow.JoinPreview, error) {
	return pow.JoinPreview{Name: "Studio Nord", DVMNpub: npub, Relays: []string{"wss://hub.example.com"}, Blossom: []string{"https://hub.example.com"},
		Expires: time.Date(2026, 11, 27, 12, 0, 0, 0, time.Local)}, a.did("read")
}
func (a *agent) Join(_ context.Context, r pow.JoinRequest) (pow.Joined, error) {
	return a.joined, a.did("join " + r.Name)
}
func (a *agent) Projects(context.Context) ([]pow.Project, error) { return projects, a.wrong }
func (a *agent) Terms(_ context.Context, id pow.ProjectID) (pow.Terms, error) {
	for _, p := range projects {
		if p.ID == id {
			return pow.Terms{Project: p, Team: "Studio Nord", DVMNpub: npub, Hash: pow.Hash{1}, Consent: a.consent[id], Relays: []string{"wss://hub.example.com"},
				Choice: pow.ProjectChoice{Project: id, Detail: pow.DetailCategory}}, nil
		}
	}
	return pow.Terms{}, pow.ErrUnknownProject
}
func (a *agent) Agree(_ context.Context, r pow.AgreeRequest) error {
	a.consent[r.Project] = pow.ConsentGiven
	return a.did("agree " + string(r.Project))
}
func (a *agent) Withdraw(context.Context, pow.ProjectID) error { return a.did("withdraw") }
func (a *agent) Choose(_ context.Context, c pow.ProjectChoice) error {
	a.chosen = append(a.chosen, c)
	return a.did("choose")
}
func (a *agent) TestShot(context.Context) ([][]byte, error) {
	return [][]byte{uitest.Desktop(960, 540, false), uitest.Desktop(640, 400, false)}, a.did("shot")
}
func (a *agent) ActivityPreview(context.Context) ([]pow.ActivityRow, error) { return a.rows, a.wrong }
func (a *agent) Rehearse(_ context.Context, edits []pow.Edit) (pow.Rehearsal, error) {
	a.edits = edits
	return pow.Rehearsal{Before: uitest.Desktop(960, 540, false), After: uitest.Desktop(960, 540, true), Size: 214_000, Hash: pow.Hash{5, 0xf}, Opened: true, Denied: true}, a.did("rehearse")
}
func (a *agent) Settings(context.Context) (pow.Settings, error) { return a.settings, a.wrong }
func (a *agent) SetSettings(_ context.Context, s pow.Settings) error {
	if a.wrong == nil {
		a.settings = s
	}
	return a.did("settings")
}
func (a *agent) Test(_ context.Context, name string) ([]pow.Check, error) {
	return a.checks[name], a.did("test " + name)
}
func (a *agent) Windows(context.Context) ([]pow.OpenWindow, error) {
	return []pow.OpenWindow{{App: "KeePassXC", Title: "Passwords", Excluded: true, Rule: "KeePassXC"}, {App: "Firefox", Title: "Sprint board", Display: 1}}, a.wrong
}
func (a *agent) Backup(context.Context, string) (string, error) { return sealed, a.did("backup") }
func (a *agent) TestBackup(_ context.Context, b pow.BackupTest) error {
	a.tested = b
	return a.did("test backup")
}

var projects = []pow.Project{
	{ID: "00000000000000a1", Name: "Website relaunch", Group: "Acme GmbH", Pictures: pow.Required, Interval: 600, Detail: pow.DetailApp, Retention: 30},
	{ID: "00000000000000a2", Name: "Kiosk app", Group: "Nordbahn", Pictures: pow.Optional, Interval: 600, Detail: pow.DetailCategory},
}

func newAgent() *agent {
	return &agent{
		joined: pow.Joined{Team: "Studio Nord", Member: "Anna", Code: pow.CodeEnrolled, Projects: projects}, settings: pow.DefaultSettings(),
		consent: map[pow.ProjectID]pow.Consent{},
		checks: map[string][]pow.Check{
			"relays":  {{Name: "relay a", State: "ok"}, {Name: "relay b.example.org", State: "failed", Detail: "no answer"}},
			"blossom": {{Name: "files a", State: "ok"}},
		},
		rows: []pow.ActivityRow{
			{From: uitest.At(9, 0), To: uitest.At(9, 20), Category: "Work > Programming"},
			{From: uitest.At(9, 20), To: uitest.At(9, 26), Category: "Communication"},
		},
	}
}

// store is what is kept across a restart of the window.
type store map[string]string

func (s store) String(k string) string { return s[k] }
func (s store) SetString(k, v string)  { s[k] = v }

type desk struct {
	*agent
	agenda uitest.Agenda
	store  store
	files  map[string][]byte
	page   *firstrun.Page
	screen *uitest.Screen
	secret bool
	done   int
	anew   int
	theme  theme.Variant
	status pow.Status
	picked int
}

func open(t testing.TB, a *agent, st store, width, height float32) *desk {
	t.Helper()
	d := &desk{agent: a, store: st, files: map[string][]byte{}, status: pow.Status{Setup: pow.Setup{Keyring: true}, ActivityWatch: "ok"}}
	files := backup.Files{Home: "/home/anna",
		Write: func(p string, b []byte) error {
			if _, ok := d.files[p]; ok {
				return fs.ErrExist
			}
			d.files[p] = b
			return nil
		},
		Read: func(p string) ([]byte, error) {
			if b, ok := d.files[p]; ok {
				return b, nil
			}
			return nil, fs.ErrNotExist
		}}
	d.page = firstrun.NewPage(firstrun.Config{Agent: a, Async: d.agenda.Go, Store: st, Pick: d.pick}, files, uitest.Clock, firstrun.Links{
		Say: uitest.Say, Copy: func(string) {}, Paste: func() string { return link }, Done: func() { d.done++ },
		Secret: func(on bool) { d.secret = on }, Restart: func() { d.anew++ }, Theme: func(v theme.Variant) { d.theme = v },
		Look: func() theme.Variant { return d.theme },
	})
	d.screen = uitest.Show(t, d.page.Object(), width, height)
	d.page.Update(d.status, uitest.Clock())
	d.page.Visible(true)
	d.agenda.Run()
	return d
}

// pick goes through the numbers in order.
func (d *desk) pick(n int) int { d.picked++; return d.picked * 5 % n }

// press presses and does what that starts.
func (d *desk) press(text string) {
	d.screen.Press(text)
	d.agenda.Run()
}
