package activity

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Longest texts of a row, in runes; a host name in bytes.
const (
	maxApp   = 128
	maxTitle = 1_024
	maxHost  = 253
)

// visible removes control characters, line separators and marks that turn the
// direction of writing.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return -1
		}
		return r
	}, text)
}

// clean returns the visible text, without space at its ends, cut to limit runes.
func clean(text string, limit int) string {
	text = strings.TrimSpace(strings.ToValidUTF8(visible(text), ""))
	for i := range text {
		if limit--; limit < 0 {
			return text[:i]
		}
	}
	return text
}

// host returns the host name of a web page's address, and nothing for addresses
// of files, extensions and the browser itself.
func host(address string) string {
	u, err := url.Parse(strings.TrimSpace(visible(address)))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || len(u.Hostname()) > maxHost {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// browsers are the names under which window watchers report a browser, in lower
// case, without ".exe" and without what stands before the last dot.
var browsers = []string{
	"arc", "brave", "brave browser", "brave-browser", "chrome", "chromium", "chromium-browser", "duckduckgo",
	"edge", "epiphany", "falkon", "firefox", "firefox developer edition", "firefox-esr", "firefoxdeveloperedition",
	"floorp", "google chrome", "google-chrome", "google-chrome-beta", "google-chrome-stable", "google-chrome-unstable",
	"konqueror", "librewolf", "microsoft edge", "microsoft-edge", "microsoft-edge-stable", "midori", "msedge",
	"mullvad browser", "navigator", "opera", "palemoon", "qutebrowser", "safari", "tor browser", "torbrowser",
	"ungoogled-chromium", "vivaldi", "vivaldi-stable", "waterfox", "zen", "zen browser", "zen-browser",
}

// isBrowser tells whether app is a browser. Wayland's app ids look like
// org.mozilla.firefox.
func isBrowser(app string) bool {
	app = strings.TrimSuffix(strings.ToLower(visible(app)), ".exe")
	_, found := slices.BinarySearch(browsers, app[strings.LastIndexByte(app, '.')+1:])
	return found
}

// builtin are the categories that are known without the person's rules, by app.
// Order counts.
var builtin = []struct{ name, pattern string }{
	{"terminal", `terminal|konsole|xterm|alacritty|kitty|tmux|powershell|cmd\.exe|foot|ghostty`},
	{"communication", `mail|thunderbird|outlook|slack|teams|zoom|discord|signal|telegram|element|skype|mattermost`},
	{"coding", `code|codium|cursor|vim|emacs|idea|goland|pycharm|webstorm|clion|rider|xcode|eclipse|sublime|zed|devenv`},
	{"office", `libreoffice|soffice|winword|excel|powerpnt|powerpoint|word|pages|numbers|keynote|onlyoffice|evince|okular|acrobat`},
	{"design", `gimp|inkscape|blender|figma|photoshop|illustrator|krita|penpot|sketch`},
	{"media", `vlc|mpv|spotify|rhythmbox|totem|music`},
}

// builtinRules compiles builtin. A word must begin where the app's name or a
// part of it begins.
func builtinRules() []Category {
	rules := make([]Category, 0, len(builtin))
	for _, b := range builtin {
		rules = append(rules, Category{b.name, regexp.MustCompile(`(?i)(^|[^a-z])(` + b.pattern + `)`)})
	}
	return rules
}

// category names what app is used for: by the person's own rules, by being a
// browser, by the built-in ones, or "other".
func (c *Client) category(app, title string) string {
	if app == Unknown || app == Private {
		return app
	}
	for _, r := range c.cfg.Categories {
		if r.Pattern.MatchString(app) || r.Pattern.MatchString(title) {
			return clean(r.Name, maxApp)
		}
	}
	if isBrowser(app) {
		return "web"
	}
	for _, r := range c.builtin {
		if r.Pattern.MatchString(app) {
			return r.Name
		}
	}
	return "other"
}
