package away

import (
	"context"
	"time"
)

// input knows nothing: what counts input here needs C.
type input struct{}

func newInput() input                                            { return input{} }
func (input) names() []string                                    { return nil }
func (input) idle(context.Context) (string, time.Duration, bool) { return "", 0, false }
func (input) close()                                             {}

func (*Watcher) listeners() []func(context.Context, func(signal)) { return nil }
