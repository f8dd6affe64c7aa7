// Package kimai books proven time in Kimai, the only package that knows Kimai.
//
// A run of a session is one closed record. It is created with the first proof,
// every later proof moves its end, and a marker at the end of its description,
// [powdo-<16 hex>], finds it again. People own everything else about a record:
// a record that a person changed, invoiced or removed is never written again.
//
// Kimai has neither conditional requests nor keys that make a request safe to
// repeat. So what will be sent is stored before each request, and what came
// back after it. When the answer to a create is lost, the marker is searched
// for; only a search that is seen to find another record may say "there is
// none", because Kimai answers a caller without the permission to see records
// with an empty list instead of a refusal.
//
// Every answer leads to one of: booked; parked, a person decides about this
// run; again later; or stopped. After a stop nothing is written for anybody
// until the account and the settings of the server pass the check that is made
// at first use and every hour, and while stopped every five minutes. The texts
// of Kimai's errors are shown to the admin and never parsed.
//
// Times are sent in UTC with Z only, because Kimai reads a time without a zone
// in the zone of the caller or of the record, whichever it finds first. They
// come back rounded to the server's liking, in the zone of the caller or of the
// owner; instants are compared, within the tolerance. The calendar day of a
// record is fixed at creation in the caller's zone; where that is another day
// for the owner, three more requests put it right.
//
// Redirects are never followed, the token appears in no URL, error or log line,
// and of strangers' bytes at most 8 MiB and 32 levels of JSON are read.
package kimai
