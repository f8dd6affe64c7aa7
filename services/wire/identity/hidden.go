package identity

import (
	"fmt"
	"log/slog"
)

// redacted is all that any formatting of a secret shows.
const redacted = "[secret]"

// hidden is embedded by every type with a secret part: it answers for the whole
// value wherever text is made of it. fmt cannot call methods of an unexported
// field of somebody else's struct, and prints what a pointer points to when the
// verb does not fit. So those types keep their secret behind a function, of
// which it can only print the address.
type hidden struct{}

// String implements fmt.Stringer.
func (hidden) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (hidden) GoString() string { return redacted }

// Format implements fmt.Formatter.
func (hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler.
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements json.Marshaler.
func (hidden) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
