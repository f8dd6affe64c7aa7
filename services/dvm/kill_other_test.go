//go:build !unix

package dvm_test

// child tells whether this process is a DVM that is to be killed; only where
// there is a signal to do it.
func child() bool { return false }
