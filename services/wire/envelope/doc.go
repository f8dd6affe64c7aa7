// Package envelope turns the words of pow.do into gift-wrapped mail and back:
// Notice, Account request, Receipt and Catalogue as rumors inside a seal (kind
// 13) inside a Letter (kind 1059), as in NIP-59 with NIP-44 version 2. It also
// makes and reads the DVM's announcement (kind 31990) and makes deletions (kind
// 5). EVENTS.md lists every tag.
//
// A rumor and its seal are made once and stored; a Letter is made from the seal
// as often as needed. Every rumor is padded to 2048 bytes, so that every Letter
// is 5313 bytes and its size says nothing. Seal and Letter are dated back by
// independent random times of up to 48 hours, and each Letter has a key of its
// own that nobody keeps.
//
// Reader.Open is the only way in. It stops at the first check that fails and
// says which (RejectError). What comes out is authentic: the author is the key
// that signed the seal, which must also be the rumor's own. An authentic rumor
// with bad tags is no error but Mail with Bad set, since its author is owed an
// answer; Bad is "unsupported" when only its version or action is unknown.
// The caller remembers ids, stores, and recovers per Letter.
//
// Decryption happens in guard.go only, because the library it uses panics on
// input that a stranger can send.
package envelope
