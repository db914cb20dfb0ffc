#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/24-peer.sh - two networks are joined on running guests, with everything or with a list, and parted again
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --subnet6 fd00:77::/64
lanyard net add quiet --mode internal --subnet 10.79.0.0/24 --subnet6 fd00:79::/64
lanyard net add alone --mode nat
box a1
box quiet/q1
dhcp a1 >/dev/null
q1=$(dhcp q1 -O staticroutes)
call() { in_box "$1" /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "${@:2}" 2>&1; }
reaches() { [ "$(call "$@")" = same ]; }
prohibited() { has "$*" "$(call "$@" | tail -n 1)" 'prohibited|unreachable|refused|No route'; }
in_box q1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 80 echo >"$DIR/q1.out" &
in_box q1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 81 echo >"$DIR/q1b.out" &
in_box a1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 80 echo >"$DIR/a1.out" &
until_ok 5 grep -q listening "$DIR/q1.out"
until_ok 5 grep -q listening "$DIR/q1b.out"
until_ok 5 grep -q listening "$DIR/a1.out"
a1=$(address a1)
prohibited a1 "$q1" 80 echo

say "who can have no peer is told why"
status 1 lanyard net peer lab alone
has "message" "$ERR" 'in mode nat each guest is alone'
has "hint" "$ERR" 'lanyard net set alone --mode nat-network'
status 4 lanyard net peer lab nowhere
status 1 lanyard net peer lab lab
status 4 lanyard net peer lab quiet --rm

say "peers: both ways and families, on links that never went down"
flaps=$(in_box q1 cat /sys/class/net/eth0/carrier_changes)
status 0 lanyard net peer quiet lab
has "note" "$ERR" 'renew their lease'
in_box q1 kill -USR1 "$(cat "$DIR/q1.udhcpc")"
until_ok 5 reaches q1 "$a1" 80 echo	# the way to lab comes with the next lease
is "a1 to q1" "$(call a1 "$q1" 80 echo)" same
is "carrier changes" "$(in_box q1 cat /sys/class/net/eth0/carrier_changes)" "$flaps"
six() { in_box "$1" ip -6 -o addr show dev eth0 scope global -tentative | awk '{ sub("/.*", "", $4); print $4; exit }' | grep .; }
until_ok 5 six a1
until_ok 5 six q1
until_ok 5 in_box q1 ping -6 -c 1 -W 1 "$(six a1)"
prohibited a1 10.79.0.1 80 echo
[ "$(json '[.ports[] | select(.name == "a1") | .verdicts["consumed-peer"] // 0] | add' ps lab)" -gt 10 ] || fail "no frame was counted as consumed-peer"

name_of() { in_box "$1" dig +short +time=1 +tries=2 "@$2" "${@:3}"; }
is "a name there" "$(name_of a1 10.77.0.1 q1.quiet.internal)" "$q1"
is "an address there" "$(name_of a1 10.77.0.1 -x "$q1")" q1.quiet.internal.
is "over TCP" "$(name_of a1 10.77.0.1 +tcp q1.quiet.internal)" "$q1"
is "the other way" "$(name_of q1 10.79.0.1 a1.lab.internal)" "$a1"

say "the check knows who is to be reached, and who is not"
lanyard net add third --subnet 10.80.0.0/24 --subnet6 fd00:80::/64
lanyard segment add third 20 --subnet 10.81.0.0/24 --subnet6 fd00:81::/64
# row NUMBER NET [FLAG...] - what a check says of it, and what it tried
row() { json ".rows[] | select(.row == $1) | \"\(.result) \(.seen): \([.trials[].name] | join(\"; \")): \(.reason)\"" check "${@:2}" 2>/dev/null; }
is "another" "$(row 15 quiet --other third)" "ok no: frame; UDP; TCP; UDP, IPv6; TCP, IPv6: the other network is third"
is "its VLAN" "$(row 15 quiet --other third:20)" "ok no: frame; UDP; TCP; UDP, IPv6; TCP, IPv6: the other network is third:20"
ways="UDP; TCP; UDP, IPv6; TCP, IPv6; UDP back; UDP back, IPv6"
is "the peer" "$(row 24 quiet)" "ok yes: $ways: the peer is lab"
lanyard net peer lab third:20 --allow tcp/80
is "of the VLAN alone, for a list" "$(row 24 third:20)" "not probed -: : lab is open for what its list says alone"
lanyard net peer third:20 third
is "of the VLAN" "$(row 24 third:20)" "ok yes: $ways: the peer is third"
is "and the other side" "$(row 24 third)" "ok yes: $ways: the peer is third:20"
status 4 lanyard check third:30
has "hint" "$ERR" '^hint: lanyard segment ls third'
status 1 lanyard check third --other third:20
has "reason" "$ERR" 'it is a peer of third, and may be reached'
lanyard net rm third --force

say "it is a setting like any other"
has "show" "$(json '.peers | tostring' net show quiet)" '"lab":\{\}'
lanyard export >"$DIR/all.yaml"
is "apply of what was exported" "$(lanyard apply -f "$DIR/all.yaml")" "nothing to change"
status 0 lanyard net add quiet --mode internal --subnet 10.79.0.0/24 --subnet6 fd00:79::/64
kill -KILL "$(engine_pid)"
until_ok 5 answers
until_ok 5 reaches a1 "$q1" 80 echo

say "with a list: what is on it, from one side, and the answers"
status 1 lanyard net peer lab quiet --allow tcp/http
status 0 lanyard net peer quiet lab --rm
status 0 lanyard net peer lab quiet --allow tcp/80,icmp
is "a1 to q1" "$(call a1 "$q1" 80 echo)" same
in_box a1 ping -c 1 -W 2 "$q1" >/dev/null
prohibited a1 "$q1" 81 echo
prohibited q1 "$a1" 80 echo
is "names of whom it may not reach" "$(name_of q1 10.79.0.1 a1.lab.internal)" ""
is "and of whom it may" "$(name_of a1 10.77.0.1 q1.quiet.internal)" "$q1"
[ "$(json '[.ports[] | select(.name == "q1") | .verdicts["peer"] // 0] | add' ps quiet)" -gt 0 ] || fail "nothing was counted as peer"

say "no more"
status 0 lanyard net peer quiet lab --rm
prohibited a1 "$q1" 80 echo
status 0 lanyard net peer lab quiet
status 0 lanyard net rm quiet --force
is "peers of lab" "$(json '.peers // "none"' net show lab)" none
