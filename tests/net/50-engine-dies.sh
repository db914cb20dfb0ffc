#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/50-engine-dies.sh - kill -9 of the engine: back within a second, ports and leases without the guests' doing
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard forward add lab 8080:web1:80
box web1
box web2
web1=$(dhcp web1)
web2=$(dhcp web2)
echo guest >"$DIR/www/index.html"
http_serve in_box web1 80 "$DIR/www"
mkdir "$DIR/www2"
echo outside >"$DIR/www2/index.html"
http_serve outside $OUTSIDE:80 "$DIR/www2"
lanyard port add lab/vm1 --stream "$DIR/r/vm1.sock"
/usr/bin/python3 "$ROOT/tests/net/station.py" connect "$DIR/r/vm1.sock" 10.77.0.200 ping 10.77.0.1 serve 60 again ping 10.77.0.1 serve 60 again ping 10.77.0.1 serve 60 >"$DIR/station" 2>&1 &
until_ok 5 grep -q pong "$DIR/station"

works() {
	in_box web2 ping -c 1 -W 1 "$web1" && in_box web2 curl -sS -m 1 http://web1/ &&
		in_box web2 curl -sS -m 1 http://$OUTSIDE/ && curl -sS -m 1 http://127.0.0.1:8080/
}
works >/dev/null
leases=$(json '[.leases[] | {ip, port, mac}]' lease ls lab)
keeper=$(keeper_pid)

# Again and again: restarts are not rationed.
for round in 1 2; do
	engine=$(engine_pid)
	start=${EPOCHREALTIME/./}
	kill -9 "$engine"
	other() { answers && [ "$(engine_pid)" != "$engine" ]; }
	until_ok 3 other
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	echo "   answers again after $took ms"
	[ $took -lt 1000 ] || fail "the engine was back only after $took ms"
	until_ok 3 works
	echo "   everything works after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
	is "keeper" "$(keeper_pid)" "$keeper"
	is "restarts counted" "$(json .engine_restarts daemon show)" $round
	is "leases" "$(json '[.leases[] | {ip, port, mac}]' lease ls lab)" "$leases"
	has "ports" "$(json '.ports[] | "\(.name) \(.state)"' ps lab | sort | xargs)" 'vm1 (up|pending) web1 up web2 up'
	until_ok 5 sh -c "[ \$(grep -c pong '$DIR/station') -gt $round ]"
	past=$(lanyard capture lab --past --text)
	[ $round != 1 ] || has "what the engine that died had kept" "$past" 'web1 +in .*:68 > .*:67 udp dhcp'
	has "what it kept last" "$past" 'web2 +in .* > 198.51.100.2:80 tcp syn .*consumed-nat; nat: tcp'
done

say "a client renews as if nothing had been"
rm -f "$DIR/web1.lease"
kill -USR1 "$(<"$DIR/web1.udhcpc")"
until_ok 5 grep -q "event=renew" "$DIR/web1.lease"
