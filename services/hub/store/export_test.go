package store

import "context"

// Ask runs a query for one text on the connection that the writer uses.
func Ask(ctx context.Context, s *Store, query string) (answer string, err error) {
	err = s.change(ctx, func(w *writer) error { return w.row(query, nil, &answer) })
	return answer, err
}
