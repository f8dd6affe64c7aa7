// Package app is how pow.do is put together: the architecture on one screen.
//
// One codebase, two programs:
//
//	powdo         the desktop: an agent that runs all day, and a window (main.go)
//	powdo-server  the servers: roles hub, dvm, all    (main_server.go, -tags server)
//
// Five folders, one direction:
//
//	main → app → { ui, services }      ui → services/pow + assets
//
// Inside services the tree is a deployment diagram:
//
//	pow      the words of the flow and the pure rules between them
//	wire     what both ends must agree on, byte for byte
//	client   the worker's machine:   timer → capture + activity → queue → outbox
//	hub      the public server: relay and blob store; sees ciphertext only
//	dvm      the private server: unwrap → fetch → open → verify → record → book → answer
//
// The flow is in the types. Each arrow is one small interface, declared by the
// package that calls it, and one state that is stored before the next step:
//
//	client:  Capture ─queue→ Proof ─archive.Seal→ Sealed ─blossom.Put→ Notice ─envelope.Wrap→ Letter ─relays.Publish→ ●
//	dvm:     ● ─relays→ Letter ─envelope→ Notice ─blossom.Get→ Sealed ─archive.Open→ Proof ─verify→ ledger ─meter→ timesheet
//	         └─ envelope.Wrap(Receipt) → Letter ─relays.Publish→ ○
//	client:  ○ ─relays→ Letter ─envelope→ Receipt ─queue→ end of the proof's life on the client
//
// Parts never import each other: they meet in app/client and app/server only.
// arch_test.go holds these rules and fails when a file breaks one.
package app
