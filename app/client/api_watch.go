package client

import (
	"context"

	"pow.do/services/pow"
)

// watchAPI is the part of API about what the agent notices and shows.
type watchAPI interface {
	// Settings are the defaults before there is a key. Errors: pow.ErrLocked.
	Settings(ctx context.Context) (pow.Settings, error)
	SetSettings(ctx context.Context, s pow.Settings) error
	// Windows lists what can be seen now on the monitors that pictures are taken
	// of, with the exclusion that it meets.
	Windows(ctx context.Context) ([]pow.OpenWindow, error)
	AnswerAway(ctx context.Context, r pow.AwayAnswer) (pow.Status, error)
	Pause(ctx context.Context) (pow.Status, error)
	// Resume ends every pause: the person's own, off the record, and one whose end
	// was not noticed.
	Resume(ctx context.Context) (pow.Status, error)
	OffRecord(ctx context.Context, r pow.OffRecord) (pow.Status, error)
	// UndoSwitch takes the last switch of project back, within a minute.
	UndoSwitch(ctx context.Context) (pow.Status, error)
	// TestShot takes one JPEG a monitor, shows it to the caller and forgets it. It
	// may make the desktop ask for permission.
	TestShot(ctx context.Context) ([][]byte, error)
	// Show raises the window that watches. Errors: pow.ErrNoWindow.
	Show(ctx context.Context, page string) error
}

// watchMethods are watchAPI's names on the socket.
func watchMethods(a watchAPI) map[string]call {
	return map[string]call{
		"settings": asks(a.Settings), "set-settings": acts(a.SetSettings), "windows": asks(a.Windows), "answer-away": method(a.AnswerAway),
		"pause": asks(a.Pause), "resume": asks(a.Resume), "off-record": method(a.OffRecord), "undo-switch": asks(a.UndoSwitch),
		"test-shot": asks(a.TestShot), "show": acts(a.Show),
	}
}

func (r remote) Settings(ctx context.Context) (pow.Settings, error) {
	return get[pow.Settings](ctx, r, "settings", nil)
}

func (r remote) SetSettings(ctx context.Context, s pow.Settings) error {
	return r.c.Call(ctx, "set-settings", s, nil)
}

func (r remote) Windows(ctx context.Context) ([]pow.OpenWindow, error) {
	return get[[]pow.OpenWindow](ctx, r, "windows", nil)
}

func (r remote) AnswerAway(ctx context.Context, q pow.AwayAnswer) (pow.Status, error) {
	return get[pow.Status](ctx, r, "answer-away", q)
}

func (r remote) Pause(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r, "pause", nil)
}

func (r remote) Resume(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r, "resume", nil)
}

func (r remote) OffRecord(ctx context.Context, q pow.OffRecord) (pow.Status, error) {
	return get[pow.Status](ctx, r, "off-record", q)
}

func (r remote) UndoSwitch(ctx context.Context) (pow.Status, error) {
	return get[pow.Status](ctx, r, "undo-switch", nil)
}

func (r remote) TestShot(ctx context.Context) ([][]byte, error) {
	return get[[][]byte](ctx, r, "test-shot", nil)
}

func (r remote) Show(ctx context.Context, page string) error { return r.c.Call(ctx, "show", page, nil) }
