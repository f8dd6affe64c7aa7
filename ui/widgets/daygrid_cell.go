package widgets

import (
	"image/color"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"

	"pow.do/ui/theme"
)

// cellView is the objects of one cell.
type cellView struct {
	box                *fyne.Container
	was                drawing
	ground, back, mat  *canvas.Rectangle
	plate              *canvas.Rectangle // behind a word
	img, frame, strip  *canvas.Image
	big, mark          *canvas.Image
	word, time         *canvas.Text
	done, count, until chip
	tick               *canvas.Image
	tickGround, ring   *canvas.Rectangle
}

// chip is a few letters on a ground of their own, over a picture.
type chip struct {
	ground *canvas.Rectangle
	text   *canvas.Text
}

func newChip() chip {
	return chip{&canvas.Rectangle{CornerRadius: 4, StrokeWidth: 1}, &canvas.Text{TextStyle: fyne.TextStyle{Bold: true}, Alignment: fyne.TextAlignCenter}}
}

func newCellView() *cellView {
	svg := func() *canvas.Image { return &canvas.Image{FillMode: canvas.ImageFillStretch} }
	c := &cellView{
		ground: &canvas.Rectangle{CornerRadius: theme.RadiusField},
		back:   &canvas.Rectangle{CornerRadius: theme.RadiusThumb, StrokeWidth: 1},
		mat:    &canvas.Rectangle{CornerRadius: theme.RadiusThumb},
		img:    &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest, CornerRadius: 3},
		plate:  &canvas.Rectangle{CornerRadius: 4},
		frame:  svg(), strip: svg(), big: svg(), mark: svg(), tick: svg(),
		word: &canvas.Text{Alignment: fyne.TextAlignCenter}, time: &canvas.Text{TextStyle: fyne.TextStyle{Bold: true}},
		done: newChip(), count: newChip(), until: newChip(),
		tickGround: &canvas.Rectangle{CornerRadius: 4},
		ring:       &canvas.Rectangle{CornerRadius: theme.RadiusField, StrokeWidth: ringGap},
	}
	c.box = &fyne.Container{Hidden: true, Objects: []fyne.CanvasObject{
		c.ground, c.back, c.mat, c.img, c.frame, c.plate, c.big, c.word, c.strip, c.time, c.mark,
		c.done.ground, c.done.text, c.count.ground, c.count.text, c.until.ground, c.until.text,
		c.tickGround, c.tick, c.ring,
	}}
	return c
}

// set draws w, or nothing; the same again costs nothing.
func (c *cellView) set(d *DayGrid, w drawing) {
	if c.was == w {
		return
	}
	c.was = w
	if c.box.Hidden = !w.here; !w.here {
		c.img.Image = nil
		c.box.Refresh()
		return
	}
	c.box.Resize(fyne.NewSize(w.m.slot, w.m.line))
	c.paintGround(w)
	c.paintPicture(d, w)
	c.paintLabel(d, w)
	c.paintChips(w)
	for _, o := range c.box.Objects {
		if o.Visible() {
			o.Refresh()
		}
	}
}

func (c *cellView) paintGround(w drawing) {
	m := w.m
	all := fyne.NewSize(m.thumb.Width+2*m.pad, m.line-m.top-m.pad)
	c.ground.Hidden = !w.selected && !w.open // what cannot be seen is not painted
	c.ground.FillColor = theme.Color(theme.Band)
	if w.selected {
		c.ground.FillColor = theme.Color(fynetheme.ColorNameSelection)
	}
	c.ground.Move(fyne.NewPos(-m.pad, 0))
	c.ground.Resize(all)
	c.ring.Hidden = !w.cursor
	c.ring.FillColor, c.ring.StrokeColor = color.Transparent, theme.Color(theme.Border)
	if w.focused {
		c.ring.StrokeColor = theme.Color(theme.Ring)
	}
	c.ring.Move(fyne.NewPos(-m.pad, 0))
	c.ring.Resize(all)
}

// mount is what a frame keeps free around a picture.
const mount = 4

// stackBy is how far the picture of a second monitor looks out behind the first.
const stackBy = 3

func (c *cellView) paintPicture(d *DayGrid, w drawing) {
	m, at := w.m, fyne.NewPos(0, w.m.pad)
	size := m.thumb
	c.back.Hidden = !w.cell.Stack
	c.back.FillColor, c.back.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.Border)
	c.back.Move(at.AddXY(stackBy, 0))
	c.back.Resize(size.SubtractWidthHeight(stackBy, stackBy))
	if w.cell.Stack {
		at, size = at.AddXY(0, stackBy), size.SubtractWidthHeight(stackBy, stackBy)
	}
	for _, o := range []fyne.CanvasObject{c.mat, c.frame} {
		o.Move(at)
		o.Resize(size)
	}
	c.img.Move(at.AddXY(mount, mount))
	c.img.Resize(size.SubtractWidthHeight(2*mount, 2*mount))
	if w.cell.Frame == Hexagon { // its corners are cut off
		c.img.Move(at)
		c.img.Resize(size)
	}
	c.mat.FillColor = theme.Color(theme.Surface)
	c.img.Image, c.img.Hidden = w.img, w.img == nil
	line, ground := theme.Border, theme.Ground
	switch {
	case w.cell.Frame == Hexagon:
		line = theme.Info
	case w.cell.Frame == Vacant, w.cell.Frame == Hatched:
		line = theme.Faint
	}
	if w.selected {
		ground = fynetheme.ColorNameSelection
	} else if w.inner || w.open {
		ground = theme.Band
	}
	c.frame.Resource = d.drawn.frame(frameKey{w.cell.Frame, ink{solid(line), solid(ground)}, size})
	c.paintWord(w, at, size)
}

// wordFrom is the height from which a word fits below its mark.
const wordFrom = 48

// paintWord puts mark and word where there is no picture; where there is little
// room, the mark alone.
func (c *cellView) paintWord(w drawing, at fyne.Position, size fyne.Size) {
	c.word.Hidden, c.big.Hidden, c.plate.Hidden = w.cell.Word == "", w.cell.Word == "", w.cell.Word == ""
	if w.cell.Word == "" {
		return
	}
	c.word.TextSize, c.word.Color = theme.Size(theme.Caption), theme.Color(theme.Text)
	t := Text{style: Style{Size: theme.Caption}}
	c.word.Text = t.cut(w.cell.Word, size.Width-8)
	h, wide := c.word.MinSize().Height, c.word.MinSize().Width
	if c.word.Hidden = size.Height < wordFrom; c.word.Hidden {
		h, wide = 0, 0
	}
	side := min(24, size.Height-h-8)
	wide = max(wide, side) + 8
	c.plate.FillColor = theme.Color(theme.Surface)
	c.plate.Resize(fyne.NewSize(wide, side+h))
	c.plate.Move(fyne.NewPos(at.X+(size.Width-wide)/2, at.Y+(size.Height-side-h)/2))
	top := at.Y + (size.Height-side-h)/2
	c.big.Resource = theme.Icon(w.cell.Mark, w.cell.Role)
	c.big.Move(fyne.NewPos(at.X+(size.Width-side)/2, top))
	c.big.Resize(fyne.NewSquareSize(side))
	c.word.Move(fyne.NewPos(at.X, top+side))
	c.word.Resize(fyne.NewSize(size.Width, h))
}

func (c *cellView) paintLabel(d *DayGrid, w drawing) {
	m := w.m
	y := m.pad + m.thumb.Height + 3
	c.strip.Resource = d.drawn.strip(w.cell.Badge, m.thumb.Width)
	c.strip.Move(fyne.NewPos(0, y))
	c.strip.Resize(fyne.NewSize(m.thumb.Width, stripHeight))
	y += stripHeight
	c.time.Text, c.time.TextSize, c.time.Color = w.cell.Time, theme.Size(theme.Caption), theme.Color(theme.Muted)
	c.time.TextStyle.Strikethrough = w.cell.Gone
	if w.selected || w.cursor {
		c.time.Color = theme.Color(theme.Text)
	}
	c.time.Move(fyne.NewPos(0, y+1))
	c.time.Resize(fyne.NewSize(m.thumb.Width-18, cellLabel-2))
	c.mark.Hidden = w.cell.Mark == "" || w.cell.Word != ""
	if !c.mark.Hidden {
		c.mark.Resource = theme.Icon(w.cell.Mark, w.cell.Role)
		c.mark.Move(fyne.NewPos(m.thumb.Width-16, y+1))
		c.mark.Resize(fyne.NewSquareSize(16))
	}
}

func (c *cellView) paintChips(w drawing) {
	m, low := w.m, w.m.pad+w.m.thumb.Height-4
	count := ""
	if w.count > 1 {
		count = "×" + strconv.Itoa(w.count)
	}
	c.done.set(w.cell.Done, fyne.NewPos(4, low), false, true, m.thumb.Width-8)
	c.count.set(count, fyne.NewPos(m.thumb.Width-4, low), true, true, m.thumb.Width-8)
	c.until.set(w.cell.Until, fyne.NewPos(m.thumb.Width-4, m.pad+4), true, false, m.thumb.Width-8)
	c.tick.Hidden, c.tickGround.Hidden = !w.selected, !w.selected
	if w.selected {
		c.tickGround.FillColor = theme.Color(theme.Surface)
		c.tickGround.Move(fyne.NewPos(3, m.pad+3))
		c.tickGround.Resize(fyne.NewSquareSize(20))
		c.tick.Resource = theme.Icon(theme.CheckOn, theme.Primary)
		c.tick.Move(fyne.NewPos(4, m.pad+4))
		c.tick.Resize(fyne.NewSquareSize(18))
	}
}

// set shows s in the corner at a position, or nothing.
func (c chip) set(s string, corner fyne.Position, right, bottom bool, most float32) {
	c.ground.Hidden, c.text.Hidden = s == "", s == ""
	if s == "" {
		return
	}
	c.text.TextSize, c.text.Color = theme.Size(theme.Caption), theme.Color(theme.Text)
	c.ground.FillColor, c.ground.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.Line)
	t := Text{style: Style{Size: theme.Caption, Bold: true}}
	c.text.Text = t.cut(s, most-8)
	size := c.text.MinSize().AddWidthHeight(8, 0)
	if right {
		corner.X -= size.Width
	}
	if bottom {
		corner.Y -= size.Height
	}
	for _, o := range []fyne.CanvasObject{c.ground, c.text} {
		o.Move(corner)
		o.Resize(size)
	}
}

// solid is the colour of a role as an SVG can have it.
func solid(role fyne.ThemeColorName) color.NRGBA {
	return color.NRGBAModel.Convert(theme.Color(role)).(color.NRGBA)
}
