package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pow.do/services/dvm/report"
	"pow.do/services/pow"
)

var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return l
}()

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
	if err != nil {
		panic(err)
	}
	return t
}

func span(from, to string) pow.Interval { return pow.Interval{From: at(from), To: at(to)} }

func session(name, project string, booked bool, is ...pow.Interval) pow.SessionReport {
	s := pow.SessionReport{Session: "01J0000000000000000000000A", Member: pow.MemberRef{Npub: "npub1" + name, Name: name},
		Project: pow.ProjectRef{ID: "00112233445566ff", Name: project}, Begin: is[0].From, End: is[len(is)-1].To, Intervals: is, Proofs: len(is), State: "closed"}
	s.Booking = pow.Booking{State: "parked", Reason: "late"}
	if booked {
		s.Booking = pow.Booking{State: "booked", System: "kimai", Timesheet: 4711}
	}
	for _, i := range is {
		s.Proven += int64(i.Duration() / time.Second)
	}
	return s
}

func source(ss ...pow.SessionReport) report.Source {
	return report.Source{Team: "Studio Nord", DVMNpub: "npub1dvm", Sessions: ss, Zone: berlin, Now: at("2026-11-20 10:00"),
		Proofs: []pow.ProofReport{{ID: 7, From: at("2026-11-19 23:30"), To: at("2026-11-20 00:30"), Captures: 6, State: "accepted",
			Sealed: pow.Hash{1}, Root: pow.Hash{2}, Checks: pow.Checks{Signature: "ok", Chain: "ok", Hashes: "ok", Window: "ok", Policy: "ok"}}}}
}

func TestDaysAreLocal(t *testing.T) {
	r := report.New(source(
		session("Anna", "Relaunch", true, span("2026-11-19 23:30", "2026-11-20 00:30")),
		// The night on which the clock goes back has an hour more.
		session("Ben", "Relaunch", false, span("2026-10-25 00:00", "2026-10-26 00:00")),
	))
	var got []string
	for _, d := range r.Days {
		got = append(got, d.Date+" "+d.Member.Name+" "+strconv.FormatInt(d.Seconds, 10)+" "+strconv.FormatInt(d.Booked, 10))
	}
	want := []string{"2026-10-25 Ben 90000 0", "2026-11-19 Anna 1800 1800", "2026-11-20 Anna 1800 1800"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if r.Seconds != 93600 || r.Booked != 3600 || len(r.Totals) != 2 {
		t.Errorf("sums %d, %d, %v", r.Seconds, r.Booked, r.Totals)
	}
}

// Two reports of neighbouring periods say together what the one of both says,
// and within a report days, totals and the table agree.
func TestPeriodsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := at("2026-10-20 00:00")
		var ss []pow.SessionReport
		for range rapid.IntRange(0, 6).Draw(t, "sessions") {
			from := base.Add(time.Duration(rapid.IntRange(0, 10*86400).Draw(t, "from")) * time.Second)
			i := pow.Interval{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 2*86400).Draw(t, "length")) * time.Second)}
			ss = append(ss, session(rapid.SampledFrom([]string{"Anna", "Ben"}).Draw(t, "who"), "P", rapid.Bool().Draw(t, "booked"), i))
		}
		cut := base.Add(time.Duration(rapid.IntRange(0, 12*86400).Draw(t, "cut")) * time.Second)
		whole, before, after := source(ss...), source(ss...), source(ss...)
		before.To, after.From = cut, cut
		w, b, a := report.New(whole), report.New(before), report.New(after)
		if w.Seconds != b.Seconds+a.Seconds || w.Booked != b.Booked+a.Booked {
			t.Fatalf("%d ≠ %d + %d", w.Seconds, b.Seconds, a.Seconds)
		}
		var days, totals int64
		for _, d := range w.Days {
			days += d.Seconds
		}
		for _, v := range w.Totals {
			totals += v.Seconds
		}
		if days != w.Seconds || totals != w.Seconds || table(t, b) != b.Seconds {
			t.Fatalf("days %d, totals %d, table %d of %d", days, totals, table(t, b), w.Seconds)
		}
	})
}

func table(t interface{ Fatal(...any) }, r report.Report) (sum int64) {
	var out bytes.Buffer
	if err := r.Write(&out, report.CSV); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		n, err := strconv.ParseInt(row[7], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

func TestHostileNames(t *testing.T) {
	for _, name := range []string{`=cmd|' /C calc'!A0`, "+1", "-1", "@x", "\tx", `<script>alert(1)</script>`, `"><img src=x>`} {
		r := report.New(source(session(name, name, true, span("2026-11-19 09:00", "2026-11-19 10:00"))))
		var out bytes.Buffer
		if err := r.Write(&out, report.HTML); err != nil {
			t.Fatal(err)
		}
		if p := out.String(); strings.Contains(p, "<script>alert") || strings.Contains(p, "<img") {
			t.Errorf("%q is markup in the page", name)
		}
		out.Reset()
		if err := r.Write(&out, report.CSV); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if c := rows[1][0]; strings.ContainsAny(c[:1], "=+-@\t") || !strings.HasSuffix(c, name) {
			t.Errorf("%q is in the table as %q", name, c)
		}
	}
}

func TestFormats(t *testing.T) {
	r := report.New(source(session("Ánna Žá Ωmega", "Website relaunch "+strings.Repeat("long ", 40), true, span("2026-11-19 23:30", "2026-11-20 00:30"))))
	for f, want := range map[report.Format]string{report.HTML: "1:00 h proven", report.CSV: "kimai no. 4711", report.PDF: "%PDF-1.", report.JSON: `"proven_seconds": 3600`} {
		var one, two bytes.Buffer
		if err := r.Write(&one, f); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if !strings.Contains(one.String(), want) {
			t.Errorf("%s has no %q", f, want)
		}
		if err := r.Write(&two, f); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%s: the same report is not the same file", f)
		}
	}
	var out bytes.Buffer
	if err := r.Write(&out, "xls"); err == nil {
		t.Error("an unknown format was written")
	}
	if err := r.Write(&out, report.JSON); err != nil {
		t.Fatal(err)
	}
	var back report.Report
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Seconds != 3600 || back.Proofs[0].Sealed != (pow.Hash{1}) {
		t.Errorf("read again: %+v, %v", back, err)
	}
}

// An empty period is a report too.
func TestEmpty(t *testing.T) {
	r := report.New(report.Source{Team: "T", Zone: time.UTC, Now: at("2026-11-20 10:00")})
	for _, f := range []report.Format{report.HTML, report.CSV, report.PDF, report.JSON} {
		var out bytes.Buffer
		if err := r.Write(&out, f); err != nil || out.Len() == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
}
