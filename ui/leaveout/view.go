// Package leaveout edits what no picture may show: programs by name, windows by
// a pattern of their title, private windows. Its Test lists every window that
// can be seen now and which rule it meets, so that nobody has to trust a pattern.
//
// It is a part of two pages, the settings and the first run.
package leaveout

import (
	"slices"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// View draws the editor.
type View struct {
	Presenter *Presenter
	Body      *fyne.Container
	OnDrawn   func() // its height may be another one now
	say       func(error) (what, mend string)

	private *widgets.Switch
	kind    *widgets.Segments
	field   *widgets.Field
	add     *widgets.Button
	list    *fyne.Container
	none    *widgets.Text
	usual   *widgets.Button
	test    *widgets.Button
	found   *fyne.Container
	fail    *widgets.Note
	drawn   []pow.Exclusion // what list was built for
}

// NewView makes the editor; Show of c is its own.
func NewView(c Config, say func(error) (what, mend string)) *View {
	v := &View{say: say, fail: widgets.NewNote()}
	c.Show = v.draw
	v.Presenter = New(c)
	v.private = widgets.NewSwitch(v.Presenter.SetPrivate)
	v.kind = widgets.NewSegments([]widgets.Option{
		{ID: string(App), Name: words.T("leaveout.app")}, {ID: string(Title), Name: words.T("leaveout.title")},
	}, func(id string) { v.Presenter.SetKind(Kind(id)) })
	entry := widgets.NewEntry(words.T("leaveout.app.hint"))
	v.add = widgets.NewButton(words.T("leaveout.add"), theme.Add, widgets.Plain, v.put)
	v.field = widgets.NewField("", entry, v.add)
	entry.OnSubmitted = func(string) { v.put() }
	v.list = widgets.Wrap(6)
	v.none = widgets.NewText(words.T("leaveout.none"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	v.usual = widgets.NewButton(words.T("leaveout.usual"), theme.Lock, widgets.Plain, v.Presenter.Suggest)
	v.test = widgets.NewButton(words.T("leaveout.test"), theme.Look, widgets.Plain, v.Presenter.Test)
	v.found = widgets.Column(6)
	v.Body = widgets.Column(12,
		widgets.NewRow(words.T("leaveout.private"), words.T("leaveout.private.text"), v.private.Press).Small().Box,
		widgets.NewRule(),
		v.kind.Box, v.field.Box, v.list, v.none,
		widgets.Wrap(theme.Gap, v.test, v.usual),
		v.fail.Box, v.found,
	)
	v.draw(v.Presenter.Model())
	return v
}

func (v *View) put() {
	if v.Presenter.Add(v.field.Entry.Text) {
		v.field.Entry.SetText("")
	}
}

func (v *View) draw(m Model) {
	if v.Body == nil {
		return
	}
	v.private.Set(m.Private())
	v.kind.Choose(string(m.Kind))
	v.field.Entry.SetPlaceHolder(words.T("leaveout." + string(m.Kind) + ".hint"))
	v.field.Hint(words.T("leaveout." + string(m.Kind) + ".text"))
	v.field.Fail("")
	if m.Fault != "" {
		v.field.Fail(words.T("input."+string(m.Fault), words.Data{"N": 200}))
	}
	v.drawList(m)
	v.usual.Hidden = m.Complete()
	v.test.Enable()
	if m.Lost || m.Testing {
		v.test.Disable()
	}
	v.drawFound(m)
	widgets.Relayout(v.Body)
	if v.OnDrawn != nil {
		v.OnDrawn()
	}
}

func (v *View) drawList(m Model) {
	if !slices.Equal(v.drawn, m.Rules) {
		v.drawn, v.list.Objects = m.Rules, nil
		for _, e := range m.Rules {
			if !e.Private {
				v.list.Objects = append(v.list.Objects, v.chip(e))
			}
		}
	}
	v.list.Hidden = len(v.list.Objects) == 0
	v.none.Hidden = !v.list.Hidden
}

// chip is one rule; pressing it takes it out.
func (v *View) chip(e pow.Exclusion) fyne.CanvasObject {
	text, icon := words.Name(e.App), theme.Apps
	if e.Title != "" {
		text, icon = words.Name(e.Title), theme.Search
	}
	if r := []rune(text); len(r) > chipRunes {
		text = string(r[:chipRunes]) + "…"
	}
	name := widgets.NewText(text, widgets.Style{Size: theme.Small, Fixed: true})
	row := widgets.Line(6, nil, widgets.NewIcon(icon, theme.Muted, 14), name, widgets.NewIcon(theme.Close, theme.Muted, 14))
	return widgets.NewPress(row, widgets.Look{Fill: theme.Ground, Line: theme.Border, Radius: 16, PadX: 10, PadY: 4, Least: 32},
		func() { v.Presenter.Remove(e) })
}

// chipRunes is how much of a name a chip shows.
const chipRunes = 36

func (v *View) drawFound(m Model) {
	v.fail.Fail("", "")
	if m.Err != nil {
		v.fail.Fail(v.say(m.Err))
	}
	v.found.Objects = nil
	v.found.Hidden = !m.Tested
	if !m.Tested {
		return
	}
	out := 0
	for _, w := range m.Windows {
		if w.Excluded {
			out++
		}
	}
	v.found.Objects = append(v.found.Objects, widgets.NewText(words.N("leaveout.found", len(m.Windows), words.Data{"Out": out}), widgets.Style{Size: theme.Small, Bold: true, Wrap: true}))
	for i, w := range m.Windows {
		if i == listed {
			v.found.Objects = append(v.found.Objects, widgets.NewText(words.N("leaveout.more", len(m.Windows)-listed), widgets.Style{Size: theme.Small, Role: theme.Muted}))
			break
		}
		v.found.Objects = append(v.found.Objects, v.window(w))
	}
}

// listed is how many windows a test shows.
const listed = 40

func (v *View) window(w pow.OpenWindow) fyne.CanvasObject {
	state := widgets.NewState(false)
	state.Set(theme.Picture, theme.Muted, words.T("leaveout.seen"))
	if w.Excluded {
		state.Set(theme.OffRecord, theme.Off, words.T("leaveout.out"))
	}
	more := words.T("leaveout.monitor", words.Data{"N": w.Display + 1}) + " · " + words.Name(w.Title)
	if w.Rule != "" {
		more += " · " + words.T("leaveout.rule", words.Data{"Rule": words.Name(w.Rule)})
	}
	text := widgets.Column(0, widgets.NewText(words.Name(w.App), widgets.Style{}), widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted}))
	return widgets.Line(10, text, text, state.Box)
}
