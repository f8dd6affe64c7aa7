package site

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"pow.do/services/pow"
)

func (s *Site) home(w http.ResponseWriter, r *http.Request, _ visit) error {
	http.Redirect(w, r, "/week", http.StatusSeeOther)
	return nil
}

// cell is one member's day in the week.
type cell struct {
	Day     time.Time
	Seconds int64
	Waits   bool // something of it waits for a decision
}

// line is one member's week in one project.
type line struct {
	Member  pow.Member
	Project pow.ProjectRef
	Cells   [7]cell
	Seconds int64
}

// week shows who worked how long on what.
func (s *Site) week(w http.ResponseWriter, r *http.Request, v visit) error {
	monday, err := s.dayOf(r)
	if err != nil {
		return err
	}
	for monday.Weekday() != time.Monday {
		monday = monday.AddDate(0, 0, -1)
	}
	next := monday.AddDate(0, 0, 7)
	sessions, err := s.cfg.Sessions(r.Context(), Query{From: monday, To: next})
	if err != nil {
		return err
	}
	members, err := s.cfg.Members(r.Context())
	if err != nil {
		return err
	}
	lines, total := s.lines(sessions, members, monday)
	waiting, err := s.held(r)
	if err != nil {
		return err
	}
	quarantined, err := s.cfg.Quarantine(r.Context())
	if err != nil {
		return err
	}
	days := make([]time.Time, 7)
	for i := range days {
		days[i] = monday.AddDate(0, 0, i)
	}
	s.show(w, http.StatusOK, "week", v, map[string]any{"Monday": monday, "Sunday": next.AddDate(0, 0, -1), "Before": monday.AddDate(0, 0, -7),
		"Next": next, "Days": days, "Lines": lines, "Total": total, "Waiting": len(waiting), "Quarantined": len(quarantined)})
	return nil
}

func (s *Site) lines(sessions []pow.SessionReport, members []pow.Member, monday time.Time) (lines []line, total int64) {
	type key struct{ npub, project string }
	rows := map[key]*line{}
	for _, x := range sessions {
		k := key{x.Member.Npub, string(x.Project.ID)}
		if rows[k] == nil {
			rows[k] = &line{Member: memberOf(members, x.Member), Project: x.Project}
			for i := range rows[k].Cells {
				rows[k].Cells[i].Day = monday.AddDate(0, 0, i)
			}
		}
		for i := range rows[k].Cells {
			c := &rows[k].Cells[i]
			day := pow.Interval{From: c.Day, To: c.Day.AddDate(0, 0, 1)}
			for _, p := range x.Intervals {
				n := int64(p.Intersect(day).Duration() / time.Second)
				c.Seconds, rows[k].Seconds, total = c.Seconds+n, rows[k].Seconds+n, total+n
				c.Waits = c.Waits || n > 0 && x.Booking.State == "parked"
			}
		}
	}
	for _, l := range rows {
		lines = append(lines, *l)
	}
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.Member.Name, b.Member.Name), cmp.Compare(a.Member.ID, b.Member.ID), cmp.Compare(a.Project.Name, b.Project.Name))
	})
	return lines, total
}

// memberOf finds the member of a report, which names the key; pages link by the
// opaque id.
func memberOf(members []pow.Member, ref pow.MemberRef) pow.Member {
	for _, m := range members {
		if m.Identity.String() == ref.Npub {
			return m
		}
	}
	return pow.Member{Name: ref.Name}
}

// bar is a stretch of the day's timeline, in thousandths of the day.
type bar struct {
	X, W  int
	Class string
	Label string
	Link  string
}

// day shows one member's day: a timeline, the sessions, and their proofs.
func (s *Site) day(w http.ResponseWriter, r *http.Request, v visit) error {
	day, err := s.dayOf(r)
	if err != nil {
		return err
	}
	member, err := s.memberByID(r)
	if err != nil {
		return err
	}
	if err := s.note(r.Context(), v.admin, "day", string(member.ID)+" "+day.Format(time.DateOnly)); err != nil {
		return err
	}
	q := Query{Member: member.ID, From: day, To: day.AddDate(0, 0, 1)}
	sessions, err := s.cfg.Sessions(r.Context(), q)
	if err != nil {
		return err
	}
	proofs, err := s.cfg.Proofs(r.Context(), q)
	if err != nil {
		return err
	}
	slices.SortFunc(proofs, func(a, b pow.ProofReport) int { return a.From.Compare(b.From) })
	slices.SortFunc(sessions, func(a, b pow.SessionReport) int { return a.Begin.Compare(b.Begin) })
	var proven int64
	for _, x := range sessions {
		for _, i := range x.Intervals {
			proven += int64(i.Intersect(pow.Interval{From: q.From, To: q.To}).Duration() / time.Second)
		}
	}
	s.show(w, http.StatusOK, "day", v, map[string]any{"Day": day, "Before": day.AddDate(0, 0, -1), "Next": day.AddDate(0, 0, 1), "Member": member,
		"Sessions": sessions, "Proofs": proofs, "Bars": s.bars(proofs, day), "Proven": proven, "Ticks": ticks(day)})
	return nil
}

// ticks are the marks of every third hour; on the days of a change of the clock
// they stand where that hour is.
func ticks(day time.Time) (out []bar) {
	whole := day.AddDate(0, 0, 1).Sub(day)
	for h := 0; h < 24; h += 3 {
		at := time.Date(day.Year(), day.Month(), day.Day(), h, 0, 0, 0, day.Location())
		out = append(out, bar{X: int(at.Sub(day) * 1000 / whole), Label: at.Format("15:04")})
	}
	return out
}

func (s *Site) bars(proofs []pow.ProofReport, day time.Time) (out []bar) {
	whole := pow.Interval{From: day, To: day.AddDate(0, 0, 1)}
	for _, p := range proofs {
		i := pow.Interval{From: p.From, To: p.To}.Intersect(whole)
		if !i.Valid() {
			continue
		}
		b := bar{X: int(i.From.Sub(day) * 1000 / whole.Duration()), W: max(2, int(i.Duration()*1000/whole.Duration())), Class: "proven",
			Label: i.From.In(s.cfg.Zone).Format("15:04") + "–" + i.To.In(s.cfg.Zone).Format("15:04") + " " + p.Project.Name + ": " + p.State, Link: "/proof?id=" + strconv.FormatInt(p.ID, 10)}
		switch {
		case p.State != "accepted":
			b.Class = "refused"
		case p.Code == pow.CodeParked:
			b.Class = "held"
		}
		out = append(out, b)
	}
	return out
}

// proof shows the evidence of one proof.
func (s *Site) proof(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := s.proofOf(r)
	if err != nil {
		return err
	}
	if err := s.note(r.Context(), v.admin, "proof", strconv.FormatInt(p.ID, 10)); err != nil {
		return err
	}
	pictures, err := s.cfg.Pictures(r.Context(), p.ID)
	if err != nil {
		return err
	}
	rows, err := s.cfg.ActivityIn(r.Context(), p.ID)
	if err != nil {
		return err
	}
	sessions, err := s.cfg.Sessions(r.Context(), Query{Session: p.Session})
	if err != nil {
		return err
	}
	var session *pow.SessionReport
	if len(sessions) == 1 {
		session = &sessions[0]
	}
	s.show(w, http.StatusOK, "proof", v, map[string]any{"Proof": p, "Pictures": pictures, "Rows": rows, "Session": session})
	return nil
}

// picture opens the archive and answers with one picture of it.
func (s *Site) picture(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := s.proofOf(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil || n < 0 {
		return pow.ErrUsage
	}
	if err := s.note(r.Context(), v.admin, "picture", strconv.FormatInt(p.ID, 10)+"/"+strconv.Itoa(n)); err != nil {
		return err
	}
	b, err := s.cfg.Picture(r.Context(), p.ID, n)
	if err != nil {
		return err
	}
	// Only these two can be in an archive; anything else would be a fault.
	switch kind := http.DetectContentType(b); kind {
	case "image/png", "image/jpeg":
		w.Header().Set("Content-Type", kind)
	default:
		return pow.ErrArchive
	}
	_, _ = w.Write(b) // the browser may have gone
	return nil
}

// waiting lists what is verified but waits for somebody.
func (s *Site) waiting(w http.ResponseWriter, r *http.Request, v visit) error {
	held, err := s.held(r)
	if err != nil {
		return err
	}
	s.show(w, http.StatusOK, "waiting", v, map[string]any{"Sessions": held})
	return nil
}

func (s *Site) held(r *http.Request) (out []pow.SessionReport, err error) {
	all, err := s.cfg.Sessions(r.Context(), Query{})
	for _, x := range all {
		if x.Booking.State == "parked" {
			out = append(out, x)
		}
	}
	return out, err
}

func (s *Site) approve(w http.ResponseWriter, r *http.Request, v visit) error {
	session := pow.SessionID(r.PostFormValue("session"))
	if err := s.note(r.Context(), v.admin, "approved", string(session)); err != nil {
		return err
	}
	if err := s.cfg.Approve(r.Context(), session, s.cfg.Now()); err != nil {
		return err
	}
	http.Redirect(w, r, "/waiting", http.StatusSeeOther)
	return nil
}

// maxWords bounds an admin's reason, in runes; it goes into a Receipt.
const maxWords = 200

func (s *Site) refuse(w http.ResponseWriter, r *http.Request, v visit) error {
	session, words := pow.SessionID(r.PostFormValue("session")), pow.Clean(r.PostFormValue("words"))
	if words == "" || utf8.RuneCountInString(words) > maxWords {
		s.sorry(w, http.StatusBadRequest, "Say in a sentence why: the member reads it.")
		return nil
	}
	if err := s.note(r.Context(), v.admin, "refused", string(session)); err != nil {
		return err
	}
	if err := s.cfg.Reject(r.Context(), session, words, s.cfg.Now()); err != nil {
		return err
	}
	http.Redirect(w, r, "/waiting", http.StatusSeeOther)
	return nil
}

func (s *Site) quarantine(w http.ResponseWriter, r *http.Request, v visit) error {
	items, err := s.cfg.Quarantine(r.Context())
	if err != nil {
		return err
	}
	s.show(w, http.StatusOK, "quarantine", v, map[string]any{"Items": items})
	return nil
}

func (s *Site) retry(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.decideItem(w, r, v, "retried", func(id int64) error { return s.cfg.Retry(r.Context(), id, s.cfg.Now()) })
}

func (s *Site) drop(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.decideItem(w, r, v, "dropped", func(id int64) error { return s.cfg.Drop(r.Context(), id, s.cfg.Now()) })
}

func (s *Site) decideItem(w http.ResponseWriter, r *http.Request, v visit, act string, do func(int64) error) error {
	id, err := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	if err != nil {
		return pow.ErrUsage
	}
	if err := s.note(r.Context(), v.admin, act, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	if err := do(id); err != nil {
		return err
	}
	http.Redirect(w, r, "/quarantine", http.StatusSeeOther)
	return nil
}

// shownLooks is how many lines of the log a page shows.
const shownLooks = 500

func (s *Site) looks(w http.ResponseWriter, r *http.Request, v visit) error {
	looks, err := s.cfg.Looks(r.Context(), shownLooks)
	if err != nil {
		return err
	}
	s.show(w, http.StatusOK, "log", v, map[string]any{"Looks": looks})
	return nil
}

// report sends a report as a file.
func (s *Site) report(w http.ResponseWriter, r *http.Request, v visit) error {
	kinds := map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json", "pdf": "application/pdf"}
	format := r.URL.Query().Get("format")
	kind, ok := kinds[format]
	if !ok {
		return pow.ErrUsage
	}
	from, err := s.dayOf(r)
	if err != nil {
		return err
	}
	days := 1
	if r.URL.Query().Get("member") == "" {
		days = 7
	}
	q := Query{From: from, To: from.AddDate(0, 0, days)}
	if days == 1 {
		m, err := s.memberByID(r)
		if err != nil {
			return err
		}
		q.Member = m.ID
	}
	if err := s.note(r.Context(), v.admin, "export", format+" "+from.Format(time.DateOnly)+" "+string(q.Member)); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := s.cfg.Report(r.Context(), &b, format, q); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="powdo-`+from.Format(time.DateOnly)+"."+format+`"`)
	_, _ = b.WriteTo(w)
	return nil
}

// dayOf is the local day that the request names, or today.
func (s *Site) dayOf(r *http.Request) (time.Time, error) {
	v := r.URL.Query().Get("of")
	if v == "" {
		v = s.cfg.Now().In(s.cfg.Zone).Format(time.DateOnly)
	}
	t, err := time.ParseInLocation(time.DateOnly, v, s.cfg.Zone)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return t, pow.ErrUsage
	}
	return t, nil
}

func (s *Site) memberByID(r *http.Request) (pow.Member, error) {
	id, err := pow.ParseOpaqueID(r.URL.Query().Get("member"))
	if err != nil {
		return pow.Member{}, pow.ErrUsage
	}
	members, err := s.cfg.Members(r.Context())
	for _, m := range members {
		if m.ID == id {
			return m, err
		}
	}
	if err == nil {
		err = pow.ErrNotFound
	}
	return pow.Member{}, err
}

func (s *Site) proofOf(r *http.Request) (pow.ProofReport, error) {
	id, err := strconv.ParseInt(r.URL.Query().Get("id"), 10, 64)
	if err != nil || id <= 0 {
		return pow.ProofReport{}, pow.ErrUsage
	}
	ps, err := s.cfg.Proofs(r.Context(), Query{Proof: id})
	if err == nil && len(ps) != 1 {
		err = pow.ErrNotFound
	}
	if err != nil {
		return pow.ProofReport{}, err
	}
	return ps[0], nil
}
