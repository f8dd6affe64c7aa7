package review

import (
	"image"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// lookPane is the large view of one picture.
type lookPane struct {
	box   *fyne.Container
	view  *widgets.RedactView
	last  string // the cell that it was opened from
	panel sidePanel

	bar           *fyne.Container
	title         *widgets.Text
	badge         *widgets.Badge
	icon          *widgets.Icon
	state         *widgets.Text
	place         *widgets.Text
	message       *widgets.Text
	hint          *widgets.Text
	fail          *widgets.Note
	before, after *widgets.Press
	back, forth   *widgets.Button
	tools, acts   *fyne.Container
	buttons       struct{ black, blur, crop, monitor, zoom, undo, approve, remove *widgets.Button }
}

func (l *lookPane) build(p *Page) {
	do := p.Presenter
	l.view = widgets.NewRedactView()
	l.view.OnArea = do.Area
	l.view.OnUndo = func() { l.undo(p) }
	l.view.OnRoom = do.Room
	l.view.OnKey = func(ev *fyne.KeyEvent) bool { return l.key(p, ev.Name) }
	l.message = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	l.hint = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	l.fail = widgets.NewNote()
	l.buildBar(p)
	l.buildTools(p)
	l.panel.build(p)
	l.box = &fyne.Container{Layout: lookLayout{l}, Objects: []fyne.CanvasObject{
		l.view, l.message, l.fail.Box, l.hint, l.tools, l.acts, l.panel.box, l.bar,
	}}
}

func (l *lookPane) buildBar(p *Page) {
	l.badge = widgets.NewBadge(theme.BadgeFor("", "", ""))
	l.title = widgets.NewText("", widgets.Style{Bold: true})
	l.icon = widgets.NewIcon(theme.Held, theme.Muted, 16)
	l.state = widgets.NewText("", widgets.Style{Size: theme.Small})
	l.place = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Fixed: true})
	leave := widgets.NewButton("", theme.Close, widgets.Quiet, p.Presenter.Close)
	l.back = widgets.NewButton("", theme.Back, widgets.Plain, func() { p.Presenter.Turn(-1) })
	l.forth = widgets.NewButton("", theme.Forward, widgets.Plain, func() { p.Presenter.Turn(1) })
	names := widgets.Column(0, l.title, widgets.Line(6, l.state, l.icon, l.state))
	l.bar = widgets.Layers(widgets.NewFill(theme.Band, "", 0),
		widgets.Inset(12, 6, widgets.Line(10, names, l.badge, names, l.place, l.back, l.forth, leave)))
}

func (l *lookPane) buildTools(p *Page) {
	do := p.Presenter
	segment := func(key string) *widgets.Press {
		return widgets.NewPress(widgets.NewText(words.T(key), widgets.Style{Size: theme.Small, Fixed: true}), chip(false), do.Compare)
	}
	l.before, l.after = segment("review.look.before"), segment("review.look.after")
	b := &l.buttons
	b.black = widgets.NewKeyed(words.T("review.act.redact"), "R", theme.Redact, widgets.Plain, func() { l.arm(p, pow.EditRedact) })
	b.blur = widgets.NewKeyed(words.T("review.act.blur"), "B", theme.Blur, widgets.Plain, func() { l.arm(p, pow.EditBlur) })
	b.crop = widgets.NewKeyed(words.T("review.act.crop"), "C", theme.Crop, widgets.Plain, do.Crop)
	b.monitor = widgets.NewKeyed(words.T("review.act.monitor"), "M", theme.Monitor, widgets.Plain, do.LeaveMonitor)
	b.zoom = widgets.NewKeyed("1:1", "Z", theme.Zoom, widgets.Plain, do.Zoom)
	b.undo = widgets.NewKeyed(words.T("act.undo"), "Ctrl+Z", theme.Undo, widgets.Plain, func() { l.undo(p) })
	b.approve = widgets.NewKeyed(words.T("review.act.approve"), "A", theme.Approved, widgets.Main, do.ApproveLook)
	b.remove = widgets.NewKeyed(words.T("act.remove"), words.T("review.key.delete"), theme.Remove, widgets.Plain, func() { l.remove(p) })
	l.tools = widgets.Wrap(theme.Gap, l.before, l.after, b.black, b.blur, b.crop, b.monitor, b.zoom, b.undo)
	l.acts = widgets.Wrap(theme.Gap, b.approve, b.remove)
}

func (l *lookPane) undo(p *Page) {
	if k := p.Presenter.Model().Look; k != nil {
		p.Presenter.Undo([]string{k.Picture.ID})
	}
}

func (l *lookPane) remove(p *Page) {
	if k := p.Presenter.Model().Look; k != nil {
		p.Presenter.AskRemove([]string{k.Picture.ID})
	}
}

// arm takes a tool in hand and draws a first rectangle, for the keyboard.
func (l *lookPane) arm(p *Page, kind pow.EditKind) {
	if !p.Presenter.Arm(kind) {
		l.view.Cancel()
		return
	}
	l.view.Begin(kind == pow.EditBlur)
	if c := fyne.CurrentApp().Driver().CanvasForObject(l.view); c != nil {
		c.Focus(l.view)
	}
}

func (l *lookPane) key(p *Page, k fyne.KeyName) bool {
	do := p.Presenter
	act := map[fyne.KeyName]func(){
		fyne.KeyLeft: func() { do.Turn(-1) }, fyne.KeyK: func() { do.Turn(-1) },
		fyne.KeyRight: func() { do.Turn(1) }, fyne.KeyJ: func() { do.Turn(1) },
		fyne.KeyR: func() { l.arm(p, pow.EditRedact) }, fyne.KeyB: func() { l.arm(p, pow.EditBlur) },
		fyne.KeyC: do.Crop, fyne.KeyM: do.LeaveMonitor, fyne.KeyZ: do.Zoom, fyne.KeyTab: do.Compare,
		fyne.KeyA: do.ApproveLook, fyne.KeyReturn: do.ApproveLook, fyne.KeyEnter: do.ApproveLook,
		fyne.KeyDelete: func() { l.remove(p) }, fyne.KeyBackspace: func() { l.remove(p) },
	}[k]
	if act == nil {
		return false
	}
	act()
	return true
}

func (l *lookPane) draw(p *Page, m Model) {
	k := m.Look
	if s := siblings(m.Shown(), k.Picture); len(s) > 0 {
		l.last = Key(s[0])
	}
	l.drawBar(m)
	if k.Tool == "" && l.view.Drawing() {
		l.view.Cancel()
	}
	l.view.Set(k.Image, k.Pixels, k.Actual && k.Whole)
	l.message.Set(messageLine(*k))
	l.message.Hidden = k.Image != nil
	l.hint.Set(hintLine(m))
	l.hint.Hidden = l.hint.Words() == ""
	if m.Err != nil {
		l.fail.Fail(p.links.Say(m.Err))
	} else {
		l.fail.Fail("", "")
	}
	l.before.SetLook(chip(k.Before))
	l.after.SetLook(chip(!k.Before))
	edit := CanEdit(k.Picture) && !m.Lost
	b := &l.buttons
	for _, x := range []*widgets.Button{b.black, b.blur, b.crop, b.monitor, b.approve} {
		enable(x, edit)
	}
	b.crop.Hidden, b.monitor.Hidden = !m.CanCrop(), !m.CanMonitor()
	enable(b.remove, CanRemove(k.Picture) && !m.Lost)
	enable(b.undo, k.Picture.Undo && !m.Lost)
	enable(b.zoom, k.Image != nil)
	enable(l.back, k.At > 1)
	enable(l.forth, k.At < k.Of)
	l.panel.draw(p, m)
}

func (l *lookPane) drawBar(m Model) {
	c := m.Look.Picture
	title := words.Time(c.At)
	if m.Look.Monitors > 1 {
		title += " · " + words.T("review.monitor", words.Data{"N": c.Display + 1})
	}
	l.title.Set(title + " · " + words.Name(c.Project.Name))
	l.badge.Set(theme.BadgeFor(string(c.Project.ID), c.Project.Name, c.Project.Color))
	s := mark(c)
	l.icon.Set(s.Icon, s.Role)
	l.state.SetRole(s.Role)
	l.state.Set(s.Word)
	l.place.Set(words.T("review.look.place", words.Data{"At": m.Look.At, "Of": m.Look.Of}))
}

// messageLine stands where the picture will be.
func messageLine(k Look) string {
	if k.Picture.Damaged || k.Err != nil {
		return words.T("review.look.damaged")
	}
	return words.T("review.look.loading")
}

// hintLine is the sentence that belongs to what is being done.
func hintLine(m Model) string {
	k := m.Look
	switch c := k.Picture; {
	case k.Tool == pow.EditBlur:
		return words.T("review.look.blur")
	case k.Tool == pow.EditRedact:
		return words.T("review.look.redact")
	case k.Before && c.State != pow.PictureHeld:
		return words.T("review.look.before.text")
	case c.State == pow.PictureSealed:
		return words.T("review.read_only")
	case c.State == pow.PictureEdited && c.Areas > 0:
		return words.N("review.look.covered", c.Areas, words.Data{"Percent": percent(c.Covered)})
	case k.Actual:
		return words.T("review.look.actual")
	case CanEdit(c):
		return words.T("review.look.drag")
	}
	return ""
}

// lookLayout puts the panel beside the picture where there is room, else below.
type lookLayout struct{ l *lookPane }

// The panel's width, and the width from which it stands beside the picture.
const (
	panelWidth  = 272
	panelBeside = 680
)

func (f lookLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	l := f.l
	m := widgets.Margin(size.Width) / 2
	top := widgets.HeightFor(l.bar, size.Width)
	l.bar.Resize(fyne.NewSize(size.Width, top))
	beside := size.Width >= panelBeside
	w := size.Width - 2*m
	if beside {
		w -= panelWidth + m
	}
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, max(0, h)))
	}
	foot := size.Height - 12
	b := &l.buttons
	for _, x := range []*widgets.Button{b.black, b.blur, b.crop, b.monitor, b.zoom, b.undo, b.approve, b.remove} {
		x.ShowKey(beside)
	}
	acts := widgets.HeightFor(l.acts, w)
	if beside {
		x := size.Width - panelWidth - m
		acts = widgets.HeightFor(l.acts, panelWidth)
		put(l.acts, x, foot-acts, panelWidth, acts)
		put(l.panel.box, x, top+m, panelWidth, foot-acts-12-top-m)
	} else {
		put(l.acts, m, foot-acts, w, acts)
		foot -= acts + 8
	}
	for _, o := range []fyne.CanvasObject{l.tools, l.hint, l.fail.Box} {
		if o.Visible() {
			h := widgets.HeightFor(o, w)
			foot -= h
			put(o, m, foot, w, h)
			foot -= 8
		}
	}
	if !beside { // picture above, panel below
		h := min(w*9/16+8, (foot-top-m)*0.66)
		put(l.panel.box, m, top+m+h+8, w, foot-top-m-h-8)
		foot = top + m + h
	}
	put(l.view, m, top+m, w, foot-top-m)
	h := widgets.HeightFor(l.message, w-48)
	put(l.message, m+24, top+m+(foot-top-m-h)/2, w-48, h)
}

func (f lookLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 320) }

// sidePanel says what will be sent of the picture, to whom, and for how long.
type sidePanel struct {
	box                                     *fyne.Container
	head, picture, areas, again, apps, more *widgets.Text
	team, npub, key, kept                   *widgets.Text
	sent, changed, same, used, receiver     *fyne.Container
	retention                               *fyne.Container
	copy                                    *widgets.Button
	whole                                   string // the npub, uncut
}

func (s *sidePanel) build(p *Page) {
	text := func() *widgets.Text { return widgets.NewText("", widgets.Style{Wrap: true}) }
	small := func() *widgets.Text {
		return widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	}
	mono := func() *widgets.Text {
		return widgets.NewText("", widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted})
	}
	s.head = widgets.Caption("")
	s.picture, s.areas, s.again, s.apps, s.more = text(), text(), text(), text(), small()
	s.team, s.npub, s.key, s.kept = text(), mono(), mono(), text()
	s.copy = widgets.NewButton("", theme.Copy, widgets.Quiet, func() { p.links.Copy(s.whole) })
	s.sent = fact(theme.Picture, s.picture, nil)
	s.changed = fact(theme.Redact, s.areas, nil)
	s.same = fact(theme.Unchanged, s.again, nil)
	s.used = fact(theme.Apps, s.apps, s.more)
	keys := widgets.Column(0, s.team, s.npub, s.key)
	s.receiver = widgets.Line(10, keys, widgets.NewIcon(theme.Lock, theme.Muted, 20), keys, s.copy)
	s.retention = fact(theme.ClockFace, s.kept, nil)
	s.box = widgets.Layers(widgets.NewFill(theme.Surface, theme.Line, theme.RadiusCard),
		widgets.Page(nil, s.head, s.sent, s.changed, s.same, s.used, s.receiver, s.retention))
}

func (s *sidePanel) draw(p *Page, m Model) {
	k, c := m.Look, m.Look.Picture
	goes := CanEdit(c)
	s.head.Set(panelHead(c))
	s.picture.Set(pictureLine(c, *k))
	s.changed.Hidden = c.Areas == 0 && !c.Cropped
	s.areas.Set(changedLine(c))
	s.same.Hidden = c.Again == 0
	s.again.Set(words.N("review.again", c.Again))
	s.used.Hidden = !goes || !m.RowsSeen
	s.apps.Set(words.T("review.panel.apps.none"))
	s.more.Set("")
	if shares := Shares(m.Rows, c); len(shares) > 0 {
		s.apps.Set(words.T("review.panel.apps"))
		s.more.Set(sharesLine(shares))
	}
	s.more.Hidden = s.more.Words() == ""
	s.receiver.Hidden, s.retention.Hidden = !goes, !goes
	s.team.Set(words.T("review.panel.to", words.Data{"Team": words.Name(m.Status.Team)}))
	s.kept.Set(words.T("review.panel.later"))
	s.npub.Hidden, s.key.Hidden, s.copy.Hidden = true, true, true
	if v := k.Preview; v != nil {
		s.whole = v.DVMNpub
		s.team.Set(words.T("review.panel.to", words.Data{"Team": words.Name(v.Team)}))
		s.npub.Set(words.Key(v.DVMNpub))
		s.key.Set(words.T("review.panel.key", words.Data{"Key": words.Key(v.Recipient)}))
		s.npub.Hidden, s.copy.Hidden, s.key.Hidden = v.DVMNpub == "", v.DVMNpub == "", v.Recipient == ""
		s.kept.Set(words.T("review.panel.kept_unknown"))
		if v.Retention > 0 {
			s.kept.Set(words.N("review.panel.kept", v.Retention))
		}
	}
	widgets.Relayout(s.box)
}

// pixelsOf returns the size of the picture as it will be sent.
func pixelsOf(c pow.Picture, k Look) image.Point {
	if c.Width > 0 && c.Height > 0 {
		return image.Pt(c.Width, c.Height)
	}
	return k.Pixels
}
