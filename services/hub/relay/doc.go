// Package relay is a Nostr relay that does one thing: it keeps letters (gift
// wraps, NIP-59) for admitted devices until they are fetched or expire.
//
// It speaks NIP-01, 09, 11, 40, 42, 43, 45, 59, 62, 70 and 77 over one WebSocket
// endpoint, and NIP-86 over HTTP for named admins and for the DVMs, who manage
// their own devices; every such call is recorded before it is done. A device is admitted with a claim that its DVM signed (kind 28934),
// or by hand. From then on it may write to its DVM, and its DVM to it; each reads
// what is addressed to it and nothing else. Kinds that are not needed for this
// are refused.
//
// Everything a stranger sends passes one order of checks: frame size, shape,
// kind, authentication, tags, times, id, signature, access. Nothing has an
// effect before the signature holds. One function, visible, decides whether a
// connection may see an event, and every path calls it at the moment of
// sending.
//
// OK true is sent only after the store has the event on disk. A reader that
// does not read is cut off; it never delays others.
//
// Everything that a stranger can make grow has a bound, for a connection, an
// address, a key and the whole: see limits.go. Who may not send an event cannot
// make the relay check a signature. A panic while one connection is served ends
// that connection only.
//
// The relay does not know its own name from a request: origins come from the
// configuration, and X-Forwarded-For and its kin are not looked at. The address
// of a peer is used to count its connections while they last, and is neither
// stored nor logged.
package relay
