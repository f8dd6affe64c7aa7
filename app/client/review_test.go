package client

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pow.do/services/client/queue"
	"pow.do/services/client/review"
	"pow.do/services/pow"
)

// agreeAll agrees to every project, as it is asked for.
func agreeAll(t *testing.T, a API) {
	t.Helper()
	ps, err := a.Projects(t.Context())
	must(t, err)
	for _, p := range ps {
		agree(t, a, p.ID)
	}
}

func agree(t *testing.T, a API, id pow.ProjectID) {
	t.Helper()
	v, err := a.Terms(t.Context(), id)
	must(t, err)
	must(t, a.Agree(t.Context(), pow.AgreeRequest{Project: id, Hash: v.Hash, Choice: v.Choice}))
}

const (
	optional  = pow.ProjectID("3f6c1d2e9a0b4c5d") // pictures as the member likes
	required  = pow.ProjectID("a90cc1e04b7d2f18")
	forbidden = pow.ProjectID("7b1e0f42c3d85a96")
)

// alone is an agent with a key and a team that it never has to reach, and
// projects of every kind.
func alone(t testing.TB) *Agent {
	t.Helper()
	a, err := Open(t.Context(), Config{Home: newHome(t), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	_, err = a.NewKey(t.Context(), pow.KeyRequest{Passphrase: passphrase})
	must(t, err)
	a.pictures.screen, a.pictures.list = new(painting), nothingOpen
	a.mu.Lock()
	a.team = &team{DVM: pow.Key{1}, Code: pow.CodeEnrolled}
	a.mu.Unlock()
	must(t, a.changeTeam(func(x *team) error {
		x.Announcement = pow.Announcement{DVM: x.DVM, Name: "Studio Nord", Revision: 1, Limits: pow.DefaultLimits, PolicyText: "What is recorded.", PolicyHash: pow.Hash{7},
			Recipients: []pow.Recipient{{ID: "5f0c2a91b3d4e6f7", Alg: pow.AgePQ}}}
		x.Catalogue = pow.Catalogue{Revision: 1, MemberState: "active", Projects: []pow.Project{
			{ID: optional, Name: "Website", Pictures: pow.Optional, Interval: 600, Detail: pow.DetailTitle, Retention: 30},
			{ID: required, Name: "Kiosk", Pictures: pow.Required, Interval: 600, Detail: pow.DetailCategory, Retention: 30},
			{ID: forbidden, Name: "Secret", Pictures: pow.Forbidden, Detail: pow.DetailOff, Retention: 30}}}
		return nil
	}))
	return a
}

// workday is a moment of the day whose first hours are over.
func workday() time.Time { return time.Now().Add(-3 * time.Hour) }

// hour is an hour of work on a project early on that day, a picture every ten minutes.
func hour(t *testing.T, a *Agent, p pow.ProjectID) (session pow.SessionID, from time.Time, ids []string) {
	t.Helper()
	from = localDay(workday()).From.UTC().Add(time.Hour)
	id, err := deliveryID(from)
	must(t, err)
	session = pow.SessionID(id)
	_, err = a.queue.OpenSegment(queue.Segment{Session: session, Project: p, Interval: pow.Interval{From: from}})
	must(t, err)
	img := image.NewRGBA(image.Rect(0, 0, 64, 40))
	for i := range img.Pix {
		img.Pix[i] = byte(0x40 + i%180)
		if i%4 == 3 {
			img.Pix[i] = 0xFF
		}
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	for m := 5; m < 60; m += 10 {
		at := from.Add(time.Duration(m) * time.Minute)
		c := pow.Capture{Session: session, At: at, Format: "png", Width: 64, Height: 40, Window: pow.Rect{X: 10, Y: 10, W: 20, H: 20}}
		c.ID, err = deliveryID(at)
		must(t, err)
		must(t, a.queue.AddCapture(c, b.Bytes(), []byte("thumbnail")))
		ids = append(ids, c.ID)
	}
	_, err = a.queue.CloseSegment(from.Add(time.Hour))
	must(t, err)
	return session, from, ids
}

func minutes(from time.Time, a, b float64) pow.Interval {
	return pow.Interval{From: from.Add(time.Duration(a * float64(time.Minute))), To: from.Add(time.Duration(b * float64(time.Minute)))}
}

// The picture that is shown is the one that will be sealed, byte for byte, and
// undo goes back act by act.
func TestEditsAreSealedAsShown(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	_, _, ids := hour(t, a, optional)
	id := ids[0]
	show := func() image.Image {
		t.Helper()
		b, err := a.Picture(t.Context(), pow.PictureRequest{ID: id})
		must(t, err)
		held, err := a.queue.Held("")
		must(t, err)
		i := slices.IndexFunc(held, func(c pow.Capture) bool { return c.ID == id })
		sealed, err := readAll(held[i].Open)
		must(t, err)
		if !bytes.Equal(b, sealed) {
			t.Error("what is shown is not what would be sealed")
		}
		p, err := review.Decode(b, pow.Rect{})
		must(t, err)
		return p.Image
	}
	black := func(img image.Image, x, y int) bool { return img.At(x, y) == review.Redaction }
	must(t, a.Edit(t.Context(), pow.EditRequest{IDs: ids[:2], Edits: []pow.Edit{{Kind: pow.EditRedact, Rect: pow.Rect{X: 2, Y: 2, W: 4, H: 4}}}}))
	must(t, a.Edit(t.Context(), pow.EditRequest{IDs: ids[:1], Edits: []pow.Edit{{Kind: pow.EditCrop}}}))
	if img := show(); img.Bounds() != image.Rect(0, 0, 20, 20) || black(img, 2, 2) {
		t.Errorf("cropped to the window: %v", img.Bounds())
	}
	must(t, a.Undo(t.Context(), ids[:1]))
	if img := show(); img.Bounds() != image.Rect(0, 0, 64, 40) || !black(img, 2, 2) || !black(img, 5, 5) || black(img, 6, 6) {
		t.Errorf("the black area went lost with the crop: %v", img.Bounds())
	}
	ps, err := a.Pictures(t.Context(), workday())
	must(t, err)
	if p := ps[0]; p.State != pow.PictureEdited || p.Areas != 1 || p.Covered != 16*1000/(64*40) || p.Project.Name != "Website" || !p.Undo {
		t.Errorf("cell: %+v", p)
	}
	before, err := a.Picture(t.Context(), pow.PictureRequest{ID: id, Original: true})
	must(t, err)
	must(t, a.Undo(t.Context(), ids[:1]))
	if after, err := a.Picture(t.Context(), pow.PictureRequest{ID: id}); err != nil || !bytes.Equal(before, after) {
		t.Errorf("undone to something else: %v", err)
	}
	must(t, a.Approve(t.Context(), ids[:1]))
	must(t, a.Undo(t.Context(), ids[:1]))
	small, err := a.Picture(t.Context(), pow.PictureRequest{ID: id, MaxWidth: 32})
	must(t, err)
	if p, err := review.Decode(small, pow.Rect{}); err != nil || p.Image.Rect != image.Rect(0, 0, 32, 20) {
		t.Errorf("at the size of a view: %v %v", p.Image.Rect, err)
	}
	if err := a.Edit(t.Context(), pow.EditRequest{IDs: []string{"01JD5V3W8Q4N2Z7K9T6M1B0XYA"}}); !errors.Is(err, pow.ErrNotFound) {
		t.Error(err)
	}
}

func TestRemoveTellsItsEffectFirst(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	session, from, ids := hour(t, a, required)
	want := pow.Effect{Pictures: 2, Unverified: []pow.Interval{minutes(from, 5+1./60, 25+1./60)}, UnverifiedSeconds: 1200, Confirm: true}
	keep := pow.RemoveRequest{IDs: ids[1:3], KeepTime: true, DryRun: true}
	e, err := a.Remove(t.Context(), keep)
	must(t, err)
	if d := cmp.Diff(want, e, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	want = pow.Effect{Pictures: 1, Lost: []pow.Interval{minutes(from, 45+1./60, 60)}, LostSeconds: 899}
	cut := pow.RemoveRequest{IDs: ids[5:], DryRun: true}
	if e, err = a.Remove(t.Context(), cut); err != nil || cmp.Diff(want, e, cmpopts.EquateEmpty()) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, e, cmpopts.EquateEmpty()))
	}
	if s, err := a.Status(t.Context()); err != nil || s.Held != 6 || s.HeldSeconds != 3600 {
		t.Errorf("a dry run did something: %+v %v", s, err)
	}
	keep.DryRun, cut.DryRun = false, false
	for _, r := range []pow.RemoveRequest{keep, cut} {
		if _, err := a.Remove(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	v, err := a.Preview(t.Context())
	must(t, err)
	if v.Seconds != 3600-899 || v.Captures != 3 || v.Removed != 3 || cmp.Diff([]pow.Interval{minutes(from, 45+1./60, 60)}, v.Cuts) != "" {
		t.Errorf("preview: %+v", v)
	}
	must(t, a.Undo(t.Context(), ids[5:]))
	if _, err = a.Remove(t.Context(), cut); err != nil {
		t.Error(err)
	}
	made, err := a.Register(t.Context())
	must(t, err)
	p, err := a.queue.ProofOf(made[0])
	must(t, err)
	if d := cmp.Diff([]pow.Interval{minutes(from, 5+1./60, 25+1./60)}, p.Without); d != "" || p.Dropped != 3 || len(p.Captures) != 3 || len(p.Consent) == 0 {
		t.Errorf("%d pictures, %d dropped, consent of %d bytes, %s", len(p.Captures), p.Dropped, len(p.Consent), d)
	}
	if _, err := a.Remove(t.Context(), keep); !errors.Is(err, pow.ErrNotFound) {
		t.Errorf("after Register: %v", err)
	}
	if left := a.queue.Tracked(session); len(left) != 1 || left[0] != minutes(from, 45+1./60, 60) {
		t.Errorf("removed time: %v", left)
	}
}

func TestOpenQuestionsStayBehind(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	session, from, _ := hour(t, a, optional)
	g, err := a.queue.AddGap(queue.Gap{Session: session, Project: optional, Interval: minutes(from, 20, 30), Reason: "idle"})
	must(t, err)
	v, err := a.Preview(t.Context())
	must(t, err)
	if len(v.Away) != 1 || v.Away[0].ID != g.ID || v.Away[0].Project.Name != "Website" || v.Seconds != 50*60 || len(v.Cuts) != 1 {
		t.Errorf("preview: %+v", v)
	}
	_, err = a.Register(t.Context())
	must(t, err)
	must(t, a.queue.AnswerGap(g.ID, pow.AwayKeep, queue.Segment{}))
	if v, err = a.Preview(t.Context()); err != nil || v.Seconds != 600 || v.Kept != 600 || len(v.Away) != 0 {
		t.Errorf("after the answer: %+v %v", v, err)
	}
}

// Where everything waits for an answer, the preview says that and nothing else.
func TestOnlyAnOpenQuestion(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	session, from, _ := hour(t, a, optional)
	_, err := a.queue.AddGap(queue.Gap{Session: session, Project: optional, Interval: minutes(from, 0, 60), Reason: "asleep"})
	must(t, err)
	if v, err := a.Preview(t.Context()); err != nil || len(v.Away) != 1 || len(v.Parts) != 0 {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := a.Register(t.Context()); !errors.Is(err, pow.ErrNothingHeld) {
		t.Error(err)
	}
}

func TestEntriesAreCorrectedWhereTheyMayBeBooked(t *testing.T) {
	a := alone(t)
	agree(t, a, optional)
	agree(t, a, required)
	_, from, _ := hour(t, a, optional)
	entry := func() pow.Entry {
		es, err := a.Entries(t.Context(), workday())
		must(t, err)
		return es[0]
	}
	id, note := entry().ID, "the right words"
	for name, r := range map[string]pow.EntryEdit{
		"no consent": {ID: id, Project: forbidden}, "unknown project": {ID: id, Project: "0000000000000000"}, "longer": {ID: id, To: from.Add(2 * time.Hour)},
	} {
		if err := a.EditEntry(t.Context(), r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	must(t, a.EditEntry(t.Context(), pow.EntryEdit{ID: id, To: from.Add(40 * time.Minute), Project: required, Note: &note}))
	if e := entry(); e.Project.Name != "Kiosk" || e.Was == nil || e.Was.Project.Name != "Website" || !e.ByHand || e.Seconds != 2400 || e.Note != note {
		t.Errorf("%+v", e)
	}
	v, err := a.Preview(t.Context())
	if err != nil || v.ByHand != 2400 || v.Captures != 4 {
		t.Errorf("%+v %v", v, err)
	}
	agree(t, a, forbidden)
	must(t, a.EditEntry(t.Context(), pow.EntryEdit{ID: id, Project: forbidden}))
	if v, err = a.Preview(t.Context()); err != nil || v.Captures != 0 || v.Removed != 6 {
		t.Errorf("a project that takes no pictures: %+v %v", v, err)
	}
	must(t, a.UndoEntry(t.Context(), id))
	if e := entry(); e.Project.Name != "Website" || e.Was != nil || e.Seconds != 3600 {
		t.Errorf("undone: %+v", e)
	}
}
