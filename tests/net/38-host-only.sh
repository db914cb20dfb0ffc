#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/38-host-only.sh - the host as a member: it reaches guests and they it, each other and nothing else; addressing, names, and the
# host as it was before (MODES.md, column host-only)
# limit: 120
. "$ROOT/tests/net/lib.sh"

if [ "$AS" = user ]; then
	say "without the right to make an interface: the command that gives it, and nothing else changed"
	daemon_start
	status 5 lanyard net add lab --mode host-only
	has "the reason" "$ERR" "no right \(CAP_NET_ADMIN\)"
	has "the command" "$ERR" "^hint: once: sudo setcap cap_net_admin=ep $B/lanyard-keeper"
	is "networks" "$(json '.networks | length' net ls)" 0
	is "changes" "$(json '.changes | length' host-changes)" 0
	daemon_stop
	[ "${RUN_AS[0]}" = setpriv ] || exit 0

	say "with that command, as the user"
	mkdir "$DIR/bin"
	cp "$B"/lanyard "$B"/lanyardd "$B"/lanyard-* "$DIR/bin"
	setcap cap_net_admin=ep "$DIR/bin/lanyard-keeper" 2>/dev/null || exit 0
	B=$DIR/bin
	daemon_start
	lanyard net add lab --mode host-only
	box web1
	is "a guest" "$(dhcp web1)" 192.168.56.101
	ping -c 1 -W 2 192.168.56.101 >/dev/null
	lanyard net rm lab --force
	is "interfaces" "$(ip -br link | grep -c '^ly-' || true)" 0
	daemon_stop
	exit 0
fi

outside_make
ip addr add 192.168.56.7/24 dev outside0	# its default place is taken on this host
ip -n outside route add 192.168.57.0/24 via $HOST
ip -n outside route add default via $HOST
call() { local who=$1; shift; $who /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
host() { "$@"; }
guest() { in_box web1 "$@"; }
web2() { in_box web2 "$@"; }

say "addressing"
daemon_start
lanyard net add lab --mode hostonly
is mode "$(json .mode net show lab)" host-only
is subnet "$(json .subnet net show lab)" 192.168.57.0/24
is "the host's address" "$(ip -4 -o addr show dev ly-lab | awk '{ print $4 }')" 192.168.57.1/24
is "and the other family's" "$(ip -6 -o addr show dev ly-lab scope global | awk '{ print $4 }')" "$(json .gateway6 net show lab)/64"
is "ps shows it" "$(json '.ports[] | select(.kind == "host") | .name + " " + .ifname + " " + .state' ps lab)" "@host ly-lab up"
status 1 lanyard forward add lab 8080:web1:80
has "a forward" "$ERR" "mode host-only has no forwards"
status 1 lanyard net add other --mode host-only --subnet 198.51.0.0/16
has "an overlap" "$ERR" "198.51.0.0/16 overlaps 198.51.100.[0-9./]+, which this host has on (outside0|lo)"
has "what is free" "$ERR" "hint: lanyard net add other --mode host-only --subnet "
box web1
box web2
is "the first guest" "$(dhcp web1)" 192.168.57.101
is "the second" "$(dhcp web2)" 192.168.57.102
is "a router" "$(in_box web1 ip route show default | wc -l)" 0

say "guests and the host"
in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7001 name >/dev/null 2>&1 &
/usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7002 name >/dev/null 2>&1 &
outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7003 name >/dev/null 2>&1 &
until_ok 5 call host 192.168.57.101 7001 name
until_ok 5 call host 192.168.57.1 7002 name
until_ok 5 call outside $OUTSIDE 7003 name
is "host to guest" "$(call host 192.168.57.101 7001 name)" 192.168.57.1
is "guest to host" "$(call guest 192.168.57.1 7002 name)" 192.168.57.101
is "guest to guest" "$(call web2 192.168.57.101 7001 name)" 192.168.57.102
pings() { "$1" ping -c 1 -W 2 "$2" >/dev/null 2>&1 && echo yes || echo no; }
is "ping to the guest" "$(pings host 192.168.57.101)" yes
is "ping to the host" "$(pings guest 192.168.57.1)" yes
is "ping between guests" "$(pings guest 192.168.57.102)" yes
six=$(json .gateway6 net show lab)
address6() { in_box web1 ip -6 -o addr show dev eth0 scope global -tentative | grep -o '[0-9a-f:]*/64'; }
until_ok 10 address6
guest6=$(address6)
is "IPv6 to the host" "$(pings guest "$six")" yes
is "IPv6 to the guest" "$(pings host "${guest6%/64}")" yes
is "the switch has seen it" "$(lanyard ip lab/web1 --ipv6)" "${guest6%/64}"

say "names"
dig_in() { in_box web1 dig +short +time=1 +tries=2 "$@"; }
is "a guest's" "$(dig_in @192.168.57.1 web2.lab.internal)" 192.168.57.102
is "the host's" "$(dig_in @192.168.57.1 host.lab.internal)" 192.168.57.1
is "over IPv6" "$(dig_in @"$six" web2.lab.internal)" 192.168.57.102
is "over IPv6 and TCP" "$(dig_in +tcp @"$six" web2.lab.internal)" 192.168.57.102
is "others" "$(in_box web1 dig +time=1 +tries=1 @192.168.57.1 www.example.com | sed -n 's/.*status: \([A-Z]*\).*/\1/p')" REFUSED

say "nothing to the outside, nor from there, even with routes, on a host that forwards"
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1	# for reasons of its own, as with Docker on it
in_box web1 ip route add default via 192.168.57.1
in_box web1 ip -6 route add default via "$six" 2>/dev/null || true
is "ping outside" "$(pings guest $OUTSIDE)" no
is "the host's other address" "$(pings guest $HOST)" no
is "from outside" "$(pings outside 192.168.57.101)" no
is "TCP to the outside" "$(call guest $OUTSIDE 7003 name)" "net unreachable"
seen=$(call outside 192.168.57.101 7001 name) || true
[ "$seen" != $OUTSIDE ] || fail "TCP from the outside"
refused=$(json '.ports[] | select(.name == "web1") | .verdicts["no-route"]' ps lab)
[ "$refused" -gt 0 ] || fail "nothing was counted as refused"
lanyard net add second --mode host-only
is "the next subnet" "$(json .subnet net show second)" 192.168.58.0/24
box second/far
dhcp far >/dev/null
is "another network" "$(pings guest 192.168.58.101)" no
refused=$(json '.ports[] | select(.name == "web1") | .verdicts["other-network"]' ps lab)
[ "$refused" -gt 0 ] || fail "nothing was counted as for another network"

say "live: what is changed flaps nobody's link"
in_box web1 ip monitor link >"$DIR/monitor" &
in_box far ip monitor link >>"$DIR/monitor" &
index=$(ip -o link show ly-lab | cut -d: -f1)
lanyard net set lab --mtu 1400
is "the interface's MTU" "$(ip -o link show ly-lab | grep -o 'mtu [0-9]*')" "mtu 1400"
lanyard net set lab --subnet 192.168.99.0/24
is "the host's new address" "$(ip -4 -o addr show dev ly-lab | awk '{ print $4 }')" 192.168.99.1/24
is "the same interface" "$(ip -o link show ly-lab | cut -d: -f1)" "$index"
status 1 lanyard net set lab --subnet 198.51.100.0/24
is "refused, the address stays" "$(ip -4 -o addr show dev ly-lab | awk '{ print $4 }')" 192.168.99.1/24
is "links that went down" "$(grep -c 'state DOWN\|NO-CARRIER' "$DIR/monitor" || true)" 0

say "all or nothing: of a file whose second network is refused nothing is made"
lanyard export >"$DIR/good.yaml"
{ cat "$DIR/good.yaml"; printf '  %s: { mode: host-only, subnet: %s }\n' x 192.168.60.0/24 y 198.51.100.0/24; } >"$DIR/bad.yaml"
status 1 lanyard apply -f "$DIR/bad.yaml"
has "why" "$ERR" "network y: subnet: 198.51.100.0/24 overlaps"
is "interfaces" "$(ip -br link | grep -c '^ly-')" 2
lanyard apply -f "$DIR/good.yaml"

say "another mode and back"
lanyard net set second --mode internal
is "interfaces" "$(ip -br link | grep -c '^ly-')" 1
is "the host" "$(in_box far ping -c 1 -W 1 192.168.58.1 >/dev/null && pings host 192.168.58.101)" no
lanyard net set second --mode host-only
is "the subnet" "$(ip -4 -o addr show dev ly-second | awk '{ print $4 }')" 192.168.58.1/24
until_ok 5 ping -c 1 -W 1 192.168.58.101
status 1 lanyard net set second --mode routed --uplink nowhere0
until_ok 5 ping -c 1 -W 1 192.168.58.101
lanyard net set second --mode nat-network
is "interfaces" "$(ip -br link | grep -c '^ly-')" 1
lanyard net set second --mode host-only
until_ok 5 ping -c 1 -W 1 192.168.58.101
is "links that went down" "$(grep -c 'state DOWN\|NO-CARRIER' "$DIR/monitor" || true)" 0

say "a route that the host learns later is told by name"
is "warnings" "$(json '.warnings | length' net show lab)" 0
ip route add 192.168.99.128/25 dev outside0
has "the warning" "$(json '.warnings[0]' net show lab)" "192.168.99.0/24 overlaps 192.168.99.128/25, which this host now has on outside0"
ip route del 192.168.99.128/25 dev outside0

say "an interface that is taken away comes again"
ip link del ly-second
until_ok 10 sh -c 'ip -4 addr show dev ly-second | grep -q 192.168.58.1/24'
until_ok 10 ping -c 1 -W 1 192.168.58.101
daemon_stop
