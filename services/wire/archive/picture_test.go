package archive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

const pngStart = "\x89PNG\r\n\x1a\n"

func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func ihdr(width, height uint32, rest ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, width)
	return chunk("IHDR", append(binary.BigEndian.AppendUint32(b, height), rest...))
}

// smallPNG is a PNG in chunks whose header may lie; nothing here decodes it.
func smallPNG(width, height uint32, between ...[]byte) []byte {
	all := append([][]byte{[]byte(pngStart), ihdr(width, height, 8, 6, 0, 0, 0)}, between...)
	return bytes.Join(append(all, chunk("IDAT", []byte{1, 2, 3}), chunk("IEND", nil)), nil)
}

// jpegWith puts a segment behind the first marker of a good JPEG.
func jpegWith(t *testing.T, segments ...[]byte) []byte {
	good := jpgOf(t, 1, 50, 20)
	return bytes.Join(append(append([][]byte{good[:2]}, segments...), good[2:]), nil)
}

func segment(marker byte, data string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2)), data...)
}

// frame changes the frame header of a good JPEG.
func frame(t *testing.T, change func(b []byte)) []byte {
	b := jpgOf(t, 1, 50, 20)
	change(b[bytes.Index(b, []byte{0xff, 0xc0}):])
	return b
}

func size(width, height uint16) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint16(b[5:], height); binary.BigEndian.PutUint16(b[7:], width) }
}

// AR-27: each is refused inside a whole and rightly signed archive.
func TestBadPictures(t *testing.T) {
	goodPNG, goodJPG := pngOf(t, 1, 40, 30), jpgOf(t, 1, 50, 20)
	progressive := frame(t, func(b []byte) { b[1] = 0xc2; size(65_535, 65_535)(b) })
	broken := bytes.Clone(goodPNG)
	broken[len(broken)-20] ^= 1
	for id, c := range map[string]struct {
		format        string
		width, height int
		b             []byte
	}{
		"png 15000x15000": {"png", 15_000, 15_000, smallPNG(15_000, 15_000)}, "png 0x0": {"png", 0, 0, smallPNG(0, 0)},
		"png 1x2^31": {"png", 1, 1 << 31, smallPNG(1, 1<<31)}, "png 16385": {"png", 16_385, 1, smallPNG(16_385, 1)}, "png wide": {"png", 1, 1, smallPNG(1<<31+1, 1)},
		"apng": {"png", 4, 4, smallPNG(4, 4, chunk("acTL", make([]byte, 8)))}, "text": {"png", 4, 4, smallPNG(4, 4, chunk("tEXt", []byte("a\x00b")))},
		"exif": {"png", 4, 4, smallPNG(4, 4, chunk("eXIf", []byte("MM")))}, "private": {"png", 4, 4, smallPNG(4, 4, chunk("prVt", []byte("MM")))},
		"iccp": {"png", 4, 4, smallPNG(4, 4, chunk("iCCP", []byte("MM")))}, "two headers": {"png", 4, 4, smallPNG(4, 4, ihdr(4, 4, 8, 6, 0, 0, 0))},
		"plte":  {"png", 4, 4, smallPNG(4, 4, chunk("tRNS", []byte{0}), chunk("PLTE", []byte{0, 0, 0}))},
		"late":  {"png", 4, 4, smallPNG(4, 4, chunk("IDAT", nil), chunk("tRNS", []byte{0}))},
		"depth": {"png", 4, 4, bytes.Replace(smallPNG(4, 4), ihdr(4, 4, 8, 6, 0, 0, 0), ihdr(4, 4, 4, 6, 0, 0, 0), 1)},
		"type":  {"png", 4, 4, bytes.Replace(smallPNG(4, 4), ihdr(4, 4, 8, 6, 0, 0, 0), ihdr(4, 4, 8, 5, 0, 0, 0), 1)},
		"lace":  {"png", 4, 4, bytes.Replace(smallPNG(4, 4), ihdr(4, 4, 8, 6, 0, 0, 0), ihdr(4, 4, 8, 6, 0, 0, 2), 1)},
		"long":  {"png", 4, 4, bytes.Replace(smallPNG(4, 4), ihdr(4, 4, 8, 6, 0, 0, 0), ihdr(4, 4, 8, 6, 0, 0, 0, 0), 1)},
		"end":   {"png", 4, 4, bytes.Replace(smallPNG(4, 4), chunk("IEND", nil), chunk("IEND", []byte("x")), 1)},
		"crc":   {"png", 40, 30, broken}, "no data": {"png", 4, 4, bytes.Replace(smallPNG(4, 4), chunk("IDAT", []byte{1, 2, 3}), nil, 1)},
		"huge":  {"png", 4, 4, append([]byte(pngStart), append(ihdr(4, 4, 8, 6, 0, 0, 0), "\xff\xff\xff\xffIDAT"...)...)},
		"after": {"png", 40, 30, append(goodPNG[:len(goodPNG):len(goodPNG)], 0)}, "html": {"png", 40, 30, append(goodPNG[:len(goodPNG):len(goodPNG)], "<html><script>"...)},
		"before": {"png", 40, 30, append([]byte("<html>"), goodPNG...)}, "zip behind": {"jpg", 50, 20, append(goodJPG[:len(goodJPG):len(goodJPG)], "PK\x03\x04"...)},
		"jpeg exif": {"jpg", 50, 20, jpegWith(t, segment(0xe1, "Exif\x00\x00MM\x00*GPS"))}, "jpeg comment": {"jpg", 50, 20, jpegWith(t, segment(0xfe, "hello"))},
		"jpeg icc": {"jpg", 50, 20, jpegWith(t, segment(0xe2, "ICC_PROFILE\x00"))}, "jpeg progressive": {"jpg", 65_535, 65_535, progressive},
		"jpeg small progressive": {"jpg", 50, 20, frame(t, func(b []byte) { b[1] = 0xc2 })},
		"jpeg 65535":             {"jpg", 65_535, 65_535, frame(t, size(65_535, 65_535))}, "jpeg 0": {"jpg", 0, 20, frame(t, size(0, 20))},
		"jpeg 12 bit": {"jpg", 50, 20, frame(t, func(b []byte) { b[4] = 12 })}, "jpeg components": {"jpg", 50, 20, frame(t, func(b []byte) { b[9] = 4 })},
		"jpeg thumbnail":      {"jpg", 50, 20, jpegWith(t, segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01rgb"))},
		"jpeg jfxx":           {"jpg", 50, 20, jpegWith(t, segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), segment(0xe0, "JFXX\x00\x10"))},
		"jpeg thumbnail size": {"jpg", 50, 20, jpegWith(t, segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01"))},
		"jpeg frame only":     {"jpg", 50, 20, append(bytes.Clone(goodJPG[:bytes.Index(goodJPG, []byte{0xff, 0xda})]), 0xff, 0xd9)},
		"jpeg cut":            {"jpg", 50, 20, goodJPG[:len(goodJPG)-2]}, "jpeg no scan": {"jpg", 50, 20, []byte("\xff\xd8\xff\xd9")},
		"webp": {"png", 1, 1, []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")},
		"svg":  {"png", 1, 1, []byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")},
		"tiff": {"jpg", 1, 1, []byte("II*\x00\x08\x00\x00\x00")}, "jpeg as png": {"png", 50, 20, goodJPG}, "png as jpeg": {"jpg", 40, 30, goodPNG},
	} {
		refuse(t, "AR-27/"+id, pow.ErrArchive, nil, forged(t, func(x *parts) {
			x.files[0], x.m.Files[0].Name = c.b, text("c0001."+c.format)
			x.m.Files[0].SHA256, x.m.Files[0].Size = sha256.Sum256(c.b), int64(len(c.b))
			x.m.Files[0].Picture.Width, x.m.Files[0].Picture.Height = c.width, c.height
		}))
		if err := archive.CheckPicture(bytes.NewReader(c.b), c.format, c.width, c.height); err == nil {
			t.Errorf("AR-27/%s: the picture itself is accepted", id)
		}
	}
}

// Pictures as encoders make them, of every kind that there is.
func TestGoodPictures(t *testing.T) {
	frame := image.Rect(0, 0, 300, 200)
	pngs := map[string]image.Image{"grey": image.NewGray(frame), "grey 16": image.NewGray16(frame), "rgba": image.NewRGBA(frame), "rgba 16": image.NewNRGBA64(frame),
		"palette": image.NewPaletted(frame, color.Palette{color.Black, color.White, color.Transparent}), "palette 2": image.NewPaletted(frame, color.Palette{color.Black})}
	for name, m := range pngs {
		for _, level := range []png.CompressionLevel{png.NoCompression, png.BestSpeed} {
			var b bytes.Buffer
			if err := (&png.Encoder{CompressionLevel: level}).Encode(&b, m); err != nil {
				t.Fatal(err)
			}
			if err := archive.CheckPicture(&b, "png", 300, 200); err != nil {
				t.Errorf("png %s: %v", name, err)
			}
		}
	}
	for name, m := range map[string]image.Image{"grey": image.NewGray(frame), "colour": image.NewRGBA(frame)} {
		for _, quality := range []int{1, 75, 100} {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
				t.Fatal(err)
			}
			if err := archive.CheckPicture(&b, "jpg", 300, 200); err != nil {
				t.Errorf("jpeg %s: %v", name, err)
			}
		}
	}
	withJFIF := jpegWith(t, segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	if err := archive.CheckPicture(bytes.NewReader(withJFIF), "jpg", 50, 20); err != nil {
		t.Errorf("with a JFIF header: %v", err)
	}
	noise := jpgOf(t, 987_654_321, 1500, 900) // larger than any buffer
	if err := archive.CheckPicture(bytes.NewReader(noise), "jpg", 1500, 900); err != nil {
		t.Errorf("noise: %v", err)
	}
	for n := range noise[:2000] {
		if err := archive.CheckPicture(strings.NewReader(string(noise[:n])), "jpg", 1500, 900); err == nil {
			t.Fatalf("cut to %d bytes and accepted", n)
		}
	}
}
