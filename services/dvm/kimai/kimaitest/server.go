package kimaitest

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Role is what a user may do.
type Role string

// The roles of the recordings. RoleDVM is the account that the adapter needs
// and no more.
const (
	RoleUser  Role = "ROLE_USER"
	RoleLead  Role = "ROLE_TEAMLEAD"
	RoleDVM   Role = "ROLE_DVM"
	RoleAdmin Role = "ROLE_ADMIN"
	RoleSuper Role = "ROLE_SUPER_ADMIN"
)

// User is an account. Its token is TEST-TOKEN-<name>.
type User struct {
	ID       int64
	Name     string
	Zone     string // IANA; empty is UTC
	Role     Role
	Disabled bool
}

// Project can be booked with global activities and its own.
type Project struct {
	ID     int64
	Name   string
	Hidden bool
	Teams  []int64       // only members of these may book; empty: everybody
	Budget time.Duration // zero: none
}

// Activity belongs to one project, or with Project 0 to all.
type Activity struct {
	ID, Project int64
	Name        string
	Hidden      bool
}

// Team is a group of users.
type Team struct {
	ID      int64
	Name    string
	Members []int64
	Leads   []int64
}

// Record is one timesheet record as it is stored.
type Record struct {
	ID, User, Project, Activity int64
	Begin, End                  time.Time // End is zero while it runs
	Break                       time.Duration
	Description                 *string
	Tags                        []string
	Exported                    bool
	Billable                    bool
	Zone                        string // in which it is shown
	// Day is the calendar day that reports file the record under, 2006-01-02.
	Day      string
	modified time.Time
	meta     bool // stored since the plugin is there
}

func (r Record) seconds() int64 {
	if r.End.IsZero() {
		return 0
	}
	return int64((r.End.Sub(r.Begin) - r.Break) / time.Second)
}

// World is the state that a server begins with.
type World struct {
	Now        func() time.Time // nil: time.Now
	VersionID  int              // 0: 26600
	Users      []User
	Customer   string
	Projects   []Project
	Activities []Activity
	Teams      []Team
	Settings   map[string]string // names of Kimai's configuration table
	MetaField  string            // of a plugin; empty: none
}

// Small is a world with the DVM's account (5, token TEST-TOKEN-bot), one member
// (2, anna), one project and two activities. All clocks of its people are in UTC.
func Small() World {
	return World{
		Users:      []User{{ID: 2, Name: "anna", Role: RoleUser}, {ID: 3, Name: "tim", Role: RoleUser}, {ID: 5, Name: "bot", Role: RoleDVM}},
		Customer:   "pow.do test customer",
		Projects:   []Project{{ID: 1, Name: "Website"}},
		Activities: []Activity{{ID: 1, Name: "Development"}, {ID: 2, Project: 1, Name: "Design"}},
	}
}

// Server is a running Kimai. It is safe for concurrent use.
type Server struct {
	URL   string
	Token string // of the first user with RoleDVM

	http    *httptest.Server
	mu      sync.Mutex
	world   World
	records []*Record
	nextID  int64
	revoked []string
	busy    map[int64]int
	raced   bool
	calls   []string
}

// New starts a server on this machine; Close ends it.
func New(w World) *Server {
	if w.Now == nil {
		w.Now = time.Now
	}
	w.VersionID = cmp.Or(w.VersionID, 26600)
	s := &Server{world: w, busy: map[int64]int{}}
	for _, u := range w.Users {
		if u.Role == RoleDVM && s.Token == "" {
			s.Token = "TEST-TOKEN-" + u.Name
		}
	}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Close ends the server and waits for its requests.
func (s *Server) Close() { s.http.Close() }

// Client returns an HTTP client of the server's own.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Timesheets returns the records in order of their ids.
func (s *Server) Timesheets() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Record, 0, len(s.records))
	for _, r := range s.records {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Record) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Calls returns method and path with query of every request, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Change changes the state under the server's lock.
func (s *Server) Change(f func(w *World)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.world)
}

// Put stores a record as it is, over one with the same id; a zero id becomes
// the next one. It returns the id.
func (s *Server) Put(r Record) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == 0 {
		r.ID = s.nextID + 1
	}
	s.nextID = max(s.nextID, r.ID)
	s.records = slices.DeleteFunc(s.records, func(o *Record) bool { return o.ID == r.ID })
	r.modified, r.meta = s.world.Now(), s.world.MetaField != ""
	s.records = append(s.records, &r)
	return r.ID
}

// Delete removes a record, as a person would.
func (s *Server) Delete(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = slices.DeleteFunc(s.records, func(o *Record) bool { return o.ID == id })
}

// Revoke takes permissions from RoleDVM, and gives back those named before.
func (s *Server) Revoke(permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = permissions
}

// Raced tells whether two requests that write for one user were ever under way
// at once.
func (s *Server) Raced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raced
}

func (s *Server) user(id int64) *User {
	for i := range s.world.Users {
		if s.world.Users[i].ID == id {
			return &s.world.Users[i]
		}
	}
	return nil
}

func (s *Server) project(id int64) *Project {
	for i := range s.world.Projects {
		if s.world.Projects[i].ID == id {
			return &s.world.Projects[i]
		}
	}
	return nil
}

func (s *Server) activity(id int64) *Activity {
	for i := range s.world.Activities {
		if s.world.Activities[i].ID == id {
			return &s.world.Activities[i]
		}
	}
	return nil
}

func (s *Server) record(id int64) *Record {
	for _, r := range s.records {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// setting is a value of the configuration table, or Kimai's default.
func (s *Server) setting(name string) string {
	if v, ok := s.world.Settings[name]; ok {
		return v
	}
	return map[string]string{
		"timesheet.mode": "default", "timesheet.active_entries.hard_limit": "1",
		"timesheet.rounding.default.begin": "1", "timesheet.rounding.default.end": "1", "timesheet.rounding.default.mode": "default",
		"timesheet.rules.allow_future_times": "1", "timesheet.rules.allow_overlapping_records": "1",
		"timesheet.rules.allow_zero_duration": "1", "timesheet.rules.allow_overbooking_budget": "1",
	}[name]
}

func (s *Server) on(name string) bool { return s.setting("timesheet.rules."+name) == "1" }

// may tells whether a user has a permission; on names of other people's records.
func (s *Server) may(u *User, permission string) bool {
	if u.Role == RoleDVM && slices.Contains(s.revoked, permission) {
		return false
	}
	switch u.Role {
	case RoleSuper, RoleAdmin:
		return permission != "view_user" || u.Role == RoleSuper
	case RoleLead:
		return slices.Contains(strings.Fields("api_access create_own_timesheet create_other_timesheet view_other_timesheet edit_other_timesheet start_other_timesheet edit_export_other edit_billable"), permission)
	case RoleDVM:
		return slices.Contains(strings.Fields("api_access create_own_timesheet create_other_timesheet view_all_data edit_other_timesheet view_other_timesheet view_user start_other_timesheet"), permission)
	}
	return permission == "api_access" || permission == "create_own_timesheet"
}

// reaches tells whether a user may see another's data.
func (s *Server) reaches(u *User, other int64) bool {
	if u.ID == other || s.may(u, "view_all_data") {
		return true
	}
	return slices.ContainsFunc(s.world.Teams, func(t Team) bool {
		return slices.Contains(t.Leads, u.ID) && slices.Contains(t.Members, other)
	})
}

func (u *User) zone() *time.Location {
	z, err := time.LoadLocation(u.Zone)
	if err != nil {
		return time.UTC
	}
	return z
}
