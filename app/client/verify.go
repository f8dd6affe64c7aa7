package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/parcel"
)

// evidence is one file or folder that verify looked at.
type evidence struct {
	File       string        `json:"file"`
	Kind       string        `json:"kind"` // archive, sealed
	OK         bool          `json:"ok"`
	Problem    string        `json:"problem,omitempty"`
	Statement  pow.Hash      `json:"statement,omitzero"`
	AuthorNpub string        `json:"author_npub,omitempty"`
	DeviceNpub string        `json:"device_npub,omitempty"`
	Session    pow.SessionID `json:"session,omitempty"`
	Seq        uint64        `json:"seq,omitempty"`
	Prev       pow.Hash      `json:"prev,omitzero"`
	Root       pow.Hash      `json:"root,omitzero"`
	From       time.Time     `json:"from,omitzero"`
	To         time.Time     `json:"to,omitzero"`
	Captures   int           `json:"captures"`
	Rows       int           `json:"activity_events"`
	Dropped    int           `json:"dropped"`
	Sealed     pow.Hash      `json:"sealed_sha256,omitzero"`
}

// verdict is what verify found in all of it.
type verdict struct {
	OK      bool       `json:"ok"`
	Proofs  []evidence `json:"proofs"`
	Chain   string     `json:"chain"` // whole, gaps, broken
	Seconds int64      `json:"seconds"`
}

// The states of a chain.
const (
	chainWhole  = "whole"
	chainGaps   = "gaps" // proofs are missing between those that are there
	chainBroken = "broken"
)

type verifyCmd struct {
	File string `arg:"" optional:"" help:"A bundle: a folder of archives, opened or decrypted; one of them; or an exported proof." type:"path"`
}

// Run needs neither home folder nor network for a file.
func (c *verifyCmd) Run(p *program) error {
	if c.File == "" {
		return p.verifyOwn()
	}
	v, err := verifyPath(p.ctx, c.File)
	if err != nil {
		return err
	}
	if err := p.printVerdict(v); err != nil {
		return err
	}
	if !v.OK {
		return &pow.Error{Code: "not-verified", What: "this does not hold", Mend: "the lines above say where"}
	}
	return nil
}

func (p *program) verifyOwn() error {
	return p.with(false, func(ctx context.Context, a API) error {
		c, err := a.CheckProofs(ctx)
		if err != nil {
			return err
		}
		return cli.PrintChecks(p.s, p.g.JSON, []pow.Check{c})
	})
}

// maxBundle bounds how many archives one call looks at.
const maxBundle = 100_000

// verifyPath checks an archive, or every archive in a folder, and how they
// hang together.
func verifyPath(ctx context.Context, path string) (v verdict, err error) {
	paths, err := archivesIn(path)
	if err != nil {
		return v, fmt.Errorf("read the evidence: %w", err)
	}
	if len(paths) == 0 {
		return v, &pow.Error{Code: pow.ErrUsage.Code, What: "there is no archive in this folder"}
	}
	v.OK = true
	for _, file := range paths {
		e := examine(ctx, file)
		if err := ctx.Err(); err != nil {
			return v, err
		}
		v.OK = v.OK && e.OK
		v.Proofs = append(v.Proofs, e)
	}
	v.Chain = chainOf(v.Proofs)
	v.OK = v.OK && v.Chain != chainBroken
	v.Seconds = provenBy(v.Proofs)
	return v, nil
}

const statementFile = "statement.json"

// archivesIn finds opened archives (folders with a Statement), decrypted ones
// and exported proofs. What else lies in a folder is no evidence.
func archivesIn(path string) (found []string, err error) {
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case len(found) == maxBundle:
			return pow.ErrTooLarge
		case d.IsDir():
			if _, err := os.Lstat(filepath.Join(name, statementFile)); err == nil {
				found = append(found, name)
				return fs.SkipDir
			}
		case name == path:
			found = append(found, name)
		case d.Type().IsRegular():
			start, err := startOf(name)
			if bytes.HasPrefix(start, []byte(zipStart)) || bytes.HasPrefix(start, []byte(parcelStart)) {
				found = append(found, name)
			}
			return err
		}
		return nil
	})
	return found, err
}

// How files begin that hold evidence.
const (
	zipStart    = "PK\x03\x04"
	parcelStart = "powdo.json\x00"
)

func startOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, len(parcelStart))
	n, err := io.ReadFull(f, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return b[:n], err
}

// examine checks one opened, decrypted or exported archive.
func examine(ctx context.Context, path string) (e evidence) {
	e = evidence{File: path, Kind: "archive"}
	fi, err := os.Stat(path)
	switch {
	case err != nil:
	case fi.IsDir():
		var o pow.Opened
		o, err = archive.VerifyFiles(ctx, os.DirFS(path))
		e.opened(o)
	default:
		err = e.file(ctx, path, fi.Size())
	}
	if e.OK = err == nil; !e.OK {
		e.Problem = problem(err)
	}
	return e
}

// problem is one line for people, with the cause where there is one.
func problem(err error) string {
	var e *pow.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.What + ": " + e.Err.Error()
	}
	return err.Error()
}

func (e *evidence) opened(o pow.Opened) {
	s := o.Statement
	e.Statement, e.Session, e.Seq, e.Prev, e.Root, e.From, e.To = s.ID, s.Session, s.Seq, s.Prev, s.Root, s.Interval.From, s.Interval.To
	e.Captures, e.Rows, e.Dropped = len(o.Proof.Captures), len(o.Proof.Activity.Rows), o.Proof.Dropped
	if !s.Author.IsZero() {
		e.AuthorNpub, e.DeviceNpub = identity.Npub(s.Author), identity.Npub(s.Device)
	}
}

// file tells a decrypted archive from an exported proof by its first bytes.
func (e *evidence) file(ctx context.Context, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	start, err := startOf(path)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(start, []byte(zipStart)) {
		o, err := archive.Verify(ctx, f, size)
		e.opened(o)
		return err
	}
	e.Kind = "sealed"
	_, err = parcel.Read(f, func(_ pow.Letter, _ int64, r io.Reader) (err error) {
		e.Sealed, err = hashOf(r)
		return err
	})
	if errors.Is(err, parcel.ErrNoParcel) {
		return &pow.Error{Code: pow.CodeArchiveInvalid, What: "neither an archive nor an exported proof", Mend: "the team opens a sealed one: powdo-server proofs open ID --to DIR"}
	}
	return err
}

// chainOf tells how the Statements of each device hang together.
func chainOf(all []evidence) string {
	byDevice := map[string][]evidence{}
	for _, e := range all {
		if e.OK && !e.Statement.IsZero() {
			byDevice[e.DeviceNpub] = append(byDevice[e.DeviceNpub], e)
		}
	}
	state := chainWhole
	for _, es := range byDevice {
		slices.SortFunc(es, func(x, y evidence) int { return cmp.Compare(x.Seq, y.Seq) })
		for i := 1; i < len(es); i++ {
			switch before, e := es[i-1], es[i]; {
			case e.Statement == before.Statement: // the same proof twice
			case e.Seq == before.Seq, e.Seq == before.Seq+1 && e.Prev != before.Statement:
				return chainBroken
			case e.Seq > before.Seq+1:
				state = chainGaps
			}
		}
	}
	return state
}

// provenBy counts every second of a person once.
func provenBy(all []evidence) (n int64) {
	byAuthor := map[string][]pow.Interval{}
	for _, e := range all {
		if e.OK && !e.Statement.IsZero() {
			byAuthor[e.AuthorNpub] = append(byAuthor[e.AuthorNpub], pow.Interval{From: e.From, To: e.To})
		}
	}
	for _, in := range byAuthor {
		n += seconds(in)
	}
	return n
}

func (p *program) printVerdict(v verdict) error {
	if p.g.JSON {
		return cli.JSON(p.s.Out, v)
	}
	err := cli.Table(p.s, func(w *tabwriter.Writer) {
		for _, e := range v.Proofs {
			switch {
			case !e.OK:
				fmt.Fprintf(w, "failed\t%s\t%s\n", e.File, cli.Clean(e.Problem))
			case e.Kind == "sealed":
				fmt.Fprintf(w, "ok\t%s\tsealed, only the team can open it; sha256 %s\n", e.File, e.Sealed)
			default:
				fmt.Fprintf(w, "ok\t%s\t#%d of %s\t%s–%s\t%d pictures, %d removed, %d rows of activity\n", e.File, e.Seq, e.DeviceNpub,
					e.From.Local().Format(time.DateTime), e.To.Local().Format(time.TimeOnly), e.Captures, e.Dropped, e.Rows)
			}
		}
	})
	if err != nil {
		return err
	}
	return second(fmt.Fprintf(p.s.Out, "%s proven; chain of proofs: %s. Signatures and hashes say who sealed what and in which order, not that a picture is genuine.\n",
		words(v.Seconds), v.Chain))
}

func hashOf(r io.Reader) (h pow.Hash, err error) {
	sum := sha256.New()
	_, err = io.Copy(sum, r)
	return pow.Hash(sum.Sum(nil)), err
}
