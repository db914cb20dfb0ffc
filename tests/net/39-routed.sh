#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/39-routed.sh - guests at their own addresses: the outside reaches them and they it, untranslated; only the named interfaces
# forward, and the host keeps the way out that it learnt from advertisements (MODES.md, column routed; AC-10)
# as: root
# limit: 120
. "$ROOT/tests/net/lib.sh"
outside_make
sysctl -qw net.ipv6.conf.outside0.accept_ra=1
ip -6 addr add 2001:db8:1::1/64 dev outside0 nodad
ip -n outside -6 addr add 2001:db8:1::2/64 dev eth0 nodad
ip link add other0 type veth peer name eth1 netns outside	# another way in, which is not to be routed by
ip addr add 203.0.113.1/24 dev other0
ip link set other0 up
ip -n outside addr add 203.0.113.2/24 dev eth1
ip -n outside link set eth1 up
advertise() { outside /usr/bin/python3 - <<-'END'
	import socket, struct
	s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
	s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
	s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0), ("ff02::1%eth0", 0))
	END
}
learnt() { ip -6 route show default proto ra | grep -q 'dev outside0'; }
until_ok 5 sh -c '! ip -n outside -6 addr show dev eth0 tentative | grep -q .'
advertise
until_ok 5 learnt
settings() { sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.conf' | grep -v 'ly-'; }
settings >"$DIR/before"

say "a network that the outside has a route to"
daemon_start
status 1 lanyard net add lab --mode routed
has "no subnet" "$ERR" "subnet: is missing"
status 1 lanyard net add lab --mode routed --subnet 10.50.0.0/24 --uplink nowhere0
has "no such uplink" "$ERR" "uplink nowhere0: this host has no such interface"
lanyard net add lab --mode routed --subnet 10.50.0.0/24 --subnet6 2001:db8:50::/64 --uplink outside0
changed=$(settings | diff "$DIR/before" - | grep '^>' | sed 's/^> //' || true)
has "IPv4 forwarding" "$changed" "^net.ipv4.conf.outside0.forwarding = 1"
! grep -q 'other0\|\.lo\.\|net.ipv4.conf.all\|default' <<<"$changed" || fail "more than the named interfaces: $changed"
is "ip_forward" "$(sysctl -n net.ipv4.ip_forward)" 0
lanyard host-changes
is "as the journal says" "$(json '.changes[] | select(.kind == "sysctl" and (.target | contains("outside0/"))) | .target' host-changes | wc -l)" \
	"$(grep -c outside0 <<<"$changed")"
outside ip route add 10.50.0.0/24 via $HOST
outside ip -6 route add 2001:db8:50::/64 via 2001:db8:1::1
box web1
is "the guest" "$(dhcp web1)" 10.50.0.2
is "its router" "$(in_box web1 ip route show default | awk '{ print $3 }')" 10.50.0.1
serve() { "$@" /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7001 name >/dev/null 2>&1 & }
call() { local who=$1; shift; $who /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
guest() { in_box web1 "$@"; }
host() { "$@"; }
serve in_box web1
serve outside
serve
for a in 10.50.0.2 10.50.0.1 $OUTSIDE; do until_ok 5 call host $a 7001 name; done
is "guest to outside, seen as" "$(call guest $OUTSIDE 7001 name)" 10.50.0.2
is "outside to guest, seen as" "$(call outside 10.50.0.2 7001 name)" $OUTSIDE
is "guest to host" "$(call guest 10.50.0.1 7001 name)" 10.50.0.2
is "host's other address" "$(call guest $HOST 7001 name)" 10.50.0.2
is "host to guest" "$(call host 10.50.0.2 7001 name)" 10.50.0.1
pings() { "$1" ping -c 1 -W 2 "$2" >/dev/null 2>&1 && echo yes || echo no; }
address6() { in_box web1 ip -6 -o addr show dev eth0 scope global -tentative | grep -o '[0-9a-f:]*/64'; }
until_ok 10 address6
guest6=$(address6)
is "IPv6 to the outside" "$(pings guest 2001:db8:1::2)" yes
is "IPv6 from the outside" "$(pings outside "${guest6%/64}")" yes
is "a path's length is told" "$(in_box web1 traceroute -n -q 1 -w 2 $OUTSIDE | awk 'NR == 2 { print $2 }')" 10.50.0.1
is "by the interface that was not named" "$(outside ip route replace 10.50.0.0/24 via 203.0.113.1; pings outside 10.50.0.2)" no
outside ip route replace 10.50.0.0/24 via $HOST

say "names, and other names by the host's resolvers"
outside /usr/bin/python3 "$ROOT/tests/net/upstream.py" >"$DIR/upstream.log" 2>&1 &
echo "nameserver $OUTSIDE" >"$DIR/resolv.conf"
until_ok 5 in_box web1 sh -c 'dig +short +time=1 +tries=1 @10.50.0.1 www.example.com | grep -q 203.0.113.7'
is "a guest's" "$(in_box web1 dig +short +time=2 @10.50.0.1 web1.lab.internal)" 10.50.0.2
is "the same over TCP" "$(in_box web1 dig +tcp +short +time=2 @10.50.0.1 web1.lab.internal)" 10.50.0.2

say "the host's own way out"
advertise
until_ok 5 sh -c "ip -6 route show default proto ra | grep -q 'expires 1[78][0-9][0-9]sec'"
is "is there still" "$(learnt && echo yes)" yes

say "other networks stay apart"
lanyard net add two --mode routed --subnet 10.51.0.0/24 --uplink outside0
lanyard net add three --mode host-only
lanyard net add four --subnet 10.52.0.0/24
box two/b
dhcp b >/dev/null
box three/c
dhcp c >/dev/null
box four/d
dhcp d >/dev/null
is "routed to routed" "$(pings guest 10.51.0.2)" no
is "routed to host-only" "$(pings guest 192.168.56.101)" no
is "nat-network to routed" "$(in_box d ping -c 1 -W 2 10.50.0.2 >/dev/null && echo yes || echo no)" no
lanyard net rm two --force
has "one goes, the other routes on" "$(pings guest $OUTSIDE)" yes
lanyard net set lab --uplink other0
is "another uplink" "$(sysctl -n net.ipv4.conf.outside0.forwarding net.ipv4.conf.other0.forwarding | xargs)" "0 1"
lanyard net set lab --uplink outside0
is "and back" "$(sysctl -n net.ipv4.conf.outside0.forwarding net.ipv4.conf.other0.forwarding | xargs)" "1 0"
is "the outside again" "$(pings guest $OUTSIDE)" yes
status 1 lanyard net set lab --uplink nowhere0 --mtu 1400
has "no such uplink" "$ERR" "uplink nowhere0: this host has no such interface"
is "all as it was" "$(ip -o link show ly-lab | grep -o 'mtu [0-9]*') $(pings guest $OUTSIDE) $(pings guest 2001:db8:1::2)" "mtu 1500 yes yes"
is "its interface" "$(json .interface net show lab)" ly-lab
is "warnings" "$(json '.warnings | length' net show lab)" 0
sysctl -qw net.ipv4.conf.outside0.forwarding=0
has "one" "$(json '.warnings[0]' net show lab)" "uplink outside0 .* forwards nothing: sysctl -w net.ipv4.conf.outside0.forwarding=1"
sysctl -qw net.ipv4.conf.outside0.forwarding=1

say "an uplink that goes and comes again forwards again"
ip link del other0
ip link add other0 type veth peer name eth1 netns outside
lanyard net set lab --uplink other0
ip link del other0
gone_uplink() { json '.warnings[0]' net show lab | grep -q 'other0 is not there'; }
until_ok 5 gone_uplink
ip link add other0 type veth peer name eth1 netns outside
is "a new interface" "$(sysctl -n net.ipv4.conf.default.forwarding)" 0
until_ok 5 sh -c '[ "$(sysctl -n net.ipv4.conf.other0.forwarding)" = 1 ]'
is "warnings" "$(json '.warnings | length' net show lab)" 0
lanyard net set lab --uplink outside0
is "guest to the outside again" "$(pings guest $OUTSIDE)" yes

say "all settings as they were"
lanyard net rm lab --force
lanyard net rm three --force
settings | grep -v other0 | diff <(grep -v other0 "$DIR/before") - || fail "settings differ"
is "changes" "$(json '.changes | length' host-changes)" 0
daemon_stop
