package relay_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// full is how many letters the large benchmarks store; 0 is a small number.
// POWDO_BENCH_FULL=1000000 takes many minutes and gigabytes.
func full() int {
	n, err := strconv.Atoi(os.Getenv("POWDO_BENCH_FULL"))
	if err != nil {
		return 0
	}
	return n
}

// percentile is the smallest value that the share p of all does not exceed.
func percentile(all []time.Duration, p float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]) / float64(time.Millisecond)
}

// admit puts n devices of the DVM on the whitelist.
func (w *world) admit(n int) []key {
	w.t.Helper()
	devices := make([]key, n)
	for i := range devices {
		devices[i] = newKey(fmt.Sprint("device ", i))
		if err := w.store.Allow(w.t.Context(), devices[i].Key, dvm.Key); err != nil {
			w.t.Fatal(err)
		}
	}
	return devices
}

// idle is a connection that has authenticated and then does nothing; its own end
// costs next to no memory.
func (w *world) idle(k key) net.Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	fmt.Fprint(c, handshake, "\r\n")
	buffer := make([]byte, 1024)
	read := func(until string) string {
		var got string
		c.SetReadDeadline(time.Now().Add(patience))
		for !strings.Contains(got, until) {
			n, err := c.Read(buffer)
			if err != nil {
				w.t.Fatalf("%q: %v", got, err)
			}
			got += string(buffer[:n])
		}
		return got
	}
	_, rest, _ := strings.Cut(read(`"]`), `["AUTH","`)
	challenge, _, _ := strings.Cut(rest, `"`)
	e := sign(k, &event.Event{Kind: 22242, CreatedAt: w.at(0), Tags: event.Tags{{"relay", origin}, {"challenge", challenge}}})
	message, _ := json.Marshal([]any{"AUTH", json.RawMessage(event.Marshal(e))})
	c.Write(frameBytes(final|opText, message))
	if answer := read("]"); !strings.Contains(answer, "true") {
		w.t.Fatal(answer)
	}
	return c
}

// BenchmarkIdle opens connections that authenticate and then do nothing, and
// reports what each costs: heap and stacks of the whole process, with the
// clients' ends, and what the system counts for it.
func BenchmarkIdle(b *testing.B) {
	conns := 2_000
	if full() > 0 {
		conns = 9_500 // two files each, of the 20,000 that are usual
	}
	for b.Loop() {
		w := newWorld(b)
		devices := w.admit(conns/8 + 1)
		used := func() int64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapInuse + m.StackInuse)
		}
		before, resident := used(), residentBytes(b)
		var mu sync.Mutex
		var all []net.Conn
		var wg sync.WaitGroup
		for part := range 8 {
			wg.Go(func() {
				for i := part; i < conns; i += 8 {
					c := w.idle(devices[i/8])
					mu.Lock()
					all = append(all, c)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if n := w.relay.Stats().Connections.Load(); n != int64(conns) {
			b.Fatalf("%d connections", n)
		}
		b.ReportMetric(float64(used()-before)/float64(conns), "B/connection")
		b.ReportMetric(float64(residentBytes(b)-resident)/float64(conns), "resident-B/connection")
		b.ReportMetric(float64(conns), "connections")
		for _, c := range all {
			c.Close()
		}
	}
}

// residentBytes is the memory that the system counts for this process; 0 where it is not known.
func residentBytes(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// BenchmarkLive has a thousand devices subscribed, and measures the time from
// publishing to arrival: of letters, each to one of them, and of announcements,
// which go to all.
func BenchmarkLive(b *testing.B) {
	const subscribers, letters, announcements = 1_000, 2_000, 5
	for b.Loop() {
		w := newWorld(b)
		devices := w.admit(subscribers)
		var mu sync.Mutex
		sent := map[string]time.Time{}
		var one, all []time.Duration
		arrived := make(chan struct{}, letters+subscribers*announcements)
		for _, k := range devices {
			c := w.dial(k)
			c.req("in", filter{"limit": 0})
			go func() {
				for {
					verb, args, err := c.next()
					if err != nil {
						return
					}
					if verb != "EVENT" {
						continue
					}
					now := time.Now()
					id, kind := headOf(args[1])
					mu.Lock()
					if took := now.Sub(sent[id]); kind == 1059 {
						one = append(one, took)
					} else {
						all = append(all, took)
					}
					mu.Unlock()
					arrived <- struct{}{}
				}
			}()
		}
		d := w.dial(dvm)
		publish := func(e *event.Event) {
			frame, _ := json.Marshal([]any{"EVENT", json.RawMessage(event.Marshal(e))})
			mu.Lock()
			sent[e.ID] = time.Now()
			mu.Unlock()
			d.raw(string(frame))
			d.read() // OK
		}
		for i := range letters {
			e := w.letter(devices[i*7%subscribers], usual)
			publish(e)
			<-arrived
		}
		for i := range announcements {
			publish(w.announcement(dvm, "powdo", int64(i)))
			for range subscribers {
				<-arrived
			}
		}
		mu.Lock()
		b.ReportMetric(percentile(one, 0.5), "letter-p50-ms")
		b.ReportMetric(percentile(one, 0.99), "letter-p99-ms")
		b.ReportMetric(percentile(all, 0.5), "to-all-p50-ms")
		b.ReportMetric(percentile(all, 0.99), "to-all-p99-ms")
		mu.Unlock()
	}
}

// headOf reads id and kind without checking the rest, which would cost the time
// that is measured.
func headOf(raw json.RawMessage) (id string, kind int) {
	var e struct {
		ID   string
		Kind int
	}
	json.Unmarshal(raw, &e)
	return e.ID, e.Kind
}

// ciphertext is as long as that of every letter.
var ciphertext = base64.StdEncoding.EncodeToString(make([]byte, 3_700))

// stuff makes a letter that is not signed, for a store that is filled directly.
func stuff(n int, to pow.Key, at int64) *event.Event {
	id := sha256.Sum256(fmt.Append(nil, "stuff ", n))
	return &event.Event{Kind: 1059, ID: hex.EncodeToString(id[:]), PubKey: hex.EncodeToString(id[:]), CreatedAt: event.Timestamp(at),
		Tags: event.Tags{{"p", to.String()}}, Content: ciphertext, Sig: strings.Repeat("0", 128)}
}

// BenchmarkGrowth fills the store in steps of ten and at each says what a letter
// costs to accept, and in the end what it takes to read the history of one
// recipient, who has a tenth of all: the first page, and everything.
func BenchmarkGrowth(b *testing.B) {
	steps := []int{1_000, 10_000, 50_000}
	if n := full(); n > 0 {
		steps = []int{n / 100, n / 10, n}
	}
	for b.Loop() {
		w := newWorld(b)
		devices := w.admit(60)
		stored := 0
		for _, size := range steps {
			w.fill(stored, size, devices)
			stored = size
			per := w.acceptCost(devices[0])
			b.Logf("%d letters: %.3f ms for one more", size, per)
			b.ReportMetric(per, fmt.Sprintf("accept-ms@%d", size))
		}
		mine := stored / 10
		var pages []time.Duration
		c := w.dial(dvm)
		for range 100 {
			w.setNow(w.now().Add(time.Second))
			start := time.Now()
			c.send("REQ", "in", filter{"kinds": []int{1059}, "#p": []string{dvm.String()}, "limit": 500})
			if n, _ := c.drainPage("in"); n != 500 {
				b.Fatalf("a page of %d", n)
			}
			pages = append(pages, time.Since(start))
		}
		b.ReportMetric(percentile(pages, 0.5), "first-page-p50-ms")
		b.ReportMetric(percentile(pages, 0.99), "first-page-p99-ms")
		start := time.Now()
		got, until := map[string]bool{}, w.now().Unix()
		for len(got) < mine {
			w.setNow(w.now().Add(time.Second))
			c.send("REQ", "pg", filter{"kinds": []int{1059}, "#p": []string{dvm.String()}, "limit": 500, "until": until})
			n, oldest := c.page("pg", got)
			if n == 0 {
				b.Fatalf("%d of %d letters", len(got), mine)
			}
			until = oldest
		}
		b.ReportMetric(time.Since(start).Seconds(), "drain-s")
		b.ReportMetric(float64(mine)/time.Since(start).Seconds(), "drained-letters/s")
	}
}

// fill stores letters up to a size, a tenth of them to the DVM.
func (w *world) fill(from, to int, devices []key) {
	w.t.Helper()
	var wg sync.WaitGroup
	var first sync.Once
	for n := from; n < to && !w.t.Failed(); n++ {
		if n%200_000 == 0 { // quotas are per day
			w.setNow(w.now().Add(24 * time.Hour))
		}
		mailbox, payer := devices[n%len(devices)].Key, dvm.Key
		if n%10 == 0 {
			mailbox, payer = dvm.Key, devices[n/10%len(devices)].Key
		}
		e := stuff(n, mailbox, w.now().Unix()-int64(n%80_000))
		wg.Add(1)
		w.store.Put(e, event.Marshal(e), w.now().Add(60*24*time.Hour), payer, func(err error) {
			defer wg.Done()
			if err != nil {
				first.Do(func() { w.t.Errorf("letter %d: %v", n, err) })
			}
		})
	}
	wg.Wait()
	if w.t.Failed() {
		w.t.FailNow()
	}
}

// acceptCost is the time in which a letter of many in flight is verified,
// stored and answered, in milliseconds.
func (w *world) acceptCost(to key) float64 {
	const n = 1_500
	w.setNow(w.now().Add(3 * time.Minute))
	c := w.dial(dvm)
	defer c.ws.Close(websocket.StatusNormalClosure, "")
	frames := make([]string, n)
	for i := range frames {
		f, _ := json.Marshal([]any{"EVENT", json.RawMessage(event.Marshal(w.letter(to, usual)))})
		frames[i] = string(f)
	}
	start := time.Now()
	go func() {
		for _, f := range frames {
			c.raw(f)
		}
	}()
	for range n {
		if _, args := c.read(); string(args[1]) != "true" {
			w.t.Errorf("refused: %s", args[2])
		}
	}
	return float64(time.Since(start)) / n / float64(time.Millisecond)
}

// drainPage reads up to EOSE without looking at what comes.
func (c *client) drainPage(sub string) (n int, oldest int64) { return c.page(sub, nil) }

// page reads up to EOSE and notes the ids.
func (c *client) page(sub string, got map[string]bool) (n int, oldest int64) {
	c.w.t.Helper()
	for {
		_, b, err := c.ws.Read(c.w.t.Context())
		if err != nil {
			c.w.t.Fatal(err)
		}
		if strings.HasPrefix(string(b), `["EOSE","`+sub) {
			return n, oldest
		}
		n++
		if got == nil {
			continue
		}
		var parts []json.RawMessage
		var e struct {
			ID string
			At int64 `json:"created_at"`
		}
		if json.Unmarshal(b, &parts) != nil || json.Unmarshal(parts[len(parts)-1], &e) != nil {
			c.w.t.Fatalf("%.100s", b)
		}
		got[e.ID] = true
		oldest = e.At
	}
}
