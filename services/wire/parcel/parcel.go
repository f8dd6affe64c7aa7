// Package parcel is the file in which a Letter, and the Sealed that it speaks
// of, are carried by hand where no network reaches: on a stick, by another
// program, in a mail. What is inside is exactly what would have gone over the
// network, so whoever carries it learns nothing and can change nothing.
//
// The file is a tar (ustar) with these entries, in this order:
//
//	powdo.json   {"v":1}
//	letter.json  the gift wrap (kind 1059), as a relay would hold it
//	sealed       the Sealed archive; absent in an answer
//
// Names, order and sizes are checked before anything is kept; the wrap's id and
// signature are checked here, its content by package envelope. Modes, owners
// and times of the entries mean nothing and are written as zero, so that equal
// contents make equal files.
package parcel

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/strictjson"
)

const (
	nameHead   = "powdo.json"
	nameLetter = "letter.json"
	nameSealed = "sealed"

	version = 1
	maxHead = 1 << 10
	// kindWrap is a gift wrap (NIP-59).
	kindWrap = 1059
)

// Errors of Read.
var (
	ErrNoParcel = &pow.Error{Code: pow.ErrUsage.Code, What: "this is not a file of pow.do for delivery by hand"}
	errDamaged  = &pow.Error{Code: pow.CodeArchiveInvalid, What: "the file is damaged", Mend: "export it again"}
)

// Write makes a parcel of a Letter and, when size is not 0, of so many bytes of
// a Sealed.
func Write(w io.Writer, letter []byte, sealed io.Reader, size int64) error {
	t := tar.NewWriter(w)
	add := func(name string, r io.Reader, n int64) error {
		if err := t.WriteHeader(&tar.Header{Name: name, Size: n, Mode: 0o600, Format: tar.FormatUSTAR, ModTime: time.Unix(0, 0)}); err != nil {
			return err
		}
		_, err := io.CopyN(t, r, n)
		return err
	}
	head := fmt.Appendf(nil, "{\"v\":%d}", version)
	err := add(nameHead, bytes.NewReader(head), int64(len(head)))
	if err == nil {
		err = add(nameLetter, bytes.NewReader(letter), int64(len(letter)))
	}
	if err == nil && size > 0 {
		err = add(nameSealed, sealed, size)
	}
	if err = errors.Join(err, t.Close()); err != nil {
		return fmt.Errorf("write a parcel: %w", err)
	}
	return nil
}

// Read takes a parcel apart. keep gets the Letter and the Sealed, when there is
// one, and reads all of it; an error of keep is returned as it is. Nothing of
// the Sealed may be used before Read has returned nil. Errors: ErrNoParcel,
// pow.ErrVersion, pow.ErrTooLarge, others with the code archive-invalid.
func Read(r io.Reader, keep func(l pow.Letter, size int64, r io.Reader) error) (l pow.Letter, err error) {
	t := tar.NewReader(r)
	head, err := small(t, nameHead, maxHead)
	if err != nil {
		return l, ErrNoParcel.With(err)
	}
	var h struct {
		V int `json:"v"`
	}
	switch err := strictjson.Unmarshal(head, &h); {
	case err != nil || h.V < 1:
		return l, ErrNoParcel.With(err)
	case h.V > version:
		return l, pow.ErrVersion
	}
	if l, err = letter(t); err != nil {
		return l, err
	}
	next, err := t.Next()
	if err == io.EOF {
		return l, nil
	}
	if err != nil || next.Name != nameSealed || next.Typeflag != tar.TypeReg || next.Size < 1 {
		return l, errDamaged.With(err)
	}
	if next.Size > pow.MaxSealed {
		return l, pow.ErrTooLarge
	}
	if err := keep(l, next.Size, t); err != nil {
		return l, err
	}
	if _, err := t.Next(); err != io.EOF {
		return l, errDamaged.With(err)
	}
	return l, nil
}

// letter reads the gift wrap and checks its id and signature.
func letter(t *tar.Reader) (l pow.Letter, err error) {
	b, err := small(t, nameLetter, event.MaxBytes)
	if err != nil {
		return l, errDamaged.With(err)
	}
	e, err := event.Parse(b)
	if err == nil {
		err = event.Verify(e)
	}
	if err == nil && e.Kind != kindWrap {
		err = errors.New("not a gift wrap")
	}
	if err != nil {
		return l, errDamaged.With(err)
	}
	return pow.Letter{ID: event.ID(e), JSON: event.Marshal(e)}, nil
}

// small reads the next entry, which has this name and at most max bytes.
func small(t *tar.Reader, name string, max int64) ([]byte, error) {
	h, err := t.Next()
	switch {
	case err != nil:
		return nil, err
	case h.Name != name || h.Typeflag != tar.TypeReg || h.Size > max:
		return nil, fmt.Errorf("no %s where it should be", name)
	}
	b, err := io.ReadAll(io.LimitReader(t, max))
	if err == nil && int64(len(b)) != h.Size {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}
