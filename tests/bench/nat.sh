#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/nat.sh - user-mode NAT figures, into $DIR/figures: lanyard, and its peers where they are installed
#
#	make bench BENCH=nat RUNS=5 SECONDS_EACH=2 ONLY=WORD PEERS="direct bound lanyard pasta slirp4netns" MTUS="1500 65520"
#
# A guest's namespace on one core, a server outside on another, and between them the NAT, wherever the scheduler puts it.
# Without root only lanyard runs, and the way without any NAT (direct). The series itself is nat-series.sh, in a sandbox.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export ROOT PEERS="${PEERS:-direct bound lanyard pasta slirp4netns}" MTUS="${MTUS:-1500 65520}" AS=root
# shellcheck source=tests/bench/quiet.sh
. "$ROOT/tests/bench/quiet.sh"

[ "$(nproc)" -gt 1 ] || { echo "bench: nat: one core for the guest and one for the server are needed: skipped" >&2; exit 0; }
user=(--user --map-root-user)
[ "$(id -u)" = 0 ] && user=()
for peer in bound pasta slirp4netns; do
	[[ " $PEERS " == *" $peer "* ]] || continue
	why=
	[ "$(id -u)" = 0 ] || why="it needs root"
	[ $peer = bound ] || command -v $peer >/dev/null || why="it is not installed"
	if [ -n "$why" ]; then
		PEERS=" $PEERS "
		PEERS=${PEERS/ $peer / }
		echo "bench: nat: without $peer: $why" >&2
	elif [ $peer != bound ]; then
		dpkg-query -W -f '${Package} ${Version}\n' ${peer/pasta/passt} 2>/dev/null >>"$DIR/peers"
	fi
done
trap quiet_end EXIT
trap 'exit 130' INT TERM HUP
quiet_begin
"${QUIET[@]}" unshare "${user[@]}" --net --mount --pid --fork --kill-child=KILL --mount-proc \
	bash "$ROOT/tests/run.sh" --inside "$ROOT/tests/bench/nat-series.sh" </dev/null &
inside=$!
trap 'kill -KILL $inside 2>/dev/null; exit 130' INT TERM HUP
wait $inside
