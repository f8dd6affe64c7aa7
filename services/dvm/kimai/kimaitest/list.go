package kimaitest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// list answers GET /api/timesheets. A user that does not exist is ignored, and
// so is one whose records the caller may not see: both answer with the caller's
// own records.
func (s *Server) list(w *reply, r *http.Request, u *User) {
	q := r.URL.Query()
	keep, code := s.filter(u, q)
	if code != http.StatusOK {
		w.status(code)
		return
	}
	var rows []*Record
	for _, rec := range s.records {
		if keep(rec) {
			rows = append(rows, rec)
		}
	}
	order(rows, q)
	size, page := atoi(q.Get("size"), 50), atoi(q.Get("page"), 1)
	size = min(size, 500)
	pages := max(1, (len(rows)+size-1)/size)
	if page > pages {
		w.status(http.StatusNotFound)
		return
	}
	h := w.w.Header()
	for k, v := range map[string]int{"X-Page": page, "X-Per-Page": size, "X-Total-Count": len(rows), "X-Total-Pages": pages} {
		h.Set(k, strconv.Itoa(v))
	}
	out := []any{}
	for _, rec := range rows[min((page-1)*size, len(rows)):min(page*size, len(rows))] {
		out = append(out, s.object(rec, u, rec.zone(), true))
	}
	w.json(http.StatusOK, out)
}

func atoi(v string, or int) int {
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return n
	}
	return or
}

func order(rows []*Record, q url.Values) {
	slices.SortFunc(rows, func(a, b *Record) int {
		c := a.Begin.Compare(b.Begin)
		if q.Get("orderBy") == "id" || c == 0 {
			c = cmp.Compare(a.ID, b.ID)
		}
		if q.Get("order") != "ASC" {
			c = -c
		}
		return c
	})
}

// filter makes the selection of a query.
func (s *Server) filter(u *User, q url.Values) (keep func(*Record) bool, code int) {
	owner, code := s.owner(u, q)
	if code != http.StatusOK {
		return nil, code
	}
	begin, err1 := filterTime(q.Get("begin"), u.zone())
	end, err2 := filterTime(q.Get("end"), u.zone())
	since, err3 := filterTime(q.Get("modified_after"), time.UTC)
	if err1 != nil || err2 != nil || err3 != nil {
		return nil, http.StatusBadRequest
	}
	return func(r *Record) bool {
		switch {
		case !owner(r.User),
			!begin.IsZero() && r.Begin.Before(begin),
			!end.IsZero() && r.Begin.After(end),
			!since.IsZero() && !r.modified.After(since),
			q.Get("active") == "1" && !r.End.IsZero():
			return false
		}
		return matches(r, q.Get("term"))
	}, http.StatusOK
}

// owner tells whose records a query selects.
func (s *Server) owner(u *User, q url.Values) (func(int64) bool, int) {
	own := func(id int64) bool { return id == u.ID }
	if !s.may(u, "view_other_timesheet") {
		return own, http.StatusOK
	}
	if q.Get("user") == "all" {
		return func(id int64) bool { return s.reaches(u, id) }, http.StatusOK
	}
	if many := q["users[]"]; len(many) > 0 {
		return func(id int64) bool { return slices.Contains(many, strconv.FormatInt(id, 10)) }, http.StatusOK
	}
	id, err := strconv.ParseInt(q.Get("user"), 10, 64)
	if err != nil || s.user(id) == nil {
		return own, http.StatusOK
	}
	if !s.reaches(u, id) {
		return nil, http.StatusForbidden
	}
	return func(o int64) bool { return o == id }, http.StatusOK
}

func filterTime(v string, zone *time.Location) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	return time.ParseInLocation("2006-01-02T15:04:05", v, zone)
}

// matches is the search in descriptions: any part, in either case. A colon makes
// it a search for a meta-field, which finds nothing.
func matches(r *Record, term string) bool {
	switch {
	case term == "":
		return true
	case strings.Contains(term, ":") || r.Description == nil:
		return false
	}
	return strings.Contains(strings.ToLower(*r.Description), strings.ToLower(term))
}
