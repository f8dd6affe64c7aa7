package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/parcel"
)

// sealWait is how long ExportProof waits for a proof that is about to be sealed.
const sealWait = 30 * time.Second

// maxServers is how many servers a Notice may name.
const maxServers = 4

// errWithDVM: there is nothing to carry any more.
var errWithDVM = &pow.Error{Code: pow.ErrUsage.Code, What: "your team has this proof; there is nothing to carry"}

// ExportProof implements API. The proof stays in the outbox and goes on its
// usual way as well; the DVM knows it again, whichever copy comes first.
func (a *Agent) ExportProof(ctx context.Context, r pow.ExportRequest) error {
	if _, err := a.teamOrError(); err != nil {
		return err
	}
	if !filepath.IsAbs(r.File) {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "the file's path is not absolute"}
	}
	d, err := a.sealed(ctx, r.ID)
	if err != nil {
		return err
	}
	letter, err := a.letterFor(d)
	if err != nil {
		return err
	}
	sealed, err := d.Sealed.Open()
	if err != nil {
		return err
	}
	defer sealed.Close()
	return newFile(r.File, func(w io.Writer) error { return parcel.Write(w, letter.JSON, sealed, d.Sealed.Size) })
}

// sealed returns a delivery once it is sealed, which takes no network. Errors:
// pow.ErrNotFound; pow.ErrTimeout; errWithDVM when its life has ended.
func (a *Agent) sealed(ctx context.Context, id string) (pow.Delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, sealWait)
	defer cancel()
	changes, stop := a.listen()
	defer stop()
	a.kick()
	for {
		d, err := a.queue.Delivery(id)
		switch {
		case err != nil:
			return d, err
		case d.Receipt != nil && d.Receipt.Code.EndsLife():
			return d, errWithDVM
		case d.Sealed != nil:
			return d, nil
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return d, &pow.Error{Code: pow.ErrTimeout.Code, What: "the proof is not sealed yet", Mend: "see powdo outbox"}
		}
	}
}

// letterFor wraps the Notice of a sealed delivery. Where the outbox has made
// none yet, it makes one and remembers its id, so that the answer is known.
func (a *Agent) letterFor(d pow.Delivery) (l pow.Letter, err error) {
	a.mu.Lock()
	keys, t := a.keys, a.team
	a.mu.Unlock()
	if keys == nil || t == nil {
		return l, pow.ErrLocked
	}
	seal := d.SealEvent
	if seal == nil {
		n := noticeOf(d, t)
		var rumor pow.Hash
		if rumor, seal, err = envelope.SealNotice(keys.identity, n, time.Now()); err != nil {
			return l, err
		}
		if _, err := a.queue.Update(d.ID, func(d *pow.Delivery) error {
			d.NoticeIDs = append(d.NoticeIDs, rumor)
			return nil
		}); err != nil {
			return l, err
		}
	}
	return envelope.Wrap(seal, t.DVM, time.Now())
}

// noticeOf announces a Sealed that no server may hold yet: the DVM gets it with
// the letter, and looks at these places only should it lose it.
func noticeOf(d pow.Delivery, t *team) pow.Notice {
	s, b := d.Statement, d.Sealed
	servers := t.blossom()
	return pow.Notice{DVM: s.DVM, Sealed: b.Hash, Size: b.Size, Archive: b.Archive, Alg: b.Alg, Recipient: b.Recipient,
		Servers: servers[:min(len(servers), maxServers)], Statement: s.ID, Action: d.Action, Device: s.Device, Project: s.Project,
		KimaiActivity: s.KimaiActivity, Session: s.Session, Seq: s.Seq, Prev: s.Prev, Interval: s.Interval, Catalogue: t.Catalogue.Revision}
}

var errFileThere = &pow.Error{Code: "file-exists", What: "there is a file of this name already", Mend: "choose another name"}

// newFile writes a file that must not be there yet, whole or not at all.
func newFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errFileThere
	}
	if err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	err = write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the file: %w", err), os.Remove(path))
	}
	return nil
}

var (
	errToTeam    = &pow.Error{Code: pow.ErrUsage.Code, What: "this is a sealed proof on its way to the team", Mend: "the admin takes it: powdo-server import FILE"}
	errNotForUs  = &pow.Error{Code: pow.ErrUsage.Code, What: "this is no answer of your team to this computer"}
	errNoProofOf = &pow.Error{Code: pow.CodeNotFound, What: "the answer is about no proof of this computer"}
)

// ImportProofs implements API.
func (a *Agent) ImportProofs(ctx context.Context, file string) (int, error) {
	if _, err := a.teamOrError(); err != nil {
		return 0, err
	}
	f, err := os.Open(file)
	if err != nil {
		return 0, fmt.Errorf("read the file: %w", err)
	}
	defer f.Close()
	l, err := parcel.Read(f, func(pow.Letter, int64, io.Reader) error { return errToTeam })
	if err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(ctx, retryWait)
	defer cancel()
	n, err := a.linked(wait)
	if err != nil {
		return 0, err
	}
	return a.takeAnswer(ctx, n, l)
}

// takeAnswer applies a Receipt as if a relay had brought it.
func (a *Agent) takeAnswer(ctx context.Context, n *link, l pow.Letter) (int, error) {
	a.mu.Lock()
	keys, t := a.keys, a.team
	a.mu.Unlock()
	if keys == nil || t == nil || n.outbox == nil {
		return 0, pow.ErrLocked
	}
	reader := envelope.Reader{Me: keys.device, Kinds: []int{envelope.KindReceipt}, Allow: func(author pow.Key) bool { return author == t.DVM }}
	mail, err := reader.Open(l.JSON, time.Now())
	if err != nil || mail.Receipt == nil || mail.Receipt.Device != keys.device.Public() {
		return 0, errNotForUs.With(err)
	}
	used, err := n.outbox.Receive(ctx, *mail.Receipt, mail.SealEvent)
	switch {
	case err != nil:
		return 0, err
	case !used:
		return 0, errNoProofOf
	}
	defer a.changed()
	return 1, a.queue.PutDoc(docLastReceipt, pow.LastReceipt{At: mail.Receipt.CreatedAt, Code: mail.Receipt.Code})
}

// checkReceipt opens a kept seal again and tells whether it answers d.
func checkReceipt(keys *secrets, d pow.Delivery, seal []byte) error {
	device := keys.device.Public()
	l, err := envelope.Wrap(seal, device, time.Now()) // a Reader opens Letters only
	if err != nil {
		return err
	}
	reader := envelope.Reader{Me: keys.device, Kinds: []int{envelope.KindReceipt}, Allow: func(author pow.Key) bool { return author == d.Statement.DVM }}
	mail, err := reader.Open(l.JSON, time.Now())
	switch r := mail.Receipt; {
	case err != nil:
		return err
	case r == nil || !r.Code.EndsLife() || r.Device != device || r.Session != d.Session || r.Seq != d.Statement.Seq,
		!slices.Contains(d.NoticeIDs, r.Answers) || !slices.Contains(d.SealedHashes, r.Sealed):
		return errors.New("it answers another proof")
	}
	return nil
}
