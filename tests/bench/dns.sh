#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/dns.sh - DNS answers per second, into $DIR/figures: lanyard, and dnsmasq and unbound where they are installed
#
#	make bench BENCH=dns RUNS=5 SECONDS_EACH=2 ONLY=WORD
#
# As root the machine is made quiet first (quiet.sh). The series itself is dns-series.sh, in a sandbox.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export ROOT SWITCH_CPU="${SWITCH_CPU:-0}" LOAD_CPU="${LOAD_CPU:-1}" AS=root
# shellcheck source=tests/bench/quiet.sh
. "$ROOT/tests/bench/quiet.sh"

[ "$(nproc)" -gt 1 ] || { echo "bench: dns: one core for the load and one for the server are needed: skipped" >&2; exit 0; }
command -v dnsperf >/dev/null || { echo "bench: dns: dnsperf is not installed: skipped" >&2; exit 0; }
PEERS=
for peer in dnsmasq unbound; do
	if command -v $peer >/dev/null; then
		PEERS="$PEERS $peer"
		dpkg-query -W -f '${Package} ${Version}\n' $peer 2>/dev/null >>"$DIR/peers"
	else
		echo "bench: dns: without $peer: it is not installed" >&2
	fi
done
export PEERS
user=(--user --map-root-user)
if [ "$(id -u)" = 0 ]; then
	user=()
	trap quiet_end EXIT
	trap 'exit 130' INT TERM HUP
	quiet_begin
fi
"${QUIET[@]}" unshare "${user[@]}" --net --mount --pid --fork --kill-child=KILL --mount-proc \
	bash "$ROOT/tests/run.sh" --inside "$ROOT/tests/bench/dns-series.sh" </dev/null &
inside=$!
trap 'kill -KILL $inside 2>/dev/null; exit 130' INT TERM HUP
wait $inside
