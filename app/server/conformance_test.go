package server_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/blossom/blossomtest"
	"pow.do/services/wire/invite"
	"pow.do/services/wire/relays/relaystest"
)

// TestRelayConformance holds our relay to what any mailbox relay must do, and
// to every rule of its own.
func TestRelayConformance(t *testing.T) {
	member, other, spare := newHubKey("member"), newHubKey("other"), newHubKey("spare")
	var h *runningHub
	check := claims(func(claim string, now time.Time) (pow.Key, string, time.Time, error) {
		c, err := invite.CheckHubClaim(claim, []pow.Key{h.DVM.public}, []string{"ws://" + h.Host}, now)
		return c.DVM, c.ID, c.Expires, err
	})
	h = startHub(t, filepath.Join(t.TempDir(), "hub"), check, member, other, spare)
	relaystest.Run(t, relaystest.Target{URL: "ws://" + h.Host, Member: member, Other: other, DVM: h.DVM, Hub: true, Spare: spare,
		Claim: func(t *testing.T) string {
			claim, _, err := invite.NewHubClaim(h.DVM, []string{"ws://" + h.Host}, time.Now().Add(time.Hour), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return claim
		}})
}

// TestBlossomConformance holds our store to the BUDs, and to every rule of its own.
func TestBlossomConformance(t *testing.T) {
	owner, other := newHubKey("owner"), newHubKey("other")
	h := startHub(t, filepath.Join(t.TempDir(), "hub"), noClaims, owner, other)
	blossomtest.Run(t, blossomtest.Target{URL: "http://" + h.Host, Owner: owner, Other: other, DVM: h.DVM, Hub: true})
}

// The same suites against somebody else's servers, where the environment names
// them; the three test keys must be allowed there.
func TestOtherServers(t *testing.T) {
	if url := os.Getenv("POWDO_TEST_RELAY_URL"); url != "" {
		relaystest.Run(t, relaystest.Target{URL: url, Member: newHubKey("member"), Other: newHubKey("other"), DVM: newHubKey("dvm")})
	}
	if url := os.Getenv("POWDO_TEST_BLOSSOM_URL"); url != "" {
		blossomtest.Run(t, blossomtest.Target{URL: url, Owner: newHubKey("owner"), Other: newHubKey("other"), DVM: newHubKey("dvm")})
	}
}
