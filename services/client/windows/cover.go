package windows

import "image"

// seen drops the windows that lie wholly beneath solid ones. all is front to
// back. Where a compositor draws, none is dropped.
func seen(all []Window, composited bool) []Window {
	if composited {
		return all
	}
	var out []Window
	var above []image.Rectangle
	for _, w := range all {
		if !covered(w.Bounds, above) {
			out = append(out, w)
		}
		if w.solid {
			above = append(above, w.Bounds)
		}
	}
	return out
}

// maxPieces bounds the work of covered; a window that is cut into more counts
// as visible.
const maxPieces = 1024

// covered tells whether the rectangles above leave nothing of r.
func covered(r image.Rectangle, above []image.Rectangle) bool {
	left := []image.Rectangle{r}
	for _, a := range above {
		var rest []image.Rectangle
		for _, p := range left {
			rest = append(rest, without(p, a)...)
		}
		if len(rest) > maxPieces {
			return false
		}
		left = rest
	}
	return len(left) == 0
}

// without returns what cut leaves of r: at most four pieces.
func without(r, cut image.Rectangle) (rest []image.Rectangle) {
	c := r.Intersect(cut)
	if c.Empty() {
		return []image.Rectangle{r}
	}
	for _, p := range []image.Rectangle{
		image.Rect(r.Min.X, r.Min.Y, r.Max.X, c.Min.Y), image.Rect(r.Min.X, c.Max.Y, r.Max.X, r.Max.Y),
		image.Rect(r.Min.X, c.Min.Y, c.Min.X, c.Max.Y), image.Rect(c.Max.X, c.Min.Y, r.Max.X, c.Max.Y),
	} {
		if !p.Empty() {
			rest = append(rest, p)
		}
	}
	return rest
}
