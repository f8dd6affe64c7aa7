package kimai_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/dvm/kimai"
	"pow.do/services/dvm/kimai/kimaitest"
	"pow.do/services/pow"
)

func TestCheck(t *testing.T) {
	mapped := kimai.Mapping{Users: []int64{anna, 3}, Projects: []kimai.MappedProject{{Project: 1, Activities: []int64{1, 2}}}}
	for name, c := range map[string]struct {
		revoke string
		world  func(*kimaitest.World)
		check  string
		state  string
		mend   string
	}{
		"api_access":             {revoke: "api_access", check: "kimai-server", state: "failed", mend: "api_access"},
		"view_user":              {revoke: "view_user", check: "kimai-members", state: "warning", mend: "view_user"},
		"view_all_data":          {revoke: "view_all_data", check: "kimai-records", state: "failed", mend: "view_all_data"},
		"view_other_timesheet":   {revoke: "view_other_timesheet", check: "kimai-search", state: "failed", mend: "view_other_timesheet"},
		"create_other_timesheet": {revoke: "create_other_timesheet", check: "kimai-booking", state: "failed", mend: "create_other_timesheet"},
		"version": {
			world: func(w *kimaitest.World) { w.VersionID = 22000 }, check: "kimai-server", state: "warning", mend: "update",
		},
		"token": {
			world: func(w *kimaitest.World) { w.Users[2].Disabled = true }, check: "kimai-server", state: "failed", mend: "token",
		},
		"admin": {
			world: func(w *kimaitest.World) { w.Users[2].Role = kimaitest.RoleAdmin }, check: "kimai-account", state: "failed", mend: "custom role",
		},
		"member disabled": {
			world: func(w *kimaitest.World) { w.Users[1].Disabled = true }, check: "kimai-members", state: "failed", mend: "map",
		},
		"project hidden": {
			world: func(w *kimaitest.World) { w.Projects[0].Hidden = true }, check: "kimai-projects", state: "failed", mend: "sync",
		},
		"activity hidden": {
			world: func(w *kimaitest.World) { w.Activities[1].Hidden = true }, check: "kimai-projects", state: "failed", mend: "sync",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, kimaitest.Small())
			m := mapped
			m.Controls = d.known()
			if c.world != nil {
				d.kimai.Change(c.world)
			}
			d.kimai.Revoke(c.revoke)
			before := d.kimai.Timesheets()
			got := d.client.Check(context.Background(), m)
			if diff := cmp.Diff(len(before), len(d.kimai.Timesheets())); diff != "" {
				t.Error("a look changed something")
			}
			for _, k := range got {
				if k.Name == c.check && k.State == c.state && strings.Contains(k.Mend, c.mend) {
					return
				}
			}
			t.Errorf("checks: %+v", got)
		})
	}
	t.Run("all well", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		m := mapped
		m.Controls = d.known()
		for _, k := range d.client.Check(context.Background(), m) {
			if k.State != "ok" {
				t.Errorf("%+v", k)
			}
		}
	})
	t.Run("clock", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.fault.Once(get, kimaitest.Answer(200, `{"version":"2.66.0","versionId":26600}`, "Date", d.clock().Add(time.Hour).Format(http.TimeFormat)))
		got := d.client.Check(context.Background(), mapped)
		if len(got) < 2 || got[1].Name != "kimai-clock" || got[1].State != "warning" {
			t.Errorf("%+v", got)
		}
	})
}

func TestCatalogue(t *testing.T) {
	w := kimaitest.Small()
	w.Projects = append(w.Projects, kimaitest.Project{ID: 2, Name: "Back\x1b[2Jend"}, kimaitest.Project{ID: 3, Name: "Gone", Hidden: true})
	d := newDesk(t, w)
	got, err := d.client.Catalogue(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	customer := "pow.do test customer"
	want := []kimai.Project{
		{ID: 2, Name: pow.Clean("Back\x1b[2Jend"), Customer: customer, Activities: []kimai.Activity{{ID: 1, Name: "Development"}}},
		{ID: 1, Name: "Website", Customer: customer, Activities: []kimai.Activity{{ID: 2, Name: "Design"}, {ID: 1, Name: "Development"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
