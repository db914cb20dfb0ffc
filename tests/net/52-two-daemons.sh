#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/52-two-daemons.sh - one state directory, one daemon: the second refuses, and the first does not notice
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
status 1 as_lanyard timeout 5 "$B/lanyardd" --runtime-dir "$DIR/r/second" --state-dir "$DIR/s/lanyard"
has "why" "$ERR" 's/lanyard|already|lock'
status 1 as_lanyard timeout 5 "$B/lanyardd" --runtime-dir "$DIR/r/lanyard" --state-dir "$DIR/s/second"
is "networks" "$(json '.networks[].name' net ls)" lab

say "another state directory and another runtime directory are another daemon"
as_lanyard "$B/lanyardd" --runtime-dir "$DIR/r/second" --state-dir "$DIR/s/second" >>"$DIR/second.log" 2>&1 &
second=$!
until_ok 5 lanyard --socket "$DIR/r/second/lanyard.sock" net ls
is "its networks" "$(lanyard --socket "$DIR/r/second/lanyard.sock" net ls --json | jq '.networks | length')" 0
kill -TERM "$(lanyard --socket "$DIR/r/second/lanyard.sock" daemon show --json | jq .pid)"
wait $second || fail "SIGTERM: exit status $?"

say "a stop and a start"
daemon_stop
status 6 lanyard net ls
has "hint" "$ERR" 'hint: '
daemon_start
is "networks" "$(json '.networks[].name' net ls)" lab
