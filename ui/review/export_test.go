package review

// ThumbBytes returns the bytes of all decoded thumbnails.
func (p *Presenter) ThumbBytes() (n int) {
	for _, m := range p.thumbs.kept {
		n += len(m.Pix)
	}
	return n
}
