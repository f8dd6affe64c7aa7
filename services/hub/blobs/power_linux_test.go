package blobs_test

import (
	"path/filepath"
	"testing"

	"pow.do/services/hub/store/storetest"
	"pow.do/services/pow"
)

// TestPowerCut cuts the power of the disk while blobs are uploaded (F3, F25).
func TestPowerCut(t *testing.T) {
	disk := storetest.NewDisk(t)
	dir := filepath.Join(disk.Dir, "hub")
	var acknowledged []pow.Hash
	for round := range storetest.Rounds(4) {
		acknowledged = append(acknowledged, uploads(t, dir, 5+round*7%40, disk.Cut)...)
		disk.Again()
		survived(t, dir, acknowledged)
	}
	t.Logf("%d blobs acknowledged, none lost", len(acknowledged))
}
