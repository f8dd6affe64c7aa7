package ui

import (
	"path"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"

	"pow.do/ui/backup"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// saveFile asks for a place and writes a new file there.
func (w *Window) saveFile(name string, content []byte) {
	if w.sheet != nil {
		return
	}
	files, fail := backup.Disk(), widgets.NewNote()
	where := widgets.NewEntry("~/" + name)
	where.SetText(path.Join("~", name))
	save := func() {
		if err := files.Write(atHome(files.Home, where.Text), content); err != nil {
			fail.Fail(w.say(err))
			w.sheet.Refresh()
			return
		}
		w.closeSheet()
		w.snackbar(words.T("snack.saved", words.Data{"Name": words.Name(where.Text)}), "", nil)
	}
	where.OnSubmitted = func(string) { save() }
	where.OnKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyEscape {
			w.closeSheet()
		}
		return ev.Name == fyne.KeyEscape
	}
	body := widgets.Column(12, widgets.NewText(words.T("save.text"), widgets.Style{Role: theme.Muted, Wrap: true}), where, fail.Box)
	cancel := widgets.NewButton(words.T("act.cancel"), "", widgets.Plain, w.closeSheet)
	yes := widgets.NewButton(words.T("act.save"), theme.Save, widgets.Main, save)
	w.sheet = widgets.ShowSheet(w.win.Canvas(), words.T("save.title"), body, []fyne.CanvasObject{cancel, yes}, where, func() { w.sheet = nil })
}

// atHome puts the home folder in the place of ~.
func atHome(home, name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok && home != "" {
		return filepath.Join(home, rest)
	}
	return name
}
