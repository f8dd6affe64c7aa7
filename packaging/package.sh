#!/bin/sh
# Builds what people install, into dist/: .deb, .rpm and .tar.xz of both programs
# for Linux, and powdo for Windows. The same source, compiler and date give the
# same bytes, wherever the folder lies (reproduce.sh checks that).
#
#   package.sh            everything
#   package.sh linux      without Windows, whose first build takes minutes
set -eu
cd "$(dirname "$0")/.."

what=${1:-all}
VERSION=$(sed -n 's/^\tVersion = "\(.*\)"$/\1/p' app/client/main.go)
# The date of everything inside the packages: of the last commit, unless given.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}
export VERSION SOURCE_DATE_EPOCH GOFLAGS=-trimpath LC_ALL=C TZ=UTC
umask 022

tags=release,migrated_fynedo,no_animations
nfpm="go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0"
dist=$PWD/dist
work=$dist/work
rm -rf "$work"
mkdir -p "$work"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

# stage NAME: binary, manual, completion and licence of a program.
stage() {
	root=$work/$1
	install -D -m755 "$work/$1.bin" "$root/usr/bin/$1"
	mkdir -p "$root/usr/share/man/man1"
	"$work/$1.bin" man --version "$VERSION" | gzip -n9 >"$root/usr/share/man/man1/$1.1.gz"
	"$work/$1.bin" completion bash >"$work/completion" && install -D -m644 "$work/completion" "$root/usr/share/bash-completion/completions/$1"
	"$work/$1.bin" completion zsh >"$work/completion" && install -D -m644 "$work/completion" "$root/usr/share/zsh/vendor-completions/_$1"
	"$work/$1.bin" completion fish >"$work/completion" && install -D -m644 "$work/completion" "$root/usr/share/fish/vendor_completions.d/$1.fish"
	install -D -m644 packaging/linux/copyright "$root/usr/share/doc/$1/copyright"
	mkdir -p "$root/usr/share/doc/$1" && gzip -n9 <CHANGELOG.md >"$root/usr/share/doc/$1/changelog.gz"
}

# pack NAME CONFIG: three packages of a staged program.
pack() {
	find "$work/$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	for kind in deb rpm; do
		STAGE=$work/$1 $nfpm package --config "$2" --packager $kind --target "$dist/${1}_${VERSION}_amd64.$kind" >&2
	done
	tar -C "$work/$1" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar \
		--transform "s,^\./usr,$1-$VERSION," -cf - ./usr | xz -9 -T1 >"$dist/${1}_${VERSION}_amd64.tar.xz"
}

say "powdo $VERSION for Linux"
CGO_ENABLED=1 go build -buildvcs=false -tags $tags -ldflags='-s -w' -o "$work/powdo.bin" .
stage powdo
root=$work/powdo
install -D -m644 packaging/linux/do.pow.client.desktop "$root/usr/share/applications/do.pow.client.desktop"
install -D -m644 packaging/linux/app-do.pow.client.service "$root/usr/lib/systemd/user/app-do.pow.client.service"
mkdir -p "$root/usr/share/metainfo"
sed "s/@VERSION@/$VERSION/; s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/" packaging/linux/do.pow.client.metainfo.xml \
	>"$root/usr/share/metainfo/do.pow.client.metainfo.xml"
for f in packaging/linux/icons/*.png; do
	size=$(basename "$f" .png)
	install -D -m644 "$f" "$root/usr/share/icons/hicolor/${size}x$size/apps/do.pow.client.png"
done
if command -v desktop-file-validate >/dev/null; then desktop-file-validate "$root/usr/share/applications/do.pow.client.desktop"; fi
if command -v appstreamcli >/dev/null; then appstreamcli validate --no-net "$root/usr/share/metainfo/do.pow.client.metainfo.xml" >&2; fi
pack powdo packaging/nfpm-powdo.yaml

say "powdo-server $VERSION for Linux"
# With libsecp256k1 a letter costs half the time, and it is static all the same.
CGO_ENABLED=1 go build -buildvcs=false -tags server,libsecp256k1,netgo,osusergo -ldflags='-s -w -extldflags=-static' -o "$work/powdo-server.bin" .
stage powdo-server
root=$work/powdo-server
for f in packaging/systemd/*.service; do install -D -m644 "$f" "$root/usr/lib/systemd/system/$(basename "$f")"; done
install -D -m644 packaging/systemd/powdo-server.sysusers "$root/usr/lib/sysusers.d/powdo-server.conf"
pack powdo-server packaging/nfpm-server.yaml

# windows NAME FLAGS: one program; the linker's clock is kept out of it.
windows() {
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc go build -buildvcs=false -tags $tags \
		-ldflags="-s -w $2 -extldflags=-Wl,--no-insert-timestamp" -o "$dist/$1" .
}

if [ "$what" = all ]; then
	say "powdo $VERSION for Windows: powdo.exe is the window, powdo-cli.exe the same with a console"
	resource=rsrc_windows_amd64.syso # go build takes it along
	trap 'rm -f "$resource"' EXIT
	numbers=$(echo "$VERSION" | sed 's/[^0-9.].*//; s/\./,/g'),0
	x86_64-w64-mingw32-windres -I packaging/windows -D "VERSION_NUMBERS=$numbers" -D "VERSION_TEXT=\\\"$VERSION\\\"" \
		-O coff packaging/windows/powdo.rc "$resource"
	windows powdo.exe '-H windowsgui'
	windows powdo-cli.exe ''
fi

rm -rf "$work"
(cd "$dist" && sha256sum ./*.deb ./*.rpm ./*.tar.xz $([ "$what" = all ] && echo ./*.exe) >SHA256SUMS && cat SHA256SUMS)
