package invite

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

const (
	kindClaim    = 25940
	maxClaim     = 2048                // characters
	maxClaimLife = 31 * 24 * time.Hour // from made to expired
	maxSkew      = 600 * time.Second
)

// Why a hub claim is refused. The hub gives one answer for all of them; its log
// says which.
var (
	ErrClaimShape    = errors.New("claim is malformed")
	ErrClaimSigner   = errors.New("claim is not signed by a known DVM")
	ErrClaimTime     = errors.New("claim is expired, from the future, or lives too long")
	ErrClaimAudience = errors.New("claim is for another hub")
)

// Signer signs an event: sets PubKey, ID and Sig.
type Signer interface {
	Sign(*event.Event) error
}

// Claim is what a valid hub claim says. Whether (DVM, ID) was used before is
// known to the hub only.
type Claim struct {
	DVM     pow.Key
	ID      string // 32 hex digits
	Expires time.Time
}

// NewHubClaim makes a hub claim for the given relay origins (1 to 5), good
// from now until expires, at most 31 days. id is its 16 random bytes in hex.
func NewHubClaim(dvm Signer, relays []string, expires, now time.Time) (claim, id string, err error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", "", fmt.Errorf("make a hub claim: %w", err)
	}
	id = hex.EncodeToString(b[:])
	claim, err = hubClaim(dvm, id, relays, expires, now)
	return claim, id, err
}

func hubClaim(dvm Signer, id string, relays []string, expires, now time.Time) (string, error) {
	if !origins(relays, pow.RelayOrigin) {
		return "", errors.New("make a hub claim: want 1 to 5 relay origins")
	}
	if life := expires.Sub(now); life <= 0 || life > maxClaimLife {
		return "", errors.New("make a hub claim: it must expire within 31 days")
	}
	tags := event.Tags{{"d", id}}
	for _, r := range relays {
		tags = append(tags, event.Tag{"relay", r})
	}
	tags = append(tags, event.Tag{"expiration", strconv.FormatInt(expires.Unix(), 10)}, event.Tag{"v", "1"})
	e := &event.Event{Kind: kindClaim, CreatedAt: event.Timestamp(now.Unix()), Tags: tags}
	if err := dvm.Sign(e); err != nil {
		return "", fmt.Errorf("make a hub claim: %w", err)
	}
	s := base64.RawURLEncoding.EncodeToString(event.Marshal(e))
	if len(s) > maxClaim {
		return "", errors.New("make a hub claim: the origins are too long")
	}
	return s, nil
}

// CheckHubClaim verifies a claim with nothing but the hub's own configuration:
// the DVMs it serves and its own origins. Errors: ErrClaimShape,
// ErrClaimSigner, ErrClaimTime, ErrClaimAudience.
func CheckHubClaim(claim string, dvms []pow.Key, origins []string, now time.Time) (Claim, error) {
	if len(claim) > maxClaim {
		return Claim{}, ErrClaimShape
	}
	b, err := decode64(claim)
	if err != nil {
		return Claim{}, ErrClaimShape
	}
	e, err := event.Parse(b)
	if err != nil || e.Kind != kindClaim || event.HasControl(e) {
		return Claim{}, ErrClaimShape
	}
	c, err := readClaim(e)
	if err != nil {
		return Claim{}, err
	}
	if !slices.Contains(dvms, c.DVM) {
		return Claim{}, ErrClaimSigner
	}
	if err := event.Verify(e); errors.Is(err, event.ErrID) {
		return Claim{}, ErrClaimShape
	} else if err != nil {
		return Claim{}, ErrClaimSigner
	}
	made := time.Unix(int64(e.CreatedAt), 0)
	if made.After(now.Add(maxSkew)) || !c.Expires.After(now) || c.Expires.Sub(made) > maxClaimLife {
		return Claim{}, ErrClaimTime
	}
	if !slices.ContainsFunc(e.Tags, func(t event.Tag) bool {
		return len(t) > 1 && t[0] == "relay" && slices.Contains(origins, t[1])
	}) {
		return Claim{}, ErrClaimAudience
	}
	return c, nil
}

func readClaim(e *event.Event) (Claim, error) {
	v, _, errV := event.Single(e, "v")
	d, _, errD := event.Single(e, "d")
	x, _, errX := event.Single(e, "expiration")
	id, errID := hex.DecodeString(d)
	unix, errU := strconv.ParseInt(x, 10, 53)
	if errors.Join(errV, errD, errX, errID, errU) != nil || v != "1" || len(id) != 16 || hex.EncodeToString(id) != d || strconv.FormatInt(unix, 10) != x || unix < 0 {
		return Claim{}, ErrClaimShape
	}
	return Claim{DVM: event.Author(e), ID: d, Expires: time.Unix(unix, 0)}, nil
}

// NewClaim makes a DVM claim: 32 random bytes in base64url, 43 characters.
func NewClaim() (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make a claim: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// IsClaim tells whether s has the form of a DVM claim.
func IsClaim(s string) bool {
	b, err := decode64(s)
	return err == nil && len(b) == 32
}

// ClaimHash is what the DVM keeps of a claim: sha256 over its 43 characters.
func ClaimHash(claim string) pow.Hash { return sha256.Sum256([]byte(claim)) }
