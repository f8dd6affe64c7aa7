package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"pow.do/services/pow"
)

func (s *Site) funcs() template.FuncMap {
	return template.FuncMap{
		"hours":   hours,
		"clock":   func(t time.Time) string { return t.In(s.cfg.Zone).Format("15:04:05") },
		"moment":  func(t time.Time) string { return t.In(s.cfg.Zone).Format("Mon 2 Jan 2006 15:04:05") },
		"date":    func(t time.Time) string { return t.In(s.cfg.Zone).Format(time.DateOnly) },
		"day":     func(t time.Time) string { return t.In(s.cfg.Zone).Format("Mon 2 Jan") },
		"booking": bookingWords,
		"check":   checkWords,
		"consent": consentWords,
		"reason":  reasonWords,
		"add":     func(a, b int) int { return a + b },
		"dict":    dict,
	}
}

// dict hands several values to a template inside a page, as name, value, name, value.
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("a name is a string")
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// hours shows seconds as h:mm, with the seconds where there are any.
func hours(seconds int64) string {
	if seconds%60 == 0 {
		return fmt.Sprintf("%d:%02d", seconds/3600, seconds/60%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

// show writes a whole page, or none: a template that fails half-way must not
// leave half a table that looks like all of it.
func (s *Site) show(w http.ResponseWriter, status int, name string, v visit, data map[string]any) {
	data["Team"], data["Admin"], data["Form"], data["Page"] = s.cfg.Team, v.admin, v.form, name
	var b bytes.Buffer
	if err := s.pages[name].Execute(&b, data); err != nil {
		s.cfg.Log.Error("a page cannot be made", "page", name, "error", err)
		http.Error(w, "This page cannot be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the browser may have gone
}

func (s *Site) sorry(w http.ResponseWriter, status int, what string) {
	s.show(w, status, "sorry", visit{}, map[string]any{"What": what})
}

// fail shows an error in words; its cause goes to the log.
func (s *Site) fail(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, pow.ErrNotFound):
		s.sorry(w, http.StatusNotFound, "There is nothing here. It may have been decided already, or is not kept any more.")
	case errors.Is(err, pow.ErrUsage):
		s.sorry(w, http.StatusBadRequest, "This address says something that cannot be shown.")
	case errors.Is(err, context.Canceled):
	default:
		s.cfg.Log.Error("a page failed", "error", err)
		s.sorry(w, http.StatusInternalServerError, "This could not be done. The log says why; nothing was changed by half.")
	}
}

func bookingWords(b pow.Booking) string {
	switch {
	case b.State == "booked" && b.System == "kimai":
		return fmt.Sprintf("booked, Kimai no. %d", b.Timesheet)
	case b.State == "booked":
		return "booked"
	case b.State == "parked":
		return "verified, not booked: " + reasonWords(b.Reason)
	case b.State == "failed":
		return "not booked yet; it is tried again"
	}
	return "not booked yet"
}

// reasons are the words for what keeps time from being booked, and for marks.
var reasons = map[string]string{
	"late":             "registered long after the work",
	"overlap":          "overlaps with other time",
	"own-timer":        "the member's own timer runs in Kimai",
	"locked":           "the period is closed in Kimai",
	"exported":         "already invoiced in Kimai",
	"user-unmapped":    "the member has no Kimai user yet",
	"project-unknown":  "the project is not mapped to Kimai",
	"project-closed":   "the project is closed",
	"captures-missing": "the project asks for pictures, and some are missing",
	"chain-gap":        "an earlier proof of this computer has not arrived",
	"needs-approval":   "longer than one session may be",
	"booking-refused":  "Kimai refuses it",
	"rejected":         "declined by an admin",
	"repeated":         "a picture was sent before",
	"kept":             "some time was kept while away",
	"by-hand":          "some time was corrected by hand",
	"edited":           "areas of pictures were covered",
	"without-picture":  "a picture was taken out, its time kept",
	"detail":           "more detail than the project asks for",
}

func reasonWords(code string) string {
	if w, ok := reasons[code]; ok {
		return w
	}
	return code
}

// checkWords says the outcome of one check.
func checkWords(v string) string {
	switch v {
	case "ok":
		return "in order"
	case "-", "":
		return "not looked at"
	}
	return reasonWords(v)
}

// consentWords says what became of the consent that a proof carries.
func consentWords(v string) string {
	switch v {
	case "none":
		return "the proof carries none"
	case "invalid":
		return "it cannot be read, or its signature is wrong"
	case "other":
		return "for something else"
	case "less":
		return "to less than the project asks for by now"
	}
	return checkWords(v)
}
