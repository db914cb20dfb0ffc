#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/51-keeper-dies.sh - kill -9 of the keeper, then a plain start: all that was acknowledged is there
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --mtu 1400
lanyard net add inner --mode internal
lanyard port add lab/vm1 --stream "$DIR/r/vm1.sock" --vlan 10
lanyard forward add lab 8080:web1:80 --name web
lanyard dns add lab printer 10.77.0.9
lanyard lease pin lab/web3 10.77.0.50
box web1
web1=$(dhcp web1)
# The last thing acknowledged before the end is there, too.
lanyard net add last --subnet 10.99.0.0/24
before=$(lanyard export)
leases=$(json '[.leases[] | {ip, port, mac, expires}]' lease ls lab)
engine=$(engine_pid)

kill -9 "$(keeper_pid)"
until_ok 2 gone "$engine"
wait "$DAEMON" || true
daemon_start
is "export" "$(lanyard export | sha256sum)" "$(sha256sum <<<"$before")"
is "leases" "$(json '[.leases[] | {ip, port, mac, expires}]' lease ls lab)" "$leases"

say "lanyard run attaches its guest again"
reaches() { in_box web1 ping -c 1 -W 1 10.77.0.1; }
until_ok 5 reaches
curl -sS -m 1 http://127.0.0.1:8080/ >/dev/null 2>&1 || true
is "its forward" "$(json '.forwards[0].state' forward ls lab)" up
kill "$(<"$DIR/web1.udhcpc")"
is "the guest's address" "$(dhcp web1)" "$web1"

say "a change and kill -9 in the same breath, ten times"
for n in {1..10}; do
	lanyard dns add lab "name$n" 10.77.0.$((100 + n)) --quiet
	kill -9 "$(keeper_pid)"
	wait "$DAEMON" || true
	daemon_start
	is "records" "$(json '.records | length' dns ls lab)" $((n + 1))
done
