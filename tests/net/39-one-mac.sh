#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/39-one-mac.sh - a bridged network on a medium that carries one MAC address, as Wi-Fi does: the LAN sees the host's and nothing
# else, and guests have addresses of the LAN and are reached all the same (AC-54; MODES.md row 20)
# limit: 90
# as: root
. "$ROOT/tests/net/lib.sh"

ip netns add lan
ip -n lan link set lo up
ip link add wlan0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns lan
ip addr add 10.9.0.1/24 dev wlan0
ip link set wlan0 up
ip -n lan addr add 10.9.0.2/24 dev eth0
ip -n lan addr add fd00:9::2/64 dev eth0 nodad
ip addr add fd00:9::1/64 dev wlan0 nodad
ip -n lan link set eth0 up
in_lan() { ip netns exec lan "$@"; }

daemon_start
lanyard net add lab --mode bridged --uplink wlan0 --one-mac on
is "the medium" "$(json '.ports[] | select(.name == "@uplink") | .medium' ps lab)" one-mac
in_lan tcpdump -n -e -i eth0 -U -w "$DIR/air.pcap" 2>"$DIR/tcpdump" &
until_ok 5 grep -q listening "$DIR/tcpdump"

lan_leases
box web1
box web2
web1=$(dhcp web1)
web2=$(dhcp web2)
has "the first guest's lease" "$web1" '^10\.9\.0\.[5-9][0-9]$'
has "the second's" "$web2" '^10\.9\.0\.[5-9][0-9]$'
[ "$web1" != "$web2" ] || fail "both have $web1"

host() { "$@"; }
guest() { in_box web1 "$@"; }
pings() { local who=$1; shift; $who ping -c 1 -W 2 "$@" >/dev/null 2>&1 && echo yes || echo no; }
say "everybody reaches everybody"
is "guest to LAN" "$(pings guest 10.9.0.2)" yes
is "LAN to guest" "$(pings in_lan "$web1")" yes
is "LAN to the other" "$(pings in_lan "$web2")" yes
is "guest to host" "$(pings guest 10.9.0.1)" yes
is "host to guest" "$(pings host "$web1")" yes
is "guest to guest" "$(pings guest "$web2")" yes
is "host to LAN" "$(pings host 10.9.0.2)" yes
is "LAN to host" "$(pings in_lan 10.9.0.1)" yes
in_lan ip neigh flush dev eth0
is "LAN to guest, asked for anew" "$(pings in_lan "$web2")" yes
call() { local who=$1; shift; $who /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
serve() { local who=$1; shift; $who /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve "$@" >/dev/null 2>&1 & }
serve guest 7001 echo
serve in_lan 7003 echo
until_ok 5 call guest "$web1" 7001 echo
until_ok 5 call in_lan 10.9.0.2 7003 echo
is "TCP from the LAN" "$(call in_lan "$web1" 7001 echo)" same
is "TCP to the LAN" "$(call guest 10.9.0.2 7003 echo)" same

say "IPv6"
in_box web1 ip addr add fd00:9::11/64 dev eth0 nodad
in_box web2 ip addr add fd00:9::12/64 dev eth0 nodad
is "guest to LAN" "$(pings guest fd00:9::2)" yes
is "LAN to guest" "$(pings in_lan fd00:9::12)" yes
is "host to guest" "$(pings host fd00:9::11)" yes
is "guest to host" "$(pings guest fd00:9::1)" yes

say "what is on the air"
seen() { tcpdump -n -e -r "$DIR/air.pcap" "$@" 2>/dev/null; }
saw() { seen icmp6 | grep -q fd00:9::12; }
until_ok 5 saw
is "MAC addresses on the air" "$(seen | grep -oE '^[0-9:.]+ ([0-9a-f]{2}:){5}[0-9a-f]{2}' | awk '{ print $2 }' | sort -u | tr '\n' ' ')" "02:00:00:00:00:01 02:00:00:00:00:02 "
is "whom the LAN knows" "$(in_lan ip neigh show dev eth0 | grep -oE '([0-9a-f]{2}:){5}[0-9a-f]{2}' | sort -u)" 02:00:00:00:00:01
is "the LAN's server is asked for a broadcast" "$(seen -v udp dst port 67 | grep -c 'Flags \[Broadcast\]')" "$(seen udp dst port 67 | wc -l)"

say "nobody takes the host's address"
in_box web2 ip addr add 10.9.0.1/24 dev eth0
in_box web2 arping -c 2 -w 1 -U -I eth0 10.9.0.1 >/dev/null 2>&1 || in_box web2 busybox arping -c 2 -w 1 -U -I eth0 10.9.0.1 >/dev/null 2>&1 || true
in_lan ip neigh flush dev eth0
is "LAN to host" "$(pings in_lan 10.9.0.1)" yes
dropped=$(json '.ports[] | select(.name == "@uplink") | .stats.tx_drops' ps lab)
[ "$dropped" -gt 0 ] || fail "nothing was dropped that spoke for the host"

say "by setting, and back"
lanyard net set lab --one-mac off
is "the medium" "$(json '.ports[] | select(.name == "@uplink") | .medium' ps lab)" packet
reach() { in_lan ip neigh flush dev eth0; [ "$(pings guest 10.9.0.2)" = yes ] && [ "$(pings in_lan "$web1")" = yes ]; }
until_ok 10 reach
lanyard net set lab --one-mac on
until_ok 10 reach
daemon_stop
