package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// ManCmd prints the manual page, made from the grammar.
type ManCmd struct {
	Version string `help:"Version to show." hidden:"" env:"-"`
}

// Run prints the page in the man macros.
func (c *ManCmd) Run(s Streams, app *kong.Application) error {
	return writeMan(s.Out, app, c.Version)
}

func writeMan(w io.Writer, app *kong.Application, version string) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(`.TH %s 1 "" "pow.do %s" "User Commands"`, roff(strings.ToUpper(app.Name)), roff(version))
	line(".SH NAME\n%s \\- %s", roff(app.Name), roff(strings.ToLower(strings.TrimSuffix(app.Help, "."))))
	line(".SH SYNOPSIS\n.B %s\n.RI [ flags ]\n.RI [ command ]", roff(app.Name))
	line(".SH OPTIONS\nThey may stand before or behind the command.")
	writeFlags(line, app.Flags)
	line(".SH COMMANDS")
	for _, c := range commands(app)[1:] {
		if len(c.node.Children) > 0 && c.node.DefaultCmd == nil {
			continue // its parts follow
		}
		line(".SS %s", roff(app.Name+" "+usageOf(c)))
		line("%s", roff(c.node.Help))
		for _, a := range c.node.Positional {
			line(".TP\n.I %s\n%s", roff(strings.ToUpper(a.Name)), roff(a.Help))
		}
		writeFlags(line, c.node.Flags)
	}
	line(".SH EXIT STATUS")
	for i, meaning := range []string{"done", "the operation failed", "wrong usage", "not set up yet: no key, or not joined", "locked: a passphrase is needed", "timed out"} {
		line(".TP\n.B %d\n%s", i, meaning)
	}
	line(".SH ENVIRONMENT\nEach flag has a variable of its name: a flag\n.B \\-\\-log\\-level\nis\n.BR POWDO_LOG_LEVEL .")
	line("Flags beat the environment, which beats the configuration file.")
	_, err := io.WriteString(w, b.String())
	return err
}

// usageOf is the command with its arguments; a default below it may be left out.
func usageOf(c command) string {
	out := strings.Join(c.path, " ")
	for _, a := range c.node.Positional {
		word := strings.ToUpper(a.Name)
		if !a.Required {
			word = "[" + word + "]"
		}
		out += " " + word
	}
	return out
}

func writeFlags(line func(string, ...any), flags []*kong.Flag) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		head := `.BR \-\-` + roff(f.Name)
		if !f.IsBool() {
			head = `.BI \-\-` + roff(f.Name) + ` " ` + roff(strings.Trim(f.FormatPlaceHolder(), `"`)) + `"`
		}
		line(".TP\n%s\n%s", head, roff(f.Help))
	}
}

// roff escapes text for the man macros: a hyphen is to be copied as one, and a
// line may not begin a request.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\&...`, `"`, `\(dq`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
