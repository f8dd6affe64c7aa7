package review

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"pow.do/services/pow"
)

// Moment is one cell of the grid: what was taken at one time, one picture of
// each monitor.
type Moment struct {
	Pictures []pow.Picture // never empty
}

// Key names a picture in the grid. A skipped one may have no id of its own.
func Key(p pow.Picture) string {
	if p.ID == "" {
		return "at " + strconv.FormatInt(p.At.UnixNano(), 36) + " " + strconv.Itoa(p.Display)
	}
	return p.ID
}

// Row is an hour with anything in it: six slots of ten minutes.
type Row struct {
	Hour  time.Time // its local beginning
	Slots [6][]Moment
}

// together is how far apart the pictures of two monitors may be taken.
const together = 10 * time.Second

// Rows puts a day's pictures, in order of time, into hours, slots and moments.
func Rows(list []pow.Picture) (rows []Row) {
	for _, p := range list {
		at := p.At.Local()
		hour := at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
		if n := len(rows); n == 0 || !rows[n-1].Hour.Equal(hour) {
			rows = append(rows, Row{Hour: hour})
		}
		slot := &rows[len(rows)-1].Slots[at.Minute()/10]
		if n := len(*slot); n > 0 && belongs((*slot)[n-1], p) {
			(*slot)[n-1].Pictures = append((*slot)[n-1].Pictures, p)
			continue
		}
		*slot = append(*slot, Moment{Pictures: []pow.Picture{p}})
	}
	return rows
}

// belongs tells whether p shows another monitor at the same moment.
func belongs(m Moment, p pow.Picture) bool {
	first := m.Pictures[0]
	if p.Session != first.Session || p.At.Sub(first.At).Abs() > together || p.State == pow.PictureSkipped || first.State == pow.PictureSkipped {
		return false
	}
	return !slices.ContainsFunc(m.Pictures, func(o pow.Picture) bool { return o.Display == p.Display })
}

// siblings returns the pictures of the moment that p belongs to, p among them.
func siblings(list []pow.Picture, p pow.Picture) []pow.Picture {
	for _, r := range Rows(list) {
		for _, slot := range r.Slots {
			for _, m := range slot {
				if slices.ContainsFunc(m.Pictures, func(o pow.Picture) bool { return Key(o) == Key(p) }) {
					return m.Pictures
				}
			}
		}
	}
	return nil
}

// Counts says how many pictures are in which state. Waiting is of all days.
type Counts struct {
	Waiting                                          int
	Held, Approved, Edited, Removed, Skipped, Sealed int
}

func count(list []pow.Picture) (c Counts) {
	for _, p := range list {
		switch p.State {
		case pow.PictureHeld:
			c.Held++
		case pow.PictureApproved:
			c.Approved++
		case pow.PictureEdited:
			c.Edited++
		case pow.PictureRemoved, pow.TimeRemoved:
			c.Removed++
		case pow.PictureSkipped:
			c.Skipped++
		case pow.PictureSealed:
			c.Sealed++
		}
	}
	return c
}

// CanEdit tells whether a picture can be approved, covered and cropped.
func CanEdit(p pow.Picture) bool {
	waits := p.State == pow.PictureHeld || p.State == pow.PictureApproved || p.State == pow.PictureEdited
	return waits && !p.Damaged
}

// CanRemove tells whether a picture, or its time, can be taken out.
func CanRemove(p pow.Picture) bool {
	return CanEdit(p) || p.State == pow.PictureRemoved || p.Damaged && p.State != pow.PictureSealed && p.State != pow.TimeRemoved
}

// CanOpen tells whether there is anything to look at.
func CanOpen(p pow.Picture) bool { return p.ID != "" && p.State != pow.PictureSkipped }

// of returns the pictures of a project; "" is all.
func of(list []pow.Picture, id pow.ProjectID) (out []pow.Picture) {
	for _, p := range list {
		if id == "" || p.Project.ID == id {
			out = append(out, p)
		}
	}
	return out
}

// pick returns the ids of those named that may be acted on.
func pick(list []pow.Picture, keys []string, may func(pow.Picture) bool) (ids []string) {
	for _, p := range list {
		if slices.Contains(keys, Key(p)) && may(p) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// Share is how long an app, or a kind of app, was used.
type Share struct {
	Name string
	For  time.Duration
}

// Shares sums up what would be sent about the ten minutes around a moment, the
// longest first.
func Shares(rows []pow.AppTime, p pow.Picture) (out []Share) {
	from := p.At.Truncate(10 * time.Minute)
	slot := pow.Interval{From: from, To: from.Add(10 * time.Minute)}
	for _, r := range rows {
		d := slot.Intersect(pow.Interval{From: r.From, To: r.To}).Duration()
		if r.LeftOut || d == 0 || r.Session != p.Session || r.Kind == "web" { // web rows lie inside those of the browser
			continue
		}
		name := appName(r)
		i := slices.IndexFunc(out, func(s Share) bool { return s.Name == name })
		if i < 0 {
			i, out = len(out), append(out, Share{Name: name})
		}
		out[i].For += d
	}
	slices.SortStableFunc(out, func(a, b Share) int { return int(b.For - a.For) })
	return out
}

// appName returns what a row is called: the least that leaves this computer.
func appName(r pow.AppTime) string {
	return cmp.Or(r.App, r.Category, r.Host)
}

// midnight returns the beginning of t's local day.
func midnight(t time.Time) time.Time {
	y, m, d := t.Local().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.Local)
}

// takenAt returns the moment inside a ULID, which begins with 48 bits of
// milliseconds in Crockford's base 32.
func takenAt(id string) (time.Time, bool) {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	if len(id) != 26 {
		return time.Time{}, false
	}
	var ms int64
	for _, c := range id[:10] {
		v := int64(slices.Index([]rune(digits), c))
		if v < 0 {
			return time.Time{}, false
		}
		ms = ms<<5 | v
	}
	return time.UnixMilli(ms), true
}

// moment returns the moment of a cell.
func moment(rows []Row, key string) (Moment, bool) {
	for _, r := range rows {
		for _, slot := range r.Slots {
			for _, m := range slot {
				if Key(m.Pictures[0]) == key {
					return m, true
				}
			}
		}
	}
	return Moment{}, false
}

// keysOf returns the pictures of cells.
func keysOf(rows []Row, cells []string) (keys []string) {
	for _, c := range cells {
		m, _ := moment(rows, c)
		for _, p := range m.Pictures {
			keys = append(keys, Key(p))
		}
	}
	return keys
}
