package app_test

// The tables of the architecture. To add a package, add its line to rules
// first; to add a dependency, add its line to walls first. The first matching
// line of rules wins, the longest matching prefix of walls.

type rule struct{ pkg, may string } // both: space-separated; "x/…" is x's subtree, "x" only x

var rules = []rule{
	{".", "app/client app/server"},
	{"app", ""},
	{"app/config", ""},
	{"app/cli", "app/config services/pow"},
	{"app/client", "app/config app/cli assets services/pow services/wire/… services/client/… ui"},
	{"app/server", "app/config app/cli services/pow services/wire/… services/hub/… services/dvm services/dvm/…"},
	{"app/e2e", "app/… services/… ui/… assets"},
	{"assets", ""},
	{"services/pow", ""},
	{"services/wire/retry", ""},
	{"services/wire/dial", ""},
	{"services/wire/strictjson", ""},
	{"services/wire/event", "services/pow services/wire/strictjson"},
	{"services/wire/negentropy", "services/pow"},
	{"services/wire/blossom/blossomtest", "services/pow services/wire/…"},
	{"services/wire/relays/relaystest", "services/pow services/wire/…"},
	{"services/wire/…", "services/pow services/wire/retry services/wire/identity services/wire/event services/wire/strictjson services/wire/negentropy"},
	{"services/client/activity/activitytest", "services/pow services/client/activity"},
	{"services/client/…", "services/pow services/wire/retry"},
	{"services/hub/store/storetest", "services/pow services/wire/event services/hub/store"},
	{"services/hub/blobs/blobstest", "services/pow services/hub/blobs"},
	// The hub cannot read: never archive, envelope or identity.
	{"services/hub/…", "services/pow services/wire/retry services/wire/event services/wire/strictjson services/wire/negentropy"},
	{"services/dvm/kimai/kimaitest", "services/pow services/dvm/kimai"},
	{"services/dvm", "services/pow services/wire/retry"},
	{"services/dvm/…", "services/pow services/wire/retry"},
	{"ui/bridge", ""},
	{"ui/widgets", "ui/theme"},
	{"ui/theme", "assets"},
	{"ui/words", "services/pow assets ui/theme"},
	{"ui/input", ""},
	{"ui/uitest", "ui/widgets ui/theme ui/words"},
	{"ui", "services/pow assets ui/…"},
	// Parts that more than one page shows: what a project asks for, what is left
	// out of pictures, the backup of the key.
	{"ui/settings", "services/pow assets ui/bridge ui/widgets ui/theme ui/words ui/input ui/project ui/leaveout ui/backup"},
	{"ui/firstrun", "services/pow assets ui/bridge ui/widgets ui/theme ui/words ui/input ui/project ui/leaveout ui/backup"},
	{"ui/…", "services/pow assets ui/bridge ui/widgets ui/theme ui/words ui/input"},
}

// walls says which packages may import an outside module, or a part of the
// standard library that the rest has no business with.
var walls = []rule{
	{"fyne.io/fyne/v2/app", "."}, // the only Fyne package that needs cgo and GL
	{"fyne.io/fyne/v2", ". app/client ui ui/…"},
	{"fyne.io/systray", "services/client/tray"},
	{"github.com/nbd-wtf/go-nostr", "services/wire/… services/hub/…"}, // data and crypto only
	{"github.com/nbd-wtf/go-nostr/nip44", "services/wire/envelope"},
	{"github.com/nbd-wtf/go-nostr/nip06", "services/wire/identity"},
	{"github.com/nbd-wtf/go-nostr/nip49", "services/wire/identity"},
	{"github.com/btcsuite/btcd", "services/wire/identity services/wire/envelope"}, // what go-nostr signs with
	{"github.com/coder/websocket", "services/wire/relays services/wire/relays/relaystest services/hub/relay"},
	{"filippo.io/age", "services/wire/archive services/wire/identity"},
	{"github.com/ProtonMail/go-crypto", "services/wire/archive"},
	{"github.com/klauspost/compress", "services/wire/archive services/client/capture"}, // zip; the captures' PNG
	{"github.com/transparency-dev/merkle", "services/wire/archive"},
	{"go.etcd.io/bbolt", "services/client/queue"},
	{"github.com/kbinani/screenshot", "services/client/capture"},
	{"github.com/jezek/xgb", "services/client/capture services/client/away services/client/windows"},
	{"github.com/godbus/dbus/v5", "services/client/capture services/client/away services/client/tray services/client/notify"},
	{"github.com/zalando/go-keyring", "services/client/vault"},
	{"modernc.org/sqlite", "services/hub/store services/dvm/ledger"}, // two: trust zones share no database package
	{"github.com/jackc/pgx/v5", "services/hub/store services/hub/store/storetest services/dvm/ledger"},
	{"github.com/minio/minio-go/v7", "services/hub/blobs services/hub/blobs/blobstest"},
	{"golang.org/x/crypto/acme", "app/server"},
	{"database/sql", "services/hub/store services/hub/store/storetest services/dvm/ledger"},
	{"github.com/alecthomas/kong", "app/cli"},
	{"github.com/prometheus/client_golang", "app/server"},
	{"golang.org/x/time", "services/wire/relays services/hub/relay services/hub/blobs"},
	{"golang.org/x/net", "services/wire/dial"},
	{"github.com/tyler-smith/go-bip39", "services/wire/identity ui/input"}, // names the word that is wrong
	{"golang.org/x/sys", "services/client/queue services/client/control services/client/vault services/client/away services/client/windows"},
	{"golang.org/x/text", "services/wire/identity"},
	{"github.com/BurntSushi/toml", "app/config"},
	{"codeberg.org/go-pdf/fpdf", "services/dvm/report"},
	{"golang.org/x/image", "services/dvm/report"}, // the Go fonts, for the PDF
	{"net/http", "services/wire/… services/client/activity services/client/activity/activitytest services/hub/… services/dvm/kimai services/dvm/kimai/kimaitest services/dvm/site app/server app/client app/e2e"},
	{"os/exec", "app/e2e app/client services/hub/store/storetest"},
}

// banned imports: nobody, tests included.
var banned = []struct{ prefix, only string }{
	{"github.com/nbd-wtf/go-nostr/nip17", ""},
	{"github.com/nbd-wtf/go-nostr/nip59", ""},
	{"github.com/nbd-wtf/go-nostr/keyer", ""},
	{"github.com/nbd-wtf/go-nostr/nipb0", ""},
	{"github.com/nbd-wtf/go-nostr/sdk", ""},
	{"github.com/fiatjaf/khatru", ""},
	{"github.com/fiatjaf/eventstore", ""},
	{"golang.org/x/crypto/openpgp", ""},
	{"github.com/mattn/go-sqlite3", ""},
	{"math/rand", "services/wire/archive services/wire/envelope services/wire/invite services/wire/identity"},
}

// doors: a selector and the only files that may use it ("" = none; "!x" = all but x).
var doors = []struct{ sel, home string }{
	{"fyne.Do", "ui/bridge/"},
	{"fyne.DoAndWait", ""},
	{"nip44.Decrypt", "services/wire/envelope/guard.go"},
	{"nostr.NewSimplePool", ""},
	{"nostr.NewRelay", ""},
	{"nostr.RelayConnect", ""},
	{"os.Exit", "main.go main_server.go"},
	{"time.Now", "!services/pow/ !services/dvm/meter/"},
}

// links: what a program or package must not contain, directly or not.
var links = []struct{ tags, pkg, not string }{
	{"server", ".", "fyne.io/ github.com/go-gl/ github.com/kbinani/ github.com/zalando/go-keyring go.etcd.io/bbolt pow.do/ui pow.do/services/client"},
	{"", "./app/client", "pow.do/services/hub pow.do/services/dvm modernc.org/sqlite github.com/jackc/pgx github.com/minio github.com/prometheus"},
	{"", "./services/hub/…", "filippo.io/age github.com/ProtonMail github.com/nbd-wtf/go-nostr/nip44 github.com/nbd-wtf/go-nostr/nip59 pow.do/services/wire/archive pow.do/services/wire/envelope pow.do/services/wire/identity pow.do/services/dvm"},
	{"", "./services/dvm/…", "pow.do/services/hub pow.do/services/client pow.do/ui"},
}

// names of packages that say nothing.
var names = "util utils common helpers misc shared types models base lib"

// exceptions to the budgets: "package.function" or "file" → why.
var exceptions = map[string]string{}

// testOnly lists modules that only tests import.
var testOnly = "c2sp.org/CCTV/age github.com/google/go-cmp github.com/rogpeppe/go-internal go.uber.org/goleak golang.org/x/crypto pgregory.net/rapid"

const (
	maxFileLines = 500
	maxFuncLines = 80
)

// planted are violations that the guard must find, each in a file of its own.
var planted = []struct{ file, src string }{
	{"services/client/queue/a.go", `package queue; import _ "pow.do/ui"`},
	{"services/dvm/a.go", `package dvm; import _ "pow.do/services/wire/archive"`},
	{"services/pow/a.go", `package pow; import _ "fyne.io/fyne/v2"`},
	{"services/utils/a.go", `package utils`},
	{"services/wire/archive/a.go", "//go:build server\n\npackage archive"},
	{"app/server/a.go", `package server; import _ "pow.do/services/client/queue"`},
	{"services/client/outbox/a.go", `package outbox; import _ "github.com/nbd-wtf/go-nostr"`},
	{"ui/tracker/a.go", `package tracker; import _ "fyne.io/fyne/v2/app"`},
	{"services/hub/relay/a.go", `package relay; import _ "pow.do/services/wire/archive"`},
	{"ui/tracker/b.go", `package tracker; import _ "net/http"`},
	{"services/client/outbox/b.go", `package outbox; import _ "pow.do/services/dvm"`},
	{"services/client/outbox/c.go", `package outbox; import _ "pow.do/services/client/queue"`},
	{"services/wire/envelope/a.go", `package envelope; import _ "math/rand/v2"`},
	{"ui/tracker/c.go", `package tracker; import "fyne.io/fyne/v2"; func f() { fyne.Do(nil) }`},
	{"services/pow/b.go", `package pow; import "time"; var t = time.Now()`},
	{"services/wire/relays/a.go", `package relays; import _ "github.com/nobody/knows"`},
}
