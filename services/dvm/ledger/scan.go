package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// scanner is a row.
type scanner interface{ Scan(...any) error }

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// query calls f for every row.
func query(ctx context.Context, db queryer, text string, args []any, f func(scanner) error) error {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// has tells whether the query finds a row.
func has(ctx context.Context, db queryer, text string, args ...any) (bool, error) {
	var n int
	err := db.QueryRowContext(ctx, text, args...).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// exec runs a statement for its effect.
func exec(ctx context.Context, tx *sql.Tx, text string, args ...any) error {
	_, err := tx.ExecContext(ctx, text, args...)
	return err
}

// changed runs a statement and tells whether it changed a row.
func changed(ctx context.Context, tx *sql.Tx, text string, args ...any) (bool, error) {
	r, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// ms stores a time; the zero time is NULL.
func ms(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func fromMS(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return time.UnixMilli(v.Int64).UTC()
}

// instant reads a time.
type instant struct{ t *time.Time }

func (i instant) Scan(v any) error {
	var n sql.NullInt64
	if err := n.Scan(v); err != nil {
		return err
	}
	*i.t = fromMS(n)
	return nil
}

// text reads a hash or a key; the empty string is the zero value.
type text struct {
	to interface{ UnmarshalText([]byte) error }
}

func (x text) Scan(v any) error {
	var s sql.NullString
	if err := s.Scan(v); err != nil {
		return err
	}
	if s.String == "" {
		return nil
	}
	return x.to.UnmarshalText([]byte(s.String))
}

// hex stores a hash; the zero hash is the empty string.
func hex(h pow.Hash) string {
	if h.IsZero() {
		return ""
	}
	return h.String()
}

// doc reads and writes JSON columns; NULL and ” leave the value as it is.
type doc struct{ v any }

func (d doc) Scan(v any) error {
	var s sql.NullString
	if err := s.Scan(v); err != nil {
		return err
	}
	if s.String == "" {
		return nil
	}
	return json.Unmarshal([]byte(s.String), d.v)
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write a column: %w", err)
	}
	return string(b), nil
}

// projectList is NULL for every project.
func projectList(p []pow.ProjectID) (any, error) {
	if p == nil {
		return nil, nil
	}
	return toJSON(p)
}
