#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/65-snooping.sh - multicast among guests whose kernels speak IGMP and MLD
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --subnet6 fd00:77::/64 --snooping true
for n in from to other; do box $n; dhcp $n; done
has6() { in_box from ip -6 -o addr show dev eth0 -tentative | grep -q fd00; }
until_ok 5 has6		# nobody sends from an address that somebody may have
cat >"$DIR/hear.py" <<'END'
import socket, struct, sys
v6 = ":" in sys.argv[1]
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 5000))
group = socket.inet_pton(s.family, sys.argv[1])
if v6:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("@I", socket.if_nametoindex("eth0")))
else:
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + socket.inet_aton(sys.argv[2]))
print("joined", flush=True)
while True:
    print(s.recv(100).decode(), flush=True)
END
cat >"$DIR/say.py" <<'END'
import socket, sys
v6 = ":" in sys.argv[1]
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
if v6:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
else:
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[2]))
for n in range(100):
    s.sendto(b"hello", (sys.argv[1], 5000))
END
sent_to() { json .stats.tx_frames port show "lab/$1"; }
few() { local before; before=$(sent_to other); say_it "$1"; [ $(($(sent_to other) - before)) -lt 50 ]; }
say_it() { in_box from /usr/bin/python3 "$DIR/say.py" "$1" "$(address from)"; }
hears() { say_it "$1"; grep -q hello "$DIR/heard$2"; }
n=0
for group in 239.1.2.3 ff05::1:2345; do
	say "$group"
	before=$(sent_to other)
	say_it $group
	[ $(($(sent_to other) - before)) -ge 100 ] || fail "what nobody asked for was not flooded"
	in_box to /usr/bin/python3 "$DIR/hear.py" $group "$(address to)" >"$DIR/heard$n" &
	until_ok 5 grep -q joined "$DIR/heard$n"
	until_ok 5 hears $group $n
	until_ok 5 few $group
	n=$((n + 1))
done

say "without snooping, all hear all"
lanyard net set lab --snooping false
many() { ! few 239.1.2.3; }
until_ok 5 many
kill %2 %3 2>/dev/null || true
