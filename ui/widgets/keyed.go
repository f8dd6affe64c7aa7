package widgets

import "pow.do/ui/theme"

// NewKeyed makes a button that shows the key for the same thing beside its word.
func NewKeyed(text, key string, icon theme.IconName, kind Kind, tapped func()) *Button {
	b := NewButton(text, icon, kind, tapped)
	b.key = NewText(key, Style{Size: theme.Caption, Role: theme.Muted, Fixed: true})
	if kind == Main {
		b.key.SetRole(b.text.style.Role)
	}
	b.content = Line(7, nil, b.content, b.key)
	b.paint()
	return b
}

// ShowKey leaves the key out where there is little room. It may be called while
// the button is being laid out.
func (b *Button) ShowKey(on bool) { b.key.Hidden = !on }
