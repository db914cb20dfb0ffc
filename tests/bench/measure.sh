#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/measure.sh - takes the figures of tests/bench/run.sh, inside its sandbox, into $DIR/figures
#
# Loads stand on core 0, what answers them on core 1; the daemon is where the scheduler puts it.
. "$ROOT/tests/net/lib.sh"

first=() second=()
if [ "$(nproc)" -gt 1 ]; then first=(taskset -c 0) second=(taskset -c 1); fi
nb=$B/tests/bench/nb load=$B/tests/bench/dhcpload
T=$SECONDS_EACH

figure() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$DIR/figures"; printf '%-60s %10s %s\n' "$1" "$3" "$2" >&2; }
wanted() { [[ $1 == *"$ONLY"* ]]; }
ms_since() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }

# gbit IPERF3-ARGUMENT... - from guest a
gbit() { in_box a "${first[@]}" timeout $((T + 20)) iperf3 -J -O 1 -t "$T" "$@" | jq '(.end.sum_received.bits_per_second // 0) / 1e7 | round / 100'; }

# rr WHAT ADDRESS, connects WHAT ADDRESS - from guest a to nb's echo on port 7000
rr() {
	local proto answer
	for proto in tcp udp; do
		answer=$(in_box a "${first[@]}" "$nb" rr $proto "$2" 7000 "$T")
		figure "$1: $proto round trip p50" us "$(jq .p50_us <<<"$answer")"
		figure "$1: $proto round trip p99" us "$(jq .p99_us <<<"$answer")"
	done
}
connects() {
	local n
	for n in 1 16; do
		figure "$1: new TCP connections, $n in flight" 1/s "$(in_box a "${first[@]}" "$nb" connect "$2" 7000 "$T" $n | jq .per_second)"
	done
}

# path WHAT ADDRESS - throughput both ways, round trips and connections
path() {
	figure "$1: TCP up" Gbit/s "$(gbit -c "$2")"
	figure "$1: TCP down" Gbit/s "$(gbit -c "$2" -R)"
	figure "$1: TCP up, 4 streams" Gbit/s "$(gbit -c "$2" -P 4)"
	figure "$1: TCP down, 4 streams" Gbit/s "$(gbit -c "$2" -P 4 -R)"
	rr "$1" "$2"
	connects "$1" "$2"
}

names() {
	in_box a "${first[@]}" timeout $((T + 20)) dnsperf -s 10.77.0.1 -d "$DIR/$1" -l "$T" -c 8 -T 1 -q 200 2>&1 | awk '/Queries per second/ { printf "%.0f", $4 }'
}

# exchanges - by clients on eight ports, 32 at once on each
exchanges() {
	local n loads=()
	for n in {1..8}; do
		in_box d$n "$load" eth0 "$T" 32 >"$DIR/load$n" &
		loads+=($!)
	done
	wait "${loads[@]}"
	figure "DHCP: exchanges and releases, 8 ports, each lease durable" 1/s "$(cat "$DIR"/load? | jq -s 'map(.per_second) | add')"
	figure "DHCP: exchange p50" us "$(cat "$DIR"/load? | jq -s 'map(.p50_us) | add / length | floor')"
}

# first_lease - from the start of `net add` to a guest's first lease: with lanyard's own client, with udhcpc
first_lease() {
	local start now
	start=${EPOCHREALTIME/./}
	lanyard net add fresh --subnet 10.99.0.0/24 --quiet
	lanyard run fresh/g1 -- true
	figure "net add + lanyard run, to the end of \`true\`" ms "$(ms_since "$start")"
	lanyard net rm fresh --force --quiet
	start=${EPOCHREALTIME/./}
	lanyard net add fresh --subnet 10.99.0.0/24 --quiet
	lanyard run fresh/g2 --dhcp none -- busybox udhcpc -q -n -i eth0 -s "$ROOT/scripts/udhcpc.script" >/dev/null 2>&1
	figure "net add + lanyard run + udhcpc's lease" ms "$(ms_since "$start")"
	start=${EPOCHREALTIME/./}
	lanyard run fresh/g3 --dhcp none -- busybox udhcpc -q -n -i eth0 -s "$ROOT/scripts/udhcpc.script" >/dev/null 2>&1
	figure "lanyard run + udhcpc's lease, network running" ms "$(ms_since "$start")"
	now=$(json .dhcp.enabled net show fresh) && [ "$now" = true ]
	lanyard net rm fresh --force --quiet
}

# ticks, resident - of keeper and engine together
ticks() { local p; for p in "$@"; do sed 's/.*) //' "/proc/$p/stat" | awk '{ print $12 + $13 }'; done | awk '{ n += $1 } END { print n }'; }
resident() { local p; for p in "$@"; do awk '/^Rss:/ { print $2 }' "/proc/$p/smaps_rollup"; done | awk '{ n += $1 } END { printf "%.1f", n / 1024 }'; }
proportional() { local p; for p in "$@"; do awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup"; done | awk '{ n += $1 } END { printf "%.1f", n / 1024 }'; }

# idle WHAT - memory, and CPU over ten seconds in which nobody does anything
idle() {
	local pids before
	pids="$(keeper_pid) $(engine_pid)"
	# shellcheck disable=SC2086
	{
		figure "$1: resident memory, both processes" MB "$(resident $pids)"
		figure "$1: proportional memory, both processes" MB "$(proportional $pids)"
		before=$(ticks $pids)
		read -r -t 10 -u "$NOTHING" || true
		figure "$1: CPU of both processes" % "$(awk -v n=$(($(ticks $pids) - before)) -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", n * 100 / hz / 10 }')"
	}
}

outside_make
start=${EPOCHREALTIME/./}
daemon_start
figure "start to first answer" ms "$(ms_since "$start")"
wanted idle && idle "idle, no network"

{
	printf 'networks:\n  lab:\n    subnet: 10.77.0.0/16\n    dhcp: { pool: 10.77.1.0-10.77.255.250, rate: 0 }\n    records:\n'
	for n in {1..1000}; do printf '      - { name: h%d, type: A, value: 10.77.0.%d }\n' $n $((n % 200 + 20)); done
} >"$DIR/lab.yaml"
lanyard apply -f "$DIR/lab.yaml" >/dev/null
seq 1 1000 | sed 's/.*/h&.lab.internal A/' >"$DIR/names"
seq 1 1000 | sed 's/.*/x&.lab.internal A/' >"$DIR/no-names"
box a
box b
for n in {1..8}; do box d$n; done
dhcp a >/dev/null
b=$(dhcp b)
json '.ports[] | select(.name == "a") | .medium' ps lab >"$DIR/medium"
in_box b "${second[@]}" "$nb" echo 7000 &
in_box b "${second[@]}" iperf3 -s >/dev/null 2>&1 &
outside "${second[@]}" "$nb" echo 7000 &
outside "${second[@]}" iperf3 -s >/dev/null 2>&1 &
until_ok 5 in_box b sh -c 'ss -Hltn | grep -q :5201 && ss -Hltn | grep -q :7000'
until_ok 5 outside sh -c 'ss -Hltn | grep -q :5201 && ss -Hltn | grep -q :7000'

for ((run = 1; run <= RUNS; run++)); do
	echo "-- run $run of $RUNS" >&2
	wanted guests && path "guest to guest" "$b"
	wanted nat && path "guest to outside (NAT)" $OUTSIDE
	if wanted dns; then
		figure "DNS: answers, 1000 local names" 1/s "$(names names)"
		figure "DNS: NXDOMAIN, local" 1/s "$(names no-names)"
	fi
	if wanted dhcp; then
		exchanges
	fi
	wanted lease && first_lease
done

if wanted idle; then
	daemon_stop
	rm -rf "$DIR/s/lanyard"
	daemon_start
	for n in {0..9}; do
		lanyard net add "n$n" --subnet 10.8$n.0.0/24 --quiet
		for m in {0..9}; do box "n$n/p$n$m"; done
	done
	for p in p00 p55 p99; do dhcp $p >/dev/null; done
	is "ports up" "$(json '[.ports[] | select(.state == "up")] | length' ps)" 100 >&2
	idle "idle, 10 networks, 100 ports"
fi
