package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

type reviewCmd struct {
	List   reviewListCmd   `cmd:"" default:"1" help:"List the pictures of a day."`
	Show   reviewShowCmd   `cmd:"" help:"Tell all about a picture, or write it to a file."`
	Drop   reviewDropCmd   `cmd:"" help:"Remove pictures and keep their time, or with --time remove both."`
	Redact reviewRedactCmd `cmd:"" help:"Black out an area of a picture, or all of it."`
	Blur   reviewBlurCmd   `cmd:"" help:"Blur an area of a picture, or all of it."`
	Crop   reviewCropCmd   `cmd:"" help:"Cut a picture to an area, or to the active window."`
	Keep   reviewKeepCmd   `cmd:"" help:"Mark pictures as looked at; removed ones come back."`
	Undo   reviewUndoCmd   `cmd:"" help:"Take back the last edit or removal of each picture."`
}

type reviewListCmd struct {
	Day string `help:"The day: 2006-01-02, today or yesterday; default: every day with held pictures." placeholder:"DAY"`
}

// Run lists pictures.
func (c *reviewListCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		ps, err := c.pictures(ctx, a)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, notNil(ps))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, q := range ps {
				fmt.Fprintf(w, "%s\t%s\t%s\tdisplay %d\t%s\n", q.ID, q.At.Local().Format("Mon 2 Jan 15:04:05"), cli.Clean(q.Project.Name), q.Display, pictureWords(q))
			}
		})
	})
}

// heldDays is how far back the list without a day looks: what is older needs the
// admin's word anyway.
const heldDays = 31

func (c *reviewListCmd) pictures(ctx context.Context, a API) (out []pow.Picture, err error) {
	now := time.Now()
	if c.Day != "" {
		day, err := dayOf(c.Day, now)
		if err != nil {
			return nil, err
		}
		return a.Pictures(ctx, day)
	}
	for back := heldDays; back >= 0; back-- {
		ps, err := a.Pictures(ctx, now.AddDate(0, 0, -back))
		if err != nil {
			return nil, err
		}
		for _, q := range ps {
			if q.Delivery == "" {
				out = append(out, q)
			}
		}
	}
	return out, nil
}

// pictureWords says in words what becomes of a picture.
func pictureWords(q pow.Picture) string {
	state := map[pow.PictureState]string{pow.PictureHeld: "held for review", pow.PictureApproved: "approved", pow.PictureEdited: "edited",
		pow.PictureRemoved: "picture removed, time kept", pow.TimeRemoved: "removed with its time", pow.PictureSealed: "sealed"}[q.State]
	if q.State == pow.PictureSkipped {
		return "skipped: " + strings.ReplaceAll(string(q.Reason), "-", " ")
	}
	if q.Areas > 0 {
		state += fmt.Sprintf(", %d areas, %d.%d %% covered", q.Areas, q.Covered/10, q.Covered%10)
	}
	if q.Cropped {
		state += ", cropped"
	}
	if q.Again > 0 {
		state += fmt.Sprintf(", seen %d times more", q.Again)
	}
	if q.Damaged {
		state += ", could not be read"
	}
	return state
}

// pictureOf finds a picture by its id, which tells its day.
func pictureOf(ctx context.Context, a API, id string) (pow.Picture, error) {
	at, ok := pow.ULIDTime(id)
	if !ok {
		return pow.Picture{}, pow.ErrNotFound
	}
	ps, err := a.Pictures(ctx, at)
	if err != nil {
		return pow.Picture{}, err
	}
	if i := slices.IndexFunc(ps, func(q pow.Picture) bool { return q.ID == id }); i >= 0 {
		return ps[i], nil
	}
	return pow.Picture{}, pow.ErrNotFound
}

type reviewShowCmd struct {
	ID       string `arg:"" help:"The picture's id."`
	Output   string `help:"File to write the picture to, as it will be sent; it must not be there yet." short:"o" placeholder:"FILE" type:"path"`
	Original bool   `help:"As it was before all edits."`
}

// Run prints or writes one picture.
func (c *reviewShowCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		q, err := pictureOf(ctx, a, c.ID)
		if err != nil {
			return err
		}
		if c.Output != "" {
			b, err := a.Picture(ctx, pow.PictureRequest{ID: c.ID, Original: c.Original})
			if err != nil {
				return err
			}
			if err := writeNew(c.Output, b); err != nil {
				return err
			}
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, q)
		}
		_, err = fmt.Fprintf(p.s.Out, "%s, %s, display %d: %d×%d %s, %d kB; %s.\n", q.At.Local().Format(time.DateTime), cli.Clean(q.Project.Name), q.Display,
			q.Width, q.Height, q.Format, (q.Size+999)/1000, pictureWords(q))
		return err
	})
}

// writeNew writes a file that was not there, for this user only.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

type reviewDropCmd struct {
	IDs    []string `arg:"" name:"id" help:"The pictures' ids."`
	Time   bool     `help:"Remove their time too."`
	DryRun bool     `help:"Only tell the effect."`
}

// Run removes pictures.
func (c *reviewDropCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		e, err := a.Remove(ctx, pow.RemoveRequest{IDs: c.IDs, KeepTime: !c.Time, DryRun: c.DryRun})
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, e)
		}
		fmt.Fprintf(p.s.Out, "%d pictures removed.", e.Pictures)
		if c.Time {
			fmt.Fprintf(p.s.Out, " Time taken out: %s.", words(e.LostSeconds))
		} else {
			fmt.Fprintf(p.s.Out, " Time marked as without picture: %s.", words(e.UnverifiedSeconds))
		}
		if e.Confirm {
			fmt.Fprint(p.s.Out, " In this project your admin may have to confirm it.")
		}
		_, err = fmt.Fprintln(p.s.Out)
		return err
	})
}

// rect is an area in the command line's words: X,Y,W,H.
type rect pow.Rect

// UnmarshalText reads X,Y,W,H.
func (r *rect) UnmarshalText(b []byte) error {
	parts := strings.Split(string(b), ",")
	n := make([]int, len(parts))
	for i, s := range parts {
		var err error
		if n[i], err = strconv.Atoi(strings.TrimSpace(s)); err != nil {
			return errRect
		}
	}
	if len(n) != 4 || n[0] < 0 || n[1] < 0 || n[2] < 1 || n[3] < 1 {
		return errRect
	}
	*r = rect{X: n[0], Y: n[1], W: n[2], H: n[3]}
	return nil
}

var errRect = errors.New("want an area as X,Y,WIDTH,HEIGHT in pixels of the picture")

// areaArgs is what every edit is told.
type areaArgs struct {
	ID   string `arg:"" help:"The picture's id."`
	Rect []rect `help:"Area as X,Y,WIDTH,HEIGHT in pixels (repeatable)." placeholder:"X,Y,W,H" sep:"none"`
}

func (c *areaArgs) run(p *program, kind pow.EditKind) error {
	edits := []pow.Edit{}
	for _, r := range c.Rect {
		edits = append(edits, pow.Edit{Kind: kind, Rect: pow.Rect(r)})
	}
	if len(edits) == 0 {
		edits = append(edits, pow.Edit{Kind: kind})
	}
	return p.with(false, func(ctx context.Context, a API) error {
		if err := a.Edit(ctx, pow.EditRequest{IDs: []string{c.ID}, Edits: edits}); err != nil {
			return err
		}
		return p.printPicture(ctx, a, c.ID)
	})
}

// printPicture says where a picture stands after an act.
func (p *program) printPicture(ctx context.Context, a API, id string) error {
	q, err := pictureOf(ctx, a, id)
	if err != nil {
		return err
	}
	if p.g.JSON {
		return cli.JSON(p.s.Out, q)
	}
	_, err = fmt.Fprintf(p.s.Out, "%s: %s.\n", q.ID, pictureWords(q))
	return err
}

type reviewRedactCmd struct{ areaArgs }

// Run blacks out areas.
func (c *reviewRedactCmd) Run(p *program) error { return c.run(p, pow.EditRedact) }

type reviewBlurCmd struct{ areaArgs }

// Run blurs areas.
func (c *reviewBlurCmd) Run(p *program) error { return c.run(p, pow.EditBlur) }

type reviewCropCmd struct{ areaArgs }

// Run crops to one area, or to the active window.
func (c *reviewCropCmd) Run(p *program) error { return c.run(p, pow.EditCrop) }

type idsArgs struct {
	IDs []string `arg:"" name:"id" help:"The pictures' ids."`
}

func (c *idsArgs) run(p *program, act func(API, context.Context, []string) error) error {
	return p.with(false, func(ctx context.Context, a API) error {
		if err := act(a, ctx, c.IDs); err != nil {
			return err
		}
		out := []pow.Picture{}
		for _, id := range c.IDs {
			if !p.g.JSON {
				if err := p.printPicture(ctx, a, id); err != nil {
					return err
				}
				continue
			}
			q, err := pictureOf(ctx, a, id)
			if err != nil {
				return err
			}
			out = append(out, q)
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, out)
		}
		return nil
	})
}

type reviewKeepCmd struct{ idsArgs }

// Run approves pictures.
func (c *reviewKeepCmd) Run(p *program) error { return c.run(p, API.Approve) }

type reviewUndoCmd struct{ idsArgs }

// Run takes the last act of each back.
func (c *reviewUndoCmd) Run(p *program) error { return c.run(p, API.Undo) }

// nameLeftOut says on stderr which times Register left behind, as nobody has
// answered yet whether they count.
func (p *program) nameLeftOut(ctx context.Context, a API) error {
	s, err := a.Status(ctx)
	for _, q := range s.Away {
		to := "now"
		if !q.To.IsZero() {
			to = q.To.Local().Format("15:04")
		}
		fmt.Fprintf(p.s.Err, "Left out: %s to %s, you were away; say whether it counts with powdo away keep or powdo away discard.\n", q.From.Local().Format("15:04"), to)
	}
	return err
}

// printMarks says what a preview tells of edits, removals and times besides its numbers.
func (p *program) printMarks(v pow.Preview) {
	if v.Edited+v.Removed+v.Skipped > 0 {
		fmt.Fprintf(p.s.Out, "Pictures: %d with covered areas or cropped, %d removed, %d skipped; the numbers are told.\n", v.Edited, v.Removed, v.Skipped)
	}
	if v.Kept > 0 {
		fmt.Fprintf(p.s.Out, "Kept while away, and marked so: %s.\n", words(v.Kept))
	}
	if v.ByHand > 0 {
		fmt.Fprintf(p.s.Out, "Changed by hand, and marked so: %s.\n", words(v.ByHand))
	}
	for _, c := range v.Cuts {
		fmt.Fprintf(p.s.Out, "Without %s to %s.\n", c.From.Local().Format(time.TimeOnly), c.To.Local().Format(time.TimeOnly))
	}
}
