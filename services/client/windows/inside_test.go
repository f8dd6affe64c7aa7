package windows

import (
	"image"
	"testing"
)

func TestPrivate(t *testing.T) {
	for _, c := range []struct {
		class, title string
		want         bool
	}{
		{"firefox", "Example Domain — Mozilla Firefox Private Browsing", true},
		{"firefox", "Mozilla Firefox (Private Browsing)", true},
		{"firefox", "Beispiel — Mozilla Firefox Privater Modus", true},
		{"firefox", "Ejemplo — Mozilla Firefox Navegación privada", true},
		{"firefox", "Exemple — Mozilla Firefox — Navigation privée", true},
		{"Google-chrome", "New Tab - Google Chrome (Incognito)", true},
		{"Google-chrome", "Neuer Tab – Google Chrome (Inkognito)", true},
		{"Google-chrome", "Pestaña - Google Chrome (Incógnito)", true},
		{"Microsoft-edge", "Start - [InPrivate] - Microsoft Edge", true},
		{"Tor Browser", "Anything", true},
		{"firefox", "What is private browsing? — Mozilla Firefox", false},
		{"firefox", "Incognito (2024) - IMDb — Mozilla Firefox", false},
		{"code", "navigation privée.md - notes - Code", false},
	} {
		if got := private(Window{Class: c.class, Title: c.title}); got != c.want {
			t.Errorf("%s: %v", c.title, got)
		}
	}
}

func TestCovered(t *testing.T) {
	r := image.Rect(0, 0, 100, 100)
	left, right := image.Rect(-10, -10, 50, 110), image.Rect(50, 0, 100, 100)
	for name, c := range map[string]struct {
		above []image.Rectangle
		want  bool
	}{
		"nothing above":       {nil, false},
		"the same":            {[]image.Rectangle{r}, true},
		"two halves":          {[]image.Rectangle{left, right}, true},
		"a pixel is left":     {[]image.Rectangle{left, image.Rect(50, 0, 100, 99)}, false},
		"beside":              {[]image.Rectangle{image.Rect(100, 0, 200, 100)}, false},
		"a hole in the midst": {[]image.Rectangle{image.Rect(0, 0, 100, 40), image.Rect(0, 60, 100, 100), image.Rect(0, 40, 40, 60), image.Rect(60, 40, 100, 60)}, false},
	} {
		if got := covered(r, c.above); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	var dots []image.Rectangle
	for i := range 60 {
		for k := range 60 {
			dots = append(dots, image.Rect(3*i, 3*k, 3*i+1, 3*k+1))
		}
	}
	if covered(image.Rect(0, 0, 180, 180), append(dots, image.Rect(0, 0, 180, 180))) {
		t.Error("too many pieces must count as visible")
	}
}

func TestSeen(t *testing.T) {
	all := []Window{{Title: "front", Bounds: image.Rect(0, 0, 50, 50), solid: true}, {Title: "covered", Bounds: image.Rect(10, 10, 20, 20)},
		{Title: "beside", Bounds: image.Rect(40, 40, 60, 60)}}
	if got := seen(all, false); len(got) != 2 || got[1].Title != "beside" {
		t.Errorf("%+v", got)
	}
	if got := seen(all, true); len(got) != 3 {
		t.Error("a compositor may show what is covered")
	}
	all[0].solid = false
	if got := seen(all, false); len(got) != 3 {
		t.Error("what is not solid hides nothing")
	}
}
