package envelope_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/identity"
)

// vectors44 is the official file of NIP-44; the NIP gives its checksum.
type vectors44 struct {
	V2 struct {
		Valid struct {
			ConversationKey []struct{ Sec1, Pub2, Conversation_key string } `json:"get_conversation_key"`
			PaddedLen       [][2]int                                        `json:"calc_padded_len"`
			EncryptDecrypt  []struct {
				Sec1, Sec2, Nonce, Plaintext, Payload string
				Key                                   string `json:"conversation_key"`
			} `json:"encrypt_decrypt"`
			Long []struct {
				Key, Nonce, Pattern string
				ConversationKey     string `json:"conversation_key"`
				Repeat              int
				PlaintextSHA256     string `json:"plaintext_sha256"`
				PayloadSHA256       string `json:"payload_sha256"`
			} `json:"encrypt_decrypt_long_msg"`
		}
		Invalid struct {
			Lengths         []int                               `json:"encrypt_msg_lengths"`
			ConversationKey []struct{ Sec1, Pub2, Note string } `json:"get_conversation_key"`
			Decrypt         []struct {
				Key           string `json:"conversation_key"`
				Payload, Note string
			}
		}
	}
}

func load44(t testing.TB) (v vectors44) {
	t.Helper()
	b, err := os.ReadFile("testdata/nip44.vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := digest(string(b)); got != "269ed0f69e4c192512cc779e78c555090cebc7c785b609e338a62afc3ce25040" {
		t.Fatalf("not the official file: %s", got)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func bytes32(t testing.TB, s string) [32]byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatalf("%q: %v", s, err)
	}
	return [32]byte(b)
}

func TestNIP44ConversationKeys(t *testing.T) {
	v := load44(t).V2
	if len(v.Valid.ConversationKey) != 35 || len(v.Invalid.ConversationKey) != 8 {
		t.Fatal("not all of them")
	}
	for i, c := range v.Valid.ConversationKey {
		pub, err := pow.ParseKey(c.Pub2)
		if err != nil {
			t.Fatal(err)
		}
		k, err := envelope.Conversation(secret(c.Sec1), pub)
		if err != nil || hex.EncodeToString(k[:]) != c.Conversation_key {
			t.Errorf("%d: %x %v", i, k, err)
		}
	}
	for _, c := range v.Invalid.ConversationKey {
		s, err1 := identity.ParseSecretHex(c.Sec1)
		pub, err2 := pow.ParseKey(c.Pub2)
		_, err3 := envelope.Conversation(s, pub)
		if err1 == nil && err2 == nil && err3 == nil {
			t.Errorf("accepted: %s", c.Note)
		}
	}
}

func TestNIP44EncryptDecrypt(t *testing.T) {
	v := load44(t).V2.Valid
	if len(v.EncryptDecrypt) != 10 || len(v.Long) != 3 || len(v.PaddedLen) != 24 {
		t.Fatal("not all of them")
	}
	for i, c := range v.EncryptDecrypt {
		k, err := envelope.Conversation(secret(c.Sec1), secret(c.Sec2).Public())
		if err != nil || k != bytes32(t, c.Key) {
			t.Errorf("%d: %x %v", i, k, err)
		}
		s, err := envelope.Encrypt(k, bytes32(t, c.Nonce), []byte(c.Plaintext))
		if err != nil || s != c.Payload {
			t.Errorf("%d: %s %v", i, s, err)
		}
		plain, err := envelope.Decrypt(k, c.Payload)
		if err != nil || string(plain) != c.Plaintext {
			t.Errorf("%d: %q %v", i, plain, err)
		}
	}
	for i, c := range v.Long {
		plain := strings.Repeat(c.Pattern, c.Repeat)
		k := bytes32(t, c.ConversationKey)
		s, err := envelope.Encrypt(k, bytes32(t, c.Nonce), []byte(plain))
		if err != nil || digest(plain) != c.PlaintextSHA256 || digest(s) != c.PayloadSHA256 {
			t.Errorf("long %d: %v", i, err)
		}
		if got, err := envelope.Decrypt(k, s); err != nil || string(got) != plain {
			t.Errorf("long %d: %v", i, err)
		}
	}
	for _, c := range v.PaddedLen {
		s, err := envelope.Encrypt([32]byte{1}, [32]byte{1}, make([]byte, c[0]))
		raw := 1 + 32 + 2 + c[1] + 32
		if want := (raw + 2) / 3 * 4; c[0] < 65_536 && (err != nil || len(s) != want) {
			t.Errorf("%d bytes: %d characters, want %d, %v", c[0], len(s), want, err)
		}
	}
}

func TestNIP44Refuses(t *testing.T) {
	v := load44(t).V2.Invalid
	if len(v.Decrypt) != 12 || len(v.Lengths) != 4 {
		t.Fatal("not all of them")
	}
	for _, n := range append(v.Lengths, 65_537) {
		if _, err := envelope.Encrypt([32]byte{1}, [32]byte{1}, make([]byte, n)); err == nil {
			t.Errorf("encrypted %d bytes", n)
		}
	}
	for _, c := range v.Decrypt {
		if _, err := envelope.Decrypt(bytes32(t, c.Key), c.Payload); err == nil {
			t.Errorf("accepted: %s", c.Note)
		}
	}
}

// The extended table of the NIP: its first row is the longest that the 16-bit
// form can hold, the others are too long for us.
func TestNIP44ExtendedTable(t *testing.T) {
	k := bytes32(t, "c41c775356fd92eadc63ff5a0dc1da211b268cbea22316767095b2871ea1412d")
	s, err := envelope.Encrypt(k, [32]byte{31: 1}, bytes.Repeat([]byte("a"), 65_535))
	if err != nil || digest(s) != "6d8c2810d1e870fbaa1f0a0937126cca837a15f9260e27060c331d70a3c0bc84" {
		t.Fatalf("%d characters, %v", len(s), err)
	}
	if plain, err := envelope.Decrypt(k, s); err != nil || len(plain) != 65_535 {
		t.Errorf("%d %v", len(plain), err)
	}
	for _, n := range []int{65_536, 65_537} {
		if _, err := envelope.Encrypt(k, [32]byte{31: 1}, bytes.Repeat([]byte("a"), n)); err == nil {
			t.Errorf("%d bytes", n)
		}
	}
}

func TestCheckPayload(t *testing.T) {
	good, err := envelope.Encrypt([32]byte{1}, [32]byte{1}, []byte("x"))
	if err != nil || len(good) != 132 || envelope.Check(good) != nil {
		t.Fatal(err)
	}
	tail, err := envelope.Encrypt([32]byte{1}, [32]byte{1}, make([]byte, 33)) // 131 bytes: the last digit before = has two bits to spare
	if err != nil || len(tail) != 176 || !strings.HasSuffix(tail, "=") || envelope.Check(tail) != nil {
		t.Fatal(tail, err)
	}
	stray := tail[:174] + string(tail[174]+1) + "="
	for name, s := range map[string]string{
		"empty": "", "newlines": strings.Repeat("\n", 132), "version #": "#" + good[1:], "131": good[:131], "133": good + "A", "URL alphabet": strings.Replace(good, good[5:6], "_", 1),
		"long": strings.Repeat("A", 87_476), "87473": strings.Repeat("A", 87_473), "version 0": "AA" + good[2:], "version 1": "AQ" + good[2:], "version 3": "Aw" + good[2:],
		"newline inside": good[:8] + "\n\n\n\n" + good[8:], "space": good[:131] + " ", "equals inside": good[:40] + "=" + good[41:], "equals before the last": good[:130] + "=A",
		"three equals": good[:129] + "===", "stray bits": stray, "NUL": "\x00" + good[1:], "1 MiB": strings.Repeat("A", 1<<20),
		"NIP-04": good[:100] + "?iv=" + good[104:],
	} {
		if envelope.Check(s) == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := envelope.Decrypt([32]byte{1}, s); err == nil {
			t.Errorf("%s: decrypted", name)
		}
	}
}
