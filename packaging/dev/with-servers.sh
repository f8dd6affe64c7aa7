#!/usr/bin/env bash
# Runs a command with throw-away servers for the hub's tests beside it: a real
# PostgreSQL and a real S3 server (versitygw), on loopback, in a temporary folder;
# and programs that tests start themselves (pebble, an ACME server).
#
#   with-servers.sh COMMAND…
#
# What POWDO_TEST_POSTGRES_URL or POWDO_TEST_S3_URL name already is not started.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /tmp/powdo-servers.XXXXXX)
chmod 755 "$work"
pids=
finish() {
	code=$?
	trap - EXIT INT TERM
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	for p in $pids; do wait "$p" 2>/dev/null || true; done
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT INT TERM

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free sets port to one that nobody listens on; outgoing connections use higher ones.
port=$((20000 + $$ % 9000))
free() {
	port=$((port + 1))
	while listening "$port"; do port=$((port + 1)); done
}

# peer builds a program of packaging/peers once.
root=$(cd "$here/../.." && pwd)
peers=$root/dist/peers
peer() {
	program=$peers/${2##*/}
	if [ ! -x "$program" ] || [ "$root/packaging/peers/$1/go.sum" -nt "$program" ]; then
		(cd "$root/packaging/peers/$1" && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$program" "$2")
	fi
}

# PostgreSQL does not run as root.
as_nobody() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
	else
		"$@"
	fi
}

if [ -z "${POWDO_TEST_POSTGRES_URL:-}" ]; then
	bin=
	for d in /usr/lib/postgresql/*/bin; do [ -x "$d/postgres" ] && bin=$d/; done
	mkdir "$work/pg"
	[ "$(id -u)" != 0 ] || chown nobody "$work/pg"
	as_nobody "${bin}initdb" -D "$work/pg/data" -A trust -U powdo --no-sync >"$work/initdb.log" 2>&1 ||
		{ cat "$work/initdb.log" >&2; exit 1; }
	free
	# Without fsync: tests kill the hub, not this machine.
	as_nobody "${bin}postgres" -D "$work/pg/data" -c listen_addresses=127.0.0.1 -c port="$port" \
		-c unix_socket_directories= -c fsync=off -c max_connections=300 >"$work/pg.log" 2>&1 &
	pids="$pids $!"
	n=0
	until grep -q 'ready to accept connections' "$work/pg.log"; do
		n=$((n + 1))
		[ "$n" -lt 300 ] || { cat "$work/pg.log" >&2; exit 1; }
		sleep 0.1
	done
	export POWDO_TEST_POSTGRES_URL="postgres://powdo@127.0.0.1:$port/postgres"
fi

if [ -z "${POWDO_TEST_S3_URL:-}" ]; then
	peer s3 github.com/versity/versitygw/cmd/versitygw
	mkdir "$work/s3" "$work/about"
	free
	export AWS_ACCESS_KEY_ID=powdo AWS_SECRET_ACCESS_KEY=powdo-for-tests
	ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY "$peers/versitygw" --quiet --keep-alive \
		--port "127.0.0.1:$port" posix --sidecar "$work/about" "$work/s3" >"$work/s3.log" 2>&1 &
	pids="$pids $!"
	n=0
	until listening "$port"; do
		n=$((n + 1))
		[ "$n" -lt 300 ] || { cat "$work/s3.log" >&2; exit 1; }
		sleep 0.1
	done
	export POWDO_TEST_S3_URL="http://127.0.0.1:$port"
fi

# An ACME server and its names, which the tests start themselves.
peer acme github.com/letsencrypt/pebble/v2/cmd/pebble
peer acme github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv
export POWDO_TEST_PEERS=$peers

"$@"
