package backup

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// Agent is what the backup asks of the agent.
type Agent interface {
	// Backup returns the identity key as an ncryptsec (NIP-49) under a passphrase.
	Backup(ctx context.Context, passphrase string) (string, error)
	// TestBackup tells whether a backup opens and is of the identity key.
	TestBackup(ctx context.Context, b pow.BackupTest) error
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Field is one of the text fields.
type Field string

// The fields.
const (
	Phrase   Field = "phrase"
	Again    Field = "again"
	Path     Field = "path"
	TestPath Field = "test-path"
	TestWord Field = "test-phrase"
)

// Faults of files, beside those of package input.
const (
	Exists  input.Fault = "exists"
	Missing input.Fault = "missing"
	Denied  input.Fault = "denied"
	NotOurs input.Fault = "not-backup" // no ncryptsec in it
)

// Model is all that the backup shows.
type Model struct {
	Faults  map[Field]input.Fault
	Busy    bool
	Lost    bool
	Written string // path of the file that was made
	Tested  bool   // the last test succeeded
	Err     error
}

// Presenter holds the state. All its methods belong to one goroutine.
type Presenter struct {
	c     Config
	model Model
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent  Agent
	Async  Async
	Files  Files
	Show   func(Model) // called after every change
	Tested func()      // a backup was found good
}

// New makes a presenter.
func New(c Config) *Presenter { return &Presenter{c: c} }

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Connected tells whether the agent answers.
func (p *Presenter) Connected(on bool) {
	if p.model.Lost == !on {
		return
	}
	p.model.Lost = !on
	p.c.Show(p.model)
}

// Make writes the key, encrypted under a passphrase, to a file that was not
// there before.
func (p *Presenter) Make(phrase, again, path string) {
	path, fault := input.FilePath(path, p.c.Files.Home)
	faults := map[Field]input.Fault{Path: fault}
	switch f := input.Passphrase(phrase, again); f {
	case input.Differs:
		faults[Again] = f
	default:
		faults[Phrase] = f
	}
	if !p.fine(faults) {
		return
	}
	p.do(func(ctx context.Context) error {
		text, err := p.c.Agent.Backup(ctx, phrase)
		if err != nil {
			return err
		}
		return p.c.Files.Write(path, []byte(text+"\n"))
	}, func(err error) {
		if err == nil {
			p.model.Written, p.model.Tested = path, false
			return
		}
		p.fileFault(Path, err)
	})
}

// Test opens a backup file again.
func (p *Presenter) Test(path, phrase string) {
	path, fault := input.FilePath(path, p.c.Files.Home)
	faults := map[Field]input.Fault{TestPath: fault}
	if phrase == "" {
		faults[TestWord] = input.Empty
	}
	if !p.fine(faults) {
		return
	}
	p.model.Tested = false
	p.do(func(ctx context.Context) error {
		b, err := p.c.Files.Read(path)
		if err != nil {
			return err
		}
		text := strings.TrimSpace(string(b))
		if k, f := input.ReadKey(text); k.Kind != input.Sealed || f != input.Fine {
			return errNotOurs
		}
		return p.c.Agent.TestBackup(ctx, pow.BackupTest{Ncryptsec: text, Passphrase: phrase})
	}, func(err error) {
		if err == nil {
			p.model.Tested = true
			p.c.Tested()
			return
		}
		p.fileFault(TestPath, err)
	})
}

var errNotOurs = errors.New("no ncryptsec in the file")

// fileFault puts an error of the file below its field instead of on the page.
func (p *Presenter) fileFault(at Field, err error) {
	fault := input.Fine
	switch {
	case errors.Is(err, fs.ErrExist):
		fault = Exists
	case errors.Is(err, fs.ErrNotExist):
		fault = Missing
	case errors.Is(err, fs.ErrPermission):
		fault = Denied
	case errors.Is(err, errNotOurs):
		fault = NotOurs
	}
	if fault != input.Fine {
		p.model.Err = nil
		p.model.Faults = map[Field]input.Fault{at: fault}
	}
}

// fine shows the faults and tells whether there are none.
func (p *Presenter) fine(faults map[Field]input.Fault) bool {
	ok := true
	for _, f := range faults {
		ok = ok && f == input.Fine
	}
	p.model.Faults, p.model.Err = faults, nil
	p.c.Show(p.model)
	return ok && !p.model.Lost
}

func (p *Presenter) do(work func(context.Context) error, then func(error)) {
	if p.model.Busy {
		return
	}
	p.model.Busy = true
	p.c.Show(p.model)
	p.c.Async(work, func(err error) {
		p.model.Busy, p.model.Err = false, err
		then(err)
		p.c.Show(p.model)
	})
}
