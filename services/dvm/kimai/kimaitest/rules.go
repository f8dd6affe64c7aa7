package kimaitest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// layouts are the times that Kimai takes; without an offset they are local.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05",
}

func (f *form) time(name string, zone *time.Location) time.Time {
	v := text(f.fields[name])
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, v, zone); err == nil {
			return t.Truncate(time.Second).UTC()
		}
	}
	f.fail(name, "Please enter a valid date and time.")
	return time.Time{}
}

func (f *form) id(name string) int64 {
	n, _ := strconv.ParseInt(text(f.fields[name]), 10, 64)
	return n
}

func null(raw json.RawMessage) bool { return string(raw) == "null" || string(raw) == `""` }

// read takes over what was sent. Times without an offset are read in zone.
func (f *form) read(zone *time.Location) {
	if len(f.global) > 0 {
		return
	}
	if f.sent("begin") {
		if f.crash = string(f.fields["begin"]) == "null"; f.crash {
			return
		}
		f.rec.Begin = f.time("begin", zone)
	}
	if f.sent("end") {
		f.rec.End = time.Time{}
		if !null(f.fields["end"]) {
			f.rec.End = f.time("end", zone)
		}
	}
	for name, to := range map[string]*int64{"project": &f.rec.Project, "activity": &f.rec.Activity, "user": &f.rec.User} {
		if f.sent(name) {
			*to = f.id(name)
		}
	}
	if f.sent("break") {
		f.rec.Break = breakTime(f.fields["break"])
	}
	if f.sent("exported") {
		f.rec.Exported = string(f.fields["exported"]) == "true"
	}
	if f.sent("billable") {
		f.rec.Billable = string(f.fields["billable"]) == "true"
	}
	f.readText()
}

func (f *form) readText() {
	if raw, ok := f.fields["description"]; ok {
		v := text(raw)
		f.rec.Description = &v
		f.crash = len(v) > 65535
	}
	if raw, ok := f.fields["tags"]; ok {
		if raw[0] == '[' {
			f.fail("tags", "This value is not valid.")
			return
		}
		f.rec.Tags = nil // names that are not known are dropped, and none is known here
	}
}

// breakTime reads H:MM, H:MM:SS, and a bare number as hours.
func breakTime(raw json.RawMessage) (d time.Duration) {
	parts := strings.Split(text(raw), ":")
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		if i < len(parts) {
			n, _ := strconv.Atoi(parts[i])
			d += time.Duration(n) * unit
		}
	}
	return d
}

// choices checks user, project and activity.
func (f *form) choices() {
	if len(f.global) > 0 || f.crash {
		return
	}
	s, was := f.s, Record{}
	if f.old != nil {
		was = *f.old
	}
	switch u := s.user(f.rec.User); {
	case f.sent("user") && null(f.fields["user"]):
		f.fail("user", "This value should not be null.")
	case f.sent("user") && f.rec.User != was.User && (u == nil || u.Disabled || !s.reaches(f.caller, u.ID)):
		f.fail("user", "The selected choice is invalid.")
	}
	switch p := s.project(f.rec.Project); {
	case f.rec.Project == 0 && !f.sent("project"):
		f.fail("project", "A project needs to be selected.")
		f.fail("project", "This value should not be null.")
	case f.rec.Project != was.Project && (p == nil || p.Hidden || !s.usable(f.caller, p)):
		f.fail("project", "The selected choice is invalid.")
	case p != nil && p.Hidden && f.rec.End.IsZero():
		f.fail("project", "Cannot start a disabled project.")
	}
	switch a := s.activity(f.rec.Activity); {
	case len(f.errs["project"]) > 0 && f.sent("project"):
	case f.rec.Activity == 0 && !f.sent("activity"):
		f.fail("activity", "This value should not be null.")
	case f.rec.Activity != was.Activity && (a == nil || a.Hidden || a.Project != 0 && a.Project != f.rec.Project):
		f.fail("activity", "The selected choice is invalid.")
	}
}

// check applies the rules of the server to the times as they were sent.
func (f *form) check() {
	s, r := f.s, &f.rec
	closed := !r.End.IsZero()
	length := r.End.Sub(r.Begin) - r.Break
	limit := atoi(s.setting("timesheet.rules.long_running_duration"), 0)
	ahead := f.now.Add(time.Duration(atoi(s.setting("timesheet.rounding.default.begin"), 0)+1) * time.Minute)
	switch future := s.on("allow_future_times"); {
	case closed && length < 0:
		f.global = append(f.global, "Duration cannot be negative.")
		return
	case !future && (r.Begin.After(ahead) || closed && r.End.After(ahead)):
		f.global = append(f.global, "The date cannot be in the future.")
	}
	switch {
	case closed && length == 0 && !s.on("allow_zero_duration"):
		f.global = append(f.global, "An empty duration is not allowed.")
	case closed && (limit > 0 && length > time.Duration(limit)*time.Minute || length > 366*24*time.Hour):
		f.global = append(f.global, "Maximum duration exceeded.")
	}
	if s.locked(r.Begin) && f.caller.Role != RoleAdmin && f.caller.Role != RoleSuper {
		f.global = append(f.global, "This period is locked. Please choose a later date.")
	}
	f.overlap()
	f.budget()
	f.start()
}

func (f *form) overlap() {
	if f.s.on("allow_overlapping_records") {
		return
	}
	r := &f.rec
	for _, o := range f.s.records {
		if o.User != r.User || f.old != nil && o.ID == f.old.ID || o.End.IsZero() {
			continue
		}
		if r.End.IsZero() && !r.Begin.Before(o.Begin) && r.Begin.Before(o.End) ||
			!r.End.IsZero() && r.Begin.Before(o.End) && o.Begin.Before(r.End) {
			f.global = append(f.global, "You already have an entry for this time.")
			return
		}
	}
}

func (f *form) budget() {
	p := f.s.project(f.rec.Project)
	if f.s.on("allow_overbooking_budget") || p == nil || p.Budget == 0 || !f.rec.Billable || f.rec.End.IsZero() {
		return
	}
	sum := f.rec.seconds()
	for _, o := range f.s.records {
		if o.Project == p.ID && (f.old == nil || o.ID != f.old.ID) {
			sum += o.seconds()
		}
	}
	if time.Duration(sum)*time.Second > p.Budget {
		f.fail("project", "The budget is used up.")
	}
}

// start guards a record that is begun and left running.
func (f *form) start() {
	if !f.rec.End.IsZero() || f.old != nil {
		return
	}
	if f.rec.User != f.caller.ID && !f.s.may(f.caller, "start_other_timesheet") {
		f.global = append(f.global, "You are not allowed to start this timesheet record.")
	}
	limit := time.Duration(atoi(f.s.setting("timesheet.rules.long_running_duration"), 0)) * time.Minute
	stuck := func(o *Record) bool {
		return o.Begin.After(f.now) || limit > 0 && f.now.Sub(o.Begin) > limit
	}
	if slices.ContainsFunc(f.s.running(f.rec.User), stuck) {
		f.global = append(f.global, "You have an active time record which cannot be stopped automatically.")
	}
}

// locked tells whether a time lies in the closed period: before this month, once
// the grace period of the settings is over. The only settings known are those of
// the recordings: last month and all before, two days' grace.
func (s *Server) locked(t time.Time) bool {
	if s.setting("timesheet.rules.lockdown_period_start") == "" {
		return false
	}
	now := s.world.Now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	return t.Before(month) && now.After(month.AddDate(0, 0, 2))
}
