#!/bin/sh
# Installs what building, testing and the demo need. On Debian and Ubuntu by
# itself, without a question; elsewhere it names the packages and ends with 1.
#
#   deps.sh build    the compiler's headers for the window
#   deps.sh test     build, and what the tests run: a virtual display, D-Bus, node, PostgreSQL
#   deps.sh demo     build, and what the demo without a display runs
#   deps.sh package  build, and what packages for Linux and Windows are made with
#   deps.sh try      what tries a package on a bare Debian
#   deps.sh screenshots  build, and what takes the pictures in README
set -eu

build="gcc libc6-dev pkg-config libgl-dev libegl-dev libwayland-dev libxkbcommon-dev
  libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev"
screen="xvfb xauth xdotool openbox imagemagick x11-utils x11-xserver-utils libgl1-mesa-dri"
tests="dbus unzip nodejs npm chromium postgresql util-linux scrot maim"
packages="gcc-mingw-w64-x86-64 xz-utils desktop-file-utils appstream"

case "${1:-build}" in
build) want=$build ;;
demo) want="$build $screen" ;;
test) want="$build $screen $tests" ;;
package) want="$build $packages" ;;
try) want="debootstrap" ;;
screenshots) want="$build $screen dbus pngquant" ;;
*) echo "usage: deps.sh build|test|demo|package|try|screenshots" >&2; exit 2 ;;
esac

if ! command -v go >/dev/null; then
	echo "Go is missing: install the version that go.mod names, or newer." >&2
	exit 1
fi

if ! command -v apt-get >/dev/null; then
	have=1
	for c in gcc pkg-config; do command -v $c >/dev/null || have=0; done
	case "${1:-build}" in demo | test) for c in Xvfb xdotool openbox import; do command -v $c >/dev/null || have=0; done ;; esac
	[ $have = 1 ] && exit 0
	echo "This is not Debian or Ubuntu. Please install what these Debian packages hold:" >&2
	echo $want >&2
	exit 1
fi

missing=
for p in $want; do
	# node and npm may be there without a Debian package
	case $p in nodejs) command -v node >/dev/null && continue ;; npm) command -v npm >/dev/null && continue ;; esac
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

echo "Installing:$missing" >&2
sudo=
[ "$(id -u)" = 0 ] || sudo="sudo -n"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq >&2
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
