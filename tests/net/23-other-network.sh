#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/23-other-network.sh - networks do not reach one another, whatever the mode, and are told so at once
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add other --subnet 10.78.0.0/24
lanyard net add quiet --mode internal --subnet 10.79.0.0/24
box a1
dhcp a1 >/dev/null
box other/b1
b1=$(dhcp b1)
has "address" "$b1" '^10\.78\.0\.'
echo secret >"$DIR/www/index.html"
http_serve in_box b1 80 "$DIR/www"

call() { in_box a1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
start=$SECONDS
for address in "$b1" 10.78.0.1 10.78.0.200 10.79.0.1 10.79.0.7; do
	is "$address" "$(call "$address" 80 echo | sed -E 's/refused|prohibited|(host|net) unreachable|reset/closed/')" closed
done
[ $((SECONDS - start)) -lt 5 ] || fail "refusing took $((SECONDS - start)) s"
verdicts=$(json '[.ports[] | select(.name == "a1") | .verdicts["other-network"] // 0] | add' ps lab)
[ "$verdicts" -ge 5 ] || fail "verdict other-network was counted $verdicts times"
if in_box a1 ping -c 1 -W 1 "$b1" >/dev/null; then fail "a1 pings b1"; fi

say "an internal network: its guests see one another, and nothing else"
box quiet/q1
box quiet/q2
dhcp q1 >/dev/null
q2=$(dhcp q2)
is "a router option" "$(sed -n "s/^router='\(.*\)'/\1/p" "$DIR/q1.lease")" ""
in_box q1 ping -c 1 -W 2 "$q2" >/dev/null
in_box q1 ip route add default via 10.79.0.1 2>/dev/null || true
is "the outside" "$(in_box q1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $OUTSIDE 80 echo | sed -E 's/.*unreachable|refused|timeout|prohibited/closed/')" closed
status 1 lanyard forward add quiet 8080:q1:80
