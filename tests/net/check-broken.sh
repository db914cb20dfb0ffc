# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2153
# tests/net/check-broken.sh - what the tests that break a network by hand share; sourced behind lib.sh. Makes the outside, where a host
# answers checks of both families (FAR, OUTSIDE6) and routes to the guests of lab, and starts the daemon.
outside_make
FAR=203.0.113.9 HOST6=2001:db8:7::1 OUTSIDE6=2001:db8:7::2
ip -6 addr add $HOST6/64 dev outside0 nodad
ip -n outside -6 addr add $OUTSIDE6/64 dev eth0 nodad
ip -n outside addr add $FAR/32 dev lo
outside ip route add 10.77.0.0/24 via "$HOST"
outside_answers
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
daemon_start
nft add table inet hand

# flags WHAT ROWS NET [FLAG...] - just these rows differ, and say why
flags() {
	local what=$1 want=$2 got; shift 2
	got=$(differs "$@" --outside $FAR --outside $OUTSIDE6)
	jq -r '.rows[] | select(.result == "DIFFERS") | "      row \(.row): seen \(.seen): \(.reason)"' "$DIR/check"
	is "$what" "$got" "$want"
	[ "$(jq -r '[.rows[] | select(.result == "DIFFERS" and .reason == "")] | length' "$DIR/check")" = 0 ] || fail "no reason"
}

NET=lab
# broken WHAT ROWS HOOK RULE... - $NET with one rule in the host's firewall
broken() {
	local what=$1 rows=$2 hook=$3; shift 3
	nft add chain inet hand c "{ type filter hook $hook priority 0; }"
	nft add rule inet hand c "$@"
	flags "$what" "$rows" $NET
	nft delete chain inet hand c
}

# shut WHAT ROWS PEER... - $NET's guests may not begin that (`lanyard policy`), whoever they are
shut() {
	local what=$1 rows=$2 peer; shift 2
	for peer; do lanyard policy add "$NET" deny egress "$peer"; done
	flags "$what" "$rows" "$NET"
	for peer; do lanyard policy rm "$NET" 1; done
}

# no_hairpin WHAT FAMILY ADDRESS FORWARD - a rule for the port of one of the check's own forwards, while it runs; row 10, which is before and takes
# its two seconds where nobody answers, leaves the time for it
no_hairpin() {
	leads() { json ".forwards[] | select(.id == \"$1\") | .port" forward ls "$NET" | grep .; }
	nft add chain inet hand c "{ type filter hook output priority 0; }"
	nft add rule inet hand c ip6 daddr $OUTSIDE6 tcp dport 8473 drop
	(
		until_ok 10 leads "$4"
		nft add rule inet hand c oif lo "$2" daddr "$3" tcp dport "$(leads "$4")" drop
	) &
	flags "$1" "10 14" "$NET"
	wait $!
	nft delete chain inet hand c
}
