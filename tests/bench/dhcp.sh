#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/dhcp.sh - DHCP exchanges per second by perfdhcp, every new lease durable, beside dnsmasq and Kea; inside the sandbox of
# tests/bench/run.sh, into $DIR/figures; for root
#
#	make bench BENCH=dhcp RUNS=3 SECONDS_EACH=4 ONLY=rate|boot RATES="5000 20000" PEERS="lanyard dnsmasq kea"
#
# The load stands on core 1, what answers it on core 0. perfdhcp plays a relay with up to 60,000 clients, and never sends more than some 25,000
# exchanges per second. In one run the table grows from step to step. lanyard answers on a TAP, the others on a veth pair. Each stores its leases
# as it does by default, on the same disk: lanyard flushes before it acknowledges a new binding, dnsmasq and Kea write without a flush.
. "$ROOT/tests/net/lib.sh"
[ "$(awk '{ print $3 }' /proc/self/uid_map)" != 1 ] || { echo "bench: dhcp: for root: skipped" >&2; exit 0; }
command -v perfdhcp >/dev/null || { echo "bench: dhcp: no perfdhcp (kea-admin): skipped" >&2; exit 0; }

first=() second=()
if [ "$(nproc)" -gt 1 ]; then first=(taskset -c 0) second=(taskset -c 1); fi
T=$SECONDS_EACH RATES=${RATES:-2000 5000 10000 20000 25000} PEERS=${PEERS:-lanyard dnsmasq kea} CLIENTS=60000
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

# exchanges RATE - by perfdhcp, which seldom sends as fast as it is told
exchanges() {
	in_load "${second[@]}" timeout $((T + 20)) perfdhcp -4 -l "$(load_dev)" -r "$1" -R $CLIENTS -p "$T" -W 300000 >"$DIR/perfdhcp" 2>&1 || true
	awk '/^Rate:/ { printf "%.0f", $2; exit }' "$DIR/perfdhcp"
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

for ((run = 1; run <= RUNS; run++)); do
	echo "-- run $run of $RUNS" >&2
	for peer in $PEERS; do
		is_here "$peer" || continue
		"begin_$peer"
		empty=$(resident "$server")
		wanted boot && boot
		if wanted rate; then
			for rate in $RATES; do
				figure "DHCP: $peer, $rate/s offered" 1/s "$(exchanges "$rate")"
			done
			full=$(resident "$server")
			figure "DHCP: $peer, leases then" "" "$(leases)"
			figure "DHCP: $peer, memory for 10,000 leases" kB $(((full - empty) * 10000 / $(leases)))
		fi
		"end_$peer"
	done
done
