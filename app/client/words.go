package client

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"pow.do/app/cli"
)

// words writes a duration as people do: "1 h 10 min".
func words(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch h, m := int(d.Hours()), int(d.Minutes())%60; {
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min", m)
	}
	return fmt.Sprintf("%d s", seconds)
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// notNil makes an empty list print as [] and not as null.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	fi, err := f.Stat()
	if err != nil || fi.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // also a character device, but nobody sits there
	return err == nil && !os.SameFile(fi, null)
}

func confirm(s cli.Streams, question string) bool {
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	line, _ := bufio.NewReader(io.LimitReader(s.In, 100)).ReadString('\n')
	return strings.EqualFold(strings.TrimSpace(line), "y")
}
