package archive

import (
	"bufio"
	"errors"
	"io"
)

// Tags of the two OpenPGP packets that an archive consists of (RFC 9580, section 5).
const (
	tagSessionKey = 1
	tagProtected  = 18
	minPart       = 512 // bytes of the parts of a packet, the last excepted
)

var errPackets = errors.New("not the OpenPGP packets of an archive")

// checkPackets walks the packets of an OpenPGP message: session keys for a few
// recipients, then one integrity protected packet that ends the file. No
// passphrases, no other kinds, nothing behind.
func checkPackets(r io.Reader) error {
	p := &packets{br: bufio.NewReaderSize(r, bufferSize)}
	for keys := 0; ; keys++ {
		tag, length, partial, err := p.header()
		if err != nil {
			return err
		}
		if tag == tagProtected && keys > 0 {
			return p.payload(length, partial)
		}
		if tag != tagSessionKey || partial || keys == maxStanzas || p.read+length > maxHeader {
			return errPackets
		}
		if err := p.skip(length); err != nil {
			return err
		}
	}
}

// packets reads packet headers and counts bytes.
type packets struct {
	br   *bufio.Reader
	read int
}

// header reads a packet's tag and length, in either of the two formats.
func (p *packets) header() (tag, length int, partial bool, err error) {
	b, err := p.number(1)
	switch {
	case err != nil:
		return 0, 0, false, err
	case b&0xc0 == 0xc0:
		length, partial, err = p.length()
		return b & 0x3f, length, partial, err
	case b&0x80 == 0 || b&3 == 3: // not a packet, or one without a length
		return 0, 0, false, errPackets
	}
	length, err = p.number(1 << (b & 3))
	return b >> 2 & 0xf, length, false, err
}

// length reads a length of the newer format.
func (p *packets) length() (length int, partial bool, err error) {
	b, err := p.number(1)
	switch {
	case err != nil:
		return 0, false, err
	case b < 192:
		return b, false, nil
	case b < 224:
		low, err := p.number(1)
		return (b-192)<<8 + low + 192, false, err
	case b < 255:
		return 1 << (b & 0x1f), true, nil
	}
	length, err = p.number(4)
	return length, false, err
}

// payload skips a body that may come in parts, and wants the end of the file
// behind it.
func (p *packets) payload(length int, partial bool) (err error) {
	for ; partial; length, partial, err = p.length() {
		if err != nil {
			return err
		}
		if length < minPart {
			return errPackets
		}
		if err := p.skip(length); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := p.skip(length); err != nil {
		return err
	}
	if _, err = p.br.ReadByte(); err == nil {
		return errors.New("bytes after the OpenPGP message")
	}
	return ended(err, nil)
}

// number reads n bytes, the most significant first.
func (p *packets) number(n int) (v int, err error) {
	p.read += n
	for range n {
		b, err := p.br.ReadByte()
		if err != nil {
			return 0, ended(err, errPackets)
		}
		v = v<<8 | int(b)
	}
	return v, nil
}

func (p *packets) skip(n int) error {
	p.read += n
	_, err := p.br.Discard(n)
	return ended(err, errPackets)
}

// ended returns what in place of io.EOF.
func ended(err, what error) error {
	if err == io.EOF {
		return what
	}
	return err
}
