package kimaitest_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pow.do/services/dvm/kimai/kimaitest"
)

// exchange is a line of the recordings.
type exchange struct {
	N       int
	Name    string
	As      *string
	Config  map[string]string
	Revoked []string
	Note    string
	Request struct {
		Method, Path string
		Headers      map[string]string
		Body         *string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

func readRecordings(t *testing.T) (out []exchange) {
	t.Helper()
	f, err := os.Open("testdata/kimai-2.66.0.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// otherCalls are what the adapter never calls; the double does not know them.
var otherCalls = []struct {
	call *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`^(PATCH|GET) /api/timesheets/\d+/(stop|restart|duplicate|export|meta)$`), "changes of people and of Kimai's screens"},
	{regexp.MustCompile(`^GET /api/timesheets/(active|recent)`), "the caller's own records only"},
	{regexp.MustCompile(`^DELETE /api/timesheets/`), "records belong to people"},
	{regexp.MustCompile(`^(GET|POST) /api/(tags|teams|plugins)`), "not used"},
	{regexp.MustCompile(`^DELETE /api/teams`), "not used"},
	{regexp.MustCompile(`^GET /api/projects/`), "the list is read instead"},
	{regexp.MustCompile(`^(POST|PATCH) /api/(customers|projects|activities|users)`), "made by an admin"},
}

// otherLines are single exchanges that the double does not follow.
var otherLines = map[int]string{
	49: "?full=true is never asked for", 166: "?full=1 is never asked for",
	142: "tags are not used", 143: "tags are not used", 210: "tags are not used",
	403: "meta-fields are not used", 404: "meta-fields are not used", 405: "meta-fields are not used",
	419: "only JSON is sent",
	731: "the database is down", 732: "the database is down", 733: "the database is down",
}

func skipped(e exchange) bool {
	call := e.Request.Method + " " + e.Request.Path
	for _, o := range otherCalls {
		if o.call.MatchString(call) {
			return true
		}
	}
	return otherLines[e.N] != ""
}

// clocks are the server's times, from the given line on.
var clocks = []struct {
	n  int
	at string
}{{1, "16:54:30"}, {107, "16:55:30"}, {213, "16:56:30"}, {313, "16:58:51"}, {401, "17:01:30"}, {501, "17:10:00"}, {571, "17:27:09"}}

// stage is the double while the recordings are replayed.
type stage struct {
	*testing.T
	kimai *kimaitest.Server
	now   time.Time
}

func TestReplay(t *testing.T) {
	s := &stage{T: t}
	s.kimai = kimaitest.New(kimaitest.World{
		Now: func() time.Time { return s.now },
		Users: []kimaitest.User{
			{ID: 1, Name: "admin", Role: kimaitest.RoleSuper}, {ID: 2, Name: "anna", Role: kimaitest.RoleUser},
			{ID: 3, Name: "tim", Role: kimaitest.RoleLead}, {ID: 4, Name: "dvm", Role: kimaitest.RoleAdmin},
		},
	})
	defer s.kimai.Close()
	for _, e := range readRecordings(t) {
		s.prepare(e)
		if skipped(e) {
			s.effect(e)
			continue
		}
		s.replay(e)
	}
}

// prepare sets clock, settings and permissions of a line.
func (s *stage) prepare(e exchange) {
	for _, c := range clocks {
		if e.N >= c.n {
			at, err := time.Parse("2006-01-02 15:04:05", "2026-11-20 "+c.at)
			if err != nil {
				s.Fatal(err)
			}
			s.now = at
		}
	}
	s.kimai.Change(func(w *kimaitest.World) {
		w.Settings = e.Config
		switch e.N {
		case 401:
			w.MetaField = "powdo_id"
		case 501:
			w.Users = append(w.Users, kimaitest.User{ID: 5, Name: "bot", Role: kimaitest.RoleDVM})
		case 665:
			w.Users[4].Zone = "Europe/Berlin"
		case 681:
			w.Users[4].Zone = ""
		}
	})
	s.kimai.Revoke(e.Revoked...)
	if e.N == 701 {
		s.fill(14)
	}
}

// fill stands for records of anna's that were made by calls that were not
// recorded; their numbers are the holes among the ids.
func (s *stage) fill(n int) {
	for id := int64(1); n > 0; id++ {
		if !s.has(id) {
			s.kimai.Put(kimaitest.Record{ID: id, User: 2, Begin: s.now.AddDate(-1, 0, 0), End: s.now.AddDate(-1, 0, 0)})
			n--
		}
	}
}

func (s *stage) replay(e exchange) {
	var got map[string]any
	if e.Request.Method == http.MethodPost && json.Unmarshal([]byte(e.Response.Body), &got) == nil {
		if id, ok := got["id"].(float64); ok { // some calls in between were not recorded
			if before := int64(id) - 1; before > 0 && !s.has(before) {
				s.kimai.Put(kimaitest.Record{ID: before})
				s.kimai.Delete(before)
			}
		}
	}
	var body io.Reader
	if e.Request.Body != nil {
		body = strings.NewReader(*e.Request.Body)
	}
	req, err := http.NewRequest(e.Request.Method, s.kimai.URL+e.Request.Path, body)
	if err != nil {
		s.Fatal(err)
	}
	for k, v := range e.Request.Headers {
		req.Header.Set(k, v)
	}
	resp, err := s.kimai.Client().Transport.RoundTrip(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	s.compare(e, resp, string(b))
}

func (s *stage) has(id int64) bool {
	for _, r := range s.kimai.Timesheets() {
		if r.ID == id {
			return true
		}
	}
	return false
}

func (s *stage) compare(e exchange, resp *http.Response, body string) {
	if resp.StatusCode != e.Response.Status {
		s.Errorf("%d %s: status %d, want %d: %s", e.N, e.Name, resp.StatusCode, e.Response.Status, body)
		return
	}
	for k, v := range e.Response.Headers {
		got := resp.Header.Get(k)
		if k == "Content-Type" {
			v, got = mediaType(v), mediaType(got)
		}
		if k != "Location" && got != v || k == "Location" && got == "" {
			s.Errorf("%d %s: header %s is %q, want %q", e.N, e.Name, k, got, v)
		}
	}
	var want, have any
	if json.Unmarshal([]byte(e.Response.Body), &want) != nil {
		return
	}
	if err := json.Unmarshal([]byte(body), &have); err != nil {
		s.Errorf("%d %s: no JSON: %s", e.N, e.Name, body)
		return
	}
	if diff := differ("", want, have); diff != "" {
		s.Errorf("%d %s: %s", e.N, e.Name, diff)
	}
}

func mediaType(v string) string {
	t, _, _ := strings.Cut(v, ";")
	return t
}

// ignored are values that say nothing about the rules.
var ignored = map[string]bool{
	"message": true, "color-safe": true, "color": true, "initials": true, "preferences": true, "number": true, "language": true, "locale": true,
	"copyright": true, "teams": true, "memberships": true, "tags": true, "parentTitle": true,
	"rate": true, "internalRate": true, "fixedRate": true, "hourlyRate": true,
}

// differ returns the first difference in shape or value.
func differ(at string, want, have any) string {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return at + ": no object"
		}
		for k := range h {
			if _, ok := w[k]; !ok {
				return at + "." + k + ": not expected"
			}
		}
		for k, v := range w {
			if _, ok := h[k]; !ok {
				return at + "." + k + ": missing"
			}
			if ignored[k] {
				continue
			}
			if d := differ(at+"."+k, v, h[k]); d != "" {
				return d
			}
		}
	case []any:
		return differList(at, w, have)
	default:
		if want != have && !sameMinute(want, have) {
			b, _ := json.Marshal([]any{want, have})
			return at + ": want and have " + string(b)
		}
	}
	return ""
}

func differList(at string, want []any, have any) string {
	h, ok := have.([]any)
	if !ok {
		return at + ": no list"
	}
	if strings.HasSuffix(at, "errors") { // which nodes are filled, not the words
		if (len(h) > 0) != (len(want) > 0) {
			return at + ": filled differently"
		}
		return ""
	}
	if len(h) != len(want) {
		return at + ": length " + strconv.Itoa(len(h)) + ", want " + strconv.Itoa(len(want))
	}
	for i := range want {
		if d := differ(at+"["+strconv.Itoa(i)+"]", want[i], h[i]); d != "" {
			return d
		}
	}
	return ""
}

// sameMinute compares times that came from the server's clock.
func sameMinute(want, have any) bool {
	w, ok1 := want.(string)
	h, ok2 := have.(string)
	a, err1 := time.Parse("2006-01-02T15:04:05-0700", w)
	b, err2 := time.Parse("2006-01-02T15:04:05-0700", h)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || a.Format("-0700") != b.Format("-0700") {
		return false
	}
	today := a.UTC().Format(time.DateOnly) == "2026-11-20"
	return a.Equal(b) || today && a.Sub(b).Abs() <= 2*time.Minute
}

var byID = regexp.MustCompile(`^/api/[a-z]+/(\d+)`)

// effect applies what a call that the double does not know did to the server.
func (s *stage) effect(e exchange) {
	if e.Response.Status >= 300 {
		return
	}
	var id int64
	if m := byID.FindStringSubmatch(e.Request.Path); m != nil {
		id, _ = strconv.ParseInt(m[1], 10, 64)
	}
	var in, out map[string]any
	if e.Request.Body != nil {
		_ = json.Unmarshal([]byte(*e.Request.Body), &in)
	}
	_ = json.Unmarshal([]byte(e.Response.Body), &out)
	call, _, _ := strings.Cut(strings.TrimPrefix(e.Request.Path, "/api/"), "?")
	path := strings.Split(call, "/")
	switch e.Request.Method + " " + path[0] {
	case "DELETE timesheets":
		s.kimai.Delete(id)
	case "PATCH timesheets", "POST timesheets":
		s.put(out, path[len(path)-1])
	default:
		s.kimai.Change(func(w *kimaitest.World) { admin(w, e.Request.Method+" "+path[0], id, in, out) })
	}
}

// put stores a record as the answer shows it. A restart ends what runs.
func (s *stage) put(out map[string]any, verb string) {
	for _, k := range []string{"user", "project", "activity"} {
		if full, ok := out[k].(map[string]any); ok {
			out[k] = full["id"]
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		s.Fatal(err)
	}
	var f struct {
		ID, User, Project, Activity int64
		Begin, End                  string
		Break                       int64
		Description                 *string
		Exported, Billable          bool
	}
	if err := json.Unmarshal(raw, &f); err != nil || f.ID == 0 {
		return
	}
	if verb == "restart" {
		for _, r := range s.kimai.Timesheets() {
			if r.User == f.User && r.End.IsZero() {
				r.End = s.now.Truncate(time.Minute).Add(time.Minute)
				s.kimai.Put(r)
			}
		}
	}
	begin, _ := time.Parse("2006-01-02T15:04:05-0700", f.Begin)
	end, _ := time.Parse("2006-01-02T15:04:05-0700", f.End)
	r := kimaitest.Record{
		ID: f.ID, User: f.User, Project: f.Project, Activity: f.Activity, Begin: begin, End: end,
		Break: time.Duration(f.Break) * time.Second, Description: f.Description, Exported: f.Exported, Billable: f.Billable,
	}
	if !strings.HasSuffix(f.Begin, "+0000") {
		r.Zone = "Europe/Berlin"
	}
	s.kimai.Put(r)
}

// admin is what an administrator did.
func admin(w *kimaitest.World, call string, id int64, in, out map[string]any) {
	num := func(m map[string]any, k string) int64 { n, _ := m[k].(float64); return int64(n) }
	name, _ := in["name"].(string)
	switch call {
	case "POST customers":
		w.Customer = name
	case "POST projects":
		p := kimaitest.Project{ID: num(out, "id"), Name: name}
		if in["timeBudget"] != nil {
			p.Budget = time.Hour
		}
		w.Projects = append(w.Projects, p)
	case "POST activities":
		w.Activities = append(w.Activities, kimaitest.Activity{ID: num(out, "id"), Project: num(in, "project"), Name: name})
	case "PATCH projects":
		w.Projects[id-1].Hidden = in["visible"] == false
	case "PATCH users":
		u := &w.Users[id-1]
		if z, ok := in["timezone"].(string); ok {
			u.Zone = z
		}
		if on, ok := in["enabled"].(bool); ok {
			u.Disabled = !on
		}
	case "POST teams", "DELETE teams":
		team(w, out)
	}
}

// team takes over a team, and the projects that are restricted to it.
func team(w *kimaitest.World, out map[string]any) {
	raw, _ := json.Marshal(out)
	var f struct {
		ID      int64
		Name    string
		Members []struct {
			User     struct{ ID int64 }
			Teamlead bool
		}
		Projects []struct{ ID int64 }
	}
	_ = json.Unmarshal(raw, &f)
	t := kimaitest.Team{ID: f.ID, Name: f.Name}
	for _, m := range f.Members {
		if m.Teamlead {
			t.Leads = append(t.Leads, m.User.ID)
		} else {
			t.Members = append(t.Members, m.User.ID)
		}
	}
	w.Teams = []kimaitest.Team{t}
	for _, p := range f.Projects {
		w.Projects[p.ID-1].Teams = []int64{f.ID}
	}
}
