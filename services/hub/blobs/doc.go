// Package blobs is a Blossom server that forgets: it takes encrypted blobs from
// admitted devices, gives them to their owner and its DVM only, and deletes them
// when the DVM has them or their time is over.
//
// It speaks BUD-01 (GET, HEAD), BUD-02 (PUT /upload), BUD-06 (HEAD /upload),
// BUD-11 (tokens) and BUD-12 (DELETE). Mirror, media, list and report are
// absent: they answer 404. Every request but OPTIONS needs a token, GET too, so
// a stranger cannot learn whether a blob exists; a member learns it of its own
// blobs only.
//
// An upload is streamed to a temporary file in the same folder tree, hashed on
// the way, compared, flushed to the disk and renamed. A crash at any point
// leaves nothing or a whole blob. Everything that can be refused is refused
// before the body is read, and an upload needs less than 128 KiB of memory.
//
// Blobs are ciphertext: their type is not known and their content is never
// looked at. Names, addresses of peers and hashes are not logged.
package blobs
