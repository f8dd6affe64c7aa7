package activitytest_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"pow.do/services/client/activity/activitytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	for name, cfg := range map[string]activitytest.Config{
		"python":        {},
		"rust":          {Rust: true},
		"rust with key": {Rust: true, Key: "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			s := activitytest.Start(t, cfg)
			activitytest.Contract(t, activitytest.Target{URL: s.URL, Key: cfg.Key})
		})
	}
}

// TestContractReal runs against a throw-away ActivityWatch.
func TestContractReal(t *testing.T) {
	url := os.Getenv("POWDO_TEST_AW_URL")
	if url == "" {
		t.Skip("POWDO_TEST_AW_URL is not set: no real ActivityWatch to compare with")
	}
	activitytest.Contract(t, activitytest.Target{URL: url, Key: os.Getenv("POWDO_TEST_AW_KEY")})
}
