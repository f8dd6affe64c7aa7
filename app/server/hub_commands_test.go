package server_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pow.do/services/wire/identity"
)

// TestInitHub: what init is told stands in the config file, so that the hub needs
// no flags afterwards.
func TestInitHub(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	dvm := identity.Npub(newHubKey("dvm").public)
	if code, _, errs := command(t, "--data", dir, "--listen", ":443", "--tls-domain", "hub.example.com", "--dvm", dvm, "init", "--role", "hub"); code != 0 {
		t.Fatal(errs)
	}
	b, err := os.ReadFile(filepath.Join(dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`listen = ":443"`, `tls-domain = ["hub.example.com"]`, `dvm = ["` + dvm + `"]`, `# public-url = ["https://hub.example.com"]`, "# blobs = \"file:\""} {
		if !strings.Contains("\n"+string(b), "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, b)
		}
	}
	if code, _, errs := command(t, "--data", dir, "hub", "list"); code != 0 {
		t.Errorf("the config file cannot be read back: %s", errs)
	}
}

// TestHubDoctor names what is wrong, and finds nothing wrong with a hub that runs.
func TestHubDoctor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	h := startHub(t, filepath.Join(dir, "hub"), noClaims)
	dvm := identity.Npub(h.DVM.public)
	if code, out, errs := command(t, "--data", dir, "--dvm", dvm, "--public-url", "http://"+h.Host, "doctor"); code != 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	code, out, _ := command(t, "--data", dir, "--blobs", "s3://bucket?endpoint=http://127.0.0.1:1", "--public-url", other.URL, "doctor")
	for _, want := range []string{"DVM", "404", "blobs"} {
		if code == 0 || !strings.Contains(out, want) {
			t.Errorf("%d: %q is not named in\n%s", code, want, out)
		}
	}
}
