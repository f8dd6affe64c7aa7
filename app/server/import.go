package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"pow.do/app/cli"
	"pow.do/services/dvm"
	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/parcel"
)

type importCmd struct {
	File    string        `arg:"" help:"The file that powdo export wrote." type:"path"`
	Answer  string        `help:"Wait for the DVM's answer and write it to this file, for powdo import." placeholder:"FILE" type:"path"`
	Timeout time.Duration `help:"How long to wait for the answer." default:"60s" env:"-"`
}

var (
	errNotForDVM = &pow.Error{Code: pow.ErrUsage.Code, What: "this is no proof for this DVM"}
	errNoMember  = &pow.Error{Code: pow.CodeNotMember, What: "the DVM does not know who sealed this", Mend: "see powdo-server members"}
)

// Run puts letter and archive where the running DVM finds them, or the next one
// that starts. It decides nothing: every check is the DVM's, as if the network
// had brought them. To do it twice is harmless.
func (c *importCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		mail, letter, err := d.takeParcel(ctx, c.File)
		if err != nil {
			return err
		}
		if _, err := d.ledger.LetterByHand(ctx, letter, time.Now()); err != nil {
			return err
		}
		if c.Answer != "" {
			if err := d.writeAnswer(ctx, mail.Rumor, c.Answer, c.Timeout); err != nil {
				return err
			}
		}
		n := mail.Notice
		if p.g.JSON {
			return cli.JSON(p.s.Out, struct {
				Session pow.SessionID `json:"session"`
				Seq     uint64        `json:"seq"`
				Sealed  pow.Hash      `json:"sealed_sha256"`
				From    time.Time     `json:"from"`
				To      time.Time     `json:"to"`
			}{n.Session, n.Seq, n.Sealed, n.Interval.From.UTC(), n.Interval.To.UTC()})
		}
		_, err = fmt.Fprintf(p.s.Out, "Taken: %s #%d, %s–%s. The DVM checks it as soon as it runs; see powdo-server proofs.\n",
			n.Session, n.Seq, n.Interval.From.Local().Format(clock), n.Interval.To.Local().Format(time.TimeOnly))
		return err
	})
}

// takeParcel checks that the file holds a proof of a member and puts its
// archive on the DVM's shelf.
func (d *desk) takeParcel(ctx context.Context, path string) (mail pow.Mail, l pow.Letter, err error) {
	f, err := os.Open(path)
	if err != nil {
		return mail, l, fmt.Errorf("read the file: %w", err)
	}
	defer f.Close()
	l, err = parcel.Read(f, func(l pow.Letter, size int64, r io.Reader) (err error) {
		if mail, err = d.openByHand(ctx, l); err != nil {
			return err
		}
		n := mail.Notice
		if n.Size != size {
			return pow.ErrHashMismatch
		}
		return dvm.Shelve(filepath.Join(d.dir, "dvm", "sealed"), n.Sealed, n.Size, r)
	})
	if err == nil && mail.Notice == nil {
		err = errNotForDVM
	}
	return mail, l, err
}

// openByHand opens a letter of a member with a proof in it.
func (d *desk) openByHand(ctx context.Context, l pow.Letter) (pow.Mail, error) {
	var unknown error
	reader := envelope.Reader{Me: d.secret, Kinds: []int{envelope.KindNotice}, Allow: func(author pow.Key) bool {
		_, unknown = d.ledger.Member(ctx, author)
		return unknown == nil
	}}
	mail, err := reader.Open(l.JSON, time.Now())
	switch {
	case errors.Is(unknown, pow.ErrNotFound):
		return mail, errNoMember
	case unknown != nil:
		return mail, unknown
	case err != nil || mail.Notice == nil || mail.Notice.IsHint():
		return mail, errNotForDVM.With(err)
	}
	return mail, nil
}

// writeAnswer waits until the DVM has answered a rumor with more than that it
// has it, and writes the answer to a file for powdo import.
func (d *desk) writeAnswer(ctx context.Context, rumor pow.Hash, path string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		o, err := d.ledger.Answer(ctx, rumor)
		switch {
		case ctx.Err() != nil:
			return &pow.Error{Code: pow.ErrTimeout.Code, What: "taken, but the DVM has not answered", Mend: "is it running? then run this command again"}
		case err == nil && o.Receipt.Code != pow.CodeReceived:
			return writeLetter(o, path)
		case err != nil && !errors.Is(err, pow.ErrNotFound):
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func writeLetter(o pow.Outgoing, path string) error {
	l, err := envelope.Wrap(o.Seal, o.Device, time.Now())
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	if err := errors.Join(parcel.Write(f, l.JSON, nil, 0), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the answer: %w", err), os.Remove(path))
	}
	return nil
}
