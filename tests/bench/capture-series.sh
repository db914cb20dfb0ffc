#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/capture-series.sh - the series of tests/bench/capture.sh, inside its sandbox
# shellcheck source=tests/net/lib.sh
. "$ROOT/tests/net/lib.sh"
# shellcheck source=tests/bench/vhost-peers.sh
. "$ROOT/tests/bench/vhost-peers.sh"

gen=$B/tests/bench/vhostgen T=$SECONDS_EACH
figure() { printf '%s\t%s\t%s\n' "capture, $1" "$2" "$3" >>"$DIR/figures"; printf '%-78s %10s %s\n' "capture, $1" "$3" "$2" >&2; }
run() { timeout $((T + 40)) "$gen" --cpu "$LOAD_CPU" --seconds "$T" --pid "$(engine_pid)" "$@" "$DIR/a" "$DIR/b" 2>>"$DIR/load.log"; }
# rate WHAT ARGUMENT... - into CYCLES, what a frame took of the switch
rate() {
	local what=$1 answer; shift
	answer=$(run "$@")
	figure "$what" Mframes/s "$(jq '.frames_per_s / 1e4 | round / 100' <<<"$answer")"
	CYCLES=$(jq .cycles_per_frame <<<"$answer")
	figure "$what, cycles" cycles/frame "$CYCLES"
}
speed() { figure "$1" % "$(jq -n "$2 / $3 * 1000 | round / 10")"; }	# less time a frame is more of them

# captures N FILTER... - that many run from now on, and have begun
captures() {
	local n=$1 i; shift
	PIDS=()
	for ((i = 0; i < n; i++)); do
		"$B/lanyard" capture bench "$@" -w /dev/null 2>"$DIR/capture.$i" &
		PIDS+=($!)
		until_ok 5 grep -q capturing "$DIR/capture.$i"
	done
}
end_captures() { kill -INT "${PIDS[@]}"; wait "${PIDS[@]}" || true; }

# with WHAT N FILTER... - the rate while such captures run, compared with NONE
with() {
	local what=$1; shift
	captures "$@"
	rate "$what"
	end_captures
	speed "$what, of the rate without" "$NONE" "$CYCLES"
}

lanyard_start
for ((round = 1; round <= RUNS; round++)); do
	rate "64 B, none"
	NONE=$CYCLES
	with "64 B, one that means nothing" 1 tcp port 9
	with "64 B, ten that mean nothing" 10 tcp port 9
	with "64 B, one of everything, as far as it is read" 1
done
