package kimaitest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// form is a POST or PATCH being judged: the record as it would be, and what is
// wrong with it.
type form struct {
	s      *Server
	caller *User
	fields map[string]json.RawMessage
	rec    Record // as asked for, not rounded
	old    *Record
	knows  []string
	global []string
	errs   map[string][]string
	now    time.Time
	crash  bool // a value that ends in a 500
}

func (f *form) fail(field, text string) { f.errs[field] = append(f.errs[field], text) }

func (f *form) bad() bool { return len(f.global) > 0 || len(f.errs) > 0 }

func (f *form) sent(name string) bool { _, ok := f.fields[name]; return ok }

// answer writes the 400 of a form.
func (f *form) answer(w *reply) {
	children := object{}
	for _, k := range f.knows {
		children[k] = object{}
		if e := f.errs[k]; len(e) > 0 {
			children[k] = object{"errors": e}
		}
	}
	errs := object{"children": children}
	if len(f.global) > 0 {
		errs["errors"] = f.global
	}
	w.json(http.StatusBadRequest, object{"code": 400, "message": "Validation Failed", "errors": errs})
}

// newForm tells which fields a caller may send for a record.
func (s *Server) newForm(u *User, old *Record, fields map[string]json.RawMessage) *form {
	f := &form{s: s, caller: u, old: old, fields: fields, errs: map[string][]string{}, now: s.world.Now().Truncate(time.Second)}
	f.knows = []string{"project", "activity", "description", "tags"}
	if s.setting("timesheet.mode") == "default" || s.may(u, "view_other_timesheet") {
		f.knows = append(f.knows, "begin", "end")
	}
	if s.on("break_time_active") {
		f.knows = append(f.knows, "break")
	}
	if s.may(u, "create_other_timesheet") || old != nil {
		f.knows = append(f.knows, "user")
	}
	if s.may(u, "edit_billable") {
		f.knows = append(f.knows, "exported", "billable")
	}
	if u.Role == RoleAdmin || u.Role == RoleSuper {
		f.knows = append(f.knows, "fixedRate", "hourlyRate")
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(f.knows, name) {
			f.global = []string{"This form should not contain extra fields."}
		}
	}
	return f
}

// create answers POST /api/timesheets.
func (s *Server) create(w *reply, u *User, body []byte) {
	var fields map[string]json.RawMessage
	if len(body) > 0 && json.Unmarshal(body, &fields) != nil {
		w.json(http.StatusBadRequest, object{"code": 400, "message": "Bad Request"})
		return
	}
	f := s.newForm(u, nil, fields)
	f.rec = Record{User: u.ID, Billable: true, Zone: u.Zone}
	f.rec.Begin = roundTo(f.now, s.setting("timesheet.rounding.default.begin"), s.setting("timesheet.rounding.default.mode"), false)
	f.read(u.zone())
	f.choices()
	if !f.bad() {
		f.check()
	}
	if f.done(w) {
		return
	}
	s.stopOthers(&f.rec)
	r := f.rec
	s.nextID++
	r.ID = s.nextID
	r.Day = r.Begin.In(u.zone()).Format(time.DateOnly)
	s.store(&r, u.Zone)
	s.records = append(s.records, &r)
	w.json(http.StatusOK, s.object(&r, u, u.zone(), false))
}

// change answers PATCH /api/timesheets/{id}.
func (s *Server) change(w *reply, u *User, old *Record, body []byte) {
	var fields map[string]json.RawMessage
	switch {
	case old == nil:
		w.status(http.StatusNotFound)
		return
	case !s.editable(u, old):
		w.status(http.StatusForbidden)
		return
	case json.Unmarshal(body, &fields) != nil:
		w.json(http.StatusBadRequest, object{"code": 400, "message": "Bad Request"})
		return
	}
	f := s.newForm(u, old, fields)
	f.rec = *old
	zone, shown := old.zone(), old.Zone
	f.read(zone)
	f.choices()
	if !f.bad() {
		f.check()
	}
	if f.done(w) {
		return
	}
	if f.sent("begin") && !f.rec.Begin.Equal(old.Begin) {
		f.rec.Day = f.rec.Begin.In(zone).Format(time.DateOnly)
	}
	*old = f.rec
	s.store(old, shown)
	w.json(http.StatusOK, s.object(old, u, zone, false))
}

// done answers when something is wrong.
func (f *form) done(w *reply) bool {
	switch {
	case f.crash:
		w.status(http.StatusInternalServerError)
	case f.bad():
		f.answer(w)
	}
	return f.crash || f.bad()
}

// editable is the guard of PATCH.
func (s *Server) editable(u *User, r *Record) bool {
	admin := u.Role == RoleAdmin || u.Role == RoleSuper
	switch {
	case r.User != u.ID && !(s.may(u, "edit_other_timesheet") && s.reaches(u, r.User)):
		return false
	case r.Exported, s.locked(r.Begin):
		return admin
	}
	return true
}

// store rounds a closed record and decides in which zone it is shown from now
// on: the owner's, unless rounding had to change something.
func (s *Server) store(r *Record, shown string) {
	begin, end := s.round(r)
	r.Zone = shown
	if begin.Equal(r.Begin) && end.Equal(r.End) {
		if o := s.user(r.User); o != nil {
			r.Zone = o.Zone
		}
	}
	r.Begin, r.End, r.modified = begin, end, s.world.Now()
	r.meta = r.meta || s.world.MetaField != ""
}

func (s *Server) round(r *Record) (begin, end time.Time) {
	if r.End.IsZero() {
		return r.Begin, r.End
	}
	mode := s.setting("timesheet.rounding.default.mode")
	begin = roundTo(r.Begin, s.setting("timesheet.rounding.default.begin"), mode, false)
	return begin, roundTo(r.End, s.setting("timesheet.rounding.default.end"), mode, true)
}

func roundTo(t time.Time, minutes, mode string, up bool) time.Time {
	n, _ := strconv.Atoi(minutes)
	step := time.Duration(n) * time.Minute
	if step <= 0 {
		return t
	}
	low := t.Truncate(step)
	switch {
	case mode == "closest" && t.Sub(low)*2 >= step, mode == "default" && up && !low.Equal(t):
		return low.Add(step)
	}
	return low
}

// stopOthers keeps the limit of running records: the oldest are ended now.
func (s *Server) stopOthers(n *Record) {
	if !n.End.IsZero() {
		return
	}
	limit := max(1, atoi(s.setting("timesheet.active_entries.hard_limit"), 1))
	for running := s.running(n.User); len(running) >= limit; running = running[1:] {
		old := running[0]
		old.End = s.world.Now().Truncate(time.Second)
		s.store(old, old.Zone)
	}
}

func (s *Server) running(user int64) (out []*Record) {
	for _, r := range s.records {
		if r.User == user && r.End.IsZero() {
			out = append(out, r)
		}
	}
	return out
}

func text(raw json.RawMessage) string {
	var v string
	if json.Unmarshal(raw, &v) == nil {
		return v
	}
	return strings.Trim(string(raw), `"`)
}
