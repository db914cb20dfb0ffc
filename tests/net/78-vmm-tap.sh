#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/78-vmm-tap.sh - TAPs that VMMs have open: guests, the host's silence, VMMs that come and go, whose TAP it is
# limit: 120
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
station() { timeout 60 /usr/bin/python3 "$ROOT/tests/net/station.py" tap "$@" </dev/null; }
vmm() { exec timeout 60 /usr/bin/python3 "$ROOT/tests/net/station.py" tap "$@" </dev/null; }	# in the background
port() { json ".ports[] | select(.name == \"$1\") | $2" ps lab; }
in_state() { [ "$(port "$1" .state)" = "$2" ]; }
filters() { { tc filter show dev "$1" ingress; tc filter show dev "$1" egress; } 2>/dev/null | grep -c direct-action || true; }

ip tuntap add t0 mode tap user "${USER_ID:-0}"
ip addr add 192.0.2.1/24 dev t0	# were it not for the guard, the host would answer here
ip link set t0 up

if [ "$AS" = user ]; then
	say "without the right the port is refused, and the interface left alone"
	status 5 lanyard port add lab/v1 --vmm-tap t0
	has "why" "$ERR" 'interface t0: .*Operation not permitted'
	has "hint" "$ERR" 'setcap cap_net_admin,cap_net_raw=ep'
	is "filters" "$(filters t0)" 0
	daemon_stop
	mkdir "$DIR/bin"
	cp "$B"/lanyard "$B"/lanyardd "$B"/lanyard-* "$DIR/bin"
	if ! setcap cap_net_admin,cap_net_raw=ep "$DIR/bin/lanyard-keeper" 2>/dev/null; then
		echo "   setcap is not to be had here: the rest is left out"
		exit 0
	fi
	say "with what the hint says it is granted, for a TAP of the user's own"
	B=$DIR/bin
	daemon_start
	lanyard port add lab/v1 --vmm-tap t0
	is "filters" "$(filters t0)" 2
	as_lanyard timeout 20 /usr/bin/python3 "$ROOT/tests/net/station.py" tap t0 10.77.0.201 ping 10.77.0.1 dhcp </dev/null
	lanyard port add lab/d1 --dgram "$DIR/r/d1.sock,$DIR/r/p1.sock"
	as_lanyard timeout 20 /usr/bin/python3 "$ROOT/tests/net/station.py" dgram "$DIR/r/p1.sock,$DIR/r/d1.sock" 10.77.0.202 ping 10.77.0.1 </dev/null
	ip tuntap add t1 mode tap
	status 5 lanyard port add lab/v2 --vmm-tap t1
	has "root's" "$ERR" 'interface t1: belongs to root'
	is "the engine's rights" "$(awk '/^Cap(Prm|Eff)/ { print $2 }' "/proc/$(engine_pid)/status" | xargs)" "0000000000000000 0000000000000000"
	daemon_stop
	is "filters" "$(filters t0)" 0
	exit 0
fi
box web1
web1=$(dhcp web1)

say "a guest behind a TAP that stays"
lanyard port add lab/v1 --vmm-tap t0
is "state, medium" "$(port v1 '.state + " " + .medium')" "up packet"
is "filters" "$(filters t0)" 2
station t0 10.77.0.201 ping 10.77.0.1 ping "$web1" again ping "$web1" dhcp >"$DIR/out" || fail "$(<"$DIR/out")"
xargs -d '\n' printf '   %s\n' <"$DIR/out"
is "lease" "$(json '.leases[] | select(.port == "v1") | .ip' lease ls lab)" "$(grep -E '^10\.77' "$DIR/out")"

say "the host does not answer there, nor is it heard"
station t0 192.0.2.9 arp 192.0.2.1 >"$DIR/out" 2>&1 && fail "the host answered ARP for its address on the interface"
has "nobody" "$(<"$DIR/out")" 'no ARP reply from 192.0.2.1'
is "neighbours of the host" "$(ip neigh show dev t0 | grep -c 192.0.2.9 || true)" 0
vmm t0 10.77.0.201 ping 10.77.0.1 serve 8 >"$DIR/out" 2>&1 &
vmm=$!
until_ok 5 grep -q pong "$DIR/out"
before=$(cat /sys/class/net/t0/statistics/tx_packets 2>/dev/null || ip -s -j link show t0 | jq '.[0].stats64.tx.packets')
sent=$(port v1 .stats.tx_frames)
ping -c 2 -i 0.2 -W 1 192.0.2.77 >/dev/null 2>&1 && fail "ping through the guard"
after=$(ip -s -j link show t0 | jq '.[0].stats64.tx.packets')
[ $((after - before)) -le $(($(port v1 .stats.tx_frames) - sent)) ] || fail "the host sent something: $before, $after"
wait $vmm || true

say "kill -9 of the engine"
vmm t0 10.77.0.201 ping 10.77.0.1 serve 60 >"$DIR/out" 2>&1 &
vmm=$!
until_ok 5 grep -q pong "$DIR/out"
engine=$(engine_pid)
kill -9 "$engine"
back() { answers && [ "$(engine_pid)" != "$engine" ]; }
until_ok 3 back
until_ok 3 in_box web1 ping -c 1 -W 1 10.77.0.201
kill $vmm

say "a TAP that its VMM makes and takes with it"
status 1 lanyard port add lab/v2 --vmm-tap t9
has "why" "$ERR" 'interface t9: there is none'
vmm t9 10.77.0.202 serve 60 >"$DIR/out" 2>&1 &
vmm=$!
until_ok 5 ip link show t9
lanyard port add lab/v2 --vmm-tap t9
until_ok 3 in_box web1 ping -c 1 -W 1 10.77.0.202
kill $vmm
until_ok 5 in_state v2 failed
has "reason" "$(port v2 .reason)" 't9: there is none|Network is down'
vmm t9 10.77.0.202 serve 60 >"$DIR/out" 2>&1 &
vmm=$!
until_ok 5 in_state v2 up
until_ok 3 in_box web1 ping -c 1 -W 1 10.77.0.202
kill $vmm

say "what is no TAP, what is a bridge's, what has filters"
status 1 lanyard port add lab/v3 --vmm-tap lo
has "lo" "$ERR" 'interface lo: is no TAP'
ip tuntap add t3 mode tap
ip link add br0 type bridge
ip link set t3 master br0
status 1 lanyard port add lab/v3 --vmm-tap t3
has "a bridge's" "$ERR" 'interface t3: is part of a bridge'
ip link set t3 nomaster
tc qdisc add dev t3 clsact
tc filter add dev t3 ingress prio 5 u32 match u32 0 0 classid 1:1
status 1 lanyard port add lab/v3 --vmm-tap t3
has "somebody's" "$ERR" 'interface t3: it has traffic-control filters of somebody else'
is "left alone" "$(tc filter show dev t3 ingress | grep -c 'pref 5 u32')" 3
tc qdisc del dev t3 clsact
lanyard port add lab/v3 --vmm-tap t3
has "was down, is up" "$(ip link show t3)" '[<,]UP'

say "rm and the end of the daemon leave nothing behind"
lanyard port rm lab/v3
is "filters" "$(filters t3)" 0
is "qdisc" "$(tc qdisc show dev t3 | grep -c clsact || true)" 0
ip link show t3 | grep -q '[<,]UP' && fail "it is still up"
lanyard port add lab/v3 --vmm-tap t3
lanyard port rm lab/v1
lanyard port add lab/v1 --vmm-tap t0	# at once
daemon_stop
is "filters" "$(filters t0) $(filters t3)" "0 0"
