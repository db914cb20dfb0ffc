#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/35-fair.sh - guests that take all they can get: half of the descriptors for one, all but the reserve for two, which hold;
# a third one sees no loss and its throughput; when they are gone, so are the descriptors
# limit: 180
. "$ROOT/tests/net/lib.sh"
ulimit -n "$(ulimit -Hn)"
LIMIT_FILES=$(ulimit -n)
[ "$LIMIT_FILES" -ge 4000 ] || absent "the limit of open files is $LIMIT_FILES"
MOST=$LIMIT_FILES HALF=$((LIMIT_FILES / 2))
[ "$LIMIT_FILES" -le 20000 ] || { ulimit -n 20000; MOST=20000 HALF=10000; }
outside_make
sysctl -qw net.ipv4.ip_local_port_range="16000 60999"	# so that descriptors are the shorter of the two
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
for name in greedy1 greedy2 meek; do
	box $name
	dhcp $name >/dev/null
done
for port in 7001 7002; do
	outside /usr/bin/python3 "$ROOT/tests/net/crowd.py" serve $port >"$DIR/$port.log" 2>&1 &
	until_ok 5 grep -q listening "$DIR/$port.log"
done
outside /usr/bin/python3 "$ROOT/tests/net/ports.py" serve outside udp 7003 1 >"$DIR/7003.log" 2>&1 &
outside iperf3 -s -p 7004 >"$DIR/iperf3.log" 2>&1 &
until_ok 5 grep -q listening "$DIR/7003.log"
until_ok 5 outside ss -Hltn 'sport = :7004'

descriptors() { find "/proc/$(engine_pid)/fd" -mindepth 1 | wc -l; }
# Mbit/s of the meek one's 600, as they arrive outside, and what it loses of 100 datagrams a second meanwhile
meek() {
	in_box meek /usr/bin/python3 "$ROOT/tests/net/ports.py" beat $OUTSIDE 7003 3 >"$DIR/beat" &
	local beat=$!
	RATE=$(in_box meek iperf3 -c $OUTSIDE -p 7004 -t 3 -b 600M -J | jq '.end.sum_received.bits_per_second / 1e6 | floor')
	wait $beat
	LOST=$(awk '{ print $NF }' "$DIR/beat")
}
crowd() {	# BOX PORT N - in the background, nice, talking through two pipes
	mkfifo "$DIR/$1.in" "$DIR/$1.out"
	in_box "$1" nice -n 19 /usr/bin/python3 "$ROOT/tests/net/crowd.py" open $OUTSIDE "$2" "$3" <"$DIR/$1.in" >"$DIR/$1.out" &
	CROWD=$!
}

before=$(descriptors)
meek
alone=$RATE
say "alone: $alone Mbit/s, $LOST lost"

crowd greedy1 7001 $((HALF + 100))
one=$CROWD
exec {IN1}>"$DIR/greedy1.in" {OUT1}<"$DIR/greedy1.out"
read -r -u "$OUT1" got
say "one that opens $((HALF + 100)) connections has $got"
{ [ "$got" -ge $((HALF - 30)) ] && [ "$got" -le $HALF ]; } || fail "not half of $MOST"
crowd greedy2 7002 $((HALF + 100))
two=$CROWD
exec {IN2}>"$DIR/greedy2.in" {OUT2}<"$DIR/greedy2.out"
read -r -u "$OUT2" more
say "and the next one $more"
{ [ $((got + more)) -ge $((MOST - 500 - 60)) ] && [ $((got + more)) -le $((MOST - 500)) ]; } || fail "together not $MOST less 500"

say "both press for more while the third one works"
echo press >&"$IN1"
echo press >&"$IN2"
meek
say "beside them: $RATE Mbit/s, $LOST lost"
[ "$LOST" = 0 ] || fail "datagrams lost"
[ $((RATE * 10)) -ge $((alone * 9)) ] || fail "less than nine tenths of $alone Mbit/s"
echo check >&"$IN1"
echo check >&"$IN2"
read -r -u "$OUT1" pressed
read -r -u "$OUT2" pressed2
is "more got by pressing" "$((pressed + pressed2))" 0
read -r -u "$OUT1" -t 60 held
read -r -u "$OUT2" -t 60 held2
is "all of them hold" "$held $held2" "$got $more"
counted() { [ "$(json '.verdicts["quota"] // 0' port show lab/greedy1)" -gt 0 ]; }
until_ok 2 counted
logged() { grep -q 'port=greedy1 event=over-quota' "$DIR/lanyardd.log"; }
until_ok 15 logged

say "gone, and their descriptors with them"
exec {IN1}>&- {IN2}>&-
wait $one $two
back() { descriptors; [ "$(descriptors)" -le $((before + 5)) ]; }
until_ok 30 back
