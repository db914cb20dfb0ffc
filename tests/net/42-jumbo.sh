#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/42-jumbo.sh - frames of 9000 bytes, which may not be cut, to each kind of port; one byte more is too much
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --mtu 9000
media=packet
if as_lanyard test -r /dev/net/tun -a -w /dev/net/tun; then media="tap packet"; fi
for medium in $media; do
	LANYARD_MEDIUM=$medium box "$medium"1
	dhcp "$medium"1 >/dev/null
	is "the MTU that $medium has" "$(in_box "$medium"1 cat /sys/class/net/eth0/mtu)" 9000
done
station() {	# NAME ADDRESS WAY PLACE
	as_lanyard /usr/bin/python3 "$ROOT/tests/net/station.py" "$3" "$4" "$2" ping 10.77.0.1 serve 60 >"$DIR/$1.log" 2>&1 &
	until_ok 5 grep -q pong "$DIR/$1.log"
}
lanyard port add lab/stream1 --stream "$DIR/r/stream.sock"
lanyard port add lab/dgram1 --dgram "$DIR/r/ours.sock,$DIR/r/theirs.sock"
lanyard port add lab/udp1 --udp 127.0.0.1:7101,127.0.0.1:7102
station stream1 10.77.0.201 connect "$DIR/r/stream.sock"
station dgram1 10.77.0.202 dgram "$DIR/r/theirs.sock,$DIR/r/ours.sock"
station udp1 10.77.0.203 dgram 127.0.0.1:7102,127.0.0.1:7101

lanyard port add lab/vhost1 --vhost-user "$DIR/r/vhost.sock"
printf '%s\n' link negotiate start "ping 10.77.0.1" "serve 60" | as_lanyard /usr/bin/python3 "$ROOT/tests/net/frontend.py" connect "$DIR/r/vhost.sock" 10.77.0.204 >"$DIR/vhost1.log" 2>&1 &
until_ok 5 grep -q pong "$DIR/vhost1.log"
others="10.77.0.201 10.77.0.202 10.77.0.203 10.77.0.204"
if [ "$AS" = root ]; then	# the interface side of somebody's TAP is root's
	ip tuntap add vt0 mode tap
	ip link set vt0 mtu 9000 up
	lanyard port add lab/vmm1 --vmm-tap vt0
	station vmm1 10.77.0.205 tap vt0
	others="$others 10.77.0.205"
fi

say "9000 bytes of IP, as they are"
whole() { in_box "$1" ping -M do -s "$2" -c 1 -W "${4:-2}" "$3" >/dev/null 2>&1; }
for from in $media; do
	for to in 10.77.0.1 $others $(for m in $media; do [ "$m" = "$from" ] || address "$m"1; done); do
		whole "$from"1 8972 "$to" || fail "$from: no 9000 bytes to $to"
	done
	! whole "$from"1 8973 10.77.0.1 0.2 || fail "$from: 9001 bytes"
done

say "TCP in large segments, and what a guest's own larger MTU sends"
head -c 5000000 /dev/urandom >"$DIR/www/file"
http_serve in_box packet1 80 "$DIR/www"
for to in $media; do
	is "TCP to $to" "$(in_box "$to"1 curl -sS -m 20 "http://$(address packet1)/file" | sum)" "$(sum <"$DIR/www/file")"
done
in_box packet1 ip link set eth0 mtu 9100
! in_box packet1 ping -M do -s 9000 -c 1 -W 1 10.77.0.201 >/dev/null 2>&1 || fail "9028 bytes arrived"

if [ "$AS" = root ]; then
	say "to the host as a member"
	lanyard net add near --mode host-only --subnet 10.78.0.0/24 --mtu 9000
	box near/n1
	dhcp n1 >/dev/null
	is "the host's MTU" "$(ip -o link show ly-near | grep -o "mtu [0-9]*")" "mtu 9000"
	whole n1 8972 10.78.0.1 || fail "no 9000 bytes to the host"
	ping -M do -s 8972 -c 1 -W 2 "$(address n1)" >/dev/null || fail "nor from it"
fi
