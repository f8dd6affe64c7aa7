package kimai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"pow.do/services/pow"
)

// Mapping is what the DVM wants to book in Kimai, for [Client.Check].
type Mapping struct {
	Users    []int64 // the members' Kimai users
	Projects []MappedProject
	Controls []pow.TimesheetControl // booked records, newest first
}

// MappedProject is a Kimai project with the activities that are booked there.
type MappedProject struct {
	Project    int64
	Activities []int64
}

// doctor collects what a look at the server finds.
type doctor struct {
	*Client
	want   Mapping
	server server
	out    []pow.Check
}

// Check looks at server, account, permissions and mapping, for `doctor`. It
// changes nothing: whether a member's record may be created is asked with a
// record that lacks everything, and names the fields that may be sent. Whether
// records may be changed (edit_other_timesheet) cannot be seen without a change.
func (c *Client) Check(ctx context.Context, m Mapping) []pow.Check {
	d := &doctor{Client: c, want: m}
	for _, look := range []func(context.Context) bool{
		d.version, d.account, d.settings, d.members, d.projects, d.lists, d.creates, d.searches,
	} {
		if !look(ctx) {
			break
		}
	}
	return d.out
}

func (d *doctor) say(name, state, detail, mend string) {
	d.out = append(d.out, pow.Check{Name: "kimai-" + name, State: state, Detail: pow.Clean(detail), Mend: mend})
}

// failed reports an error with the mend that its status suggests, and tells
// whether there is a point in looking further.
func (d *doctor) failed(name string, err error, mend string) bool {
	f := &failure{err: err}
	errors.As(err, &f)
	switch {
	case f.status == http.StatusUnauthorized:
		mend = "make an API token for the DVM's Kimai user and put it into the token file"
	case f.status >= 300 && f.status < 400:
		mend = "set the base URL of Kimai as the browser shows it, without /api"
	case mend == "" && f.status == http.StatusForbidden:
		mend = "give the role of the DVM's Kimai user the permission api_access"
	}
	d.say(name, "failed", f.detail(), mend)
	return false
}

func (d *doctor) version(ctx context.Context) bool {
	if err := d.askVersion(ctx, &d.server); err != nil {
		return d.failed("server", err, "")
	}
	v := "Kimai " + d.server.version.Version
	if d.server.version.VersionID < oldVersion {
		d.say("server", "warning", v+" was never tried", "update to 2.26 or newer")
	} else {
		d.say("server", "ok", v, "")
	}
	if d.server.skew.Abs() > maxSkew {
		d.say("clock", "warning", fmt.Sprintf("Kimai's clock differs from ours by %v", d.server.skew), "set both by NTP")
	}
	return true
}

func (d *doctor) account(ctx context.Context) bool {
	if err := d.askMe(ctx, &d.server); err != nil {
		return d.failed("account", err, "use a user of its own with a custom role, or allow the admin token by name")
	}
	for _, id := range d.want.Users {
		if id == int64(d.server.me.ID) {
			d.say("account", "failed", "the token belongs to a member's user", "make a Kimai user for the DVM")
			return true
		}
	}
	d.say("account", "ok", fmt.Sprintf("%s, user %d, %s", d.server.me.Username, d.server.me.ID, d.server.me.Timezone), "")
	return true
}

func (d *doctor) settings(ctx context.Context) bool {
	if _, err := d.do(ctx, request{path: "config/timesheet"}, &d.server.settings); err != nil {
		return d.failed("settings", err, "")
	}
	overlaps := "overlaps forbidden"
	if d.server.settings.overlapping() {
		overlaps = "overlaps allowed"
	}
	d.say("settings", "ok", "mode "+d.server.settings.TrackingMode+", "+overlaps, "")
	return true
}

func (d *doctor) members(ctx context.Context) bool {
	if err := d.askUsers(ctx, &d.server); err != nil {
		return d.failed("members", err, "")
	}
	if d.server.users == nil {
		d.say("members", "warning", "members' users and time zones are unknown", "give the permission view_user")
		return true
	}
	var bad []string
	for _, id := range d.want.Users {
		if a, ok := d.server.users[id]; !ok || !a.enabled() {
			bad = append(bad, number64(id))
		}
	}
	if len(bad) > 0 {
		d.say("members", "failed", "no enabled users: "+strings.Join(bad, ", "), "map these members to other Kimai users")
		return true
	}
	d.say("members", "ok", fmt.Sprintf("%d mapped", len(d.want.Users)), "")
	return true
}

func (d *doctor) projects(ctx context.Context) bool {
	var rows []entry
	if _, err := d.do(ctx, request{path: "projects", query: url.Values{"visible": {"1"}}}, &rows); err != nil {
		return d.failed("projects", err, "")
	}
	listed := map[number]entry{}
	for _, p := range rows {
		listed[p.ID] = p
	}
	var bad []string
	for _, m := range d.want.Projects {
		p, ok := listed[number(m.Project)]
		if !ok {
			bad = append(bad, "project "+number64(m.Project))
			continue
		}
		work, err := d.activities(ctx, p)
		if err != nil {
			return d.failed("projects", err, "")
		}
		bad = append(bad, unlisted(work, m.Activities)...)
	}
	if len(bad) > 0 {
		d.say("projects", "failed", "not there or hidden: "+strings.Join(bad, ", "), "show them in Kimai, or run powdo-server projects sync")
		return true
	}
	d.say("projects", "ok", fmt.Sprintf("%d mapped", len(d.want.Projects)), "")
	return true
}

func unlisted(work []Activity, want []int64) (bad []string) {
	have := map[int64]bool{}
	for _, a := range work {
		have[a.ID] = true
	}
	for _, id := range want {
		if !have[id] {
			bad = append(bad, "activity "+number64(id))
		}
	}
	return bad
}

// lists asks for one record of each member.
func (d *doctor) lists(ctx context.Context) bool {
	for _, id := range d.want.Users {
		var rows []record
		q := url.Values{"user": {number64(id)}, "size": {"1"}}
		_, err := d.do(ctx, request{kind: list, path: "timesheets", query: q}, &rows)
		if f := (*failure)(nil); errors.As(err, &f) && f.status == http.StatusForbidden {
			d.say("records", "failed", "no access to the records of user "+number64(id), "give the permission view_all_data")
			return true
		}
		if err != nil {
			return d.failed("records", err, "")
		}
		for _, r := range rows {
			if r.user != id {
				d.say("records", "failed", "Kimai shows another user's records for user "+number64(id), "give the permission view_other_timesheet, and see that the user exists")
				return true
			}
		}
	}
	d.say("records", "ok", "members' records can be listed", "")
	return true
}

// creates sends a record that lacks project and activity: nothing is made of
// it, and the refusal names the fields that this account may send.
func (d *doctor) creates(ctx context.Context) bool {
	_, err := d.do(ctx, request{kind: create, path: "timesheets", body: &body{}}, nil)
	f := (*failure)(nil)
	if !errors.As(err, &f) || f.status != http.StatusBadRequest {
		return d.failed("booking", err, "give the permission create_own_timesheet")
	}
	have := map[string]bool{}
	for _, name := range f.knows {
		have[name] = true
	}
	switch {
	case !have["user"]:
		d.say("booking", "failed", "may not book for members", "give the permission create_other_timesheet")
	case !have["begin"] || !have["end"]:
		d.say("booking", "failed", "may not set begin and end", "give the permission view_other_timesheet, or change Kimai's time-tracking mode")
	default:
		d.say("booking", "ok", "may book for members", "")
	}
	return true
}

// searches is the positive control.
func (d *doctor) searches(ctx context.Context) bool {
	if len(d.want.Controls) == 0 {
		d.say("search", "unused", "nothing is booked yet", "")
		return true
	}
	b := &booking{Client: d.Client, sheet: pow.Timesheet{Controls: d.want.Controls}}
	works, err := b.control(ctx)
	switch {
	case err != nil:
		return d.failed("search", err, "give the permission view_other_timesheet")
	case !works:
		d.say("search", "failed", "a booked record is not found by its marker", "give the permission view_other_timesheet")
	default:
		d.say("search", "ok", "a booked record is found by its marker", "")
	}
	return true
}
