#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/14-conflict.sh - an address that a guest has by itself, in silence: it is probed before its turn comes, and nobody is offered it
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

box quiet
in_box quiet ip addr add 10.77.0.4/24 dev eth0
in_box quiet ip link set eth0 up
seen() { json '.. | strings' ps lab | grep -qx 10.77.0.4; }
! seen || fail "it was not silent"

say "the first guest; what comes behind its address is probed"
box web1
is "web1" "$(dhcp web1)" 10.77.0.2
until_ok 3 seen

say "the next ones: one after another, without a refusal, and past the address that is taken"
box web2
is "web2" "$(dhcp web2)" 10.77.0.3
box web3
is "web3" "$(dhcp web3)" 10.77.0.5
is "conflicts" "$(json .address_conflicts net show lab)" 1
is "refusals" "$(json '.dhcp_messages.nak // 0' net show lab)" 0
is "what rests" "$(json '.leases[] | select(.ip == "10.77.0.4") | "\(.state) \(.port)"' lease ls lab)" "declined quiet"
grep -q 'port=quiet event=address-conflict ip=10.77.0.4 mac=.* asked=web3' "$DIR/lanyardd.log"
lanyard metrics >"$DIR/page"
grep -q '^lanyard_address_conflicts_total{network="lab"} 1' "$DIR/page"

say "a guest who wishes for it gets another; the one who has it may have it leased"
box web4
is "web4" "$(dhcp web4 -r 10.77.0.4)" 10.77.0.6
in_box quiet ping -c 1 -W 2 10.77.0.2 >/dev/null
