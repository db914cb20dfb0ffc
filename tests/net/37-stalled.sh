#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/37-stalled.sh - readers that stall, outside and in a guest, stall only themselves: not their guest's other connections,
# nor another guest's
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
for name in busy other; do
	box $name
	dhcp $name >/dev/null
done
# Servers that never read, whose clients write all they can; and clients that never read of servers which write all they can.
STALL='
import socket, sys, time
way, port = sys.argv[1], int(sys.argv[3])
data, streams = b"x" * 1000000, []
if way == "listen":
    l = socket.create_server(("", port), backlog=64)
    print("listening", flush=True)
    while sys.argv[2] == "write":
        s = l.accept()[0]
        streams.append(s)
        s.setblocking(False)
        try:
            while s.send(data): pass
        except BlockingIOError: pass
    time.sleep(1000)
for _ in range(16):
    s = socket.create_connection((sys.argv[4], port))
    streams.append(s)
    s.settimeout(0.3)
    try:
        while sys.argv[2] == "write" and s.send(data): pass
    except TimeoutError: pass
print("stalled", flush=True)
time.sleep(1000)
'
background() { local log=$1 word=$2; shift 2; "$@" >"$DIR/$log" 2>&1 & until_ok 15 grep -q "$word" "$DIR/$log"; }
background up.log listening outside /usr/bin/python3 -c "$STALL" listen hold 7001
background down.log listening outside /usr/bin/python3 -c "$STALL" listen write 7002
outside iperf3 -s -p 7003 >/dev/null 2>&1 &
outside iperf3 -s -p 7004 >/dev/null 2>&1 &
ready() { outside ss -Hltn | grep -q ':7003 ' && outside ss -Hltn | grep -q ':7004 '; }
until_ok 5 ready
rate() { in_box "$1" iperf3 -c $OUTSIDE -p "$2" -t 2 -b 300M "${@:3}" -J >"$DIR/rate.json"; jq ".end.sum_received.bits_per_second / 1e6 | floor" "$DIR/rate.json"; }

up=$(rate busy 7003) down=$(rate other 7004 -R)
say "alone: $up Mbit/s up, $down down"
background writers.log stalled in_box busy /usr/bin/python3 -c "$STALL" connect write 7001 $OUTSIDE
background readers.log stalled in_box busy /usr/bin/python3 -c "$STALL" connect read 7002 $OUTSIDE
for who in "busy 7003" "other 7004" "busy 7003 -R" "other 7004 -R"; do
	# shellcheck disable=SC2086
	got=$(rate $who)
	say "beside 32 that stall, $who: $got Mbit/s"
	[ $((got * 10)) -ge $((up * 9)) ] || fail "less than nine tenths of $up: $(jq -c "[.error, .end.sum_sent, .intervals[].sum.bytes]" "$DIR/rate.json")"
done
