package input_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"pow.do/ui/input"
)

const (
	twelve = "leader monkey parrot ring guide accident before fence cannon height naive bean"
	nsec   = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"                                                                                                    // NIP-19
	sealed = "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p" // NIP-49
	turned = "abc\u202edef"
)

func TestLine(t *testing.T) {
	for s, want := range map[string]input.Fault{
		" KeePass ": input.Fine, "": input.Empty, " \t": input.Empty, "a\x00b": input.Control, turned: input.Control,
		"a\u200bb": input.Control, strings.Repeat("ä", 200): input.Fine, strings.Repeat("ä", 201): input.Long, "a\xffb": input.Control,
		"a\nb": input.Control,
	} {
		if got, f := input.Line(s, input.MaxName); f != want || got != strings.TrimSpace(s) {
			t.Errorf("%q: %q, want %q; text %q", s, f, want, got)
		}
	}
}

func TestNumber(t *testing.T) {
	for s, want := range map[string]input.Fault{
		"1": input.Fine, " 60 ": input.Fine, "0": input.OutOfRange, "61": input.OutOfRange, "-5": input.OutOfRange,
		"99999999999999999999999999": input.OutOfRange, "": input.Empty, "five": input.NotNumber, "5.5": input.NotNumber,
		"1e3": input.NotNumber, "0x10": input.NotNumber, "٣": input.NotNumber, "-": input.NotNumber, "+5": input.NotNumber, "1_0": input.NotNumber,
	} {
		if _, f := input.Number(s, 1, 60); f != want {
			t.Errorf("%q: %q, want %q", s, f, want)
		}
	}
}

func TestTimeOfDay(t *testing.T) {
	for s, want := range map[string]input.Fault{
		"9:00": input.Fine, " 17:30 ": input.Fine, "24:00": input.NotTime, "9:60": input.NotTime, "9": input.NotTime, "9:5": input.NotTime,
		"": input.Empty, "nine": input.NotTime, "-1:00": input.NotTime, "9:00:00": input.NotTime, "99999999999999:00": input.NotTime,
	} {
		if n, f := input.TimeOfDay(s); f != want || s == " 17:30 " && n != 17*60+30 {
			t.Errorf("%q: %d %q, want %q", s, n, f, want)
		}
	}
}

func TestNpub(t *testing.T) {
	var key [32]byte
	if _, err := hex.Decode(key[:], []byte("7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e")); err != nil { // NIP-19
		t.Fatal(err)
	}
	if got := input.Npub(key); got != "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg" {
		t.Error(got)
	}
}

func TestPattern(t *testing.T) {
	for s, want := range map[string]input.Fault{
		"*bank*": input.Fine, "*": input.OnlyStars, "* ?": input.OnlyStars, "": input.Empty, turned: input.Control,
	} {
		if _, f := input.Pattern(s); f != want {
			t.Errorf("%q: %q, want %q", s, f, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for s, want := range map[string]input.Fault{
		"http://127.0.0.1:5600": input.Fine, "https://aw.example.com/": input.Fine, "HTTP://localhost:5600": input.Fine,
		"http://[::1]:5600": input.Fine, "ftp://127.0.0.1": input.Scheme, "javascript://x": input.Scheme, "file:///etc/passwd": input.Scheme,
		"127.0.0.1:5600": input.Address, "http://": input.Address, "http://user:pass@host": input.Secrets, "http://host:0": input.Port,
		"http://host:65536": input.Port, "http://host:abc": input.Port, "http://host:": input.Port, "http://ho st": input.Address,
		"http://host/?a=b": input.Address, "http://host/#a": input.Address, "": input.Empty, "http://" + turned: input.Control,
		"http://" + strings.Repeat("a", 300): input.Long,
	} {
		if _, f := input.WebAddress(s); f != want {
			t.Errorf("web %q: %q, want %q", s, f, want)
		}
	}
	for s, want := range map[string]input.Fault{
		"socks5://127.0.0.1:9050": input.Fine, "socks5h://tor:9150": input.Fine, "socks5://127.0.0.1": input.Port,
		"http://127.0.0.1:9050": input.Scheme, "socks4://127.0.0.1:9050": input.Scheme, "127.0.0.1:9050": input.Address,
		"socks5://u:p@h:1": input.Secrets, "socks5://h:99999999999": input.Port,
	} {
		if _, f := input.Proxy(s); f != want {
			t.Errorf("proxy %q: %q, want %q", s, f, want)
		}
	}
}

func TestInviteLink(t *testing.T) {
	for s, want := range map[string]input.Fault{
		" powdo://join#eyJ2IjoxfQ ": input.Fine, "https://example.com/join": input.Link, "powdo://other": input.Link, "": input.Empty,
		"powdo://join#" + strings.Repeat("a", 9000): input.Long, "powdo://join#a\nb": input.Control,
	} {
		if _, f := input.InviteLink(s); f != want {
			t.Errorf("%.30q: %q, want %q", s, f, want)
		}
	}
}

func TestFilePath(t *testing.T) {
	for s, want := range map[string]input.Fault{
		"/home/a/key.txt": input.Fine, "~/key.txt": input.Fine, `C:\Users\a\key.txt`: input.Fine, "key.txt": input.Path, "../key": input.Path,
		"/home/a/": input.Path, "~": input.Path, "": input.Empty, "/a\x00b": input.Control, "/" + strings.Repeat("a", 5000): input.Long,
	} {
		got, f := input.FilePath(s, "/home/a")
		if f != want {
			t.Errorf("%.30q: %q, want %q", s, f, want)
		}
		if s == "~/key.txt" && got != "/home/a/key.txt" {
			t.Errorf("~ became %q", got)
		}
	}
}

func TestPassphrase(t *testing.T) {
	const good = "four words are good"
	for _, c := range []struct {
		s, again string
		want     input.Fault
	}{
		{good, good, input.Fine}, {"short", "short", input.Short}, {good, good + "!", input.Differs}, {"", "", input.Short},
		{"ääääääääää", "ääääääääää", input.Fine}, {good + "\x00", good + "\x00", input.Control},
		{strings.Repeat("a", 1025), strings.Repeat("a", 1025), input.Long},
	} {
		if f := input.Passphrase(c.s, c.again); f != c.want {
			t.Errorf("%.20q: %q, want %q", c.s, f, c.want)
		}
	}
}

func TestReadKey(t *testing.T) {
	for _, c := range []struct {
		s    string
		kind input.KeyKind
		want input.Fault
	}{
		{twelve, input.Words, input.Fine},
		{"“" + strings.ToUpper(twelve) + "”\n", input.Words, input.Fine},
		{strings.Replace(twelve, "leader", "leaders", 1), input.Words, input.UnknownWord},
		{strings.Replace(twelve, "bean", "leader", 1), input.Words, input.Checksum},
		{"leader monkey", input.Words, input.WordCount},
		{"leader", input.Words, input.WordCount},
		{twelve + " bean", input.Words, input.WordCount},
		{nsec, input.Secret, input.Fine},
		{strings.ToUpper(nsec), input.Secret, input.Fine},
		{"N" + nsec[1:], input.Secret, input.Checksum},
		{strings.Replace(nsec, "v", "w", 1), input.Secret, input.Checksum},
		{nsec[:len(nsec)-1], input.Secret, input.Checksum},
		{"nsec1", input.Secret, input.Checksum},
		{"nsec1bbbbbbbb", input.Secret, input.Checksum},
		{sealed, input.Sealed, input.Fine},
		{sealed[:60], input.Sealed, input.Checksum},
		{"npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2", input.NoKey, input.PublicKey},
		{strings.Repeat("0f", 32), input.NoKey, input.HexKey},
		{"https://example.com", input.NoKey, input.NotKey},
		{"", input.NoKey, input.Empty},
		{strings.Repeat("bean ", 300), input.NoKey, input.Long},
	} {
		k, f := input.ReadKey(c.s)
		if k.Kind != c.kind || f != c.want {
			t.Errorf("%.30q: %q %q, want %q %q", c.s, k.Kind, f, c.kind, c.want)
		}
	}
	if k, _ := input.ReadKey("leader monkez parrot"); k.Wrong != 1 {
		t.Errorf("wrong word is %d", k.Wrong)
	}
}

func FuzzReadKey(f *testing.F) {
	for _, s := range []string{twelve, nsec, sealed, "nsec1", "ncryptsec1" + turned, "a b\x00c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if k, fault := input.ReadKey(s); fault == input.Fine && k.Text == "" {
			t.Errorf("%q is a key of nothing", s)
		}
	})
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:5600", "socks5://[::1]:1", "http://%zz", "://", "socks5://a:b@c:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		input.WebAddress(s)
		if p, fault := input.Proxy(s); fault == input.Fine && !strings.Contains(p, ":") {
			t.Errorf("%q passes as a proxy", s)
		}
	})
}
