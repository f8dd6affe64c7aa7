// Package pow holds the words of pow.do and the pure rules between them.
//
// The words tell the product's story in the order in which data flows:
//
//	client:  Capture → Proof → Sealed → Notice → Letter
//	DVM:     Letter → Notice → Sealed → Proof → ledger → timesheet → Receipt
//	client:  Receipt → the end of the proof's life on the client
//
// "Proof of work" means evidence that work was done. It has nothing to do with
// hash difficulty (NIP-13).
//
// Nothing here reads a clock, a disk or a network: rules take the time as a
// value, so that late, early and skewed proofs are rows in a table. The package
// uses the standard library only.
package pow
