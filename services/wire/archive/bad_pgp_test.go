package archive_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// message encrypts to k whatever inner writes: bare packets.
func message(t *testing.T, k keys, v2 bool, inner func(w io.WriteCloser) error) []byte {
	t.Helper()
	to := must[openpgp.EntityList](t)(openpgp.ReadArmoredKeyRing(strings.NewReader(k.public.Key)))[0]
	key, ok := to.EncryptionKey(sealed, nil)
	if !ok {
		t.Fatal("no encryption key")
	}
	var b bytes.Buffer
	session := bytes.Repeat([]byte{7}, 32)
	if err := packet.SerializeEncryptedKeyAEADwithHiddenOption(&b, key.PublicKey, packet.CipherAES256, v2, session, true, &packet.Config{}); err != nil {
		t.Fatal(err)
	}
	suite := packet.CipherSuite{Cipher: packet.CipherAES256, Mode: packet.AEADModeGCM}
	w := must[io.WriteCloser](t)(packet.SerializeSymmetricallyEncrypted(&b, packet.CipherAES256, v2, suite, session, &packet.Config{}))
	if err := inner(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// literal writes one literal packet; it leaves w open.
func literal(w io.Writer, b []byte) error {
	l, err := packet.SerializeLiteral(nopCloser{w}, true, "", 0)
	if err != nil {
		return err
	}
	if _, err := l.Write(b); err != nil {
		return err
	}
	return l.Close()
}

// compressed nests a literal packet depth times.
func compressed(w io.Writer, b []byte, depth int) error {
	if depth == 0 {
		return literal(w, b)
	}
	c, err := packet.SerializeCompressed(nopCloser{w}, packet.CompressionZIP, nil)
	if err != nil {
		return err
	}
	if err := compressed(c, b, depth-1); err != nil {
		return err
	}
	return c.Close()
}

// AR-12, first half: what lies inside the encryption.
func TestBadOpenPGPInside(t *testing.T) {
	for name, v2 := range map[string]bool{"v1": false, "v2": true} {
		k := pgpKeys(t, v2)
		o := opener(t, k)
		bare := func(inner func(io.Writer) error) func() (pow.Opened, error) {
			return decrypt(o, message(t, k, v2, func(w io.WriteCloser) error { return inner(w) }))
		}
		if _, err := bare(func(w io.Writer) error { return literal(w, []byte("x")) })(); err != nil {
			t.Errorf("the good case: %v", err)
		}
		refuse(t, "AR-12/compressed "+name, pow.ErrDecrypt, nil, bare(func(w io.Writer) error { return compressed(w, []byte("x"), 1) }))
		refuse(t, "AR-12/bomb "+name, pow.ErrDecrypt, nil, bare(func(w io.Writer) error { return compressed(w, make([]byte, 32<<20), 1) }))
		refuse(t, "AR-12/nested "+name, pow.ErrDecrypt, nil, bare(func(w io.Writer) error { return compressed(w, []byte("x"), 32) }))
		refuse(t, "AR-12/two literals "+name, pow.ErrDecrypt, nil, bare(func(w io.Writer) error {
			if err := literal(w, []byte("x")); err != nil {
				return err
			}
			return literal(w, []byte("y"))
		}))
		refuse(t, "AR-12/empty "+name, pow.ErrDecrypt, nil, bare(func(io.Writer) error { return nil }))
		// Version 4, binary, EdDSA, SHA-256, no subpackets: no issuer.
		unsigned := []byte{0xc2, 16, 4, 0, 22, 8, 0, 0, 0, 0, 1, 2, 0, 8, 1, 0, 8, 1}
		refuse(t, "AR-12/no issuer "+name, pow.ErrDecrypt, nil, bare(func(w io.Writer) error {
			if _, err := w.Write(unsigned); err != nil {
				return err
			}
			return literal(w, []byte("x"))
		}))
		onePass := append([]byte{0xc4, 13, 3, 0, 8, 22}, 1, 2, 3, 4, 5, 6, 7, 8, 1)
		refuse(t, "AR-12/signed "+name, pow.ErrDecrypt, nil, bare(func(w io.Writer) error {
			if _, err := w.Write(onePass); err != nil {
				return err
			}
			if err := literal(w, []byte("x")); err != nil {
				return err
			}
			_, err := w.Write(unsigned)
			return err
		}))
	}
}

// A message that is signed inside is not what the Sealer makes, even when all of
// it holds.
func TestSignedOpenPGP(t *testing.T) {
	e := entity(t, &packet.Config{})
	k := keysOf(t, pow.OpenPGP, secretOf(t, e), publicOf(t, e))
	for _, by := range [][]*openpgp.Entity{nil, {e}} {
		var b bytes.Buffer
		w := must[io.WriteCloser](t)(openpgp.Encrypt(&b, nil, []*openpgp.Entity{e}, by, nil, &packet.Config{Time: func() time.Time { return start }}))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if by != nil {
			refuse(t, "AR-12/rightly signed", pow.ErrDecrypt, nil, decrypt(opener(t, k), b.Bytes()))
		} else if _, err := decrypt(opener(t, k), b.Bytes())(); err != nil {
			t.Errorf("the good case: %v", err)
		}
	}
}

// framed frames the body of an OpenPGP packet anew, in parts of a power of two.
func framed(body []byte, power int) (b []byte) {
	p := bufio.NewReader(bytes.NewReader(body[1:]))
	var plain []byte
	for partial := true; partial; {
		head, _ := p.ReadByte()
		n := int(head)
		switch partial = head >= 224 && head < 255; {
		case partial:
			n = 1 << (head & 31)
		case head >= 192 && head < 224:
			low, _ := p.ReadByte()
			n = (n-192)<<8 + int(low) + 192
		case head == 255:
			var long [4]byte
			_, _ = io.ReadFull(p, long[:])
			n = int(binary.BigEndian.Uint32(long[:]))
		}
		part := make([]byte, n)
		_, _ = io.ReadFull(p, part)
		plain = append(plain, part...)
	}
	b = append(b, body[0])
	for ; len(plain) > 1<<power; plain = plain[1<<power:] {
		b = append(append(b, 224+byte(power)), plain[:1<<power]...)
	}
	return append(binary.BigEndian.AppendUint32(append(b, 255), uint32(len(plain))), plain...)
}

// AR-12, second half: what lies around it, and damage.
func TestBadOpenPGPOutside(t *testing.T) {
	for name, v2 := range map[string]bool{"v1": false, "v2": true} {
		k := pgpKeys(t, v2)
		o := opener(t, k)
		b, want := seal(t, proof(t), k)
		data := 2 + int(b[1]) // behind the session key's packet, which is short
		pkesk, body := b[:data], b[data:]
		for at := 0; at < len(b); at += 1 + len(b)/60 {
			flipped := bytes.Clone(b)
			flipped[at] ^= 0x10
			refuse(t, "AR-12/flipped "+name, pow.ErrDecrypt, nil, asIs(o, flipped, want))
		}
		last := bytes.Clone(b)
		last[len(last)-1] ^= 1
		refuse(t, "AR-12/mdc "+name, pow.ErrDecrypt, nil, asIs(o, last, want))
		refuse(t, "AR-12/cut "+name, pow.ErrDecrypt, nil, decrypt(o, b[:len(b)-1]))
		refuse(t, "AR-12/behind "+name, pow.ErrDecrypt, nil, decrypt(o, append(bytes.Clone(b), 0xca, 3, 'P', 'G', 'P')))
		refuse(t, "AR-12/before "+name, pow.ErrDecrypt, nil, decrypt(o, append([]byte{0xca, 3, 'P', 'G', 'P'}, b...)))
		refuse(t, "AR-12/no mdc "+name, pow.ErrDecrypt, nil, decrypt(o, append(append(bytes.Clone(pkesk), 0xc9, 100), make([]byte, 100)...)))
		refuse(t, "AR-12/draft aead "+name, pow.ErrDecrypt, nil, decrypt(o, append(append(bytes.Clone(pkesk), 0xd4, 100, 1, 9, 1, 10), make([]byte, 96)...)))
		refuse(t, "AR-12/passphrase "+name, pow.ErrDecrypt, nil, decrypt(o, append([]byte{0xc3, 4, 4, 9, 0, 8}, b...)))
		refuse(t, "AR-12/nine keys "+name, pow.ErrDecrypt, nil, decrypt(o, append(bytes.Repeat(pkesk, 9), body...)))
		refuse(t, "AR-12/no key "+name, pow.ErrDecrypt, nil, decrypt(o, body))
		refuse(t, "AR-12/only keys "+name, pow.ErrDecrypt, nil, decrypt(o, pkesk))
		refuse(t, "AR-12/no length "+name, pow.ErrDecrypt, nil, decrypt(o, append([]byte{0x87}, b...)))
		for power, good := range map[int]bool{0: false, 8: false, 9: true, 12: true} {
			if again := append(bytes.Clone(pkesk), framed(body, power)...); !good {
				refuse(t, "AR-12/parts "+name, pow.ErrDecrypt, nil, decrypt(o, again))
			} else if _, err := decrypt(o, again)(); err != nil {
				t.Errorf("parts of %d bytes: %v", 1<<power, err)
			}
		}
		for n, good := range map[int]bool{1_000: true, 16_384: false} { // a key of an unknown kind, which is passed over
			strange := append([]byte{0xc1, 255, 0, 0, byte(n >> 8), byte(n), 3, 0, 0, 0, 0, 0, 0, 0, 0, 99}, make([]byte, n-10)...)
			if again := append(strange, b...); !good {
				refuse(t, "AR-12/key of 16 KiB "+name, pow.ErrDecrypt, nil, decrypt(o, again))
			} else if _, err := decrypt(o, again)(); err != nil {
				t.Errorf("key of %d bytes: %v", n, err)
			}
		}
		if v2 {
			for mode := range 256 {
				strange := bytes.Clone(b)
				if strange[data+4] = byte(mode); mode == int(b[data+4]) {
					continue
				}
				refuse(t, "AR-12/aead mode", pow.ErrDecrypt, nil, asIs(o, strange, want))
				strange = bytes.Clone(b)
				strange[data+5] ^= byte(mode) | 1
				refuse(t, "AR-12/chunk size", pow.ErrDecrypt, nil, asIs(o, strange, want))
			}
		}
	}
}

// KY-7 and KY-6: keys that must not be sealed to.
func TestBadRecipients(t *testing.T) {
	at := func(when time.Time) *packet.Config {
		return &packet.Config{Time: func() time.Time { return when }}
	}
	good := entity(t, &packet.Config{})
	revoked := entity(t, &packet.Config{})
	if err := revoked.Revoke(packet.NoReason, "", at(start)); err != nil {
		t.Fatal(err)
	}
	unbound := entity(t, &packet.Config{})
	unbound.Subkeys = nil
	only := entity(t, &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})
	only.Subkeys = nil
	for name, id := range only.Identities { // its primary key may encrypt
		sig := id.SelfCertifications[0].Packet
		sig.FlagEncryptCommunications = true
		if err := sig.SignUserId(name, only.PrimaryKey, only.PrivateKey, nil); err != nil {
			t.Fatal(err)
		}
	}
	expired := entity(t, &packet.Config{KeyLifetimeSecs: 300})
	young := entity(t, at(sealed.Add(48*time.Hour)))
	weak := entity(t, &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 1024, MinRSABits: 1024})
	pq, x := agePQ(t).public.Key, ageX25519(t).public.Key
	for id, c := range map[string]struct{ alg, key string }{
		"KY-7/expired": {pow.OpenPGP, publicOf(t, expired)}, "KY-7/revoked": {pow.OpenPGP, publicOf(t, revoked)},
		"KY-7/no subkey": {pow.OpenPGP, publicOf(t, unbound)}, "KY-7/primary only": {pow.OpenPGP, publicOf(t, only)}, "KY-7/rsa 1024": {pow.OpenPGP, publicOf(t, weak)},
		"KY-7/two keys": {pow.OpenPGP, publicOf(t, good, entity(t, &packet.Config{}))}, "KY-7/two blocks": {pow.OpenPGP, publicOf(t, good) + publicOf(t, good)},
		"KY-7/64 MiB": {pow.OpenPGP, publicOf(t, good) + strings.Repeat("\n", 64<<20)}, "KY-7/not yet": {pow.OpenPGP, publicOf(t, young)},
		"KY-7/secret": {pow.OpenPGP, secretOf(t, good)}, "KY-7/empty": {pow.OpenPGP, ""}, "KY-7/age": {pow.OpenPGP, pq},
		"KY-6/prefix": {pow.AgePQ, "age1tag1" + pq[8:]}, "KY-6/classic": {pow.AgePQ, x}, "KY-6/hybrid": {pow.AgeX25519, pq},
		"KY-6/ssh":    {pow.AgeX25519, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"},
		"KY-6/plugin": {pow.AgeX25519, "age1../../x1qqqq"}, "KY-6/list": {pow.AgePQ, pq + "\n" + x}, "KY-6/upper": {pow.AgeX25519, strings.ToUpper(x)},
		"KY-6/space": {pow.AgeX25519, x + " "}, "KY-6/unknown": {"age", x},
	} {
		t.Run(id, func(t *testing.T) {
			if name, err := archive.ParseRecipient(c.alg, c.key, sealed); err == nil || name != "" {
				t.Error("accepted")
			}
		})
	}
	if _, err := archive.ParseRecipient(pow.OpenPGP, publicOf(t, expired), start.Add(time.Minute)); err != nil {
		t.Errorf("before it expires: %v", err)
	}
}
