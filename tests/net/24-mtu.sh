#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/24-mtu.sh - a network's MTU: told by DHCP, carried whole, and what does not fit is a named drop
. "$ROOT/tests/net/lib.sh"
outside_make
head -c 5000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve outside $OUTSIDE:80 "$DIR/www"
daemon_start

for mtu in 576 1400 9000; do
	say "MTU $mtu"
	lanyard net add lab$mtu --mtu $mtu
	box lab$mtu/a$mtu
	box lab$mtu/b$mtu
	dhcp a$mtu -O mtu >/dev/null
	b=$(dhcp b$mtu -O mtu)
	is "told" "$(in_box a$mtu cat /sys/class/net/eth0/mtu)" $mtu
	in_box a$mtu ping -M "do" -s $((mtu - 28)) -c 1 -W 2 "$b" >/dev/null
	http_serve in_box b$mtu 80 "$DIR/www"
	is "between guests" "$(in_box a$mtu curl -sS -m 10 "http://$b/file" | sum)" "$want"
	is "through NAT" "$(in_box a$mtu curl -sS -m 10 http://$OUTSIDE/file | sum)" "$want"
done

say "a guest that sends more than fits"
in_box a1400 ip link set eth0 mtu 1500
if in_box a1400 ping -M "do" -s 1472 -c 1 -W 1 "$(lanyard ip lab1400/b1400)" >/dev/null; then fail "a frame beyond the MTU passed"; fi
has "counted" "$(json '.ports[] | select(.name == "a1400") | .verdicts | keys | join(" ")' ps lab1400)" 'too-big|too-long|oversize|mtu'
