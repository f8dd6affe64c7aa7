package envelope_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"pow.do/services/wire/envelope"
)

func file(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors/v1/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b, []byte("\n"))
}

// Whatever this program makes one day, it has to open what version 1 made, and
// to refuse what was refused, at the same step.
func TestVersion1StillOpens(t *testing.T) {
	if m, err := dvmReader().Open(file(t, "notice.letter.json"), at(noticeTime)); err != nil || m.Notice == nil || m.Rumor.String() != noticeID {
		t.Errorf("Notice: %v", err)
	}
	if m, err := clientReader().Open(file(t, "receipt.letter.json"), at(receiptTime)); err != nil || m.Receipt == nil || m.Rumor.String() != receiptID {
		t.Errorf("Receipt: %v", err)
	}
	if m, err := openAccount(t, dvmReader(), file(t, "enrol.seal.json"), nil); err != nil || m.Account == nil || !m.Account.Bound {
		t.Errorf("enrol: %v", err)
	}
	c, err := envelope.Assemble(parts(t, bytes.Split(file(t, "catalogue.seals.ndjson"), []byte("\n"))))
	if err != nil || len(c.Projects) != 6 {
		t.Errorf("catalogue: %v", err)
	}
	if a, err := envelope.ReadAnnouncement(file(t, "announcement.json"), dvm.Public()); err != nil || a.Revision != 12 {
		t.Errorf("announcement: %v", err)
	}
	for _, line := range bytes.Split(file(t, "negative.ndjson"), []byte("\n")) {
		var c negative
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if _, err := dvmReader().Open([]byte(c.Letter), at(noticeTime)); !rejected(err, c.Step, c.Reason) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
