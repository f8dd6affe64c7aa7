package kimai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"pow.do/services/dvm/kimai/kimaitest"
	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	formBad   = `{"code":400,"message":"Validation Failed","errors":{"errors":["No."],"children":{"begin":{},"end":{},"project":{},"activity":{},"description":{},"user":{},"tags":{}}}}`
	formUser  = `{"code":"400","message":"x","errors":{"children":{"begin":{},"end":{},"project":{},"activity":{},"description":{},"user":{"errors":["No."]},"tags":{}}}}`
	formProj  = `{"code":400,"errors":{"children":{"begin":{},"end":{},"project":{"errors":["No."]},"activity":{},"description":{},"user":{},"tags":{}}}}`
	formBegin = `{"code":400,"errors":{"children":{"begin":{"errors":["No."]},"end":{},"project":{},"activity":{},"description":{},"user":{},"tags":{}}}}`
	formExtra = `{"code":400,"errors":{"errors":["Extra."],"children":{"begin":{},"end":{},"project":{},"activity":{},"description":{},"tags":{}}}}`
	formPunch = `{"code":400,"errors":{"errors":["Extra."],"children":{"project":{},"activity":{},"description":{},"user":{},"tags":{}}}}`
)

// outcome is how booking ended, in one word.
func outcome(r pow.TimesheetRecord, err error) string {
	switch {
	case retry.IsPermanent(err):
		return "stop"
	case err != nil:
		return "retry"
	case r.State == pow.TimesheetParked:
		return string(r.Reason)
	}
	return string(r.State)
}

// TestRefusals gives each answer to a create and to a change; an answer to a
// create that leaves open what was done is in TestLostAnswer.
func TestRefusals(t *testing.T) {
	html := []string{"Content-Type", "text/html"}
	for name, c := range map[string]struct {
		spoil          kimaitest.Spoil
		create, change string
	}{
		"KI-7 301 to http":              {kimaitest.Answer(301, "", "Location", "http://elsewhere.test/"), "stop", "stop"},
		"KI-7 308":                      {kimaitest.Answer(308, "", "Location", "/api/timesheets/"), "stop", "stop"},
		"KI-8 400 of a rule":            {kimaitest.Answer(400, formBad), "refused", "refused"},
		"KI-8 400 with a string code":   {kimaitest.Answer(400, formUser), "user-unmapped", "refused"},
		"KI-9 400 project":              {kimaitest.Answer(400, formProj), "refused", "refused"},
		"KI-9 400 begin":                {kimaitest.Answer(400, formBegin), "stop", "stop"},
		"KI-9 400 without errors":       {kimaitest.Answer(400, `{"code":400,"message":"Bad Request"}`), "defect", "defect"},
		"KI-9 400 from a gateway":       {kimaitest.Answer(400, "<html>", html...), "retry", "retry"},
		"KI-10 user not allowed":        {kimaitest.Answer(400, formExtra), "stop", "refused"},
		"KI-10 times not allowed":       {kimaitest.Answer(400, formPunch), "stop", "stop"},
		"KI-11 401 JSON":                {kimaitest.Answer(401, `{"code":401,"message":"Unauthorized"}`), "stop", "stop"},
		"KI-11 401 empty":               {kimaitest.Answer(401, ""), "stop", "stop"},
		"KI-12 403":                     {kimaitest.Answer(403, `{"code":403}`), "stop", "locked"},
		"KI-13 404":                     {kimaitest.Answer(404, `{"code":404}`), "stop", "deleted"},
		"KI-13 404 of another page":     {kimaitest.Answer(404, "<html>", html...), "retry", "retry"},
		"KI-15 405":                     {kimaitest.Answer(405, `{"code":405}`), "defect", "defect"},
		"KI-15 410":                     {kimaitest.Answer(410, `{"code":410}`), "defect", "defect"},
		"KI-15 415":                     {kimaitest.Answer(415, ""), "defect", "defect"},
		"KI-15 413":                     {kimaitest.Answer(413, "<html>", html...), "defect", "defect"},
		"KI-9 418":                      {kimaitest.Answer(418, `{"code":418}`), "defect", "defect"},
		"KI-18 503 on a change":         {kimaitest.Answer(503, "", "Retry-After", "7"), "retry", "retry"},
		"KI-1 another user came back":   {kimaitest.Answer(200, object(1, 3, 1)), "stop", "stop"},
		"KI-1 another project":          {kimaitest.Answer(200, object(1, anna, 9)), "stop", "stop"},
		"KI-4 beyond the tolerance":     {kimaitest.Answer(200, object(1, anna, 1)), "mismatch", "mismatch"},
		"KI-2 negative id":              {kimaitest.Answer(200, object(-1, anna, 1)), "retry", "retry"},
		"KI-2 id above 2^53":            {kimaitest.Answer(200, object(1<<53+1, anna, 1)), "retry", "retry"},
		"KI-5 nested too deeply":        {kimaitest.Answer(200, strings.Repeat("[", 1e6)), "retry", "retry"},
		"KI-5 10 MiB":                   {kimaitest.Answer(200, `{"a":"`+strings.Repeat("x", 10<<20)+`"}`), "retry", "retry"},
		"KI-2 repeated keys":            {kimaitest.Answer(200, `{"id":1,"id":2}`), "retry", "retry"},
		"KI-2 end before begin":         {kimaitest.Answer(200, strings.Replace(object(1, anna, 1), "T05:10", "T04:10", 1)), "retry", "retry"},
		"KI-2 another record":           {kimaitest.Answer(200, object(77, anna, 1)), "mismatch", "stop"},
		"KI-17 429 with absurd seconds": {kimaitest.Answer(429, "", "Retry-After", "99999999999"), "retry", "retry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("create", func(t *testing.T) {
				d := newDesk(t, kimaitest.Small())
				d.fault.Once(post, c.spoil)
				if got := outcome(d.try(sheet(0, 10*time.Minute))); got != c.create {
					t.Errorf("got %s, want %s (%+v)", got, c.create, d.saved[marker])
				}
			})
			t.Run("change", func(t *testing.T) {
				d := newDesk(t, kimaitest.Small())
				d.booked(sheet(0, 10*time.Minute))
				d.fault.Once(patch, c.spoil)
				if got := outcome(d.try(sheet(0, 20*time.Minute))); got != c.change {
					t.Errorf("got %s, want %s", got, c.change)
				}
			})
		})
	}
}

// object is a record at 05:00, far from what the sheets ask for.
func object(id, user, project int64) string {
	b, err := json.Marshal(map[string]any{
		"id": id, "user": user, "project": project, "activity": 1, "begin": "2026-11-20T05:00:00+0000", "end": "2026-11-20T05:10:00+0000",
		"duration": 600, "description": "[" + marker + "]", "exported": false,
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestRefusedLeavesNothingOpen shows that a plain refusal is not stored as an
// unknown result.
func TestRefusedLeavesNothingOpen(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.fault.Once(post, kimaitest.Answer(401, ""))
	if _, err := d.try(sheet(0, 10*time.Minute)); !retry.IsPermanent(err) {
		t.Fatal(err)
	}
	if got := d.saved[marker]; got.State != pow.TimesheetNone {
		t.Errorf("stored as %+v", got)
	}
}

// TestStop shows that after a stop nothing is sent for anybody until the check
// passes, which is made every five minutes.
func TestStop(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.booked(sheet(0, 10*time.Minute))
	d.fault.Once(patch, kimaitest.Answer(301, "", "Location", "/"))
	_, err := d.try(sheet(0, 20*time.Minute))
	if !retry.IsPermanent(err) {
		t.Fatalf("redirect: %v", err)
	}
	tim := sheet(0, 10*time.Minute)
	tim.KimaiUser, tim.Marker = 3, other
	before := len(d.kimai.Calls())
	if _, err := d.try(tim); !retry.IsPermanent(err) || len(d.kimai.Calls()) != before {
		t.Errorf("while stopped: %v", err)
	}
	d.wait(5 * time.Minute)
	d.kimai.Revoke("api_access")
	if _, err := d.try(tim); !retry.IsPermanent(err) {
		t.Errorf("check not passed: %v", err)
	}
	d.wait(5 * time.Minute)
	d.kimai.Revoke()
	d.booked(tim)
	d.booked(sheet(0, 20*time.Minute))
}

func TestStartRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*kimaitest.World)
		spoil  kimaitest.Spoil
		want   string
	}{
		"KI-26 too old":           {change: func(w *kimaitest.World) { w.VersionID = 21399 }, want: "stop"},
		"KI-26 version missing":   {spoil: kimaitest.Answer(404, `{"code":404}`), want: "stop"},
		"KI-26 old but good":      {change: func(w *kimaitest.World) { w.VersionID = 21400 }, want: "booked"},
		"administrator's token":   {change: func(w *kimaitest.World) { w.Users[2].Role = kimaitest.RoleAdmin }, want: "stop"},
		"KI-1 login page":         {spoil: kimaitest.Answer(200, "<html>", "Content-Type", "text/html"), want: "retry"},
		"KI-18 down":              {spoil: kimaitest.Answer(503, ""), want: "retry"},
		"wrong token":             {change: func(w *kimaitest.World) { w.Users[2].Name = "else" }, want: "stop"},
		"member is the DVM's own": {change: func(w *kimaitest.World) { w.Users[2].ID = anna; w.Users[0].ID = 5 }, want: "user-unmapped"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, kimaitest.Small())
			if c.change != nil {
				d.kimai.Change(c.change)
			}
			if c.spoil != nil {
				d.fault.Once(func(*http.Request) bool { return true }, c.spoil)
			}
			if got := outcome(d.try(sheet(0, 10*time.Minute))); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestInARow shows what is an accident once and no longer the third time.
func TestInARow(t *testing.T) {
	t.Run("KI-1 garbage", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		for i, want := range []string{"retry", "retry", "stop"} {
			d.fault.Once(patch, kimaitest.Answer(200, "<html>", "Content-Type", "text/html"))
			d.fault.Once(get, kimaitest.Answer(200, "[]"))
			if got := outcome(d.try(sheet(0, 20*time.Minute))); got != want {
				t.Errorf("answer %d: %s, want %s", i+1, got, want)
			}
		}
	})
	t.Run("KI-4 mismatch", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		for i := range 3 {
			s := sheet(0, 10*time.Minute)
			s.Marker = pow.Marker(pow.Key{}, "s", i)
			d.fault.Once(post, kimaitest.Answer(200, object(int64(i+1), anna, 1)))
			d.parked(s, pow.ParkMismatch)
		}
		if got := outcome(d.try(sheet(0, 10*time.Minute))); got != "stop" {
			t.Errorf("after three: %s", got)
		}
	})
	t.Run("KI-12 locked for three members", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.kimai.Change(func(w *kimaitest.World) { w.Users = append(w.Users, kimaitest.User{ID: 6, Name: "ida"}) })
		for i, user := range []int64{anna, 3, 6} {
			s := sheet(0, 10*time.Minute)
			s.KimaiUser, s.Marker = user, pow.Marker(pow.Key{}, "s", i)
			d.booked(s)
			d.kimai.Revoke("edit_other_timesheet")
			s.Want.To = s.Want.To.Add(time.Minute)
			want := "locked"
			if i == 2 {
				want = "stop"
			}
			if got := outcome(d.try(s)); got != want {
				t.Errorf("member %d: %s, want %s", i, got, want)
			}
			d.kimai.Revoke()
		}
	})
	t.Run("KI-18 500 for ever", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		for range 7 {
			d.fault.Once(patch, kimaitest.Answer(500, `{"code":500}`))
			if got := outcome(d.try(sheet(0, 20*time.Minute))); got != "retry" {
				t.Fatalf("got %s", got)
			}
		}
		d.fault.Once(patch, kimaitest.Answer(500, `{"code":500}`))
		d.parked(sheet(0, 20*time.Minute), pow.ParkDefect)
	})
	t.Run("KI-16 409", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		for i, want := range []string{"retry", "retry", "defect"} {
			d.fault.Once(patch, kimaitest.Answer(409, `{"code":409}`))
			if got := outcome(d.try(sheet(0, 20*time.Minute))); got != want {
				t.Errorf("answer %d: %s, want %s", i+1, got, want)
			}
		}
	})
}

// TestRetryAfter shows that a server's wait is kept, and an absurd one cut.
func TestRetryAfter(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.booked(sheet(0, 10*time.Minute))
	date := d.clock().Add(90 * time.Second).Format(http.TimeFormat)
	for header, want := range map[string]time.Duration{"120": 2 * time.Minute, date: 90 * time.Second, "99999999999": time.Hour} {
		d.fault.Once(patch, kimaitest.Answer(429, "", "Retry-After", header))
		_, err := d.try(sheet(0, 20*time.Minute))
		if got := retry.Refused.Wait(err, 1); got != want {
			t.Errorf("KI-17 %s: wait %v, want %v", header, got, want)
		}
	}
}
