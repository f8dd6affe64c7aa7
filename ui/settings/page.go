// Package settings is the page of everything that a person may set, in nine
// groups with a list of their names beside them where there is room.
//
// A change counts at once; what the agent refuses goes back and says why. Text
// that cannot be used stays in its field with the reason below it, and what held
// before goes on to hold. Every server has a test with a result in one line.
// What erases says first what goes, and shows afterwards what is left.
package settings

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/input"
	"pow.do/ui/leaveout"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Links are the page's ways out, wired by the window.
type Links struct {
	Say      func(error) (what, mend string)
	Copy     func(string)        // puts text on the clipboard
	Secret   func(bool)          // passphrases are on the screen
	Project  func(pow.ProjectID) // opens what a project asks for
	Join     func()              // opens the page for an invite link
	Diagnose func()              // opens the Diagnostics page
	Restart  func()              // opens the window anew
	Mini     func()              // opens the mini bar
	Theme    func(theme.Variant) // shows another look at once
}

// Options are what the page needs besides the agent.
type Options struct {
	Prefs   Prefs
	Files   backup.Files
	Version string
	Build   string // of the program, such as the commit; may be empty
}

// Page draws the settings.
type Page struct {
	Presenter *Presenter
	Exclude   *leaveout.View
	Backup    *backup.View
	links     Links
	o         Options
	now       func() time.Time

	root    *widgets.Index
	head    *widgets.Head
	draws   []func(Model) // one for each thing that follows the model
	wipe    func()        // empties the passphrases
	typed   func() bool   // a passphrase stands in a field
	built   bool
	secret  bool
	visible bool
	drawing bool
}

// NewPage makes the page; Show of c is its own.
func NewPage(c Config, o Options, links Links) *Page {
	p := &Page{links: links, o: o, now: c.Now}
	c.Show = p.draw
	p.Presenter = New(c)
	p.Exclude = leaveout.NewView(leaveout.Config{Agent: c.Agent, Async: leaveout.Async(c.Async),
		Changed: func(list []pow.Exclusion) {
			p.Presenter.Change(Pictures, func(s *pow.Settings) { s.Exclusions = list })
		}}, links.Say)
	p.Backup = backup.NewView(backup.Config{Agent: c.Agent, Async: backup.Async(c.Async), Files: o.Files, Tested: p.Presenter.BackedUp}, c.Now, links.Say)
	p.head = widgets.NewHead(words.T("page.settings"))
	p.root = widgets.NewIndex(p.head.Box,
		widgets.Section{Icon: theme.Computer, Name: words.T("settings.general"), Content: p.general()},
		widgets.Section{Icon: theme.Timer, Name: words.T("settings.tracking"), Content: p.tracking()},
		widgets.Section{Icon: theme.Picture, Name: words.T("settings.pictures"), Content: p.pictures()},
		widgets.Section{Icon: theme.Apps, Name: words.T("settings.apps"), Content: p.apps()},
		widgets.Section{Icon: theme.People, Name: words.T("settings.projects"), Content: p.projects()},
		widgets.Section{Icon: theme.Key, Name: words.T("settings.keys"), Content: p.keys()},
		widgets.Section{Icon: theme.Relay, Name: words.T("settings.servers"), Content: p.servers()},
		widgets.Section{Icon: theme.Disk, Name: words.T("settings.data"), Content: p.data()},
		widgets.Section{Icon: theme.Logo, Name: words.T("settings.about"), Content: p.about()},
	)
	p.Exclude.OnDrawn, p.Backup.OnDrawn, p.Backup.OnTyped = p.settle, p.settle, p.guard
	p.built = true
	return p
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root.Box }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, _ time.Time) {
	p.Presenter.Update(s)
	p.Exclude.Presenter.Connected(true)
	p.Backup.Presenter.Connected(true)
}

// Lose shows that the agent does not answer.
func (p *Page) Lose() {
	p.Presenter.Lose()
	p.Exclude.Presenter.Connected(false)
	p.Backup.Presenter.Connected(false)
}

// Visible tells whether the page can be seen. When it goes, passphrases, test
// pictures and window titles go with it.
func (p *Page) Visible(on bool) {
	p.visible = on
	p.Presenter.Visible(on)
	p.draw(p.Presenter.Model())
	if !on {
		p.Backup.Wipe()
		p.wipe()
		p.Exclude.Presenter.Forget()
	}
	p.guard()
}

// guard tells the agent while a passphrase stands in a field, so that no picture
// is taken of it.
func (p *Page) guard() {
	if on := p.visible && (p.typed() || p.Backup.Typed()); on != p.secret {
		p.secret = on
		p.links.Secret(on)
	}
}

// Period is 0: nothing here moves by itself.
func (p *Page) Period(bool) time.Duration { return 0 }

// Tick does nothing.
func (p *Page) Tick() {}

// Focus returns what takes the focus when the page is opened.
func (p *Page) Focus() fyne.Focusable { return p.root.First() }

// Go scrolls to a section.
func (p *Page) Go(g Group) { p.root.Go(int(g)) }

// Back leaves a question unanswered; false where there is none.
func (p *Page) Back() bool {
	if p.Presenter.model.Ask.Kind == AskNothing {
		return false
	}
	p.Presenter.Keep()
	return true
}

func (p *Page) draw(m Model) {
	if !p.built || !p.visible { // what cannot be seen is drawn when it can
		return
	}
	p.drawing = true
	if m.Known {
		p.Exclude.Presenter.Set(m.Settings.Exclusions)
	}
	for _, f := range p.draws {
		f(m)
	}
	p.drawing = false
	widgets.Relayout(p.root.Box)
}

// settle makes room for a part that drew itself.
func (p *Page) settle() {
	if p.visible && !p.drawing {
		widgets.Relayout(p.root.Box)
	}
}

func (p *Page) follow(f func(Model)) { p.draws = append(p.draws, f) }

// renewed tells whether a list has to be built again, so that its rows keep the
// focus as long as they show the same.
func renewed(last *string, shows ...any) bool {
	now := fmt.Sprintf("%+v", shows)
	if now == *last {
		return false
	}
	*last = now
	return true
}

// toggle is a row with a switch.
func (p *Page) toggle(g Group, key string, value func(*pow.Settings) *bool) *widgets.Row {
	s := widgets.NewSwitch(func(on bool) { p.Presenter.Change(g, func(s *pow.Settings) { *value(s) = on }) })
	r := widgets.NewRow(words.T(key), words.T(key+".text"), s.Press).Small()
	p.follow(func(m Model) {
		s.Set(*value(&m.Settings))
		enable(s, m.Known && !m.Lost)
	})
	return r
}

type disabler interface {
	Enable()
	Disable()
}

func enable(d disabler, on bool) {
	if on {
		d.Enable()
	} else {
		d.Disable()
	}
}

// pick is a row with a few choices.
func (p *Page) pick(key string, ids []string, name func(id string) string, now func(Model) string, chosen func(id string)) *widgets.Row {
	var options []widgets.Option
	for _, id := range ids {
		options = append(options, widgets.Option{ID: id, Name: name(id)})
	}
	s := widgets.NewSegments(options, chosen)
	r := widgets.NewRow(words.T(key), words.T(key+".text"), s.Box)
	p.follow(func(m Model) { s.Choose(now(m)) })
	return r
}

// numeric is a row with a whole number and its unit.
func (p *Page) numeric(f Field, unit string) *widgets.Row {
	e := widgets.NewEntry("")
	take := func(s string) { p.Presenter.SetNumber(f, s) }
	e.OnSubmitted, e.OnLeft = take, take
	least, most := Limits(f)
	field := p.field(f, e, func(m Model) string { return itoa(m.Number(f)) }, words.Data{"Least": least, "Most": most, "N": input.MaxName},
		widgets.NewText(unit, widgets.Style{Role: theme.Muted, Fixed: true})).Short()
	key := "settings." + string(f)
	return widgets.NewRow(words.T(key), words.T(key+".text"), field.Box)
}

// field wires an entry to the model: what holds is shown until something else is
// typed, and what cannot be used stays with its reason.
func (p *Page) field(f Field, e *widgets.Entry, value func(Model) string, d words.Data, beside ...fyne.CanvasObject) *widgets.Field {
	field := widgets.NewField("", e, beside...)
	p.follow(func(m Model) {
		field.Fail("")
		if fault := m.Faults[f]; fault != input.Fine {
			field.Fail(words.T("input."+string(fault), d))
			return
		}
		if v := value(m); m.Known && !focused(e) && e.Text != v {
			e.SetText(v)
		}
	})
	return field
}

// focused tells whether somebody types into a field.
func focused(e *widgets.Entry) bool {
	c := fyne.CurrentApp().Driver().CanvasForObject(e)
	return c != nil && c.Focused() == fyne.Focusable(e)
}

// problem is the note of a section in which something went wrong.
func (p *Page) problem(g Group) fyne.CanvasObject {
	n := widgets.NewNote()
	p.follow(func(m Model) {
		n.Fail("", "")
		if err := m.Err[g]; err != nil {
			n.Fail(p.links.Say(err))
		}
	})
	return n.Box
}

// group is a section: its name, its note, and cards.
func (p *Page) group(g Group, key string, cards ...fyne.CanvasObject) *fyne.Container {
	head := widgets.NewText(words.T(key), widgets.Style{Size: theme.SubHeading, Bold: true, Wrap: true})
	return widgets.Column(10, append([]fyne.CanvasObject{head, p.problem(g)}, cards...)...)
}

// probe is a Test button and, below, a line for each thing that it looked at.
func (p *Page) probe(name string) (*widgets.Button, *fyne.Container) {
	b := widgets.NewButton(words.T("settings.test"), theme.Retry, widgets.Plain, func() { p.Presenter.Probe(name) })
	lines := widgets.Column(6)
	p.follow(func(m Model) {
		r := m.Probes[name]
		enable(b, !m.Lost && !r.Busy)
		lines.Objects = nil
		switch {
		case r.Busy:
			lines.Objects = append(lines.Objects, widgets.NewText(words.T("settings.testing"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
		case r.Err != nil:
			what, mend := p.links.Say(r.Err)
			lines.Objects = append(lines.Objects, result(pow.Check{State: "failed", Detail: what, Mend: mend}))
		case r.Known && len(r.Checks) == 0:
			lines.Objects = append(lines.Objects, result(pow.Check{State: "unused", Detail: words.T("settings.test.nothing")}))
		}
		for _, c := range r.Checks {
			lines.Objects = append(lines.Objects, result(c))
		}
		lines.Hidden = len(lines.Objects) == 0
	})
	return b, lines
}

// result is one line of a test.
func result(c pow.Check) fyne.CanvasObject {
	k := words.Check(c.State)
	text := words.Foreign(c.Detail)
	if c.Name != "" {
		text = words.Name(c.Name) + ": " + text
	}
	if c.Mend != "" {
		text += ". " + words.Foreign(c.Mend)
	}
	line := widgets.NewText(k.Word+" · "+text, widgets.Style{Size: theme.Small, Wrap: true, Role: k.Role})
	return widgets.Line(8, line, widgets.NewIcon(k.Icon, k.Role, 16), line)
}

// tested is a row whose control is a test, with the results below it.
func (p *Page) tested(key, name string) *fyne.Container {
	b, lines := p.probe(name)
	return widgets.Column(0, widgets.NewRow(words.T(key), words.T(key+".text"), b).Small().Box, p.padded(lines))
}

// padded keeps room below what is shown under a row, while it is shown.
func (p *Page) padded(o *fyne.Container) *fyne.Container {
	space := widgets.NewSpace(1, 10)
	p.follow(func(Model) { space.Hidden = o.Hidden })
	return widgets.Column(0, o, space)
}

// question is the box in which something is asked before it happens.
func (p *Page) question(kind AskKind, no, yes string, text func(Model) (what, more string)) fyne.CanvasObject {
	n := widgets.NewNote()
	keep := widgets.NewButton(no, "", widgets.Plain, p.Presenter.Keep)
	go1 := widgets.NewButton(yes, theme.Remove, widgets.Harm, p.Presenter.Yes)
	box := widgets.Column(10, n.Box, widgets.Wrap(theme.Gap, keep, go1))
	p.follow(func(m Model) {
		was := box.Hidden
		box.Hidden = m.Ask.Kind != kind
		if box.Hidden {
			return
		}
		what, more := text(m)
		n.Set(theme.Warning, theme.Warn, what, more)
		enable(go1, !m.Lost)
		if was && p.visible {
			focus(keep)
		}
	})
	return box
}

// focus gives the focus to the button that changes nothing.
func focus(b *widgets.Button) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(b); c != nil {
		c.Focus(b)
	}
}

// places names the sections for who leads here, such as Diagnostics.
var places = map[string]Group{"general": General, "tracking": Tracking, "pictures": Pictures, "apps": Apps, "projects": Projects,
	"keys": KeysGroup, "servers": Servers, "data": DataGroup, "about": About}

// GoTo scrolls to a section by its name: general, tracking, pictures, apps,
// projects, keys, servers, data or about.
func (p *Page) GoTo(place string) { p.Go(places[place]) }
