package review

import (
	"fmt"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// mark returns icon, colour role and word of a picture's state.
func mark(p pow.Picture) words.Mark {
	word := words.T("review.state." + string(p.State))
	switch {
	case p.Damaged:
		return words.Mark{Icon: theme.Attention, Role: theme.Danger, Word: words.T("review.damaged")}
	case p.State == pow.PictureApproved:
		return words.Mark{Icon: theme.Approved, Role: theme.Success, Word: word}
	case p.State == pow.PictureEdited:
		return words.Mark{Icon: theme.Edited, Role: theme.Info, Word: word}
	case p.State == pow.PictureRemoved:
		return words.Mark{Icon: theme.PictureRemoved, Role: theme.Muted, Word: word}
	case p.State == pow.TimeRemoved:
		return words.Mark{Icon: theme.Remove, Role: theme.Muted, Word: word}
	case p.State == pow.PictureSkipped:
		return words.Mark{Icon: theme.Skipped, Role: theme.Off, Word: words.T("review.skipped", words.Data{"Reason": reason(p)})}
	case p.State == pow.PictureSealed:
		return words.Mark{Icon: theme.Lock, Role: theme.Info, Word: word}
	}
	return words.Mark{Icon: theme.Held, Role: theme.Muted, Word: words.T("review.state.held")}
}

// reason says why no picture was taken.
func reason(p pow.Picture) string {
	if key := "review.skip." + string(p.Reason); words.Has(key) {
		return words.T(key)
	}
	return words.T("review.skip.failed")
}

// cell draws a moment.
func cell(m Moment, now time.Time) widgets.Cell {
	p := face(m)
	k := mark(p)
	c := widgets.Cell{
		ID: Key(m.Pictures[0]), Badge: theme.BadgeFor(string(p.Project.ID), p.Project.Name, p.Project.Color),
		Time: words.Time(p.At), Stack: len(m.Pictures) > 1, Mark: k.Icon, Role: k.Role, Frame: widgets.Dashed, Thumb: p.ID,
	}
	switch {
	case p.Damaged:
		c.Frame, c.Thumb, c.Word = widgets.Firm, "", words.T("review.cell.damaged")
	case p.State == pow.PictureApproved:
		c.Frame = widgets.Firm
	case p.State == pow.PictureEdited:
		c.Frame, c.Done = widgets.Firm, covered(p)
	case p.State == pow.PictureRemoved:
		c.Frame, c.Thumb, c.Word = widgets.Hatched, "", words.T("review.cell.picture_removed")
	case p.State == pow.TimeRemoved:
		c.Frame, c.Thumb, c.Word, c.Gone = widgets.Vacant, "", words.T("review.cell.removed"), true
	case p.State == pow.PictureSkipped:
		c.Frame, c.Thumb, c.Word = widgets.Hatched, "", reason(p)
	case p.State == pow.PictureSealed:
		c.Frame = widgets.Hexagon
	}
	if !p.SealsAt.IsZero() && CanEdit(p) {
		c.Until = left(p.SealsAt, now)
	}
	return c
}

// face returns the picture that stands for a moment: the first that waits.
func face(m Moment) pow.Picture {
	for _, p := range m.Pictures {
		if CanEdit(p) {
			return p
		}
	}
	return m.Pictures[0]
}

// covered says shortly what an edited picture lost.
func covered(p pow.Picture) string {
	switch {
	case p.Areas > 0:
		return fmt.Sprintf("%d · %s", p.Areas, percent(p.Covered))
	case p.Cropped:
		return words.T("review.cell.cropped")
	}
	return ""
}

// percent turns thousandths into 9 %, never into 0 % of something.
func percent(permille int) string {
	switch {
	case permille > 0 && permille < 10:
		return "<1 %"
	case permille > 990 && permille < 1000:
		return ">99 %"
	}
	return fmt.Sprintf("%d %%", (permille+5)/10)
}

// left says how long something still takes, in whole minutes.
func left(at, now time.Time) string {
	d := at.Sub(now)
	if d < time.Minute {
		return words.Duration(time.Minute)
	}
	return words.Duration(d.Truncate(time.Minute))
}

// hours draws rows.
func hours(rows []Row, now time.Time) (out []widgets.Hour) {
	for _, r := range rows {
		h := widgets.Hour{Label: r.Hour.Format("15")}
		for s, slot := range r.Slots {
			for _, m := range slot {
				h.Slots[s] = append(h.Slots[s], cell(m, now))
			}
		}
		out = append(out, h)
	}
	return out
}

// countsLine is 7 held · 2 edited · 1 removed · 1 skipped.
func countsLine(c Counts) string {
	var parts []string
	add := func(key string, n int) {
		if n > 0 {
			parts = append(parts, words.N(key, n))
		}
	}
	add("review.count.held", c.Held)
	add("review.count.approved", c.Approved)
	add("review.count.edited", c.Edited)
	add("review.count.removed", c.Removed)
	add("review.count.skipped", c.Skipped)
	add("review.count.sealed", c.Sealed)
	return strings.Join(parts, " · ")
}

// sealsLine says whether anything leaves without the person.
func sealsLine(at, now time.Time) string {
	if at.IsZero() {
		return words.T("review.seals_off")
	}
	return words.T("review.seals", words.Data{"Duration": left(at, now)})
}

// infoLine says what is under the cursor.
func infoLine(m []pow.Picture) string {
	p := face(Moment{Pictures: m})
	parts := []string{words.Time(p.At), words.Name(p.Project.Name)}
	if len(m) > 1 {
		parts = append(parts, words.N("review.monitors", len(m)))
	}
	if p.Again > 0 {
		parts = append(parts, words.N("review.again", p.Again))
	}
	if p.State == pow.PictureEdited && p.Areas > 0 {
		parts = append(parts, words.N("review.areas", p.Areas, words.Data{"Percent": percent(p.Covered)}))
	}
	return strings.Join(parts, " · ")
}

// told says what was done.
func told(d Did) string {
	switch d.Act {
	case AppOut, TitlesOut:
		return words.T("review.did."+string(d.Act), words.Data{"App": words.Name(d.App)})
	case Monitor:
		return words.T("review.did.monitor")
	}
	return words.N("review.did."+string(d.Act), d.N)
}

// keepLine and loseLine say what the two answers of a removal do.
func keepLine(e pow.Effect) string {
	s := words.T("review.remove.keep.text", words.Data{"Duration": words.Duration(time.Duration(e.UnverifiedSeconds) * time.Second)})
	if e.UnverifiedSeconds == 0 {
		s = words.T("review.remove.keep.covered")
	}
	if e.Confirm {
		s += " " + words.T("review.remove.confirm")
	}
	return s
}

func loseLine(e pow.Effect, now time.Time) string {
	if e.LostSeconds == 0 {
		return words.T("review.remove.lose.none")
	}
	var spans []string
	for _, i := range e.Lost {
		spans = append(spans, words.Span(i.From, i.To, now))
	}
	return words.T("review.remove.lose.text", words.Data{
		"Duration": words.Duration(time.Duration(e.LostSeconds) * time.Second), "Spans": strings.Join(spans, ", "),
	})
}

// panelHead says what becomes of the picture.
func panelHead(p pow.Picture) string {
	switch {
	case p.State == pow.PictureSealed:
		return words.T("review.panel.sent")
	case CanEdit(p):
		return words.T("review.panel.goes")
	}
	return words.T("review.panel.stays")
}

// pictureLine is 1280×720 · 214 kB, or why the picture is not sent.
func pictureLine(p pow.Picture, k Look) string {
	switch {
	case p.Damaged:
		return words.T("review.panel.damaged")
	case p.State == pow.PictureRemoved:
		return words.T("review.panel.picture_removed")
	case p.State == pow.TimeRemoved:
		return words.T("review.panel.removed")
	}
	size := pixelsOf(p, k)
	return fmt.Sprintf("%d×%d · %s", size.X, size.Y, words.Size(p.Size))
}

// changedLine says what the picture lost.
func changedLine(p pow.Picture) string {
	var parts []string
	if p.Areas > 0 {
		parts = append(parts, words.N("review.areas", p.Areas, words.Data{"Percent": percent(p.Covered)}))
	}
	if p.Cropped {
		parts = append(parts, words.T("review.panel.cropped"))
	}
	return strings.Join(parts, " · ")
}

// mostShares is how many apps a panel names.
const mostShares = 4

func sharesLine(list []Share) string {
	var parts []string
	for i, s := range list {
		if i == mostShares {
			parts = append(parts, "…")
			break
		}
		d := s.For.Truncate(time.Minute)
		if d == 0 {
			d = s.For.Truncate(time.Second)
		}
		parts = append(parts, words.Name(s.Name)+" "+words.Duration(d))
	}
	return strings.Join(parts, ", ")
}
