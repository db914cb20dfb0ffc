#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/40-segments.sh - VLANs of a network with addresses of their own: leases, names, the way out, forwards, and nothing across
. "$ROOT/tests/net/lib.sh"
outside_make
echo outside >"$DIR/www/name"
http_serve ip netns exec outside "$OUTSIDE:80" "$DIR/www"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
said() { sed -n "s/^$2='\(.*\)'\$/\1/p" "$DIR/$1.lease"; }
pings() { in_box "$1" ping -c 1 -W 1 "$2" >/dev/null 2>&1; }
name_of() { in_box "$1" dig +short +time=1 +tries=2 "@$2" "$3"; }

say "a segment, and a group of ports on it"
lanyard segment add lab 20 --subnet 10.77.20.0/24 --name dmz
status 0 lanyard segment add lab 20 --subnet 10.77.20.0/24 --name dmz
status 3 lanyard segment add lab 20 --subnet 10.77.21.0/24
status 1 lanyard segment add lab 30 --subnet 10.77.20.128/25
has "a subnet twice" "$ERR" 'overlaps that of network lab:20'
lanyard group add lab/db --vlan 20
for name in web1 db1 db2; do box $name; done
lanyard port set lab/db1 --group db
lanyard port set lab/db2 --vlan 20
status 1 lanyard group rm lab/db
has "a group that is followed" "$ERR" 'port db1 follows group lab/db'

say "leases of its own"
web=$(dhcp web1) db=$(dhcp db1) db2=$(dhcp db2)
has "in VLAN 1" "$web" '^10\.77\.0\.'
has "in VLAN 20" "$db" '^10\.77\.20\.'
is "router" "$(said db1 router)" 10.77.20.1
is "name server" "$(said db1 dns)" 10.77.20.1
is "lease ls" "$(json ".leases[] | select(.ip == \"$db\") | \"\\(.port) \\(.vid)\"" lease ls lab)" "db1 20"
is "ip" "$(lanyard ip lab/db1)" "$db"

say "names of its own"
is "a neighbour" "$(name_of db1 10.77.20.1 db2.lab.internal)" "$db2"
is "the host there" "$(name_of db1 10.77.20.1 host.lab.internal)" 10.77.20.1
is "the host in VLAN 1" "$(name_of web1 10.77.0.1 host.lab.internal)" 10.77.0.1
is "one of another segment" "$(name_of db1 10.77.20.1 web1.lab.internal)" ""
is "as nobody in particular" "$(json '[.vid, .records[0].value, .steps[0].text] | map(tostring) | join(" ")' dns resolve lab host.lab.internal)" "1 10.77.0.1 any, in VLAN 1"
is "as one of VLAN 20" "$(json '.records[0].value' dns resolve lab:20 host.lab.internal)" 10.77.20.1
has "as one guest, and who that is" "$(lanyard dns resolve lab host.lab.internal --as db1)" '^guest +db1, in VLAN 20'
status 4 lanyard dns resolve lab:30 host.lab.internal
status 1 lanyard dns resolve lab:20 host.lab.internal --as web1
lanyard dns add lab db 192.0.2.7
is "a record is everybody's" "$(name_of db1 10.77.20.1 db.lab.internal) $(name_of web1 10.77.0.1 db.lab.internal)" "192.0.2.7 192.0.2.7"

say "out, and not across"
is "the outside" "$(in_box db1 curl -sS -m 3 "http://$OUTSIDE/name")" outside
pings db1 10.77.20.1 || fail "db1 does not reach its gateway"
pings db1 "$db2" || fail "db1 does not reach its neighbour"
! pings db1 "$web" || fail "db1 reaches web1"
! pings web1 "$db" || fail "web1 reaches db1"
[ "$(json '.verdicts["other-network"] // 0' port show lab/db1)" -ge 1 ] || fail "what is refused between segments has no verdict"

say "guards and rules of a group are for the ports that follow it"
lanyard policy add lab --group db deny egress "$db2/udp"
lanyard policy add lab --group db deny egress "$db2/icmp"
! pings db1 "$db2" || fail "a rule of the group is not heeded"
has "who said so" "$(lanyard policy ls lab/db1)" "lab/db1 +group +2 +deny egress $db2/icmp +[1-9]"
lanyard policy rm lab --group db 2
lanyard policy rm lab --group db deny egress "$db2/udp"
pings db1 "$db2" || fail "a rule of the group that is gone is heeded"
lanyard guard set lab --group db --isolated true
lanyard guard set lab/db2 --isolated true
! pings db1 "$db2" || fail "a guard of the group is not heeded"
lanyard guard set lab --group db --isolated false
pings db1 "$db2" || fail "a guard of the group that is off is heeded"
lanyard policy set lab --group db --default deny
! pings db1 10.77.20.1 || fail "the default of the group is not heeded"
lanyard policy set lab --group db --default allow
status 4 lanyard policy add lab --group nosuch deny egress any
status 2 lanyard guard set lab/db1 --group db --isolated true

say "a forward into it"
in_box db1 busybox httpd -f -p 80 -h "$DIR/www" &
lanyard forward add lab 8080:db1:80
until_ok 5 curl -sS -m 3 -o /dev/null http://127.0.0.1:8080/name
is "by its port" "$(curl -sS -m 3 http://127.0.0.1:8080/name)" outside
lanyard forward add lab "8081:$db:80"
is "by its address" "$(curl -sS -m 3 http://127.0.0.1:8081/name)" outside

say "peers: a segment and the network's own, then one of another network, and nobody else"
lanyard net add third --mode internal --subnet 10.78.0.0/24
lanyard segment add third 30 --subnet 10.78.30.0/24
box third/t1
lanyard port set third/t1 --vlan 30
status 1 lanyard net peer lab:20 lab:20
status 4 lanyard net peer lab:20 lab:77
status 0 lanyard net peer lab:1 lab:20 --allow icmp
has "VLAN 1 is the network's own" "$(json '.peers | tostring' net show lab)" '^\{"lab:20":'
status 0 lanyard net peer lab:20 lab:1 --rm
status 2 lanyard net peer lab:0 lab:20
status 0 lanyard net peer lab:20 lab --allow icmp
until_ok 3 pings db1 "$web"
! pings web1 "$db" || fail "web1 opens what only db1 may"
status 0 lanyard net peer lab lab:20 --allow icmp
until_ok 3 pings web1 "$db"
has "show" "$(json '.peers | tostring' segment show lab 20)" '\{"lab":\{"allow":\["icmp"\]\}\}'
status 0 lanyard net peer third:30 lab:20
dhcp t1 >/dev/null
until_ok 3 pings t1 "$db"		# a guest without a default route, which heard of the way by its lease
! pings t1 "$web" || fail "t1 reaches who is no peer"
status 0 lanyard segment add lab 20 --subnet 10.77.20.0/24 --name dmz
lanyard export >"$DIR/peers.yaml"
is "apply of what was exported" "$(lanyard apply -f "$DIR/peers.yaml")" "nothing to change"
status 0 lanyard net peer lab lab:20 --rm
! pings web1 "$db" || fail "web1 still reaches db1"
status 0 lanyard segment rm third 30
is "peers of what is gone" "$(json '.peers // "none"' segment show lab 20)" none
lanyard net rm third --force

say "a guest moves there while it runs"
lanyard lease pin lab/web1 10.77.20.50
lanyard port set lab/web1 --group db
kill "$(<"$DIR/web1.udhcpc")"
is "its pinned address" "$(dhcp web1)" 10.77.20.50
is "what it had is free" "$(json "[.leases[] | select(.ip == \"$web\" and .state == \"bound\")] | length" lease ls lab)" 0
pings web1 "$db" || fail "web1 does not reach its new neighbours"

say "all of it is there after a restart, and in the exported file"
kill -KILL "$(engine_pid)"
until_ok 5 pings db1 "$db2"
is "lease" "$(json ".leases[] | select(.ip == \"$db\") | \"\\(.port) \\(.vid) \\(.state)\"" lease ls lab)" "db1 20 bound"
lanyard export >"$DIR/all.yaml"
status 0 lanyard diff -f "$DIR/all.yaml"

say "a segment goes while its guests run"
lanyard forward rm lab 8081
status 1 lanyard segment rm lab 20
has "an address that is pinned there" "$ERR" "10.77.20.50 is no guest.s address in this network"
lanyard lease rm lab/web1
lanyard segment rm lab 20
! pings db1 10.77.20.1 || fail "the gateway of a segment that is gone answers"
is "its leases" "$(json '[.leases[] | select(.vid == 20)] | length' lease ls lab)" 0
pings db1 "$db2" || fail "the VLAN went with its segment"
