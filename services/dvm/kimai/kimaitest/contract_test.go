package kimaitest_test

import (
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"pow.do/services/dvm/kimai/kimaitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"as installed":   nil,
		"no overlaps":    {"timesheet.rules.allow_overlapping_records": "0"},
		"no rounding":    {"timesheet.rounding.default.begin": "0", "timesheet.rounding.default.end": "0"},
		"to the quarter": {"timesheet.rounding.default.begin": "15", "timesheet.rounding.default.end": "15"},
		"punch":          {"timesheet.mode": "punch"},
	} {
		for _, version := range []int{22600, 26600} {
			t.Run(name, func(t *testing.T) {
				w := kimaitest.Small()
				w.Settings, w.VersionID = settings, version
				w.Users[0].Zone = "Europe/Berlin"
				s := kimaitest.New(w)
				defer s.Close()
				kimaitest.Contract(t, kimaitest.Target{URL: s.URL, Token: s.Token, HTTP: s.Client()})
			})
		}
	}
}

// TestContractReal tries a throw-away Kimai where one is named.
func TestContractReal(t *testing.T) {
	url, token := os.Getenv("POWDO_TEST_KIMAI_URL"), os.Getenv("POWDO_TEST_KIMAI_TOKEN")
	if url == "" || token == "" {
		t.Skip("POWDO_TEST_KIMAI_URL and POWDO_TEST_KIMAI_TOKEN name no throw-away Kimai")
	}
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	kimaitest.Contract(t, kimaitest.Target{URL: url, Token: token, HTTP: &http.Client{Transport: tr}})
}
