#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/vhost-series.sh - the series of tests/bench/vhost.sh, inside its sandbox
#
# Every switch is up all the time, but only one is running: the others are stopped (SIGSTOP), since peers poll. So switches take
# turns within seconds: in each round and case lanyard, OVS-DPDK, testpmd. Ratios are taken within such a round. Where the host
# moves virtual CPUs about, rates follow the distance between the two cores: rounds in which a cache line's way there and back
# took more than FAR_NS stand under names of their own, and a round in which that changed does not count.
# shellcheck source=tests/net/lib.sh
. "$ROOT/tests/net/lib.sh"
# shellcheck source=tests/bench/vhost-peers.sh
. "$ROOT/tests/bench/vhost-peers.sh"

gen=$B/tests/bench/vhostgen T=$SECONDS_EACH
declare -A NAME=([lanyard]=lanyard [ovs]=OVS-DPDK [testpmd]=testpmd) ANSWER
figure() { printf '%s\t%s\t%s\n' "vhost-user, $1$FAR" "$2" "$3" >>"$DIR/figures"; printf '%-78s %10s %s\n' "vhost-user, $1$FAR" "$3" "$2" >&2; }
wanted() { [[ "vhost-user, $1" == *"$ONLY"* ]]; }
has_peer() { [[ " $PEERS " == *" $1 "* ]]; }

# load SWITCH ARGUMENT... - one run; its JSON, empty if it failed
load() {
	local switch=$1; shift
	"${switch}_continue"
	# shellcheck disable=SC2046
	timeout $((T + 40)) "$gen" --cpu "$LOAD_CPU" --seconds "$T" --pid "$("${switch}_pid")" $("${switch}_sockets") "$@" 2>>"$DIR/load.log" ||
		echo "bench: ${NAME[$switch]}: $(tail -n 1 "$DIR/load.log")" >&2
	"${switch}_stop"
}

# take WHO ARGUMENT... - into ANSWER: a run of each switch of WHO; false when the cores moved meanwhile
take() {
	local who=$1 switch before; shift
	ANSWER=()
	look_far
	before=$FAR
	for switch in $who; do
		has_peer "$switch" || continue
		ANSWER[$switch]=$(load "$switch" "$@")
		look_far
		[ "$before" = "$FAR" ] || return 1
	done
}

# round WHAT KEY SCALE UNIT WHO ARGUMENT... - each switch of WHO once; the figure, cycles, and how lanyard compares
round() {
	local what=$1 key=$2 scale=$3 unit=$4 who=$5 switch try; shift 5
	wanted "$what" || return 0
	for ((try = 1; ; try++)); do
		take "$who" "$@" && break
		echo "bench: $what: the cores moved: again" >&2
		[ $try -lt 8 ] || return 0
	done
	for switch in $who; do
		[ -n "${ANSWER[$switch]:-}" ] || continue
		figure "$what: ${NAME[$switch]}" "$unit" "$(jq -r ".$key / $scale * 1000 | round / 1000" <<<"${ANSWER[$switch]}")"
		[ "$key" != frames_per_s ] ||
			figure "$what: ${NAME[$switch]}, cycles" cycles/frame "$(jq -r '.cycles_per_frame' <<<"${ANSWER[$switch]}")"
	done
	for switch in ovs testpmd; do
		if [ -z "${ANSWER[lanyard]:-}" ] || [ -z "${ANSWER[$switch]:-}" ]; then continue; fi
		figure "$what: lanyard to ${NAME[$switch]}" ratio "$(jq -n "${ANSWER[lanyard]}.$key / ${ANSWER[$switch]}.$key * 100 | round / 100")"
	done
}
rate() { local what=$1; shift; round "$what" frames_per_s 1e6 Mframes/s "lanyard ovs testpmd" "$@"; }

# ideal WHAT ARGUMENT... - what this machine allows: no switch, a thread that only moves frames
ideal() {
	local what=$1; shift
	wanted "$what" || return 0
	look_far
	figure "$what: no switch but a thread that copies" Mframes/s \
		"$("$gen" --cpu "$LOAD_CPU" --seconds "$T" --ideal 3 "$@" 2>>"$DIR/load.log" | jq '.frames_per_s / 1e4 | round / 100')"
}

rates() {
	rate "64 B, 1 MAC"
	ideal "64 B, 1 MAC"
	rate "64 B, 1 MAC, payload touched" --touch
	ideal "64 B, 1 MAC, payload touched" --touch
	rate "64 B, 1 MAC, both ways" --both
	rate "64 B, 1,000 MACs" --macs 1000
	rate "64 B, 10,000 MACs" --macs 10000
	rate "64 B, 10,000 MACs, both ways, payload touched" --macs 10000 --both --touch
	rate "64 B, 1 MAC, packed rings" --packed
	rate "1518 B, 1 MAC" --size 1514
	ideal "1518 B, 1 MAC" --size 1514
	rate "1518 B, 1 MAC, payload touched" --size 1514 --touch
	rate "1518 B, 10,000 MACs" --size 1514 --macs 10000
	round "64 B, one by one, p50" p50_ns 1 ns "lanyard ovs testpmd" --latency 200000
	round "64 B, one by one, p99" p99_ns 1 ns "lanyard ovs testpmd" --latency 200000
}

# large - TCP segments of 64 KB; OVS-DPDK has to be told, at its start
large() {
	round "64 KB segments, 2 KB buffers" gbit_per_s 1 Gbit/s "lanyard ovs testpmd" --gso
	round "64 KB segments, 68 KB buffers" gbit_per_s 1 Gbit/s "lanyard" --gso --buffer 69632
}

# idle - a thousand guests that do nothing: the daemon's time on its cores, and the first frame after 100 ms of quiet
idle() {
	local answer
	wanted "1,000 idle ports" || return 0
	{
		printf 'networks:\n  bench:\n    mode: internal\n    ports:\n'
		for n in a b idle{0..999}; do printf '      %s: { kind: vhost-user, path: %s }\n' "$n" "$DIR/$n"; done
	} >"$DIR/idle.yaml"
	lanyard apply -f "$DIR/idle.yaml" >/dev/null
	answer=$("$gen" --cpu "$LOAD_CPU" --hold --seconds 10 --pid "$(engine_pid)" --idle "$DIR/idle:1000")
	figure "1,000 idle ports: the engine's CPU" % "$(jq '.switch_cpu * 1e5 | round / 1e3' <<<"$answer")"
	answer=$("$gen" --cpu "$LOAD_CPU" --latency 200 --quiet 100 --idle "$DIR/idle:1000" "$DIR/a" "$DIR/b")
	figure "1,000 idle ports: first frame after 100 ms, p50" us "$(jq '.p50_ns / 100 | round / 10' <<<"$answer")"
	figure "1,000 idle ports: first frame after 100 ms, p99" us "$(jq '.p99_ns / 100 | round / 10' <<<"$answer")"
	rate_of_lanyard "64 B, 1 MAC, beside 1,000 idle ports" --idle "$DIR/idle:1000"
}
rate_of_lanyard() { local what=$1; shift; round "$what" frames_per_s 1e6 Mframes/s lanyard "$@"; }

for switch in $PEERS; do
	"${switch}_start" || { echo "bench: vhost-user: without $switch: it did not start" >&2; PEERS=${PEERS//$switch/}; }
done
for ((run = 1; run <= RUNS; run++)); do
	echo "-- vhost-user, run $run of $RUNS" >&2
	rates
done
if wanted "64 KB segments" && has_peer ovs; then
	ovs_end
	ovs_start tso
fi
for ((run = 1; run <= RUNS; run++)); do large; done
has_peer ovs && ovs_end
has_peer testpmd && testpmd_end
for ((run = 1; run <= RUNS; run++)); do idle; done
