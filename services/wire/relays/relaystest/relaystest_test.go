package relaystest_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"pow.do/services/wire/relays/relaystest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func target(url string) relaystest.Target {
	return relaystest.Target{URL: url, Member: relaystest.NewKey("member"), Other: relaystest.NewKey("other"), DVM: relaystest.NewKey("dvm")}
}

func TestDouble(t *testing.T) {
	relaystest.Run(t, target(relaystest.NewDouble(t).URL))
}

// TestRelay judges a real relay. POWDO_TEST_RELAY_URL is its address as it is
// configured there; it lets the keys of the words member, other and dvm write.
func TestRelay(t *testing.T) {
	url := os.Getenv("POWDO_TEST_RELAY_URL")
	if url == "" {
		t.Skip("POWDO_TEST_RELAY_URL is not set")
	}
	relaystest.Run(t, target(url))
}
