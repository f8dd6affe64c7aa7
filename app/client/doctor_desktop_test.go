package client

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
)

// offer is a desktop that has everything, or nothing.
type offer bool

func (o offer) Host() bool  { return bool(o) }
func (o offer) There() bool { return bool(o) }
func (o offer) Sources() []string {
	if !o {
		return nil
	}
	return []string{"X11", "logind"}
}

func TestDesktopParts(t *testing.T) {
	for o, state := range map[offer]string{true: "ok", false: "unused"} {
		var names []string
		for _, p := range desktopParts(o, o, o) {
			got := p.run(t.Context())
			if len(got) != 1 || got[0].State != state || got[0].Detail == "" {
				t.Errorf("%s: %+v", p.name, got)
			}
			names = append(names, p.name+": "+got[0].Name)
			if p.name == "away" && o && got[0] != (pow.Check{Name: "away detection", State: "ok", Detail: "X11, logind"}) {
				t.Errorf("%+v", got)
			}
		}
		if d := cmp.Diff([]string{"tray: tray host", "notify: notifications", "away: away detection"}, names); d != "" {
			t.Error(d)
		}
	}
}
