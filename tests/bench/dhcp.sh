#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/dhcp.sh - DHCP exchanges per second by perfdhcp, every new lease durable, beside dnsmasq and Kea; inside the sandbox of
# tests/bench/run.sh, into $DIR/figures; for root
#
#	make bench BENCH=dhcp RUNS=3 SECONDS_EACH=4 ONLY=grow|rate|boot RATES="12000 25000" PEERS="lanyard dnsmasq kea"
#
# The load stands on core 1, what answers it on core 0. lanyard answers on a TAP, the others on a veth pair. Each stores its leases
# as it does by default, on the same disk: lanyard flushes before it acknowledges a new binding, dnsmasq and Kea write without a flush.
# grow: 60,000 new clients one after the other, 256 at work at any time, by our own load: the table's growth shows from step to step.
# rate: perfdhcp plays a relay with 60,000 clients and sends as fast as it is told or can, whether it is answered or not. It is busy
# before the servers are: what of its core it took, and what of theirs one exchange took, stands beside its rates.
. "$ROOT/tests/net/lib.sh"
[ "$(awk '{ print $3 }' /proc/self/uid_map)" != 1 ] || { echo "bench: dhcp: for root: skipped" >&2; exit 0; }
command -v perfdhcp >/dev/null || { echo "bench: dhcp: no perfdhcp (kea-admin): skipped" >&2; exit 0; }

first=() second=()
if [ "$(nproc)" -gt 1 ]; then first=(taskset -c 0) second=(taskset -c 1); fi
T=$SECONDS_EACH RATES=${RATES:-5000 12000 25000} PEERS=${PEERS:-lanyard dnsmasq kea} CLIENTS=60000
POOL=10.20.1.0-10.20.255.250
figure() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$DIR/figures"; printf '%-60s %10s %s\n' "$1" "$3" "$2" >&2; }
wanted() { [[ $1 == *"$ONLY"* ]]; }
resident() { awk '/^Rss:/ { n += $2 } END { print n }' "/proc/$1/smaps_rollup"; }

# what the load is run by: in_load COMMAND...
in_load() { if [ "$peer" = lanyard ]; then in_box load "$@"; else ip netns exec load "$@"; fi; }
load_dev() { if [ "$peer" = lanyard ]; then echo eth0; else echo p2; fi; }

begin_lanyard() {
	rm -rf "$DIR/s/lanyard"
	daemon_start
	taskset -a -p -c 0 "$(engine_pid)" >/dev/null
	lanyard net add lab --subnet 10.20.0.0/16 --dhcp-pool $POOL --dhcp-quota 65536 --dhcp-rate 0 --quiet
	box load
	in_box load ip addr add 10.20.0.2/16 dev eth0
	in_box load ip link set eth0 up
	server=$(engine_pid)
}
end_lanyard() {
	box_end load
	daemon_stop
}
begin_other() {
	ip netns add load
	ip link add p1 type veth peer name p2 netns load
	ip addr add 10.20.0.1/16 dev p1
	ip link set p1 up
	ip -n load addr add 10.20.0.2/16 dev p2
	ip -n load link set p2 up
	until_ok 5 carrier p1
	rm -f "$DIR"/*.leases*
	"$@" &
	server=$!
	until_ok 5 listens67
}
carrier() { ip -o link show "$1" | grep -q LOWER_UP; }
listens67() { ss -Hlun 'sport = :67' | grep -q .; }
begin_dnsmasq() {
	begin_other "${first[@]}" dnsmasq -k -C /dev/null --user=root --pid-file= --port=0 --interface=p1 --bind-interfaces --no-ping --quiet-dhcp \
		--dhcp-range=10.20.1.0,10.20.255.250,255.255.0.0,1h --dhcp-lease-max=100000 --dhcp-leasefile="$DIR/dnsmasq.leases"
}
begin_kea() {
	cat >"$DIR/kea.json" <<-END
		{"Dhcp4": {"interfaces-config": {"interfaces": ["p1"]}, "valid-lifetime": 3600,
		"lease-database": {"type": "memfile", "persist": true, "name": "$DIR/kea.leases", "lfc-interval": 0},
		"subnet4": [{"subnet": "10.20.0.0/16", "pools": [{"pool": "$POOL"}]}],
		"loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "$DIR/kea.log"}]}]}}
	END
	KEA_PIDFILE_DIR=$DIR KEA_LOCKFILE_DIR=$DIR begin_other "${first[@]}" kea-dhcp4 -c "$DIR/kea.json" >"$DIR/kea.out" 2>&1
}
end_other() {
	kill "$server"
	wait "$server" || true
	ip netns del load
}
end_dnsmasq() { end_other; }
end_kea() { end_other; }

is_here() {
	case $1 in
	kea) command -v kea-dhcp4 >/dev/null ;;
	dnsmasq) command -v dnsmasq >/dev/null ;;
	esac
}

# busy_us - CPU time of the server's threads
busy_us() { awk '{ n += $1 } END { printf "%.0f", n / 1000 }' /proc/"$server"/task/*/schedstat; }

# exchanges RATE - by perfdhcp, which seldom sends as fast as it is told: their rate, and who was busy how much
exchanges() {
	local before rate TIMEFORMAT="%U %S %R"
	before=$(busy_us)
	{ time in_load "${second[@]}" timeout $((T + 20)) perfdhcp -4 -g single -l "$(load_dev)" -r "$1" -R $CLIENTS -p "$T" -W 300000 >"$DIR/perfdhcp" 2>&1 || true; } 2>"$DIR/time"
	rate=$(awk '/^Rate:/ { printf "%.0f", $2; exit }' "$DIR/perfdhcp")
	figure "DHCP: $peer, $1/s offered by perfdhcp" 1/s "$rate"
	figure "DHCP: $peer, $1/s offered, server's CPU for each" us "$((($(busy_us) - before) / (rate * T + 1)))"
	figure "DHCP: $peer, $1/s offered, perfdhcp's CPU" % "$(awk '{ printf "%.0f", ($1 + $2) * 100 / $3 }' "$DIR/time")"
}

# grow - each step's clients are new, and keep what they got
grow() {
	local first before step=12000
	for ((first = 0; first < CLIENTS; first += step)); do
		before=$(busy_us)
		in_load "${second[@]}" "$B/tests/bench/dhcpload" "$(load_dev)" $((3 * T)) 256 $((first + 1)) $step >"$DIR/grow"
		figure "DHCP: $peer, new leases $first to $((first + step)), own load" 1/s "$(jq .per_second "$DIR/grow")"
		figure "DHCP: $peer, new leases $first to $((first + step)), server's CPU for each" us $((($(busy_us) - before) / step))
	done
}

# leases - how many the server has
leases() {
	case $peer in
	lanyard) json '.leases | length' lease ls lab ;;
	dnsmasq) wc -l <"$DIR/dnsmasq.leases" ;;
	kea) tail -n +2 "$DIR/kea.leases" | cut -d, -f1 | sort -u | wc -l ;;
	esac
}

# boot - 200 guests at the same moment, behind one port, to a server that has no leases yet
boot() {
	in_load "${second[@]}" "$B/tests/bench/dhcpload" "$(load_dev)" 0 200 >"$DIR/boot"
	figure "DHCP: $peer, 200 guests boot at once, DISCOVER to ACK p99" us "$(jq .p99_us "$DIR/boot")"
}

full() {
	local now
	now=$(resident "$server")
	figure "DHCP: $peer, leases then" "" "$(leases)"
	figure "DHCP: $peer, memory for 10,000 leases" kB $(((now - empty) * 10000 / $(leases)))
}
rate() {
	local rate
	for rate in $RATES; do
		exchanges "$rate"
	done
}

for ((run = 1; run <= RUNS; run++)); do
	echo "-- run $run of $RUNS" >&2
	for peer in $PEERS; do
		is_here "$peer" || continue
		for part in boot grow rate; do
			wanted $part || continue
			"begin_$peer"
			empty=$(resident "$server")
			$part
			[ $part != grow ] || full
			"end_$peer"
		done
	done
done
