package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"pow.do/services/pow"
)

// CompletionCmd prints a script that lets a shell complete the program's
// commands, flags and files. It is made from the grammar, so it is never old.
type CompletionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish."`
}

// Run prints the script.
func (c *CompletionCmd) Run(s Streams, app *kong.Application) error {
	for shell, write := range map[string]func(io.Writer, *kong.Application) error{"bash": writeBash, "zsh": writeZsh, "fish": writeFish} {
		if c.Shell == shell {
			return write(s.Out, app)
		}
	}
	return &pow.Error{Code: pow.ErrUsage.Code, What: "no such shell", Mend: "one of bash, zsh, fish"}
}

// command is a node of the grammar as scripts and pages see it.
type command struct {
	path []string // without the program's name
	node *kong.Node
}

// commands returns the program itself and everything below it that is not hidden.
func commands(app *kong.Application) (out []command) {
	var walk func(path []string, n *kong.Node)
	walk = func(path []string, n *kong.Node) {
		out = append(out, command{path, n})
		for _, child := range n.Children {
			if !child.Hidden {
				walk(append(path[:len(path):len(path)], child.Name), child)
			}
		}
	}
	walk(nil, app.Node)
	return out
}

// words are what may follow a command.
func (c command) words() (out []string) {
	for _, child := range c.node.Children {
		if !child.Hidden {
			out = append(out, child.Name)
		}
	}
	for _, group := range c.node.AllFlags(true) {
		for _, f := range group {
			out = append(out, "--"+f.Name)
		}
	}
	return out
}

// files tells whether a command takes the name of a file.
func (c command) files() bool {
	for _, a := range c.node.Positional {
		if a.Tag.Type == "path" {
			return true
		}
	}
	return false
}

// fileFlags are the flags whose value is the name of a file.
func fileFlags(app *kong.Application) (out []string) {
	seen := map[string]bool{}
	for _, c := range commands(app) {
		for _, f := range c.node.Flags {
			if f.Tag.Type == "path" && !seen[f.Name] {
				seen[f.Name] = true
				out = append(out, "--"+f.Name)
			}
		}
	}
	return out
}

// writeBash finds out how deep the line already is, and offers what may follow.
func writeBash(w io.Writer, app *kong.Application) error {
	name := "_" + strings.ReplaceAll(app.Name, "-", "_")
	var paths, cases, takesFiles []string
	for _, c := range commands(app) {
		path := strings.Join(append([]string{""}, c.path...), "/")
		if path != "" {
			paths = append(paths, path)
		}
		cases = append(cases, fmt.Sprintf("    %q) words=%q ;;", path, strings.Join(c.words(), " ")))
		if c.files() {
			takesFiles = append(takesFiles, path)
		}
	}
	_, err := fmt.Fprintf(w, `# bash completion for %[1]s
%[2]s() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at="" words="" i
  case "$prev" in
    %[3]s) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/${COMP_WORDS[i]}" in
      %[4]s) at="$at/${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
%[5]s
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  case "$at" in
    %[6]s) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur")) ;;
  esac
}
complete -F %[2]s %[1]s
`, app.Name, name, strings.Join(fileFlags(app), "|"), strings.Join(paths, "|"), strings.Join(cases, "\n"), orNothing(takesFiles))
	return err
}

// orNothing is a pattern that matches the paths, or nothing at all.
func orNothing(paths []string) string {
	if len(paths) == 0 {
		return "-"
	}
	return strings.Join(paths, "|")
}

// writeZsh does the same with descriptions beside the words.
func writeZsh(w io.Writer, app *kong.Application) error {
	name := "_" + strings.ReplaceAll(app.Name, "-", "_")
	var paths, cases []string
	for _, c := range commands(app) {
		path := strings.Join(append([]string{""}, c.path...), "/")
		if path != "" {
			paths = append(paths, path)
		}
		var words []string
		for _, child := range c.node.Children {
			if !child.Hidden {
				words = append(words, zshWord(child.Name, child.Help))
			}
		}
		for _, group := range c.node.AllFlags(true) {
			for _, f := range group {
				words = append(words, zshWord("--"+f.Name, f.Help))
			}
		}
		more := ""
		if c.files() {
			more = "; _files"
		}
		cases = append(cases, fmt.Sprintf("    '%s') words_=(%s); _describe -t commands '%s' words_%s ;;", path, strings.Join(words, " "), app.Name, more))
	}
	_, err := fmt.Fprintf(w, `#compdef %[1]s
%[2]s() {
  local at="" i
  local -a words_
  case "${words[CURRENT-1]}" in
    %[3]s) _files; return ;;
  esac
  for ((i = 2; i < CURRENT; i++)); do
    case "$at/${words[i]}" in
      %[4]s) at="$at/${words[i]}" ;;
    esac
  done
  case "$at" in
%[5]s
  esac
}
compdef %[2]s %[1]s
`, app.Name, name, strings.Join(fileFlags(app), "|"), strings.Join(paths, "|"), strings.Join(cases, "\n"))
	return err
}

func zshWord(word, help string) string {
	return "'" + quoteShell(strings.ReplaceAll(word, ":", `\:`)+":"+strings.ReplaceAll(help, ":", `\:`)) + "'"
}

// quoteShell makes s fit between single quotes.
func quoteShell(s string) string { return strings.ReplaceAll(s, "'", `'\''`) }

// writeFish says one line for each word and the place where it may stand.
func writeFish(w io.Writer, app *kong.Application) error {
	all := commands(app)
	lines := []string{"# fish completion for " + app.Name}
	for _, c := range all {
		at := fishAt(app, c)
		if !c.files() && len(c.path) > 0 {
			lines = append(lines, fmt.Sprintf("complete -c %s -n '%s' -f", app.Name, at))
		}
		for _, child := range c.node.Children {
			if !child.Hidden {
				lines = append(lines, fmt.Sprintf("complete -c %s -n '%s' -f -a %s -d '%s'", app.Name, at, child.Name, fishQuote(child.Help)))
			}
		}
		for _, f := range c.node.Flags {
			value := " -f"
			switch {
			case f.Tag.Type == "path":
				value = " -r -F"
			case !f.IsBool():
				value = " -x"
			}
			lines = append(lines, fmt.Sprintf("complete -c %s -n '%s'%s -l %s -d '%s'", app.Name, fishBelow(c), value, f.Name, fishQuote(f.Help)))
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

func fishQuote(s string) string { return strings.ReplaceAll(s, "'", `\'`) }

// fishAt is the condition that a line is at a command and not yet below it.
func fishAt(app *kong.Application, c command) string {
	var below []string
	for _, child := range c.node.Children {
		if !child.Hidden {
			below = append(below, child.Name)
		}
	}
	if len(c.path) == 0 {
		return "__fish_use_subcommand"
	}
	if len(below) == 0 {
		return fishBelow(c)
	}
	return fishBelow(c) + "; and not __fish_seen_subcommand_from " + strings.Join(below, " ")
}

// fishBelow is the condition that a line is at a command or below it.
func fishBelow(c command) string {
	if len(c.path) == 0 {
		return "true"
	}
	var all []string
	for _, word := range c.path {
		all = append(all, "__fish_seen_subcommand_from "+word)
	}
	return strings.Join(all, "; and ")
}
