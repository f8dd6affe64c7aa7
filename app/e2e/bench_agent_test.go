package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pow.do/services/client/control"
	"pow.do/services/pow"
)

// The agent's goals, and how long it is looked at. A day is not waited for: the
// CPU of idle tracking is measured over idleSpan, that of a picture over
// pictureRounds of them, and a day of 8 hours is computed from both. That the
// memory is flat is measured: over more pictures than such a day has.
const (
	idleSpan      = 40 * time.Second
	pictureRounds = 60
	dayPictures   = 8 * 60
)

// BenchmarkAgent is what the agent costs all day on a 1080p desktop full of text:
// tracking without pictures, and a picture from the screen to the encrypted
// queue, beside Debian's scrot and maim, which only write a file.
func BenchmarkAgent(b *testing.B) {
	w := newWorld(b)
	w.xvfbOf("1920x1080x24")
	d := w.paintDesktop()
	server, agent := w.join([]string{"--pictures", "optional", "--interval", "600"})
	w.must("powdo", "start", projectName)
	door := control.Client{Home: w.home}
	pid := agent.cmd.Process.Pid
	var idle float64 // percent of a core
	b.Run("tracking", func(b *testing.B) {
		for b.Loop() {
			time.Sleep(10 * time.Second) // what the start began
			before := cpuTime(b, pid)
			took := taking(func() { time.Sleep(idleSpan) })
			idle = 100 * float64(cpuTime(b, pid)-before) / float64(took)
			report(b, idle, "cpu-%")
			report(b, float64(held(b, pid, "VmRSS"))/mib, "MiB")
		}
	})
	n := 0
	picture := func(b *testing.B) pow.CaptureInfo {
		n++
		d.change(n)
		var infos []pow.CaptureInfo
		if err := door.Call(b.Context(), "capture", nil, &infos); err != nil || len(infos) != 1 || infos[0].Again != 0 {
			b.Fatal(infos, err)
		}
		return infos[0]
	}
	b.Run("picture", func(b *testing.B) {
		for b.Loop() {
			picture(b)
			before := cpuTime(b, pid)
			var bytes int64
			for range pictureRounds {
				bytes = max(bytes, picture(b).Size)
			}
			each := (cpuTime(b, pid) - before) / pictureRounds
			report(b, millis(each), "cpu-ms")
			report(b, float64(bytes)/1e3, "kB")
			report(b, idle+100*float64(each)/float64(time.Minute), "cpu-%-at-one-a-minute")
		}
	})
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			first, own := held(b, pid, "VmRSS"), held(b, pid, "RssAnon")
			report(b, float64(own)/mib, "first-own-MiB")
			for range dayPictures {
				picture(b)
			}
			report(b, float64(first)/mib, "first-MiB")
			report(b, float64(held(b, pid, "VmRSS"))/mib, "last-MiB")
			report(b, float64(held(b, pid, "RssAnon"))/mib, "own-MiB")
		}
	})
	for _, peer := range []struct {
		name string
		args []string
	}{{"scrot", []string{"-o"}}, {"maim", nil}} {
		b.Run(peer.name, func(b *testing.B) { w.peer(b, peer.name, peer.args) })
	}
	server.stop(b)
	agent.stop(b)
}

// peer measures another program that writes a picture of the screen to a file.
func (w *world) peer(b *testing.B, name string, args []string) {
	if _, err := exec.LookPath(name); err != nil {
		b.Skipf("%s is not installed", name)
	}
	file := filepath.Join(b.TempDir(), "shot.png")
	const rounds = 10
	for b.Loop() {
		var cpu time.Duration
		for range rounds {
			cmd := exec.Command(name, append(args, file)...)
			cmd.Env = append(os.Environ(), "DISPLAY="+w.display)
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v %s", err, strings.TrimSpace(string(out)))
			}
			cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		}
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		report(b, millis(cpu/rounds), "cpu-ms")
		report(b, float64(info.Size())/1e3, "kB")
	}
}
