package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pow.do/services/dvm/ledger"
)

// metrics turns the plain counters of the roles into what Prometheus reads. No
// name, key, address or id is ever a label.
type metrics struct {
	read func() map[string]map[string]float64
}

// Describe implements prometheus.Collector: the metrics are not known beforehand.
func (metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m metrics) Collect(out chan<- prometheus.Metric) {
	for name, values := range m.read() {
		labels := []string{"what"}
		if _, single := values[""]; single {
			labels = nil
		}
		desc := prometheus.NewDesc("powdo_"+name, "Counted since the start, or as stored.", labels, nil)
		for what, v := range values {
			var with []string
			if labels != nil {
				with = []string{what}
			}
			out <- prometheus.MustNewConstMetric(desc, prometheus.UntypedValue, v, with...)
		}
	}
}

func one(v int64) map[string]float64 { return map[string]float64{"": float64(v)} }

func many(in map[string]int64) map[string]float64 {
	out := map[string]float64{}
	for k, v := range in {
		out[k] = float64(v)
	}
	return out
}

func hubMetrics(h *Hub) metrics {
	return metrics{func() map[string]map[string]float64 {
		s := h.Stats()
		out := map[string]map[string]float64{
			"hub_connections": one(s.Connections), "hub_events_accepted": one(s.Accepted), "hub_events_delivered": one(s.Delivered),
			"hub_joined": one(s.Joined), "hub_refused": many(s.Refused), "hub_blobs_uploaded": one(s.BlobsUploaded),
			"hub_blob_bytes": one(s.BlobBytes), "hub_blobs_served": one(s.BlobsServed), "hub_blobs_deleted": one(s.BlobsDeleted),
			"hub_blobs_expired": one(s.BlobsExpired), "hub_requests_refused": many(s.RequestsRefused),
		}
		ctx, cancel := context.WithTimeout(context.Background(), metricsTime)
		defer cancel()
		if z, err := h.Size(ctx); err == nil {
			for name, n := range map[string]int64{
				"letters": z.Letters, "letter_bytes": z.LetterBytes, "announcements": z.Announcements, "devices": z.Devices,
				"blobs": z.Blobs, "blob_bytes": z.BlobBytes, "tombstones": z.Tombstones, "claims": z.Claims,
			} {
				out["hub_stored_"+name] = one(n)
			}
		}
		if free, total, err := h.disk.Space(); err == nil {
			out["hub_disk_free_bytes"], out["hub_disk_bytes"] = one(free), one(total)
		}
		return out
	}}
}

// metricsTime bounds the database's answer to one reading.
const metricsTime = 5 * time.Second

func dvmMetrics(l *ledger.Ledger) metrics {
	return metrics{func() map[string]map[string]float64 {
		ctx, cancel := context.WithTimeout(context.Background(), metricsTime)
		defer cancel()
		counters, err := l.Counters(ctx)
		if err != nil {
			return nil
		}
		return map[string]map[string]float64{"dvm_total": many(counters)}
	}}
}
