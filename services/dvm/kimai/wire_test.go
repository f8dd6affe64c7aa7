package kimai_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"pow.do/services/dvm/kimai"
	"pow.do/services/dvm/kimai/kimaitest"
	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// passes lets a request through unspoilt.
func passes(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }

// listen collects the bodies of all requests from now on.
func (d *desk) listen() *[][]byte {
	var all [][]byte
	next := d.fault.Next
	d.fault.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			d.t.Error(err)
		}
		if len(b) > 0 {
			all = append(all, b)
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		next.ServeHTTP(w, r)
	})
	return &all
}

func TestConfig(t *testing.T) {
	token := func() string { return "x" }
	for url, plain := range map[string]bool{
		"": false, "http://kimai.test": false, "ftp://kimai.test": true, "https://me:pw@kimai.test": false, "https://kimai.test/?a": false,
		"https://kimai.test/#a": false, "https://": false, "kimai.test": true,
	} {
		if _, err := kimai.New(kimai.Config{URL: url, Token: token, HTTP: http.DefaultClient, AllowPlain: plain}); err == nil {
			t.Errorf("%q is taken", url)
		}
	}
	for url, plain := range map[string]bool{"https://kimai.test/time/": false, "http://127.0.0.1:8001": false, "http://[::1]": false, "http://kimai.test": true} {
		if _, err := kimai.New(kimai.Config{URL: url, Token: token, HTTP: http.DefaultClient, AllowPlain: plain}); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestOneAtATime holds the answer to one member's request: the next request for
// that member waits, another member's does not.
func TestOneAtATime(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.booked(marked(sheet(0, time.Minute), 9)) // the check is done
	started, release := make(chan struct{}), make(chan struct{})
	d.fault.Once(post, kimaitest.Hold(started, release))
	var all sync.WaitGroup
	book := func(s pow.Timesheet) {
		if _, err := d.client.Book(context.Background(), s, func(pow.TimesheetRecord) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	all.Go(func() { book(marked(sheet(0, 10*time.Minute), 1)) })
	<-started
	for run := range 5 {
		all.Go(func() { book(marked(sheet(20*time.Minute, 30*time.Minute), 2+run)) })
	}
	tim := marked(sheet(0, 10*time.Minute), 8)
	tim.KimaiUser = 3
	book(tim)
	if n := len(d.kimai.Timesheets()); n != 3 {
		t.Errorf("%d records while one answer is held", n)
	}
	close(release)
	all.Wait()
	if d.kimai.Raced() || len(d.kimai.Timesheets()) != 8 {
		t.Errorf("raced %v, %d records", d.kimai.Raced(), len(d.kimai.Timesheets()))
	}
}

func TestWaitingCanBeGivenUp(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.booked(marked(sheet(0, time.Minute), 9))
	started, release := make(chan struct{}), make(chan struct{})
	d.fault.Once(post, kimaitest.Hold(started, release))
	var all sync.WaitGroup
	all.Go(func() { _, _ = d.try(sheet(0, 10*time.Minute)) })
	<-started
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.client.Book(ctx, sheet(0, time.Minute), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	all.Wait()
}

// TestCertificate shows KI-22, and that a refused connection is no unknown result.
func TestCertificate(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.booked(marked(sheet(0, time.Minute), 9))
	own := httptest.NewUnstartedServer(d.kimai)
	own.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	own.StartTLS()
	defer own.Close()
	d.cfg.URL, d.cfg.HTTP = own.URL, http.DefaultClient
	d.restart()
	if _, err := d.try(sheet(0, 10*time.Minute)); !retry.IsPermanent(err) {
		t.Errorf("KI-22 self-signed: %v", err)
	}
	other := *own.Client()
	tr := other.Transport.(*http.Transport).Clone()
	tr.TLSClientConfig.ServerName = "kimai.test"
	other.Transport = tr
	defer tr.CloseIdleConnections()
	d.cfg.HTTP = &other
	d.restart()
	if _, err := d.try(sheet(0, 10*time.Minute)); !retry.IsPermanent(err) {
		t.Errorf("KI-22 another name: %v", err)
	}
}

func TestUnreachableIsNotUnknown(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.booked(marked(sheet(0, time.Minute), 9))
	d.cfg.HTTP.CloseIdleConnections()
	d.cfg.HTTP.Transport.(*http.Transport).DialContext = refuse
	if _, err := d.try(sheet(0, 10*time.Minute)); err == nil || retry.IsPermanent(err) {
		t.Fatalf("got %v", err)
	}
	if got := d.saved[marker].State; got != pow.TimesheetNone {
		t.Errorf("stored as %q", got)
	}
}

// TestRedirect shows KI-7: the token is not sent on, whatever the client does.
func TestRedirect(t *testing.T) {
	var seen bool
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen = true }))
	defer trap.Close()
	for _, method := range []func(*http.Request) bool{get, post} {
		d := newDesk(t, kimaitest.Small())
		d.cfg.HTTP = &http.Client{}
		d.restart()
		d.fault.Once(method, kimaitest.Answer(308, "", "Location", trap.URL))
		if _, err := d.try(sheet(0, 10*time.Minute)); !retry.IsPermanent(err) {
			t.Errorf("got %v", err)
		}
	}
	if seen {
		t.Error("a redirect was followed")
	}
}

// TestToken shows KI-23: an echoed token gets into no record, error or log, and
// stands in no URL.
func TestToken(t *testing.T) {
	var log bytes.Buffer
	d := newDesk(t, kimaitest.Small())
	d.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	d.restart()
	token := d.kimai.Token
	echo := strings.ReplaceAll(formBad, "No.", token)
	var errs []error
	for _, spoil := range []kimaitest.Spoil{
		kimaitest.Answer(400, echo), kimaitest.Answer(500, token), kimaitest.Replace(200, token, "Content-Type", "text/html"),
		kimaitest.Answer(401, token), kimaitest.Answer(302, "", "Location", "/?token="+token), kimaitest.Lose(),
	} {
		d.restart()
		d.saved = map[string]pow.TimesheetRecord{}
		d.fault.Once(post, spoil)
		_, err := d.try(sheet(0, 10*time.Minute))
		errs = append(errs, err)
		if strings.Contains(d.saved[marker].Detail, token) {
			t.Errorf("KI-23 record says %q", d.saved[marker].Detail)
		}
	}
	if text := fmt.Sprint(errs, log.String(), d.kimai.Calls()); strings.Contains(text, token) {
		t.Error("KI-23 the token is in: ", text)
	}
	d.cfg.Token = func() string { return "two\nlines" }
	d.restart()
	if _, err := d.try(sheet(0, 10*time.Minute)); err == nil || strings.Contains(err.Error(), "lines") {
		t.Errorf("broken token: %v", err)
	}
}

// TestPages shows KI-14 and KI-21 in a member's long list.
func TestPages(t *testing.T) {
	eight := noon.Add(-4 * time.Hour)
	full := func() *desk {
		d := newDesk(t, exclusive())
		for i := range 1000 {
			at := eight.Add(-time.Duration(i+1) * time.Minute)
			d.kimai.Put(kimaitest.Record{User: anna, Project: 1, Activity: 1, Begin: at, End: at.Add(time.Minute)})
		}
		return d
	}
	t.Run("all are seen", func(t *testing.T) {
		d := full()
		d.kimai.Put(kimaitest.Record{User: anna, Project: 1, Activity: 1, Begin: eight, End: eight.Add(time.Hour)})
		d.parked(sheet(0, 10*time.Minute), pow.ParkOverlap)
	})
	t.Run("KI-14 page behind the end", func(t *testing.T) {
		d := full()
		d.fault.Once(page("2"), kimaitest.Answer(404, `{"code":404}`))
		d.booked(sheet(0, 10*time.Minute))
	})
	t.Run("KI-21 the same page for ever", func(t *testing.T) {
		d := newDesk(t, exclusive())
		same := "[" + object(4, anna, 1) + "]"
		lists := 0
		d.fault.Next = forever(d.kimai, same, &lists)
		d.booked(sheet(0, 10*time.Minute))
		if lists != 4 { // two lists, each given up at the second page
			t.Errorf("%d pages were asked for", lists)
		}
	})
}

func page(n string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Query().Get("page") == n }
}

// forever answers every list with one page out of many, and counts them.
func forever(next http.Handler, page string, n *int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/api/timesheets" {
			next.ServeHTTP(w, r)
			return
		}
		*n++
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Total-Pages", "100000")
		_, _ = io.WriteString(w, page)
	})
}
