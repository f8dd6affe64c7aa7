package invite

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pow.do/services/pow"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/strictjson"
)

const (
	prefix     = "powdo://join#"
	maxLink    = 4096 // characters
	maxName    = 80   // runes
	maxOrigins = 5
	version    = 1
)

// What can be wrong with a link. Each is a *pow.Error, compared by code; none
// repeats the link. A link of a later version is pow.ErrVersion.
var (
	ErrLink    = &pow.Error{Code: "bad-link", What: "this is not a valid invite link", Mend: "copy it again as a whole, or ask for a new one"}
	ErrExpired = &pow.Error{Code: "link-expired", What: "the invite link has expired", Mend: "ask for a new one"}
	ErrForeign = &pow.Error{Code: "link-foreign", What: "the invite link carries a permit that is not from its own team, or not for its relays", Mend: "do not use it; ask for a new one"}
)

// Link is what an invite says. HubClaim, Claim and Identity are optional:
// without the claims the device and the member are admitted by hand.
type Link struct {
	Version  int
	Name     string   // of the team, for the person invited
	DVM      pow.Key  // the key to pin
	Relays   []string // 1 to 5 origins, in order of preference
	Blossom  []string // 1 to 5 origins
	HubClaim string   // see NewHubClaim
	Claim    string   // see NewClaim
	Expires  time.Time
	Identity pow.Key // the only identity that may use Claim; zero: anybody
}

// wire is the JSON object of a link (INVITE.md).
type wire struct {
	V int      `json:"v"`
	N string   `json:"n"`
	D string   `json:"d"`
	R []string `json:"r"`
	B []string `json:"b"`
	H string   `json:"h,omitempty"`
	C string   `json:"c,omitempty"`
	X int64    `json:"x"`
	I string   `json:"i,omitempty"`
}

// Parse reads a link and refuses one that is cut, too long, of another version
// or expired, that names a bad origin or key, that has members it should not,
// or whose hub claim is not signed by its own DVM for every one of its relays.
// Nothing is connected to. Errors: ErrLink, ErrExpired, ErrForeign, pow.ErrVersion.
func Parse(link string, now time.Time) (Link, error) {
	w, err := decode(strings.TrimSpace(link))
	if err != nil {
		return Link{}, err
	}
	l, err := w.link()
	if err != nil {
		return Link{}, err
	}
	if !l.Expires.After(now) {
		return Link{}, ErrExpired
	}
	if l.HubClaim != "" {
		if err := l.checkHubClaim(now); err != nil {
			return Link{}, err
		}
	}
	return l, nil
}

func decode(link string) (w wire, err error) {
	text, ok := strings.CutPrefix(link, prefix)
	if !ok || len(link) > maxLink {
		return w, ErrLink
	}
	b, err := decode64(text)
	if err != nil || strictjson.CheckIntegers(b, 2) != nil {
		return w, ErrLink
	}
	var head struct {
		V json.RawMessage `json:"v"`
	}
	if json.Unmarshal(b, &head) != nil || head.V == nil {
		return w, ErrLink
	}
	if string(head.V) != "1" {
		return w, pow.ErrVersion
	}
	var names map[string]json.RawMessage
	if json.Unmarshal(b, &names) != nil {
		return w, ErrLink
	}
	for name := range names {
		if len(name) != 1 || !strings.Contains("vndrbhcxi", name) {
			return w, ErrLink
		}
	}
	if json.Unmarshal(b, &w) != nil {
		return w, ErrLink
	}
	return w, nil
}

func (w wire) link() (Link, error) {
	dvm, err := identity.ParseNpub(w.D)
	if err != nil {
		return Link{}, ErrLink
	}
	l := Link{Version: w.V, Name: w.N, DVM: dvm, Relays: w.R, Blossom: w.B, HubClaim: w.H, Claim: w.C, Expires: time.Unix(w.X, 0)}
	if w.I != "" {
		if l.Identity, err = identity.ParseNpub(w.I); err != nil {
			return Link{}, ErrLink
		}
	}
	if !cleanName(w.N) || !origins(w.R, pow.RelayOrigin) || !origins(w.B, pow.BlossomOrigin) || w.C != "" && !IsClaim(w.C) || w.X < 0 {
		return Link{}, ErrLink
	}
	return l, nil
}

// checkHubClaim looks for a claim that some other team made, or that would be
// shown to a hub it was not made for.
func (l Link) checkHubClaim(now time.Time) error {
	for _, r := range l.Relays {
		switch _, err := CheckHubClaim(l.HubClaim, []pow.Key{l.DVM}, []string{r}, now); err {
		case nil:
		case ErrClaimTime:
			return ErrExpired
		default:
			return ErrForeign.With(err)
		}
	}
	return nil
}

// String writes the link. It is a secret when it carries a claim.
func (l Link) String() string {
	w := wire{V: version, N: l.Name, D: identity.Npub(l.DVM), R: l.Relays, B: l.Blossom, H: l.HubClaim, C: l.Claim, X: l.Expires.Unix()}
	if !l.Identity.IsZero() {
		w.I = identity.Npub(l.Identity)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(w); err != nil {
		return "" // cannot happen: strings and numbers only
	}
	return prefix + base64.RawURLEncoding.EncodeToString(bytes.TrimRight(b.Bytes(), "\n"))
}

// LogValue implements slog.LogValuer: a link is not logged.
func (Link) LogValue() slog.Value { return slog.StringValue("[invite link]") }

func origins(list []string, kind pow.OriginKind) bool {
	bad := func(s string) bool { _, err := pow.ParseOrigin(s, kind); return err != nil }
	return len(list) > 0 && len(list) <= maxOrigins && !slices.ContainsFunc(list, bad)
}

// cleanName refuses what could change the look of the question that shows the
// name: control, format and private-use characters.
func cleanName(s string) bool {
	bad := func(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }
	return utf8.RuneCountInString(s) <= maxName && strings.IndexFunc(s, bad) < 0
}

// decode64 reads base64url without padding in its one canonical form: no line
// breaks, which the library would skip, and no stray bits.
func decode64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, base64.CorruptInputError(0)
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}
