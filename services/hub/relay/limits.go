package relay

import "time"

// Limits of a connection.
const (
	maxFrame     = 131_072  // bytes of one message, also NIP-11's max_message_length
	maxQueue     = 4 << 20  // bytes that wait for a slow reader
	maxStranger  = 64 << 10 // the same, for one that is not admitted
	bufferSize   = 1024     // bytes, for reading and for writing
	maxPieces    = 256      // of one message that are smaller than leastPiece
	leastPiece   = 256      // bytes
	maxPending   = 256      // events of one connection that wait for their commit
	maxSubs      = 20
	maxRefused   = 100 // REQs refused for too many subscriptions, before the connection is closed
	maxKeys      = 8   // authenticated on one connection
	maxAuths     = 16  // AUTH messages on one connection
	maxUnauthed  = 5   // other messages before the first AUTH
	maxJoins     = 3   // tries on one connection
	maxForged    = 10  // events with a wrong id or signature; the next one closes
	maxBadFrames = 3   // the third one closes the connection

	authWait    = 10 * time.Second
	writeWait   = 10 * time.Second
	messageWait = 30 * time.Second // from the first to the last byte of a message
	pingEvery   = 30 * time.Second
	silenceWait = 90 * time.Second
	lingerWait  = time.Second     // for the peer's answer to a close frame
	closeWait   = 3 * time.Second // for close frames, when the relay shuts down
)

// Limits of the relay.
const (
	maxConns      = 10_000
	maxStrangers  = 7_500 // connections, beyond which keys that are not admitted are refused
	connsPerIP    = 16
	siteFactor    = 4 // times connsPerIP for an IPv6 network of 48 bits
	connsPerKey   = 8
	maxInbound    = 32 << 20  // bytes of events that wait for their commit
	maxQueued     = 256 << 20 // bytes that wait for all readers; beyond, the slow ones are cut off
	strangersHour = 10        // joins and requests to vanish per hour and address
)

// Limits of requests.
const (
	maxSubID       = 64
	maxFilters     = 10
	maxIDs         = 500
	maxAuthors     = 100
	maxFilterKinds = 20
	maxTagFilters  = 3
	maxTagValues   = 100
	maxLimit       = 500
	countCeiling   = 100_000
	maxNegItems    = 50_000           // of one negotiation
	maxNegHeld     = 40 * maxNegItems // of all of them: 80 MB
	negIdle        = 30 * time.Second
)

// Limits of events.
const (
	maxTags         = 20
	maxDeletionTags = 200
	maxTagValue     = 2_048
	minLetter       = 132 // characters of a gift wrap's content: the shortest NIP-44 payload
	maxLetter       = 65_000
	maxAnnouncement = 60_000

	future    = 900 * time.Second
	past      = 7 * 24 * time.Hour // NIP-59 back-dates by up to two days, and clocks are wrong
	handshake = 600 * time.Second  // either way, for AUTH, join and leave

	letterLife    = 30 * 24 * time.Hour // of a letter that names no expiration
	maxLetterLife = 32 * 24 * time.Hour
)

// Limits of requests to manage (NIP-86).
const (
	maxManage  = 65_536 // bytes
	manageWait = 10 * time.Second
)

// Rates of a connection.
const (
	authsPerMinute    = 10
	requestsPerMinute = 120
	controlsPerMinute = 60 // pings and pongs
	dvmFactor         = 50 // times what a member may

	// Messages of any kind; strangers have no burst beyond a minute's.
	strangersFrames  = 120
	framesPerMinute  = 600
	framesBurstTimes = 4
)

// allRates are those that hold across connections.
type allRates struct {
	letters, deletions, calls *rates // per key; calls are those of NIP-86
	connects, auths, joins    *rates // per address
}

func newAllRates(now func() time.Time) allRates {
	return allRates{
		letters:   newRates(now, 60, 120),
		deletions: newRates(now, 60, 60),
		calls:     newRates(now, 120, 120),
		connects:  newRates(now, 120, 240),
		auths:     newRates(now, 240, 480),
		joins:     newRates(now, strangersHour/60.0, strangersHour),
	}
}
