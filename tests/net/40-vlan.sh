#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/40-vlan.sh - access ports of different VLANs are apart; a trunk carries both, tagged, and its native untagged
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

# static NAME ADDRESS - addresses set by hand: DHCP serves VID 1 alone
static() { in_box "$1" sh -c "ip addr add $2/24 dev eth0; ip link set eth0 up"; }
pings() { in_box "$1" ping -c 1 -W 1 "$2" >/dev/null 2>&1; }
no_ping() { if pings "$@"; then fail "$1 reaches $2"; fi; }

for name in red1 red2 blue1 plain; do box $name; done
for name in red1 red2; do lanyard port set lab/$name --vlan 10; done
lanyard port set lab/blue1 --vlan 20
static red1 10.9.0.1
static red2 10.9.0.2
static blue1 10.9.0.3
static plain 10.9.0.4

say "within a VLAN and across"
until_ok 3 pings red1 10.9.0.2
no_ping red1 10.9.0.3
no_ping red1 10.9.0.4
no_ping blue1 10.9.0.4
is "what the FDB keeps apart" "$(json '[.fdb[] | select(.vid == 10)] | length' fdb ls lab)" 2

say "an access port takes no foreign tag"
lanyard port add lab/access --stream "$DIR/r/access.sock" --vlan 10
on_wire() { as_lanyard /usr/bin/python3 "$ROOT/tests/net/trunk.py" "$@" >"$DIR/wire" 2>&1; }
on_wire "$DIR/r/access.sock" 0:10.9.0.1 || fail "$(<"$DIR/wire")"
if on_wire "$DIR/r/access.sock" 20:10.9.0.3; then fail "a tagged frame passed an access port"; fi

say "a port moves to another VLAN while it runs"
lanyard port set lab/red2 --vlan 20
no_ping red1 10.9.0.2
until_ok 3 pings blue1 10.9.0.2
lanyard port set lab/red2 --vlan 10
until_ok 3 pings red1 10.9.0.2

say "a trunk: tagged 10 and 20, untagged 1"
lanyard port add lab/trunk --stream "$DIR/r/trunk.sock" --trunk 10,20 --native 1
on_wire "$DIR/r/trunk.sock" 10:10.9.0.1 20:10.9.0.3 0:10.9.0.4 || fail "$(<"$DIR/wire")"
cat "$DIR/wire"
if on_wire "$DIR/r/trunk.sock" 30:10.9.0.1; then fail "VLAN 30 is not the trunk's, and was carried"; fi

say "link down: a port that carries nothing, and a guest that sees its cable go"
cable() { in_box red2 ip -o link show dev eth0 | grep -qw LOWER_UP; }
no_cable() { ! cable; }
until_ok 3 cable
lanyard port set lab/red2 --link down
until_ok 3 no_cable
no_ping red1 10.9.0.2
lanyard port set lab/red2 --link up
until_ok 3 cable
until_ok 3 pings red1 10.9.0.2

say "a tunnel carries what its guests tag; a trunk has other numbers on its wire"
lanyard port set lab/red1 --tunnel 30
lanyard port set lab/red2 --tunnel 30
in_box red2 /usr/bin/python3 "$ROOT/tests/net/tagged.py" eth0 7 10.9.0.70 &
asks() { in_box red1 /usr/bin/python3 "$ROOT/tests/net/asks.py" eth0 "$@"; }
until_ok 5 asks 7 10.9.0.70
if asks 8 10.9.0.70; then fail "an answer from another VLAN in the tunnel"; fi
lanyard port set lab/red1 --trunk 20 --translate 7:30
if asks 7 10.9.0.70; then fail "what a guest tagged in its tunnel left by a trunk"; fi
lanyard port set lab/red2 --vlan 30
until_ok 3 asks 7 10.9.0.2

say "a wire"
lanyard net add cable --mode internal --wire true
box cable/a
box cable/b
status 1 lanyard port set cable/a --vlan 10
has "VLANs of a wire" "$ERR" 'a wire carries every tag as it is'
status 1 lanyard port add cable/c --stream "$DIR/r/c.sock"
has "a third end" "$ERR" 'a wire has two ends, and here are 3 ports'
in_box a ip link set eth0 up
in_box b ip link set eth0 up
for last in 00 02 03 0e; do	# spanning tree, LACP, 802.1X, LLDP
	in_box b /usr/bin/python3 "$ROOT/tests/net/asks.py" eth0 hear 0180c20000$last >"$DIR/heard" &
	hearing=$!
	until_ok 5 grep -q listening "$DIR/heard"
	in_box a /usr/bin/python3 "$ROOT/tests/net/asks.py" eth0 send 0180c20000$last
	wait $hearing || fail "0180c20000$last does not go over the wire"
done
