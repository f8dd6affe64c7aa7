package capture

import (
	"hash/maphash"
	"slices"
	"sync"
)

// tileSide is the width and height of a tile, in pixels.
const tileSide = 64

// seed keys the hashes of this process: sums mean nothing outside it, so they
// can tell nobody later what was on a screen.
var seed = sync.OnceValue(maphash.MakeSeed)

// Tiles is the fingerprint of a Frame: one keyed 64-bit hash for every 64×64
// tile. It is only good for Same, and only in the process that made it.
type Tiles struct {
	width, height int
	sums          []uint64
}

// Fingerprint hashes the tiles of f.
func Fingerprint(f Frame) Tiles {
	w, h := f.Image.Rect.Dx(), f.Image.Rect.Dy()
	t := Tiles{width: w, height: h}
	hashes := make([]maphash.Hash, (w+tileSide-1)/tileSide)
	for top := 0; top < h; top += tileSide {
		for i := range hashes {
			hashes[i].SetSeed(seed())
		}
		for y := top; y < min(top+tileSide, h); y++ {
			row := f.Image.Pix[y*f.Image.Stride:][:4*w]
			for i := range hashes {
				hashes[i].Write(row[4*tileSide*i : min(4*tileSide*(i+1), len(row))])
			}
		}
		for i := range hashes {
			t.sums = append(t.sums, hashes[i].Sum64())
		}
	}
	return t
}

// Same tells whether a and b show the very same pixels. A single changed letter
// makes them differ; that is why no perceptual hash is used.
func Same(a, b Tiles) bool {
	return len(a.sums) > 0 && a.width == b.width && a.height == b.height && slices.Equal(a.sums, b.sums)
}
