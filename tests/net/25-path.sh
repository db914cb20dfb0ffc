#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/25-path.sh - a guest sees the path as it is: traceroute by UDP, ICMP and TCP, hops of replies, path MTU
# (AC-15, AC-34, NAT-13, NAT-14, NAT-28, NAT-30, NAT-31, NAT-32)
# limit: 90
. "$ROOT/tests/net/lib.sh"
for tool in traceroute tracepath; do
	command -v $tool >/dev/null || absent "$tool is not installed"
done

# host -- outside (198.51.100.2) -- middle (10.200.1.2) -- far (10.200.2.2), each a router of its own
echo "0 65534" >/proc/sys/net/ipv4/ping_group_range || skip "ping sockets cannot be opened for an ordinary user here"
outside_make
link() {
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" addr add "$5.1/24" dev "$2"
	ip -n "$3" addr add "$5.2/24" dev "$4"
	ip -n "$1" addr add "$6::1/64" dev "$2" nodad
	ip -n "$3" addr add "$6::2/64" dev "$4" nodad
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}
for name in middle far; do
	ip netns add $name
	ip -n $name link set lo up
done
link outside far0 middle near0 10.200.1 2001:db8:1
link middle far0 far near0 10.200.2 2001:db8:2
for name in outside middle; do
	ip netns exec $name sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done
ip netns exec far sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
ip -n outside route add 10.200.2.0/24 via 10.200.1.2
ip -n middle route add default via 10.200.1.1
ip -n far route add default via 10.200.2.1
FAR=10.200.2.2

daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
hops() { awk '$1 ~ /^[0-9]+$/ { print $2 }' | xargs; }
PATH4="10.77.0.1 $OUTSIDE 10.200.1.2 $FAR"

say "NAT-32 traceroute shows each hop once, the gateway as the first"
is "by UDP" "$(in_box web1 traceroute -n -q 1 -w 2 $FAR | hops)" "$PATH4"
is "by UDP, one source port" "$(in_box web1 traceroute -n -q 1 -w 2 -U -p 33434 $FAR | hops)" "$PATH4"
is "by ICMP" "$(in_box web1 traceroute -I -n -q 1 -w 2 $FAR | hops)" "$PATH4"
is "by ICMP, three at a time" "$(in_box web1 traceroute -I -n -w 2 $FAR | hops)" "$PATH4"
is "by TCP" "$(in_box web1 traceroute -T -p 80 -n -q 1 -w 2 $FAR | hops)" "$PATH4"
has "a port that is closed" "$(in_box web1 traceroute -n -q 1 -w 2 -f 4 $FAR)" "^ ?4 +$FAR"
if command -v mtr >/dev/null; then
	is "mtr" "$(in_box web1 mtr -n -c 1 -G 1 -r $FAR | awk '$1 ~ /^[0-9]+\./ { print $2 }' | xargs)" "$PATH4"
fi

say "AC-34 an echo tells its hops and its time"
out=$(in_box web1 ping -c 2 -i 0.2 -W 2 $FAR)
has "two routers beyond the host's own, and the gateway" "$out" "ttl=61 "
is "the gateway itself is no hop away" "$(in_box web1 ping -c 1 -W 2 10.77.0.1 | sed -n 's/.*ttl=\([0-9]*\).*/\1/p')" 64
out=$(in_box web1 ping -c 1 -t 2 -W 2 $FAR || true)
has "the router that ends it says so" "$out" "From $OUTSIDE .*Time to live exceeded"

say "NAT-14, NAT-31, AC-15: the path MTU is found"
ip -n middle link set far0 mtu 1300
ip -n far link set near0 mtu 1300
is "tracepath" "$(in_box web1 tracepath -n $FAR | awk '/pmtu/ { for (i = 1; i < NF; i++) if ($i == "pmtu") m = $(i + 1) } END { print m }')" 1300
out=$(in_box web1 ping -M "do" -s 1400 -c 1 -W 2 $FAR 2>&1 || true)
has "the guest's kernel has learnt it" "$out" "local error: message too long, mtu.1300"
in_box web1 ip route flush cache
out=$(in_box web1 ping -M "do" -s 1400 -c 1 -W 2 $FAR || true)
has "the host knows it by now, and says so as the gateway" "$out" "From 10.77.0.1 .*Frag needed.*mtu = 1300"
ip route flush cache
in_box web1 ip route flush cache
out=$(in_box web1 ping -M "do" -s 1400 -c 1 -W 2 $FAR || true)
has "where it does not, the router does" "$out" "From 10.200.1.2 .*Frag needed.*mtu = 1300"
in_box web1 ping -M dont -s 1400 -c 1 -W 2 $FAR >/dev/null
echo "   without DF it passes in fragments"
in_box web1 ping -M dont -s 20000 -c 1 -W 2 $FAR >/dev/null
echo "   so does one of 20000 bytes, both ways"
ip link set outside0 mtu 1280
out=$(in_box web1 ping -M "do" -s 1300 -c 1 -W 2 $OUTSIDE || true)
has "the host's own link is the narrow one" "$out" "From 10.77.0.1 .*Frag needed.*mtu = 1280"
ip link set outside0 mtu 1500
ip netns exec far /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7003 echo >>"$DIR/serve.log" 2>&1 &
until_ok 5 ip netns exec far sh -c 'ss -Hltn "sport = :7003" | grep -q .'
is "TCP over the narrow path" "$(in_box web1 timeout 15 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $FAR 7003 echo)" same
ip -n middle link set far0 mtu 1500
ip -n far link set near0 mtu 1500

say "the same by IPv6"
FAR6=2001:db8:2::2
ip -6 addr add 2001:db8::1/64 dev outside0 nodad
ip -n outside -6 addr add 2001:db8::2/64 dev eth0 nodad
ip -6 route add default via 2001:db8::2
ip -n outside -6 route add 2001:db8:2::/64 via 2001:db8:1::2
ip -n middle -6 route add default via 2001:db8:1::1
ip -n far -6 route add default via 2001:db8:2::1
reached() { in_box web1 ping -6 -c 1 -W 1 $FAR6; }
until_ok 15 reached
gateway6=$(json .gateway6 net show lab)
PATH6="$gateway6 2001:db8::2 2001:db8:1::2 $FAR6"
is "by UDP" "$(in_box web1 traceroute -6 -n -q 1 -w 2 $FAR6 | hops)" "$PATH6"
is "by ICMP" "$(in_box web1 traceroute -6 -I -n -q 1 -w 2 $FAR6 | hops)" "$PATH6"
is "by TCP" "$(in_box web1 traceroute -6 -T -p 80 -n -q 1 -w 2 $FAR6 | hops)" "$PATH6"
has "hops of a reply" "$(in_box web1 ping -6 -c 1 -W 2 $FAR6)" "ttl=61 "
ip -n middle link set far0 mtu 1300
ip -n far link set near0 mtu 1300
is "tracepath" "$(in_box web1 tracepath -6 -n $FAR6 | awk '/pmtu/ { for (i = 1; i < NF; i++) if ($i == "pmtu") m = $(i + 1) } END { print m }')" 1300
in_box web1 ping -6 -s 20000 -c 1 -W 2 $FAR6 >/dev/null
echo "   20000 bytes pass in fragments, both ways"
