#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/nat-series.sh - the series of tests/bench/nat.sh, inside its sandbox
#
# Peers are up all the time and take turns within seconds: in each round and case the way without a NAT, the bound, lanyard,
# pasta, slirp4netns. Ratios are taken within a round. A guest of each peer and MTU is a namespace; the wire to the server has an MTU of 1500.
# Beside lanyard's namespace there is a guest on vhost-user, to whom large frames are one frame as they are on a TAP.
# shellcheck source=tests/net/lib.sh
. "$ROOT/tests/net/lib.sh"

T=$SECONDS_EACH nb=$B/tests/bench/nb udpload=$B/tests/bench/udpload wire=$B/tests/bench/wire vhosttcp=$B/tests/bench/vhosttcp
first=(taskset -c 0) second=(taskset -c 1)
declare -A ANSWER
figure() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$DIR/figures"; printf '%-78s %10s %s\n' "$1" "$3" "$2" >&2; }
wanted() { [[ "user-mode NAT, $1" == *"$ONLY"* ]]; }

# ---- the peers: X_start MTU makes a guest, X_in MTU COMMAND... runs something in it ----

direct_start() { :; }
direct_in() { shift; "$@"; }

# What no NAT of ordinary sockets can do without, and nothing else: how far the others could get (natbound.c)
bound_start() {
	ip netns add "bound$1"
	"$B/tests/bench/natbound" "/run/netns/bound$1" eth0 "$1" &
	until_ok 5 ip -n "bound$1" link set eth0 mtu "$1" up
	ip -n "bound$1" addr add 10.9.1.2/24 dev eth0
	ip -n "bound$1" route add default via 10.9.1.1
}
bound_in() { local mtu=$1; shift; ip netns exec "bound$mtu" "$@"; }

lanyard_start() {
	[ -n "${DAEMON:-}" ] || daemon_start
	lanyard net add "nat$1" --mtu "$1" --quiet
	box "nat$1/g$1"
	dhcp "g$1" >/dev/null
	lanyard port add "nat$1/v$1" --vhost-user "$DIR/v$1" --queues 4 --quiet
}
lanyard_in() { local mtu=$1; shift; in_box "g$mtu" "$@"; }

pasta_start() {
	ip netns add "pasta$1"
	pasta --runas 0 --netns-only --netns "/run/netns/pasta$1" --config-net -f -q -4 -m "$1" -a 10.9.1.2 -n 24 -g 10.9.1.1 \
		--no-map-gw -t none -u none -T none -U none >>"$DIR/pasta.log" 2>&1 &
	until_ok 5 reaches pasta_in "$1"
}
pasta_in() { local mtu=$1; shift; ip netns exec "pasta$mtu" "$@"; }

slirp4netns_start() {
	ip netns add "slirp$1"
	ip -n "slirp$1" link set lo up
	slirp4netns --netns-type=path --configure --mtu="$1" --disable-host-loopback "/run/netns/slirp$1" tap0 >>"$DIR/slirp.log" 2>&1 &
	until_ok 5 reaches slirp4netns_in "$1"
}
slirp4netns_in() { local mtu=$1; shift; ip netns exec "slirp$mtu" "$@"; }

reaches() { "$@" ping -qc 1 -W 1 $OUTSIDE; }

# ---- the loads: a number, from a guest that is reached by the words in front ----

gbit() { local n=$1; shift; iperf "$n" "$@"; }
gbit_down() { local n=$1; shift; iperf "$n" "$@" -R; }
# iperf STREAMS PEER_in MTU [-R]
iperf() {
	local n=$1 in=$2 mtu=$3; shift 3
	"$in" "$mtu" "${first[@]}" timeout $((T + 10)) iperf3 -J -O 1 -t "$T" -c $OUTSIDE -P "$n" "$@" |
		jq '(.end.sum_received.bits_per_second // 0) / 1e7 | round / 100'
}
connects() { "$2" "$3" "${first[@]}" "$nb" connect $OUTSIDE 7000 "$T" "$1" | jq .per_second; }
round_trip() { "$2" "$3" "${first[@]}" "$nb" rr "$1" $OUTSIDE 7000 "$T" | jq .p50_us; }
# datagrams "up|down SIZE [N]" PEER_in MTU
datagrams() {
	local words
	read -ra words <<<"$1"
	"$2" "$3" "${first[@]}" "$udpload" "${words[0]}" $OUTSIDE 7001 "$T" "${words[@]:1}" | jq '.datagrams_per_s / 10 | round / 1e5'
}

# can PEER LOAD - the bound does not send again, and so is not loaded from outside
can() { [ "$1" != bound ] || [[ "gbit connects round_trip" == *"$2"* ]]; }

# round MTU WHAT UNIT LOAD ARGUMENT [PEERS] - each peer once; the figures, and lanyard's by those of the other NATs
round() {
	local mtu=$1 what="user-mode NAT, MTU $1, $2" unit=$3 load=$4 argument=$5 who=${6:-$PEERS} peer
	wanted "MTU $mtu, $2" || return 0
	ANSWER=()
	for peer in $who; do
		can "$peer" "$load" || continue
		ANSWER[$peer]=$("$load" "$argument" "${peer}_in" "$mtu" 2>>"$DIR/load.log" || true)
		figure "$what: ${peer/direct/no NAT}" "$unit" "${ANSWER[$peer]:-0}"
	done
	[ -n "${ANSWER[lanyard]:-}" ] || return 0
	for peer in $who; do
		case $peer in direct | lanyard) continue ;; esac
		can "$peer" "$load" || continue
		figure "$what: lanyard to $peer" ratio "$(jq -n "${ANSWER[lanyard]} / ([${ANSWER[$peer]:-0}, 0.01] | max) * 100 | round / 100")"
	done
}

throughput() {
	round "$1" "TCP up" Gbit/s gbit 1
	round "$1" "TCP down" Gbit/s gbit_down 1
	round "$1" "TCP up, 4 streams" Gbit/s gbit 4
	round "$1" "TCP down, 4 streams" Gbit/s gbit_down 4
}
small() {
	round "$1" "new TCP connections, 1 in flight" 1/s connects 1
	round "$1" "new TCP connections, 16 in flight" 1/s connects 16
	round "$1" "TCP round trip p50" us round_trip tcp
	round "$1" "UDP round trip p50" us round_trip udp
	round "$1" "datagrams of 18 bytes up" Mframes/s datagrams "up 18"
	round "$1" "datagrams of 18 bytes down" Mframes/s datagrams "down 18"
	round "$1" "datagrams of 1200 bytes, 40 at once, up" Mframes/s datagrams "up 1200 40"
	round "$1" "datagrams of 1200 bytes, 40 at once, down" Mframes/s datagrams "down 1200 40"
}

# vhost_guest MTU up|down|connect PORT FLOWS QUEUES - a guest on vhost-user, and the namespace on the same network: one server, the
# same core for either guest, one after the other
vhost_guest() {
	local what="MTU $1, TCP $2 with nb, flows $4, queues $5" unit=Gbit/s key='.gbit_per_s' load=(bulk "$2") last=("$T" "$4") subnet namespace vhost
	[ "$2" != connect ] || unit=1/s key='.per_second // .connections_per_s' load=(connect)
	wanted "$what" || return 0
	[[ " $PEERS " == *" lanyard "* ]] || return 0
	what="user-mode NAT, $what"
	subnet=$(json .subnet net show "nat$1")
	subnet=${subnet%.*}
	namespace=$(lanyard_in "$1" "${first[@]}" "$nb" "${load[@]}" $OUTSIDE "$3" "${last[@]}" | jq "$key")
	vhost=$("${first[@]}" "$vhosttcp" --ip "$subnet.250" --gateway "$subnet.1" --mtu "$1" --seconds "$T" --flows "$4" --queues "$5" \
		"$DIR/v$1" "$2" $OUTSIDE "$3" 2>>"$DIR/load.log" | jq "$key")
	figure "$what: namespace" "$unit" "${namespace:-0}"
	figure "$what: vhost-user guest" "$unit" "${vhost:-0}"
	figure "$what: vhost-user guest to namespace" ratio "$(jq -n "${vhost:-0} / ([${namespace:-0}, 0.01] | max) * 100 | round / 100")"
}
vhost_guests() {
	vhost_guest "$1" up 7002 1 1
	vhost_guest "$1" down 7003 1 1
	vhost_guest "$1" up 7002 4 4
	vhost_guest "$1" down 7003 4 4
	vhost_guest "$1" connect 7000 16 1
}

# sizes MTU - no packet on the guest's interface or the outer wire exceeds its MTU, whatever super-frames there are
sizes() {
	local at guest outer
	wanted "MTU $1, largest packet" || return 0
	[[ " $PEERS " == *" lanyard "* ]] || return 0
	lanyard_in "$1" "$wire" eth0 3 >"$DIR/guest.wire" &
	guest=$!
	outside "$wire" eth0 3 >"$DIR/outer.wire" &
	outer=$!
	(T=1 && gbit 1 lanyard_in "$1" && gbit_down 1 lanyard_in "$1" && datagrams "up 1200 40" lanyard_in "$1" &&
		datagrams "down 1200 40" lanyard_in "$1") >/dev/null
	wait $guest $outer
	for at in guest outer; do
		guest=$(jq .largest "$DIR/$at.wire")
		figure "user-mode NAT, MTU $1, largest packet: ${at/outer/wire outside}" bytes "$guest"
		[ "$at" = guest ] && [ "$guest" -le "$1" ] || [ "$guest" -le 1500 ] || fail "a packet of $guest bytes: $at"
	done
}

# cpu_ns PID... - time on a core so far, of all threads
cpu_ns() { local p; for p in "$@"; do cat /proc/"$p"/task/*/schedstat; done | awk '{ n += $1 } END { printf "%.0f", n }'; }

# idle - fifty guests with a lease that do nothing
idle() {
	local n pids before
	wanted "50 idle guests" || return 0
	[[ " $PEERS " == *" lanyard "* ]] || return 0
	lanyard net add idle --quiet
	for n in {1..50}; do box "idle/i$n"; dhcp "i$n" >/dev/null; done
	pids="$(keeper_pid) $(engine_pid)"
	read -r -t 2 -u "$NOTHING" || true
	# shellcheck disable=SC2086
	before=$(cpu_ns $pids)
	read -r -t 10 -u "$NOTHING" || true
	# shellcheck disable=SC2086
	figure "user-mode NAT, 50 idle guests: CPU of both processes" % "$(awk -v n=$(($(cpu_ns $pids) - before)) 'BEGIN { printf "%.3f", n / 1e8 }')"
}

# Each NAT pings by ping sockets, whatever group it is of; without root there is but one.
echo "0 65534" 2>/dev/null >/proc/sys/net/ipv4/ping_group_range || true
# A NAT that leaves connections in TIME-WAIT takes ports of the host from whoever runs after it: few of them are kept.
sysctl -qw net.ipv4.tcp_max_tw_buckets=256 || true
outside_make
outside "${second[@]}" "$nb" echo 7000 &
outside "${second[@]}" "$udpload" sink 7001 &
outside "${second[@]}" "$nb" sink 7002 &
outside "${second[@]}" "$nb" source 7003 &
outside "${second[@]}" iperf3 -s >/dev/null 2>&1 &
until_ok 5 outside sh -c 'ss -Hltn | grep -q :5201 && ss -Hltn | grep -q :7000 && ss -Hltn | grep -q :7003'
for peer in $PEERS; do
	for mtu in $MTUS; do "${peer}_start" "$mtu"; done
done
for ((run = 1; run <= RUNS; run++)); do
	echo "-- user-mode NAT, run $run of $RUNS" >&2
	for mtu in $MTUS; do
		throughput "$mtu"
		[ "$mtu" != 1500 ] || small "$mtu"
		[ "$mtu" != 1500 ] || vhost_guests "$mtu"
	done
done
for mtu in $MTUS; do sizes "$mtu"; done
idle
