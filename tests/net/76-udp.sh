#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/76-udp.sh - UDP ports: VirtualBox's and GNS3's way in; peers, strangers, garbage, bulk, both families
# limit: 90
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
web1=$(dhcp web1)
station() { as_lanyard timeout 40 /usr/bin/python3 "$ROOT/tests/net/station.py" dgram "$@" </dev/null; }
port() { json ".ports[] | select(.name == \"$1\") | $2" ps lab; }
verdict() { port "$1" ".verdicts.\"$2\" // 0"; }

say "no peer yet: frames for it are lost, the port is up"
lanyard port add lab/u1 --udp 127.0.0.1:5001,127.0.0.1:6001
is "state" "$(port u1 .state)" up
in_box web1 ping -c 3 -i 0.2 -W 1 10.77.0.201 >/dev/null || true
[ "$(port u1 .stats.queued)" -gt 0 ] || fail "nothing was sent"
is "queued = sent + drops" "$(port u1 '.stats | .queued - .tx_frames - .tx_drops')" 0
is "state" "$(port u1 .state)" up

say "a peer comes, goes and comes again"
station 127.0.0.1:6001,127.0.0.1:5001 10.77.0.201 ping 10.77.0.1 ping "$web1" again ping "$web1" dhcp >"$DIR/out" || fail "$(<"$DIR/out")"
xargs -d '\n' printf '   %s\n' <"$DIR/out"
is "lease" "$(json '.leases[] | select(.port == "u1") | .ip' lease ls lab)" "$(grep -E '^10\.77' "$DIR/out")"

say "strangers are not heard"
before=$(port u1 .stats.rx_frames)
station 127.0.0.1:6002,127.0.0.1:5001 10.77.0.209 ping 10.77.0.1 >"$DIR/out" 2>&1 && fail "a stranger was answered"
station 127.0.0.2:6001,127.0.0.1:5001 10.77.0.209 ping 10.77.0.1 >"$DIR/out" 2>&1 && fail "a stranger was answered"
is "frames received" "$(port u1 .stats.rx_frames)" "$before"

say "garbage and long datagrams are dropped and counted"
station 127.0.0.1:6001,127.0.0.1:5001 10.77.0.201 garbage ping 10.77.0.1 oversize ping "$web1" >"$DIR/out" || fail "$(<"$DIR/out")"
has "runts" "$(verdict u1 runt)" '^1[0-9]$'
is "oversize" "$(verdict u1 oversize)" 4

say "IPv6"
lanyard port add lab/u6 --udp '[::1]:5002,[::1]:6002'
lanyard port rm lab/u6
is "export" "$(lanyard port add lab/u6 --udp '[::1]:5002,[::1]:6002' --json | jq -r '.local + " " + .remote')" '[::1]:5002 [::1]:6002'

say "kill -9 of the engine"
station 127.0.0.1:6001,127.0.0.1:5001 10.77.0.201 ping 10.77.0.1 serve 60 >"$DIR/out" 2>&1 &
peer=$!
until_ok 5 grep -q pong "$DIR/out"
engine=$(engine_pid)
kill -9 "$engine"
back() { answers && [ "$(engine_pid)" != "$engine" ]; }
until_ok 3 back
until_ok 3 in_box web1 ping -c 1 -W 1 10.77.0.201
kill $peer

say "what is taken, and what is no peer"
/usr/bin/python3 -c 'import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 5009)); time.sleep(30)' &
until_ok 5 sh -c 'ss -Hlun "sport = :5009" | grep -q .'
status 1 lanyard port add lab/u9 --udp 127.0.0.1:5009,127.0.0.1:6009
has "in use" "$ERR" 'udp 127.0.0.1:5009 is used by'
status 1 lanyard port add lab/u9 --udp 127.0.0.1:5010,192.0.2.1:6009
has "no way there" "$ERR" 'udp 192.0.2.1:6009: cannot be reached: '
status 1 lanyard port add lab/u9 --udp 127.0.0.1:5010,230.0.0.1:6009
has "a group" "$ERR" 'is not the address of one host'
lanyard port add lab/u9 --udp 127.0.0.1:5010,127.0.0.1:6009	# nothing was left behind
lanyard port rm lab/u9
ss -Hlun "sport = :5010" | grep . && fail "the socket is still there"

say "a cable between two networks: lease, 20 MB each way, long datagrams of the guests'"
lanyard net add far --mode internal
lanyard port add lab/cable --udp 127.0.0.1:5021,127.0.0.1:5022
lanyard port add far/cable --udp 127.0.0.1:5022,127.0.0.1:5021
box far/box2
dhcp box2 >/dev/null
head -c 20000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve in_box web1 80 "$DIR/www"
start=${EPOCHREALTIME/./}
is "down" "$(in_box box2 curl -sS -m 30 http://web1.lab.internal/file | sum)" "$want"
echo "   in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
http_serve in_box box2 80 "$DIR/www"
is "up" "$(in_box web1 curl -sS -m 30 "http://$(address box2)/file" | sum)" "$want"
in_box box2 ping -s 30000 -c 2 -i 0.2 -W 2 web1.lab.internal | grep -q ' 0% packet loss'
[ "$(port cable .stats.segments)" -gt 1000 ] || fail "no segments were cut"
