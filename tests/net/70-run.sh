#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/70-run.sh - `lanyard run`: exit status, address by a real exchange, resolv.conf, signals, the port's end
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

say "exit status of the command"
status 0 lanyard run lab/r1 -- true
status 3 lanyard run lab/r1 -- sh -c 'exit 3'
status 127 lanyard run lab/r1 -- /nowhere/command
status 143 lanyard run lab/r1 -- sh -c 'kill -TERM $$'
status 4 lanyard run none/r1 -- true
status 2 lanyard run lab/r1

say "inside"
# shellcheck disable=SC2016
status 0 lanyard run lab/r2 -- sh -c 'ip -4 -o addr show dev eth0; ip route; cat /etc/resolv.conf; cat /sys/class/net/eth0/mtu'
has "address" "$OUT" 'inet 10\.77\.0\.[0-9]+/24'
has "route" "$OUT" 'default via 10\.77\.0\.1'
has "resolver" "$OUT" 'nameserver 10\.77\.0\.1'
has "MTU" "$OUT" '^1500$'
inner=$(grep -oE '10\.77\.0\.[0-9]+/24' <<<"$OUT" | head -n 1)
echo "through the pipe" | lanyard run lab/r2 -- cat | grep -qx "through the pipe"

say "its address came by DHCP, and comes again"
lanyard run lab/r3 -- sh -c 'read -r line' < <(until_ok 8 test -e "$DIR/go"; echo) &
run=$!
until_ok 5 sh -c "'$B/lanyard' ip lab/r3"
address=$(lanyard ip lab/r3)
is "lease ls" "$(json ".leases[] | select(.ip == \"$address\") | .port" lease ls lab)" r3
has "ps" "$(json '.ports[] | select(.name == "r3") | "\(.state) \(.medium) \(.transient)"' ps lab)" '^up (tap|packet) true$'
status 1 lanyard run lab/r3 -- true
: >"$DIR/go"
wait $run
no_port() { ! lanyard port show lab/r3 >/dev/null 2>&1; }
until_ok 3 no_port
lanyard run lab/r2 -- ip -4 -o addr show dev eth0 | grep -qF "$inner" || fail "r2 had $inner before"

say "killed, its port goes too"
box r4
kill -9 "${BOX_RUN[r4]}"
no_r4() { ! lanyard port show lab/r4 >/dev/null 2>&1; }
until_ok 3 no_r4

say "the medium"
box r5
is "state" "$(json '.ports[] | select(.name == "r5") | .state' ps lab)" up
medium=$(json '.ports[] | select(.name == "r5") | .medium' ps lab)
if as_lanyard test -r /dev/net/tun -a -w /dev/net/tun; then is "medium" "$medium" tap; else is "medium" "$medium" packet; fi
