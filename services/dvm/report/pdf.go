package report

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// Widths are millimetres on A4, which is 190 wide inside its margins.
const (
	margin = 10
	row    = 6.0
)

// sheet is a PDF under way.
type sheet struct{ *fpdf.Fpdf }

// pdf writes A4 pages. The Go fonts are embedded: Latin, Greek and Cyrillic.
func (r Report) pdf(w io.Writer) error {
	s := sheet{fpdf.New("P", "mm", "A4", "")}
	s.AddUTF8FontFromBytes("go", "", goregular.TTF)
	s.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	s.SetMargins(margin, margin, margin)
	s.SetAutoPageBreak(true, 18)
	// The same report is the same file.
	s.SetCreationDate(r.Made)
	s.SetModificationDate(r.Made)
	s.SetCatalogSort(true)
	s.SetTitle("Proof of work: "+r.Team, true)
	s.SetFooterFunc(func() {
		s.SetY(-14)
		s.SetFont("go", "", 7)
		s.CellFormat(0, 5, fmt.Sprintf("%s · made %s by %s · page %d", r.Team, r.clock(r.Made), r.DVMNpub, s.PageNo()), "", 0, "C", false, 0, "")
	})
	s.AddPage()
	s.heading(18, "Proof of work · "+r.Team)
	s.text(r.period())
	s.Ln(3)
	s.heading(20, hours(r.Seconds)+" h proven")
	s.text(fmt.Sprintf("%s h of it booked · %d sessions · %d proofs", hours(r.Booked), len(r.Sessions), len(r.Proofs)))
	r.tables(s)
	if err := s.Output(w); err != nil {
		return fmt.Errorf("write the PDF: %w", err)
	}
	return nil
}

func (r Report) tables(s sheet) {
	total := s.table("By member and project", []column{{"Member", 60, "L"}, {"Project", 80, "L"}, {"Proven", 25, "R"}, {"Booked", 25, "R"}})
	for _, t := range r.Totals {
		total(t.Member.Name, t.Project.Name, hours(t.Seconds), hours(t.Booked))
	}
	day := s.table("By day", []column{{"Day", 25, "L"}, {"Member", 50, "L"}, {"Project", 65, "L"}, {"Proven", 25, "R"}, {"Booked", 25, "R"}})
	for _, d := range r.Days {
		day(d.Date, d.Member.Name, d.Project.Name, hours(d.Seconds), hours(d.Booked))
	}
	session := s.table("Sessions", []column{{"Begin", 33, "L"}, {"End", 33, "L"}, {"Member", 32, "L"}, {"Project", 36, "L"}, {"Proven", 18, "R"}, {"Booking", 38, "L"}})
	for _, v := range r.Sessions {
		session(r.clock(v.Begin), r.clock(v.End), v.Member.Name, v.Project.Name, hours(v.Proven), booking(v.Booking))
	}
	proof := s.table("Evidence: every proof, by the SHA-256 of its sealed archive", []column{{"No.", 9, "R"}, {"From", 33, "L"}, {"To", 18, "L"}, {"Pict.", 10, "R"}, {"State", 21, "L"}, {"Sealed", 99, "L"}})
	for _, p := range r.Proofs {
		proof(strconv.FormatInt(p.ID, 10), r.clock(p.From), p.To.In(r.Zone).Format(time.TimeOnly), strconv.Itoa(p.Captures), p.State, p.Sealed.String())
	}
}

func (s sheet) heading(size float64, text string) {
	s.SetFont("go", "B", size)
	s.MultiCell(0, size/2, text, "", "L", false)
}

func (s sheet) text(text string) {
	s.SetFont("go", "", 9)
	s.MultiCell(0, row, text, "", "L", false)
}

type column struct {
	title string
	width float64
	align string
}

// table begins a table and returns what adds a row; a row is one line high, and
// what does not fit is cut with an ellipsis.
func (s sheet) table(title string, columns []column) (add func(cells ...string)) {
	s.Ln(4)
	s.heading(11, title)
	head := func() {
		s.SetFont("go", "B", 7.5)
		s.SetFillColor(233, 237, 241)
		for _, c := range columns {
			s.CellFormat(c.width, row, c.title, "", 0, c.align, true, 0, "")
		}
		s.Ln(row)
		s.SetFont("go", "", 7.5)
	}
	head()
	return func(cells ...string) {
		if _, height := s.GetPageSize(); s.GetY()+row > height-18 {
			s.AddPage()
			head()
		}
		for i, c := range columns {
			s.CellFormat(c.width, row, s.fit(cells[i], c.width-2), "B", 0, c.align, false, 0, "")
		}
		s.Ln(row)
	}
}

// fit cuts a text to a width.
func (s sheet) fit(text string, width float64) string {
	if s.GetStringWidth(text) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && s.GetStringWidth(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
