package client

import (
	"context"

	"pow.do/services/pow"
)

// toolsAPI is the part of API that looks after keys, data and health.
type toolsAPI interface {
	// Keys tells what may be shown of the keys, locked or not.
	Keys(ctx context.Context) (pow.KeysInfo, error)
	// Lock wipes the keys from memory. The timer and the pictures go on.
	Lock(ctx context.Context) error
	ChangePassphrase(ctx context.Context, r pow.PassphraseChange) error
	// TestBackup tells whether a backup would bring this identity back, and
	// remembers when it was found so.
	TestBackup(ctx context.Context, r pow.BackupTest) error
	// RemoveDevice has the team's server forget another computer of this identity.
	RemoveDevice(ctx context.Context, device pow.Key) error
	// Leave ends the membership.
	Leave(ctx context.Context) error
	// Forget erases what was never registered, or everything. After everything
	// the agent ends.
	Forget(ctx context.Context, r pow.ForgetRequest) (pow.Forgotten, error)
	Sizes(ctx context.Context) (pow.Sizes, error)
	// ExportProof writes a sealed proof to a new file, to be carried by hand.
	ExportProof(ctx context.Context, r pow.ExportRequest) error
	// ImportProofs takes the answer that came back by hand; it returns how many
	// proofs it moved.
	ImportProofs(ctx context.Context, file string) (int, error)
	// History is the time of every project on every local day of a span.
	History(ctx context.Context, span pow.Interval) ([]pow.HistoryDay, error)
	// CheckProofs checks every kept Statement header and Receipt.
	CheckProofs(ctx context.Context) (pow.Check, error)
	// Test is one part of Doctor, by name.
	Test(ctx context.Context, name string) ([]pow.Check, error)
	// Rehearse takes a picture, edits, seals, opens and forgets it. Nothing is
	// stored and nothing is sent.
	Rehearse(ctx context.Context, edits []pow.Edit) (pow.Rehearsal, error)
	// ActivityPreview returns the newest rows of activity as they would leave.
	ActivityPreview(ctx context.Context) ([]pow.ActivityRow, error)
}

// toolsMethods are toolsAPI's names on the socket.
func toolsMethods(a toolsAPI) map[string]call {
	order := func(f func(context.Context) error) call {
		return acts(func(ctx context.Context, _ nothing) error { return f(ctx) })
	}
	return map[string]call{
		"keys": asks(a.Keys), "lock": order(a.Lock), "passphrase": acts(a.ChangePassphrase), "test-backup": acts(a.TestBackup),
		"remove-device": acts(a.RemoveDevice), "leave": order(a.Leave), "forget": method(a.Forget), "sizes": asks(a.Sizes),
		"export": acts(a.ExportProof), "import": method(a.ImportProofs), "history": method(a.History), "check-proofs": asks(a.CheckProofs),
		"test": method(a.Test), "rehearse": method(a.Rehearse), "activity-preview": asks(a.ActivityPreview),
	}
}

func (r remote) Keys(ctx context.Context) (pow.KeysInfo, error) {
	return get[pow.KeysInfo](ctx, r, "keys", nil)
}

func (r remote) Lock(ctx context.Context) error { return r.c.Call(ctx, "lock", nothing{}, nil) }

func (r remote) ChangePassphrase(ctx context.Context, q pow.PassphraseChange) error {
	return r.c.Call(ctx, "passphrase", q, nil)
}

func (r remote) TestBackup(ctx context.Context, q pow.BackupTest) error {
	return r.c.Call(ctx, "test-backup", q, nil)
}

func (r remote) RemoveDevice(ctx context.Context, device pow.Key) error {
	return r.c.Call(ctx, "remove-device", device, nil)
}

func (r remote) Leave(ctx context.Context) error { return r.c.Call(ctx, "leave", nothing{}, nil) }

func (r remote) Forget(ctx context.Context, q pow.ForgetRequest) (pow.Forgotten, error) {
	return get[pow.Forgotten](ctx, r, "forget", q)
}

func (r remote) Sizes(ctx context.Context) (pow.Sizes, error) {
	return get[pow.Sizes](ctx, r, "sizes", nil)
}

func (r remote) ExportProof(ctx context.Context, q pow.ExportRequest) error {
	return r.c.Call(ctx, "export", q, nil)
}

func (r remote) ImportProofs(ctx context.Context, file string) (int, error) {
	return get[int](ctx, r, "import", file)
}

func (r remote) History(ctx context.Context, span pow.Interval) ([]pow.HistoryDay, error) {
	return get[[]pow.HistoryDay](ctx, r, "history", span)
}

func (r remote) CheckProofs(ctx context.Context) (pow.Check, error) {
	return get[pow.Check](ctx, r, "check-proofs", nil)
}

func (r remote) Test(ctx context.Context, name string) ([]pow.Check, error) {
	return get[[]pow.Check](ctx, r, "test", name)
}

func (r remote) Rehearse(ctx context.Context, edits []pow.Edit) (pow.Rehearsal, error) {
	return get[pow.Rehearsal](ctx, r, "rehearse", edits)
}

func (r remote) ActivityPreview(ctx context.Context) ([]pow.ActivityRow, error) {
	return get[[]pow.ActivityRow](ctx, r, "activity-preview", nil)
}
