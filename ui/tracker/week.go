package tracker

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// week is the sums of today and this week, with the bar of how far they came.
type week struct {
	box    *fyne.Container
	sums   *widgets.Text
	over   *widgets.State
	bar    *widgets.Split
	legend *fyne.Container
	shown  [len(shares)]*widgets.Text
}

// shares are the parts of the bar, in order.
var shares = [...]struct {
	key  string
	look widgets.Share
}{
	{"history.booked", widgets.Share{Role: theme.Success, Pattern: theme.Solid}},
	{"history.verified", widgets.Share{Role: theme.Success, Pattern: theme.Hatch}},
	{"history.on_the_way", widgets.Share{Role: theme.Info, Pattern: theme.Dots}},
	{"history.unregistered", widgets.Share{Role: theme.Muted, Pattern: theme.Upright}},
}

func (w *week) build() {
	w.sums = widgets.NewText("", widgets.Style{Wrap: true})
	w.over = widgets.NewState(false)
	w.bar = widgets.NewSplit(100, 12)
	w.legend = widgets.Wrap(14)
	for i, s := range shares {
		w.shown[i] = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Fixed: true})
		w.legend.Objects = append(w.legend.Objects, widgets.Line(6, nil, widgets.NewSwatch(s.look.Role, s.look.Pattern), w.shown[i]))
	}
	w.box = widgets.Column(8, widgets.Line(12, w.sums, w.sums, w.over.Box), w.bar, w.legend)
}

// nearly is the share of the limit from which it is told, in percent.
const nearly = 90

func (w *week) draw(m Model) {
	data := words.Data{
		"Today": words.Duration(minutes(m.Status.TodaySeconds)),
		"Week":  words.Duration(minutes(m.Status.WeekSeconds)),
		"Limit": words.Duration(m.Limit),
	}
	key := "timer.sums"
	if m.Limit > 0 {
		key = "timer.sums.limit"
	}
	w.sums.Set(words.T(key, data))
	done := time.Duration(m.Status.WeekSeconds) * time.Second
	switch {
	case m.Limit > 0 && done >= m.Limit:
		w.over.Set(theme.Warn, theme.Warning, words.T("timer.over", data))
	case m.Limit > 0 && done*100 >= m.Limit*nearly:
		w.over.Set(theme.ClockFace, theme.Warning, words.T("timer.nearly", words.Data{"Left": words.Duration((m.Limit - done).Truncate(time.Minute))}))
	}
	widgets.Show(w.over.Box, m.Limit > 0 && done*100 >= m.Limit*nearly)
	w.drawBar(m)
}

func (w *week) drawBar(m Model) {
	sum := m.Week.Sum()
	whole := max(sum, int64(m.Limit/time.Second))
	amounts := [len(shares)]int64{m.Week.Booked, m.Week.Verified, m.Week.OnTheWay, m.Week.Unregistered}
	var parts []widgets.Share
	for i, s := range shares {
		s.look.Amount = amounts[i]
		parts = append(parts, s.look)
		widgets.Show(w.legend.Objects[i], amounts[i] > 0)
		w.shown[i].Set(words.T(s.key) + " " + words.Duration(minutes(amounts[i])))
	}
	w.bar.Set(whole, 0, parts...)
	widgets.Show(w.bar, sum > 0)
	widgets.Show(w.legend, sum > 0)
}
