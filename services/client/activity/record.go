package activity

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"pow.do/services/pow"
)

// The bucket types that are read.
const (
	kindWindow = "currentwindow"
	kindAFK    = "afkstatus"
	kindWeb    = "web.tab.current"
)

const (
	margin     = 10_000 // ms read beyond both ends, so that a hole at a border is seen
	maxWindow  = 3_600_000
	maxRows    = 20_000 // asked for in one request
	maxRecords = 50_000 // of one interval
)

// record is what the server knows about one interval and its margins.
type record struct {
	asked            span
	windows, afk     []event
	web              []event
	hasWindow, noAFK bool
	dropped          int
}

// list asks who the server is and which buckets of ours it has, by type.
func (c *Client) list(ctx context.Context) (map[string]string, error) {
	if c.base == nil {
		return nil, ErrAddress
	}
	if c.foreign {
		return nil, ErrForeign
	}
	body, err := c.get(ctx, "/api/0/info")
	var who info
	if err == nil {
		who, err = decodeInfo(body)
	}
	if errors.Is(err, errNoBucket) { // ActivityWatch has this path
		err = ErrForeign.With(err)
	}
	if err != nil {
		c.foreign = errors.Is(err, ErrForeign)
		return nil, err
	}
	if body, err = c.get(ctx, "/api/0/buckets/"); err != nil {
		return nil, err
	}
	all, err := decodeBuckets(body)
	if err != nil {
		return nil, err
	}
	return choose(all, who.hostname, c.cfg.Hostname, c.cfg.Buckets), nil
}

// choose picks at most one bucket of each type that is read: of the host that
// the server names, else of this computer's name, else, for browsers, of no
// host; the one that was written to last. Copies of other devices never.
func choose(all []bucket, server, own string, pinned []string) map[string]string {
	chosen := map[string]string{}
	for _, kind := range []string{kindWindow, kindAFK, kindWeb} {
		hosts := [][]string{{server}, {own}}
		if kind == kindWeb {
			hosts = append(hosts, []string{"", "unknown"})
		}
		fits := func(b bucket) bool { return b.kind == kind && slices.Contains(pinned, b.id) }
		if len(pinned) > 0 {
			hosts = hosts[:1]
		}
		for _, names := range hosts {
			if len(pinned) == 0 {
				fits = func(b bucket) bool {
					return b.kind == kind && !strings.Contains(b.id, "-synced-from-") &&
						slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, b.hostname) })
				}
			}
			if b, ok := newest(all, fits); ok {
				chosen[kind] = b.id
				break
			}
		}
	}
	return chosen
}

// newest returns the bucket with the newest event among those that fit.
func newest(all []bucket, fits func(bucket) bool) (best bucket, ok bool) {
	for _, b := range all {
		later := cmp.Or(b.updated.Compare(best.updated), -strings.Compare(b.id, best.id)) > 0
		if fits(b) && (!ok || later) {
			best, ok = b, true
		}
	}
	return best, ok
}

// record reads the buckets around s. When one vanished meanwhile it looks for
// the buckets again, once.
func (c *Client) record(ctx context.Context, s span, detail pow.Detail, now int64) (record, error) {
	r, err := c.recordOnce(ctx, s, detail, now)
	if errors.Is(err, errNoBucket) {
		r, err = c.recordOnce(ctx, s, detail, now)
	}
	return r, err
}

func (c *Client) recordOnce(ctx context.Context, s span, detail pow.Detail, now int64) (record, error) {
	buckets, err := c.list(ctx)
	if err != nil {
		return record{}, err
	}
	r := record{asked: span{s.begin - margin, min(s.end+margin, now)}}
	_, r.hasWindow = buckets[kindWindow]
	_, hasAFK := buckets[kindAFK]
	r.noAFK = !hasAFK
	if !r.hasWindow && !hasAFK {
		return record{}, errNoBucket
	}
	total := 0
	for _, part := range []struct {
		kind string
		to   *[]event
	}{{kindWindow, &r.windows}, {kindAFK, &r.afk}, {kindWeb, &r.web}} {
		id, ok := buckets[part.kind]
		if !ok || part.kind == kindWeb && detail == pow.DetailApp {
			continue
		}
		for begin := r.asked.begin; begin < r.asked.end; begin += maxWindow {
			asked := span{begin, min(begin+maxWindow, r.asked.end)}
			if err := c.events(ctx, id, asked, part.to, &r.dropped, &total); err != nil {
				return record{}, err
			}
		}
		*part.to = join(*part.to)
	}
	return r, nil
}

// events appends the rows of one bucket in asked. A full reply lacks the oldest
// rows: then both halves are asked for.
func (c *Client) events(ctx context.Context, id string, asked span, to *[]event, dropped, total *int) error {
	query := url.Values{
		"start": {stamp(asked.begin)}, "end": {stamp(asked.end)}, "limit": {strconv.Itoa(maxRows)},
	}
	body, err := c.get(ctx, "/api/0/buckets/"+url.PathEscape(id)+"/events?"+query.Encode())
	if err != nil {
		return err
	}
	events, rows, err := decodeEvents(body, asked)
	if err != nil {
		return err
	}
	if rows >= maxRows && asked.length() > 1 {
		mid := asked.begin + asked.length()/2
		if err := c.events(ctx, id, span{asked.begin, mid}, to, dropped, total); err != nil {
			return err
		}
		return c.events(ctx, id, span{mid, asked.end}, to, dropped, total)
	}
	*dropped += rows - len(events)
	if *total += rows; *total > maxRecords {
		return errShape
	}
	*to = append(*to, events...)
	return nil
}

// join makes one event of the pieces that an event at a border of requests came
// in, and drops repetitions.
func join(events []event) []event {
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.begin, b.begin)) })
	out := events[:0]
	for _, e := range events {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if last.id == e.id && last.facts == e.facts && (e.id != 0 && e.begin <= last.end || e.span == last.span) {
				last.end = max(last.end, e.end)
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

// stamp writes a time as both servers read it.
func stamp(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z") }

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
