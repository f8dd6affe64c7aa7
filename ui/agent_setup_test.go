package ui

import (
	"context"

	"pow.do/services/pow"
)

func (f *fakeAgent) ExportProof(_ context.Context, r pow.ExportRequest) error {
	f.calls <- "export " + r.ID
	return f.wrong
}

func (f *fakeAgent) ImportProofs(_ context.Context, file string) (int, error) {
	f.calls <- "import " + file
	return 1, f.wrong
}

func (f *fakeAgent) Forget(_ context.Context, r pow.ForgetRequest) (pow.Forgotten, error) {
	f.calls <- "forget"
	return pow.Forgotten{}, f.wrong
}

func (f *fakeAgent) Doctor(context.Context) ([]pow.Check, error) {
	return []pow.Check{{Name: "disk", State: "ok", Detail: "40 GB free"}}, f.wrong
}
func (f *fakeAgent) Rehearse(context.Context, []pow.Edit) (pow.Rehearsal, error) {
	return pow.Rehearsal{}, f.wrong
}
func (f *fakeAgent) ActivityPreview(context.Context) ([]pow.ActivityRow, error) { return nil, f.wrong }
