package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Option is one line of a Picker.
type Option struct {
	ID    string
	Name  string
	Group string       // shown behind the name and searched too
	Badge *theme.Badge // nil: none
	// Section is a heading above this and the following options, shown while
	// nothing is typed. Options of one section stand together.
	Section string
}

// Picker is a button that opens a list to choose from: type to filter, arrows
// and Enter to choose, Esc to leave. Its search field exists only while the
// list is open, because a focused field costs CPU all the time.
type Picker struct {
	*Press
	OnChosen func(id string)

	hint, search, none string
	options            []Option
	chosen             string
	badge              *Badge
	name               *Text
	popup              *widget.PopUp
}

// NewPicker makes a picker. hint is shown while nothing is chosen, search in the
// search field, none where nothing matches.
func NewPicker(hint, search, none string) *Picker {
	p := &Picker{hint: hint, search: search, none: none}
	p.badge = NewBadge(theme.Badge{})
	p.badge.Hide()
	p.name = NewText(hint, Style{Role: theme.Hint})
	row := Line(10, p.name, p.badge, p.name, NewIcon(theme.Down, theme.Muted, 16))
	p.Press = NewPress(row, Look{Fill: theme.Surface, Line: theme.Border, Radius: theme.RadiusField, PadX: 12, PadY: 7, Least: 40}, nil)
	p.Press.OnTapped = p.Open
	return p
}

// SetOptions changes what can be chosen.
func (p *Picker) SetOptions(o []Option) {
	p.options = o
	p.show()
}

// Choose shows an option as chosen, without telling OnChosen.
func (p *Picker) Choose(id string) {
	p.chosen = id
	p.show()
}

func (p *Picker) show() {
	name, role, badge := p.hint, theme.Hint, (*theme.Badge)(nil)
	for _, o := range p.options {
		if o.ID == p.chosen {
			name, role, badge = o.Name, theme.Text, o.Badge
		}
	}
	p.name.Set(name)
	p.name.SetRole(role)
	if badge != nil {
		p.badge.Set(*badge)
	}
	Show(p.badge, badge != nil)
	p.Press.relay()
}

// Opened tells whether the list is open.
func (p *Picker) Opened() bool { return p.popup != nil && p.popup.Visible() }

// Open shows the list below the button.
func (p *Picker) Open() {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.Press)
	if c == nil || p.Disabled() {
		return
	}
	m := &menu{p: p, canvas: c, entry: NewEntry(p.search), list: container.NewVBox()}
	m.scroll = container.NewVScroll(m.list)
	m.entry.OnChanged = m.filter
	m.entry.OnKey = m.key
	m.filter("")
	body := container.NewBorder(m.entry, nil, nil, nil, m.scroll)
	p.popup = widget.NewPopUp(Inset(10, 10, body), c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(p.Press)
	at.Y += p.Press.Size().Height + 6
	room := c.Size()
	size := fyne.NewSize(max(p.Press.Size().Width, min(320, room.Width-24)), min(360, room.Height-at.Y-12))
	if size.Height < 180 {
		size.Height = min(360, room.Height-24)
		at.Y = room.Height - size.Height - 12
	}
	at.X = max(12, min(at.X, room.Width-size.Width-12))
	p.popup.ShowAtPosition(at)
	p.popup.Resize(size)
	c.Focus(m.entry)
}

func (p *Picker) close(c fyne.Canvas) {
	p.popup.Hide()
	c.Focus(p.Press)
}

// menu is an open list.
type menu struct {
	p      *Picker
	canvas fyne.Canvas
	entry  *Entry
	list   *fyne.Container
	rows   []fyne.CanvasObject // of hits, in list between the headings
	scroll *container.Scroll
	hits   []Option
	typed  bool
	at     int
}

// filter keeps the options that hold every word typed.
func (m *menu) filter(typed string) {
	words := strings.Fields(strings.ToLower(typed))
	m.hits, m.at, m.typed = nil, 0, len(words) > 0
	for _, o := range m.p.options {
		text := strings.ToLower(o.Name + " " + o.Group)
		ok := true
		for _, w := range words {
			ok = ok && strings.Contains(text, w)
		}
		if ok {
			if o.ID == m.p.chosen {
				m.at = len(m.hits)
			}
			m.hits = append(m.hits, o)
		}
	}
	if typed != "" {
		m.at = 0
	}
	m.draw()
}

func (m *menu) draw() {
	m.list.Objects, m.rows = nil, nil
	section := ""
	for i, o := range m.hits {
		if !m.typed && o.Section != section {
			section = o.Section
			m.list.Objects = append(m.list.Objects, Inset(8, 4, Caption(section)))
		}
		row := m.row(i, o)
		m.rows = append(m.rows, row)
		m.list.Objects = append(m.list.Objects, row)
	}
	if len(m.hits) == 0 {
		m.list.Objects = append(m.list.Objects, Inset(8, 8, NewText(m.p.none, Style{Role: theme.Muted, Wrap: true})))
	}
	m.list.Refresh()
}

func (m *menu) row(i int, o Option) fyne.CanvasObject {
	name := NewText(o.Name, Style{})
	words := fyne.CanvasObject(name)
	if o.Group != "" && (m.typed || o.Section != o.Group) {
		words = Column(0, name, NewText(o.Group, Style{Size: theme.Small, Role: theme.Muted}))
	}
	row := Line(10, words, words)
	if o.Badge != nil {
		row = Line(10, words, NewBadge(*o.Badge), words)
	}
	look := Look{Radius: theme.RadiusField, PadX: 8, PadY: 4, Least: theme.Target}
	if i == m.at {
		look.Fill = fynetheme.ColorNameSelection
	}
	return NewPress(row, look, func() { m.take(o) })
}

func (m *menu) take(o Option) {
	m.p.close(m.canvas)
	m.p.Choose(o.ID)
	if m.p.OnChosen != nil {
		m.p.OnChosen(o.ID)
	}
}

func (m *menu) key(ev *fyne.KeyEvent) bool {
	switch ev.Name {
	case fyne.KeyDown:
		m.move(1)
	case fyne.KeyUp:
		m.move(-1)
	case fyne.KeyReturn, fyne.KeyEnter:
		if m.at < len(m.hits) {
			m.take(m.hits[m.at])
		}
	case fyne.KeyEscape:
		m.p.close(m.canvas)
	default:
		return false
	}
	return true
}

func (m *menu) move(by int) {
	if len(m.hits) == 0 {
		return
	}
	m.at = (m.at + by + len(m.hits)) % len(m.hits)
	m.draw()
	row := m.rows[m.at]
	top, bottom := row.Position().Y, row.Position().Y+row.Size().Height
	switch view := m.scroll.Size().Height; {
	case top < m.scroll.Offset.Y:
		m.scroll.ScrollToOffset(fyne.NewPos(0, top))
	case bottom > m.scroll.Offset.Y+view:
		m.scroll.ScrollToOffset(fyne.NewPos(0, bottom-view))
	}
}
