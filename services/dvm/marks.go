package dvm

import "pow.do/services/pow"

// The marks of what the worker did to a proof, as the proof itself tells them.
const (
	markKept    = "kept"            // time that was kept while away
	markByHand  = "by-hand"         // time of an entry that was corrected
	markEdited  = "edited"          // pictures with covered areas, or cropped
	markWithout = "without-picture" // time that was kept although its pictures were taken out
)

// marksOf returns what reports show of a proof besides its numbers.
func marksOf(p *pow.Proof) (marks []string) {
	edited := false
	for _, c := range p.Captures {
		edited = edited || c.Areas > 0 || c.Cropped
	}
	for _, m := range []struct {
		word string
		is   bool
	}{{markKept, len(p.Kept) > 0}, {markByHand, len(p.ByHand) > 0}, {markEdited, edited}, {markWithout, len(p.Without) > 0}} {
		if m.is {
			marks = append(marks, m.word)
		}
	}
	return marks
}

// The verdicts on a proof's consent. None is a reason to refuse verified work:
// the demand may have changed on the way.
const (
	consentOK      = "ok"
	consentNone    = "none"    // the proof carries no consent
	consentInvalid = "invalid" // it cannot be read, or its signature is wrong
	consentOther   = "other"   // another member's, or for another DVM or project
	consentLess    = "less"    // the project demands more by now than was agreed to
	unlooked       = "-"
)

// consent judges the consent of a proof against what its project demands.
func (w *Worker) consent(author pow.Key, project pow.BookableProject, p *pow.Proof) string {
	if w.Consent == nil {
		return unlooked
	}
	if len(p.Consent) == 0 {
		return consentNone
	}
	a, err := w.Consent(p.Consent)
	demand := pow.DemandOf(w.Key, project.Project, w.Announcement().PolicyHash)
	switch {
	case err != nil:
		return consentInvalid
	case a.Author != author || a.Demand.DVM != w.Key || a.Demand.Project != project.ID:
		return consentOther
	case demand.More(a.Demand):
		return consentLess
	}
	return consentOK
}
