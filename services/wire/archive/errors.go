package archive

import (
	"errors"

	"pow.do/services/pow"
)

// Causes that callers tell apart; each is wrapped by an error of this package.
var (
	// ErrPlaintext says that the archive was never encrypted. It lay readable
	// on a server: raise an alarm.
	ErrPlaintext = errors.New("archive is not encrypted")
	// ErrOtherKey says that the archive is sealed to none of the keys at hand,
	// which may have been rotated away.
	ErrOtherKey = errors.New("archive is sealed to another key")
	// ErrUnknown says that a member of the manifest is not known in this
	// version of the format. A newer program may read it.
	ErrUnknown = errors.New("member that this version does not know")
	// ErrCapture says that a picture to be sealed is not the one that its
	// Capture describes, or not of the kinds that may be sealed.
	ErrCapture = errors.New("picture is not what was recorded")
	// ErrRecipient says that an archive key cannot or must not be sealed to.
	ErrRecipient = errors.New("not a usable archive key")
)

// coded gives err the code of base, unless it carries one already.
func coded(base *pow.Error, err error) error {
	if err == nil || errors.As(err, new(*pow.Error)) {
		return err
	}
	return base.With(err)
}
