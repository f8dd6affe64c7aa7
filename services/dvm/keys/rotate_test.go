package keys_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/dvm/keys"
	"pow.do/services/pow"
)

// counter makes keys that differ.
type counter struct{ n int }

func (c *counter) NewNostr() (string, error) { return maker{}.NewNostr() }

func (c *counter) NewArchive(alg string) (string, string, error) {
	c.n++
	return fmt.Sprintf("secret-%d", c.n), fmt.Sprintf("%s-%d", alg, c.n), nil
}

const day = 24 * time.Hour

// usable is what a member seals to at a moment.
func usable(t *testing.T, k keys.Keys, at time.Time) string {
	t.Helper()
	r, ok := pow.Announcement{Recipients: k.Recipients()}.Usable(at, []string{pow.AgePQ})
	if !ok {
		t.Fatalf("nothing usable at %v", at)
	}
	return r.Key
}

func TestRotateOverlaps(t *testing.T) {
	for name, seal := range map[string]keys.Sealer{"plain": nil, "sealed": xor(7)} {
		t.Run(name, func(t *testing.T) {
			folder, g := filepath.Join(t.TempDir(), "keys"), &counter{}
			first, err := keys.Create(folder, g, seal, now)
			if err != nil {
				t.Fatal(err)
			}
			second, err := keys.Rotate(folder, g, seal, now.Add(30*day), 7*day)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := keys.Load(folder, seal)
			if d := cmp.Diff(second, loaded); d != "" || err != nil {
				t.Fatal(d, err)
			}
			if got := usable(t, second, now.Add(31*day)); got != "age-pq-3" {
				t.Errorf("sealed to %s after the rotation", got)
			}
			if len(second.Archive) != 4 || second.Archive[2].Secret != first.Archive[0].Secret || !second.Archive[2].Expires.Equal(now.Add(37*day)) {
				t.Errorf("the old keys became %+v", second.Archive[2:])
			}
			if second.Nostr != first.Nostr || second.Opaque != first.Opaque {
				t.Error("a rotation of archive keys changed another key")
			}
			third, err := keys.Rotate(folder, g, seal, now.Add(32*day), 30*day)
			if err != nil || !third.Archive[4].Expires.Equal(now.Add(37*day)) {
				t.Errorf("a later rotation moved an earlier end: %v, %v", third.Archive[4].Expires, err)
			}
		})
	}
}

func TestBury(t *testing.T) {
	folder, g := filepath.Join(t.TempDir(), "keys"), &counter{}
	first, err := keys.Create(folder, g, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Rotate(folder, g, nil, now, 7*day); err != nil {
		t.Fatal(err)
	}
	old := first.Recipients()
	none := func(string) bool { return false }
	if gone, err := keys.Bury(folder, nil, now.Add(7*day+keys.Grave), none); err != nil || gone != nil {
		t.Fatalf("too early: %v, %v", gone, err)
	}
	late := now.Add(7*day + keys.Grave + time.Second)
	gone, err := keys.Bury(folder, nil, late, func(id string) bool { return id == old[0].ID })
	if err != nil || cmp.Diff(gone, []string{old[1].ID}) != "" {
		t.Fatalf("destroyed %v, %v", gone, err)
	}
	if gone, err = keys.Bury(folder, nil, late, none); err != nil || cmp.Diff(gone, []string{old[0].ID}) != "" {
		t.Fatalf("destroyed %v, %v", gone, err)
	}
	k, err := keys.Load(folder, nil)
	if err != nil || len(k.Archive) != 2 || k.Archive[0].Secret == first.Archive[0].Secret {
		t.Fatalf("left %+v, %v", k, err)
	}
}

// The last keys stay, however long they have been over: without one nothing that
// comes can be opened.
func TestBuryLeavesOne(t *testing.T) {
	folder, g := filepath.Join(t.TempDir(), "keys"), &counter{}
	if _, err := keys.Create(folder, g, nil, now); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Rotate(folder, g, nil, now, day); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Rotate(folder, g, nil, now, day); err != nil {
		t.Fatal(err)
	}
	k, err := keys.Load(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	current := map[string]bool{}
	for _, r := range k.Recipients()[:2] {
		current[r.ID] = true
	}
	gone, err := keys.Bury(folder, nil, now.Add(1000*day), func(string) bool { return false })
	if err != nil || len(gone) != 4 || current[gone[0]] {
		t.Errorf("destroyed %v, %v", gone, err)
	}
}

func TestRotateNeedsKeys(t *testing.T) {
	if _, err := keys.Rotate(t.TempDir(), &counter{}, nil, now, day); !errors.Is(err, keys.ErrMissing) {
		t.Error(err)
	}
	folder := filepath.Join(t.TempDir(), "keys")
	if _, err := keys.Create(folder, maker{}, nil, now); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Rotate(folder, maker{errors.New("no")}, nil, now, day); err == nil {
		t.Error("no error from the generator")
	}
	if k, err := keys.Load(folder, nil); err != nil || len(k.Archive) != 2 {
		t.Errorf("a failed rotation left %v, %v", len(k.Archive), err)
	}
}
