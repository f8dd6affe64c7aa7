package kimai

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

var sheetByID = regexp.MustCompile(`^timesheets/\d+$`)

// Classify feeds a recorded exchange to the decoders and returns class and
// reason. sent are the fields of the request's body.
func Classify(method, path string, sent []string, status int, header http.Header, body []byte) string {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/api/"), "?")
	k := about
	switch sheet := sheetByID.MatchString(path); {
	case method == http.MethodPost:
		k = create
	case method != http.MethodGet:
		k = change
	case sheet:
		k = one
	case path == "timesheets":
		k = list
	}
	f := classify(k, sent, &answer{status, header, body}, time.Time{})
	if f == nil {
		if err := decode(body, target(k, path)); err != nil {
			return string(lost(k)) + " shape"
		}
		return string(fine)
	}
	return strings.TrimSpace(string(f.class) + " " + string(f.reason))
}

// target is what the adapter reads from a path.
func target(k kind, path string) any {
	switch {
	case k == list:
		return new([]record)
	case sheetByID.MatchString(path), path == "timesheets":
		return new(record)
	case k != about:
		return new(any)
	case path == "version":
		return new(version)
	case path == "config/timesheet":
		return new(settings)
	case path == "users/me":
		return new(account)
	case path == "users":
		return new([]account)
	case path == "projects", path == "activities":
		return new([]entry)
	}
	return new(any)
}

// Decode runs every reader of foreign bytes over b.
func Decode(b []byte) {
	for _, v := range []any{new(record), new([]record), new(version), new(settings), new(account), new([]account), new([]entry)} {
		_ = decode(b, v)
	}
	for _, k := range []kind{about, one, list, create, change} {
		h := http.Header{"Content-Type": {"application/json"}}
		_ = classify(k, []string{"begin"}, &answer{http.StatusBadRequest, h, b}, time.Time{})
	}
}
