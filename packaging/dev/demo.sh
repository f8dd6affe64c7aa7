#!/bin/sh
# The whole way from a click to a booked hour, on this machine: `make demo`.
#
# With a display the window opens, joined and ready, and the demo ends when the
# window is closed. Without one, or with DEMO=headless, a virtual display is
# used and the keys are pressed by xdotool.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

work=$PWD/dist/demo
rm -rf "$work"
mkdir -p "$work/home" "$work/server"
chmod 700 "$work" "$work/home" "$work/server"
export POWDO_HOME="$work/home" POWDO_DATA="$work/server" POWDO_PASSPHRASE_FILE="$work/passphrase"
(umask 077; head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$POWDO_PASSPHRASE_FILE")
pids=
finish() {
	./powdo agent --stop >/dev/null 2>&1 || true
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	wait 2>/dev/null || true
}
trap finish EXIT
trap 'exit 1' INT TERM

headless=
if [ "${DEMO:-}" = headless ] || { [ -z "${DISPLAY:-}" ] && [ -z "${WAYLAND_DISPLAY:-}" ]; }; then
	headless=1
	unset WAYLAND_DISPLAY
	export XDG_SESSION_TYPE=x11
	Xvfb -displayfd 3 -noreset -nolisten tcp -screen 0 1280x800x24 3>"$work/display" 2>/dev/null &
	pids="$pids $!"
	until [ -s "$work/display" ]; do sleep 0.1; done
	DISPLAY=:$(cat "$work/display")
	export DISPLAY
	openbox >/dev/null 2>&1 &
	pids="$pids $!"
	# Something to see on the screen.
	xmessage -geometry 500x160+700+560 "Somebody is working here" >/dev/null 2>&1 &
	pids="$pids $!"
fi

say "1. The servers: hub and DVM in one process, on loopback"
./powdo-server init --role all --listen 127.0.0.1:0 >/dev/null
./powdo-server all --listen 127.0.0.1:0 --admin 127.0.0.1:0 >"$work/ready" 2>"$work/server.log" &
pids="$pids $!"
until [ -s "$work/ready" ]; do
	kill -0 $! 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
	sleep 0.1
done
cat "$work/ready" >&2
hub=$(sed 's/.*"relay":"\([^"]*\)".*/\1/' "$work/ready")
store=$(sed 's/.*"blossom":"\([^"]*\)".*/\1/' "$work/ready")
./powdo-server projects add "Website relaunch" --group "Acme GmbH" --interval 60 >&2
./powdo-server projects add "Kiosk app" --group "Nord AG" --pictures optional >&2

say "2. An invitation, and a desktop that accepts it"
link=$(./powdo-server invite --name Anna --relay "$hub" --blossom "$store")
./powdo agent 2>"$work/agent.log" &
pids="$pids $!"
until [ -S "$POWDO_HOME/agent.sock" ]; do sleep 0.1; done
./powdo join "$link" --name "Demo computer" --yes
./powdo projects

say "3. The window"
if [ -z "$headless" ]; then
	say "   Pick a project, press Start, work a little, press Register PoW. Close the window to end the demo."
	./powdo
	./powdo-server sessions
	exit 0
fi
./powdo 2>"$work/window.log" &
pids="$pids $!"
window=$(xdotool search --sync --onlyvisible --name '^pow\.do$' | head -1)
xdotool windowfocus --sync "$window" 2>/dev/null || true

say "4. Start the timer; the screen is captured"
./powdo start "Website relaunch" --note "From a click to a booked hour"
./powdo capture
sleep 4
xsetroot -solid '#25586b' 2>/dev/null || true
./powdo capture
sleep 3

import -window root "$work/tracking.png"

say "5. Register PoW, with the window's own keys: seal, upload, tell the DVM, wait for its receipt"
press() { xdotool windowfocus --sync "$window" key --clearmodifiers "$1"; sleep "$2"; }
press ctrl+Return 2 # the sheet says what would be sent, to whom
import -window root "$work/sheet.png"
press Tab 0.3 # from the safe button to the other one
press space 1
./powdo drain
./powdo stop
press ctrl+3 1
import -window root "$work/window.png"

say "6. What the DVM verified and booked"
./powdo-server proofs
./powdo-server sessions
say "The window, as it was: $work/window.png (and tracking.png, sheet.png beside it)"
