#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/95-check-host.sh - `lanyard check` flags the rows that a change of the host breaks: a host plugged in where it should not be,
# and promises of host-only and routed networks taken back by hand
# as: root
# limit: 240
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/net/check-broken.sh"
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add dark --mode internal --subnet 10.79.0.0/24

say "the host is plugged in, and then routes"
lanyard port add lab/plugged --tap lyt0
echo 1 >/proc/sys/net/ipv6/conf/lyt0/disable_ipv6	# or it would have an address of the network in a moment
ip link set lyt0 up
flags "frames on the host" 21 lab
gateway6=$(json .gateway6 net show lab) subnet6=$(json .subnet6 net show lab)
echo 0 >/proc/sys/net/ipv6/conf/lyt0/accept_ra; echo 0 >/proc/sys/net/ipv6/conf/lyt0/accept_dad
echo 0 >/proc/sys/net/ipv6/conf/lyt0/disable_ipv6
ip -6 route add "$subnet6" dev lyt0
flags "host to guest, by IPv6" "5 21" lab
has "by" "$(jq -r '.rows[4].seen' "$DIR/check")" '^TCP no, UDP no, TCP, IPv6 yes, UDP, IPv6 yes$'
outside ip -6 route add "$subnet6" via $HOST6
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
flags "outside to guest, by IPv6" "5 11 21" lab
has "by" "$(jq -r '.rows[10].seen' "$DIR/check")" '^TCP no, UDP no, TCP, IPv6 yes, UDP, IPv6 yes$'
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
echo 1 >/proc/sys/net/ipv6/conf/lyt0/disable_ipv6
ip addr add 192.0.2.1/32 dev lyt0
ip route add 10.77.0.0/24 dev lyt0 src 192.0.2.1
flags "host to guest" "5 21" lab
echo 1 >/proc/sys/net/ipv4/ip_forward
flags "outside to guest" "5 11 21" lab
has "by" "$(jq -r '.rows[10].seen' "$DIR/check")" '^TCP yes, UDP yes, '
lanyard port rm lab/plugged
lanyard port add dark/plugged --tap lyt0
echo 1 >/proc/sys/net/ipv6/conf/lyt0/disable_ipv6
ip link set lyt0 up
ip addr add 10.79.0.200/24 dev lyt0
flags "an address of the host" "2 5 21" dark
lanyard port rm dark/plugged
echo 0 >/proc/sys/net/ipv4/ip_forward

say "host-only and routed"
lanyard net add desk --mode host-only
outside ip route add 192.168.56.0/24 via $HOST
flags "as it should be" "" desk
ip -6 addr del $HOST6/64 dev outside0	# what is left are gateways' addresses, and they are no promise to other networks
flags "no IPv6 address of the host's own" 10 lab
ip -6 addr add $HOST6/64 dev outside0 nodad
NET=desk
broken "UDP to the host" 2 input iifname ly-desk udp dport \>= 1024 ct state new drop
broken "TCP to the host, by IPv6" 2 input iifname ly-desk meta nfproto ipv6 tcp dport \>= 1024 ct state new drop
broken "UDP to guests, by IPv6" 5 output oifname ly-desk meta nfproto ipv6 udp dport \>= 1024 ct state new drop
broken "TCP to guests" 5 output oifname ly-desk ip protocol tcp ct state new drop
lanyard net add street --mode routed --subnet 10.81.0.0/24 --subnet6 2001:db8:81::/64 --uplink outside0
outside ip route add 10.81.0.0/24 via $HOST
outside ip -6 route add 2001:db8:81::/64 via $HOST6
flags "as it should be" "" street
NET=street
broken "UDP to the outside" 8 forward ip saddr 10.81.0.0/24 udp dport 8473 drop
broken "TCP to guests" 11 forward ip daddr 10.81.0.0/24 tcp flags syn / syn,ack drop
broken "UDP to guests, by IPv6" 11 forward ip6 daddr 2001:db8:81::/64 udp dport \>= 1024 ct state new drop
nft add chain inet hand nat "{ type nat hook postrouting priority 100; }"
nft add rule inet hand nat ip saddr 10.81.0.0/24 masquerade
flags "translated" 19 street
nft flush chain inet hand nat
nft add rule inet hand nat ip6 saddr 2001:db8:81::/64 masquerade
flags "translated, by IPv6" 19 street
nft delete chain inet hand nat
ip -n outside route del 10.81.0.0/24
flags "a route that the outside has not" "8 9 11" street

say "what is delegated to a router among the guests"
lanyard net set desk --delegate fd00:560::/48
flags "as it should be" "" desk
is "probed" "$(jq -r '.rows[24] | "\(.expected) \(.result)"' "$DIR/check")" "yes ok"
NET=desk
broken "the host's UDP to who is behind" 25 output ip6 daddr fd00:560::/48 udp dport \>= 1024 drop
is "nothing stays leased" "$(json '[.leases[] | select(.port | startswith("lanyard-check"))] | length' lease ls desk)" 0

say "kernel NAT"
lanyard net add kern --subnet 10.82.0.0/24 --nat kernel
flags "as it should be" "" kern
NET=kern
broken "TCP to the outside" 8 forward ip saddr 10.82.0.0/24 ip daddr $FAR tcp dport 8473 drop
broken "ping" 9 forward ip saddr 10.82.0.0/24 icmp type echo-request drop
broken "UDP to the host's own address" 1 input iifname ly-kern ip daddr $HOST udp dport \>= 1024 ct state new drop
broken "to forwards, from the outside" 12 prerouting iif outside0 tcp sport != 8473 tcp dport \>= 1024 tcp flags syn drop
broken "to the outside by IPv6" 10 forward iifname ly-kern ip6 daddr $OUTSIDE6 tcp dport 8473 drop
broken "back in by a forward" 14 forward iifname ly-kern oifname ly-kern ip protocol tcp drop
broken "back in by a forward, by IPv6" 14 forward iifname ly-kern oifname ly-kern meta nfproto ipv6 meta l4proto tcp drop
kern6=$(json .subnet6 net show kern)
outside ip route add 10.82.0.0/24 via $HOST
outside ip -6 route add "$kern6" via $HOST6
nft add chain inet hand nat "{ type nat hook postrouting priority 99; }"
nft add rule inet hand nat oif outside0 snat ip prefix to ip saddr map "{ 10.82.0.0/24 : 10.82.0.0/24 }"
flags "not translated" 19 kern
nft flush chain inet hand nat
nft add rule inet hand nat oif outside0 snat ip6 prefix to ip6 saddr map "{ $kern6 : $kern6 }"
flags "not translated, by IPv6" 19 kern
nft delete chain inet hand nat
shut "names, by IPv6" 18 "[$(json .gateway6 net show kern)]:53/udp"
lanyard net set kern --host-access loopback
broken "the host's loopback" 4 input iifname ly-kern ip daddr 127.0.0.1 udp dport \>= 1024 drop
broken "the host's loopback, by IPv6" 4 output ip6 daddr ::1 udp dport \>= 1024 drop
lanyard policy add kern deny egress 10.82.0.1:1024-65535
flags "loopback is open by IPv6" 3 kern --host-access own
lanyard policy rm kern 1
