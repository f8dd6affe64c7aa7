package queue

import "pow.do/services/pow"

// DeliveriesIn returns the deliveries whose interval touches a span of time, in
// order of making. It reads no others, however many there are.
func (q *Queue) DeliveriesIn(span pow.Interval) ([]pow.Delivery, error) {
	return q.some(func(b brief) bool { return b.interval.Intersect(span).Valid() })
}
