package ui

import (
	"context"
	"errors"

	"pow.do/services/pow"
	"pow.do/ui/words"
)

// say turns an error into a sentence and its mend: translated by its code where
// there is a text, else in the program's words.
func (w *Window) say(err error) (what, mend string) {
	if errors.Is(err, context.DeadlineExceeded) {
		return words.T("error.deadline"), words.T("error.deadline.mend")
	}
	var e *pow.Error
	if errors.As(err, &e) && words.Has("error."+string(e.Code)) {
		what = words.T("error." + string(e.Code))
		if words.Has("error." + string(e.Code) + ".mend") {
			mend = words.T("error." + string(e.Code) + ".mend")
		}
		return what, mend
	}
	if errors.As(err, &e) {
		if s, ok := words.Code(e.Code, words.Data{"Team": words.Name(w.status.Team), "Time": ""}); ok {
			return s, words.Foreign(e.Mend)
		}
	}
	if w.opts.Words != nil {
		what, mend = w.opts.Words(err)
		return words.Foreign(what), words.Foreign(mend)
	}
	if e != nil {
		return words.Foreign(e.What), words.Foreign(e.Mend)
	}
	return words.T("error.unknown"), ""
}
