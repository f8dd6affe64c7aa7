package client

import (
	"context"
	"errors"
	"time"

	"pow.do/services/client/notify"
	"pow.do/services/pow"
)

// notice is a kind of notification.
type notice string

// The kinds. The first three are what a person waits for, and are never held back.
const (
	noticeAway      notice = "away"
	noticeTaken     notice = "taken"
	noticeAttention notice = "attention"
	noticeEnded     notice = "ended"     // away for too long
	noticeLong      notice = "long"      // 15 hours
	noticeForgotten notice = "forgotten" // 16 hours
	noticeRemind    notice = "remind"
	noticeWeek      notice = "week"
	noticeWeekFull  notice = "week.over"
)

// The actions of notifications.
const (
	doLook    = "look"
	doRemove  = "remove"
	doDiscard = "discard"
	doOpen    = "open"
)

// notice shows a notification of a kind. args are pairs for its text.
func (a *Agent) notice(kind notice, args ...string) {
	a.noticeAbout(kind, nil, args...)
}

// noticeAbout names the project, where the person wants that.
func (a *Agent) noticeAbout(kind notice, project *pow.ProjectRef, args ...string) {
	s, _ := a.settings()
	if a.desk.notes == nil || s.Notify == pow.NotifyOff {
		return
	}
	w := a.desk.phrases(s.Language)
	n := notify.Note{Kind: string(kind), Title: w.T("note." + string(kind)), Actions: []notify.Action{{Key: notify.Default, Label: w.T("note.open")}}}
	if kind != noticeTaken {
		n.Text = w.T("note."+textOf(kind)+".text", args...)
	}
	if project != nil && project.Name != "" && s.Notify == pow.NotifyNames {
		n.Text = pow.Clean(project.Name) + ". " + n.Text
	}
	switch kind {
	case noticeAway:
		n.Always = true
		n.Actions = append(n.Actions, notify.Action{Key: doDiscard, Label: w.T("note.discard")}, notify.Action{Key: doOpen, Label: w.T("note.open")})
	case noticeTaken:
		n.Always, n.For = true, time.Duration(s.ToastFor)*time.Second
		n.Actions = append(n.Actions, notify.Action{Key: doLook, Label: w.T("note.look")}, notify.Action{Key: doRemove, Label: w.T("note.remove")})
	case noticeAttention:
		n.Always = true
	}
	if err := a.desk.notes.Show(context.Background(), n); err != nil {
		a.log.Debug("no notification", "kind", string(kind), "error", err)
	}
}

// textOf names the text of a kind: a week that is full says what a nearly full one says.
func textOf(kind notice) string {
	if kind == noticeWeekFull {
		return string(noticeWeek)
	}
	return string(kind)
}

// noteAct does what the person chose on a notification.
func (a *Agent) noteAct(ctx context.Context, x deskAct) error {
	a.desk.mu.Lock()
	taken, asked := a.desk.taken, a.desk.asked
	a.desk.mu.Unlock()
	switch {
	case x.id == doRemove:
		if err := a.Drop(ctx, taken); err != nil && !errors.Is(err, pow.ErrNotFound) {
			return err
		}
		a.desk.notes.Close(ctx, x.note)
		return nil
	case x.id == doDiscard:
		_, err := a.AnswerAway(ctx, pow.AwayAnswer{ID: asked, Choice: pow.AwayDiscard})
		if errors.Is(err, pow.ErrNotFound) {
			err = nil // answered elsewhere meanwhile
		}
		return err
	}
	page := map[notice]string{noticeTaken: "review", noticeAttention: "outbox"}[notice(x.note)]
	return a.openWindow(ctx, page, x.token)
}

// pictureTaken shows that pictures were taken, without them and without names.
// Where a window watches and the person wants that, the window shows them.
func (a *Agent) pictureTaken(infos []pow.CaptureInfo) {
	s, _ := a.settings()
	if a.desk.notes == nil || s.Toast == pow.ToastOff || s.Toast == pow.ToastWindow && a.attended() {
		return
	}
	var ids []string
	for _, i := range infos {
		if i.Again == 0 { // nothing new was stored
			ids = append(ids, i.ID)
		}
	}
	if len(ids) == 0 {
		return
	}
	a.desk.mu.Lock()
	a.desk.taken = ids
	a.desk.mu.Unlock()
	a.notice(noticeTaken)
}

// tell notices what came about between two states.
func (a *Agent) tell(ctx context.Context, was, is pow.Status) {
	if is.Outbox[pow.Attention] > was.Outbox[pow.Attention] {
		a.notice(noticeAttention)
	}
	q, open := newestQuestion(is)
	before, asked := newestQuestion(was)
	switch {
	case open && (!asked || before.ID != q.ID) && !a.attended():
		a.desk.mu.Lock()
		a.desk.asked = q.ID
		a.desk.mu.Unlock()
		a.noticeAbout(noticeAway, &q.Project, "From", q.From.Local().Format("15:04"), "To", q.To.Local().Format("15:04"))
	case !open && asked:
		a.desk.notes.Close(ctx, string(noticeAway))
	}
}

// newestQuestion is the last away question that can be answered.
func newestQuestion(s pow.Status) (q pow.AwayQuestion, found bool) {
	for _, o := range s.Away {
		if !o.To.IsZero() {
			q, found = o, true
		}
	}
	return q, found
}
