package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// bin holds the two programs that every test runs, built once.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "powdo-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	if testing.Short() {
		return m.Run()
	}
	for name, args := range map[string][]string{
		"powdo":        {"CGO_ENABLED=1", "-tags", "release,migrated_fynedo,no_animations"},
		"powdo-server": {"CGO_ENABLED=0", "-tags", "server"},
	} {
		cmd := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, name)}, append(args[1:], "pow.do")...)...)
		cmd.Env = append(os.Environ(), args[0])
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", name, err, out)
			return 1
		}
	}
	return m.Run()
}
