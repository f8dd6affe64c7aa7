// Package invite reads and writes what lets a person in: the invite link, the
// hub claim inside it, and the DVM claim beside that.
//
// Two things are granted by two secrets. The hub claim (event kind 25940,
// signed by the DVM, never published) admits one device to the hubs it names.
// The DVM claim, 32 random bytes of which the DVM keeps the hash only, enrols
// one identity as a member. So the hub cannot enrol anybody, and learns nothing
// about members. A link without either is an address: the way by hand.
//
// A link and both claims are bearer secrets: they belong in no log, and a Link
// hides itself from slog. Parse refuses everything that is wrong with a link
// before the caller can connect anywhere. INVITE.md has the format.
package invite
