package archive

// Limits of archive format 1. Sealed archives are bounded by pow.MaxSealed;
// together with stored pictures and the ratio below this bounds everything that
// can come out of one.
const (
	maxHeader  = 16 << 10 // bytes before the payload, age or OpenPGP
	maxStanzas = 8        // recipients of one age or OpenPGP file
	maxKey     = 64 << 10 // bytes of an armored OpenPGP key

	maxEntries   = 512
	maxStatement = 16 << 10
	maxManifest  = 4 << 20
	maxFile      = 32 << 20 // a picture, or the activity inflated
	maxRatio     = 100      // inflated to deflated

	maxRows      = 100_000
	maxLine      = 64 << 10 // bytes of one activity row, without its line feed
	maxText      = 1_024    // runes of a title, an app, a category
	maxHost      = 2_048    // bytes
	maxApp       = 64       // runes of the sealing program's name
	maxDropped   = 100_000
	maxAreas     = 1_000   // covered ones of a picture
	maxParts     = 10_000  // stretches of one kind of marked time
	maxConsent   = 4 << 10 // bytes
	maxDisplay   = 1_023
	maxSide      = 16_384 // pixels
	maxPixels    = 64_000_000
	maxUnix      = 1<<40 - 1 // seconds; far beyond any date, and exact in milliseconds in every JSON reader
	maxJSONDepth = 32
)
