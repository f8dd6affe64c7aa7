package archive

import "io"

// The size of an OpenPGP message depends on how its plaintext was written: a
// packet of unknown length is cut into parts whose sizes are powers of two
// (RFC 9580, section 4.2.1.4), and the library cuts by what it was given so far.
// blocks therefore always gives it the same pieces, and parts counts along. If
// the library ever cuts differently the Sealer notices that the size is not the
// one foretold, and refuses to hand out the archive.

const blockSize = 64 << 10

// blocks writes in pieces of blockSize.
type blocks struct {
	w   io.WriteCloser
	buf []byte
}

// Write implements io.Writer.
func (b *blocks) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		m := min(len(p), blockSize-len(b.buf))
		b.buf, p, n = append(b.buf, p[:m]...), p[m:], n+m
		if len(b.buf) == blockSize {
			if err := b.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (b *blocks) flush() error {
	_, err := b.w.Write(b.buf)
	b.buf = b.buf[:0]
	return err
}

// Close writes what is left and closes the message.
func (b *blocks) Close() error {
	if len(b.buf) > 0 {
		if err := b.flush(); err != nil {
			return err
		}
	}
	return b.w.Close()
}

// parts foretells the framing of a packet of unknown length; it counts instead
// of writing.
type parts struct {
	held int64
	next func(n int64) // gets the size of every write
}

func (p *parts) write(n int64) {
	if p.held > 512 {
		power := int64(1)
		for power<<1 <= p.held && power < 1<<30 {
			power <<= 1
		}
		p.next(1)
		p.next(power)
		p.held -= power
	}
	p.held += n
}

func (p *parts) close() {
	switch {
	case p.held < 192:
		p.next(1)
	case p.held < 8384:
		p.next(2)
	default:
		p.next(5)
	}
	if p.held > 0 {
		p.next(p.held)
	}
}

// pgpData returns the size of the encrypted data packet around a literal data
// packet of n bytes: version 2 (AEAD, 256 KiB chunks with a tag each and one at
// the end) or version 1 (CFB, with a modification detection code).
func pgpData(n int64, v2 bool) (total int64) {
	const (
		chunk, tag = 256 << 10, 16
		code       = 22
	)
	outer := &parts{next: func(k int64) { total += k }}
	inner := &parts{next: outer.write}
	total = 1 // the packet's tag
	filled, sealed := int64(0), false
	if v2 {
		outer.write(4)
		outer.write(32)
		inner.next = func(k int64) {
			for filled += k; filled >= chunk; filled -= chunk {
				outer.write(chunk + tag)
				sealed = true
			}
		}
	} else {
		outer.write(1)
		outer.write(18)
	}
	inner.next(1) // the tag of the literal packet
	inner.write(2)
	inner.write(4)
	for ; n > blockSize; n -= blockSize {
		inner.write(blockSize)
	}
	if n > 0 {
		inner.write(n)
	}
	inner.close()
	if v2 {
		if filled > 0 || !sealed {
			outer.write(filled + tag)
		}
		outer.write(tag)
	} else {
		outer.write(code)
	}
	outer.close()
	return total
}
