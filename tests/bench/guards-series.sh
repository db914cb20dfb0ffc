#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/guards-series.sh - the series of tests/bench/guards.sh, inside its sandbox
# shellcheck source=tests/net/lib.sh
. "$ROOT/tests/net/lib.sh"
# shellcheck source=tests/bench/vhost-peers.sh
. "$ROOT/tests/bench/vhost-peers.sh"

gen=$B/tests/bench/vhostgen T=$SECONDS_EACH TRIES=4
figure() { printf '%s\t%s\t%s\n' "guards, $1" "$2" "$3" >>"$DIR/figures"; printf '%-98s %10s %s\n' "guards, $1" "$3" "$2" >&2; }
wanted() { [[ "guards, $1" == *"$ONLY"* ]]; }
guards() { for n in a b; do lanyard guard set bench/$n --own-mac "$1" --own-ip "$1" --dhcp "$1" --router "$1" "${@:2}" --quiet; done; }
guards_off() { guards false --max-macs 0 --broadcast 0 --multicast 0 --unknown 0; }
guards_on() { guards true --max-macs 4 --broadcast 1000 --multicast 1000 --unknown 1000; }

# rate ARGUMENT... - into RATE and CYCLES, what two guests got of one another, and what a frame took of the switch
rate() {
	local answer
	answer=$(timeout $((T + 40)) "$gen" --cpu "$LOAD_CPU" --seconds "$T" --pid "$(engine_pid)" "$@" 2>>"$DIR/load.log")
	RATE=$(jq '.frames_per_s / 1e4 | round / 100' <<<"$answer")
	CYCLES=$(jq .cycles_per_frame <<<"$answer")
}
plain() { rate "$@" "$DIR/a" "$DIR/b"; }
with_guards() { guards_on; plain "$@"; guards_off; }
# beside N WHAT - what two guests have beside a third that sends from new addresses, of what they have beside it with one address: in turns of a second, by the
# time on the switch's core. The third, which the same core plays, sends N frames each turn of its rings to a fourth
beside() {
	local answer ratio
	wanted "$2" || return 0
	answer=$(timeout 100 "$gen" --cpu "$LOAD_CPU" --turns 15 --seconds 1 --pid "$(engine_pid)" --beside "$1" --addresses --invent \
		"$DIR/a" "$DIR/b" "$DIR/beside-c" "$DIR/beside-d" 2>>"$DIR/load.log")
	for ratio in ratio lower_quartile upper_quartile; do figure "$2, $ratio" % "$(jq ".$ratio * 1000 | round / 10" <<<"$answer")"; done
}

# of WHAT NAME NAME2 HOW ARGUMENT... -- HOW2 ARGUMENT... - both rates, and the second of the first by the time on the core; once more where the cores moved meanwhile
of() {
	local what=$1 name=$2 name2=$3 how=() base cycles try before; shift 3
	wanted "$what" || return 0
	while [ "$1" != -- ]; do how+=("$1"); shift; done
	shift
	for ((try = 1; try <= TRIES; try++)); do
		look_far
		before=$FAR
		"${how[@]}"
		base=$RATE cycles=$CYCLES
		"$@"
		look_far
		[ "$before" != "$FAR" ] || break
	done
	[ $try -le $TRIES ] || return 0
	figure "$name$FAR" Mframes/s "$base"
	figure "$name2$FAR" Mframes/s "$RATE"
	figure "$what" % "$(jq -n "$cycles / $CYCLES * 1000 | round / 10")"	# less of its time a frame is more of them
}

lanyard_start
lanyard net set bench --stations 131072 --quiet
for n in c d; do lanyard port add bench/$n --vhost-user "$DIR/beside-$n" --quiet; done
lanyard guard set bench/a --mac 02:a0:00:00:00:00 --address 10.0.0.0 --quiet
lanyard guard set bench/b --mac 02:a1:00:00:00:00 --address 10.1.0.0 --quiet
guards_off
for ((round = 1; round <= RUNS; round++)); do
	of "64 B: all on, of the rate with none" "64 B, none on" "64 B, all on" plain -- with_guards
	of "64 B: 100,000 stations, of the rate with two" "64 B, two stations that write their addresses" "64 B, 100,000 stations" \
		plain --addresses -- plain --macs 50000
	beside 16 "64 B: beside a guest with a new address in each frame, of the rate beside one with one"
	beside 256 "64 B: beside one that has as many of them as it can, of the rate beside one with one"
done
