#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/45-nat-rules.sh - what kernel NAT's table refuses by itself: the guest here is beside the switch, which would not have
# let it say most of this (STAGE_SOURCE)
# as: root
# limit: 60
. "$ROOT/tests/net/lib.sh"

OUTSIDE6=2001:db8:1::2 HOST6=2001:db8:1::1
outside_make
ip link set lo up
ip -6 addr add $HOST6/64 dev outside0 nodad
ip -n outside -6 addr add $OUTSIDE6/64 dev eth0 nodad
ip -6 route add default via $OUTSIDE6
daemon_start
lanyard net add lab --nat kernel --host-access loopback
nft list table inet lanyard >"$DIR/table"
lanyard net rm lab --force
daemon_stop

# member NAME N - a network as the table knows one: ly-NAME, 10.N.0.0/24 and fdN::/64, with a guest at .2 and ::2
member() {
	ip netns add "$1"
	ip link add ly-"$1" type veth peer name eth0 netns "$1"
	ip addr add 10."$2".0.1/24 dev ly-"$1"
	ip -6 addr add fd"$2"::1/64 dev ly-"$1" nodad
	ip link set ly-"$1" up
	ip -n "$1" link set lo up
	ip -n "$1" addr add 10."$2".0.2/24 dev eth0
	ip -n "$1" -6 addr add fd"$2"::2/64 dev eth0 nodad
	ip -n "$1" link set eth0 up
	ip -n "$1" route add default via 10."$2".0.1
	ip -n "$1" -6 route add default via fd"$2"::1
	echo 1 >/proc/sys/net/ipv4/conf/ly-"$1"/forwarding
}
nft -f "$DIR/table"
member lab 77
member two 78
for set in inside free host local; do nft add element inet lanyard $set '{ "ly-two" }'; done
for knob in ipv4/conf/outside0/forwarding ipv6/conf/all/forwarding ipv4/conf/ly-lab/route_localnet; do echo 1 >/proc/sys/net/$knob; done
MAC=$(ip -j link show ly-lab | jq -r ".[0].address")

# says udp|rst SOURCE SPORT TARGET PORT - the guest of lab sends one packet, whoever it says it is
says() {
	ip netns exec lab /usr/bin/python3 - "$MAC" "$@" <<'END'
import sys
from scapy.all import Ether, IP, IPv6, TCP, UDP, sendp
mac, kind, source, sport, target, port = sys.argv[1:]
ports = {"sport": int(sport), "dport": int(port)}
layer = UDP(**ports) / "x" if kind == "udp" else TCP(flags="R", seq=7, **ports)
sendp(Ether(dst=mac) / (IPv6 if ":" in target else IP)(src=source, dst=target) / layer, iface="eth0", verbose=False)
END
}
# hears ADDRESS PORT FILE [PREFIX...] - who sends datagrams there, a line each
hears() {
	"${@:4}" /usr/bin/python3 -uc 'import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("listening")
while True: print("from", s.recvfrom(9)[1][0])' "$1" "$2" >"$3" &
	until_ok 5 grep -q listening "$3"
}
froms() { sed -n 's/^from //p' "$1" | paste -sd' '; }
outside tcpdump -i eth0 -Unlq 'udp or tcp' >"$DIR/wire" 2>"$DIR/tcpdump" &
until_ok 5 grep -q listening "$DIR/tcpdump"
on_wire() { grep -cE "$1" "$DIR/wire" || true; }
# seen_last PORT - what the guest may say comes through, so what it said before would be there by now
seen_last() { says udp 10.77.0.2 7000 $OUTSIDE "$1" && until_ok 5 grep -qE "$HOST\.[0-9]+ > $OUTSIDE\.$1:" "$DIR/wire"; }

say "begun under its own address: out, as the host"
seen_last 7100
says udp fd77::2 7000 $OUTSIDE6 7100
until_ok 5 grep -qE "$HOST6\.[0-9]+ > $OUTSIDE6\.7100:" "$DIR/wire"

say "under another's: of another network, of the outside, the gateway's own"
for who in 10.78.0.2 198.18.0.1 10.77.0.1; do says udp $who 7000 $OUTSIDE 7101; done
says udp fd78::2 7000 $OUTSIDE6 7101
says udp 2001:db8:9::9 7000 $OUTSIDE6 7101
seen_last 7102
is "packets" "$(on_wire '\.7101:')" 0

say "what belongs to no connection does not go out untranslated"
says rst 10.77.0.2 7000 $OUTSIDE 7103
says rst fd77::2 7000 $OUTSIDE6 7103
seen_last 7104
is "packets" "$(on_wire '\.7103:')" 0
is "guests' addresses on the wire" "$(on_wire '(10\.77|10\.78|fd77|fd78)')" 0

say "a cloud's metadata, also where somebody leads it elsewhere, or the host has that address"
says udp 10.77.0.2 7000 169.254.169.254 7105
nft add table ip agent
nft add chain ip agent pre '{ type nat hook prerouting priority -150; }'
nft add rule ip agent pre ip daddr 169.254.169.254 dnat to $OUTSIDE
says udp 10.77.0.2 7001 169.254.169.254 7105
nft delete table ip agent
seen_last 7106
is "packets" "$(on_wire '\.7105:')" 0
ip addr add 169.254.169.254/32 dev lo
hears 169.254.169.254 7107 "$DIR/metadata"
hears 0.0.0.0 7108 "$DIR/host"
says udp 10.77.0.2 7000 169.254.169.254 7107
says udp 10.77.0.2 7000 169.254.169.254 7108

say "what another table leads on from the host's loopback, as Docker does with a port that it publishes there"
nft add table ip docker
nft add chain ip docker pre '{ type nat hook prerouting priority dstnat; }'
nft add rule ip docker pre ip daddr 127.0.0.1 udp dport 7113 dnat to $OUTSIDE:7113
says udp 10.77.0.2 7000 127.0.0.1 7113
nft delete table ip docker
seen_last 7114
is "packets" "$(on_wire '\.7113:')" 0

say "the host's loopback by that name; the host under another's address; where somebody has turned tracking off, too"
hears 127.0.0.1 7109 "$DIR/loopback"
says udp 10.77.0.2 7000 127.0.0.1 7109
says udp 10.77.0.2 7000 127.0.0.1 7108
says udp 10.78.0.2 7000 10.77.0.1 7108
says udp 10.77.0.2 7000 10.77.0.1 7108
nft add table ip untrack
nft add chain ip untrack pre '{ type filter hook prerouting priority raw; }'
nft add rule ip untrack pre iifname ly-lab notrack
says udp 10.77.0.2 7000 127.0.0.1 7109
says udp 10.77.0.2 7000 169.254.169.254 7107
ip addr del 169.254.169.254/32 dev lo
says udp 10.77.0.2 7000 169.254.169.254 7105
nft delete table ip untrack
seen_last 7112
is "packets to a cloud's metadata" "$(on_wire '\.7105:')" 0
until_ok 5 grep -q from "$DIR/host"
is "the host heard" "$(froms "$DIR/host")" 10.77.0.2
is "the metadata" "$(froms "$DIR/metadata")" ""
is "the loopback" "$(froms "$DIR/loopback")" ""

say "an answer that the host waits for, by somebody else"
/usr/bin/python3 -uc 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7110))
s.sendto(b"x", (sys.argv[2], 7111))
print("asked")
while True: print("from", s.recvfrom(9)[1][0], flush=True)' $HOST $OUTSIDE >"$DIR/asked" &
until_ok 5 grep -q asked "$DIR/asked"
says udp $OUTSIDE 7111 $HOST 7110
outside /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[1], 7111)); s.sendto(b"y", (sys.argv[2], 7110))' $OUTSIDE $HOST
until_ok 5 grep -q from "$DIR/asked"
is "answers" "$(froms "$DIR/asked")" $OUTSIDE
