#!/bin/sh
# Takes the pictures of every screen that README shows, of the real program with
# both servers on a virtual display: `make screenshots`. They land in
# packaging/screenshots, small enough for a repository.
#
# Pages are reached by the window's own keys. A page that does not exist yet gives
# the picture of the one before, and is left out.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${POWDO_SCREENSHOTS:-}" ] && command -v dbus-run-session >/dev/null; then
	POWDO_SCREENSHOTS=1 exec dbus-run-session -- "$0" "$@" # a bus of its own: nobody is notified
fi

out=$PWD/packaging/screenshots
work=$(mktemp -d)
CGO_ENABLED=0 GOFLAGS=-trimpath go test -c -tags server -o "$work/seed" ./app/e2e
mkdir -p "$out" "$work/home" "$work/fresh" "$work/server"
chmod 700 "$work"/*/
export POWDO_HOME="$work/home" POWDO_DATA="$work/server" POWDO_PASSPHRASE_FILE="$work/passphrase" HOME="$work" XDG_SESSION_TYPE=x11
export XDG_CONFIG_HOME="$work/config" XDG_CACHE_HOME="$work/cache" LANG=C.UTF-8 LANGUAGE=en
unset WAYLAND_DISPLAY
# A day at work looks best late in the afternoon.
west=$((($(date -u +%-H) + 7) % 24))
if [ $west -le 12 ]; then TZ=Etc/GMT+$west; else TZ=Etc/GMT-$((24 - west)); fi
export TZ
(umask 077; echo "correct horse battery staple" >"$POWDO_PASSPHRASE_FILE")
pids=
finish() {
	for h in home fresh; do ./powdo agent --stop --home "$work/$h" >/dev/null 2>&1 || true; done
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

say "1. A display, two servers, a team"
Xvfb -displayfd 3 -noreset -nolisten tcp -screen 0 1920x1080x24 3>"$work/display" 2>/dev/null &
pids="$pids $!"
until [ -s "$work/display" ]; do sleep 0.1; done
DISPLAY=:$(cat "$work/display")
export DISPLAY
openbox >/dev/null 2>&1 &
pids="$pids $!"
./powdo-server init --role all --listen 127.0.0.1:0 --team "Studio Nord" >/dev/null
./powdo-server all --listen 127.0.0.1:0 --admin 127.0.0.1:0 --team "Studio Nord" >"$work/ready" 2>"$work/server.log" &
pids="$pids $!"
until [ -s "$work/ready" ]; do sleep 0.1; done
hub=$(sed 's/.*"relay":"\([^"]*\)".*/\1/' "$work/ready")
store=$(sed 's/.*"blossom":"\([^"]*\)".*/\1/' "$work/ready")
./powdo-server projects add "Website relaunch" --group "Acme GmbH" >/dev/null
./powdo-server projects add "Kiosk app" --group "Nord AG" --pictures optional >/dev/null
./powdo-server projects add "Bookkeeping" --group "Internal" --pictures forbidden >/dev/null
./powdo join "$(./powdo-server invite --name Anna --relay "$hub" --blossom "$store")" --name "Anna's laptop" --yes >/dev/null 2>&1

id() { ./powdo projects --json | tr '{' '\n' | sed -n "s/.*\"id\":\"\([0-9a-f]*\)\",\"name\":\"$1\".*/\1/p"; }
web=$(id "Website relaunch")
kiosk=$(id "Kiosk app")
books=$(id Bookkeeping)
seed() { POWDO_SEED="$POWDO_HOME" POWDO_SEED_WORK="$1" "$work/seed" -test.short -test.run '^TestSeedADay$' >"$work/seed.log" 2>&1 || { cat "$work/seed.log"; exit 1; }; }

say "2. A day of work: the morning registered and booked, the rest held"
seed "$kiosk:420:45:Checkout:10,$books:370:25:Invoices:0,$web:340:70:Navigation:10"
./powdo register --wait >/dev/null 2>&1
seed "$web:230:95:Landing page:10,$kiosk:125:40:Touch keyboard:10,$web:80:70:Landing page:10"

# shot NAME KEY…: the window after these keys, unless it shows the page of the last one.
last=
window() { xdotool search --onlyvisible --name '^pow\.do$' 2>/dev/null | tail -1; }
shot() {
	name=$1
	shift
	for key in "$@"; do
		xdotool windowfocus --sync "$(window)" key --clearmodifiers "$key"
		sleep 1
	done
	sleep 0.5
	import -window "$(window)" "$work/shot.png"
	sum=$(convert "$work/shot.png" -crop 720x48+160+4 rgb:- | sha256sum) # the page's header: the clock below moves
	if [ "$sum" = "$last" ]; then
		echo "   $name: no such page yet" >&2
		return
	fi
	last=$sum
	if command -v pngquant >/dev/null; then
		pngquant --force --strip --speed 1 --quality 70-95 --output "$out/$name.png" 128 "$work/shot.png" || convert "$work/shot.png" -strip "$out/$name.png"
	else
		convert "$work/shot.png" -strip -colors 128 "png8:$out/$name.png"
	fi
}
open() { # HOME THEME
	mkdir -p "$XDG_CONFIG_HOME/fyne/do.pow.client"
	echo "{\"theme\":\"$2\"}" >"$XDG_CONFIG_HOME/fyne/do.pow.client/preferences.json"
	./powdo --home "$1" >"$work/window.log" 2>&1 &
	windowpid=$!
	n=0
	until [ -n "$(window)" ]; do
		sleep 0.1
		n=$((n + 1))
		[ $n -lt 200 ] || { cat "$work/window.log"; exit 1; }
	done
	xdotool windowsize --sync "$(window)" 1120 720
	sleep 2
}
close() {
	kill "$windowpid" 2>/dev/null || true
	wait "$windowpid" 2>/dev/null || true
	last=
}

say "3. The pictures"
rm -f "$out"/*.png
open "$work/fresh" light
shot welcome
close
xsetroot -solid '#264653'
xmessage -geometry 900x400+500+300 "Somebody is working here" >/dev/null 2>&1 &
pids="$pids $!"
./powdo agent 2>"$work/agent.log" &
pids="$pids $!"
until [ -S "$POWDO_HOME/agent.sock" ]; do sleep 0.1; done
./powdo start "Website relaunch" --note "Landing page" >/dev/null
./powdo capture >/dev/null
for theme in light dark; do
	open "$POWDO_HOME" $theme
	shot "timer-$theme" ctrl+1
	shot "review-$theme" ctrl+2
	if [ $theme = light ]; then shot review-large Home Return; xdotool key Escape; sleep 1; fi
	shot "outbox-$theme" ctrl+3
	shot "history-$theme" ctrl+4
	shot "settings-$theme" ctrl+comma
	shot "register-$theme" ctrl+1 ctrl+Return
	close
done
open "$POWDO_HOME" light
xdotool windowsize --sync "$(window)" 480 640
shot narrow ctrl+1
./powdo keys lock
shot locked ctrl+1
close
du -ch "$out"/*.png | tail -1 >&2
ls "$out"
