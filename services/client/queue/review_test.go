package queue_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

func edited(picture string, edits ...[]pow.Edit) queue.Edited {
	return queue.Edited{Edits: edits, Picture: []byte(picture), Thumb: []byte("thumb of " + picture), Format: "png", Width: 8, Height: 6, Areas: len(edits), Covered: 90}
}

var blackOut = []pow.Edit{{Kind: pow.EditRedact, Rect: pow.Rect{X: 1, Y: 2, W: 3, H: 4}}}

func read(t testing.TB, c pow.Capture) string {
	t.Helper()
	return string(must[[]byte](t)(io.ReadAll(must[io.ReadCloser](t)(c.Open()))))
}

func states(ps []pow.Picture) (out []pow.PictureState) {
	for _, p := range ps {
		out = append(out, p.State)
	}
	return out
}

func TestEditAndUndo(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	id := track(t, q, session, 0, 10, "")[0]
	check(t, q.Edit(id, edited("first", blackOut)))
	check(t, q.Edit(id, edited("second", blackOut, blackOut)))
	now := must[[]pow.Capture](t)(q.Held(""))[0]
	if read(t, now) != "second" || now.Size != 6 || now.Areas != 2 || now.Covered != 90 || now.Display != 1 || now.Width != 8 {
		t.Errorf("edited: %+v", now)
	}
	if thumb := must[[]byte](t)(q.Thumbnail(id)); string(thumb) != "thumb of second" {
		t.Errorf("thumbnail %q", thumb)
	}
	was, edits, err := q.Original(id)
	check(t, err)
	if read(t, was) != string(picture(id)) || was.Width != 1920 || len(edits) != 2 {
		t.Errorf("original: %+v, %d edits", was, len(edits))
	}
	p := must[[]pow.Picture](t)(q.Pictures(span(0, 10)))[0]
	if p.State != pow.PictureEdited || !p.Undo || p.Areas != 2 || p.Project.ID != project {
		t.Errorf("cell: %+v", p)
	}
	check(t, q.Unedit(id))
	again := must[[]pow.Capture](t)(q.Held(""))[0]
	if read(t, again) != string(picture(id)) || again.Areas != 0 || again.Size != int64(len(picture(id))) || again.Width != 1920 {
		t.Errorf("taken back: %+v", again)
	}
	if _, edits, err = q.Original(id); err != nil || len(edits) != 0 {
		t.Errorf("edits that were taken back: %v %v", edits, err)
	}
	enqueue(t, q, session, 0, 10)
	if err := q.Edit(id, edited("late")); !errors.Is(err, pow.ErrNotFound) {
		t.Errorf("edit after Register: %v", err)
	}
	if err := q.Unedit(id); !errors.Is(err, pow.ErrNotFound) {
		t.Errorf("undo after Register: %v", err)
	}
}

// TestRegisterErasesWhatWasBefore finds no byte of an original or of a removed
// picture once the proof is made.
func TestRegisterErasesWhatWasBefore(t *testing.T) {
	dir := t.TempDir()
	q, _, err := queue.Open(queue.Config{Dir: dir, Box: plainBox{}})
	check(t, err)
	defer q.Close()
	q.SetOpener(plainBox{})
	session := pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 40, "")
	check(t, q.Edit(ids[0], edited("what is shown", blackOut)))
	check(t, q.Remove(ids[1:2], nil))
	check(t, q.Remove(ids[2:3], map[string][]pow.Interval{ids[2]: {span(15, 20)}}))
	for _, id := range ids {
		if count(t, dir, "picture "+id) == 0 || count(t, dir, "thumb of "+id) == 0 {
			t.Fatal("undo would find nothing")
		}
	}
	enqueueRest(t, q)
	for _, id := range ids[:3] {
		if n := count(t, dir, "picture "+id) + count(t, dir, "thumb of "+id); n != 0 {
			t.Errorf("%d pieces of %s are left", n, id)
		}
	}
	if count(t, dir, "what is shown") == 0 || count(t, dir, "picture "+ids[3]) == 0 {
		t.Error("what is to be sealed is gone")
	}
}

// enqueueRest makes a delivery of every unregistered stretch.
func enqueueRest(t testing.TB, q *queue.Queue) (ids []string) {
	t.Helper()
	var ds []pow.Delivery
	for _, s := range must[[]queue.Segment](t)(q.Unregistered()) {
		ds = append(ds, pow.Delivery{ID: ulid(t, s.Interval.To), Session: s.Session, Project: s.Project, Interval: s.Interval})
		ids = append(ids, ds[len(ds)-1].ID)
	}
	check(t, q.Enqueue(ds))
	return ids
}

func TestRemoveRestoreApprove(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 50, "")
	check(t, q.Edit(ids[0], edited("black", blackOut)))
	check(t, q.Approve(ids[1]))
	check(t, q.Remove(ids[2:3], nil))
	check(t, q.Remove(ids[3:4], map[string][]pow.Interval{ids[3]: {span(20, 31)}}))
	check(t, q.AddSkip(session, after(45), 1, pow.SkipOffRecord))
	want := []pow.PictureState{pow.PictureEdited, pow.PictureApproved, pow.PictureRemoved, pow.TimeRemoved, pow.PictureHeld, pow.PictureSkipped}
	if d := cmp.Diff(want, states(must[[]pow.Picture](t)(q.Pictures(span(0, 60))))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]pow.Interval{span(0, 20), span(31, 50)}, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Error(d)
	}
	if n := len(must[[]pow.Capture](t)(q.Held(session))); n != 3 {
		t.Errorf("%d captures would go, want 3", n)
	}
	if s := must[queue.Stats](t)(q.Stats()); s.Held != 3 || s.HeldTime != 39*60 {
		t.Errorf("%+v", s)
	}
	if e := must[[]pow.Entry](t)(q.Entries(span(0, 60)))[0]; e.Seconds != 39*60 {
		t.Errorf("the entry still has %d s", e.Seconds)
	}
	if d := cmp.Diff([]pow.Interval{span(0, 50)}, q.Work(session)); d != "" {
		t.Errorf("slots would move: %s", d)
	}
	check(t, q.Restore(ids[2], ids[3]))
	check(t, q.Disapprove(ids[1]))
	want = []pow.PictureState{pow.PictureEdited, pow.PictureHeld, pow.PictureHeld, pow.PictureHeld, pow.PictureHeld}
	if d := cmp.Diff(want, states(must[[]pow.Picture](t)(q.Pictures(span(0, 45))))); d != "" {
		t.Error(d)
	}
	check(t, q.Remove(ids[:1], nil))
	check(t, q.Approve(ids[0])) // keeping brings it back
	if p := must[[]pow.Picture](t)(q.Pictures(span(0, 1)))[0]; p.State != pow.PictureApproved || p.Areas != 1 {
		t.Errorf("kept: %+v", p)
	}
}

func TestRegisterMakesRemovalsFinal(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 60, "")
	check(t, q.Remove(ids[1:2], nil))
	check(t, q.Remove([]string{ids[3], ids[5]}, map[string][]pow.Interval{ids[3]: {span(21, 31)}, ids[5]: {span(41, 60)}}))
	check(t, q.AddSkip(session, after(35), 1, pow.SkipApp))
	check(t, q.AddSkip(session, after(55), 1, pow.SkipApp))
	made := enqueueRest(t, q)
	var dropped, skipped, captures int
	for _, id := range made {
		p := must[pow.Proof](t)(q.ProofOf(id))
		dropped, skipped, captures = dropped+p.Dropped, skipped+p.Skipped, captures+len(p.Captures)
	}
	if len(made) != 2 || dropped != 3 || skipped != 1 || captures != 3 {
		t.Errorf("%d proofs with %d pictures, %d dropped, %d skipped", len(made), captures, dropped, skipped)
	}
	if left := must[[]queue.Segment](t)(q.Unregistered()); len(left) > 0 {
		t.Errorf("removed time came back: %+v", left)
	}
	want := []pow.PictureState{pow.PictureSealed, pow.PictureSealed, pow.PictureSkipped, pow.PictureSealed, pow.PictureSkipped}
	if d := cmp.Diff(want, states(must[[]pow.Picture](t)(q.Pictures(span(0, 60))))); d != "" {
		t.Error(d)
	}
	check(t, q.Restore(ids...)) // too late
	check(t, q.Approve(ids...))
	if left := must[[]queue.Segment](t)(q.Unregistered()); len(left) > 0 {
		t.Errorf("undo after Register: %+v", left)
	}
}

func TestAwayQuestions(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session, another := pow.SessionID(ulid(t, day)), pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 60, "")
	gap := func(from, to int) queue.Gap {
		return must[queue.Gap](t)(q.AddGap(queue.Gap{Session: session, Project: project, Interval: span(from, to), Reason: "idle"}))
	}
	kept, discarded, moved := gap(5, 9), gap(20, 25), gap(30, 40)
	away := must[queue.Gap](t)(q.AddGap(queue.Gap{Session: session, Project: project, Interval: pow.Interval{From: after(50)}, Reason: "idle"}))
	if err := q.AnswerGap(away.ID, pow.AwayKeep, queue.Segment{}); !errors.Is(err, pow.ErrUsage) {
		t.Errorf("an answer before the return: %v", err)
	}
	check(t, q.EndGap(away.ID, after(55)))
	check(t, q.EndGap(away.ID, after(59))) // has an end
	rest := []pow.Interval{span(0, 5), span(9, 20), span(25, 30), span(40, 50), span(55, 60)}
	if d := cmp.Diff(rest, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Errorf("open questions are in no proof: %s", d)
	}
	check(t, q.AnswerGap(kept.ID, pow.AwayKeep, queue.Segment{}))
	check(t, q.AnswerGap(discarded.ID, pow.AwayDiscard, queue.Segment{}))
	check(t, q.AnswerGap(moved.ID, pow.AwayOther, queue.Segment{Session: another, Project: other, Note: "a call"}))
	if err := q.AnswerGap(kept.ID, pow.AwayDiscard, queue.Segment{}); !errors.Is(err, pow.ErrNotFound) {
		t.Errorf("a second answer: %v", err)
	}
	if open := q.OpenGaps(); len(open) != 1 || open[0].ID != away.ID || open[0].Interval != span(50, 55) {
		t.Errorf("open: %+v", open)
	}
	rest = []pow.Interval{span(0, 20), span(25, 30), span(30, 40), span(40, 50), span(55, 60)}
	left := must[[]queue.Segment](t)(q.Unregistered())
	if d := cmp.Diff(rest, intervals(left)); d != "" {
		t.Error(d)
	}
	if left[2].Project != other || left[2].Session != another || left[2].Note != "a call" {
		t.Errorf("booked elsewhere: %+v", left[2])
	}
	made := enqueueRest(t, q)
	first, second := must[pow.Proof](t)(q.ProofOf(made[0])), must[pow.Proof](t)(q.ProofOf(made[2]))
	if d := cmp.Diff([][]pow.Interval{{span(5, 9)}, {span(30, 40)}}, [][]pow.Interval{first.Kept, second.Kept}); d != "" {
		t.Errorf("kept time is not marked: %s", d)
	}
}

// TestGapsAndTheTimer: a timer that stood still leaves no segment to keep, and a
// gap that has no end yet holds all that follows back.
func TestGapsAndTheTimer(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 10, "")
	track(t, q, session, 20, 30, "")
	g := must[queue.Gap](t)(q.AddGap(queue.Gap{Session: session, Project: project, Interval: span(10, 20)}))
	check(t, q.AnswerGap(g.ID, pow.AwayKeep, queue.Segment{}))
	must[queue.Segment](t)(q.OpenSegment(queue.Segment{Session: session, Project: project, Interval: span(30, 30)}))
	check(t, q.Tick(after(50)))
	must[queue.Gap](t)(q.AddGap(queue.Gap{Session: session, Project: project, Interval: pow.Interval{From: after(35)}}))
	check(t, q.Close())
	q, _ = open(t, dir)
	total := pow.Total(intervals(must[[]queue.Segment](t)(q.Unregistered())))
	if total != 35*time.Minute {
		t.Errorf("%v would be registered, want 35 min", total)
	}
}

func TestCorrections(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session, another := pow.SessionID(ulid(t, day)), pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 60, "first words")
	entry := func() pow.Entry { return must[[]pow.Entry](t)(q.Entries(span(0, 120)))[0] }
	id, words := entry().ID, "other words"
	check(t, q.CorrectEntry(queue.Correction{ID: id, Note: &words}))
	if e := entry(); e.Note != words || e.Was == nil || e.Was.Note != "first words" || e.ByHand {
		t.Errorf("words: %+v", e)
	}
	check(t, q.CorrectEntry(queue.Correction{ID: id, From: after(5), To: after(35)}))
	check(t, q.CorrectEntry(queue.Correction{ID: id, Project: other, Session: another}))
	e := entry()
	if e.From != after(5) || e.To != after(35) || e.Project.ID != other || !e.ByHand || e.Was.From != after(0) || e.Was.Project.ID != project {
		t.Errorf("corrected: %+v", e)
	}
	for name, c := range map[string]queue.Correction{
		"longer":      {ID: id, To: after(61)},
		"empty":       {ID: id, From: after(35)},
		"fractions":   {ID: id, From: after(6).Add(time.Millisecond)},
		"one session": {ID: id, Project: project},
	} {
		if err := q.CorrectEntry(c); !errors.Is(err, pow.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ps := must[[]pow.Picture](t)(q.Pictures(span(0, 60)))
	want := []pow.PictureState{pow.TimeRemoved, pow.PictureHeld, pow.PictureHeld, pow.PictureHeld, pow.TimeRemoved, pow.TimeRemoved}
	if d := cmp.Diff(want, states(ps)); d != "" {
		t.Error(d)
	}
	if i := slices.IndexFunc(ps, func(p pow.Picture) bool { return p.ID == ids[1] }); ps[i].Session != another {
		t.Error("the pictures did not go with their time")
	}
	check(t, q.UncorrectEntry(id))
	if d := cmp.Diff(pow.Entry{ID: id, Session: session, Project: pow.ProjectRef{ID: project}, From: after(0), To: after(60), Seconds: 3600,
		Note: "first words", State: "held"}, entry(), cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	if n := len(must[[]pow.Capture](t)(q.Held(session))); n != len(ids) {
		t.Errorf("%d pictures came back, want %d", n, len(ids))
	}
}

func TestCorrectionsEndWithRegister(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 60, "")
	id := must[[]pow.Entry](t)(q.Entries(span(0, 60)))[0].ID
	check(t, q.CorrectEntry(queue.Correction{ID: id, To: after(35)}))
	p := must[pow.Proof](t)(q.ProofOf(enqueueRest(t, q)[0]))
	if d := cmp.Diff([]pow.Interval{span(0, 35)}, p.ByHand); d != "" || len(p.Captures) != 4 || p.Dropped != 2 {
		t.Errorf("%d captures, %d dropped, %s", len(p.Captures), p.Dropped, d)
	}
	for _, err := range []error{q.CorrectEntry(queue.Correction{ID: id, To: after(20)}), q.UncorrectEntry(id)} {
		if !errors.Is(err, pow.ErrUsage) {
			t.Errorf("after Register: %v", err)
		}
	}
	if e := must[[]pow.Entry](t)(q.Entries(span(0, 60)))[0]; e.Was == nil || !e.ByHand {
		t.Errorf("the correction is not to be seen any more: %+v", e)
	}
	if left := must[[]pow.Capture](t)(q.Held("")); len(left) != 0 {
		t.Errorf("%d pictures of cut time are left", len(left))
	}
}

// What is sealed again is the same, whatever a late answer says about its time.
func TestMarksAreFrozen(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 60, "")
	id := enqueue(t, q, session, 0, 40)
	g := must[queue.Gap](t)(q.AddGap(queue.Gap{Session: session, Project: project, Interval: span(30, 50)}))
	check(t, q.AnswerGap(g.ID, pow.AwayKeep, queue.Segment{}))
	if p := must[pow.Proof](t)(q.ProofOf(id)); len(p.Kept) != 0 {
		t.Errorf("a proof that was made says something else now: %v", p.Kept)
	}
	later := enqueue(t, q, session, 40, 60)
	if p := must[pow.Proof](t)(q.ProofOf(later)); cmp.Diff([]pow.Interval{span(40, 50)}, p.Kept) != "" {
		t.Errorf("the rest: %v", p.Kept)
	}
}

func TestSplitDividesMarks(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 60, "")
	g := must[queue.Gap](t)(q.AddGap(queue.Gap{Session: session, Project: project, Interval: span(20, 50)}))
	check(t, q.AnswerGap(g.ID, pow.AwayKeep, queue.Segment{}))
	id := ulid(t, day)
	check(t, q.SetConsent(id, []byte("signed")))
	check(t, q.Enqueue([]pow.Delivery{{ID: id, Session: session, Project: project, Interval: span(0, 60), Without: []pow.Interval{span(25, 35)}}}))
	later := must[pow.Delivery](t)(q.Split(id))
	first, second := must[pow.Proof](t)(q.ProofOf(id)), must[pow.Proof](t)(q.ProofOf(later.ID))
	want := [][]pow.Interval{{span(20, 30)}, {span(30, 50)}, {span(25, 30)}, {span(30, 35)}}
	if d := cmp.Diff(want, [][]pow.Interval{first.Kept, second.Kept, first.Without, second.Without}); d != "" {
		t.Error(d)
	}
	if string(first.Consent) != "signed" || string(second.Consent) != "signed" {
		t.Error("the consent did not go with both halves")
	}
}

// Erasing leaves nothing behind of a review, and brings no time back.
func TestEraseAfterReview(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 60, "words")
	check(t, q.Remove(ids[3:4], map[string][]pow.Interval{ids[3]: {span(21, 31)}}))
	check(t, q.AddSkip(session, after(35), 1, pow.SkipApp))
	g := must[queue.Gap](t)(q.AddGap(queue.Gap{Session: session, Project: project, Interval: span(40, 45)}))
	check(t, q.AnswerGap(g.ID, pow.AwayDiscard, queue.Segment{}))
	check(t, q.EraseUnsent(span(26, 60), ""))
	if d := cmp.Diff([]pow.Interval{span(0, 21)}, intervals(must[[]queue.Segment](t)(q.Unregistered()))); d != "" {
		t.Errorf("removed time came back: %s", d)
	}
	if ps := must[[]pow.Picture](t)(q.Pictures(span(26, 60))); len(ps) != 0 {
		t.Errorf("left: %+v", ps)
	}
	if gs := q.Gaps(span(26, 60)); len(gs) != 1 || gs[0].State != queue.GapCut { // it reaches into what stays
		t.Errorf("gaps: %+v", gs)
	}
}

// A picture that was stored after the proof of its time was made is not sent, and
// is not told as one that the worker took out.
func TestLatePicturesAreNobodysDoing(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 10, "")
	enqueue(t, q, session, 0, 10)
	late := pow.Capture{ID: ulid(t, after(9)), Session: session, At: after(9)}
	check(t, q.AddCapture(late, picture(late.ID), nil))
	track(t, q, session, 10, 20, "")
	p := must[pow.Proof](t)(q.ProofOf(enqueue(t, q, session, 10, 20)))
	if p.Dropped != 0 || len(p.Captures) != 1 {
		t.Errorf("%d dropped, %d pictures", p.Dropped, len(p.Captures))
	}
	if left := must[[]pow.Capture](t)(q.Held("")); len(left) != 0 {
		t.Errorf("it stays for ever: %+v", left)
	}
}
