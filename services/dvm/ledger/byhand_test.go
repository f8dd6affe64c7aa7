package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"pow.do/services/pow"
)

// A letter that came by hand is next, however many strangers wait, and wakes
// the running server.
func TestLetterByHand(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	for i := range 3 {
		_, err := l.LetterAside(ctx, pow.Letter{ID: digest(i), JSON: []byte("x")}, now)
		must(t, err)
	}
	before, err := l.Changed(ctx)
	must(t, err)
	for range 2 { // twice is harmless
		fresh, err := l.LetterByHand(ctx, pow.Letter{ID: digest("hand"), JSON: []byte("by hand")}, now)
		if err != nil || !fresh {
			t.Fatalf("fresh %v, %v", fresh, err)
		}
	}
	if after, err := l.Changed(ctx); err != nil || after == before {
		t.Error("the server does not notice", err)
	}
	letters, err := l.LettersAside(ctx, 10)
	if err != nil || len(letters) != 4 || letters[0].ID != digest("hand") || string(letters[0].JSON) != "by hand" {
		t.Errorf("%d letters, %v", len(letters), err)
	}
	must(t, l.LetterDropped(ctx, digest("hand"), "test", now))
	if fresh, err := l.LetterByHand(ctx, pow.Letter{ID: digest("hand"), JSON: []byte("by hand")}, now); err != nil || fresh {
		t.Errorf("taken again: %v, %v", fresh, err)
	}
}

func TestAnswer(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	rumor, device := digest("rumor"), pow.Key{9}
	if _, err := l.Answer(ctx, rumor); !errors.Is(err, pow.ErrNotFound) {
		t.Error("an answer to nothing:", err)
	}
	must(t, l.TakeAnswer(ctx, pow.Mail{Wrap: digest("wrap"), Rumor: rumor}, pow.Receipt{Device: device, Answers: rumor, Code: pow.CodeBadNotice}, now))
	if _, err := l.Answer(ctx, rumor); !errors.Is(err, pow.ErrNotFound) {
		t.Error("an answer that is not sealed:", err)
	}
	due, _, err := l.Due(ctx, now.Add(time.Second), 1)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	due[0].Seal = []byte("seal")
	must(t, l.SaveLetter(ctx, due[0], digest("answer")))
	must(t, l.Sent(ctx, due[0], now))
	if o, err := l.Answer(ctx, rumor); err != nil || string(o.Seal) != "seal" || o.Device != device || o.Receipt.Code != pow.CodeBadNotice {
		t.Errorf("%+v, %v", o, err)
	}
}
