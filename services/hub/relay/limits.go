package relay

import "time"

// Limits of a connection.
const (
	maxFrame     = 131_072 // bytes of one message, also NIP-11's max_message_length
	maxQueue     = 4 << 20 // bytes that wait for a slow reader
	maxPending   = 256     // events of one connection that wait for their commit
	maxSubs      = 20
	maxRefused   = 100 // REQs refused for too many subscriptions, before the connection is closed
	maxKeys      = 8   // authenticated on one connection
	maxAuths     = 16  // AUTH messages on one connection
	maxUnauthed  = 5   // other messages before the first AUTH
	maxJoins     = 3   // tries on one connection
	maxBadFrames = 3   // the third one closes the connection

	authWait    = 10 * time.Second
	writeWait   = 10 * time.Second
	pingEvery   = 30 * time.Second
	silenceWait = 90 * time.Second
	closeWait   = 3 * time.Second // for close frames, when the relay shuts down
)

// Limits of the relay.
const (
	maxConns      = 10_000
	connsPerIP    = 16
	connsPerKey   = 8
	strangersHour = 10 // joins and requests to vanish per hour and address
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
	maxManage       = 65_536 // bytes
	manageWait      = 10 * time.Second
	managePerMinute = 120
)

// Rates. A DVM may do dvmFactor times what a member may.
const (
	lettersPerMinute   = 60
	lettersBurst       = 120
	deletionsPerMinute = 60
	authsPerMinute     = 10
	requestsPerMinute  = 120
	dvmFactor          = 50
)
