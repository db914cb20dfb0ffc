#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/72-stream.sh - stream ports, both roles, unix and TCP: framing, redialling, garbage, frames byte by byte
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
web1=$(dhcp web1)
station() { as_lanyard timeout 40 /usr/bin/python3 "$ROOT/tests/net/station.py" "$@" </dev/null; }
state() { json ".ports[] | select(.name == \"$1\") | .state" ps lab; }
in_state() { [ "$(state "$1")" = "$2" ]; }

say "server: one peer at a time, and again after it has gone"
lanyard port add lab/s1 --stream "$DIR/r/s1.sock"
is "state" "$(state s1)" pending
station connect "$DIR/r/s1.sock" 10.77.0.201 ping 10.77.0.1 ping "$web1" again ping "$web1" dribble ping "$web1" dhcp ping 10.77.0.1 >"$DIR/out" ||
	fail "$(<"$DIR/out")"
xargs -d '\n' printf '   %s\n' <"$DIR/out"
until_ok 5 in_state s1 pending
is "lease" "$(json '.leases[] | select(.port == "s1") | .ip' lease ls lab)" "$(grep -E '^10\.77' "$DIR/out")"

say "garbage is dropped and counted; an impossible length ends the connection, not the port"
station connect "$DIR/r/s1.sock" 10.77.0.201 garbage ping 10.77.0.1 oversize again ping "$web1" >"$DIR/out" || fail "$(<"$DIR/out")"
is "after it all" "$(tail -n 1 "$DIR/out")" "pong $web1"
has "counted" "$(json '.ports[] | select(.name == "s1") | .verdicts | keys | join(" ")' ps lab)" 'runt|short|bad|invalid|malformed|header'

say "client: dials, and dials again"
station listen "$DIR/r/s2.sock" 10.77.0.202 ping 10.77.0.1 again ping "$web1" serve 3 >"$DIR/s2" 2>&1 &
peer=$!
lanyard port add lab/s2 --stream "$DIR/r/s2.sock" --role client
until_ok 8 grep -q "pong $web1" "$DIR/s2"
in_box web1 ping -c 1 -W 2 10.77.0.202 >/dev/null
wait $peer
until_ok 5 in_state s2 pending
station listen "$DIR/r/s2b.sock" 10.77.0.202 ping "$web1" >"$DIR/s2b" 2>&1 &
lanyard port add lab/s2b --stream "$DIR/r/s2b.sock" --role client
until_ok 8 grep -q pong "$DIR/s2b"

say "TCP"
lanyard port add lab/s3 --stream 127.0.0.1:9100
station connect 127.0.0.1:9100 10.77.0.203 ping "$web1"
lanyard port add lab/s4 --stream 127.0.0.1:9101 --role client
station listen 127.0.0.1:9101 10.77.0.204 ping "$web1"

say "rm ends the connection and the socket"
station connect "$DIR/r/s1.sock" 10.77.0.201 serve 10 >"$DIR/out" &
peer=$!
until_ok 5 in_state s1 up
lanyard port rm lab/s1
wait $peer
is "connection" "$(<"$DIR/out")" ended
[ ! -e "$DIR/r/s1.sock" ] || fail "the socket's path is still there"
