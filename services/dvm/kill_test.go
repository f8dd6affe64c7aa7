package dvm_test

func child() bool { return false }
