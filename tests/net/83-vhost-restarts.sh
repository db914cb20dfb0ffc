#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/83-vhost-restarts.sh - guests and the switch stop and start, ten times each, while frames go both ways: each frame
# is accounted for, and traffic is back within two seconds (AC-06)
# limit: 120
# as: user
#
# Port a is lanyard's server, port b its client. The load keeps half a ring under way at most, so that nothing need be lost.
. "$ROOT/tests/net/lib.sh"
gen=$B/tests/bench/vhostgen
daemon_start
lanyard net add lab --mode internal
lanyard port add lab/a --vhost-user "$DIR/r/a"
lanyard port add lab/b --vhost-user "$DIR/r/b" --role client
counted() { json "[.ports[].stats.$1] | add" ps lab; }
field() { jq ".$1" "$DIR/answer"; }

# load SECONDS ARGUMENT... - in the background; its answer is in $DIR/answer
load() {
	local seconds=$1 before; shift
	before=$(counted tx_frames)
	"${RUN_AS[@]}" "$gen" --cpu $(($(nproc) - 1)) --verify --ordinary-pages --both --pace 8 --gap 20000 --again --seconds "$seconds" "$@" \
		"$DIR/r/a" "listen:$DIR/r/b" >"$DIR/answer" 2>"$DIR/load.err" &
	LOAD=$!
	until_ok 15 flows "$before"
}
flows() { [ "$(counted tx_frames)" -gt $(($1 + 1000)) ]; }
load_end() {
	wait $LOAD || fail "$(<"$DIR/load.err")"
	jq -c . "$DIR/answer"
	is "frames that are wrong" $(($(field bad) - $(field twice))) 0
	[ "$(field silence_ms)" -le 2000 ] || fail "no frame for $(field silence_ms) ms"
}
tells() { [ "$(keeper_pid 2>/dev/null)" = "$1" ]; }
another() { answers && [ "$(engine_pid)" != "$1" ]; }

for kind in "--event-idx" "--packed" "--packed --in-order" "--indirect --macs 50"; do
	say "guests leave and come back ten times, half of them without a word ($kind)"
	rx=$(counted rx_frames) tx=$(counted tx_frames)
	# shellcheck disable=SC2086
	load 1 $kind --leave 10
	load_end
	is "guests that came back" "$(field returned)" 10
	is "frames that came twice" "$(field twice)" 0
	is "received of guests" "$(($(counted rx_frames) - rx))" "$(field sent)"
	is "sent to guests" "$(($(counted tx_frames) - tx))" "$(field received)"
done

for kind in "--event-idx" "--packed"; do
	say "the switch stops and starts again ten times ($kind)"
	# shellcheck disable=SC2086
	load 20 $kind
	for _ in {1..10}; do
		daemon_stop
		daemon_start
		until_ok 3 flows 0	# counted anew
	done
	kill -INT $LOAD
	load_end
	is "guests that came back" "$(field returned)" 20
	is "frames that came twice" "$(field twice)" 0
	# What the guest that came back first had in its ring, half a ring, and what it sends until the other one is back too, finds nobody:
	# 20 ms of its sending each time at most.
	most=$(jq '10 * (.ring / 2 + .sent_per_s / 50) | floor' "$DIR/answer")
	echo "   frames lost: $(field lost), of $most that may be"
	[ "$(field lost)" -le "$most" ] || fail "$(field lost) frames were lost"
done

for kind in "--event-idx" "--packed"; do
	say "the engine is killed five times ($kind)"
	daemon_stop	# one that died often would start its next engine later
	daemon_start
	# shellcheck disable=SC2086
	load 20 $kind
	for _ in {1..5}; do
		engine=$(engine_pid)
		kill -9 "$engine"
		until_ok 3 another "$engine"
		until_ok 3 flows "$(counted tx_frames)"
	done
	kill -INT $LOAD
	load_end
	is "guests that came back" "$(field returned)" 0
	[ "$(field silence_ms)" -le 1000 ] || fail "no frame for $(field silence_ms) ms"
	echo "   frames lost: $(field lost), twice: $(field twice)"
	# What was given to one guest when the engine died, and not taken from the other yet, is taken again: a burst each time.
	[ "$(field twice)" -le 640 ] || fail "$(field twice) frames came twice"
	is "frames lost but for these" $(($(field lost) + $(field twice))) 0
done
