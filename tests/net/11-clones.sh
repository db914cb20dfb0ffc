#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/11-clones.sh - guests that say they are the same one (one client-id, one host name) get addresses of their own
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

seen=
for name in clone1 clone2 clone3; do
	box $name
	seen="$seen$(dhcp $name -x 0x3d:01020304050607 -x hostname:golden-image)"$'\n'
done
is "different addresses" "$(sort -u <<<"$seen" | grep -c .)" 3
is "client-ids kept as they were said" "$(json '[.leases[].client_id] | unique | length' lease ls lab)" 1

say "each keeps its own when all begin again"
for name in clone3 clone1 clone2; do
	kill "$(<"$DIR/$name.udhcpc")"
	again="${again:-}$(dhcp $name -x 0x3d:01020304050607 -x hostname:golden-image)"$'\n'
done
is "the same addresses" "$(sort <<<"$again" | xargs)" "$(sort <<<"$seen" | xargs)"
