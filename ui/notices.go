package ui

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/words"
)

// notice is one banner.
type notice struct {
	key        string // remembers that it was put away; empty: it cannot be
	what, mend string
	grave      bool
	act        string
	do         func()
}

// role returns the colours of a banner.
func (n notice) role() (r, tint fyne.ThemeColorName, icon theme.IconName) {
	if n.grave {
		return theme.Danger, theme.TintDanger, theme.Attention
	}
	return theme.Warning, theme.TintWarning, theme.Warn
}

// warning is what the window knows about one of the agent's warnings.
type warning struct {
	code    pow.Code
	grave   bool
	dismiss bool // can be put away for the day
	act     string
	do      func(w *Window)
}

// The codes of warnings that only the window names.
const (
	codeHeldLong   pow.Code = "held-long"   // pictures wait so long that they will be late
	codeOffline    pow.Code = "offline"     // for a day
	codeAppsAbsent pow.Code = "apps-absent" // ActivityWatch, for ten minutes
)

// warnings lists them in the order in which they are shown; what is not here
// comes last and can be put away.
func warnings() []warning {
	toData := func(w *Window) { w.openSettings(toDataGroup) }
	return []warning{
		{pow.ErrDiskFull.Code, true, false, "act.open_data", toData},
		{"queue-damaged", true, false, "", nil},
		{"not-allowed", true, false, "act.diagnose", (*Window).openDoctor},
		{pow.ErrNoDisplay.Code, true, false, "act.diagnose", (*Window).openDoctor},
		{pow.CodeMemberSuspended, true, false, "act.copy_key", (*Window).copyNpub},
		{pow.CodeNotMember, true, false, "act.copy_key", (*Window).copyNpub},
		{pow.CodePolicyChanged, false, false, "act.see_terms", (*Window).openTerms},
		{"terms-changed", false, false, "act.see_terms", (*Window).openTerms},
		{"clock", false, false, "act.diagnose", (*Window).openDoctor},
		{pow.CodeFuture, false, false, "act.diagnose", (*Window).openDoctor},
		{pow.CodeRecipientExpired, false, false, "", nil},
		{"announcement-old", false, false, "", nil},
		{codeHeldLong, false, true, "act.register", (*Window).openRegister},
		{codeOffline, false, true, "act.retry", (*Window).retryAll},
		{codeAppsAbsent, false, true, "act.open_apps", func(w *Window) { w.openSettings(toAppsGroup) }},
	}
}

// notices lists what the window has to say, the gravest first.
func (w *Window) notices() []notice {
	if w.lost > 0 {
		return []notice{w.lostNotice()}
	}
	var list []notice
	if w.known && w.opts.Version != "" && w.status.Version != "" && w.status.Version != w.opts.Version {
		list = append(list, w.versionNotice())
	}
	list = append(list, w.warned()...)
	if n := w.away.Presenter.Model().Questions; len(n) > 0 && !w.away.Opened() {
		q := n[0]
		list = append(list, notice{what: words.T("banner.away", words.Data{"From": words.Time(q.From), "To": words.Time(q.To)}),
			mend: words.T("banner.away.mend"), act: words.T("act.answer"), do: w.away.Open})
	}
	return list
}

func (w *Window) lostNotice() notice {
	if w.lost < len(pauses) {
		return notice{what: words.T("banner.starting"), grave: true}
	}
	n := notice{what: words.T("banner.lost"), mend: words.T("banner.lost.mend"), grave: true, act: words.T("act.copy_details"), do: w.copyFailure}
	if w.failure != nil {
		what, mend := w.say(w.failure)
		n.mend = what + " " + mend
	}
	return n
}

func (w *Window) versionNotice() notice {
	n := notice{key: "version", what: words.T("banner.version"), mend: words.T("banner.version.mend")}
	if w.opts.Restart != nil {
		n.key, n.mend = "", words.T("banner.version.goes_on")
		n.act, n.do = words.T("act.restart_tracker"), w.restartAgent
	}
	return n
}

// warned turns the agent's warnings into banners, in the window's order.
func (w *Window) warned() (list []notice) {
	faults := slices.Clone(w.status.Warnings)
	if !w.appsGone.IsZero() && w.now().Sub(w.appsGone) >= appsPatience {
		faults = append(faults, pow.Fault{Code: codeAppsAbsent})
	}
	order := warnings()
	rank := func(f pow.Fault) int {
		if i := slices.IndexFunc(order, func(k warning) bool { return k.code == f.Code }); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(faults, func(a, b pow.Fault) int { return rank(a) - rank(b) })
	for _, f := range faults {
		n := notice{key: string(f.Code), what: words.Foreign(f.Text)}
		if words.Has("error." + string(f.Code)) {
			n.what = words.T("error." + string(f.Code))
		}
		if words.Has("error." + string(f.Code) + ".mend") {
			n.mend = words.T("error." + string(f.Code) + ".mend")
		}
		if i := rank(f); i < len(order) {
			n = w.detailed(n, order[i])
		}
		if n.key == "" || w.dismissed[n.key] != w.today() {
			list = append(list, n)
		}
	}
	return list
}

// detailed adds what the window knows about a warning.
func (w *Window) detailed(n notice, k warning) notice {
	n.grave = k.grave
	if !k.dismiss {
		n.key = ""
	}
	if k.do != nil {
		n.act, n.do = words.T(k.act), func() { k.do(w) }
	}
	return n
}

// appsPatience is how long ActivityWatch may be away before it is told.
const appsPatience = 10 * time.Minute

// watchApps notices since when ActivityWatch is away.
func (w *Window) watchApps() {
	switch {
	case w.status.ActivityWatch != "absent":
		w.appsGone = time.Time{}
	case w.appsGone.IsZero():
		w.appsGone = w.now()
		w.bridge.After(appsPatience, w.drawBanner)
	}
}

func (w *Window) today() string { return w.now().Format(time.DateOnly) }

func (w *Window) dismiss(key string) {
	w.dismissed[key] = w.today()
	w.drawBanner()
}

func (w *Window) drawBanner() {
	w.banner.draw(w.notices())
	w.relayout()
}
