#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/84-vhost-nat.sh - TCP of guests with every kind of ring through the NAT: each byte arrives as it was sent, in large frames
# both ways, and a flow comes back on the queue that it went out on
# limit: 120
# as: user
. "$ROOT/tests/net/lib.sh"
guest=$B/tests/bench/vhosttcp nb=$B/tests/bench/nb
outside_make
outside "$nb" check 7002 &
CHECK=$!
outside "$nb" source 7003 &
outside "$nb" echo 7000 &
until_ok 5 outside sh -c 'ss -Hltn | grep -q :7002 && ss -Hltn | grep -q :7003 && ss -Hltn | grep -q :7000'
PLACES+=(--workers 2)
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard port add lab/v --vhost-user "$DIR/v" --queues 4

# load up|down|connect PORT ARGUMENT... - what came of it is in $OUT; never a connection that broke, or a wrong byte
load() {
	local what=$1 port=$2; shift 2
	OUT=$("$guest" --ip 10.77.0.50 --gateway 10.77.0.1 --seconds 0.3 --warm-ms 0 --verify "$@" "$DIR/v" "$what" $OUTSIDE "$port")
	is "$what, $*: broken" "$(jq '.reset + .bad' <<<"$OUT")" 0
}
steered() { is "on another queue" "$(jq .strayed <<<"$OUT")" 0; }

say "both ways, rings of every kind"
for kind in "" "--packed"; do
	for order in "" "--in-order --event-idx" "--indirect" "--no-mergeable --buffer 69632"; do
		# shellcheck disable=SC2086
		{
			load up 7002 $kind $order
			[ "$(jq .bytes <<<"$OUT")" -gt 1000000 ] || fail "up: $OUT"
			load down 7003 $kind $order
			[ "$(jq .bytes <<<"$OUT")" -gt 1000000 ] || fail "down: $OUT"
		}
	done
done
jq -e '.bytes / .frames_received > 4 * 1460' <<<"$OUT" >/dev/null || fail "not in large frames: $OUT"

say "small buffers, and rings that are too small for what comes"
load down 7003 --buffer 256
load down 7003 --ring 64 --buffer 2048 --window 1048576
load up 7002 --ring 4

say "many flows on four queues"
load up 7002 --queues 4 --flows 32
steered
load down 7003 --queues 4 --flows 32
steered
load connect 7000 --queues 4 --flows 16
[ "$(jq .connections_per_s <<<"$OUT")" -gt 100 ] || fail "connections: $OUT"

gone $CHECK && fail "what came outside was not what was sent"
is "faults" "$(json '.ports[] | select(.name == "v") | .state' ps lab)" pending
