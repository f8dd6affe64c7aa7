package client

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"pow.do/assets"
)

// phrases are the words of one language, for what the agent shows without a
// window. Keys and plural forms are those of the locale files.
type phrases struct {
	language string
	texts    map[string]any
}

// phrasesFor reads a language of the settings; "" is the desktop's.
func phrasesFor(language string) phrases {
	if language == "" {
		language = desktopLanguage(os.Getenv)
	}
	p := phrases{language: language}
	b, err := assets.Locales.ReadFile("locales/" + language + ".json")
	if err != nil {
		p.language = "en"
		b, err = assets.Locales.ReadFile("locales/en.json")
	}
	if err == nil {
		err = json.Unmarshal(b, &p.texts)
	}
	if err != nil {
		p.texts = map[string]any{} // keys are shown; the files are tested
	}
	return p
}

// desktopLanguage reads the language as programs are told it, most telling first.
func desktopLanguage(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			language, _, _ := strings.Cut(v, "_")
			language, _, _ = strings.Cut(language, ".")
			return strings.ToLower(language)
		}
	}
	return "en"
}

// T returns a text; args are pairs of a placeholder's name and its value.
func (p phrases) T(key string, args ...string) string {
	s, ok := p.texts[key].(string)
	if !ok {
		return key
	}
	return fill(s, args)
}

// N returns a text in the form for n; {{.N}} is n.
func (p phrases) N(key string, n int) string {
	forms, _ := p.texts[key].(map[string]any)
	form := "other"
	if n == 1 || n == 0 && p.language == "fr" {
		form = "one"
	}
	s, ok := forms[form].(string)
	if !ok {
		return key
	}
	return fill(s, []string{"N", strconv.Itoa(n)})
}

func fill(s string, args []string) string {
	for i := 0; i+1 < len(args); i += 2 {
		s = strings.ReplaceAll(s, "{{."+args[i]+"}}", args[i+1])
	}
	return s
}
