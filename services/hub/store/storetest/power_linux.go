package storetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

// Disk is a small file system of its own whose power can be cut.
type Disk struct {
	Dir   string
	t     testing.TB
	image string
}

// NewDisk makes an ext4 file system in a file and mounts it. It takes root and a
// kernel with loop devices; otherwise the test is skipped.
func NewDisk(t testing.TB) *Disk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("cutting the power of a disk takes root")
	}
	d := &Disk{t: t, Dir: filepath.Join(t.TempDir(), "disk"), image: filepath.Join(t.TempDir(), "image")}
	if err := os.Mkdir(d.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 320<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", d.image).CombinedOutput(); err != nil {
		t.Skip("mkfs.ext4: ", err, string(out))
	}
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.Dir).CombinedOutput(); err != nil {
		t.Skip("mount: ", err, string(out))
	}
	t.Cleanup(func() { exec.Command("umount", d.Dir).Run() })
	return d
}

// goingDown is FS_IOC_GOINGDOWN, and 2 says: without writing the journal's log.
const goingDown = 0x8004587d

// Cut ends the file system as a power cut would: what was not flushed is lost,
// and every later write fails.
func (d *Disk) Cut() {
	d.t.Helper()
	f, err := os.Open(d.Dir)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	how := int32(2)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), goingDown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		d.t.Fatal(errno)
	}
}

// Again mounts it anew, once nobody uses it any more.
func (d *Disk) Again() {
	d.t.Helper()
	for _, args := range [][]string{{"umount", d.Dir}, {"mount", "-o", "loop", d.image, d.Dir}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			d.t.Fatal(err, string(out))
		}
	}
}
