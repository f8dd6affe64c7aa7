// Package identity holds the keys of pow.do: Nostr keys that sign (secp256k1,
// BIP-340), archive keys that open a Sealed, the review key that opens what
// waits in the client's queue, and the passphrase that protects them at rest.
//
// A Secret is read from a mnemonic (NIP-06), an nsec (NIP-19) or an ncryptsec
// (NIP-49), or made new. Every type with a secret part prints as "[secret]"
// under every verb, in JSON and in slog; only the methods named for it (Bytes,
// Nsec, Secret) give the secret away. No error of this package repeats what it
// was given.
//
// The cost of a passphrase is decided by whoever wrote the file, so both
// readers look at it first: 2²⁰ rounds of scrypt (1 GiB) at most.
//
// Wipe overwrites the bytes that a Secret holds. Copies that the runtime or the
// mathematics made before are out of reach.
package identity
