#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/33-forward-many.sh - as many ports as the limit of descriptors leaves, how soon, in how much memory; one more is refused
# limit: 120
. "$ROOT/tests/net/lib.sh"
ulimit -n "$(ulimit -Hn)"
LIMIT_FILES=$(ulimit -n)
MOST=$((LIMIT_FILES - 500))
[ $MOST -le 40000 ] || MOST=40000
[ $MOST -ge 2000 ] || absent "the limit of open files is $LIMIT_FILES"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
ports() { /usr/bin/python3 "$ROOT/tests/net/ports.py" "$@"; }
field() { json ".forwards[] | select(.id == \"$1\") | .$2" forward ls lab; }
memory() { awk '/^VmRSS/ { n += $2 } END { print n }' "/proc/$(keeper_pid)/status" "/proc/$(engine_pid)/status"; }
in_box web1 /usr/bin/python3 "$ROOT/tests/net/ports.py" serve web1 tcp 50000 2 >"$DIR/serve.log" 2>&1 &
until_ok 10 grep -q listening "$DIR/serve.log"

HALF=$((MOST / 2)) FIRST=2000
before=$(memory)
began=${EPOCHREALTIME/./}
lanyard forward add lab "127.0.0.1:$FIRST-$((FIRST + HALF - 1)):web1" >/dev/null
lanyard forward add lab "127.0.0.1:$FIRST-$((FIRST + HALF - 1)):web1/udp" >/dev/null
us=$((${EPOCHREALTIME/./} - began))
is "state" "$(field "$FIRST-$((FIRST + HALF - 1))/tcp" state)" up
is "state" "$(field "$FIRST-$((FIRST + HALF - 1))/udp" state)" up
kb=$(($(memory) - before))
say "$((2 * HALF)) ports: $((us / 1000)) ms, $((2 * HALF * 1000000 / us)) a second; $((kb * 1024 / (2 * HALF))) bytes each of both processes"
[ $((kb * 1024 / (2 * HALF))) -le 1500 ] || fail "more than 1.5 KB each"

say "one more is refused with the number needed, and binds nothing"
status 1 lanyard forward add lab "127.0.0.1:1024-1999:web1"
has "the number" "$ERR" "forwards of $((2 * HALF + 976)) sockets: the limit of $LIMIT_FILES open files leaves"
has "hint" "$ERR" "LimitNOFILE=[0-9]+"
ss -Hltn 'sport = :1500' | grep -q . && fail "it was bound"

say "other ports are as quick as before; the daemon restarts with all of it"
lanyard forward rm lab "$FIRST-$((FIRST + HALF - 1))/udp" >/dev/null
lanyard forward add lab 127.0.0.1:1999:web1:50000 >/dev/null
has "a forward beside them" "$(ports call 127.0.0.1 1999 tcp)" '^web1 50000 '
kill -KILL "$(engine_pid)"
serves() { [[ $(ports call 127.0.0.1 1999 tcp) == web1* ]]; }
until_ok 10 serves
began=${EPOCHREALTIME/./}
lanyard forward rm lab "$FIRST-$((FIRST + HALF - 1))/tcp" >/dev/null
say "removed in $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
is "sockets left" "$(ss -Hltn 'sport >= :2000' | wc -l)" 0
