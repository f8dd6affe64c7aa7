package server

import (
	"context"

	"pow.do/services/dvm"
	"pow.do/services/pow"
	"pow.do/services/wire/dial"
)

// openTimesheets opens Kimai when one is configured; without one the ledger is
// the timesheet.
func openTimesheets(_ context.Context, cfg dvmConfig, _ *dial.Dialer) (dvm.Timesheets, error) {
	return nil, nil
}

func (p *program) checkTimesheets(context.Context) pow.Check {
	return pow.Check{Name: "timesheet", State: "ok", Detail: "the ledger"}
}
