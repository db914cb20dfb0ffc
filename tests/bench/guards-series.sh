#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/guards-series.sh - the series of tests/bench/guards.sh, inside its sandbox
# shellcheck source=tests/net/lib.sh
. "$ROOT/tests/net/lib.sh"
# shellcheck source=tests/bench/vhost-peers.sh
. "$ROOT/tests/bench/vhost-peers.sh"

gen=$B/tests/bench/vhostgen T=$SECONDS_EACH
figure() { printf '%s\t%s\t%s\n' "guards, $1" "$2" "$3" >>"$DIR/figures"; printf '%-78s %10s %s\n' "guards, $1" "$3" "$2" >&2; }
run() { timeout $((T + 40)) "$gen" --cpu "$LOAD_CPU" --seconds "$T" --pid "$(engine_pid)" "$@" 2>>"$DIR/load.log"; }
# rate WHAT ARGUMENT... - into CYCLES, what a frame took of the switch
rate() {
	local what=$1 answer; shift
	answer=$(run "$@" "$DIR/a" "$DIR/b")
	figure "$what" Mframes/s "$(jq '.frames_per_s / 1e4 | round / 100' <<<"$answer")"
	CYCLES=$(jq .cycles_per_frame <<<"$answer")
	figure "$what, cycles" cycles/frame "$CYCLES"
}
speed() { figure "$1" % "$(jq -n "$2 / $3 * 1000 | round / 10")"; }	# less time a frame is more of them
guards() { for n in a b; do lanyard guard set bench/$n --own-mac "$1" --own-ip "$1" --dhcp "$1" --router "$1" "${@:2}" --quiet; done; }

# beside ARGUMENT... - the rate of two guests while another, which the same core plays, sends a few frames each turn to a fourth
beside() { run --beside 16 "$@" "$DIR/a" "$DIR/b" "$DIR/beside-c" "$DIR/beside-d" | jq .frames_per_s; }

lanyard_start
lanyard net set bench --stations 131072 --quiet
for n in c d; do lanyard port add bench/$n --vhost-user "$DIR/beside-$n" --quiet; done
lanyard guard set bench/a --mac 02:a0:00:00:00:00 --address 10.0.0.0 --quiet
lanyard guard set bench/b --mac 02:a1:00:00:00:00 --address 10.1.0.0 --quiet
for ((round = 1; round <= RUNS; round++)); do
	guards false --max-macs 0 --broadcast 0 --multicast 0 --unknown 0
	rate "64 B, none on"
	none=$CYCLES
	guards true --max-macs 4 --broadcast 1000 --multicast 1000 --unknown 1000
	rate "64 B, all on"
	speed "64 B: all on, of the rate with none" "$none" "$CYCLES"
	guards false --max-macs 0 --broadcast 0 --multicast 0 --unknown 0
	rate "64 B, 100,000 stations" --macs 50000
	speed "64 B: 100,000 stations, of the rate with two" "$none" "$CYCLES"
	one=$(beside)
	many=$(beside --invent)
	speed "64 B: beside a guest with a new address in each frame, of the rate beside one with one" "$many" "$one"
done
