package assets_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pow.do/assets"
)

var languages = []string{"en", "de", "es", "fr"}

func locale(t *testing.T, language string) map[string]any {
	t.Helper()
	b, err := assets.Locales.ReadFile("locales/" + language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", language, err)
	}
	return m
}

// forms returns the texts of a key: one, or one for each plural form.
func forms(v any) map[string]string {
	if s, ok := v.(string); ok {
		return map[string]string{"": s}
	}
	m := map[string]string{}
	for k, s := range v.(map[string]any) {
		m[k] = s.(string)
	}
	return m
}

var placeholder = regexp.MustCompile(`\{\{\.\w+\}\}`)

func placeholders(s string) []string {
	p := placeholder.FindAllString(s, -1)
	slices.Sort(p)
	return slices.Compact(p)
}

// A text that is missing, or that lost a placeholder, shows up as a key or as a
// hole on somebody's screen.
func TestLocalesAreComplete(t *testing.T) {
	english := locale(t, "en")
	for _, language := range languages[1:] {
		other := locale(t, language)
		for k := range other {
			if _, ok := english[k]; !ok {
				t.Errorf("%s: %s is not in en", language, k)
			}
		}
		for k, v := range english {
			w, ok := other[k]
			if !ok {
				t.Errorf("%s: %s is missing", language, k)
				continue
			}
			a, b := forms(v), forms(w)
			for form, s := range a {
				if b[form] == "" {
					t.Errorf("%s: %s has no form %q", language, k, form)
				}
				if p, q := placeholders(s), placeholders(b[form]); !slices.Equal(p, q) {
					t.Errorf("%s: %s has %v, want %v", language, k, q, p)
				}
			}
		}
	}
}

var literal = regexp.MustCompile(`"([a-z]+\.[a-z0-9_.-]*)"`)

// Every key in the code has a text, and every text is used. A literal that ends
// in a dot stands for all keys that begin with it.
func TestEveryKeyIsUsedAndKnown(t *testing.T) {
	english := locale(t, "en")
	used, families := map[string]bool{}, []string{"weekday.", "month."}
	for root, wanted := range map[string]func(string) bool{
		"../ui": func(string) bool { return true },
		// The agent speaks in its tray menu and its notifications only.
		"../app/client": func(k string) bool { return strings.HasPrefix(k, "tray.") || strings.HasPrefix(k, "note.") },
	} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
				switch k := m[1]; {
				case !wanted(k):
				case strings.HasSuffix(k, "."):
					families = append(families, k)
				default:
					used[k] = true
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	inFamily := func(k string) bool {
		return slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(k, f) })
	}
	for k := range english {
		if !used[k] && !inFamily(k) {
			t.Errorf("%s is not used", k)
		}
	}
	notKeys := []string{"pow.do", "powdo.png"}
	for k := range used {
		if _, ok := english[k]; !ok && !slices.Contains(notKeys, k) {
			t.Errorf("%s has no text", k)
		}
	}
}
