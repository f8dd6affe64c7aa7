package archive

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// KindStatement is the event kind of a Statement. Such an event is never
// published: it exists inside archives only.
const KindStatement = 25942

// Signer signs Statements with a member's identity key. Sign sets pubkey, id
// and sig.
type Signer interface {
	Public() pow.Key
	Sign(*event.Event) error
}

// newStatement signs s, whose ID, Author and CreatedAt it sets, and returns it
// with the bytes of statement.json.
func newStatement(signer Signer, s pow.Statement, now time.Time) (pow.Statement, []byte, error) {
	e := &event.Event{Kind: KindStatement, CreatedAt: event.Timestamp(now.Unix()), Tags: statementTags(s)}
	if err := signer.Sign(e); err != nil {
		return s, nil, fmt.Errorf("sign the statement: %w", err)
	}
	b := event.Marshal(e)
	signed, err := parseStatement(b)
	if err != nil {
		return s, nil, err
	}
	if signed.Author != signer.Public() {
		return s, nil, pow.ErrStatement.With(errors.New("signed by another key"))
	}
	return signed, b, nil
}

// StatementID computes the id that s must have from its fields. Where only the
// fields are kept, it tells whether they are still what was signed: the next
// Statement names the id, and so does the Notice that a Receipt answers.
func StatementID(s pow.Statement) (pow.Hash, error) {
	e := &event.Event{Kind: KindStatement, CreatedAt: event.Timestamp(s.CreatedAt.Unix()), Tags: statementTags(s)}
	e.PubKey = s.Author.String()
	return pow.ParseHash(e.GetID())
}

func statementTags(s pow.Statement) event.Tags {
	tags := event.Tags{{"p", s.DVM.String()}, {"v", strconv.Itoa(pow.ArchiveVersion)},
		{"device", s.Device.String()}, {"project", string(s.Project)}}
	if s.KimaiActivity != "" {
		tags = append(tags, event.Tag{"activity", string(s.KimaiActivity)})
	}
	return append(tags, event.Tags{{"session", string(s.Session)},
		{"seq", strconv.FormatUint(s.Seq, 10)}, {"prev", s.Prev.String()},
		{"from", strconv.FormatInt(s.Interval.From.Unix(), 10)},
		{"to", strconv.FormatInt(s.Interval.To.Unix(), 10)},
		{"root", s.Root.String()}}...)
}

// parseStatement reads statement.json and checks its signature and its form:
// exactly the bytes that event.Marshal writes, exactly the tags of version 1,
// each once and in order. Errors carry ErrStatement or ErrVersion.
func parseStatement(b []byte) (pow.Statement, error) {
	s, err := readStatement(b)
	return s, coded(pow.ErrStatement, err)
}

func readStatement(b []byte) (s pow.Statement, err error) {
	e, err := event.Parse(b)
	if err != nil {
		return s, err
	}
	if !bytes.Equal(event.Marshal(e), b) {
		return s, errors.New("not the canonical form of an event")
	}
	if err := event.Verify(e); err != nil {
		return s, err
	}
	if e.Kind != KindStatement || e.Content != "" || e.CreatedAt > maxUnix {
		return s, errors.New("wrong kind, content or time")
	}
	if err := statementVersion(e); err != nil {
		return s, err
	}
	s = pow.Statement{ID: event.ID(e), Author: event.Author(e), CreatedAt: time.Unix(int64(e.CreatedAt), 0).UTC()}
	t := tagReader{tags: e.Tags}
	s.DVM = next(&t, "p", pow.ParseKey)
	_ = next(&t, "v", decimal)
	s.Device = next(&t, "device", pow.ParseKey)
	s.Project = next(&t, "project", pow.ParseOpaqueID)
	if t.at("activity") {
		s.KimaiActivity = next(&t, "activity", pow.ParseOpaqueID)
	}
	s.Session = next(&t, "session", pow.ParseSessionID)
	s.Seq = uint64(next(&t, "seq", decimal))
	s.Prev = next(&t, "prev", pow.ParseHash)
	s.Interval.From = time.Unix(next(&t, "from", decimal), 0).UTC()
	s.Interval.To = time.Unix(next(&t, "to", decimal), 0).UTC()
	s.Root = next(&t, "root", pow.ParseHash)
	return s, t.end(s)
}

// statementVersion tells a later version from a broken one, before anything
// that a later version may have changed is looked at.
func statementVersion(e *event.Event) error {
	v, _, err := event.Single(e, "v")
	if err != nil {
		return err
	}
	n, err := decimal(v)
	switch {
	case err != nil || n < pow.ArchiveVersion:
		return errors.New("no such version")
	case n > pow.ArchiveVersion:
		return pow.ErrVersion.With(fmt.Errorf("archive version %d", n))
	}
	return nil
}

// tagReader takes tags in order; after the first that is not as expected it
// only remembers that.
type tagReader struct {
	tags event.Tags
	err  error
}

func (t *tagReader) at(name string) bool { return len(t.tags) > 0 && t.tags[0][0] == name }

// end checks that every tag was read and that the values belong together.
func (t *tagReader) end(s pow.Statement) error {
	switch {
	case t.err != nil:
		return t.err
	case len(t.tags) > 0:
		return errors.New("more tags than there should be")
	case !s.Interval.Valid():
		return errors.New("interval is empty")
	case s.Seq == 0 || (s.Seq == 1) != s.Prev.IsZero():
		return errors.New("seq and prev do not agree")
	}
	return nil
}

func next[T any](t *tagReader, name string, parse func(string) (T, error)) (v T) {
	if t.err != nil {
		return v
	}
	if !t.at(name) || len(t.tags[0]) != 2 {
		t.err = fmt.Errorf("tag %s is missing, not in its place or malformed", name)
		return v
	}
	v, err := parse(t.tags[0][1])
	if err != nil {
		t.err = fmt.Errorf("tag %s: %w", name, err)
	}
	t.tags = t.tags[1:]
	return v
}

// decimal reads digits without sign or leading zeros, up to maxUnix.
func decimal(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxUnix || strconv.FormatInt(n, 10) != s {
		return 0, errors.New("want a plain decimal number")
	}
	return n, nil
}
