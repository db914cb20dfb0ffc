#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/32-forward-range.sh - ranges of ports, retargeted under traffic; the client's address; a port taken inside a range
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

ports() { /usr/bin/python3 "$ROOT/tests/net/ports.py" "$@"; }
field() { json ".forwards[] | select(.id == \"$1\") | .$2" forward ls lab; }
serve() {	# BOX KIND FIRST COUNT
	in_box "$1" /usr/bin/python3 "$ROOT/tests/net/ports.py" serve "$@" >"$DIR/$1-$2.log" 2>&1 &
	until_ok 10 grep -q listening "$DIR/$1-$2.log"
}
for name in web1 web2; do
	box $name
	dhcp $name >/dev/null
	serve $name tcp 9000 100
	serve $name udp 9000 100
done

say "each port of a range leads to its own"
lanyard forward add lab 8000-8099:web1:9000-9099
lanyard forward add lab 8000-8099:web1:9000/udp --name media
is "id" "$(field 8000-8099/tcp count)" 100
has "tcp" "$(ports all 127.0.0.1 8000 100 tcp)" '^100 web1 9099 10\.77\.0\.1 '
has "udp" "$(ports all 127.0.0.1 8000 100 udp)" '^100 web1 9099 10\.77\.0\.1 '
has "IPv6" "$(ports call ::1 8042 tcp)" '^web1 9042 '
has "IPv6, udp" "$(ports call ::1 8042 udp)" '^web1 9042 '
is "hits" "$(field 8000-8099/tcp hits)" 101
is "the same again" "$(lanyard forward add lab 8000-8099:web1:9000-9099 2>&1 | grep -c 8000-8099)" 1
status 3 lanyard forward add lab 8000-8099:web2:9000-9099
status 1 lanyard forward add lab 8050:web2:80
has "which it says" "$ERR" 'tcp 8050 at .* is used by forward 8000-8099/tcp'
has "exported as it was said" "$(lanyard export)" "8000-8099/tcp: \{listen: 8000-8099, to: 'web1:9000-9099'"

say "not from elsewhere, unless asked for; then the guest sees who calls"
is "loopback" "$(outside /usr/bin/python3 "$ROOT/tests/net/ports.py" call $HOST 8000 tcp)" refused
lanyard forward add lab 7000-7009:web1:9000 --lan 2>/dev/null
lanyard forward add lab 7000-7009:web1:9000/udp --lan 2>/dev/null
for kind in tcp udp; do
	got=$(outside /usr/bin/python3 "$ROOT/tests/net/ports.py" call $HOST 7007 $kind)
	has "$kind: the client's address" "$got" "^web1 9007 $OUTSIDE "
	read -r _ _ _ seen own <<<"$got"
	is "$kind: the client's port" "$seen" "$own"
	has "$kind: this host is the gateway" "$(ports call $HOST 7007 $kind)" '^web1 9007 10\.77\.0\.1 '
done
for at in "outside0 2001:db8:1::1/64" "outside 2001:db8:1::2/64"; do
	read -r where address <<<"$at"
	if [ "$where" = outside ]; then ip -n outside addr add "$address" dev eth0 nodad; else ip addr add "$address" dev "$where" nodad; fi
done
gateway=$(json .gateway6 net show lab)
six() {	# it asks for the gateway by its global address, which then is known
	local own
	own=$(in_box web1 ip -6 -o addr show dev eth0 scope global -tentative | awk '{ sub("/.*", "", $4); print $4 }')
	in_box web1 ip -6 neigh flush dev eth0
	in_box web1 ping -6 -q -c 1 -W 1 -I "${own:?none yet}" "$gateway" >/dev/null && lanyard ip lab/web1 -6
}
until_ok 20 six
for kind in tcp udp; do
	has "$kind: the client's IPv6 address" \
		"$(outside /usr/bin/python3 "$ROOT/tests/net/ports.py" call 2001:db8:1::1 7007 $kind)" '^web1 9007 2001:db8:1::2 '
done
lanyard forward add lab 7100:web1:9000 --lan --source gateway 2>/dev/null
has "as the gateway, where that is wanted" "$(outside /usr/bin/python3 "$ROOT/tests/net/ports.py" call $HOST 7100 tcp)" '^web1 9000 10\.77\.0\.1 '

say "retargeted under 100 datagrams a second: the next one goes there"
ports beat 127.0.0.1 8005 2 >"$DIR/beat" &
BEAT=$!
read -r -t 0.7 -u "$NOTHING" || true
lanyard forward add lab 8000-8099:web2:9000/udp --name media --replace
lanyard forward add lab 8000-8099:web2:9000 --replace
has "tcp" "$(ports call 127.0.0.1 8033 tcp)" '^web2 9033 '
wait $BEAT
has "udp: none lost" "$(<"$DIR/beat")" '^web1:[0-9]+ web2:[0-9]+ 0 0$'

say "removed, the ports are free at once"
lanyard forward rm lab media
is "after rm" "$(ports call 127.0.0.1 8005 udp)" refused
lanyard forward rm lab 8000-8099
is "after rm" "$(ports call 127.0.0.1 8005 tcp)" refused
ss -Hltun | grep -q ':80[0-9][0-9] ' && fail "a port is still bound"

say "one that somebody else has: the others serve, it is named, and it follows"
as_lanyard /usr/bin/python3 "$ROOT/tests/net/ports.py" serve squatter tcp 8150 1 >"$DIR/squatter.log" 2>&1 &
until_ok 10 grep -q listening "$DIR/squatter.log"
lanyard forward add lab 8100-8199:web1:9000 2>/dev/null || true
is "state" "$(field 8100-8199/tcp state)" pending
has "reason" "$(field 8100-8199/tcp reason)" '^tcp .*8150 is used by .*; 198 of 200 sockets serve$'
has "others" "$(ports call 127.0.0.1 8149 tcp)" '^web1 9049 '
has "the squatter's" "$(ports call 127.0.0.1 8150 tcp)" '^squatter 8150 '
kill "$(pgrep -f 'serve squatter')"
up() { [ "$(field 8100-8199/tcp state)" = up ]; }
until_ok 10 up
has "all of them" "$(ports all 127.0.0.1 8100 100 tcp)" '^100 web1 9099 '
