// Package backup makes a copy of the identity key in a file, encrypted under a
// passphrase of its own (NIP-49), and tests it by opening that very file again:
// a backup that was never opened is a hope.
//
// It is a part of two pages, the settings and the first run.
package backup

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/ui/input"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// View draws the backup: making the file, and testing one.
type View struct {
	Presenter *Presenter
	Body      *fyne.Container
	OnDrawn   func() // its height may be another one now
	OnTyped   func() // a passphrase was typed or emptied
	say       func(error) (what, mend string)

	fields map[Field]*widgets.Field
	make   *widgets.Button
	test   *widgets.Button
	done   *widgets.Note
	fail   *widgets.Note
	shown  string // the file that the test is offered for
}

// NewView makes the backup; Show of c is its own.
func NewView(c Config, now func() time.Time, say func(error) (what, mend string)) *View {
	v := &View{say: say, fields: map[Field]*widgets.Field{}, done: widgets.NewNote(), fail: widgets.NewNote()}
	c.Show = v.draw
	v.Presenter = New(c)
	secret := func(f Field, hint string, next func()) {
		e := widgets.NewSecret(hint)
		e.OnSubmitted = func(string) { next() }
		e.OnChanged = func(string) {
			if v.OnTyped != nil {
				v.OnTyped()
			}
		}
		v.fields[f] = widgets.NewField(words.T("backup."+string(f)), e)
	}
	plain := func(f Field, text string, next func()) {
		e := widgets.NewEntry("~/key.ncryptsec")
		e.SetText(text)
		e.OnSubmitted = func(string) { next() }
		v.fields[f] = widgets.NewField(words.T("backup."+string(f)), e)
	}
	secret(Phrase, words.T("backup.phrase.hint"), v.write)
	secret(Again, words.T("backup.again.hint"), v.write)
	plain(Path, "~/pow-do-key-"+now().Local().Format("2006-01-02")+".ncryptsec", v.write)
	plain(TestPath, "", v.open)
	secret(TestWord, words.T("backup.test-phrase.hint"), v.open)
	v.fields[Phrase].Hint(words.T("backup.phrase.text"))
	v.make = widgets.NewButton(words.T("backup.make"), theme.Save, widgets.Plain, v.write)
	v.test = widgets.NewButton(words.T("backup.test"), theme.Verified, widgets.Plain, v.open)
	v.Body = widgets.Column(12,
		widgets.Sides(12, 460, v.fields[Phrase].Box, v.fields[Again].Box),
		v.fields[Path].Box,
		widgets.Wrap(theme.Gap, v.make),
		widgets.NewRule(),
		widgets.NewText(words.T("backup.test.text"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		widgets.Sides(12, 460, v.fields[TestPath].Box, v.fields[TestWord].Box),
		widgets.Wrap(theme.Gap, v.test),
		v.done.Box, v.fail.Box,
	)
	v.draw(v.Presenter.Model())
	return v
}

// Primary makes one of the two buttons the main one of the page.
func (v *View) Primary() *View {
	v.make.Set(words.T("backup.make"), theme.Save, widgets.Main)
	return v
}

// First returns what takes the focus.
func (v *View) First() fyne.Focusable { return v.fields[Phrase].Entry }

func (v *View) text(f Field) string { return v.fields[f].Entry.Text }

func (v *View) write() { v.Presenter.Make(v.text(Phrase), v.text(Again), v.text(Path)) }
func (v *View) open()  { v.Presenter.Test(v.text(TestPath), v.text(TestWord)) }

// Typed tells whether a passphrase stands in a field.
func (v *View) Typed() bool { return v.text(Phrase)+v.text(Again)+v.text(TestWord) != "" }

// Wipe empties the passphrases.
func (v *View) Wipe() {
	for _, f := range []Field{Phrase, Again, TestWord} {
		v.fields[f].Entry.SetText("")
	}
}

func (v *View) draw(m Model) {
	if v.Body == nil {
		return
	}
	for f, field := range v.fields {
		field.Fail("")
		if fault := m.Faults[f]; fault != "" {
			field.Fail(words.T("input."+string(fault), words.Data{"N": input.LeastPhrase}))
		}
	}
	if m.Written != v.shown {
		v.shown = m.Written
		v.fields[TestPath].Entry.SetText(m.Written)
		v.fields[Phrase].Entry.SetText("")
		v.fields[Again].Entry.SetText("")
	}
	switch {
	case m.Busy:
		v.done.Set(theme.Info, theme.ClockFace, words.T("backup.busy"), "")
	case m.Tested:
		v.done.Set(theme.Success, theme.Verified, words.T("backup.good"), words.T("backup.good.text"))
	case m.Written != "":
		v.done.Set(theme.Warning, theme.Warn, words.T("backup.written"), words.T("backup.written.text", words.Data{"File": m.Written}))
	default:
		v.done.Set(theme.Info, theme.Inform, "", "")
	}
	v.fail.Fail("", "")
	if m.Err != nil {
		v.fail.Fail(v.say(m.Err))
	}
	for _, b := range []*widgets.Button{v.make, v.test} {
		if m.Busy || m.Lost {
			b.Disable()
		} else {
			b.Enable()
		}
	}
	widgets.Relayout(v.Body)
	if v.OnDrawn != nil {
		v.OnDrawn()
	}
}
