package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pow.do/app/config"
	"pow.do/services/client/activity"
	"pow.do/services/pow"
	"pow.do/services/wire/dial"
)

// docSettings holds the settings, encrypted. docOpenSettings holds those of
// them that name nothing, in clear: they have to hold while the keys are locked.
const (
	docSettings     = "settings"
	docOpenSettings = "settings-open"
)

// openSettings is the part of the settings that may rest in clear. Named tells
// that there are exclusions by app or title, which may not.
type openSettings struct {
	pow.Settings
	Named bool `json:"named,omitempty"`
}

// openPart takes out of s whatever may tell of a person.
func openPart(s pow.Settings) (o openSettings) {
	o.Named = slices.ContainsFunc(s.Exclusions, func(e pow.Exclusion) bool { return !e.Private })
	o.Settings = s
	o.Exclusions = slices.DeleteFunc(slices.Clone(s.Exclusions), func(e pow.Exclusion) bool { return !e.Private })
	o.ActivityURL, o.ActivityKey, o.AppsOut, o.TitlesOut, o.Proxy, o.TorOnly = "", "", nil, nil, "", false
	return o
}

// settings returns the settings that hold now. hidden tells that the exclusions
// by app and title cannot be read, as the keys are locked.
func (a *Agent) settings() (s pow.Settings, hidden bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.set, a.setHidden
}

// Settings implements API.
func (a *Agent) Settings(context.Context) (pow.Settings, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queue != nil && a.keys == nil {
		return pow.Settings{}, pow.ErrLocked
	}
	return a.set, nil
}

// SetSettings implements API.
func (a *Agent) SetSettings(_ context.Context, s pow.Settings) error {
	if err := a.ready(); err != nil {
		return err
	}
	if err := checkSettings(s); err != nil {
		return err
	}
	a.mu.Lock()
	locked, was := a.keys == nil, a.set
	a.mu.Unlock()
	if locked {
		return pow.ErrLocked
	}
	if s.StartAtLogin != was.StartAtLogin {
		if err := a.startAtLogin(s.StartAtLogin); err != nil {
			return err
		}
	}
	if err := errors.Join(a.queue.PutSecretDoc(docSettings, s), a.queue.PutDoc(docOpenSettings, openPart(s))); err != nil {
		return err
	}
	return a.applySettings(s, false)
}

// loadSettings reads what holds while the keys are locked, or everything.
func (a *Agent) loadSettings() error {
	var o openSettings // what is left out in JSON is empty, not the default
	found, err := a.queue.SecretDoc(docSettings, &o.Settings)
	if errors.Is(err, pow.ErrLocked) {
		found, err = a.queue.Doc(docOpenSettings, &o)
	}
	if err != nil {
		return err
	}
	if !found || checkSettings(o.Settings) != nil { // none yet, or of another version
		o.Settings = pow.DefaultSettings()
	}
	return a.applySettings(o.Settings, o.Named)
}

// applySettings makes s hold from now on.
func (a *Agent) applySettings(s pow.Settings, hidden bool) error {
	proxy := a.cfg.Proxy // the command line beats the settings
	if proxy == "" {
		proxy = s.Proxy
	}
	address, err := config.Proxy(proxy)
	if err != nil {
		return usage(err)
	}
	a.mu.Lock()
	was := a.set
	a.mu.Unlock()
	if a.cfg.Proxy == "" && s.Proxy != was.Proxy {
		d, err := dial.New(dial.Config{SOCKS5: address})
		if err != nil {
			return usage(err)
		}
		a.mu.Lock()
		a.dialer = d
		a.renewLocked()
		a.mu.Unlock()
	}
	displays := s.Displays
	if len(a.cfg.Displays) > 0 {
		displays = a.cfg.Displays
	}
	a.pictures.choose(displays)
	a.activity.set(s)
	a.mu.Lock()
	a.set, a.setHidden = s, hidden
	a.mu.Unlock()
	a.changed()
	return nil
}

// Bounds of the settings.
const (
	maxRules    = 200 // exclusions, apps or titles
	maxRuleText = 200 // runes
	maxDisplays = 32
	maxKeyText  = 500
)

// languages that the program speaks; "" is the desktop's.
var languages = []string{"", "en", "de", "es", "fr"}

// checkSettings says what is wrong with s, in one line that names the setting.
func checkSettings(s pow.Settings) error {
	for name, ok := range map[string]bool{
		"language":                    slices.Contains(languages, s.Language),
		"first day of the week":       s.WeekStart >= 0 && s.WeekStart <= 6,
		"week limit":                  within(s.WeekLimit, 0, 7*24*time.Hour),
		"away after":                  s.AwayAfter == 0 || within(s.AwayAfter, time.Minute, 4*time.Hour),
		"stop after":                  within(s.StopAfter, 15*time.Minute, 16*time.Hour),
		"reminder":                    s.Remind == 0 || within(s.Remind, 5*time.Minute, 24*time.Hour),
		"hours of the reminder":       s.RemindFrom >= 0 && s.RemindTo >= s.RemindFrom && s.RemindTo <= 24*60,
		"days of the reminder":        s.RemindDays >= 0 && s.RemindDays < 1<<7,
		"monitors":                    len(s.Displays) <= maxDisplays && distinct(s.Displays) && !slices.ContainsFunc(s.Displays, func(d int) bool { return d < 0 || d >= maxDisplays }),
		"toast":                       slices.Contains([]pow.ToastKind{pow.ToastOff, pow.ToastWindow, pow.ToastNotification}, s.Toast),
		"seconds of the toast":        s.ToastFor >= 2 && s.ToastFor <= 60,
		"notifications":               slices.Contains([]pow.NotifyKind{pow.NotifyOff, pow.NotifyPlain, pow.NotifyNames}, s.Notify),
		"apps that never leave":       len(s.AppsOut) <= maxRules && !slices.ContainsFunc(s.AppsOut, badText),
		"titles that never leave":     len(s.TitlesOut) <= maxRules && !slices.ContainsFunc(s.TitlesOut, badText),
		"exclusions":                  len(s.Exclusions) <= maxRules && !slices.ContainsFunc(s.Exclusions, badExclusion),
		"address of ActivityWatch":    s.ActivityURL == "" || activity.CheckURL(s.ActivityURL) == nil,
		"key of ActivityWatch":        len(s.ActivityKey) <= maxKeyText && !strings.ContainsFunc(s.ActivityKey, unicode.IsControl),
		"lock after":                  s.LockAfter == 0 || within(s.LockAfter, time.Minute, 24*time.Hour),
		"only through Tor: the proxy": !s.TorOnly || s.Proxy != "",
	} {
		if !ok {
			return &pow.Error{Code: pow.ErrUsage.Code, What: "the setting is not valid: " + name}
		}
	}
	if _, err := config.Proxy(s.Proxy); err != nil {
		return usage(err)
	}
	return nil
}

// within tells whether a number of seconds lies between two durations.
func within(seconds int, least, most time.Duration) bool {
	return seconds >= int(least/time.Second) && seconds <= int(most/time.Second)
}

func distinct(list []int) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) == len(list)
}

func badText(s string) bool {
	return strings.TrimSpace(s) == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxRuleText || strings.ContainsFunc(s, unicode.IsControl)
}

// badExclusion: exactly one field is set, to something of use.
func badExclusion(e pow.Exclusion) bool {
	switch {
	case e.Private:
		return e.App != "" || e.Title != ""
	case e.App != "":
		return e.Title != "" || badText(e.App)
	}
	return badText(e.Title)
}

// startAtLogin has the desktop start the agent, or not, at the next login.
func (a *Agent) startAtLogin(on bool) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return autostart(self, a.cfg.Home, on)
}
