package client

import (
	"context"
	"time"

	"pow.do/services/pow"
)

// reviewAPI is the part of API about what will be sent.
type reviewAPI interface {
	// Pictures returns the cells of the local day that holds a moment, in order of time.
	Pictures(ctx context.Context, day time.Time) ([]pow.Picture, error)
	// Picture returns a PNG or JPEG of a picture as it will be sent, or as it was.
	Picture(ctx context.Context, r pow.PictureRequest) ([]byte, error)
	Edit(ctx context.Context, r pow.EditRequest) error
	Approve(ctx context.Context, ids []string) error
	Remove(ctx context.Context, r pow.RemoveRequest) (pow.Effect, error)
	// Undo takes back the last edit or removal of each.
	Undo(ctx context.Context, ids []string) error
	// AppTimes returns every row of activity of a local day, as it would leave.
	AppTimes(ctx context.Context, day time.Time) ([]pow.AppTime, error)
	LeaveOut(ctx context.Context, r pow.LeaveOut) error
	EditEntry(ctx context.Context, r pow.EntryEdit) error
	// UndoEntry makes an entry what it was before its corrections.
	UndoEntry(ctx context.Context, id string) error
}

// consentAPI is the part of API about what projects ask for.
type consentAPI interface {
	Terms(ctx context.Context, id pow.ProjectID) (pow.Terms, error)
	Agree(ctx context.Context, r pow.AgreeRequest) error
	Withdraw(ctx context.Context, id pow.ProjectID) error
	// Choose changes the member's choice inside agreed terms.
	Choose(ctx context.Context, c pow.ProjectChoice) error
}

func reviewMethods(a API) map[string]call {
	return map[string]call{
		"pictures": method(a.Pictures), "picture": method(a.Picture), "edit": acts(a.Edit), "approve": acts(a.Approve),
		"remove": method(a.Remove), "undo": acts(a.Undo), "app-times": method(a.AppTimes), "leave-out": acts(a.LeaveOut),
		"edit-entry": acts(a.EditEntry), "undo-entry": acts(a.UndoEntry),
		"terms": method(a.Terms), "agree": acts(a.Agree), "withdraw": acts(a.Withdraw), "choose": acts(a.Choose),
	}
}

func (r remote) Pictures(ctx context.Context, day time.Time) ([]pow.Picture, error) {
	return get[[]pow.Picture](ctx, r, "pictures", day)
}

func (r remote) Picture(ctx context.Context, q pow.PictureRequest) ([]byte, error) {
	return get[[]byte](ctx, r, "picture", q)
}

func (r remote) Edit(ctx context.Context, q pow.EditRequest) error {
	return r.c.Call(ctx, "edit", q, nil)
}

func (r remote) Approve(ctx context.Context, ids []string) error {
	return r.c.Call(ctx, "approve", ids, nil)
}

func (r remote) Remove(ctx context.Context, q pow.RemoveRequest) (pow.Effect, error) {
	return get[pow.Effect](ctx, r, "remove", q)
}

func (r remote) Undo(ctx context.Context, ids []string) error { return r.c.Call(ctx, "undo", ids, nil) }

func (r remote) AppTimes(ctx context.Context, day time.Time) ([]pow.AppTime, error) {
	return get[[]pow.AppTime](ctx, r, "app-times", day)
}

func (r remote) LeaveOut(ctx context.Context, q pow.LeaveOut) error {
	return r.c.Call(ctx, "leave-out", q, nil)
}

func (r remote) EditEntry(ctx context.Context, q pow.EntryEdit) error {
	return r.c.Call(ctx, "edit-entry", q, nil)
}

func (r remote) UndoEntry(ctx context.Context, id string) error {
	return r.c.Call(ctx, "undo-entry", id, nil)
}

func (r remote) Terms(ctx context.Context, id pow.ProjectID) (pow.Terms, error) {
	return get[pow.Terms](ctx, r, "terms", id)
}

func (r remote) Agree(ctx context.Context, q pow.AgreeRequest) error {
	return r.c.Call(ctx, "agree", q, nil)
}

func (r remote) Withdraw(ctx context.Context, id pow.ProjectID) error {
	return r.c.Call(ctx, "withdraw", id, nil)
}

func (r remote) Choose(ctx context.Context, q pow.ProjectChoice) error {
	return r.c.Call(ctx, "choose", q, nil)
}
