#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/93-check.sh - `lanyard check` finds each mode as it promises, and leaves nothing behind
# limit: 120
. "$ROOT/tests/net/lib.sh"
outside_make
HOST6=2001:db8:7::1 OUTSIDE6=2001:db8:7::2
ip -6 addr add $HOST6/64 dev outside0 nodad
ip -n outside -6 addr add $OUTSIDE6/64 dev eth0 nodad
outside ip route add 10.77.0.0/24 via $HOST	# the outside that routes to guests reaches none
outside_answers
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
daemon_start
SNIFF=21	# needs a right that users have not
[ "$AS" = root ] || SNIFF=
LATER="23 $([ -n "$SNIFF" ] || echo 21)"	# not probed by anybody, or not by users
both=(--outside "$OUTSIDE" --outside "[$OUTSIDE6]:8473")

# rows NET OK NOT-PROBED [FLAG...] - all rows are as expected, and those that count are probed
rows() {
	local net=$1 ok=$2 skipped=$3; shift 3
	is "$net differs in" "$(differs "$net" "$@")$(jq -r '.rows[] | select(.result == "DIFFERS") | ": \(.reason)"' "$DIR/check")" ""
	is "$net as expected in" "$(checked ok)" "$(xargs <<<"$ok")"
	is "$net not probed" "$(checked "not probed")" "$(xargs -n 1 <<<"$skipped" | sort -n | xargs)"
}

say "nat-network, every setting of host_access"
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
lanyard forward add lab 8080:web1:80
rows lab "1 3 5 6 7 8 9 10 11 12 13 14 16 17 18 19 $SNIFF 22" "15 $LATER" "${both[@]}"
is "the source that the outside saw" "$(jq -r '.rows[18].trials[0].how' "$DIR/check")" $HOST
lanyard net set lab --host-access none
rows lab "1 3 5 6 7 8 9 10 11 12 13 14 16 17 18 19 $SNIFF 22" "15 $LATER" "${both[@]}"
lanyard net set lab --host-access loopback
rows lab "1 4 5 6 7 8 9 10 11 12 13 14 16 17 18 19 $SNIFF 22" "15 $LATER" "${both[@]}"
lanyard net set lab --host-access own
before=$(lanyard export)

say "without an outside host, nothing is sent there"
rows lab "1 3 5 6 7 12 13 14 16 17 18 $SNIFF 22" "8 9 10 11 15 19 $LATER"
is "the reason" "$(jq -r '.rows[7].reason' "$DIR/check")" "no outside host was given: --outside ADDRESS"

say "nothing is left"
is "configuration" "$(lanyard export)" "$before"
is "ports" "$(json '[.ports[].name] | join(" ")' ps)" web1
is "leases" "$(json '[.leases[].port] | join(" ")' lease ls lab)" web1
is "name" "$(in_box web1 dig +short +time=2 +tries=1 lanyard-check-1.lab.internal @10.77.0.1)" ""
is "the guest's link" "$(grep -c 'port=web1 event=link' "$DIR/lanyardd.log")" 1

say "internal, with and without addresses; another network beside it"
lanyard net add quiet --mode internal
rows quiet "1 2 5 6 7 8 9 11 12 13 15 16 18 $SNIFF 22" "$LATER" "${both[@]}"
lanyard net add dark --mode internal --subnet 10.79.0.0/24
rows dark "1 2 5 6 7 8 9 10 11 12 13 15 16 17 18 $SNIFF 22" "$LATER" "${both[@]}" --other lab
lanyard net add still --mode internal --subnet 10.80.0.0/24 --dhcp false --dns false
rows still "1 2 5 6 7 8 9 10 11 12 13 15 16 18 $SNIFF 22" "$LATER" "${both[@]}"
rows lab "1 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 $SNIFF 22" "$LATER" "${both[@]}" --other dark
lanyard net set lab --dhcp false
rows lab "1 3 5 6 7 8 9 10 11 12 13 14 15 16 18 19 $SNIFF 22" "$LATER" "${both[@]}"
lanyard net set lab --dhcp true

say "nat: each guest by itself"
lanyard net add alone --mode nat
rows alone "1 3 5 6 7 8 9 10 11 12 13 15 16 17 18 19 $SNIFF 22" "$LATER" "${both[@]}"
lanyard net set alone --host-access loopback
rows alone "1 4 5 6 7 8 9 10 11 12 13 15 16 17 18 19 $SNIFF 22" "$LATER" "${both[@]}" --other dark
rows lab "1 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 $SNIFF 22" "$LATER" "${both[@]}" --other alone
lanyard net rm alone

if [ "$AS" = root ]; then
	say "host-only and routed: the host is a member"
	lanyard net add desk --mode host-only
	rows desk "1 2 5 6 7 8 9 10 11 12 13 15 16 17 18 21 22" 23 "${both[@]}"
	rows lab "1 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 21 22" 23 "${both[@]}" --other desk
	outside ip route add 10.81.0.0/24 via $HOST
	outside ip -6 route add 2001:db8:81::/64 via $HOST6
	lanyard net add street --mode routed --subnet 10.81.0.0/24 --subnet6 2001:db8:81::/64 --uplink outside0
	rows street "1 2 5 6 7 8 9 10 11 16 17 18 19 21 22" 23 "${both[@]}"
	rows desk "1 2 5 6 7 8 9 10 11 12 13 15 16 17 18 21 22" 23 "${both[@]}" --other street
	lanyard net rm street
	lanyard net rm desk

	say "bridged: guests of the LAN, without and with somebody who gives addresses there"
	lanyard net add wire --mode bridged --uplink outside0
	rows wire "6 7 16 21 22" "1 5 8 9 10 11 15 19 20 23" "${both[@]}"
	printf '%s\n' "start 198.51.100.50" "end 198.51.100.60" "interface eth0" "opt subnet 255.255.255.0" "opt router 198.51.100.1" \
		"lease_file $DIR/leases" "pidfile $DIR/udhcpd.pid" >"$DIR/udhcpd.conf"
	: >"$DIR/leases"
	outside busybox udhcpd -f "$DIR/udhcpd.conf" >"$DIR/udhcpd.log" 2>&1 &
	rows wire "1 5 6 7 8 9 11 16 19 21 22" "10 15 20 23" "${both[@]}"
	rows lab "1 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 21 22" 23 "${both[@]}" --other dark
	lanyard net rm wire
fi

say "for people: a table, and a line that sums up"
status 0 lanyard check lab --outside $OUTSIDE
has "title" "$OUT" '^ROW +PROBE +EXPECTED +SEEN +RESULT +REASON'
has "sum" "$(tail -n 1 <<<"$OUT")" '^lab, nat-network with host_access own: [0-9]+ as expected, 0 different, [0-9]+ not probed$'
status 4 lanyard check nowhere
status 2 lanyard check
status 2 lanyard check lab --outside here
status 2 lanyard check lab --mode bridges
status 2 lanyard check lab --answer

say "a check that is killed leaves nothing, two at once are one too many"
before=$(lanyard export)
# check_begin [FLAG...] - one in the background; its process is $OURS
check_begin() {
	"${RUN_AS[@]}" "$B/lanyard" check lab "$@" >/dev/null 2>&1 &
	OURS=$!
}
check_begin --outside $OUTSIDE
check_is_there() { json '[.ports[] | select(.name == "lanyard-check-1")] | length' ps lab | grep -qx 1; }
until_ok 5 check_is_there
status 1 lanyard check lab
has "refused" "$ERR" 'another check of lab runs'
wait $OURS
lanyard check lab --outside 198.51.100.77 >/dev/null 2>"$DIR/changed" &	# nobody is there: it takes its time
OURS=$!
until_ok 5 check_is_there
lanyard net set lab --host-access none
wait $OURS && fail "a change meanwhile went unnoticed"
has "changed" "$(<"$DIR/changed")" "network lab: its host_access was changed while it was checked"
lanyard net set lab --host-access own
check_begin --outside 198.51.100.77	# nobody is there: it takes its time
forwards_are() { [ "$(json '.forwards | length' forward ls lab)" = "$1" ]; }
until_ok 5 forwards_are 7
kill -KILL $OURS
until_ok 5 forwards_are 1
clean() { [ "$(json '[.ports[].name] | join(" ")' ps)" = web1 ]; }
until_ok 5 clean
is "configuration" "$(lanyard export)" "$before"
