// Package archive turns a Proof into a Sealed and back: archive format 1.
//
// A Sealed is a zip file inside one layer of encryption (age or OpenPGP). The
// zip holds, in this order, statement.json (a signed Nostr event that is never
// published), manifest.json (what every other file is, with size, SHA-256 and a
// salted leaf), the pictures c0001.png, c0002.jpg …, activity.ndjson, and pad,
// whose zeros bring the Sealed to a Padmé size. The Merkle root over the leaves
// stands in the Statement, so the signature covers every byte that means
// something. FORMAT.md beside this file defines each byte.
//
// [Sealer] makes archives in one pass: pictures are read through Capture.Open,
// one at a time, and nothing is written to a disk in clear. It runs the same
// checks as the reader on everything it writes, so that it never hands out what
// a DVM refuses.
//
// [Opener] trusts nothing: sizes before headers, headers before decryption, the
// zip's structure before its contents, the signature before the manifest, the
// manifest before the files. Memory stays flat, whatever an archive declares;
// only an OpenPGP archive is held as a whole (at most pow.MaxSealed bytes),
// because that format releases bytes before it can vouch for them.
//
// Errors are *pow.Error with the code of the Receipt that they lead to, around
// the precise cause. Errors of another kind mean that the archive could not be
// read or written at all: they say nothing about it and may pass later. No
// error holds names, text or pictures from an archive, nor any key.
//
// A still screen gives equal pictures, so pictures that are there twice are
// accepted here; whether they mean something is for the reader of the Proof.
package archive
