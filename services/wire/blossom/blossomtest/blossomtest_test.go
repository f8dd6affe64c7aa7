package blossomtest_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"pow.do/services/wire/blossom/blossomtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func target(url string) blossomtest.Target {
	return blossomtest.Target{URL: url, Owner: blossomtest.NewKey("owner"), Other: blossomtest.NewKey("other"), DVM: blossomtest.NewKey("dvm")}
}

func TestDouble(t *testing.T) { blossomtest.Run(t, target(blossomtest.NewDouble(t).URL)) }

// TestServer judges a real server. POWDO_TEST_BLOSSOM_URL is its address as it
// is configured there; it lets the keys of the words owner and other upload.
func TestServer(t *testing.T) {
	url := os.Getenv("POWDO_TEST_BLOSSOM_URL")
	if url == "" {
		t.Skip("POWDO_TEST_BLOSSOM_URL is not set")
	}
	blossomtest.Run(t, target(url))
}
