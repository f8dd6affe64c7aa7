package app_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "pow.do"

// source is one parsed Go file; dir is its folder from the module root ("." for the root).
type source struct {
	name, dir string
	text      []byte
	fset      *token.FileSet
	ast       *ast.File
}

func parseSource(name string, text []byte) (source, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	return source{name: name, dir: path.Dir(name), text: text, fset: fset, ast: f}, err
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) imports() (paths []string) {
	for _, i := range s.ast.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

func tree(t *testing.T) (files []source) {
	t.Helper()
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(p, "go.mod")); d.IsDir() && p != ".." && err == nil {
			return fs.SkipDir // a module of its own
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel("..", p)
		s, err := parseSource(filepath.ToSlash(rel), text)
		files = append(files, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// within tells whether dir is named in list: "x" names x, "x/…" everything below it.
func within(dir, list string) bool {
	for _, l := range strings.Fields(list) {
		if sub, ok := strings.CutSuffix(l, "/…"); l == dir || ok && strings.HasPrefix(dir, sub+"/") {
			return true
		}
	}
	return false
}

func hasPath(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }

// judge returns what is wrong with one file.
func judge(s source) (wrong []string) {
	say := func(f string, a ...any) { wrong = append(wrong, s.name+": "+fmt.Sprintf(f, a...)) }
	for _, p := range s.imports() {
		for _, b := range banned {
			if hasPath(p, b.prefix) && (b.only == "" || within(s.dir, b.only)) {
				say("imports %s, which is banned here", p)
			}
		}
	}
	if !s.isTest() {
		wrong = append(wrong, judgeImports(s)...)
	}
	wrong = append(wrong, judgeDoors(s)...)
	for _, n := range strings.Fields(names) {
		if s.ast.Name.Name == n {
			say("package %s says nothing", n)
		}
	}
	if tagged(s, "server") && s.name != "main.go" && s.name != "main_server.go" {
		say("the tag server stands on the mains only")
	}
	if n := strings.Count(string(s.text), "\n"); n > maxFileLines && exceptions[s.name] == "" {
		say("%d lines; at most %d", n, maxFileLines)
	}
	for _, d := range s.ast.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || s.isTest() {
			continue
		}
		n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line
		if n > maxFuncLines && exceptions[s.dir+"."+f.Name.Name] == "" {
			say("%s has %d lines; at most %d", f.Name.Name, n, maxFuncLines)
		}
	}
	return wrong
}

func judgeImports(s source) (wrong []string) {
	may, known := "", false
	for _, r := range rules {
		if known = within(s.dir, r.pkg); known {
			may = r.may
			break
		}
	}
	if !known {
		return []string{s.name + ": package has no line in rules"}
	}
	for _, p := range s.imports() {
		own, isOwn := strings.CutPrefix(p, module+"/")
		first, _, _ := strings.Cut(p, "/")
		switch {
		case isOwn:
			if !within(own, may) {
				wrong = append(wrong, fmt.Sprintf("%s: imports %s; allowed: %s", s.name, own, may))
			}
		default:
			wall, found := longest(p)
			if found && !within(s.dir, wall.may) {
				wrong = append(wrong, fmt.Sprintf("%s: imports %s; only for: %s", s.name, p, wall.may))
			}
			if !found && strings.Contains(first, ".") {
				wrong = append(wrong, fmt.Sprintf("%s: imports %s, which has no line in walls", s.name, p))
			}
		}
	}
	return wrong
}

func longest(p string) (w rule, found bool) {
	for _, c := range walls {
		if hasPath(p, c.pkg) && len(c.pkg) > len(w.pkg) {
			w, found = c, true
		}
	}
	return w, found
}

func judgeDoors(s source) (wrong []string) {
	ast.Inspect(s.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		name := x.Name + "." + sel.Sel.Name
		for _, d := range doors {
			if d.sel == name && !doorOpen(s, d.home) {
				wrong = append(wrong, fmt.Sprintf("%s: %s does not belong here", s.name, name))
			}
		}
		return true
	})
	return wrong
}

func doorOpen(s source, home string) bool {
	if s.isTest() {
		return true
	}
	open := false
	for _, h := range strings.Fields(home) {
		if not, ok := strings.CutPrefix(h, "!"); ok {
			if strings.HasPrefix(s.name, not) {
				return false
			}
			open = true
		} else if s.name == h || strings.HasSuffix(h, "/") && strings.HasPrefix(s.name, h) {
			open = true
		}
	}
	return open
}

func tagged(s source, tag string) bool {
	for _, g := range s.ast.Comments {
		for _, c := range g.List {
			if e, ok := strings.CutPrefix(c.Text, "//go:build "); ok && strings.Contains(e, tag) {
				return true
			}
		}
	}
	return false
}

func TestImports(t *testing.T) {
	for _, s := range tree(t) {
		for _, w := range judge(s) {
			t.Error(w)
		}
	}
}

// TestPackages wants exactly one package comment in every package.
func TestPackages(t *testing.T) {
	docs := map[string]int{}
	for _, s := range tree(t) {
		if s.isTest() {
			continue
		}
		if s.ast.Doc != nil {
			docs[s.dir]++
		} else {
			docs[s.dir] += 0
		}
	}
	for dir, n := range docs {
		if want := 1; n != want && dir != "." {
			t.Errorf("%s has %d package comments; want one", dir, n)
		}
	}
}

// TestModule wants a wall line, or a line in testOnly, for every direct requirement.
func TestModule(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(mod), "\n") {
		f := strings.Fields(line)
		if len(f) > 0 && f[0] == "replace" {
			t.Errorf("go.mod: %s", line)
		}
		if len(f) != 2 || !strings.Contains(f[0], ".") || !strings.HasPrefix(f[1], "v") {
			continue
		}
		ok := within(f[0], testOnly)
		for _, w := range walls {
			ok = ok || hasPath(w.pkg, f[0]) || hasPath(f[0], w.pkg)
		}
		if !ok {
			t.Errorf("go.mod requires %s, which has no line in walls", f[0])
		}
	}
}

// TestLinks asks the toolchain what is really linked.
func TestLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("asks the go command")
	}
	for _, l := range links {
		pkg := strings.ReplaceAll(l.pkg, "…", "...")
		cmd := exec.Command("go", "list", "-deps", "-tags", l.tags, pkg)
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list %s: %v", pkg, err)
		}
		for _, p := range strings.Fields(string(out)) {
			for _, not := range strings.Fields(l.not) {
				if strings.HasPrefix(p, not) {
					t.Errorf("%s (tags %q) links %s", pkg, l.tags, p)
				}
			}
		}
	}
}

// TestGuardBites plants violations and wants each to be found.
func TestGuardBites(t *testing.T) {
	for _, p := range planted {
		s, err := parseSource(p.file, []byte(p.src))
		if err != nil {
			t.Fatal(err)
		}
		if len(judge(s)) == 0 {
			t.Errorf("%s: nobody minds %q", p.file, p.src)
		}
	}
}
