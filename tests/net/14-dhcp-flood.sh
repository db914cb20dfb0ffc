#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/14-dhcp-flood.sh - a guest that invents thousands of clients takes nothing from its neighbours (DHCP-42), and a pool that is used up
#	recovers (DHCP-43)
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/16 --dhcp-quota 20 --dhcp-declines 4
box bad
box good
in_box bad ip link set eth0 up

# flood SECONDS - 4,000 clients at once, each with a MAC address of its own, as fast as they are answered
flood() { in_box bad "$B/tests/bench/dhcpload" eth0 "$1" 4000 >"$DIR/flood"; }
held() { json "[.leases[] | select(.port == \"$1\")] | length" lease ls lab; }
refused() { lanyard metrics | awk '/^lanyard_dhcp_messages_total{network="lab",outcome="quota"}/ { print $2 }'; }
some_held() { [ "$(held bad)" -gt 0 ]; }

say "at the rate that a port may have by default, and at any"
for rate in 1000 0; do
	lanyard net set lab --dhcp-rate $rate --quiet
	flood 2 &
	flooding=$!
	until_ok 5 some_held
	start=${EPOCHREALTIME/./}
	dhcp good >/dev/null
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))
	[ $ms -lt 5000 ] || fail "a lease took $ms ms beside the flood"
	printf '   a lease beside the flood: %s ms\n' $ms
	wait $flooding
	kill "$(<"$DIR/good.udhcpc")"
	[ "$(held bad)" -le 20 ] || fail "the flooding port has $(held bad) addresses"
done
[ "$(refused)" -gt 0 ] || fail "nothing was refused for the port's quota"

say "a pool of four is used up by one port, and is the others' when that goes"
lanyard net add tiny --subnet 10.78.0.0/29 --dhcp-pool 10.78.0.2-10.78.0.5
box tiny/bad2
box tiny/good2
in_box bad2 ip link set eth0 up
in_box bad2 "$B/tests/bench/dhcpload" eth0 1 64 >/dev/null
lanyard port rm tiny/bad2 --force --quiet 2>/dev/null || box_end bad2
has "a lease then" "$(dhcp good2)" '^10\.78\.0\.[2-5]$'
