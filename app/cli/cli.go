// Package cli is what both command lines share: parsing (kong), settings from
// flags, environment and file, one line per error with the mend, exit codes,
// and JSON on stdout.
//
// The contract: a command that fails prints one line on stderr, never a stack
// trace. With --json, stdout holds one JSON document and nothing else. Exit
// codes are those of Code.
package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"pow.do/app/config"
	"pow.do/services/pow"
)

// Exit codes.
const (
	Done     = 0
	Failed   = 1
	Usage    = 2
	NotSetUp = 3
	Locked   = 4
	TimedOut = 5
)

// Streams are where a program reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Program is one command line.
type Program struct {
	Name, Description string
	// Grammar points to the struct of commands and flags (kong).
	Grammar any
	// ConfigFile returns the path of the config file, given the arguments'
	// --config and data folder; empty: there is none. One that was named has to
	// be there.
	ConfigFile func(args []string) (path string, named bool)
	// EnvPrefix is put before a flag's name: POWDO_.
	EnvPrefix string
	Vars      map[string]string
}

type exit int // unwinds kong's own exit after --help

// Run parses args and runs the command with the given values bound, in kong's
// way, to the parameters of its Run method. It returns the exit code.
func (p Program) Run(args []string, s Streams, bind ...any) (code int) {
	defer func() {
		if r := recover(); r != nil {
			c, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code = int(c)
		}
	}()
	ctx, err := p.parse(args, s)
	if err != nil {
		return Report(s.Err, err)
	}
	return Report(s.Err, ctx.Run(append(bind, s, ctx.Model)...))
}

// Read parses args into Grammar, and runs nothing: what a running program does
// when it is told to read its settings again.
func (p Program) Read(args []string) error {
	_, err := p.parse(args, Streams{Out: io.Discard, Err: io.Discard})
	return err
}

func (p Program) parse(args []string, s Streams) (*kong.Context, error) {
	options := []kong.Option{
		kong.Name(p.Name), kong.Description(p.Description), kong.Writers(s.Out, s.Err), kong.Vars(p.Vars),
		kong.Exit(func(c int) { panic(exit(c)) }), kong.UsageOnError(), kong.DefaultEnvars(p.EnvPrefix),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	}
	parser, err := kong.New(p.Grammar, options...)
	if err != nil {
		panic(err) // the grammar is ours: a defect that every test meets
	}
	if err := p.addFile(parser, args); err != nil {
		return nil, err
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return nil, &pow.Error{Code: pow.ErrUsage.Code, What: fmt.Sprintf("%s: %s; see %s --help", p.Name, Clean(err.Error()), p.Name)}
	}
	return ctx, nil
}

func (p Program) addFile(parser *kong.Kong, args []string) error {
	if p.ConfigFile == nil {
		return nil
	}
	path, named := p.ConfigFile(args)
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); named && errors.Is(err, os.ErrNotExist) {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "there is no config file " + path, Err: err}
	}
	var known []string
	for _, f := range parser.Model.Flags {
		known = append(known, f.Name)
	}
	file, err := config.Read(path, known)
	if err != nil {
		return &pow.Error{Code: pow.ErrUsage.Code, What: err.Error(), Err: err}
	}
	return kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		v, ok := file[f.Name]
		if !ok || len(v) == 0 || inEnvironment(f) {
			return nil, nil
		}
		if f.IsSlice() {
			return strings.Join(v, ","), nil
		}
		return v[0], nil
	})).Apply(parser)
}

// inEnvironment tells whether the environment names the flag, which beats the
// file; kong itself would ask the file last.
func inEnvironment(f *kong.Flag) bool {
	for _, name := range f.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return true
		}
	}
	return false
}

// Code returns the exit code for an error.
func Code(err error) int {
	switch {
	case err == nil:
		return Done
	case errors.Is(err, config.ErrBadFile), misused(err):
		return Usage
	case errors.Is(err, pow.ErrNoKey), errors.Is(err, pow.ErrNoTeam):
		return NotSetUp
	case errors.Is(err, pow.ErrLocked):
		return Locked
	case errors.Is(err, pow.ErrTimeout):
		return TimedOut
	}
	return Failed
}

// misused tells whether what was typed is to blame: an argument that is not
// what it should be, or names nothing.
func misused(err error) bool {
	var e *pow.Error
	return errors.As(err, &e) && slices.Contains([]pow.Code{pow.ErrUsage.Code, pow.ErrUnknownProject.Code, pow.ErrAmbiguous.Code,
		"bad-link", "link-expired", "link-foreign"}, e.Code)
}

// Report prints the error's one line, if there is one, and returns the exit code.
func Report(w io.Writer, err error) int {
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Fprintln(w, strings.Map(printable, line))
	}
	return Code(err)
}

// printable keeps a stranger's control characters off a terminal.
func printable(r rune) rune {
	if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
		return -1
	}
	return r
}

// Clean removes control and bidi characters from text for a terminal.
func Clean(s string) string { return strings.Map(printable, s) }

// JSON prints one document.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Logger writes to w (stderr) as text or JSON, at a level of debug, info, warn, error.
func Logger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the grammar lists the levels
	o := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
