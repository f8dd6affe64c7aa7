package envelope_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
)

func openReceipt(t *testing.T, seal []byte, err error) pow.Mail {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	l, err := envelope.Wrap(seal, device.Public(), at(receiptTime))
	if err != nil {
		t.Fatal(err)
	}
	m, err := clientReader().Open(l.JSON, at(receiptTime))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestReceipts(t *testing.T) {
	for name, r := range map[string]pow.Receipt{
		"parked":      {Code: pow.CodeParked, Reason: "late", Sealed: sum("x"), Session: ulid, Seq: 3, Blob: "kept"},
		"retry":       {Code: pow.CodeBusy, Retry: at(receiptTime + 600), Sealed: sum("x"), Session: ulid, Seq: 3},
		"enrolled":    {Code: pow.CodeEnrolled},
		"unsupported": {Code: pow.CodeUnsupported, Text: "only version 1"},
		"of later":    {Code: "invented-later"},
		"failed":      {Code: pow.CodeAccepted, Sealed: sum("x"), Booking: pow.Booking{State: "failed", System: "kimai", Reason: "409"}},
	} {
		r.Device, r.Answers = device.Public(), hash(noticeID)
		id, seal, err := envelope.SealReceipt(dvm, r, at(receiptTime))
		m := openReceipt(t, seal, err)
		r.ID, r.DVM, r.CreatedAt = id, dvm.Public(), at(receiptTime)
		if d := cmp.Diff(&r, m.Receipt); d != "" {
			t.Errorf("%s: %s %s", name, m.Bad, d)
		}
	}
}

// Text of other servers must never keep a Receipt from being made, or reach a
// terminal as it is.
func TestReceiptText(t *testing.T) {
	r := vectorReceipt()
	r.Text = "a\n\x1b[2J\u202e" + strings.Repeat("ü", 300)
	r.Booking.Reason = strings.Repeat("<&>\"", 100)
	_, seal, err := envelope.SealReceipt(dvm, r, at(receiptTime))
	m := openReceipt(t, seal, err)
	if want := "a [2J" + strings.Repeat("ü", 195); m.Receipt == nil || m.Receipt.Text != want || len(m.Receipt.Booking.Reason) != 64 {
		t.Errorf("%+v %q", m.Receipt, m.Bad)
	}
}

func TestReceiptBad(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*event.Event)
		bad    string
	}{
		"v":          {func(e *event.Event) { e.Tags[1][1] = "2" }, "unsupported"},
		"e":          {func(e *event.Event) { e.Tags[2][1] = "x" }, "e"},
		"two e":      {func(e *event.Event) { e.Tags = append(e.Tags, e.Tags[2]) }, "two e"},
		"x":          {func(e *event.Event) { e.Tags[3][1] = "x" }, "x"},
		"status":     {func(e *event.Event) { e.Tags[4][1] = "done" }, "status"},
		"other":      {func(e *event.Event) { e.Tags[4][1] = "error" }, "status and code"},
		"no status":  {func(e *event.Event) { e.Tags[4][0] = "z" }, "status"},
		"no code":    {func(e *event.Event) { e.Tags[5][0] = "z" }, "status"},
		"seq":        {func(e *event.Event) { e.Tags[7][2] = "0" }, "seq"},
		"session":    {func(e *event.Event) { e.Tags[6][2] = "x" }, "session"},
		"retry":      {func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"retry", "true"}) }, "retry"},
		"retry time": {func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"retry", "true", "soon"}) }, "retry"},
		"reason":     {func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"reason", ""}) }, "reason"},
		"content":    {func(e *event.Event) { e.Content = "x" }, "content"},
		"twice":      {func(e *event.Event) { e.Content = `{"proven":1,"proven":2}` }, "content"},
		"proven":     {func(e *event.Event) { e.Content = `{"proven":-1}` }, "content"},
		"from > to":  {func(e *event.Event) { e.Content = `{"from":2,"to":1}` }, "content"},
		"booking":    {func(e *event.Event) { e.Content = `{"booking":{"state":"a\nb"}}` }, "content"},
	} {
		e := &event.Event{Kind: 7000, Content: `{}`, Tags: event.Tags{
			{"p", device.Public().String()}, {"v", "1"}, {"e", noticeID}, {"x", noticeID}, {"status", "success"}, {"code", "booked"},
			{"param", "session", string(ulid)}, {"param", "seq", "17"},
		}}
		c.change(e)
		_, seal, err := fixed(3, receiptTime, receiptTime, 0, oneTime[1]).Seal(dvm, device.Public(), e, at(receiptTime))
		if m := openReceipt(t, seal, err); m.Bad != c.bad || m.Receipt != nil {
			t.Errorf("%s: %q", name, m.Bad)
		}
	}
}

// A Receipt counts only from the DVM that is pinned (EV-32).
func TestReceiptOfAnotherDVM(t *testing.T) {
	_, seal, err := envelope.SealReceipt(member, vectorReceipt(), at(receiptTime))
	if err != nil {
		t.Fatal(err)
	}
	l, err := envelope.Wrap(seal, device.Public(), at(receiptTime))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientReader().Open(l.JSON, at(receiptTime)); !rejected(err, 4, "author") {
		t.Error(err)
	}
}
