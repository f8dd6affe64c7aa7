package kimaitest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const written = "2006-01-02T15:04:05-0700"

type object = map[string]any

func (s *Server) version() object {
	v := fmt.Sprintf("%d.%d.%d", s.world.VersionID/10000, s.world.VersionID/100%100, s.world.VersionID%100)
	return object{"version": v, "versionId": s.world.VersionID, "copyright": "Kimai " + v + " by Kevin Papst."}
}

func (s *Server) config() object {
	limit, _ := strconv.Atoi(s.setting("timesheet.active_entries.hard_limit"))
	return object{
		"trackingMode": s.setting("timesheet.mode"), "defaultBeginTime": "now", "activeEntriesHardLimit": limit,
		"isAllowFutureTimes": s.on("allow_future_times"), "isAllowOverlapping": s.on("allow_overlapping_records"),
	}
}

func (s *Server) showUser(u *User) object {
	zone := u.Zone
	if zone == "" {
		zone = "UTC"
	}
	return object{
		"apiToken": false, "locale": "en", "timezone": zone, "language": "en", "initials": strings.ToUpper(u.Name[:2]),
		"color-safe": "#718096", "id": u.ID, "alias": nil, "title": nil, "avatar": nil, "username": u.Name,
		"email": u.Name + "@example.com", "accountNumber": nil, "enabled": !u.Disabled, "systemAccount": false, "color": nil,
	}
}

func (s *Server) showMe(u *User) object {
	o := s.showUser(u)
	o["preferences"], o["memberships"], o["supervisor"] = []any{}, []any{}, nil
	o["teams"] = s.teamsOf(func(t Team) bool { return slices.Contains(t.Members, u.ID) || slices.Contains(t.Leads, u.ID) })
	o["roles"] = []string{string(u.Role)}
	if u.Role == RoleUser {
		o["roles"] = []string{}
	}
	return o
}

func (s *Server) teamsOf(has func(Team) bool) []any {
	out := []any{}
	for _, t := range s.world.Teams {
		if has(t) {
			out = append(out, object{"color-safe": "#e135f4", "id": t.ID, "name": t.Name, "color": nil})
		}
	}
	return out
}

func (s *Server) listUsers(w *reply, r *http.Request, u *User) {
	if !s.may(u, "view_user") {
		w.status(http.StatusForbidden)
		return
	}
	users := slices.Clone(s.world.Users)
	slices.SortFunc(users, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	out := []any{}
	for _, o := range users {
		if visible(r, o.Disabled) {
			out = append(out, s.showUser(&o))
		}
	}
	w.json(http.StatusOK, out)
}

// visible applies the filter of that name: 1 shown, 2 hidden, 3 both.
func visible(r *http.Request, hidden bool) bool {
	switch r.URL.Query().Get("visible") {
	case "2":
		return hidden
	case "3":
		return true
	}
	return !hidden
}

func (s *Server) showCustomer(u *User) object {
	o := object{
		"color-safe": "#FF851B", "id": 1, "name": s.world.Customer, "number": "0002", "comment": nil, "visible": true, "billable": true,
		"company": nil, "country": "DE", "language": "en", "currency": "EUR", "phone": nil, "fax": nil, "mobile": nil, "homepage": nil,
		"timezone": "Europe/Berlin", "metaFields": []any{}, "teams": []any{}, "color": nil,
	}
	return budgets(o, u, 0)
}

// budgets adds what only administrators see.
func budgets(o object, u *User, budget time.Duration) object {
	if u.Role == RoleAdmin || u.Role == RoleSuper {
		o["budget"], o["timeBudget"], o["budgetType"] = 0.0, int64(budget/time.Second), nil
	}
	return o
}

func (s *Server) listProjects(w *reply, r *http.Request, u *User) {
	out, term := []any{}, strings.ToLower(r.URL.Query().Get("term"))
	projects := slices.Clone(s.world.Projects)
	slices.SortFunc(projects, func(a, b Project) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range projects {
		if !visible(r, p.Hidden) || !s.usable(u, &p) || !strings.Contains(strings.ToLower(p.Name), term) {
			continue
		}
		out = append(out, budgets(object{
			"parentTitle": s.world.Customer, "customer": 1, "color-safe": "#FFC107", "id": p.ID, "name": p.Name, "orderNumber": nil,
			"orderDate": nil, "start": nil, "end": nil, "comment": nil, "visible": !p.Hidden, "billable": true, "metaFields": []any{},
			"teams":            s.teamsOf(func(t Team) bool { return slices.Contains(p.Teams, t.ID) }),
			"globalActivities": true, "number": fmt.Sprintf("%04d", p.ID+1), "color": nil,
		}, u, p.Budget))
	}
	w.json(http.StatusOK, out)
}

// usable tells whether a user may choose a project.
func (s *Server) usable(u *User, p *Project) bool {
	return len(p.Teams) == 0 || s.may(u, "view_all_data") || slices.ContainsFunc(s.world.Teams, func(t Team) bool {
		return slices.Contains(p.Teams, t.ID) && (slices.Contains(t.Members, u.ID) || slices.Contains(t.Leads, u.ID))
	})
}

func (s *Server) listActivities(w *reply, r *http.Request, u *User) {
	q := r.URL.Query()
	project, _ := strconv.ParseInt(q.Get("project"), 10, 64)
	out := []any{}
	all := slices.Clone(s.world.Activities)
	slices.SortStableFunc(all, func(a, b Activity) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range all {
		if !visible(r, a.Hidden) || a.Project != 0 && (q.Get("globals") != "" || project != 0 && a.Project != project) {
			continue
		}
		o := object{
			"parentTitle": nil, "project": nil, "color-safe": "#3F51B5", "id": a.ID, "name": a.Name, "comment": nil, "visible": !a.Hidden,
			"billable": true, "metaFields": []any{}, "teams": []any{}, "number": fmt.Sprintf("%04d", a.ID+1), "color": nil,
		}
		if p := s.project(a.Project); p != nil {
			o["project"], o["parentTitle"] = p.ID, p.Name
		}
		out = append(out, o)
	}
	w.json(http.StatusOK, out)
}

// object is a record as its reader sees it, its times in the given zone.
func (s *Server) object(r *Record, u *User, zone *time.Location, listed bool) object {
	o := object{
		"activity": r.Activity, "project": r.Project, "user": r.User, "tags": append([]string{}, r.Tags...), "id": r.ID,
		"begin": r.Begin.In(zone).Format(written), "end": nil, "duration": r.seconds(), "break": int64(r.Break / time.Second),
		"description": r.Description, "exported": r.Exported, "billable": r.Billable, "metaFields": []any{},
	}
	if !r.End.IsZero() {
		o["end"] = r.End.In(zone).Format(written)
	}
	if s.world.MetaField != "" && r.meta {
		o["metaFields"] = []any{object{"name": s.world.MetaField, "value": nil}}
	}
	if s.world.VersionID < 26600 {
		delete(o, "break")
	}
	if u.Role == RoleAdmin || u.Role == RoleSuper || u.Role == RoleLead {
		o["rate"], o["internalRate"] = 0.0, 0.0
		if !listed {
			o["fixedRate"], o["hourlyRate"] = nil, 0.0
		}
	}
	return o
}

func (r *Record) zone() *time.Location {
	z, err := time.LoadLocation(r.Zone)
	if err != nil {
		return time.UTC
	}
	return z
}

func (s *Server) show(w *reply, u *User, r *Record) {
	switch {
	case r == nil:
		w.status(http.StatusNotFound)
	case r.User != u.ID && (!s.may(u, "view_other_timesheet") || !s.reaches(u, r.User)):
		w.status(http.StatusForbidden)
	default:
		w.json(http.StatusOK, s.object(r, u, r.zone(), false))
	}
}
