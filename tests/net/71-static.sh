#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/71-static.sh - a guest with an address set by hand is seen, has a name, and can be forwarded to
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box fixed
box web1
dhcp web1 >/dev/null
in_box fixed sh -c 'ip addr add 10.77.0.222/24 dev eth0; ip link set eth0 up; ip route add default via 10.77.0.1'
in_box fixed ping -c 1 -W 2 10.77.0.1 >/dev/null
is "ip" "$(lanyard ip lab/fixed --wait 5s)" 10.77.0.222
is "ps" "$(json '.ports[] | select(.name == "fixed") | .addresses[0].ip' ps lab)" 10.77.0.222
has "where from" "$(json '.ports[] | select(.name == "fixed") | .addresses[0].source' ps lab)" 'arp'
is "its name" "$(in_box web1 dig +short +time=2 @10.77.0.1 fixed.lab.internal)" 10.77.0.222
lanyard forward add lab 8080:fixed:80
echo fixed >"$DIR/www/index.html"
http_serve in_box fixed 80 "$DIR/www"
is "forward" "$(curl -sS -m 3 http://127.0.0.1:8080/)" fixed
is "fdb" "$(json '.fdb[] | select(.port == "fixed") | .mac' fdb ls lab)" "$(in_box fixed cat /sys/class/net/eth0/address)"
