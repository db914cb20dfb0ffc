#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/27-nat-class.sh - an independent tool's opinion of the NAT, the same each time (NAT-01, NAT-09, NAT-10, NAT-12)
# RUNS=1000 for the long run
# limit: 1800
# as: once
. "$ROOT/tests/net/lib.sh"
command -v turnutils_natdiscovery >/dev/null && command -v turnserver >/dev/null || absent "coturn is not installed"
RUNS=${RUNS:-20} AT_ONCE=20
outside_make
SECOND=198.51.100.3
ip -n outside addr add $SECOND/24 dev eth0
: >"$DIR/turn.conf"
(cd "$DIR" && outside turnserver --no-auth --no-cli --no-tls --no-dtls --stun-only -L $OUTSIDE -L $SECOND --simple-log \
	--log-file "$DIR/turn.log" --pidfile "$DIR/turn.pid" --userdb "$DIR/turndb" -c "$DIR/turn.conf" >"$DIR/turn.out" 2>&1) &
listening() { outside ss -Hlun | grep -q ":3479" && outside ss -Hlun | grep -q "$SECOND:3478"; }
until_ok 5 listening
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add open --subnet 10.78.0.0/24 --filtering any
box web1
box open/game1
dhcp web1 >/dev/null
dhcp game1 >/dev/null

classes() { grep -hE "^NAT with|^No NAT" "$@" | sort | uniq -c | awk '{ $1 = $1; print }'; }
# discover BOX WHAT N FIRST - the tool's verdicts of N runs, as many at once as do not disturb each other; each from a port of its own,
# counted from FIRST: a mapping outlives its run, and the server remembers those who asked it
discover() {
	local run pids=() from
	from=$(address "$1")
	rm -f "$DIR"/nat.*
	for ((run = 1; run <= $3; run++)); do
		# shellcheck disable=SC2086
		in_box "$1" turnutils_natdiscovery $2 -L "$from" -l $(($4 + run)) $OUTSIDE >"$DIR/nat.$run" 2>&1 &
		pids+=($!)
		if [ $((run % AT_ONCE)) = 0 ]; then
			wait "${pids[@]}" || true
			pids=()
		fi
	done
	wait "${pids[@]}" || true
	classes "$DIR"/nat.*
}
say "NAT-10, NAT-25: hairpin"
in_box game1 turnutils_natdiscovery -H $OUTSIDE >"$DIR/nat.1" 2>&1 || true
has "by mapping, from the same guest" "$(<"$DIR/nat.1")" 'Received a request'
lanyard net set open --host-access none
box open/game2
dhcp game2 >/dev/null
# one guest waits behind its mapping, the other sends there from port 41234: seen under the host's address and that port
in_box game1 /usr/bin/python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 41111)); s.settimeout(5)
s.sendto(b'open', ('$OUTSIDE', 9))
print('ready', flush=True)
while True:
    try: data, who = s.recvfrom(100)
    except ConnectionRefusedError: continue
    print(data.decode(), *who, flush=True); break
" >"$DIR/hairpin" 2>&1 &
until_ok 5 grep -q ready "$DIR/hairpin"
in_box game2 /usr/bin/python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 41234)); s.sendto(b'hello', ('$HOST', 41111))"
until_ok 5 grep -q hello "$DIR/hairpin"
is "by mapping, to a guest that has no access to the host" "$(tail -n 1 "$DIR/hairpin")" "hello $HOST 41234"
refused() { ! in_box game2 timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$@" 2>/dev/null; }
busybox httpd -f -p $HOST:8081 -h "$DIR/www" &
until_ok 5 listens $HOST:8081
refused $HOST 8081 || fail "a guest without access to the host reached it"
echo hairpin >"$DIR/www/name"
http_serve in_box game1 80 "$DIR/www"
lanyard forward add open 0.0.0.0:8080:game1:80
is "by forward" "$(in_box game2 curl -sS -m 5 http://$HOST:8080/name)" hairpin

say "NAT-09, NAT-12: filtering, $RUNS times"
is "by address" "$(discover web1 -f "$RUNS" 20000)" "$RUNS NAT with Address Dependent Filtering!"
say "NAT-01, NAT-12: mapping, $RUNS times"
is "one class" "$(discover web1 -m "$RUNS" 30000)" "$RUNS NAT with Endpoint Independent Mapping!"
is "by setting: anybody's" "$(discover game1 -f 2 20000)" "2 NAT with Endpoint Independent Filtering!"
