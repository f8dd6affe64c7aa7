package queue

import (
	"encoding/json"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// PutDoc stores a small setting in clear under a name. Nothing that names a
// person, a project or a piece of work belongs here.
func (q *Queue) PutDoc(name string, v any) error {
	return q.update(func(t *tx) error { return t.putJSON(tabDocs, name, v) })
}

// Doc reads a setting into v and reports whether there is one.
func (q *Queue) Doc(name string, v any) (found bool, err error) {
	err = q.view(func(t *tx) error {
		found, err = t.getJSON(tabDocs, name, v)
		return err
	})
	return found, err
}

// PutSecretDoc stores a document encrypted: catalogue, announcement, team.
func (q *Queue) PutSecretDoc(name string, v any) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	ciphertext, err := q.seal(plain)
	if err != nil {
		return err
	}
	return q.update(func(t *tx) error { return t.put(tabSecrets, name, ciphertext) })
}

// SecretDoc reads a document into v and reports whether there is one. Errors:
// pow.ErrLocked.
func (q *Queue) SecretDoc(name string, v any) (found bool, err error) {
	err = q.view(func(t *tx) error {
		found, err = q.getSecret(t, tabSecrets, name, v)
		return err
	})
	return found, err
}

func (q *Queue) getSecret(t *tx, tab table, key string, v any) (found bool, err error) {
	ciphertext, err := t.get(tab, key)
	if ciphertext == nil || err != nil {
		return false, err
	}
	plain, err := q.unseal(ciphertext)
	if err != nil {
		return true, err
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return true, damaged("%s", tab.name)
	}
	return true, nil
}

// letterMemory is how long a handled wrap id is remembered.
const letterMemory = 60 * 24 * time.Hour

// SeenLetter reports whether a Letter was handled before. It does not remember
// it: that is for after the handling, or a kill in between would lose the Letter.
func (q *Queue) SeenLetter(wrap pow.Hash) (seen bool, err error) {
	err = q.view(func(t *tx) error {
		row, err := t.get(tabLetters, wrap.String())
		seen = row != nil
		return err
	})
	return seen, err
}

// RememberLetter notes that a Letter has been handled, for 60 days.
func (q *Queue) RememberLetter(wrap pow.Hash, at time.Time) error {
	return q.update(func(t *tx) error {
		if err := q.purgeLetters(t); err != nil {
			return err
		}
		return t.putJSON(tabLetters, wrap.String(), at.UTC())
	})
}

// purgeLetters forgets old wrap ids, once a day.
func (q *Queue) purgeLetters(t *tx) error {
	now, last := q.cfg.Now().UTC(), time.Time{}
	if _, err := t.getJSON(tabMeta, metaPurged, &last); err != nil {
		return err
	}
	if age := now.Sub(last); age >= 0 && age < 24*time.Hour {
		return nil
	}
	var old []string
	err := t.each(tabLetters, func(key string, payload []byte) error {
		var at time.Time
		if json.Unmarshal(payload, &at) != nil || now.Sub(at) > letterMemory {
			old = append(old, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range old {
		if err := t.del(tabLetters, key); err != nil {
			return err
		}
	}
	return t.putJSON(tabMeta, metaPurged, now)
}
