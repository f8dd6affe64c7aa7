package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"pow.do/services/pow"
)

// row is one line of activity.ndjson. Times are Unix milliseconds.
type row struct {
	App      text  `json:"app,omitempty"`
	Category text  `json:"category,omitempty"`
	From     int64 `json:"from"`
	Host     text  `json:"host,omitempty"`
	Kind     text  `json:"kind"`
	Title    text  `json:"title,omitempty"`
	To       int64 `json:"to"`
}

func (r row) check(span pow.Interval) error {
	switch {
	case r.Kind != "window" && r.Kind != "web":
		return errors.New("unknown kind")
	case r.To < r.From || !during(r.From, span) || !during(r.To, span):
		return errors.New("time is outside the interval")
	case !r.App.within(maxText) || !r.Category.within(maxText) || !r.Title.within(maxText) || len(r.Host) > maxHost:
		return errors.New("text is too long")
	}
	return nil
}

// encodeActivity returns activity.ndjson: one row a line, each line ended by a
// line feed. No rows give no file.
func encodeActivity(rows []pow.ActivityRow) ([]byte, error) {
	if len(rows) > maxRows {
		return nil, pow.ErrTooLarge.With(errors.New("too many activity rows"))
	}
	var b []byte
	for _, r := range rows {
		line, err := encode(row{App: text(r.App), Category: text(r.Category), From: r.From.UnixMilli(), Host: text(r.Host),
			Kind: text(r.Kind), Title: text(r.Title), To: r.To.UnixMilli()})
		if err != nil {
			return nil, err
		}
		b = append(append(b, line...), '\n')
		if len(b) > maxFile {
			return nil, pow.ErrTooLarge.With(errors.New("activity is too large"))
		}
	}
	return b, nil
}

// parseActivity reads activity.ndjson to its end and checks every row.
func parseActivity(r io.Reader, span pow.Interval) ([]pow.ActivityRow, error) {
	var rows []pow.ActivityRow
	lines := bufio.NewReaderSize(r, maxLine+1)
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return rows, nil
		}
		if err == io.EOF || errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("row %d has no end or is too long", len(rows))
		}
		if err != nil {
			return nil, err
		}
		if len(rows) == maxRows {
			return nil, errors.New("too many rows")
		}
		got, err := parseRow(line[:len(line)-1], span)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(rows), err)
		}
		rows = append(rows, got)
	}
}

func parseRow(line []byte, span pow.Interval) (pow.ActivityRow, error) {
	var r row
	if err := decode(line, &r); err != nil {
		if errors.Is(err, ErrUnknown) {
			err = pow.ErrVersion.With(err)
		}
		return pow.ActivityRow{}, err
	}
	return pow.ActivityRow{From: time.UnixMilli(r.From).UTC(), To: time.UnixMilli(r.To).UTC(), Kind: string(r.Kind),
		App: string(r.App), Title: string(r.Title), Host: string(r.Host), Category: string(r.Category)}, r.check(span)
}
