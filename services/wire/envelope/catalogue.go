package envelope

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/strictjson"
)

const (
	maxParts        = 64
	maxNames        = 80       // runes of a project's, group's or member's name
	maxInterval     = 3600     // seconds
	maxRetention    = 10 * 365 // days
	maxPlainContent = maxRumor
)

// ErrParts means that the parts at hand are not one whole catalogue.
var ErrParts = errors.New("catalogue is not complete")

// page is the JSON content of one part. Member and announcement stand in the
// first part only; devices, projects and, where one project alone is too big, its
// activities go on in the next.
type page struct {
	Rev      int           `json:"rev"`
	Member   *memberHead   `json:"member,omitempty"`
	Ann      *annHead      `json:"ann,omitempty"`
	Devices  [][3]string   `json:"devices,omitempty"`
	Projects []pow.Project `json:"projects"`
}

type memberHead struct {
	ID    pow.OpaqueID `json:"id"`
	Name  string       `json:"name"`
	State string       `json:"state"`
}

type annHead struct {
	ID  pow.Hash `json:"id"`
	Rev int      `json:"rev"`
}

// SealCatalogue makes the seals of all parts of a catalogue revision (kind
// 6941) for one device; each is to be wrapped and delivered on its own. Names
// are cut to 80 characters on one line. More than 64 parts, which is about 300
// projects, are an error.
func SealCatalogue(from identity.Secret, device pow.Key, c pow.Catalogue, now time.Time) (seals [][]byte, err error) {
	return random().sealCatalogue(from, device, c, now)
}

func (s source) sealCatalogue(from identity.Secret, device pow.Key, c pow.Catalogue, now time.Time) ([][]byte, error) {
	pages, err := paginate(c)
	if err != nil {
		return nil, fmt.Errorf("seal a catalogue: %w", err)
	}
	var seals [][]byte
	var parts []pow.CataloguePart
	for i, p := range pages {
		e := partEvent(device, p, i+1, len(pages))
		_, seal, err := s.seal(from, device, e, now)
		if err != nil {
			return nil, fmt.Errorf("seal a catalogue: %w", err)
		}
		part, err := readPart(e)
		if err != nil {
			return nil, fmt.Errorf("seal a catalogue: %w", err)
		}
		seals, parts = append(seals, seal), append(parts, *part)
	}
	if _, err := Assemble(parts); err != nil {
		return nil, fmt.Errorf("seal a catalogue: %w", err)
	}
	return seals, nil
}

func partEvent(device pow.Key, p page, n, of int) *event.Event {
	return &event.Event{Kind: KindCatalogue, Content: compact(p), Tags: event.Tags{
		{"p", device.String()}, {"v", "1"}, {"rev", decimal(p.Rev)}, {"part", decimal(n), decimal(of)},
	}}
}

// paginate fills one page after the other with whole entries.
func paginate(c pow.Catalogue) ([]page, error) {
	b := &pager{rev: c.Revision, page: page{
		Rev:      c.Revision,
		Member:   &memberHead{ID: c.MemberID, Name: oneLine(c.MemberName, maxNames), State: c.MemberState},
		Ann:      &annHead{ID: c.Announcement, Rev: c.AnnRevision},
		Projects: []pow.Project{},
	}}
	for _, d := range c.Devices {
		entry := [3]string{d.Key.String(), oneLine(d.Name, maxDeviceName), d.State}
		b.add(func(p *page) { p.Devices = append(slices.Clip(p.Devices), entry) })
	}
	for _, p := range c.Projects {
		b.project(p)
	}
	b.pages = append(b.pages, b.page)
	if b.tooBig || len(b.pages) > maxParts {
		return nil, fmt.Errorf("%d parts: %w", len(b.pages), ErrTooBig)
	}
	return b.pages, nil
}

type pager struct {
	rev    int
	page   page // being filled
	pages  []page
	tooBig bool // an entry does not fit into a page of its own
}

// add puts an entry on this page or, where it does not fit, on the next.
func (b *pager) add(entry func(*page)) {
	with := b.page
	entry(&with)
	if fits(with) {
		b.page = with
		return
	}
	b.pages = append(b.pages, b.page)
	b.page = page{Rev: b.rev, Projects: []pow.Project{}}
	entry(&b.page)
	b.tooBig = b.tooBig || !fits(b.page)
}

// project adds a project whole. One that fills a page by itself goes on in
// entries with the same id and more activities.
func (b *pager) project(p pow.Project) {
	p.Name, p.Group = oneLine(p.Name, maxNames), oneLine(p.Group, maxNames)
	acts := slices.Clone(p.KimaiActivities)
	for i := range acts {
		acts[i].Name = oneLine(acts[i].Name, maxNames)
	}
	for n := len(acts); ; {
		p.KimaiActivities = acts[:n]
		if n > 1 && !fits(page{Rev: b.rev, Projects: []pow.Project{p}}) {
			n--
			continue
		}
		entry := p
		b.add(func(pg *page) { pg.Projects = append(slices.Clip(pg.Projects), entry) })
		if acts = acts[n:]; len(acts) == 0 {
			return
		}
		p = pow.Project{ID: p.ID}
		n = len(acts)
	}
}

// fits measures with the longest part numbers there can be.
func fits(p page) bool {
	e := partEvent(pow.Key{}, p, maxParts, maxParts)
	e.PubKey, e.CreatedAt = pow.Key{}.String(), 9_999_999_999
	return pad(e) == nil
}

func readPart(e *event.Event) (*pow.CataloguePart, error) {
	r := &reader{e: e}
	if err := r.version(); err != nil {
		return nil, err
	}
	rev, _ := r.value("rev")
	p := &pow.CataloguePart{Revision: int(r.number("rev", rev, 1)), Content: []byte(e.Content)}
	if v := r.tag("part"); len(v) > 1 {
		p.Part, p.Parts = int(r.number("part", v[0], 1)), int(r.number("part", v[1], 1))
	} else {
		r.fail("part")
	}
	if p.Part > p.Parts || p.Parts > maxParts {
		r.fail("part")
	}
	if _, ok := r.value("pad"); !ok {
		r.fail("no pad")
	}
	if pg, err := readPage(p.Content); err != nil || pg.Rev != p.Revision {
		r.fail("content")
	}
	return p, r.err()
}

func readPage(content []byte) (p page, err error) {
	if len(content) > maxPlainContent {
		return p, ErrTooBig
	}
	if err := strictjson.Unmarshal(content, &p); err != nil {
		return p, errors.New("content is not a catalogue")
	}
	return p, nil
}

// Assemble puts the parts of one revision together, in any order. Parts that
// are missing, doubled or of different revisions are ErrParts.
func Assemble(parts []pow.CataloguePart) (pow.Catalogue, error) {
	sorted := slices.Clone(parts)
	slices.SortFunc(sorted, func(a, b pow.CataloguePart) int { return a.Part - b.Part })
	c := pow.Catalogue{}
	for i, part := range sorted {
		if part.Part != i+1 || part.Parts != len(parts) || part.Revision != sorted[0].Revision || part.Parts > maxParts {
			return pow.Catalogue{}, ErrParts
		}
		p, err := readPage(part.Content)
		if err != nil {
			return pow.Catalogue{}, err
		}
		if err := appendPage(&c, p, part); err != nil {
			return pow.Catalogue{}, err
		}
	}
	if len(parts) == 0 {
		return pow.Catalogue{}, ErrParts
	}
	return c, nil
}

func appendPage(c *pow.Catalogue, p page, part pow.CataloguePart) error {
	if p.Rev != part.Revision || (part.Part == 1) != (p.Member != nil && p.Ann != nil) {
		return errors.New("catalogue: bad head")
	}
	if part.Part == 1 {
		if _, err := pow.ParseOpaqueID(string(p.Member.ID)); err != nil || !isLine(p.Member.Name, maxNames) || !oneOf(p.Member.State, "active", "suspended", "removed") || p.Ann.Rev < 0 {
			return errors.New("catalogue: bad member")
		}
		c.Revision, c.MemberID, c.MemberName, c.MemberState = p.Rev, p.Member.ID, p.Member.Name, p.Member.State
		c.Announcement, c.AnnRevision = p.Ann.ID, p.Ann.Rev
	}
	for _, d := range p.Devices {
		k, err := pow.ParseKey(d[0])
		if err != nil || !isLine(d[1], maxDeviceName) || !oneOf(d[2], "active", "removed") {
			return errors.New("catalogue: bad device")
		}
		c.Devices = append(c.Devices, pow.Device{Key: k, Name: d[1], State: d[2]})
	}
	for _, q := range p.Projects {
		if n := len(c.Projects); n > 0 && c.Projects[n-1].ID == q.ID {
			last := &c.Projects[n-1]
			last.KimaiActivities = append(last.KimaiActivities, q.KimaiActivities...)
			q = *last
		} else {
			c.Projects = append(c.Projects, q)
		}
		if err := checkProject(q); err != nil {
			return err
		}
	}
	return nil
}

func checkProject(p pow.Project) error {
	if _, err := pow.ParseOpaqueID(string(p.ID)); err != nil || !isLine(p.Name, maxNames) || !isLine(p.Group, maxNames) || !isColor(p.Color) {
		return errors.New("catalogue: bad project")
	}
	if !oneOf(p.ActivityRule, "", pow.Required, pow.Optional, pow.None) || !oneOf(p.Pictures, "", pow.Required, pow.Optional, pow.Forbidden) ||
		!oneOf(p.Detail, "", pow.DetailOff, pow.DetailCategory, pow.DetailApp, pow.DetailTitle) {
		return errors.New("catalogue: bad rule")
	}
	if p.Interval < 0 || p.Interval > maxInterval || p.Retention < 0 || p.Retention > maxRetention {
		return errors.New("catalogue: bad number")
	}
	for _, a := range p.KimaiActivities {
		if !isLine(a.Name, maxNames) {
			return errors.New("catalogue: bad activity")
		}
	}
	return nil
}

func oneOf[T comparable](v T, list ...T) bool { return slices.Contains(list, v) }

func isColor(s string) bool {
	return s == "" || len(s) == 7 && s[0] == '#' && strings.Trim(s[1:], "0123456789abcdefABCDEF") == ""
}
