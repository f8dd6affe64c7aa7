package settings_test

import (
	"context"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/settings"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
)

const npub = "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2"

// agent answers from fields.
type agent struct {
	settings pow.Settings
	saved    int
	refuse   error
	wrong    error
	checks   map[string][]pow.Check
	tested   []string
	keys     pow.KeysInfo
	sizes    pow.Sizes
	would    pow.Forgotten
	forgot   []pow.ForgetRequest
	changed  pow.PassphraseChange
	removed  pow.Key
	calls    []string
	projects []pow.Project
	terms    map[pow.ProjectID]pow.Terms
	windows  []pow.OpenWindow
	shots    [][]byte
}

func (a *agent) note(s string) error { a.calls = append(a.calls, s); return a.wrong }

func (a *agent) Settings(context.Context) (pow.Settings, error) { return a.settings, nil }
func (a *agent) SetSettings(_ context.Context, s pow.Settings) error {
	if a.refuse != nil {
		return a.refuse
	}
	a.settings = s
	a.saved++
	return nil
}
func (a *agent) Test(_ context.Context, name string) ([]pow.Check, error) {
	a.tested = append(a.tested, name)
	return a.checks[name], a.wrong
}
func (a *agent) TestShot(context.Context) ([][]byte, error)        { return a.shots, a.wrong }
func (a *agent) Keys(context.Context) (pow.KeysInfo, error)        { return a.keys, nil }
func (a *agent) Lock(context.Context) error                        { return a.note("lock") }
func (a *agent) Leave(context.Context) error                       { return a.note("leave") }
func (a *agent) Sizes(context.Context) (pow.Sizes, error)          { return a.sizes, nil }
func (a *agent) Projects(context.Context) ([]pow.Project, error)   { return a.projects, nil }
func (a *agent) Windows(context.Context) ([]pow.OpenWindow, error) { return a.windows, a.wrong }
func (a *agent) Backup(context.Context, string) (string, error) {
	return "ncryptsec1x", a.note("backup")
}
func (a *agent) TestBackup(context.Context, pow.BackupTest) error { return a.note("test backup") }
func (a *agent) RemoveDevice(_ context.Context, k pow.Key) error {
	a.removed = k
	return a.note("remove")
}
func (a *agent) Terms(_ context.Context, id pow.ProjectID) (pow.Terms, error) {
	return a.terms[id], nil
}
func (a *agent) ChangePassphrase(_ context.Context, c pow.PassphraseChange) error {
	a.changed = c
	return a.note("passphrase")
}
func (a *agent) Forget(_ context.Context, r pow.ForgetRequest) (pow.Forgotten, error) {
	a.forgot = append(a.forgot, r)
	f := a.would
	if !r.DryRun {
		f.After = 12_000_000
	}
	return f, a.wrong
}

// prefs are preferences in memory.
type prefs struct {
	fyne.Preferences
	values map[string]any
}

func (p prefs) String(k string) string { s, _ := p.values[k].(string); return s }
func (p prefs) SetString(k, v string)  { p.values[k] = v }
func (p prefs) SetInt(k string, v int) { p.values[k] = v }
func (p prefs) IntWithFallback(k string, d int) int {
	if n, ok := p.values[k].(int); ok {
		return n
	}
	return d
}

type desk struct {
	*agent
	agenda uitest.Agenda
	page   *settings.Page
	prefs  prefs
	copied string
	did    []string
	theme  theme.Variant
	secret bool
}

func open(t testing.TB, a *agent) *desk {
	t.Helper()
	d := &desk{agent: a, prefs: prefs{values: map[string]any{}}}
	did := func(s string) func() { return func() { d.did = append(d.did, s) } }
	files := backup.Disk()
	d.page = settings.NewPage(settings.Config{Agent: a, Async: d.agenda.Go, Now: uitest.Clock},
		settings.Options{Prefs: settings.Prefs{Preferences: d.prefs}, Files: files, Version: "1.4.0", Build: "87858d4"},
		settings.Links{
			Say: uitest.Say, Copy: func(s string) { d.copied = s }, Secret: func(on bool) { d.secret = on },
			Project: func(id pow.ProjectID) { d.did = append(d.did, "project "+string(id)) },
			Join:    did("join"), Diagnose: did("diagnose"), Restart: did("restart"), Mini: did("mini"),
			Theme: func(v theme.Variant) { d.theme = v },
		})
	d.page.Update(status(), uitest.Clock())
	d.page.Visible(true)
	d.agenda.Run()
	return d
}

func status() pow.Status {
	return pow.Status{Setup: pow.Setup{Key: true, Team: true, Keyring: true, Npub: npub}, Team: "Studio Nord", Version: "1.4.0", Pid: 4711,
		Relays: []pow.Connection{{URL: "wss://hub.example.com", State: "online"}, {URL: "wss://second.example.org", State: "offline", Error: "dial tcp: timeout"}}}
}

// full is an agent with something in every section.
func full() *agent {
	var mine pow.Key
	for i := range mine {
		mine[i] = byte(i)
	}
	web := pow.Project{ID: "00000000000000a1", Name: "Website relaunch", Group: "Acme GmbH"}
	long := pow.Project{ID: "00000000000000a3", Name: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord", Group: "Nordbahn Verkehrsgesellschaft mit beschränkter Haftung"}
	s := pow.DefaultSettings()
	s.WeekLimit, s.AppsOut, s.TitlesOut = 40*3600, []string{"Signal"}, []string{"Firefox", "Thunderbird"}
	s.Exclusions = []pow.Exclusion{{Private: true}, {App: "KeePassXC"}, {Title: "*bank*"}}
	s.Remind, s.RemindFrom, s.RemindTo, s.RemindDays = 900, 9*60, 17*60, 0b0111110
	return &agent{
		settings: s,
		keys: pow.KeysInfo{Npub: npub, DeviceNpub: "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2", Storage: "passphrase",
			Devices: []pow.Device{{Key: mine, Name: "laptop", State: "active"}, {Key: pow.Key{9}, Name: "old desktop", State: "active"}, {Key: pow.Key{8}, State: "removed"}}},
		sizes:    pow.Sizes{Queue: 48_200_000, Pictures: 41_000_000, Waiting: 6_400_000, Limit: 2_000_000_000, Free: 118_000_000_000},
		would:    pow.Forgotten{Pictures: 18, Seconds: 11400, Before: 48_200_000, Remains: []pow.Remains{{Where: "Studio Nord", Proofs: 12, Until: time.Date(2026, 12, 20, 12, 0, 0, 0, time.Local)}}},
		projects: []pow.Project{web, long},
		terms: map[pow.ProjectID]pow.Terms{
			web.ID:  {Project: web, Consent: pow.ConsentGiven, AgreedAt: uitest.At(9, 0), DVMNpub: npub, Team: "Studio Nord", Blossom: []string{"https://hub.example.com"}},
			long.ID: {Project: long, Consent: pow.ConsentChanged, DVMNpub: npub, Team: "Studio Nord", Blossom: []string{"https://hub.example.com"}},
		},
		checks: map[string][]pow.Check{
			"relays": {{Name: "relay hub.example.com", State: "ok", Detail: "reached in 41 ms"}, {Name: "relay second.example.org", State: "failed", Detail: "no answer", Mend: "check the network"}},
			"dvm":    {{Name: "archive key", State: "ok", Detail: "age-pq 5f0c2a9112345678"}},
		},
		windows: []pow.OpenWindow{
			{App: "KeePassXC", Title: "Passwords", Display: 0, Excluded: true, Rule: "KeePassXC"},
			{App: "Firefox", Title: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord – Mozilla Firefox", Display: 1},
		},
		shots: [][]byte{uitest.Desktop(960, 540, false), uitest.Desktop(640, 400, false)},
	}
}
