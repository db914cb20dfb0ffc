#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/81-hostile.sh - a guest that sends whatever it can think of: counted, survived, and no neighbour notices
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box good
box other
dhcp good >/dev/null
other=$(dhcp other)
lanyard port add lab/evil --stream "$DIR/r/evil.sock"
engine=$(engine_pid)

in_box good ping -i 0.1 -c 30 -W 1 "$other" >"$DIR/ping" 2>&1 &
ping=$!
as_lanyard timeout 40 /usr/bin/python3 "$ROOT/tests/net/hostile.py" "$DIR/r/evil.sock" 20000 || fail "the port did not survive"
wait $ping || { cat "$DIR/ping"; fail "a neighbour noticed"; }
grep -oE '[0-9.]+% packet loss' "$DIR/ping"
is "engine" "$(engine_pid)" "$engine"
is "restarts" "$(json .engine_restarts daemon show)" 0

verdicts=$(json '.ports[] | select(.name == "evil") | .verdicts | to_entries[] | "\(.key)=\(.value)"' ps lab | xargs)
echo "   $verdicts"
for name in 'runt|short|truncated' 'vlan' 'fragment' 'source|group|spoof'; do has "counted" "$verdicts" "$name"; done
is "sum of verdicts" "$(json '.ports[] | select(.name == "evil") | [.verdicts[]] | add' ps lab)" "$(json '.ports[] | select(.name == "evil") | .stats.rx_frames' ps lab)"

say "memory is bounded, and a new guest is served at once"
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$engine/status")
[ "$rss" -lt 60000 ] || fail "the engine has $rss kB"
[ "$(json '.fdb | length' fdb ls lab)" -le 20000 ] || fail "the FDB is not bounded"
box late
dhcp late >/dev/null
in_box late ping -c 1 -W 2 good >/dev/null
in_box late dig +short +time=2 @10.77.0.1 good | grep -q .
