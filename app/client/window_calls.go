package client

import (
	"context"
	"time"

	"pow.do/services/pow"
)

// What the window asks of the agent beyond what the commands need. An agent that
// does not know one of these answers with unsupported, which the page shows.

// Pictures implements ui.Agent.
func (r reviving) Pictures(ctx context.Context, day time.Time) ([]pow.Picture, error) {
	return get[[]pow.Picture](ctx, r.remote, "pictures", day)
}

// Picture implements ui.Agent.
func (r reviving) Picture(ctx context.Context, q pow.PictureRequest) ([]byte, error) {
	return get[[]byte](ctx, r.remote, "picture", q)
}

// Edit implements ui.Agent.
func (r reviving) Edit(ctx context.Context, q pow.EditRequest) error {
	return r.c.Call(ctx, "edit", q, nil)
}

// Approve implements ui.Agent.
func (r reviving) Approve(ctx context.Context, ids []string) error {
	return r.c.Call(ctx, "approve", ids, nil)
}

// Remove implements ui.Agent.
func (r reviving) Remove(ctx context.Context, q pow.RemoveRequest) (pow.Effect, error) {
	return get[pow.Effect](ctx, r.remote, "remove", q)
}

// Undo implements ui.Agent.
func (r reviving) Undo(ctx context.Context, ids []string) error {
	return r.c.Call(ctx, "undo", ids, nil)
}

// AppTimes implements ui.Agent.
func (r reviving) AppTimes(ctx context.Context, day time.Time) ([]pow.AppTime, error) {
	return get[[]pow.AppTime](ctx, r.remote, "app-times", day)
}

// LeaveOut implements ui.Agent.
func (r reviving) LeaveOut(ctx context.Context, q pow.LeaveOut) error {
	return r.c.Call(ctx, "leave-out", q, nil)
}

// EditEntry implements ui.Agent.
func (r reviving) EditEntry(ctx context.Context, q pow.EntryEdit) error {
	return r.c.Call(ctx, "edit-entry", q, nil)
}

// UndoEntry implements ui.Agent.
func (r reviving) UndoEntry(ctx context.Context, id string) error {
	return r.c.Call(ctx, "undo-entry", id, nil)
}

// Terms implements ui.Agent.
func (r reviving) Terms(ctx context.Context, id pow.ProjectID) (pow.Terms, error) {
	return get[pow.Terms](ctx, r.remote, "terms", id)
}

// Agree implements ui.Agent.
func (r reviving) Agree(ctx context.Context, q pow.AgreeRequest) error {
	return r.c.Call(ctx, "agree", q, nil)
}

// Withdraw implements ui.Agent.
func (r reviving) Withdraw(ctx context.Context, id pow.ProjectID) error {
	return r.c.Call(ctx, "withdraw", id, nil)
}

// Choose implements ui.Agent.
func (r reviving) Choose(ctx context.Context, q pow.ProjectChoice) error {
	return r.c.Call(ctx, "choose", q, nil)
}

// Settings implements ui.Agent.
func (r reviving) Settings(ctx context.Context) (pow.Settings, error) {
	return get[pow.Settings](ctx, r.remote, "settings", nil)
}

// SetSettings implements ui.Agent.
func (r reviving) SetSettings(ctx context.Context, s pow.Settings) error {
	return r.c.Call(ctx, "set-settings", s, nil)
}

// Windows implements ui.Agent.
func (r reviving) Windows(ctx context.Context) ([]pow.OpenWindow, error) {
	return get[[]pow.OpenWindow](ctx, r.remote, "windows", nil)
}

// AnswerAway implements ui.Agent.
func (r reviving) AnswerAway(ctx context.Context, q pow.AwayAnswer) (pow.Status, error) {
	return get[pow.Status](ctx, r.remote, "answer-away", q)
}

// Pause implements ui.Agent.
func (r reviving) Pause(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r.remote, "pause", nil)
}

// Resume implements ui.Agent.
func (r reviving) Resume(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r.remote, "resume", nil)
}

// OffRecord implements ui.Agent.
func (r reviving) OffRecord(ctx context.Context, q pow.OffRecord) (pow.Status, error) {
	return get[pow.Status](ctx, r.remote, "off-record", q)
}

// TestShot implements ui.Agent.
func (r reviving) TestShot(ctx context.Context) ([][]byte, error) {
	return get[[][]byte](ctx, r.remote, "test-shot", nil)
}

// UndoSwitch implements ui.Agent.
func (r reviving) UndoSwitch(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r.remote, "undo-switch", nil)
}
