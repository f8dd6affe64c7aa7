#!/bin/sh
# Runs every fuzz target for a while: FUZZTIME=30s make fuzz
set -eu
cd "$(dirname "$0")/../.."
grep -rlE '^func Fuzz' --include='*_test.go' services app ui | while read -r file; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' "$file"); do
		echo "== ./$(dirname "$file") $target"
		CGO_ENABLED=0 go test -tags server -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}" -fuzzminimizetime 1x "./$(dirname "$file")"
	done
done
