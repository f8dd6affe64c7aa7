#!/bin/sh
# Does the package start on a bare Debian? Makes one in a folder, installs the
# .deb with apt as a person would, and opens the window as an ordinary user on a
# virtual display. Needs root (chroot) and the network (apt). The picture of the
# window stays in dist/try-package.png.
#
#   try-deb.sh FILE.deb        SUITE=trixie for another Debian than bookworm, MIRROR=URL for another mirror
set -eu
deb=$(realpath "$1")
cd "$(dirname "$0")/../.."
suite=${SUITE:-bookworm}
[ "$(id -u)" = 0 ] || { echo "chroot needs root: sudo make try-package" >&2; exit 1; }

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

root=$(mktemp -d)
finish() {
	# What still runs inside, by its root and nothing else.
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/root" 2>/dev/null)" = "$root" ] && kill -9 "${p#/proc/}" 2>/dev/null
	done
	sleep 0.2
	umount "$root/proc" 2>/dev/null || true
	rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 1' INT TERM

say "1. A bare Debian ($suite)"
debootstrap --variant=minbase "$suite" "$root" ${MIRROR:+"$MIRROR"} >"$root.log" 2>&1 || { tail -5 "$root.log" >&2; exit 1; }
rm -f "$root.log"
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ -d /etc/apt/apt.conf.d ] && find /etc/apt/apt.conf.d -name '*proxy*' -exec cp {} "$root/etc/apt/apt.conf.d/" \;
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	${http_proxy:+http_proxy=$http_proxy} "$@"; }
chmod 755 "$root"

say "2. apt install ./$(basename "$deb")"
cp "$deb" "$root/tmp/powdo.deb"
chmod 644 "$root/tmp/powdo.deb"
inside apt-get update -qq
inside apt-get install -y -qq /tmp/powdo.deb >"$root/tmp/apt.log" 2>&1 || { tail "$root/tmp/apt.log" >&2; exit 1; }

say "3. The commands, with nothing else installed"
inside useradd -m anna
person() { chroot --userspec=anna "$root" env -i PATH=/usr/bin:/bin HOME=/home/anna LC_ALL=C.UTF-8 "$@"; }
person powdo --help | head -1
person powdo status
inside ldd /usr/bin/powdo | grep 'not found' && exit 1
for f in share/applications/do.pow.client.desktop share/metainfo/do.pow.client.metainfo.xml lib/systemd/user/app-do.pow.client.service \
	share/bash-completion/completions/powdo share/icons/hicolor/48x48/apps/do.pow.client.png; do
	test -s "$root/usr/$f" || { echo "missing: /usr/$f" >&2; exit 1; }
done

say "4. The window, on a virtual display"
inside apt-get install -y -qq --no-install-recommends xvfb openbox xdotool imagemagick >"$root/tmp/apt.log" 2>&1
cat >"$root/tmp/window.sh" <<'INSIDE'
set -eu
Xvfb -displayfd 3 -noreset -nolisten tcp -screen 0 1280x800x24 3>/tmp/display 2>/dev/null &
until [ -s /tmp/display ]; do sleep 0.1; done
export DISPLAY=:$(cat /tmp/display) XDG_SESSION_TYPE=x11
openbox >/dev/null 2>&1 &
powdo >/tmp/window.log 2>&1 &
timeout 30 xdotool search --sync --onlyvisible --name '^pow\.do$' >/dev/null || { cat /tmp/window.log; exit 1; }
sleep 3
powdo doctor || true
import -window root /tmp/window.png
powdo agent --stop
INSIDE
: >"$root/tmp/display" && : >"$root/tmp/window.log" && : >"$root/tmp/window.png"
chmod 666 "$root/tmp/display" "$root/tmp/window.log" "$root/tmp/window.png"
person sh /tmp/window.sh
mkdir -p dist
cp "$root/tmp/window.png" dist/try-package.png
say "It starts. The window, as it was: dist/try-package.png"
