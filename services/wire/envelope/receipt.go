package envelope

import (
	"fmt"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/strictjson"
)

const (
	maxText   = 200 // runes of the text for people
	maxReason = 64
)

// receiptContent is the JSON content of a Receipt; what is not known is absent.
type receiptContent struct {
	Blob    string       `json:"blob,omitempty"`
	From    int64        `json:"from,omitempty"`
	To      int64        `json:"to,omitempty"`
	Proven  int64        `json:"proven,omitempty"`
	Booking *pow.Booking `json:"booking,omitempty"`
	Accept  *accept      `json:"accept,omitempty"`
}

// accept tells a client of the future which versions this program reads.
type accept struct {
	Notice  []int `json:"notice"`
	Archive []int `json:"archive"`
}

// SealReceipt makes the rumor (kind 7000) and the seal of a Receipt for
// r.Device. DVM, ID and CreatedAt are set from the key and now; Text is cut to
// 200 characters on one line.
func SealReceipt(from identity.Secret, r pow.Receipt, now time.Time) (rumor pow.Hash, sealEvent []byte, err error) {
	return random().sealReceipt(from, r, now)
}

func (s source) sealReceipt(from identity.Secret, r pow.Receipt, now time.Time) (pow.Hash, []byte, error) {
	e := &event.Event{Kind: KindReceipt, Tags: receiptTags(r), Content: receiptJSON(r)}
	id, seal, err := s.seal(from, r.Device, e, now)
	if err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal a receipt: %w", err)
	}
	if _, err := readReceipt(e); err != nil {
		return pow.Hash{}, nil, fmt.Errorf("seal a receipt: %w", err)
	}
	return id, seal, nil
}

func receiptTags(r pow.Receipt) event.Tags {
	t := event.Tags{{"p", r.Device.String()}, {"v", "1"}, {"e", r.Answers.String()}}
	if !r.Sealed.IsZero() {
		t = append(t, event.Tag{"x", r.Sealed.String()})
	}
	status := event.Tag{"status", r.Code.Status()}
	if text := oneLine(r.Text, maxText); text != "" {
		status = append(status, text)
	}
	t = append(t, status, event.Tag{"code", string(r.Code)})
	if r.Reason != "" {
		t = append(t, event.Tag{"reason", r.Reason})
	}
	if !r.Retry.IsZero() {
		t = append(t, event.Tag{"retry", "true", unix(r.Retry)})
	}
	if r.Session != "" {
		t = append(t, param("session", string(r.Session)))
	}
	if r.Seq != 0 {
		t = append(t, param("seq", decimal(r.Seq)))
	}
	return t
}

func receiptJSON(r pow.Receipt) string {
	c := receiptContent{Blob: r.Blob, Proven: r.Proven}
	if r.Span.Valid() {
		c.From, c.To = r.Span.From.Unix(), r.Span.To.Unix()
	}
	if r.Booking != (pow.Booking{}) {
		b := r.Booking
		b.Reason = oneLine(b.Reason, maxReason)
		c.Booking = &b
	}
	if r.Code == pow.CodeUnsupported {
		c.Accept = &accept{Notice: []int{1}, Archive: []int{pow.ArchiveVersion}}
	}
	return compact(c)
}

func readReceipt(e *event.Event) (*pow.Receipt, error) {
	r := &reader{e: e}
	if err := r.version(); err != nil {
		return nil, err
	}
	c := &pow.Receipt{ID: event.ID(e), DVM: event.Author(e), CreatedAt: time.Unix(int64(e.CreatedAt), 0)}
	p, _ := r.value("p")
	c.Device = r.key("p", p)
	answers, _ := r.value("e")
	c.Answers = r.hash("e", answers)
	if x, ok := r.value("x"); ok {
		c.Sealed = r.hash("x", x)
	}
	code, _ := r.value("code")
	c.Code = pow.Code(code)
	r.status(c)
	if v, ok := r.value("reason"); ok {
		if c.Reason = v; v == "" || !isLine(v, maxReason) {
			r.fail("reason")
		}
	}
	if v := r.tag("retry"); v != nil {
		if len(v) < 2 || v[0] != "true" {
			r.fail("retry")
		} else {
			c.Retry = r.time("retry", v[1])
		}
	}
	if v, ok := r.param("session"); ok {
		c.Session = r.session(v)
	}
	if v, ok := r.param("seq"); ok {
		c.Seq = uint64(r.number("seq", v, 1))
	}
	if _, ok := r.value("pad"); !ok {
		r.fail("no pad")
	}
	r.receiptContent(c)
	return c, r.err()
}

// status wants the word that belongs to the code; a code of the future may come
// with any of the four.
func (r *reader) status(c *pow.Receipt) {
	v := r.tag("status")
	if len(v) == 0 || c.Code == "" || !isLine(string(c.Code), maxReason) {
		r.fail("status")
		return
	}
	switch v[0] {
	case "processing", "success", "partial", "error":
	default:
		r.fail("status")
	}
	if c.Code.Known() && v[0] != c.Code.Status() {
		r.fail("status and code")
	}
	if len(v) > 1 {
		c.Text = oneLine(v[1], maxText)
	}
}

func (r *reader) receiptContent(c *pow.Receipt) {
	var v receiptContent
	if err := strictjson.Unmarshal([]byte(r.e.Content), &v); err != nil {
		r.fail("content")
		return
	}
	if v.Proven < 0 || v.From < 0 || v.To < v.From || !isLine(v.Blob, 16) {
		r.fail("content")
		return
	}
	c.Blob, c.Proven = v.Blob, v.Proven
	if v.To > v.From {
		c.Span = pow.Interval{From: time.Unix(v.From, 0), To: time.Unix(v.To, 0)}
	}
	if b := v.Booking; b != nil {
		if !isLine(b.State, 16) || !isLine(b.System, 16) || !isLine(b.Reason, maxReason) {
			r.fail("content")
			return
		}
		c.Booking = *b
	}
}
