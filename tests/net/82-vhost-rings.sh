#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/82-vhost-rings.sh - guests with every kind of ring send as fast as they can: each frame that arrives is right, once
# and in order, and all are accounted for
# limit: 150
# as: user
. "$ROOT/tests/net/lib.sh"
gen=$B/tests/bench/vhostgen
daemon_start
lanyard net add lab --mode internal
for n in a b idle0; do lanyard port add lab/$n --vhost-user "$DIR/$n"; done
# counted FIELD - of both ports
counted() { json "[.ports[] | select(.name != \"idle0\") | .stats.$1] | add" ps lab; }

# rings WHAT ARGUMENT... - almost a second of it
rings() {
	local what=$1 rx tx answer; shift
	rx=$(counted rx_frames) tx=$(counted tx_frames)
	answer=$("$gen" --cpu $(($(nproc) - 1)) --verify --ordinary-pages --seconds 0.3 --idle "$DIR/idle:1" "$@" "$DIR/a" "$DIR/b")
	is "$what: frames that are wrong" "$(jq .bad <<<"$answer")" 0
	[ "$(jq .received <<<"$answer")" -gt 1000 ] || fail "$what: $answer"
	is "$what: received of guests" "$(($(counted rx_frames) - rx))" "$(jq .sent <<<"$answer")"
	is "$what: sent to guests" "$(($(counted tx_frames) - tx))" "$(jq .received <<<"$answer")"
}

for kind in "" "--packed"; do
	for order in "" "--in-order --event-idx" "--indirect"; do
		# shellcheck disable=SC2086
		{
			rings "${kind:-split} $order, both ways" $kind $order --both
			rings "${kind:-split} $order, frames larger than a buffer" $kind $order --size 1000 --buffer 256
			rings "${kind:-split} $order, 64 KB segments" $kind $order --gso
		}
	done
	# shellcheck disable=SC2086
	{
		rings "${kind:-split}, four queues" $kind --queues 4 --macs 64 --both
		rings "${kind:-split}, 64 KB in one buffer" $kind --gso --buffer 69632 --no-mergeable
		rings "${kind:-split}, small rings" $kind --ring 16 --size 1514 --macs 300
	}
done
