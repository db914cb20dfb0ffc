#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/79-tap-queues.sh - a TAP with a queue for each worker: flows in parallel and in order, kill -9, what the interface allows
# as: root
# limit: 90
. "$ROOT/tests/net/lib.sh"
PLACES+=(--workers 3)
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
json() { local filter=$1; shift; lanyard "$@" --json | jq -r "$filter"; }
queues() { ip -d -j link show "$1" | jq -r '.[0].linkinfo.info_data | "\(.multi_queue) \(.numqueues // 1)"'; }

# guest NAME - a namespace with a TAP of the daemon's in it
guest() {
	ip netns add "$1"
	lanyard port add "lab/$1" --netns "$1"
	ip -n "$1" link set lo up
	ip netns exec "$1" busybox udhcpc -i eth0 -s "$ROOT/scripts/udhcpc.script" -t 10 -T 1 -n -q >"$DIR/$1.dhcp" 2>&1 || fail "$(<"$DIR/$1.dhcp")"
}
in_guest() { ip netns exec "$@"; }
address_of() { ip -n "$1" -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4 }'; }

say "as many queues as workers"
guest g1
guest g2
is "g1" "$(in_guest g1 ip -d -j link show eth0 | jq -r '.[0].linkinfo.info_data | "\(.multi_queue) \(.numqueues)"')" "true 3"
g2=$(address_of g2)

say "eight connections at once, whole"
head -c 5000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve in_guest g2 "$g2:80" "$DIR/www"
for i in 1 2 3 4 5 6 7 8; do
	(in_guest g1 curl -sS -m 20 "http://$g2/file" | sum >"$DIR/sum$i") &
	pids[i]=$!
done
for i in 1 2 3 4 5 6 7 8; do
	wait "${pids[i]}"
	is "connection $i" "$(<"$DIR/sum$i")" "$want"
done
in_guest g1 ping -s 30000 -c 3 -i 0.2 -W 2 "$g2" | grep -q ' 0% packet loss'
is "queued = sent + drops" "$(json '[.ports[].stats | .queued - .tx_frames - .tx_drops] | add' ps lab)" 0

say "kill -9 of the engine: the same queues"
engine=$(engine_pid)
kill -9 "$engine"
back() { answers && [ "$(engine_pid)" != "$engine" ]; }
until_ok 3 back
until_ok 3 in_guest g1 ping -c 1 -W 1 "$g2"
is "g1" "$(in_guest g1 ip -d -j link show eth0 | jq -r '.[0].linkinfo.info_data | "\(.multi_queue) \(.numqueues)"')" "true 3"
is "after it" "$(in_guest g1 curl -sS -m 20 "http://$g2/file" | sum)" "$want"

say "a TAP of the host's, made for one queue or for several"
ip tuntap add t1 mode tap vnet_hdr
ip tuntap add t4 mode tap vnet_hdr multi_queue
lanyard port add lab/t1 --tap t1
lanyard port add lab/t4 --tap t4
is "t1" "$(queues t1)" "false 1"
is "t4" "$(queues t4)" "true 3"

say "removed and added at once; the interface deleted under it"
lanyard port rm lab/t4
is "t4" "$(queues t4)" "true 0"
lanyard port add lab/t4 --tap t4
is "t4" "$(queues t4)" "true 3"
state() { json '.ports[] | select(.name == "t4") | .state' ps lab; }
is "state" "$(state)" up
ip link del t4
made_again() { [ "$(state)" = up ] && [ "$(queues t4)" = "true 3" ]; }
until_ok 5 made_again
in_guest g1 ping -c 1 -W 1 "$g2" >/dev/null
