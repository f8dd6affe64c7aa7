package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkWindow is what an open window costs on a display without a graphics
// card: CPU time in percent of one core, memory, and the time from its start
// until it is on the screen. The bare window is Fyne's own with one clock in it,
// measured in the same run: no window made with Fyne can be cheaper.
//
// The bars are 3 % while the timer runs, 2 % while nothing changes, 200 MiB and
// 1 s; they are printed and not tested, because a busy machine exceeds them.
func BenchmarkWindow(b *testing.B) {
	w, server, agent := joinedTo(b, []string{"--pictures", "forbidden"})
	w.openbox()
	bare := filepath.Join(b.TempDir(), "bare")
	build := exec.Command("go", "build", "-trimpath", "-tags", "release,migrated_fynedo,no_animations", "-o", bare, "pow.do/app/e2e/testdata/bare")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build the bare window: %v\n%s", err, out)
	}
	b.Run("bare", func(b *testing.B) {
		w := *w
		w.t = b
		cmd := exec.CommandContext(context.Background(), bare)
		cmd.Env = w.command(context.Background(), "powdo").Env
		w.windowCost(b, `^bare$`, func() *exec.Cmd {
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			return cmd
		})
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for _, state := range []string{"stopped", "tracking"} {
		if state == "tracking" {
			w.must("powdo", "start", projectName)
		}
		b.Run(state, func(b *testing.B) {
			w := *w
			w.t = b
			var window *process
			w.windowCost(b, `^pow\.do$`, func() *exec.Cmd {
				window = w.spawn("powdo")
				return window.cmd
			})
			window.kill()
		})
	}
	server.stop(b)
	agent.stop(b)
}

// windowCost starts a window and reports what it costs once it has settled.
func (w *world) windowCost(b *testing.B, title string, start func() *exec.Cmd) {
	const settle, span = 10 * time.Second, 30 * time.Second // a software renderer compiles its first pictures
	begun := time.Now()
	pid := start().Process.Pid
	w.eventually("the window shows", func() bool {
		out, err := w.xdotool("search", "--onlyvisible", "--name", title)
		return err == nil && out != ""
	})
	shown := time.Since(begun)
	for b.Loop() {
		time.Sleep(settle)
		before := cpuTime(b, pid)
		took := taking(func() { time.Sleep(span) })
		report(b, 100*float64(cpuTime(b, pid)-before)/float64(took), "cpu-%")
		report(b, float64(held(b, pid, "VmRSS"))/mib, "rss-MiB")
		report(b, float64(proportional(b, pid))/mib, "pss-MiB")
	}
	report(b, millis(shown), "start-ms")
}

// proportional is the memory of a process, in bytes, with what it shares divided
// among those that share it.
func proportional(b *testing.B, pid int) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib << 10
		}
	}
	b.Fatalf("no Pss in /proc/%d/smaps_rollup", pid)
	return 0
}
