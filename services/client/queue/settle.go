package queue

import (
	"crypto/rand"
	"errors"

	"pow.do/services/pow"
)

// settle makes final what the person decided, for the sessions of a batch: what
// was removed is erased and counted, and so is what lies in time that the person
// took out otherwise. A picture that came too late for the proof of its time, or
// whose time a crash lost, is erased, too, but is nobody's doing and not counted.
// It comes before the batch takes its captures.
func (q *Queue) settle(t *tx, batch []pow.Delivery) error {
	times := q.times()
	for id, row := range q.index.heldCaptures() {
		if !q.settles(row, times, batch) {
			continue
		}
		err := errors.Join(q.cutForGood(t, row), q.removeCapture(t, id), q.markErased(t))
		if row.Removed != "" || times.takenOut(row) {
			err = errors.Join(err, t.putJSON(tabDropped, string(row.Session)+"/"+id, row.At))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settles tells whether a held capture is to be erased with a batch. A picture
// that was removed alone waits for the proof of its time.
func (q *Queue) settles(row captureRow, times sessionTimes, batch []pow.Delivery) bool {
	concerned, taken := false, false
	for _, d := range batch {
		if d.Session == row.Session {
			concerned = true
			taken = taken || q.belongs(row, utc(d.Interval), batch)
		}
	}
	switch {
	case !concerned:
		return false
	case taken || row.Removed == pow.TimeRemoved:
		return row.Removed != ""
	}
	return !times.holds(row)
}

// cutForGood keeps the time that went with a removed picture out of its session
// when the picture's row goes.
func (q *Queue) cutForGood(t *tx, row captureRow) error {
	for _, cut := range row.Cut {
		id, err := pow.NewULID(q.cfg.Now(), rand.Reader)
		if err != nil {
			return err
		}
		if err := q.putGap(t, Gap{ID: id, Session: row.Session, Interval: utc(cut), State: GapCut}); err != nil {
			return err
		}
	}
	return nil
}

// forgetOriginal erases a picture as it was before its edits.
func (q *Queue) forgetOriginal(t *tx, id string, row captureRow) error {
	if !row.Edited {
		return nil
	}
	return errors.Join(q.removeOriginal(t, id), q.markErased(t))
}
