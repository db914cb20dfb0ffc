#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/36-churn.sh - 100,000 short connections, out and in by a forward: all are answered, and no descriptor is left
#	COUNT=1000000 ONLY=36 ...	for a soak test by hand
# limit: 600
. "$ROOT/tests/net/lib.sh"
COUNT=${COUNT:-100000}
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
in_box web1 /usr/bin/python3 "$ROOT/tests/net/ports.py" serve web1 tcp 80 4 >"$DIR/serve.log" 2>&1 &
outside /usr/bin/python3 "$ROOT/tests/net/ports.py" serve outside tcp 7000 4 >"$DIR/outside.log" 2>&1 &
until_ok 5 grep -q listening "$DIR/serve.log"
until_ok 5 grep -q listening "$DIR/outside.log"
lanyard forward add lab "8080-8083:web1:80"

descriptors() { find "/proc/$(engine_pid)/fd" -mindepth 1 | wc -l; }
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(engine_pid)/status"; }
churn() { local at=("$@"); /usr/bin/python3 "$ROOT/tests/net/ports.py" churn "${at[@]}"; }

before=$(descriptors) kb=$(memory)
began=${EPOCHREALTIME/./}
for i in 0 1; do
	in_box web1 /usr/bin/python3 "$ROOT/tests/net/ports.py" churn $OUTSIDE 700$i $((COUNT / 4)) >"$DIR/out$i" &
	eval "OUT$i=\$!"
	churn 127.0.0.1 808$i $((COUNT / 4)) >"$DIR/in$i" &
	eval "IN$i=\$!"
done
# shellcheck disable=SC2154
wait "$OUT0" "$OUT1" "$IN0" "$IN1"
us=$((${EPOCHREALTIME/./} - began))
say "$COUNT connections in $((us / 1000)) ms; memory $kb KB before, $(memory) KB after"
for way in out0 out1 in0 in1; do
	is "$way answered" "$(<"$DIR/$way")" $((COUNT / 4))
done
back() { descriptors; [ "$(descriptors)" -le "$before" ]; }
until_ok 20 back
is "descriptors" "$(descriptors)" "$before"
