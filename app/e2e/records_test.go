package e2e_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRecords takes the same proven time out of the server in every form,
// exports all that is held of the member, and erases it.
func TestRecords(t *testing.T) {
	w, server, agent := joined(t)
	w.must("powdo", "start", projectName, "--note", noteText)
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo", "register", "--wait")
	checkBooked(t, w, 1)
	proven := w.sessions()[0].Proven

	r := into[struct {
		Proven int64 `json:"proven_seconds"`
		Booked int64 `json:"booked_seconds"`
		Proofs []proof
	}](w, w.must("powdo-server", "report", "--format", "json"))
	if r.Proven != proven || r.Booked != proven || len(r.Proofs) != 1 {
		t.Errorf("the report says %+v, the session %d s", r, proven)
	}
	rows, err := csv.NewReader(strings.NewReader(w.must("powdo-server", "report", "--format", "csv", "--member", memberName, "--project", projectName))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][7] != strconv.FormatInt(proven, 10) {
		t.Errorf("the table: %v, %v", rows, err)
	}
	if page := w.must("powdo-server", "report"); !strings.Contains(page, projectName) || !strings.Contains(page, r.Proofs[0].Sealed) {
		t.Error("the page lacks the project or the proof")
	}
	file := filepath.Join(t.TempDir(), "report.pdf")
	w.must("powdo-server", "report", "--format", "pdf", "--out", file)
	if b, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(b), "%PDF-") {
		t.Errorf("the PDF: %v", err)
	}
	if _, code, _ := w.try("powdo-server", "report", "--format", "pdf", "--out", file); code != 2 {
		t.Errorf("a file that is there: exit %d, want 2", code)
	}
	if _, code, _ := w.try("powdo-server", "report", "--from", "yesterday"); code != 2 {
		t.Errorf("a bad day: exit %d, want 2", code)
	}
	if out := w.must("powdo-server", "report", "--format", "csv", "--to", "2020-01-01"); strings.Contains(out, projectName) {
		t.Error("a period before everything is not empty")
	}

	all := filepath.Join(t.TempDir(), "all")
	w.must("powdo-server", "export", memberName, "--to", all)
	pictures, err := filepath.Glob(filepath.Join(all, "proof-*", "*.png"))
	if err != nil || len(pictures) == 0 {
		t.Errorf("the export has no picture: %v, %v", pictures, err)
	}
	if hits := hits(t, all, map[string][]byte{"note": []byte(noteText), "name": []byte(memberName)}); len(hits) == 0 {
		t.Error("the export says nothing of the member")
	}

	if _, code, _ := w.try("powdo-server", "erase", memberName); code != 2 {
		t.Errorf("erase without --yes: exit %d, want 2", code)
	}
	w.must("powdo-server", "erase", memberName, "--yes")
	agent.stop(t)
	server.stop(t)
	if kept, _ := filepath.Glob(filepath.Join(w.data, "dvm", "sealed", "??", "*")); len(kept) != 0 {
		t.Errorf("archives are left: %v", kept)
	}
	if ss := w.sessions(); len(ss) != 1 || ss[0].Proven != proven {
		t.Errorf("proven hours did not stay: %+v", ss)
	}
	if hits := hits(t, filepath.Join(w.data, "dvm"), map[string][]byte{"note": []byte(noteText), "name": []byte(memberName)}); len(hits) > 0 {
		t.Errorf("still on the DVM's disk: %v", hits)
	}
}
