//go:build unix && !darwin

package tray

import (
	"slices"
	"sync"

	"github.com/godbus/dbus/v5"
)

// layout is an item of com.canonical.dbusmenu: number, properties, children.
type layout struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

// menu answers com.canonical.dbusmenu. Numbers belong to the ids of items, and
// stay while the program runs.
type menu struct {
	act func(id, token string)

	mu       sync.Mutex // guards all below
	revision uint32
	root     Item
	numbers  map[string]int32
	ids      []string // by number; 0 is the root
}

func newMenu(act func(id, token string)) *menu {
	return &menu{act: act, numbers: map[string]int32{"": 0}, ids: []string{""}}
}

// set takes a new menu over and returns its revision.
func (m *menu) set(items []Item) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.root = Item{Label: "menu", Items: items}
	m.revision++
	return m.revision
}

func (m *menu) number(id string) int32 {
	n, known := m.numbers[id]
	if !known {
		n = int32(len(m.ids))
		m.numbers[id] = n
		m.ids = append(m.ids, id)
	}
	return n
}

func (m *menu) properties(i Item) map[string]dbus.Variant {
	p := map[string]dbus.Variant{}
	switch {
	case i.ID == "" && i.Label == "menu":
		p["children-display"] = dbus.MakeVariant("submenu")
		return p
	case i.Label == "":
		p["type"] = dbus.MakeVariant("separator")
		return p
	}
	p["label"] = dbus.MakeVariant(escape(i.Label))
	p["enabled"] = dbus.MakeVariant(!i.Disabled)
	p["visible"] = dbus.MakeVariant(true)
	if i.Checkable {
		p["toggle-type"] = dbus.MakeVariant("checkmark")
		p["toggle-state"] = dbus.MakeVariant(map[bool]int32{true: 1}[i.Checked])
	}
	if len(i.Items) > 0 {
		p["children-display"] = dbus.MakeVariant("submenu")
	}
	return p
}

// escape doubles underscores: a single one marks the next letter as a key.
func escape(s string) string {
	var out []rune
	for _, r := range s {
		if out = append(out, r); r == '_' {
			out = append(out, r)
		}
	}
	return string(out)
}

func (m *menu) layout(i Item, depth int32) layout {
	l := layout{m.number(i.ID), m.properties(i), []dbus.Variant{}}
	if depth != 0 {
		for _, child := range i.Items {
			l.Children = append(l.Children, dbus.MakeVariant(m.layout(child, depth-1)))
		}
	}
	return l
}

// find returns the item with a number.
func (m *menu) find(n int32) (Item, bool) {
	if n < 0 || int(n) >= len(m.ids) {
		return Item{}, false
	}
	var search func(i Item) (Item, bool)
	search = func(i Item) (Item, bool) {
		if i.ID == m.ids[n] {
			return i, true
		}
		for _, child := range i.Items {
			if found, ok := search(child); ok {
				return found, true
			}
		}
		return Item{}, false
	}
	return search(m.root)
}

// GetLayout is com.canonical.dbusmenu.GetLayout.
func (m *menu) GetLayout(parent, depth int32, _ []string) (uint32, layout, *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, found := m.find(parent)
	if !found {
		return 0, layout{}, dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", nil)
	}
	return m.revision, m.layout(i, depth), nil
}

// group is one answer of GetGroupProperties.
type group struct {
	ID         int32
	Properties map[string]dbus.Variant
}

// GetGroupProperties is com.canonical.dbusmenu.GetGroupProperties; no numbers
// mean all items.
func (m *menu) GetGroupProperties(numbers []int32, _ []string) (out []group, _ *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out = []group{}
	for n := range int32(len(m.ids)) {
		if len(numbers) > 0 && !slices.Contains(numbers, n) {
			continue
		}
		if i, found := m.find(n); found {
			out = append(out, group{n, m.properties(i)})
		}
	}
	return out, nil
}

// GetProperty is com.canonical.dbusmenu.GetProperty.
func (m *menu) GetProperty(n int32, name string) (dbus.Variant, *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, _ := m.find(n)
	if v, ok := m.properties(i)[name]; ok {
		return v, nil
	}
	return dbus.MakeVariant(""), dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", nil)
}

// Event is com.canonical.dbusmenu.Event.
func (m *menu) Event(n int32, what string, _ dbus.Variant, _ uint32) *dbus.Error {
	m.mu.Lock()
	i, found := m.find(n)
	m.mu.Unlock()
	if what == "clicked" && found && !i.Disabled && i.ID != "" && len(i.Items) == 0 {
		m.act(i.ID, "")
	}
	return nil
}

// event is one of EventGroup's.
type event struct {
	ID   int32
	What string
	Data dbus.Variant
	At   uint32
}

// EventGroup is com.canonical.dbusmenu.EventGroup.
func (m *menu) EventGroup(all []event) ([]int32, *dbus.Error) {
	for _, e := range all {
		_ = m.Event(e.ID, e.What, e.Data, e.At)
	}
	return []int32{}, nil
}

// AboutToShow is com.canonical.dbusmenu.AboutToShow.
func (m *menu) AboutToShow(int32) (bool, *dbus.Error) { return false, nil }

// AboutToShowGroup is com.canonical.dbusmenu.AboutToShowGroup.
func (m *menu) AboutToShowGroup([]int32) (updates, unknown []int32, _ *dbus.Error) {
	return []int32{}, []int32{}, nil
}
