#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/94-check-broken.sh - each promise broken by hand, and `lanyard check` flags just that row
# limit: 240
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/net/check-broken.sh"
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add dark --mode internal --subnet 10.79.0.0/24
lanyard net add quiet --mode internal
flags "as it should be" "" lab
flags "as it should be" "" dark

say "a rule of the host's firewall"
broken "UDP to the host's own address" 1 output ip daddr $HOST udp dport 1024-65535 oif lo drop
broken "UDP to the host's own address, by IPv6" 1 output ip6 daddr $HOST6 udp dport 1024-65535 oif lo drop
broken "TCP to the outside, dropped" 8 output ip daddr $FAR tcp dport 8473 drop
broken "TCP to the outside, reset" 8 output ip daddr $FAR tcp dport 8473 reject with tcp reset
broken "ping" 9 output icmp type echo-request drop
broken "errors" 9 input icmp type destination-unreachable ip saddr $FAR drop
broken "TCP by IPv6" 10 output ip6 daddr $OUTSIDE6 tcp dport 8473 drop
broken "to forwards, from the outside" 12 input iif outside0 tcp sport != 8473 tcp dport \>= 1024 tcp flags syn drop
broken "to forwards, from the outside by IPv6" 12 input iif outside0 ip6 daddr $HOST6 tcp sport != 8473 tcp dport \>= 1024 tcp flags syn drop
is "ways in" "$(jq -r '[.rows[11].trials[].name] | join("; ")' "$DIR/check")" "TCP; UDP; a range; TCP, IPv6"
broken "to forwards, on loopback by IPv6" 13 output ip6 daddr ::1 tcp dport \>= 1024 drop
broken "to forwards, on loopback" 13 output ip daddr 127.0.0.1 tcp dport \>= 1024 drop

no_hairpin "back in by a forward" ip $HOST lanyard-check-tcp
no_hairpin "back in by a forward, by IPv6" ip6 $HOST6 lanyard-check-tcp6

say "a rule of the network's own, which names one family"
gateway6=$(json .gateway6 net show lab) subnet6=$(json .subnet6 net show lab)
shut "guest to guest" 6 "10.77.0.0/25:1024-65535/udp"
shut "guest to guest, by IPv6" 6 "[$subnet6]:1024-65535/udp"
shut "names" 18 10.77.0.1:53/udp
shut "names, by IPv6" 18 "[$gateway6]:53/udp"
lanyard net set lab --host-access loopback
shut "the host's loopback" 4 10.77.0.1:1024-65535/tcp
shut "the host's loopback, by IPv6" 4 "[$gateway6]:1024-65535/udp"
lanyard policy add lab deny egress 10.77.0.1:1024-65535
flags "open by IPv6 alone" 3 lab --host-access own
lanyard policy rm lab 1
lanyard policy add lab deny egress "[$gateway6]:1024-65535"
flags "open by IPv4 alone" 3 lab --host-access own
lanyard policy rm lab 1
lanyard net set lab --host-access own

lanyard net peer lab dark
flags "a peer, as it should be" "" lab
shut "a peer" 24 10.79.0.0/24:1024-65535/tcp
shut "a peer, by IPv6" 24 "[$(json .subnet6 net show dark)]:1024-65535/udp"
lanyard net peer lab dark --rm

say "a route"
ip route replace unreachable $FAR
flags "the outside" "8 9 19" lab
has "reason" "$(jq -r '.rows[7].reason' "$DIR/check")" 'does not answer the host either'
ip route del unreachable $FAR
flags "mended" "" lab

say "the outside's listener is closed"
is "another port" "$(differs lab --outside $FAR:8474)" "8 19"

say "somebody makes the host's address that of the guest, on the way out"
read -r guest guest6 <<<"$(lanyard run lab/lanyard-check-1 -- sh -c 'ip -4 -o addr show dev eth0; cat /sys/class/net/eth0/address' |
	python3 -c '
import ipaddress, re, sys
text = sys.stdin.read()
mac = bytes.fromhex(re.search("^[0-9a-f:]{17}$", text, re.M).group().replace(":", ""))
net = ipaddress.ip_network(sys.argv[1]).network_address.packed[:8]
print(re.search("inet ([0-9.]+)", text).group(1), ipaddress.ip_address(net + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]))
' "$subnet6")"
outside ip -6 route add "$subnet6" via $HOST6
nft add chain inet hand nat "{ type nat hook postrouting priority 100; }"
nft add rule inet hand nat oif outside0 ip daddr $FAR udp dport 8473 snat ip to "$guest"
flags "the guest is seen" 19 lab
is "as" "$(jq -r '.rows[18].trials[0].how' "$DIR/check")" "$guest"
nft flush chain inet hand nat
nft add rule inet hand nat oif outside0 ip6 daddr $OUTSIDE6 udp dport 8473 snat ip6 to "$guest6"
flags "the guest is seen, by IPv6" 19 lab
is "as" "$(jq -r '.rows[18].trials[1].how' "$DIR/check")" "$guest6"
nft delete chain inet hand nat

say "a setting that is not what one thinks"
lanyard net set lab --host-access loopback
flags "loopback is open" 3 lab --host-access own
lanyard net set lab --host-access none
flags "closed altogether" "1 14" lab --host-access own
lanyard net set lab --host-access own
flags "loopback is closed" 4 lab --host-access loopback
flags "isolation of guests is off" "6 7" lab --mode nat
flags "an internal network that is none" "1 8 9 10 12 13 17" lab --mode internal
flags "a NAT network that is internal" "1 8 9 10 12 13 14 17 19" dark --mode nat-network --host-access own

say "DHCP without an address to give"
lanyard net set lab --dhcp-pool 10.77.0.50-10.77.0.50
box web1
is "the only one" "$(dhcp web1)" 10.77.0.50
flags "DHCP" 16 lab
lanyard net set lab --dhcp-pool 10.77.0.50-10.77.0.90

say "another guest's MAC address is a port's for good"
mac=$(lanyard run quiet/lanyard-check-2 --dhcp none -- cat /sys/class/net/eth0/address)	# fixed by the name
box quiet/thief
lanyard fdb add quiet/thief "$mac"
flags "guest to guest" 6 quiet
lanyard fdb rm quiet/thief "$mac"
flags "given back" "" quiet
box_end thief

say "somebody who carries frames from one network into another"
dark6=$(json .subnet6 net show dark) dark6=${dark6%/*}
# carry FROM WHICH AS - frames of port FROM, those for which the expression WHICH of f is true, get to dark, as the expression AS says
carry() {
	local from=${1#*/}
	lanyard port add "$1" --stream "$DIR/r/from.sock"
	lanyard port add dark/carrier --stream "$DIR/r/to.sock"
	as_lanyard /usr/bin/python3 -c "
import socket, sys
a, b = (socket.socket(socket.AF_UNIX) for i in range(2))
a.connect(sys.argv[1]); b.connect(sys.argv[2])
r = a.makefile('rb')
while size := r.read(4):
    f = r.read(int.from_bytes(size, 'big'))
    if $2: b.sendall(size + $3)
" "$DIR/r/from.sock" "$DIR/r/to.sock" &
	carrier=$!
	carries() { [ "$(json "[.ports[] | select(.name == \"carrier\" or .name == \"$from\") | .state] | join(\" \")" ps)" = "up up" ]; }
	until_ok 5 carries
}
carry lab/carrier "f[12:14] == b'\x88\xb5'" f
flags "a frame to the other network" 15 lab --other dark
is "it is the frame alone" "$(jq -r '.rows[14].trials[] | select(.how | startswith("arrived")) | .name' "$DIR/check")" frame
kill $carrier
lanyard port rm lab/carrier
lanyard port rm dark/carrier
mac=$(lanyard run dark/lanyard-check-3 --dhcp none -- cat /sys/class/net/eth0/address)
carry lab/watch "f[12:14] == b'\x86\xdd' and f[38:46] == socket.inet_pton(socket.AF_INET6, '$dark6')[:8]" "bytes.fromhex('${mac//:/}') + f[6:]"
lanyard mirror add lab/watch --from all --direction in
flags "IPv6 packets to the other network" 15 lab --other dark
is "they are it" "$(jq -r '[.rows[14].trials[] | select(.how | startswith("arrived")) | .name] | join("; ")' "$DIR/check")" "UDP, IPv6; TCP, IPv6"
kill $carrier
lanyard port rm lab/watch
lanyard port rm dark/carrier

say "an interface that comes up meanwhile"
(
	until_ok 10 sh -c "'$B/lanyard' port show quiet/lanyard-check-2 >/dev/null 2>&1"
	ip link add residue type veth peer name residue2
) &
is "residue" "$(differs quiet)" 22
wait $!
