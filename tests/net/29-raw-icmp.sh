#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/29-raw-icmp.sh - where ping sockets are closed: raw ones of a daemon that has the right; and errors that guests send (NAT-29)
# limit: 120
. "$ROOT/tests/net/lib.sh"
command -v traceroute >/dev/null || absent "traceroute is not installed"

# host -- outside -- far (10.200.1.2)
echo "1 0" >/proc/sys/net/ipv4/ping_group_range
outside_make
HOST6=2001:db8::1 OUTSIDE6=2001:db8::2 FAR=10.200.1.2 FAR6=2001:db8:1::2
ip netns add far
ip link add far0 netns outside type veth peer name near0 netns far
for at in "outside far0 10.200.1.1/24 2001:db8:1::1/64" "far near0 $FAR/24 $FAR6/64"; do
	read -r where device address address6 <<<"$at"
	ip -n "$where" addr add "$address" dev "$device"
	ip -n "$where" addr add "$address6" dev "$device" nodad
	ip -n "$where" link set "$device" up
done
ip -6 addr add $HOST6/64 dev outside0 nodad
ip -n outside -6 addr add $OUTSIDE6/64 dev eth0 nodad
ip -6 route add default via $OUTSIDE6
ip -n far route add default via 10.200.1.1
ip -n far -6 route add default via 2001:db8:1::1
outside sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

PLACES+=(--workers 3)	# guests on several workers, each with a share of the identifiers
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
box web2
dhcp web1 >/dev/null
dhcp web2 >/dev/null
gateway6=$(json .gateway6 net show lab)
global() { in_box "$1" ip -6 -o addr show dev eth0 scope global -tentative | awk '{ sub("/.*", "", $4); print $4; exit }'; }
has_global() { [ -n "$(global "$1")" ]; }
until_ok 20 has_global web1
until_ok 20 has_global web2

cat >"$DIR/closed.py" <<'PY'
# what a client hears of a datagram to a port: [-s SOURCE-PORT] ADDRESS PORT
import select, socket, sys
args = sys.argv[1:]
source = int(args[1]) if args[0] == '-s' else 0
address, port = args[-2:]
s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', source))
s.connect((address, int(port)))
heard = 'nothing'
for i in range(4):
    try:
        s.send(b'hello')
        if select.select([s], [], [], 0.5)[0]: s.recv(10); heard = 'an answer'
    except ConnectionRefusedError: heard = 'refused'
    if heard != 'nothing': break
print(heard)
PY
closed() { /usr/bin/python3 "$DIR/closed.py" "$@"; }
lanyard forward add lab 0.0.0.0:5300:web1:5300/udp --name open4
lanyard forward add lab "[$HOST6]:5301:web1:5301/udp" --name open6

if [ "$AS" = user ]; then
	say "without the right, nothing is as it was before"
	has "the log names the sysctl" "$(grep no-ping-sockets "$DIR/lanyardd.log")" 'net.ipv4.ping_group_range'
	out=$(in_box web1 ping -c 1 -W 2 $OUTSIDE || true)
	has "a ping is prohibited" "$out" "From 10.77.0.1 .*Packet filtered"
	out=$(in_box web1 ping -6 -c 1 -W 2 $OUTSIDE6 || true)
	has "of IPv6, too" "$out" "From $gateway6 .*prohibited"
	is "a closed port is silence" "$(outside /usr/bin/python3 "$DIR/closed.py" $HOST 5300)" nothing
	exit 0
fi

say "pings and traceroute by raw sockets"
has "the log says so" "$(grep raw-icmp "$DIR/lanyardd.log")" 'event=raw-icmp workers=3'
is "doctor" "$(lanyard doctor --json | jq -r '.checks[] | select(.name == "ping") | .state')" OK
has "IPv4" "$(in_box web1 ping -c 3 -i 0.2 -W 2 $FAR)" "ttl=62 .*time="
has "IPv6" "$(in_box web1 ping -6 -c 3 -i 0.2 -W 2 $FAR6)" "ttl=62 .*time="
in_box web1 ping -c 1 -s 20000 -M dont -W 2 $FAR >/dev/null
in_box web1 ping -6 -c 1 -s 20000 -W 2 $FAR6 >/dev/null
echo "   20000 bytes, in fragments both ways"
has "each is a flow" "$(json .nat_flows.flows net show lab)" '^[1-9]'
hops() { awk '$1 ~ /^[0-9]+$/ { print $2 }' | xargs; }
is "traceroute" "$(in_box web1 traceroute -I -n -w 2 $FAR | hops)" "10.77.0.1 $OUTSIDE $FAR"
is "of IPv6" "$(in_box web1 traceroute -6 -I -n -w 2 $FAR6 | hops)" "$gateway6 $OUTSIDE6 $FAR6"
out=$(in_box web1 ping -c 1 -W 6 10.200.1.77 || true)
has "nobody is there" "$out" "From $OUTSIDE .*Host Unreachable"
narrow() { ip -n outside link set far0 mtu "$1"; ip -n far link set near0 mtu "$1"; }
narrow 1300
out=$(in_box web1 ping -M "do" -s 1400 -c 1 -W 2 $FAR || true)
has "the router's narrow way" "$out" "From $OUTSIDE .*Frag needed.*mtu = 1300"
in_box web2 ping -c 1 -s 1400 -M dont -W 2 $FAR >/dev/null
in_box web1 ip route flush cache
out=$(in_box web1 ping -M "do" -s 1400 -c 1 -W 2 $FAR || true)
has "which the host knows by now" "$out" "From 10.77.0.1 .*Frag needed.*mtu = 1300"
narrow 1500
ip route flush cache

say "two guests and the host itself, with one identifier to one remote, at the same time"
for family in -4 -6; do
	to=$OUTSIDE; [ $family = -6 ] && to=$OUTSIDE6
	in_box web1 ping $family -e 7 -i 0.02 -c 50 -W 2 $to >"$DIR/p1" & p1=$!
	in_box web2 ping $family -e 7 -i 0.02 -c 50 -W 2 $to >"$DIR/p2" & p2=$!
	ping $family -e 7 -i 0.02 -c 50 -W 2 $to >"$DIR/p3"
	wait $p1 $p2
	for i in 1 2 3; do
		has "all are answered, once" "$(<"$DIR/p$i")" '^50 packets transmitted, 50 received, 0% packet loss'
	done
done
(in_box web1 timeout 3 tcpdump -lni eth0 icmp >"$DIR/seen" 2>"$DIR/seen.err" || true) & dump=$!
until_ok 5 grep -q listening "$DIR/seen.err"
ping -i 0.02 -c 20 $OUTSIDE >/dev/null
wait $dump
is "what the host pings, no guest sees" "$(<"$DIR/seen")" ""

say "NAT-29: a guest's closed port is closed outside"
refused() { [ "$("$@")" = refused ] || { "$@"; return 1; }; }
until_ok 10 refused outside /usr/bin/python3 "$DIR/closed.py" $HOST 5300
is "behind a forward" "$(outside /usr/bin/python3 "$DIR/closed.py" $HOST 5300)" refused
until_ok 10 refused outside /usr/bin/python3 "$DIR/closed.py" $HOST6 5301
is "by IPv6" "$(outside /usr/bin/python3 "$DIR/closed.py" $HOST6 5301)" refused
is "to the host itself" "$(closed 127.0.0.1 5300)" refused
is "to a guest, by hairpin" "$(in_box web2 /usr/bin/python3 "$DIR/closed.py" $HOST 5300)" refused
in_box web1 /usr/bin/python3 - $OUTSIDE $OUTSIDE6 <<'PY'
import socket, sys
for a, f in zip(sys.argv[1:], (socket.AF_INET, socket.AF_INET6)):
    s = socket.socket(f, socket.SOCK_DGRAM); s.bind(('', 40077)); s.sendto(b'x', (a, 6000))
PY
is "a mapping's, whose program has ended" "$(outside /usr/bin/python3 "$DIR/closed.py" -s 6000 $HOST 40077)" refused
is "by IPv6" "$(outside /usr/bin/python3 "$DIR/closed.py" -s 6000 $HOST6 40077)" refused
outside tcpdump -c 1 -nvvi eth0 'icmp[icmptype] == icmp-unreach' >"$DIR/error" 2>"$DIR/error.err" & dump=$!
until_ok 5 grep -q listening "$DIR/error.err"
is "once more" "$(outside /usr/bin/python3 "$DIR/closed.py" -s 6001 $HOST 5300)" refused
wait $dump
has "it comes from the host and quotes what was sent to it" "$(xargs <"$DIR/error")" \
	"$HOST > $OUTSIDE: ICMP $HOST udp port 5300 unreachable.* $OUTSIDE.6001 > $HOST.5300: \[udp sum ok\] UDP, length 5"

say "a network that is pinned to an interface"
lanyard net set lab --uplink outside0
has "pings by this one" "$(in_box web1 ping -c 1 -W 2 $FAR)" "ttl=62 "
has "IPv6" "$(in_box web1 ping -6 -c 1 -W 2 $FAR6)" "ttl=62 "
in_box web1 /usr/bin/python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 40078)); s.sendto(b'x', ('$OUTSIDE', 6002))"
is "a mapping's closed port" "$(outside /usr/bin/python3 "$DIR/closed.py" -s 6002 $HOST 40078)" refused
ip link add other0 type veth peer name other1
ip link set other0 up
lanyard net set lab --uplink other0
if in_box web1 ping -c 1 -W 1 $OUTSIDE >/dev/null; then fail "a ping left by another interface"; fi
echo "   none leaves by another one"
lanyard net set lab --uplink ""

say "an engine that was started again asks again"
engine=$(engine_pid)
kill -KILL "$engine"
other() { [ "$(engine_pid)" != "$engine" ]; }
until_ok 10 other
again() { in_box web1 ping -c 1 -W 1 $FAR; }
until_ok 10 again
