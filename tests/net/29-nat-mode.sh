#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/29-nat-mode.sh - mode nat: guests with one MAC address and one IP address, each alone with the gateway (AC-41)
#
# The rows are those of the modes' contract: 05-08 who reaches whom, 12-13 forwards, 15 other networks, 16-18 DHCP and DNS.
. "$ROOT/tests/net/lib.sh"
MAC=02:00:5e:00:00:15
outside_make
daemon_start
lanyard net add lab --mode nat --host-access loopback
for name in web1 web2 web3; do box $name --mac $MAC; done

say "row 16-18: each is given the same, as VirtualBox and QEMU do it"
for name in web1 web2 web3; do
	is "$name" "$(dhcp $name)" 10.0.2.15
	is "$name's router" "$(in_box $name ip route show default | awk '{ print $3 }')" 10.0.2.2
	is "$name's own name" "$(in_box $name dig +short +time=2 @10.0.2.3 $name.lab.internal)" 10.0.2.15
	is "$name's address" "$(in_box $name dig +short +time=2 @10.0.2.3 -x 10.0.2.15)" $name.lab.internal.
	is "its host" "$(in_box $name dig +short +time=2 @10.0.2.3 host.lab.internal)" 10.0.2.2
done
is "another's name" "$(in_box web1 dig +time=2 @10.0.2.3 web2.lab.internal | grep -o 'status: [A-Z]*')" "status: NXDOMAIN"
is "leases" "$(json '[.leases[] | .port + " " + .ip] | sort | join(",")' lease ls lab)" "web1 10.0.2.15,web2 10.0.2.15,web3 10.0.2.15"
has "ps" "$(lanyard ps lab)" 'web2 .*10\.0\.2\.15'
is "the FDB tells no moves" "$(json '[.fdb[].moves] | add' fdb ls lab)" 0
is "nobody's MAC is elsewhere" "$(json '[.fdb[].port] | unique | length' fdb ls lab)" 3

say "row 08: out to the outside, as the host"
outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7001 name >"$DIR/serve.log" 2>&1 &
outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7002 datagram >>"$DIR/serve.log" 2>&1 &
until_ok 5 outside sh -c 'ss -Hltn "sport = :7001" | grep -q . && ss -Hlun "sport = :7002" | grep -q .'
for name in web1 web2 web3; do
	in_box $name /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $OUTSIDE 7001 name >"$DIR/$name.tcp" &
	calls="${calls:-} $!"
	in_box $name /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $OUTSIDE 7002 datagram >"$DIR/$name.udp" &
	calls="$calls $!"
done
# shellcheck disable=SC2086
wait $calls
is "all at once" "$(cat "$DIR"/web?.tcp "$DIR"/web?.udp | sort | uniq -c | xargs)" "6 $HOST"

say "row 12: a forward leads to its own guest"
for name in web1 web2 web3; do
	in_box $name /usr/bin/python3 "$ROOT/tests/net/ports.py" serve $name tcp 80 1 >"$DIR/$name.serve" 2>&1 &
	in_box $name /usr/bin/python3 "$ROOT/tests/net/ports.py" serve $name udp 80 1 >"$DIR/$name.serve2" 2>&1 &
	until_ok 5 grep -q listening "$DIR/$name.serve"
	until_ok 5 grep -q listening "$DIR/$name.serve2"
done
call() { /usr/bin/python3 "$ROOT/tests/net/ports.py" call "$@" | cut -d' ' -f1-2; }
lanyard forward add lab 8081:web1:80
lanyard forward add lab 8082:web2:80
lanyard forward add lab 8083:web2:80/udp
lanyard forward add lab 8084:web3:80 --lan
is "to web1" "$(call 127.0.0.1 8081 tcp)" "web1 80"
is "to web2" "$(call 127.0.0.1 8082 tcp)" "web2 80"
is "to web2 by UDP" "$(call 127.0.0.1 8083 udp)" "web2 80"
is "to web3 from outside" "$(outside /usr/bin/python3 "$ROOT/tests/net/ports.py" call $HOST 8084 tcp | cut -d' ' -f1-2)" "web3 80"
is "13: a forward on loopback from outside" "$(outside /usr/bin/python3 "$ROOT/tests/net/ports.py" call $HOST 8081 tcp)" refused
status 1 lanyard forward add lab 8090:10.0.2.15:80
has "an address is nobody's" "$ERR" 'may be any guest of a nat network; name its port'

say "rows 05-07: and nobody else reaches a guest"
outside ip route add 10.0.2.0/24 via $HOST
if outside ping -c 1 -W 1 10.0.2.15 >/dev/null; then fail "the outside reaches a guest"; fi
if ping -c 1 -W 1 10.0.2.15 >/dev/null; then fail "the host reaches a guest"; fi
in_box web2 ip addr add 10.0.2.77/24 dev eth0
if in_box web1 ping -c 1 -W 1 10.0.2.77 >/dev/null; then fail "a guest reaches another"; fi
if in_box web1 ping -c 1 -W 1 -I eth0 -b 10.0.2.255 >/dev/null 2>&1; then fail "a broadcast was answered"; fi
(in_box web2 timeout 60 /usr/bin/python3 "$ROOT/tests/net/foreign.py" eth0 "$(json .gateway_mac net show lab)" >"$DIR/seen" || true) & watch=$!
until_ok 5 grep -q watching "$DIR/seen"
for to in ff:ff:ff:ff:ff:ff 01:00:5e:00:00:fb 33:33:00:00:00:01 $MAC 02:00:00:00:99:99; do
	in_box web1 /usr/bin/python3 -c "
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
for tag in (b'', b'\x81\x00\x00\x01', b'\x81\x00\x00\x0a', b'\x81\x00\x10\x02'):
    s.send(bytes.fromhex('$to'.replace(':', '')) + bytes.fromhex('$MAC'.replace(':', '')) + tag + b'\x88\xb5' + b'x' * 60)
"
done
in_box web1 busybox arping -c 1 -w 1 -I eth0 10.0.2.15 >/dev/null || true
is "frames still pass where they may" "$(call 127.0.0.1 8082 tcp)" "web2 80"
is "all that web2 saw but the gateway" "$(<"$DIR/seen")" watching
kill $watch

say "row 15: other networks, also one with the same subnet"
lanyard net add two --mode nat
lanyard net add flat --subnet 10.77.0.0/24
box two/clone --mac $MAC
is "of two" "$(dhcp clone)" 10.0.2.15
box flat/other
other=$(dhcp other)
if in_box web1 ping -c 1 -W 1 "$other" >/dev/null; then fail "nat reaches nat-network"; fi
if in_box other ping -c 1 -W 1 10.0.2.15 >/dev/null; then fail "nat-network reaches nat"; fi
has "refused as another network" "$(json '.ports[].verdicts["other-network"] // 0' ps lab | sort -n | tail -1)" '^[1-9]'
status 1 lanyard net add three --subnet 10.0.2.0/24
has "but another mode may not have it" "$ERR" '10\.0\.2\.0/24 overlaps that of network'

say "the host is reached at the gateway's address, and nothing but DNS beside it"
http_serve 127.0.0.1:8070 "$DIR/www"
echo hello >"$DIR/www/index.html"
is "gateway" "$(in_box web1 curl -sS -m 5 http://10.0.2.2:8070/)" hello
status 7 in_box web1 curl -sS -m 5 http://10.0.2.3:8070/
in_box web1 ping -c 1 -W 2 10.0.2.3 >/dev/null

say "IPv6: a prefix of the network's, and each alone"
prefix=$(json .subnet6 net show lab | cut -d/ -f1)
has_ip6() { in_box "$1" ip -6 -o addr show dev eth0 scope global | grep -v tentative | grep -q "${prefix%::}"; }
for name in web1 web2; do until_ok 10 has_ip6 $name; done
own() { in_box "$1" ip -6 -o addr show dev eth0 scope global | awk '{ sub("/.*", "", $4); print $4; exit }'; }
is "the same address" "$(own web1)" "$(own web2)"
for name in web1 web2; do in_box $name ping -6 -c 1 -W 2 "${prefix}1" >/dev/null; done
has_name6() { [ "$(in_box web2 dig +short +time=2 @10.0.2.3 web2.lab.internal AAAA)" = "$(own web2)" ]; }
until_ok 5 has_name6
is "nobody else's" "$(in_box web2 dig +short +time=2 @10.0.2.3 web1.lab.internal AAAA)" ""

say "a change of another setting, a restart of the engine and a guest that goes leave the others as they are"
lanyard net set lab --filtering any
lanyard lease rm lab/web3
status 1 lanyard lease rm lab 10.0.2.15
has "whose" "$ERR" 'several guests have 10\.0\.2\.15'
kill -9 "$(engine_pid)"
until_ok 10 answers
bound() { [ "$(json '[.leases[] | select(.state == "bound") | .port] | sort | join(",")' lease ls lab)" = "$1" ]; }
until_ok 10 bound web1,web2
until_ok 10 sh -c "[ \"\$(/usr/bin/python3 '$ROOT/tests/net/ports.py' call 127.0.0.1 8081 tcp | cut -d' ' -f1)\" = web1 ]"
is "and names" "$(in_box web1 dig +short +time=2 @10.0.2.3 -x 10.0.2.15)" web1.lab.internal.
box_end web2
is "its port is gone" "$(json '[.ports[].name] | sort | join(",")' ps lab)" "web1,web3"
is "its lease, too" "$(json '[.leases[].port] | index("web2")' lease ls lab)" null
is "web1 serves" "$(call 127.0.0.1 8081 tcp)" "web1 80"

say "the modes' contract, tried from inside"
lanyard check lab >"$DIR/check" || { cat "$DIR/check"; fail "lanyard check: $?"; }
has "rows that were tried" "$(tail -1 "$DIR/check")" 'lab, nat with host_access loopback: [0-9]+ as expected, 0 different'

say "another mode and back, on a running guest"
lanyard net add live --mode nat --subnet 10.55.0.0/24
box live/mover
is "in mode nat" "$(dhcp mover -q)" 10.55.0.15
flaps() { in_box mover cat /sys/class/net/eth0/carrier_changes; }
before=$(flaps)
lanyard net set live --mode nat-network
is "its lease goes along" "$(json '.leases[] | .port + " " + .ip' lease ls live)" "mover 10.55.0.15"
dhcp mover -q >/dev/null
is "the router" "$(in_box mover ip route show default | awk '{ print $3 }')" 10.55.0.1
lanyard net set live --mode nat
is "and comes back" "$(json '.leases[] | .port + " " + .ip + " " + .state' lease ls live)" "mover 10.55.0.15 bound"
dhcp mover -q >/dev/null
is "the router again" "$(in_box mover ip route show default | awk '{ print $3 }')" 10.55.0.2
is "no link flap" "$(flaps)" "$before"
