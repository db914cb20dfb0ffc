#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/rules.sh - what kernel NAT's rules cost by themselves: new connections through routers that differ in them alone; inside the
# sandbox of tests/bench/run.sh, into $DIR/figures; for root
#
#	make bench BENCH=rules RUNS=5 ONLY=WORD
#
# Each router stands between a guest and an outside of its own, on veth pairs; one connection after another, all on one core, so that the rate is what
# the processor needs for all of it. All of them take a turn of 60 ms forty times a run, in an order thrown anew: a ratio is that of one turn.
# They are made anew for each run, because where in memory a router lies makes a hundredth, too. The second masquerade says how far to believe it.
. "$ROOT/tests/net/lib.sh"
[ "$(awk '{ print $3 }' /proc/self/uid_map)" != 1 ] || { echo "bench: rules: for root: skipped" >&2; exit 0; }

SUBNET=10.77.0.0/24 TURN=0.06 TURNS=40
. "$ROOT/tests/bench/rulesets.sh"
nb=$B/tests/bench/nb core=(taskset -c $(($(nproc) - 1)))
rules_none() { :; }
rules_again() { rules_plain; }
rules_lanyard() { nft -f "$DIR/rules"; }
rulesets=(plain again filtered libvirt lanyard none)

# lanyard's table for one network, as it stands while there is one
daemon_start
lanyard net add lab --subnet $SUBNET --nat kernel --quiet
nft list ruleset >"$DIR/rules"
lanyard net rm lab --force --quiet
daemon_stop

# router RULES - namespaces g-, r- and o-RULES: a guest, the router, the outside
router() {
	local g=g-$1 r=r-$1 o=o-$1 n
	for n in "$g" "$r" "$o"; do ip netns add "$n"; done
	ip -n "$r" link add ly-lab type veth peer name eth0 netns "$g"
	ip -n "$r" link add outside0 type veth peer name eth0 netns "$o"
	ip -n "$r" addr add 10.77.0.1/24 dev ly-lab
	ip -n "$r" addr add 198.51.100.1/24 dev outside0
	ip -n "$g" addr add 10.77.0.2/24 dev eth0
	ip -n "$o" addr add 198.51.100.2/24 dev eth0
	for n in ly-lab outside0; do ip -n "$r" link set $n up; done
	for n in "$g" "$o"; do ip -n "$n" link set eth0 up; done
	ip -n "$g" route add default via 10.77.0.1
	ip -n "$o" route add default via 198.51.100.1
	ip netns exec "$r" sysctl -qw net.ipv4.ip_forward=1
	ip netns exec "$o" "${core[@]}" "$nb" echo 7000 &
	echoes+=($!)
	until_ok 5 ip netns exec "$o" sh -c "ss -Hltn 'sport = :7000' | grep -q ."
	export -f rules_plain rules_again rules_filtered rules_libvirt rules_lanyard rules_none
	SUBNET=$SUBNET ip netns exec "$r" bash -c "rules_$1"
}
connects() { ip netns exec g-"$1" "${core[@]}" "$nb" connect 198.51.100.2 7000 $TURN 16 | jq .per_second; }

declare -A rate
turn() {
	local name
	for name in $(shuf -e "${rulesets[@]}"); do rate[$name]=$(connects "$name"); done
	for name in "${rulesets[@]}"; do
		printf 'new connections, rules: %s\t%%\t%s\n' "$name" "$(jq -n "${rate[$name]} / ${rate[plain]} * 1000 | round / 10")" >>"$DIR/figures"
	done
}
remove_all() {
	local name
	kill "${echoes[@]}"
	wait "${echoes[@]}" 2>/dev/null || true
	for name in "${rulesets[@]}"; do ip netns del "g-$name"; ip netns del "r-$name"; ip netns del "o-$name"; done
}

for ((run = 1; run <= RUNS; run++)); do
	echo "-- run $run of $RUNS" >&2
	echoes=()
	for name in $(shuf -e "${rulesets[@]}"); do router "$name"; done
	for name in "${rulesets[@]}"; do connects "$name" >/dev/null; done
	for ((i = 0; i < TURNS; i++)); do turn; done
	remove_all
done
