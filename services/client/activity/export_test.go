package activity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Classify gives a reply the class that the client acts on, and the number of
// events in it that count.
func Classify(path string, status int, contentType string, body []byte, begin, end int64) (class string, events int) {
	err := judge(status, contentType, body)
	if err == nil {
		switch route, _, _ := strings.Cut(path, "?"); {
		case route == "/api/0/info":
			_, err = decodeInfo(body)
		case route == "/api/0/buckets/":
			_, err = decodeBuckets(body)
		case strings.HasSuffix(route, "/events"):
			var list []event
			list, _, err = decodeEvents(body, span{begin, end})
			events = len(list)
		}
	}
	for class, is := range map[string]error{
		"foreign": ErrForeign, "address": ErrAddress, "locked": ErrLocked, "no bucket": errNoBucket,
		"internal": errInternal, "busy": errBusy, "request": errRequest,
	} {
		if errors.Is(err, is) {
			return class, 0
		}
	}
	return "ok", events
}

// NoPause makes c try again at once, and returns the pauses that it asked for.
func NoPause(c *Client) *[]time.Duration {
	var pauses []time.Duration
	c.pause = func(_ context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return nil
	}
	return &pauses
}

// ParseConfig reads a config file's port and key.
func ParseConfig(text string) (port, key string) { return parseConfig(text) }

// DefaultKeyFiles are the config files for a port.
func DefaultKeyFiles(port string) []string { return defaultKeyFiles(port) }

// BrowsersInOrder tells whether the list can be searched.
func BrowsersInOrder() bool { return slices.IsSorted(browsers) }
