package widgets

import (
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Cell is one moment in a DayGrid: a picture, or one of every monitor.
type Cell struct {
	ID    string // unique in the grid
	Thumb string // what DayGrid.Picture is asked for; empty: there is nothing to show
	Frame Frame
	Badge theme.Badge // of its project
	Time  string
	Gone  bool // Time does not count any more: struck through
	Stack bool // more than one monitor
	Mark  theme.IconName
	Role  fyne.ThemeColorName // of Mark
	Word  string              // in place of a picture
	Done  string              // what was done to it, shortly
	Until string              // when something happens to it by itself
}

// Hour is one row of a DayGrid: six slots of ten minutes.
type Hour struct {
	Label string
	Slots [6][]Cell
}

// DayGrid shows the pictures of a day, one row an hour with anything in it. A
// slot with several moments shows one and their number; Enter unfolds it in
// place. Only rows in sight have objects, so a day costs what is seen of it.
//
// The cursor is moved by arrows and mouse; what is selected (Space, Shift with
// arrows, Ctrl+A, Ctrl+click, Shift+click) stays selected meanwhile.
type DayGrid struct {
	widget.BaseWidget
	// Picture returns a decoded thumbnail, or nil while there is none; Came is
	// called when it is there.
	Picture func(thumb string) image.Image
	OnSize  func(width, height int) // of a thumbnail, in pixels of the screen
	OnOpen  func(id string)
	OnMoved func() // cursor or selection changed
	OnKey   func(*fyne.KeyEvent) bool
	OnUndo  func()

	hours    []Hour
	heads    [6]*Text
	unfolded map[string]bool
	lines    []gridLine
	order    []place
	cur      int // in order; −1 while there is nothing

	selected, base map[string]bool // base: before a range was begun
	anchor         int             // of the range; −1: none
	shift, focused bool

	m      gridMetrics
	scroll *container.Scroll
	body   *fyne.Container
	views  map[int]*lineView
	spare  []*lineView
	drawn  drawings
}

// spot is what stands at one place: a cell, or the cells of one slot.
type spot struct {
	key   string
	cells []Cell
	open  bool // its slot is unfolded below
}

// face returns the cell that stands for a spot: the first that waits, else the
// first that has most to show.
func (s spot) face() Cell {
	rank := [...]int{Dashed: 0, Firm: 1, Hexagon: 2, Hatched: 3, Vacant: 4}
	return slices.MinFunc(s.cells, func(a, b Cell) int { return rank[a.Frame] - rank[b.Frame] })
}

type gridLine struct {
	label string
	inner bool // of an unfolded slot
	spots [6]*spot
}

type place struct{ line, col int }

// NewDayGrid makes an empty grid; columns are the words above the six slots.
func NewDayGrid(columns [6]string) *DayGrid {
	d := &DayGrid{cur: -1, anchor: -1, unfolded: map[string]bool{}, selected: map[string]bool{}, views: map[int]*lineView{}}
	d.Picture = func(string) image.Image { return nil }
	d.OnOpen, d.OnMoved, d.OnUndo = func(string) {}, func() {}, func() {}
	d.OnSize = func(int, int) {}
	d.OnKey = func(*fyne.KeyEvent) bool { return false }
	for i, s := range columns {
		d.heads[i] = Caption(s)
	}
	d.body = &fyne.Container{Layout: gridBody{d}}
	d.scroll = container.NewVScroll(d.body)
	d.scroll.OnScrolled = func(fyne.Position) { d.place() }
	d.ExtendBaseWidget(d)
	return d
}

// SetHours shows a day. Cursor, selection and what is unfolded stay where they
// are as far as there is something.
func (d *DayGrid) SetHours(hours []Hour) {
	before, index := d.key(), d.cur
	d.hours = hours
	d.arrange()
	d.cur = min(max(index, 0), len(d.order)-1)
	for i, p := range d.order {
		if d.at(p).key == before {
			d.cur = i
		}
	}
	known := map[string]bool{}
	for _, p := range d.order {
		for _, c := range d.at(p).cells {
			known[c.ID] = d.selected[c.ID]
		}
	}
	d.selected, d.anchor = known, -1
	d.redraw()
	d.OnMoved()
}

// arrange makes lines and their order from hours and what is unfolded.
func (d *DayGrid) arrange() {
	d.lines, d.order = nil, nil
	for _, h := range d.hours {
		line := gridLine{label: h.Label}
		var inner []gridLine
		for col, cells := range h.Slots {
			if len(cells) == 0 {
				continue
			}
			s := &spot{key: cells[0].ID, cells: cells}
			if len(cells) > 1 {
				s.key = "slot " + s.key
				if s.open = d.unfolded[s.key]; s.open {
					inner = append(inner, innerLines(cells)...)
				}
			}
			line.spots[col] = s
		}
		d.lines = append(append(d.lines, line), inner...)
	}
	for l := range d.lines {
		for c, s := range d.lines[l].spots {
			if s != nil {
				d.order = append(d.order, place{l, c})
			}
		}
	}
}

func innerLines(cells []Cell) (lines []gridLine) {
	for chunk := range slices.Chunk(cells, 6) {
		line := gridLine{inner: true}
		for i, c := range chunk {
			line.spots[i] = &spot{key: c.ID, cells: []Cell{c}}
		}
		lines = append(lines, line)
	}
	return lines
}

func (d *DayGrid) at(p place) *spot { return d.lines[p.line].spots[p.col] }

// spot returns what is under the cursor, nil in an empty grid.
func (d *DayGrid) spot() *spot {
	if d.cur < 0 || d.cur >= len(d.order) {
		return nil
	}
	return d.at(d.order[d.cur])
}

func (d *DayGrid) key() string {
	if s := d.spot(); s != nil {
		return s.key
	}
	return ""
}

// Cursor returns the id of the cell under the cursor, or "".
func (d *DayGrid) Cursor() string {
	if s := d.spot(); s != nil {
		return s.face().ID
	}
	return ""
}

// Chosen returns the ids of the selected cells in order; with none selected,
// those under the cursor.
func (d *DayGrid) Chosen() (ids []string) {
	for _, p := range d.order {
		for _, c := range d.at(p).cells {
			if d.selected[c.ID] && !slices.Contains(ids, c.ID) {
				ids = append(ids, c.ID)
			}
		}
	}
	if s := d.spot(); s != nil && len(ids) == 0 {
		for _, c := range s.cells {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Selected returns how many cells are selected.
func (d *DayGrid) Selected() (n int) {
	for _, on := range d.selected {
		if on {
			n++
		}
	}
	return n
}

// SelectAll selects every cell.
func (d *DayGrid) SelectAll() {
	for _, p := range d.order {
		d.mark(d.at(p), true)
	}
	d.moved()
}

// Clear selects nothing; false where nothing was selected.
func (d *DayGrid) Clear() bool {
	if d.Selected() == 0 {
		return false
	}
	d.selected, d.anchor = map[string]bool{}, -1
	d.moved()
	return true
}

// Go moves the cursor to a cell and unfolds its slot when it is one of several.
func (d *DayGrid) Go(id string) {
	for _, h := range d.hours {
		for _, cells := range h.Slots {
			if len(cells) > 1 && slices.ContainsFunc(cells, func(c Cell) bool { return c.ID == id }) {
				d.unfolded["slot "+cells[0].ID] = true
			}
		}
	}
	d.arrange()
	for i, p := range d.order {
		if d.at(p).key == id {
			d.redraw()
			d.move(i, false)
			return
		}
	}
}

// Came draws a thumbnail that has arrived.
func (d *DayGrid) Came(thumb string) {
	for n, v := range d.views {
		for _, s := range d.lines[n].spots {
			if s != nil && s.face().Thumb == thumb {
				d.bind(n, v)
				break
			}
		}
	}
}

func (d *DayGrid) mark(s *spot, on bool) {
	for _, c := range s.cells {
		d.selected[c.ID] = on
	}
}

func (d *DayGrid) marked(s *spot) bool {
	for _, c := range s.cells {
		if !d.selected[c.ID] {
			return false
		}
	}
	return true
}

// unfold shows or hides the cells of the slot under the cursor.
func (d *DayGrid) unfold() {
	s := d.spot()
	d.unfolded[s.key] = !s.open
	key := s.key
	d.arrange()
	for i, p := range d.order {
		if d.at(p).key == key {
			d.cur = i
		}
	}
	d.anchor = -1
	d.redraw()
	d.reveal()
	d.OnMoved()
}

// moved draws the cursor and the selection anew and tells about it.
func (d *DayGrid) moved() {
	for n, v := range d.views {
		d.bind(n, v)
	}
	d.OnMoved()
}

// redraw gives every line its objects anew.
func (d *DayGrid) redraw() {
	d.release(func(int) bool { return true })
	d.scroll.Refresh()
	d.place()
}

// reveal scrolls the cursor into sight.
func (d *DayGrid) reveal() {
	if d.spot() == nil {
		return
	}
	top := float32(d.order[d.cur].line) * d.m.line
	view := d.scroll.Size().Height
	to := d.scroll.Offset.Y
	switch {
	case top < to:
		to = top
	case top+d.m.line > to+view:
		to = top + d.m.line - view
	default:
		return
	}
	d.scroll.ScrollToOffset(fyne.NewPos(0, max(0, min(to, d.height()-view))))
	d.place()
}

func (d *DayGrid) height() float32 { return float32(len(d.lines)) * d.m.line }

// CreateRenderer is for Fyne.
func (d *DayGrid) CreateRenderer() fyne.WidgetRenderer { return &gridRenderer{d} }

type gridRenderer struct{ d *DayGrid }

// headHeight is the row of words above the slots.
const headHeight = 20

func (r *gridRenderer) Layout(size fyne.Size) {
	d := r.d
	m := measureGrid(size.Width)
	changed := m != d.m
	if changed {
		d.m, d.drawn = m, drawings{}
		scale := density(d)
		d.OnSize(int((m.thumb.Width-2*mount)*scale), int((m.thumb.Height-2*mount)*scale))
	}
	for i, t := range d.heads {
		t.Move(fyne.NewPos(m.left+float32(i)*m.slot, 0))
		t.Resize(fyne.NewSize(m.slot, headHeight))
	}
	d.scroll.Move(fyne.NewPos(-m.pad, headHeight)) // rings reach over the left edge
	d.scroll.Resize(fyne.NewSize(size.Width+2*m.pad, size.Height-headHeight))
	if changed {
		d.redraw()
		return
	}
	d.place()
}

func (r *gridRenderer) MinSize() fyne.Size { return fyne.NewSize(280, 160) }

func (r *gridRenderer) Refresh() {
	for _, t := range r.d.heads {
		t.Refresh()
	}
	r.d.drawn = drawings{}
	for n, v := range r.d.views {
		v.forget()
		r.d.bind(n, v)
	}
	canvas.Refresh(r.d)
}

func (r *gridRenderer) Objects() []fyne.CanvasObject {
	o := make([]fyne.CanvasObject, 0, 7)
	for _, t := range r.d.heads {
		o = append(o, t)
	}
	return append(o, r.d.scroll)
}

func (r *gridRenderer) Destroy() {}
