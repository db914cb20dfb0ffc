#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/modes.sh - the modes that the host has a part in, beside what an administrator would set up by hand; inside the sandbox of
# tests/bench/run.sh, into $DIR/figures; for root
#
#	make bench BENCH=modes RUNS=5 SECONDS_EACH=2 ONLY=nat|bridge|host-only|lease
#
# Kernel NAT: the guest's way is the same each time (a TAP served by lanyard, the host routing); what differs is the rules, which change from turn to turn:
# lanyard's table, one rule of masquerade, or the chains that libvirt makes for a network. Bridged and host-only stand beside a Linux bridge with a guest on a veth pair.
. "$ROOT/tests/net/lib.sh"
[ "$(awk '{ print $3 }' /proc/self/uid_map)" != 1 ] || { echo "bench: modes: for root: skipped" >&2; exit 0; }

first=() second=()
if [ "$(nproc)" -gt 1 ]; then first=(taskset -c 0) second=(taskset -c 1); fi
nb=$B/tests/bench/nb T=$SECONDS_EACH
figure() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$DIR/figures"; printf '%-60s %10s %s\n' "$1" "$3" "$2" >&2; }
wanted() { [[ $1 == *"$ONLY"* ]]; }
ms_since() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }
gbit() { "$@" -J -O 1 -t "$T" | jq '(.end.sum_received.bits_per_second // 0) / 1e7 | round / 100'; }
listens_on() { "${@:2}" ss -Hltn "sport = :$1" | grep -q .; }

# answer PREFIX... - an echo on port 7000 and iperf3, where the prefix leads
answer() {
	"$@" "${second[@]}" "$nb" echo 7000 &
	"$@" "${second[@]}" iperf3 -s >/dev/null 2>&1 &
	until_ok 5 listens_on 7000 "$@"
	until_ok 5 listens_on 5201 "$@"
}

# stream WHAT ADDRESS PREFIX... - throughput both ways
stream() {
	figure "$1: TCP up" Gbit/s "$(gbit "${@:3}" "${first[@]}" timeout $((T + 20)) iperf3 -c "$2")"
	figure "$1: TCP down" Gbit/s "$(gbit "${@:3}" "${first[@]}" timeout $((T + 20)) iperf3 -R -c "$2")"
}
round_trip() { figure "$1: TCP round trip p50" us "$("${@:3}" "${first[@]}" "$nb" rr tcp "$2" 7000 "$T" | jq .p50_us)"; }

# ---- kernel NAT ----

SUBNET=10.77.0.0/24
. "$ROOT/tests/bench/rulesets.sh"

# rules_lanyard - the table of a network with kernel NAT, as it stood when there was one
rules_lanyard() { nft -f "$DIR/rules"; }

# nat_begin, nat_end - a guest behind a host that routes, without rules; the table that lanyard would have made in $DIR/rules
nat_begin() {
	lanyard net add lab --subnet $SUBNET --nat kernel --quiet
	nft list ruleset >"$DIR/rules"
	lanyard net rm lab --force --quiet
	lanyard net add lab --subnet $SUBNET --mode routed --uplink outside0 --quiet
	box a
	dhcp a >/dev/null
}
nat_end() {
	box_end a
	lanyard net rm lab --force --quiet
}

# nat_turn RULES KIND - a second (or SECONDS_EACH) of it by those rules, or a quarter of it where that is enough, into RATE
nat_turn() {
	"rules_$1"
	case $2 in
	up) RATE=$(gbit in_box a "${first[@]}" timeout $((T + 20)) iperf3 -c $OUTSIDE) ;;
	down) RATE=$(gbit in_box a "${first[@]}" timeout $((T + 20)) iperf3 -R -c $OUTSIDE) ;;
	connects) RATE=$(in_box a "${first[@]}" "$nb" connect $OUTSIDE 7000 "$(jq -n "$T / 4")" 16 | jq .per_second) ;;
	esac
	nft flush ruleset
}

# nat_turns KIND UNIT TURNS - each kind of rules beside one masquerade, neither always the later one. What a machine does from minute to minute is more than rules
# cost, so it is the ratios of neighbours that count
nat_turns() {
	local turn by rates=0 plain
	for ((turn = 1; turn <= $3; turn++)); do
		for by in lanyard libvirt; do
			if ((turn % 2)); then
				nat_turn plain "$1"; plain=$RATE
				nat_turn $by "$1"; rates=$RATE
			else
				nat_turn $by "$1"; rates=$RATE
				nat_turn plain "$1"; plain=$RATE
			fi
			figure "kernel NAT, rules of $by: $1" "$2" "$rates"
			figure "kernel NAT, rules of $by: $1, of one masquerade" % "$(jq -n "$rates / $plain * 1000 | round / 10")"
		done
	done
}

# ---- bridged, host-only, and a Linux bridge for both ----

in_lan() { ip netns exec lan "$@"; }
in_peer() { ip netns exec peer "$@"; }

lan_make() {
	ip netns add lan
	ip link add lan0 type veth peer name eth0 netns lan
	ip link set lan0 up
	ip -n lan addr add 10.9.0.2/24 dev eth0
	ip -n lan link set eth0 up
}

# bridge_begin ADDRESS [UPLINK] - a guest on a veth pair beside it
bridge_begin() {
	ip link add br9 type bridge
	[ -z "${2:-}" ] || ip link set "$2" master br9
	ip netns add peer
	ip link add peer0 type veth peer name eth0 netns peer
	ip link set peer0 master br9 up
	ip link set br9 up
	ip addr add 10.9.1.1/24 dev br9
	ip -n peer addr add "$1" dev eth0
	ip -n peer link set eth0 up
}
bridge_end() {
	ip netns del peer
	ip link del br9
	until_ok 5 sh -c '! ip link show peer0 2>/dev/null'
}

bridged_both() {
	lanyard net add wire --mode bridged --uplink lan0 --quiet
	box wire/g
	in_box g ip addr add 10.9.0.5/24 dev eth0
	stream "bridged: lanyard" 10.9.0.2 in_box g
	round_trip "bridged: lanyard" 10.9.0.2 in_box g
	box_end g
	lanyard net rm wire --force --quiet
	bridge_begin 10.9.0.6/24 lan0
	stream "bridged: Linux bridge, guest on veth" 10.9.0.2 in_peer
	round_trip "bridged: Linux bridge, guest on veth" 10.9.0.2 in_peer
	bridge_end
}

host_only_both() {
	lanyard net add own --mode host-only --subnet 10.78.0.0/24 --quiet
	box own/h
	dhcp h >/dev/null
	round_trip "host-only: lanyard" 10.78.0.1 in_box h
	stream "host-only: lanyard" 10.78.0.1 in_box h
	box_end h
	lanyard net rm own --force --quiet
	bridge_begin 10.9.1.6/24
	round_trip "host-only: Linux bridge, guest on veth" 10.9.1.1 in_peer
	stream "host-only: Linux bridge, guest on veth" 10.9.1.1 in_peer
	bridge_end
}

# ---- how soon ----

first_lease() {
	local start=${EPOCHREALTIME/./}
	lanyard net add fresh --subnet 10.99.0.0/24 "${@:2}" --quiet
	lanyard run fresh/g1 --dhcp none -- busybox udhcpc -q -n -i eth0 -s "$ROOT/scripts/udhcpc.script" >/dev/null 2>&1
	figure "net add $1 + lanyard run + udhcpc's lease" ms "$(ms_since "$start")"
	lanyard net rm fresh --force --quiet
}

outside_make
lan_make
daemon_start
answer outside
answer in_lan
answer env
for ((run = 1; run <= RUNS; run++)); do
	echo "-- run $run of $RUNS" >&2
	if wanted nat; then
		nat_begin
		nat_turns connects 1/s 24
		nat_turns up Gbit/s 6
		nat_turns down Gbit/s 6
		nat_end
	fi
	! wanted bridge || bridged_both
	! wanted host-only || host_only_both
	if wanted lease; then
		first_lease "--nat user" --nat user
		first_lease "--nat kernel" --nat kernel
		first_lease "--mode host-only" --mode host-only
		first_lease "--mode routed" --mode routed
	fi
done
daemon_stop
