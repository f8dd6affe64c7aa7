package firstrun

import (
	"fmt"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"pow.do/ui/input"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// languageNames are in their own language, so that everybody finds theirs.
var languageNames = map[string]string{"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}

func (p *Page) hello(Model) []fyne.CanvasObject {
	var options []widgets.Option
	for _, l := range words.Languages {
		options = append(options, widgets.Option{ID: l, Name: languageNames[l]})
	}
	language := widgets.NewSegments(options, func(id string) { p.Presenter.SetLanguage(id, p.links.Restart) })
	language.Choose(words.T("welcome.language.code"))
	look := widgets.NewSegments([]widgets.Option{
		{ID: "0", Name: words.T("settings.theme.0")}, {ID: "1", Name: words.T("settings.theme.1")}, {ID: "2", Name: words.T("settings.theme.2")},
	}, func(id string) {
		n, _ := strconv.Atoi(id)
		p.links.Theme(theme.Variant(n))
	})
	look.Choose(strconv.Itoa(int(p.links.Look())))
	begin := p.button(words.T("act.begin"), theme.Forward, widgets.Main, p.Presenter.Next)
	return []fyne.CanvasObject{
		title("welcome.hello"),
		para("welcome.hello.text"),
		point(theme.Timer, words.T("welcome.hello.track"), ""),
		point(theme.Lock, words.T("welcome.hello.seal"), ""),
		point(theme.Register, words.T("welcome.hello.yours"), ""),
		widgets.NewRule(),
		widgets.NewRow(words.T("settings.language"), "", language.Box).Box,
		widgets.NewRow(words.T("settings.theme"), "", look.Box).Box,
		widgets.Wrap(theme.Gap, begin),
	}
}

func (p *Page) chooseKey(Model) []fyne.CanvasObject {
	fresh := choice(theme.Add, words.T("welcome.key.new"), words.T("welcome.key.new.text"), p.Presenter.MakeNew)
	old := choice(theme.Key, words.T("welcome.key.old"), words.T("welcome.key.old.text"), p.Presenter.UseOld)
	p.focus = fresh
	return []fyne.CanvasObject{
		title("welcome.key"),
		para("welcome.key.text"),
		fresh, old,
		widgets.Wrap(theme.Gap, p.goBack()),
	}
}

func (p *Page) restore(m Model) []fyne.CanvasObject {
	form := widgets.NewSegments([]widgets.Option{
		{ID: string(Twelve), Name: words.T("welcome.restore.12")},
		{ID: string(TwentyFour), Name: words.T("welcome.restore.24")},
		{ID: string(Text), Name: words.T("welcome.restore.one")},
	}, func(id string) { p.Presenter.SetForm(Form(id)) })
	form.Choose(string(m.Form))
	body, read := p.keyText()
	if n, err := strconv.Atoi(string(m.Form)); err == nil {
		body, read = p.keyWords(n)
	}
	phrase := p.entry("phrase", words.T("welcome.restore.passphrase"), true)
	phraseField := p.field("phrase", words.T("welcome.restore.passphrase"), phrase)
	forward := func() { p.Presenter.Restored(read(), phrase.Text) }
	phrase.OnSubmitted = func(string) { forward() }
	live := widgets.NewState(false)
	p.draws = append(p.draws, func(m Model) {
		phraseField.Box.Hidden = m.Key.Kind != input.Sealed
		live.Box.Hidden = m.Key.Text == "" || m.Fault != input.Fine
		live.Set(theme.Verified, theme.Success, words.T("welcome.restore.fits"))
	})
	next := p.button(words.T("act.next"), theme.Forward, widgets.Main, forward)
	return []fyne.CanvasObject{
		title("welcome.restore"),
		para("welcome.restore.text"),
		form.Box, body, live.Box, phraseField.Box,
		widgets.Wrap(theme.Gap, p.goBack(), next),
	}
}

// keyText is one field for any form of key.
func (p *Page) keyText() (fyne.CanvasObject, func() string) {
	e := widgets.NewLines(words.T("welcome.restore.hint"), 3)
	p.keep("key", e)
	e.OnChanged = func(s string) { p.drafts["key"] = s; p.Presenter.Typed(s) }
	p.focus = e
	return p.field("key", "", e).Box, func() string { return e.Text }
}

// keyWords is one field for each word. A paste of all of them is spread over the
// fields; a word that is in no list is marked as soon as it is left.
func (p *Page) keyWords(n int) (fyne.CanvasObject, func() string) {
	entries := make([]*widgets.Entry, n)
	grid := widgets.Column(8)
	all := func() string {
		var list []string
		for _, e := range entries {
			list = append(list, strings.TrimSpace(e.Text))
		}
		return strings.TrimSpace(strings.Join(list, " "))
	}
	const across = 3
	for i := 0; i < n; i += across {
		row := widgets.Sides(10, 0)
		for j := i; j < i+across; j++ {
			row.Objects = append(row.Objects, p.wordCell(entries, j, all))
		}
		grid.Objects = append(grid.Objects, row)
	}
	p.focus = entries[0]
	wrong := widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Danger, Wrap: true})
	p.draws = append(p.draws, func(m Model) {
		wrong.Set("")
		// While words are missing, only a wrong one is worth a sentence.
		if f := m.Fault; m.At == "key" && f != input.Fine && (f != input.WordCount || len(m.Key.Words) == n) {
			wrong.Set(words.T("input."+string(f), words.Data{"N": place1(entries, m.Key.Wrong)}))
		}
		wrong.Hidden = wrong.Words() == ""
	})
	return widgets.Column(8, grid, wrong), all
}

// place1 is the number of the field that holds the n-th word: empty fields count.
func place1(entries []*widgets.Entry, n int) int {
	for i, e := range entries {
		if strings.TrimSpace(e.Text) == "" {
			continue
		}
		if n == 0 {
			return i + 1
		}
		n--
	}
	return len(entries)
}

func (p *Page) wordCell(entries []*widgets.Entry, i int, all func() string) fyne.CanvasObject {
	key := fmt.Sprintf("word-%d", i)
	e := widgets.NewEntry("")
	e.SetText(p.drafts[key])
	entries[i] = e
	number := widgets.NewText(fmt.Sprintf("%2d", i+1), widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted, Fixed: true})
	e.OnChanged = func(s string) {
		if list := strings.Fields(s); len(list) > 1 {
			p.spread(entries, i, list)
			return
		}
		p.drafts[key] = s
		number.SetRole(theme.Muted)
		p.Presenter.Typed(all())
	}
	e.OnLeft = func(s string) {
		if s != "" && !input.KnownWord(s) {
			number.SetRole(theme.Danger)
		}
	}
	return widgets.Line(6, e, number, e)
}

// spread puts pasted words into the fields from the i-th on. More words than
// there are fields change to the longer form, so that none is lost.
func (p *Page) spread(entries []*widgets.Entry, i int, list []string) {
	if i+len(list) > len(entries) && len(entries) < longest {
		for k, w := range list {
			p.drafts[fmt.Sprintf("word-%d", i+k)] = w
		}
		p.Presenter.SetForm(TwentyFour)
		return
	}
	for k, w := range list {
		if i+k < len(entries) {
			entries[i+k].SetText(w)
		}
	}
}

// longest is the most words that a key has.
const longest = 24

func (p *Page) safe(m Model) []fyne.CanvasObject {
	objects := []fyne.CanvasObject{title("welcome.safe"), para("welcome.safe.text")}
	if m.Status.Setup.Keyring {
		ring := choice(theme.Computer, words.T("welcome.safe.keyring"), words.T("welcome.safe.keyring.text"), p.Presenter.KeepInKeyring)
		p.focus = ring
		objects = append(objects, ring, widgets.Caption(words.T("welcome.safe.or")))
	} else {
		objects = append(objects, small("welcome.safe.no_keyring"))
	}
	pass := p.entry("safe", words.T("backup.phrase.hint"), true)
	again := p.entry("safe-again", words.T("backup.again.hint"), true)
	keep := func() { p.Presenter.KeepBehind(pass.Text, again.Text) }
	again.OnSubmitted = func(string) { keep() }
	kind := widgets.Main
	if m.Status.Setup.Keyring {
		kind = widgets.Plain
	} else {
		p.focus = pass
	}
	return append(objects,
		p.field("phrase", words.T("welcome.safe.passphrase"), pass).Hint(words.T("welcome.safe.passphrase.text")).Box,
		p.field("again", words.T("welcome.safe.again"), again).Box,
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("welcome.safe.use"), theme.Lock, kind, keep)))
}

// backUp offers the two backups.
func (p *Page) backUp(m Model) []fyne.CanvasObject {
	objects := []fyne.CanvasObject{title("welcome.backup"), para("welcome.backup.text"), p.backup.Body}
	if len(m.Words) > 0 {
		objects = append(objects, widgets.Caption(words.T("welcome.backup.or")),
			choice(theme.Sign, words.T("welcome.backup.paper"), words.T("welcome.backup.paper.text"), p.Presenter.OnPaper))
	}
	later := p.button(words.T("act.later"), "", widgets.Plain, p.Presenter.Later)
	next := p.next(widgets.Main)
	p.focus = p.backup.First()
	p.draws = append(p.draws, func(m Model) { next.Hidden, later.Hidden = !m.Tested, m.Tested })
	return append(objects, widgets.Column(8, small("welcome.backup.later"), widgets.Wrap(theme.Gap, later, next)))
}

func (p *Page) words(m Model) []fyne.CanvasObject {
	cells := make([]*widgets.Text, len(m.Words))
	rows := widgets.Column(8)
	const across = 3
	for i := 0; i < len(m.Words); i += across {
		row := widgets.Sides(8, 0)
		for j := i; j < min(i+across, len(m.Words)); j++ {
			cells[j] = widgets.NewText(hidden, widgets.Style{Size: theme.Mono, Mono: true})
			number := widgets.NewText(fmt.Sprintf("%2d", j+1), widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted, Fixed: true})
			row.Objects = append(row.Objects, widgets.Line(8, cells[j], number, cells[j]))
		}
		rows.Objects = append(rows.Objects, row)
	}
	hold := widgets.NewHold(words.T("welcome.words.hold"), theme.Look, func(on bool) {
		for i, c := range cells {
			c.Set(hidden)
			if on {
				c.Set(m.Words[i])
			}
		}
	})
	p.focus = hold
	return []fyne.CanvasObject{
		title("welcome.words"),
		para("welcome.words.text"),
		widgets.Layers(widgets.NewFill(theme.Ground, theme.Line, theme.RadiusField), widgets.Inset(16, 14, rows)),
		widgets.Wrap(theme.Gap, hold),
		small("welcome.words.once"),
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("act.written_down"), theme.Confirm, widgets.Main, p.Presenter.Next)),
	}
}

// hidden stands in for a word that is not shown; it says nothing of its length.
const hidden = "••••••"

func (p *Page) check(m Model) []fyne.CanvasObject {
	options := widgets.Wrap(10)
	for _, w := range m.Offer {
		b := p.button(w, "", widgets.Plain, func() { p.Presenter.Answer(w) })
		if p.focus == nil {
			p.focus = b
		}
		options.Objects = append(options.Objects, b)
	}
	return []fyne.CanvasObject{
		title("welcome.check", words.Data{"N": m.Ask + 1}),
		widgets.NewText(words.N("welcome.check.left", m.Left), widgets.Style{Role: theme.Muted, Wrap: true}),
		options,
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("act.later"), "", widgets.Quiet, p.Presenter.Later)),
	}
}
