#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/64-guards.sh - guards, by guests that say what is not theirs to say
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
box web2
dhcp web1
dhcp web2
WEB2=$(json '.addresses[0].ip' port show lab/web2)
refused() { json ".verdicts[\"$2\"] // 0" port show "lab/$1"; }
more() { [ "$(refused "$1" "$2")" -gt "$3" ]; }
pings() { in_box "$1" ping -c 1 -W 0.4 "${@:2}" >/dev/null 2>&1; }
silent() { ! pings "$@"; }

say "the gateway's address is nobody else's"
in_box web1 ip addr add 10.77.0.1/32 dev eth0
in_box web1 busybox arping -q -U -c 1 -w 1 -I eth0 10.77.0.1 || true
until_ok 5 more web1 gateway-claim 0
in_box web1 ip addr del 10.77.0.1/32 dev eth0
until_ok 5 pings web2 10.77.0.1
until_ok 5 pings web1 10.77.0.1

say "own IP: what is leased, and what is listed"
in_box web1 ip addr add 10.77.0.200/24 dev eth0
until_ok 5 pings web1 -I 10.77.0.200 "$WEB2"
lanyard guard set lab/web1 --own-ip true
until_ok 5 silent web1 -I 10.77.0.200 "$WEB2"
more web1 forged-ip 0 || fail "not counted"
until_ok 5 pings web1 "$WEB2"
lanyard guard set lab/web1 --address 10.77.0.200
until_ok 5 pings web1 -I 10.77.0.200 "$WEB2"
has "guard ls" "$(lanyard guard ls lab)" 'web1 +own_ip addresses=1 .*forged-ip'

say "isolated ports reach the gateway, not one another"
lanyard guard set lab --isolated true
until_ok 5 silent web1 "$WEB2"
pings web1 10.77.0.1
pings web2 10.77.0.1
lanyard guard set lab/web2 --isolated false
until_ok 5 pings web1 "$WEB2"

say "own MAC"
lanyard guard set lab/web2 --own-mac true
pings web2 10.77.0.1
in_box web2 ip link set eth0 address 02:00:00:00:00:99
silent web2 10.77.0.1
more web2 forged-mac 0 || fail "not counted"
lanyard fdb add lab/web2 02:00:00:00:00:99
until_ok 5 pings web2 10.77.0.1
is "it lives there for good" "$(json '.fdb[] | select(.mac == "02:00:00:00:00:99") | .port + " " + .origin' fdb ls lab)" "web2 static"
lanyard fdb rm lab/web2 02:00:00:00:00:99
until_ok 5 silent web2 10.77.0.1
is "and no longer" "$(json '[.fdb[] | select(.origin == "static")] | length' fdb ls lab)" 0

say "own IP: a lease that ends by itself is the port's no longer"
lanyard net set lab --dhcp-lease 5s
box web3
dhcp web3
lanyard guard set lab/web3 --own-ip true
pings web3 10.77.0.1
kill "$(<"$DIR/web3.udhcpc")"
until_ok 9 silent web3 10.77.0.1
more web3 forged-ip 0 || fail "not counted"

say "what was set is what is exported, and applied again"
lanyard export >"$DIR/c/lanyard.yaml"
status 0 lanyard diff -f "$DIR/c/lanyard.yaml"
grep -q 'isolated: true' "$DIR/c/lanyard.yaml"
status 2 lanyard guard set lab/web1 --own-ip perhaps
status 1 lanyard guard set lab/web1 --address nonsense
has "says which" "$ERR" nonsense

say "a guest that joins two of its ports: one is closed, and opened again when the loop has gone"
lanyard guard set lab --isolated false
closed() { json '[.ports[] | select(.reason | startswith("a loop:"))] | length' port ls lab; }
closed_are() { [ "$(closed)" = "$1" ]; }
as_lanyard /usr/bin/python3 "$ROOT/tests/net/loop.py" "$DIR/r/lanyard/attach.sock" left right >"$DIR/joined" &
JOINED=$!
until_ok 5 grep -q joined "$DIR/joined"
in_box web1 busybox arping -q -c 1 -w 1 -I eth0 10.77.0.250 || true
until_ok 2 closed_are 1
until_ok 5 pings web1 10.77.0.1
has "the log" "$(<"$DIR/lanyardd.log")" 'event=loop with=(left|right) closed_ms=2000'
kill -STOP $JOINED
until_ok 8 closed_are 0
kill -KILL $JOINED
wait $JOINED || true
