package identity

import "pow.do/services/pow"

// What can be wrong with a key or a passphrase. Each is a *pow.Error, compared
// by code, with words for the person who pasted it; none repeats the value.
var (
	ErrKey        = &pow.Error{Code: "bad-key", What: "this is not a secret key", Mend: "paste an nsec, an ncryptsec, or the words of the key"}
	ErrHex        = &pow.Error{Code: "hex-key", What: "a key in hex does not say whether it is secret or public", Mend: "paste it as nsec1…"}
	ErrChecksum   = &pow.Error{Code: "bad-checksum", What: "the key is damaged: a character is missing or wrong", Mend: "copy it again as a whole"}
	ErrPublicKey  = &pow.Error{Code: "public-key", What: "this is a public key", Mend: "paste the secret one, which starts with nsec1"}
	ErrSecretKey  = &pow.Error{Code: "secret-key", What: "this is a secret key and was not used", Mend: "give the public key, which starts with npub1"}
	ErrNpub       = &pow.Error{Code: "bad-npub", What: "this is not a public key", Mend: "give the public key, which starts with npub1"}
	ErrWords      = &pow.Error{Code: "bad-words", What: "these are not the words of a key", Mend: "check spelling and order"}
	ErrPassphrase = &pow.Error{Code: "wrong-passphrase", What: "the passphrase is wrong"}
	ErrNoPhrase   = &pow.Error{Code: "no-passphrase", What: "a passphrase is needed", Mend: "it may have up to 1024 bytes"}
	ErrCost       = &pow.Error{Code: "key-cost", What: "the key was protected with an unusual amount of work (log_n outside 16 to 20)", Mend: "export it again with log_n 16 to 20"}
	ErrArchiveKey = &pow.Error{Code: "bad-archive-key", What: "this is not an archive key", Mend: "it starts with AGE-SECRET-KEY-"}
	ErrSealed     = &pow.Error{Code: "bad-sealed", What: "the encrypted bytes are damaged, or meant for another key"}
)
