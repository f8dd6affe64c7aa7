// Package relay is a Nostr relay that does one thing: it keeps letters (gift
// wraps, NIP-59) for admitted devices until they are fetched or expire.
//
// It speaks NIP-01, 09, 11, 40, 42, 43, 45, 59, 62 and 70 over one WebSocket
// endpoint. A device is admitted with a claim that its DVM signed (kind 28934),
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
// The relay does not know its own name from a request: origins come from the
// configuration, and X-Forwarded-For and its kin are not looked at. The address
// of a peer is used to count its connections while they last, and is neither
// stored nor logged.
package relay
