#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/41-media.sh - guests on different media: large segments, checksums and fragments arrive whole, both ways
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
media=packet
if as_lanyard test -r /dev/net/tun -a -w /dev/net/tun; then media="tap packet"; fi
for medium in $media; do
	LANYARD_MEDIUM=$medium box "$medium"1
	LANYARD_MEDIUM=$medium box "$medium"2
	dhcp "$medium"1 >/dev/null
	dhcp "$medium"2 >/dev/null
	is "medium" "$(json ".ports[] | select(.name == \"${medium}1\") | .medium" ps lab)" "$medium"
done

head -c 20000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
for from in $media; do
	http_serve in_box "$from"1 80 "$DIR/www"
	for to in $media; do
		is "TCP from $from to $to" "$(in_box "$to"2 curl -sS -m 20 "http://$from""1/file" | sum)" "$want"
		in_box "$to"2 ping -s 30000 -c 2 -i 0.2 -W 2 "$from"1 | grep -q ' 0% packet loss'
	done
done

say "without offloads in a guest"
if in_box packet2 ethtool -K eth0 tx off tso off gso off >/dev/null 2>&1; then
	is "TCP" "$(in_box packet2 curl -sS -m 20 http://packet1/file | sum)" "$want"
fi
