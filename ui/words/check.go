package words

import "pow.do/ui/theme"

// Check returns the mark of one thing that was looked at: ok, warning, failed or unused.
func Check(state string) Mark {
	switch state {
	case "ok":
		return Mark{theme.Verified, theme.Success, T("doctor.ok")}
	case "warning":
		return Mark{theme.Warn, theme.Warning, T("doctor.warning")}
	case "unused":
		return Mark{theme.Stopped, theme.Muted, T("doctor.unused")}
	}
	return Mark{theme.Attention, theme.Danger, T("doctor.failed")}
}
