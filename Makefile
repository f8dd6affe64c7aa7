# One word per task. `make demo` and `make test` install what is missing.

SERVER_TAGS := server
RELEASE_TAGS := release,migrated_fynedo,no_animations
GOTEST := go test -timeout 15m
# A throw-away PostgreSQL and S3 server for the hub's tests.
SERVERS := packaging/dev/with-servers.sh
# One set of flags for all builds, so that they share what is compiled.
export GOFLAGS := -trimpath

.PHONY: all build demo test secp race e2e bench crash lint fuzz golden deps package try-package reproduce screenshots

all: build

build: powdo powdo-server

.PHONY: powdo powdo-server
powdo:
	@packaging/dev/deps.sh build
	CGO_ENABLED=1 go build -tags $(RELEASE_TAGS) -ldflags='-s -w' -o $@ .

powdo-server:
	CGO_ENABLED=0 go build -tags $(SERVER_TAGS) -ldflags='-s -w' -o $@ .

# Shows the whole way: with a display in a window, without one (or with
# DEMO=headless) by itself, ending with the booked session and a screenshot.
demo:
	@packaging/dev/deps.sh demo
	@$(MAKE) --no-print-directory build
	@packaging/dev/demo.sh

# Every test: rules, units, vectors, fuzz seeds and screens without cgo; the
# services again under the race detector; then both real programs end to end.
test:
	@packaging/dev/deps.sh test
	CGO_ENABLED=0 go vet -tags $(SERVER_TAGS) ./...
	CGO_ENABLED=0 $(SERVERS) $(GOTEST) -tags server,ci $$(go list -tags server ./... | grep -v /e2e)
	$(MAKE) --no-print-directory secp race e2e

# The server's other build, with libsecp256k1: the same vectors, and the relay's rows of bad input.
secp:
	CGO_ENABLED=1 $(GOTEST) -tags server,libsecp256k1 ./services/wire/event ./services/wire/identity ./services/wire/envelope ./services/wire/invite
	CGO_ENABLED=1 $(GOTEST) -short -tags server,libsecp256k1 -run 'TestRows|TestSequences|TestManage|TestJoin' ./services/hub/relay

# SQLite without cgo is many times slower under the race detector: of the DVM's tests, those that pass days of simulated
# time run without it only.
race:
	CGO_ENABLED=1 $(SERVERS) $(GOTEST) -race -short -tags server $$(go list -tags server ./services/... ./app/... | grep -v -e /e2e -e services/dvm$$)
	CGO_ENABLED=1 $(GOTEST) -race -short -tags server -skip 'TestRetention|TestOutage|TestVerdicts|TestStrangers|TestAfterDaysAway|TestPoison' ./services/dvm

e2e:
	CGO_ENABLED=1 $(GOTEST) -count=1 -v -tags server ./app/e2e/...

# The parts, then the whole with both real programs; about five minutes. Times
# depend on what else the machine does: its load stands before and after.
bench:
	@packaging/dev/deps.sh test
	@uptime
	CGO_ENABLED=0 $(SERVERS) go test -tags server -run '^$$' -bench . -benchtime 0.2s \
		$$(grep -rl '^func Benchmark' --include='*_test.go' services | xargs -n1 dirname | sort -u | sed 's,^,./,')
	CGO_ENABLED=0 go test -tags server -run '^$$' -bench . -benchtime 1x ./app/e2e/
	@uptime

# Kills and power cuts of the hub, ROUNDS of each (as root: on a disk of its own).
ROUNDS ?= 100
crash:
	CGO_ENABLED=0 POWDO_CRASH_ROUNDS=$(ROUNDS) $(SERVERS) go test -timeout 2h -count=1 -v -tags server \
		-run 'TestKill|TestPowerCut|TestFullDisk|TestHubs' ./services/hub/store ./services/hub/blobs

# Every fuzz target for a while (FUZZTIME=20s each).
fuzz:
	@packaging/dev/fuzz.sh

lint:
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run --build-tags server ./...

# Takes what the screens look like now as golden; look at the diff before committing it.
golden:
	-CGO_ENABLED=0 go test -tags server,ci ./ui/...
	find ui -path '*/testdata/failed/*' | while read -r f; do mv "$$f" "$$(dirname "$$(dirname "$$f")")/"; done

# What people install, into dist/: .deb, .rpm, .tar.xz, and .exe for Windows.
package:
	@packaging/dev/deps.sh package
	@packaging/package.sh

# The packages twice, in two folders: the same bytes.
reproduce:
	@packaging/dev/deps.sh package
	@packaging/reproduce.sh

# Installs the .deb on a bare Debian in a folder (debootstrap, as root) and
# opens the window there on a virtual display.
try-package:
	@packaging/dev/deps.sh try
	@test -e dist/powdo_*_amd64.deb || $(MAKE) --no-print-directory package
	@packaging/dev/try-deb.sh dist/powdo_*_amd64.deb

# The pictures of every screen in README, taken from the real program.
screenshots:
	@packaging/dev/deps.sh screenshots
	@$(MAKE) --no-print-directory build
	@packaging/dev/screenshots.sh
