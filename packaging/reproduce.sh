#!/bin/sh
# Builds every package twice, in two folders of different names, and compares
# the bytes.
set -eu
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for n in first/folder second; do
	mkdir -p "$work/$n"
	git archive HEAD | tar -x -C "$work/$n"
	"$work/$n/packaging/package.sh" "${1:-all}" >/dev/null
done
diff "$work/first/folder/dist/SHA256SUMS" "$work/second/dist/SHA256SUMS"
echo "The same bytes twice:"
cat "$work/second/dist/SHA256SUMS"
