package envelope

import (
	"crypto/sha1" // the fingerprint of a version 4 key is SHA-1 by definition (RFC 9580)
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

// pgpKey names an OpenPGP key: by its bytes and by its primary key. Whether it
// can be encrypted to is judged where that is done.
type pgpKey struct {
	sha256      string // over the binary transferable public key
	fingerprint string // 40 hex digits (version 4) or 64 (version 6)
}

var errPGP = errors.New("not an armored OpenPGP public key")

// dearmor reads one armored public key of at most 16 KiB.
func dearmor(s string) (pgpKey, error) {
	if len(s) > maxArmored {
		return pgpKey{}, errPGP
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	_, rest, ok := strings.Cut(s, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
	body, _, end := strings.Cut(rest, "-----END PGP PUBLIC KEY BLOCK-----")
	_, body, blank := strings.Cut("\n"+body, "\n\n") // armor headers end with an empty line
	if !ok || !end || !blank {
		return pgpKey{}, errPGP
	}
	if i := strings.LastIndex(body, "\n="); i >= 0 { // checksum
		body = body[:i]
	}
	b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if err != nil {
		return pgpKey{}, errPGP
	}
	primary, err := firstPacket(b)
	if err != nil {
		return pgpKey{}, err
	}
	sum := sha256.Sum256(b)
	return pgpKey{sha256: hex.EncodeToString(sum[:]), fingerprint: fingerprint(primary)}, nil
}

// firstPacket returns the body of the public key packet (tag 6) that a
// transferable public key begins with.
func firstPacket(b []byte) ([]byte, error) {
	if len(b) < 6 {
		return nil, errPGP
	}
	var size, head int
	switch {
	case b[0] == 0xc6 && b[1] < 192: // new format
		size, head = int(b[1]), 2
	case b[0] == 0xc6 && b[1] < 224:
		size, head = (int(b[1])-192)<<8+int(b[2])+192, 3
	case b[0] == 0x98: // old format
		size, head = int(b[1]), 2
	case b[0] == 0x99:
		size, head = int(binary.BigEndian.Uint16(b[1:])), 3
	default:
		return nil, errPGP
	}
	if size < 6 || size > len(b)-head || b[head] != 4 && b[head] != 6 {
		return nil, errPGP
	}
	return b[head : head+size], nil
}

func fingerprint(body []byte) string {
	if body[0] == 4 {
		sum := sha1.Sum(append([]byte{0x99, byte(len(body) >> 8), byte(len(body))}, body...))
		return hex.EncodeToString(sum[:])
	}
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint32([]byte{0x9b}, uint32(len(body))), body...))
	return hex.EncodeToString(sum[:])
}
