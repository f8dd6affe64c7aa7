package envelope_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
)

func vectorCatalogue(projects int) pow.Catalogue {
	c := pow.Catalogue{
		Revision: 7, MemberID: "c41f0a6be2d97385", MemberName: "Anna", MemberState: "active", Announcement: sum("announcement"), AnnRevision: 12,
		Devices: []pow.Device{{Key: device.Public(), Name: "Anna's laptop", State: "active"}},
	}
	for i := range projects {
		c.Projects = append(c.Projects, pow.Project{
			ID: pow.ProjectID(fmt.Sprintf("3f6c1d2e9a0b%04x", i)), Name: "Website relaunch", Group: "Acme GmbH", Color: "#3b82f6",
			KimaiActivities: []pow.KimaiActivity{{ID: "7b1e0f42c3d85a96", Name: "Development"}, {ID: "a90cc1e04b7d2f18", Name: "Meetings"}},
			ActivityRule:    pow.Required, Pictures: pow.Required, Interval: 600, Detail: pow.DetailCategory, Retention: 30,
		})
	}
	return c
}

// parts sends every seal through a Letter and a Reader.
func parts(t testing.TB, seals [][]byte) (list []pow.CataloguePart) {
	t.Helper()
	for _, seal := range seals {
		l, err := envelope.Wrap(seal, device.Public(), at(receiptTime))
		if err != nil {
			t.Fatal(err)
		}
		m, err := clientReader().Open(l.JSON, at(receiptTime))
		if err != nil || m.Part == nil {
			t.Fatal(m.Bad, err)
		}
		list = append(list, *m.Part)
	}
	return list
}

func TestVectorCatalogue(t *testing.T) {
	c := vectorCatalogue(6)
	seals, err := fixed(7, receiptTime, receiptTime-7, 0, oneTime[1]).SealCatalogue(dvm, device.Public(), c, at(receiptTime))
	if err != nil || len(seals) != 2 {
		t.Fatal(len(seals), err)
	}
	golden(t, "catalogue.seals.ndjson", string(seals[0])+"\n"+string(seals[1]))
	p := parts(t, seals)
	slices.Reverse(p)
	got, err := envelope.Assemble(p)
	if d := cmp.Diff(c, got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestCatalogueSizes(t *testing.T) {
	for n, want := range map[int]int{0: 1, 1: 1, 100: 20, 300: 60} {
		c := vectorCatalogue(n)
		seals, err := envelope.SealCatalogue(dvm, device.Public(), c, at(receiptTime))
		if err != nil || len(seals) > want+1 || len(seals) < want/2 {
			t.Errorf("%d projects: %d parts, %v", n, len(seals), err)
		}
		t.Logf("%d projects: %d parts", n, len(seals))
	}
	if _, err := envelope.SealCatalogue(dvm, device.Public(), vectorCatalogue(500), at(receiptTime)); !errors.Is(err, envelope.ErrTooBig) {
		t.Errorf("500 projects: %v", err)
	}
}

// A project with more activities than a part can hold, names that are too long,
// and many devices: none of them may keep a member from working.
func TestCatalogueBigEntries(t *testing.T) {
	c := vectorCatalogue(3)
	c.Projects[1].Name = strings.Repeat("ä", 100) + "\n"
	for i := range 120 {
		c.Projects[1].KimaiActivities = append(c.Projects[1].KimaiActivities, pow.KimaiActivity{ID: pow.OpaqueID(fmt.Sprintf("%016x", i)), Name: fmt.Sprintf("Activity \"%d\"", i)})
		c.Devices = append(c.Devices, pow.Device{Key: pow.Key{byte(i)}, Name: "old", State: "removed"})
	}
	seals, err := envelope.SealCatalogue(dvm, device.Public(), c, at(receiptTime))
	if err != nil {
		t.Fatal(err)
	}
	got, err := envelope.Assemble(parts(t, seals))
	c.Projects[1].Name = strings.Repeat("ä", 80)
	if d := cmp.Diff(c, got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestCatalogueAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := vectorCatalogue(rapid.IntRange(0, 25).Draw(t, "projects"))
		for i := range c.Projects {
			c.Projects[i].Name = rapid.StringMatching(`[a-zA-Z0-9"<\\äöü]{0,80}`).Draw(t, "name")
			if c.Projects[i].KimaiActivities = c.Projects[i].KimaiActivities[:rapid.IntRange(0, 2).Draw(t, "acts")]; len(c.Projects[i].KimaiActivities) == 0 {
				c.Projects[i].KimaiActivities = nil
			}
		}
		seals, err := envelope.SealCatalogue(dvm, device.Public(), c, at(receiptTime))
		if err != nil {
			t.Fatal(err)
		}
		var list []pow.CataloguePart
		for _, seal := range seals {
			e, _ := event.Parse(seal)
			k, _ := envelope.Conversation(device, dvm.Public())
			plain, err := envelope.Decrypt(k, e.Content)
			if err != nil || len(plain) != 2048 {
				t.Fatal(len(plain), err)
			}
			rumor, _ := event.ParseRumor(plain)
			list = append(list, pow.CataloguePart{Revision: 7, Part: len(list) + 1, Parts: len(seals), Content: []byte(rumor.Content)})
		}
		got, err := envelope.Assemble(rapid.Permutation(list).Draw(t, "order"))
		if d := cmp.Diff(c, got); d != "" || err != nil {
			t.Fatal(err, d)
		}
	})
}

func TestAssembleRefuses(t *testing.T) {
	seals, err := envelope.SealCatalogue(dvm, device.Public(), vectorCatalogue(12), at(receiptTime))
	if err != nil {
		t.Fatal(err)
	}
	good := parts(t, seals)
	if len(good) < 3 {
		t.Fatal(len(good))
	}
	other := slices.Clone(good)
	other[1].Revision = 8
	of := slices.Clone(good)
	of[1].Parts++
	for name, p := range map[string][]pow.CataloguePart{
		"none": nil, "first missing": good[1:], "last missing": good[:len(good)-1], "doubled": append(slices.Clone(good[:len(good)-1]), good[0]), "too many": append(slices.Clone(good), good[0]), "revision": other, "count": of,
	} {
		if _, err := envelope.Assemble(p); !errors.Is(err, envelope.ErrParts) {
			t.Errorf("%s: %v", name, err)
		}
	}
	head := `"rev":7,"member":{"id":"c41f0a6be2d97385","name":"Anna","state":"active"},"ann":{"id":"` + noticeID + `","rev":12}`
	for name, content := range map[string]string{
		"not JSON": "x", "rev": `{"rev":8,"projects":[]}`, "no head": `{"rev":7,"projects":[]}`, "state": `{"rev":7,"member":{"id":"c41f0a6be2d97385","name":"A","state":"x"},"ann":{"id":"` + noticeID + `","rev":1}}`,
		"id": `{` + head + `,"projects":[{"id":"17"}]}`, "name": `{` + head + `,"projects":[{"id":"3f6c1d2e9a0b4c5d","name":"a\u001b"}]}`, "color": `{` + head + `,"projects":[{"id":"3f6c1d2e9a0b4c5d","color":"red"}]}`,
		"rule": `{` + head + `,"projects":[{"id":"3f6c1d2e9a0b4c5d","capture":"always"}]}`, "detail": `{` + head + `,"projects":[{"id":"3f6c1d2e9a0b4c5d","detail":"all"}]}`,
		"interval": `{` + head + `,"projects":[{"id":"3f6c1d2e9a0b4c5d","interval":3601}]}`, "retention": `{` + head + `,"projects":[{"id":"3f6c1d2e9a0b4c5d","retention":-1}]}`,
		"act": `{` + head + `,"projects":[{"id":"3f6c1d2e9a0b4c5d","acts":[["x","y"]]}]}`, "device": `{` + head + `,"devices":[["x","y","active"]]}`, "twice": `{` + head + `,"rev":7}`,
	} {
		if _, err := envelope.Assemble([]pow.CataloguePart{{Revision: 7, Part: 1, Parts: 1, Content: []byte(content)}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestPartBad(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*event.Event)
		bad    string
	}{
		"v": {func(e *event.Event) { e.Tags[1][1] = "2" }, "unsupported"}, "rev": {func(e *event.Event) { e.Tags[2][1] = "0" }, "rev"}, "part 0": {func(e *event.Event) { e.Tags[3][1] = "0" }, "part"},
		"part over": {func(e *event.Event) { e.Tags[3][1] = "2" }, "part"}, "65 parts": {func(e *event.Event) { e.Tags[3][2] = "65" }, "part"}, "no part": {func(e *event.Event) { e.Tags[3] = event.Tag{"part", "1"} }, "part"},
		"other rev": {func(e *event.Event) { e.Content = `{"rev":8}` }, "content"}, "content": {func(e *event.Event) { e.Content = `[` }, "content"},
	} {
		e := &event.Event{Kind: 6941, Content: `{"rev":7,"projects":[]}`, Tags: event.Tags{{"p", device.Public().String()}, {"v", "1"}, {"rev", "7"}, {"part", "1", "1"}}}
		c.change(e)
		_, seal, err := fixed(3, receiptTime, receiptTime, 0, oneTime[1]).Seal(dvm, device.Public(), e, at(receiptTime))
		if m := openReceipt(t, seal, err); m.Bad != c.bad || m.Part != nil {
			t.Errorf("%s: %q", name, m.Bad)
		}
	}
}

func FuzzAssemble(f *testing.F) {
	b, _ := json.Marshal(map[string]any{"rev": 7, "member": map[string]any{"id": "c41f0a6be2d97385", "name": "A", "state": "active"}, "ann": map[string]any{"id": noticeID, "rev": 1},
		"projects": []any{map[string]any{"id": "3f6c1d2e9a0b4c5d", "acts": [][]string{{"7b1e0f42c3d85a96", "Dev"}}}}})
	f.Add(b)
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := envelope.Assemble([]pow.CataloguePart{{Revision: 7, Part: 1, Parts: 1, Content: content}})
		if err == nil && c.Revision != 7 {
			t.Fatalf("%+v", c)
		}
	})
}
