// Package words turns what the agent says into what a person reads: states,
// refusals, times, sizes, in the language of the desktop.
//
// Every text is in assets/locales under a key by meaning, in four languages.
// The screens' presenters know nothing of it: they hold states and times, and
// the views ask here for the words. One word stands for one state everywhere,
// always together with its icon, so that nothing is told by colour alone.
package words

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"pow.do/assets"
)

// Languages lists the languages with a complete file, English first.
var Languages = []string{"en", "de", "es", "fr"}

// Load makes the texts known. language is one of Languages, or empty for the
// desktop's own, with English where that is not among them. Fyne has no call to
// choose a language: the chosen file is registered under the desktop's locale.
func Load(language string) error {
	if language == "" {
		return lang.AddTranslationsFS(assets.Locales, "locales")
	}
	b, err := assets.Locales.ReadFile("locales/" + language + ".json")
	if err != nil {
		return fmt.Errorf("language %q: %w", language, err)
	}
	return errors.Join(
		lang.AddTranslationsForLocale(b, fyne.Locale("en")),
		lang.AddTranslationsForLocale(b, lang.SystemLocale()),
	)
}

// Data fills the {{.placeholders}} of a text.
type Data = map[string]any

// T returns the text of a key.
func T(key string, data ...Data) string {
	if len(data) == 0 {
		return lang.X(key, key)
	}
	return lang.X(key, key, data[0])
}

// N returns the text of a key for a number, which is also {{.N}} in it.
func N(key string, n int, data ...Data) string {
	d := Data{"N": n}
	if len(data) > 0 {
		for k, v := range data[0] {
			d[k] = v
		}
	}
	return lang.XN(key, key, n, d)
}

// Has tells whether there is a text for a key that came from elsewhere, such as
// the code of an error.
func Has(key string) bool { return known()[key] }

var known = sync.OnceValue(func() map[string]bool {
	b, err := assets.Locales.ReadFile("locales/en.json")
	var all map[string]json.RawMessage
	if err = errors.Join(err, json.Unmarshal(b, &all)); err != nil {
		panic("read the English texts: " + err.Error()) // embedded: a test fails first
	}
	m := make(map[string]bool, len(all))
	for k := range all {
		m[k] = true
	}
	return m
})
