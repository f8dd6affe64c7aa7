package outbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pow.do/services/client/outbox"
	"pow.do/services/client/queue"
	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// play runs a scene in a bubble of simulated time.
func play(t *testing.T, proofs int, scene func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		q := openQueue(t, t.TempDir())
		defer q.Close()
		s := &stage{t: t, world: w, q: q, ids: register(t, q, proofs)}
		defer func() {
			if s.stop != nil {
				s.stop()
			}
		}()
		scene(t, s)
	})
}

type stage struct {
	t *testing.T
	*world
	q    *queue.Queue
	o    *outbox.Outbox
	ids  []string
	stop func()
}

// start runs the outbox; wait lets simulated time pass.
func (s *stage) start() { s.o, s.stop = run(s.t, s.world, s.q) }

func (s *stage) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (s *stage) delivery(i int) pow.Delivery {
	s.t.Helper()
	d, err := s.q.Delivery(s.ids[i])
	check(s.t, err)
	return d
}

func (s *stage) want(i int, state pow.State) {
	s.t.Helper()
	if d := s.delivery(i); d.State != state {
		s.t.Errorf("proof %d is %s, want %s; %+v", i, d.State, state, d.LastError)
	}
}

func TestDelivers(t *testing.T) {
	play(t, 3, func(t *testing.T, s *stage) {
		s.start()
		s.wait(5 * time.Minute)
		for i := range s.ids {
			s.want(i, pow.Booked)
			d := s.delivery(i)
			if d.Statement.Seq != uint64(i+1) || d.SealEvent != nil || len(d.CaptureIDs) != 0 {
				t.Errorf("proof %d: %+v", i, d)
			}
		}
		if st, err := s.q.Stats(); err != nil || st.Held != 0 || st.Sealed != 0 {
			t.Errorf("left: %+v, %v", st, err)
		}
		if s.called("put "+serverA) != 3 || s.called("put "+serverB) != 0 {
			t.Error("one copy each is enough")
		}
	})
}

func TestOnlyTheReceiptErases(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.answer = func(pow.Notice) []pow.Receipt { return nil }
		s.start()
		s.wait(time.Hour)
		s.want(0, pow.Relayed)
		if d := s.delivery(0); len(d.CaptureIDs) != 2 || d.SealEvent == nil {
			t.Error("erased without a Receipt")
		}
		s.wait(14 * 24 * time.Hour)
		s.want(0, pow.Attention)
		before := s.called("publish " + relayA)
		s.wait(48 * time.Hour)
		if n := s.called("publish "+relayA) - before; n < 2 {
			t.Errorf("%d sent in two days of Attention", n)
		}
		s.mu.Lock()
		s.answer = nil
		s.mu.Unlock()
		s.wait(25 * time.Hour)
		s.want(0, pow.Booked)
	})
}

func TestOneStuckDoesNotBlock(t *testing.T) {
	play(t, 3, func(t *testing.T, s *stage) {
		s.publish = func(url string, n pow.Notice) (pow.Answer, error) {
			if n.Seq == 1 {
				return pow.Answer{Prefix: "rate-limited"}, nil
			}
			return pow.Answer{OK: true}, nil
		}
		s.start()
		s.wait(30 * time.Minute)
		s.want(0, pow.Uploaded)
		s.want(1, pow.Booked)
		s.want(2, pow.Booked)
	})
}

func TestSlowServerDoesNotBlock(t *testing.T) {
	play(t, 2, func(t *testing.T, s *stage) {
		s.put = func(url string) error {
			if url == serverA {
				time.Sleep(24 * time.Hour)
			}
			return nil
		}
		s.publish = func(url string, _ pow.Notice) (pow.Answer, error) {
			if url == relayA {
				time.Sleep(24 * time.Hour)
				return pow.Answer{}, errors.New("no OK")
			}
			return pow.Answer{OK: true}, nil
		}
		s.start()
		s.wait(10 * time.Minute)
		s.want(0, pow.Booked)
		s.want(1, pow.Booked)
	})
}

func TestServerGoneAndBack(t *testing.T) {
	play(t, 8, func(t *testing.T, s *stage) {
		down := true
		s.put = func(string) error {
			if down {
				return &pow.PlaceError{State: pow.PlaceWait, Code: "offline"}
			}
			return nil
		}
		s.start()
		s.wait(3 * time.Hour)
		s.mu.Lock()
		down = false
		puts := s.calls["put "+serverA]
		s.mu.Unlock()
		if hourly := puts / 3; hourly > 3600/10 {
			t.Errorf("%d attempts an hour at a dead server", hourly)
		}
		s.wait(4 * time.Minute)
		for i := range s.ids {
			s.want(i, pow.Booked)
		}
	})
}

func TestBlobGone(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		first := true
		s.answer = func(n pow.Notice) []pow.Receipt {
			if first {
				first = false
				s.mu.Lock()
				clear(s.blobs[serverA])
				s.mu.Unlock()
				r := receiptFor(n, pow.CodeBlobUnavailable)
				r.Retry = time.Now().Add(10 * time.Minute)
				return []pow.Receipt{r}
			}
			return []pow.Receipt{receiptFor(n, pow.CodeAccepted)}
		}
		s.start()
		s.wait(5 * time.Minute)
		if s.called("put "+serverA) != 2 {
			t.Errorf("%d uploads, want 2", s.called("put "+serverA))
		}
		s.wait(time.Hour)
		s.want(0, pow.Accepted)
		if d := s.delivery(0); len(d.NoticeIDs) != 1 {
			t.Error("the same server again needs no new rumor")
		}
	})
}

func TestReseals(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.answer = func(n pow.Notice) []pow.Receipt {
			if n.Recipient == "r1" {
				s.mu.Lock()
				s.team.Announcement.Recipients[0].ID = "r2"
				s.mu.Unlock()
				return []pow.Receipt{receiptFor(n, pow.CodeRecipientExpired)}
			}
			return []pow.Receipt{receiptFor(n, pow.CodeBooked)}
		}
		s.start()
		s.wait(30 * time.Minute)
		s.want(0, pow.Booked)
		if d := s.delivery(0); d.Resealed != 1 || d.Statement.Seq != 1 || len(d.SealedHashes) != 2 || len(d.NoticeIDs) != 2 {
			t.Errorf("%+v", d)
		}
	})
}

// TestReceiptWhileResealing: the DVM accepts the first Sealed after all, while
// another is being made. The Receipt wins.
func TestReceiptWhileResealing(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.answer = func(n pow.Notice) []pow.Receipt {
			s.resealing = func() {
				r := receiptFor(n, pow.CodeBooked)
				r.CreatedAt = time.Now()
				s.receive(r)
			}
			return []pow.Receipt{receiptFor(n, pow.CodeDecryptFailed)}
		}
		s.start()
		s.wait(time.Hour)
		s.want(0, pow.Booked)
		if d := s.delivery(0); d.Receipt == nil || d.SealEvent != nil || d.Resealed != 0 || d.LastError != nil {
			t.Errorf("%+v", d)
		}
	})
}

// TestSealingFails: a passing failure is tried again, a lasting one is shown,
// and neither takes a seq.
func TestSealingFails(t *testing.T) {
	for _, again := range []bool{false, true} {
		play(t, 1, func(t *testing.T, s *stage) {
			s.sealing = errors.New("no memory")
			if again {
				s.sealing = nil
				first := pow.Hash{}
				s.answer = func(n pow.Notice) []pow.Receipt {
					s.mu.Lock()
					defer s.mu.Unlock()
					if first.IsZero() {
						first, s.sealing = n.Sealed, errors.New("no memory")
					}
					if n.Sealed == first {
						return []pow.Receipt{receiptFor(n, pow.CodeDecryptFailed)}
					}
					return []pow.Receipt{receiptFor(n, pow.CodeBooked)}
				}
			}
			s.start()
			s.wait(time.Hour)
			s.want(0, pow.Queued)
			if d := s.delivery(0); d.LastError == nil || d.Attempts < 3 || s.called("seal")+s.called("reseal") > 60 {
				t.Errorf("%+v after %d attempts", d.LastError, d.Attempts)
			}
			s.mu.Lock()
			s.sealing = retry.Permanent(&pow.Error{Code: pow.CodeArchiveInvalid})
			s.mu.Unlock()
			s.wait(time.Hour)
			s.want(0, pow.Attention)
			s.mu.Lock()
			s.sealing = nil
			s.mu.Unlock()
			check(t, s.o.Retry(context.Background(), s.ids[0]))
			s.wait(time.Hour)
			s.want(0, pow.Booked)
			if d := s.delivery(0); d.Statement.Seq != 1 {
				t.Errorf("seq %d", d.Statement.Seq)
			}
		})
	}
}

// TestReceiptWithoutOK: the relay took the Letter, but its OK was lost.
func TestReceiptWithoutOK(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		verdict := pow.CodeBusy
		s.publish = func(_ string, n pow.Notice) (pow.Answer, error) {
			s.process(n)
			return pow.Answer{}, errors.New("no OK")
		}
		s.answer = func(n pow.Notice) []pow.Receipt {
			r := receiptFor(n, verdict)
			if verdict == pow.CodeBusy {
				r.Retry = time.Now().Add(time.Hour)
			}
			return []pow.Receipt{r}
		}
		s.start()
		s.wait(30 * time.Minute)
		s.want(0, pow.Relayed)
		s.mu.Lock()
		verdict = pow.CodeBooked
		s.mu.Unlock()
		s.wait(2 * time.Hour)
		s.want(0, pow.Booked)
	})
}

func TestArchiveKeysOutOfDate(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		keys := s.team.Announcement.Recipients
		s.team.Announcement.Recipients = nil
		s.start()
		s.wait(time.Minute)
		s.want(0, pow.Attention)
		s.mu.Lock()
		s.team.Announcement.Recipients = keys
		s.mu.Unlock()
		s.o.Kick()
		s.wait(30 * time.Minute)
		s.want(0, pow.Booked)
	})
}

func TestTooLargeIsHalvedBeforeItTakesASeq(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.sealSize = 500 // two pictures are over the limit of 1000
		s.start()
		s.wait(30 * time.Minute)
		ds, err := s.q.Deliveries()
		check(t, err)
		if len(ds) != 2 {
			t.Fatalf("%d deliveries", len(ds))
		}
		for _, d := range ds {
			if d.State != pow.Booked || d.Statement.Seq > 2 || d.Captures != 1 {
				t.Errorf("%s seq %d", d.State, d.Statement.Seq)
			}
		}
	})
}

func TestTooLargeForEveryServer(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.put = func(string) error {
			if d := s.delivery(0); d.Captures == 2 {
				return &pow.PlaceError{State: pow.PlaceRefused, Code: pow.CodeTooLarge}
			}
			return nil
		}
		s.start()
		s.wait(30 * time.Minute)
		ds, err := s.q.Deliveries()
		check(t, err)
		for _, d := range ds {
			if d.State != pow.Booked || d.Statement.Seq > 2 {
				t.Errorf("%s seq %d: the seq was given back", d.State, d.Statement.Seq)
			}
		}
	})
}

func TestLocked(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.team.Locked = true
		s.start()
		s.wait(24 * time.Hour)
		s.want(0, pow.Queued)
		if s.called("seal") != 0 {
			t.Error("sealed while locked")
		}
		s.mu.Lock()
		s.team.Locked = false
		s.mu.Unlock()
		s.q.SetOpener(nil) // unlocked by halves: the queue still says no
		s.o.Kick()
		s.wait(time.Minute)
		s.want(0, pow.Queued)
		s.q.SetOpener(box{})
		s.wait(5 * time.Minute)
		s.want(0, pow.Booked)
	})
}

func TestAsksForALostReceipt(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.answer = func(n pow.Notice) []pow.Receipt { return []pow.Receipt{receiptFor(n, pow.CodeAccepted)} }
		s.start()
		s.wait(47 * time.Hour)
		if s.called("ask") != 0 {
			t.Error("asked too early")
		}
		s.wait(30 * 24 * time.Hour)
		if n := s.called("ask"); n < 14 || n > 16 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestBlobsThatTheDVMKept(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.answer = func(n pow.Notice) []pow.Receipt {
			r := receiptFor(n, pow.CodeBooked)
			r.Blob = "kept"
			return []pow.Receipt{r}
		}
		s.start()
		s.wait(10 * time.Minute)
		s.want(0, pow.Booked)
		if s.called("delete "+serverA) != 1 {
			t.Errorf("%d deletions", s.called("delete "+serverA))
		}
	})
}

func TestRetry(t *testing.T) {
	for name, row := range map[string]struct {
		code                pow.Code
		captures, deliveres int
		seq                 uint64 // highest
	}{
		"pictures forbidden": {pow.CodePolicyViolation, 0, 1, 2},
		"too long":           {pow.CodeTooLong, 1, 2, 3},
		"fork":               {pow.CodeStatementConflict, 2, 1, 2},
		"bad seal":           {pow.CodeDuplicateBlob, 2, 1, 1},
		"was no member":      {pow.CodeNotMember, 2, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, 1, func(t *testing.T, s *stage) {
				verdict := row.code
				s.answer = func(n pow.Notice) []pow.Receipt { return []pow.Receipt{receiptFor(n, verdict)} }
				s.start()
				s.wait(10 * time.Minute)
				s.want(0, pow.Attention)
				s.mu.Lock()
				verdict = pow.CodeBooked
				s.mu.Unlock()
				check(t, s.o.Retry(context.Background(), s.ids[0]))
				s.wait(10 * time.Minute)
				ds, err := s.q.Deliveries()
				check(t, err)
				seq := uint64(0)
				for _, d := range ds {
					seq = max(seq, d.Statement.Seq)
					if d.State != pow.Booked || d.Captures != row.captures {
						t.Errorf("%s, %d captures", d.State, d.Captures)
					}
				}
				if len(ds) != row.deliveres || seq != row.seq {
					t.Errorf("%d deliveries, seq %d; want %d, %d", len(ds), seq, row.deliveres, row.seq)
				}
				if err := s.o.Retry(context.Background(), s.ids[0]); !errors.Is(err, pow.ErrUsage) {
					t.Errorf("retry of a booked proof: %v", err)
				}
			})
		})
	}
}

func TestForeignReceipt(t *testing.T) {
	play(t, 1, func(t *testing.T, s *stage) {
		s.start()
		used, err := s.o.Receive(context.Background(), pow.Receipt{Code: pow.CodeBooked, Answers: pow.Hash{7}}, nil)
		if used || err != nil {
			t.Errorf("used %v, %v", used, err)
		}
	})
}
