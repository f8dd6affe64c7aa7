package outbox_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/outbox"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

type desk struct {
	agenda uitest.Agenda
	page   *outbox.Page
	copied string
	saved  []pow.ExportRequest
	taken  []string
	wrong  error
}

func openPage(t testing.TB, items []pow.OutboxItem, s pow.Status) *desk {
	t.Helper()
	d := &desk{}
	a := agent{items: items, retry: func(string) error { return d.wrong },
		export: func(r pow.ExportRequest) error { d.saved = append(d.saved, r); return d.wrong },
		take:   func(f string) (int, error) { d.taken = append(d.taken, f); return 2, d.wrong }}
	d.page = outbox.NewPage(outbox.Config{Agent: a, Async: d.agenda.Go, Now: uitest.Clock, Home: "/home/anna"},
		outbox.Links{Say: uitest.Say, Copy: func(s string) { d.copied = s }, Came: func() {}})
	d.page.Update(s, uitest.Clock())
	d.page.Visible(true)
	d.agenda.Run()
	return d
}

var (
	kiosk = &pow.ProjectRef{ID: "00000000000000a2", Name: "Kiosk app", Group: "Nordbahn"}
	long  = &pow.ProjectRef{ID: "00000000000000a3", Name: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord"}
)

func online() pow.Status {
	return pow.Status{Team: "Studio Nord", Relays: []pow.Connection{{URL: "wss://hub.example.com", State: "online"}},
		LastReceipt: &pow.LastReceipt{At: uitest.At(10, 2), Code: pow.CodeBooked}}
}

func proofs() []pow.OutboxItem {
	return []pow.OutboxItem{
		{ID: "01JD0000000000000000000001", Project: kiosk, From: uitest.At(9, 2), To: uitest.At(10, 2), Captures: 6, State: pow.Sealing, Size: 4_000_000, Sent: 1_600_000, SealedHash: pow.Hash{1}, Seq: 42,
			Steps: map[pow.State]time.Time{pow.Queued: uitest.At(10, 2), pow.Sealing: uitest.At(10, 3)}},
		{ID: "01JD0000000000000000000002", Project: kiosk, From: uitest.At(8, 10), To: uitest.At(8, 55), Captures: 3, State: pow.Queued, Attempts: 2, NextAttempt: uitest.At(10, 32), LastError: &pow.Fault{Code: "offline", Text: "refused"}},
		{ID: "01JD0000000000000000000003", Project: long, From: uitest.At(6, 0), To: uitest.At(7, 0), Captures: 6, State: pow.Attention, Size: 1310720, SealedHash: pow.Hash{0xab, 0xcd}, Seq: 41, Attempts: 3,
			Receipt: &pow.ReceiptInfo{Code: pow.CodeRejected, At: uitest.At(9, 0), Text: "Leave lunch \u202eout."},
			Servers: []pow.Place{{URL: "https://hub.example.com", State: pow.PlaceDone, At: uitest.At(8, 1)}, {URL: "https://second.example.org", State: pow.PlaceWait, Next: uitest.At(10, 40), Answer: "503 busy"}},
			Relays:  []pow.Place{{URL: "wss://hub.example.com", State: pow.PlaceDone}},
			Steps: map[pow.State]time.Time{pow.Queued: uitest.At(7, 1), pow.Sealing: uitest.At(7, 1), pow.Uploaded: uitest.At(7, 2), pow.Relayed: uitest.At(7, 2),
				pow.Received: uitest.At(7, 3), pow.Attention: uitest.At(9, 0)}},
		{ID: "01JD0000000000000000000004", Project: kiosk, From: uitest.At(5, 0), To: uitest.At(6, 0), Captures: 1, State: pow.Booked, Receipt: &pow.ReceiptInfo{Code: pow.CodeBooked, At: uitest.At(9, 0), Timesheet: 4711}},
	}
}

func TestBytesThatMove(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := openPage(t, proofs(), online())
	s := uitest.Show(t, d.page.Object(), 960, 640)
	s.See("Uploading 40 %")
	if p := d.page.Period(true); p != time.Second {
		t.Errorf("looks every %v while bytes move", p)
	}
	if d.page.Period(false) != 0 {
		t.Error("looks without the focus")
	}
}

func TestADetailTellsEverything(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := openPage(t, proofs(), online())
	s := uitest.Show(t, d.page.Object(), 1280, 1000)
	d.page.Presenter.Choose("01JD0000000000000000000003")
	s.See("Your admin declined it.", "They wrote: “Leave lunch out.”", "Needs attention", "07:02", "09:00", "hub.example.com", "“503 busy”", "3 so far", "no. 41 of this computer", "1.3 MB")
	s.Press("Copy details")
	if strings.Contains(d.copied, "Fahrgast") || !strings.Contains(d.copied, "01JD0000000000000000000003") {
		t.Errorf("copied %q", d.copied)
	}
}

func TestSavingByHand(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := openPage(t, proofs(), online())
	s := uitest.Show(t, d.page.Object(), 1280, 1000)
	d.page.Presenter.Choose("01JD0000000000000000000002")
	if s.Sees("Save to file …") {
		t.Error("offers to save what is not sealed yet")
	}
	d.page.Presenter.Choose("01JD0000000000000000000003")
	s.Press("Save to file …")
	e := s.Entry("~/proof.powdo")
	for text, want := range map[string]string{
		"": "Type something first.", "proof.powdo": "Give the whole path of a file", "/tmp/": "Give the whole path of a file",
		"/a\x00b": "It has characters in it that cannot be seen", "/" + strings.Repeat("x", 5000): "That is too long.",
	} {
		e.SetText(text)
		s.Press("Save")
		d.agenda.Run()
		s.See(want)
		if e.Text != text {
			t.Errorf("lost what was typed: %q", text)
		}
	}
	if len(d.saved) != 0 {
		t.Fatalf("%+v", d.saved)
	}
	e.SetText("~/p.powdo")
	d.wrong = errors.New("exists")
	s.Press("Save")
	d.agenda.Run()
	s.See("Said: exists")
	d.wrong = nil
	s.Press("Save")
	d.agenda.Run()
	s.See("Saved", "/home/anna/p.powdo")
	if n := len(d.saved); n != 2 || d.saved[1] != (pow.ExportRequest{ID: "01JD0000000000000000000003", File: "/home/anna/p.powdo"}) {
		t.Errorf("%+v", d.saved)
	}
	if !d.page.Back() || !d.page.Back() || d.page.Back() {
		t.Error("Esc closes the panel, then the detail, then nothing")
	}
}

func TestTakingAnAnswerByHand(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := openPage(t, proofs(), online())
	s := uitest.Show(t, d.page.Object(), 960, 700)
	s.Press("Import …")
	e := s.Entry("~/answer.powdo")
	e.SetText("answer")
	s.Press("Import")
	s.See("Give the whole path of a file")
	e.SetText("~/answer.powdo")
	s.Press("Import")
	d.agenda.Run()
	s.See("2 proofs moved on.")
	if fmt.Sprint(d.taken) != "[/home/anna/answer.powdo]" {
		t.Errorf("%v", d.taken)
	}
}

func TestOfflineAndEmpty(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	off := online()
	off.Relays[0].State = "offline"
	d := openPage(t, proofs(), off)
	s := uitest.Show(t, d.page.Object(), 960, 700)
	s.See("Offline since 10:14", "2 proofs wait; they are safe on this disk.")
	d.page.Update(online(), uitest.Clock())
	s.Miss("Offline since")
	d = openPage(t, nil, online())
	s = uitest.Show(t, d.page.Object(), 960, 700)
	s.See("Nothing waits", "Last receipt: 10:02, Studio Nord.")
}

func TestGolden(t *testing.T) {
	off := online()
	off.Relays[0].State = "offline"
	for _, c := range []struct {
		name          string
		variant       theme.Variant
		width, height float32
		items         []pow.OutboxItem
		status        pow.Status
		chosen        string
	}{
		{"list-960-light", theme.Light, 960, 640, proofs(), online(), ""},
		{"list-480-dark", theme.Dark, 480, 560, proofs(), off, ""},
		{"detail-1280-light", theme.Light, 1280, 900, proofs(), online(), "01JD0000000000000000000003"},
		{"detail-480-dark", theme.Dark, 480, 1200, proofs(), online(), "01JD0000000000000000000003"},
		{"empty-960-dark", theme.Dark, 960, 640, nil, online(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			uitest.App(t, c.variant, "en")
			d := openPage(t, c.items, c.status)
			d.page.Presenter.Choose(c.chosen)
			s := uitest.Show(t, d.page.Object(), c.width, c.height)
			s.Golden("outbox-" + c.name)
			s.Fits(d.page.Object())
			s.Walk()
		})
	}
}

func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		t.Run(language, func(t *testing.T) {
			uitest.App(t, theme.Light, language)
			off := online()
			off.Relays[0].State = "offline"
			d := openPage(t, proofs(), off)
			uitest.Show(t, d.page.Object(), 424, 560).Fits(d.page.Object())
			d.page.Presenter.Choose("01JD0000000000000000000003")
			d.page.Presenter.OpenHand(outbox.HandSave)
			uitest.Show(t, d.page.Object(), 424, 560).Fits(d.page.Object())
		})
	}
}

// Ten thousand proofs open in 300 ms at most, and hardly slower than ten: what is
// timed is from the press on Outbox to the picture of the page.
func BenchmarkOpenTenThousand(b *testing.B) { benchmarkOpen(b, 10_000) }

func BenchmarkOpenTen(b *testing.B) { benchmarkOpen(b, 10) }

func benchmarkOpen(b *testing.B, n int) {
	uitest.App(b, theme.Light, "en")
	base := proofs()
	items := make([]pow.OutboxItem, n)
	for i := range items {
		items[i] = base[i%len(base)]
		items[i].ID = fmt.Sprintf("P%05d", i)
		items[i].From = items[i].From.Add(-time.Duration(i) * time.Hour)
		items[i].To = items[i].To.Add(-time.Duration(i) * time.Hour)
	}
	d := openPage(b, items, online())
	d.page.Visible(false)
	s := uitest.Show(b, d.page.Object(), 960, 640)
	for b.Loop() {
		d.page.Visible(true)
		d.agenda.Run()
		s.Win.Canvas().Capture()
		d.page.Visible(false)
	}
}
