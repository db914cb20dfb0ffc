#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/39-delegated.sh - prefixes delegated to a router among the guests where the host is the gateway: it, the outside and who is behind the
# router reach one another as the mode says, also after the engine or the whole daemon was started again (RFC 7084 4.3, WPD-5)
# as: root
# limit: 90
. "$ROOT/tests/net/lib.sh"
command -v dhclient >/dev/null || absent "dhclient is not installed"
outside_make
ip -6 addr add 2001:db8:1::1/64 dev outside0 nodad
ip -n outside -6 addr add 2001:db8:1::2/64 dev eth0 nodad
ip -n outside -6 route add 2001:db8:50::/44 via 2001:db8:1::1
ip -6 route >"$DIR/routes"
daemon_start
lanyard net add ho --mode host-only --subnet6 fd00:56::/64 --delegate fd00:560::/48
lanyard net add ro --mode routed --subnet 10.50.0.0/24 --subnet6 2001:db8:50::/64 --uplink outside0 --delegate 2001:db8:51::/48 --delegate-length 56
lanyard net add ke --nat kernel --subnet 10.51.0.0/24 --subnet6 fd00:51::/64 --delegate fd00:510::/48 --delegate-length 64
status 1 lanyard net add two --mode host-only --subnet6 fd00:57::/64 --delegate fd00:560:0:100::/56
has "one place, one way" "$ERR" "prefixes: fd00:560:0:100::/56 overlaps what network ho delegates"

cat >"$DIR/script" <<'SCRIPT'
#!/bin/sh
[ -n "$new_ip6_prefix" ] && echo "$new_ip6_prefix" >"$OUT6"
exit 0
SCRIPT
chmod 755 "$DIR/script"
client() { local net=$1; shift; in_box "r-$net" env OUT6="$DIR/$net.prefix" dhclient -6 -1 -sf "$DIR/script" -pf "$DIR/$net.pid" -lf "$DIR/$net.leases" -e OUT6="$DIR/$net.prefix" -P "$@" eth0 >"$DIR/$net.client" 2>&1; }
ready() { [ -z "$(in_box "$1" ip -6 -o addr show dev eth0 tentative)" ] && in_box "$1" ip -6 -o addr show dev eth0 scope global | grep -q inet6; }
routes() { in_box "$1" sh -c 'echo 2 >/proc/sys/net/ipv6/conf/eth0/accept_ra; echo 64 >/proc/sys/net/ipv6/conf/eth0/accept_ra_rt_info_max_plen; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'; }
declare -A BEHIND
# router NET - it has its prefix; behind it is a namespace with an address of that
router() {
	local net=$1 prefix
	wait "${CLIENT[$net]}" || { cat "$DIR/$net.client"; fail "no prefix in $net"; }
	prefix=$(<"$DIR/$net.prefix") prefix=${prefix%/*}
	BEHIND[$net]=${prefix}77
	ip netns add "b-$net"
	ip link add in0 netns "${BOX[r-$net]}" type veth peer name eth0 netns "b-$net"
	in_box "r-$net" sh -c "ip -6 addr add ${prefix}1/64 dev in0 nodad; ip link set in0 up"
	ip -n "b-$net" -6 addr add "${prefix}77/64" dev eth0 nodad
	ip -n "b-$net" link set eth0 up
	ip -n "b-$net" -6 route add default via "${prefix}1"
	echo "   $net: $(<"$DIR/$net.prefix")"
}
declare -A CLIENT
for net in ho ro ke; do
	box $net/r-$net
	routes r-$net
done
box ho/g-ho
in_box g-ho sh -c 'echo 64 >/proc/sys/net/ipv6/conf/eth0/accept_ra_rt_info_max_plen'
for net in ho ro ke; do
	until_ok 10 ready r-$net
	client $net &
	CLIENT[$net]=$!
done
pings() { "${@:2}" ping -6 -c 1 -W 1 "$1" >/dev/null 2>&1 && echo yes || echo no; }
behind() { ip netns exec "b-$1" "${@:2}"; }
host() { "$@"; }
reach() { [ "$(pings "$@")" = yes ]; }

say "host-only: the host and the guests"
router ho
until_ok 5 reach "${BEHIND[ho]}" host
is "host to who is behind, and back" "$(pings "${BEHIND[ho]}" host) $(pings fd00:56::1 behind ho)" "yes yes"
has "the host's route" "$(ip -6 route show dev ly-ho)" "^$(cut -d/ -f1 "$DIR/ho.prefix")/60 via fe80:[0-9a-f:]* proto 76"
has "what is nobody's" "$(ip -6 route show type unreachable)" "unreachable fd00:560::/48"
is "in the journal" "$(json '.changes[] | select(.kind == "routes" and .network == "ho") | .target + " " + .after' host-changes)" "ly-ho fd00:560::/48"
is "to the outside, as the mode says" "$(pings 2001:db8:1::2 behind ho)" no

say "routed: the outside as well, untranslated"
router ro
until_ok 5 reach "${BEHIND[ro]}" host
is "host, outside to who is behind" "$(pings "${BEHIND[ro]}" host) $(pings "${BEHIND[ro]}" outside)" "yes yes"
is "and from there" "$(pings 2001:db8:50::1 behind ro) $(pings 2001:db8:1::2 behind ro)" "yes yes"
nobody() { outside ping -6 -c 1 -W 1 2001:db8:51:ff00::1 || true; }
has "what is nobody's is refused to the outside" "$(nobody 2>&1)" "unreachable|No route"

say "kernel NAT: the outside sees the host"
router ke
until_ok 5 reach 2001:db8:1::2 behind ke
is "host to who is behind, as the mode says" "$(pings "${BEHIND[ke]}" host)" no
outside timeout 5 tcpdump -lni eth0 -c 1 'icmp6[0] == 128' >"$DIR/seen" 2>"$DIR/listening" &
until_ok 5 grep -q listening "$DIR/listening"
is "to the outside" "$(pings 2001:db8:1::2 behind ke)" yes
until_ok 5 test -s "$DIR/seen"
has "seen as the host" "$(<"$DIR/seen")" "IP6 2001:db8:1::1 > 2001:db8:1::2"
ip -n outside -6 route add fd00:510::/48 via 2001:db8:1::1
is "unasked from outside" "$(pings "${BEHIND[ke]}" outside)" no
ip -n outside -6 route del fd00:510::/48 via 2001:db8:1::1

say "networks stay apart, and guests know why"
is "host-only to routed, kernel NAT to host-only" "$(pings "${BEHIND[ro]}" behind ho) $(pings "${BEHIND[ho]}" behind ke)" "no no"
until_ok 10 ready g-ho
until_ok 5 reach "${BEHIND[ho]}" in_box g-ho
reach fd00:56::1 in_box g-ho
has "why" "$(lanyard why ho/g-ho "${BEHIND[ho]}" 2>&1)" "router among the guests"
status 1 lanyard why ho/g-ho "${BEHIND[ro]}"
has "why not" "$OUT" "another lanyard network"
has "listed" "$(lanyard lease ls ho)" "$(cut -d/ -f1 "$DIR/ho.prefix")/60.*r-ho"

say "the engine, and the daemon, are started again; the interface is made anew"
kill -9 "$(engine_pid)"
until_ok 10 reach "${BEHIND[ro]}" outside
is "all of them" "$(pings "${BEHIND[ho]}" host) $(pings 2001:db8:1::2 behind ke)" "yes yes"
lanyard net set ro --mtu 1400
until_ok 5 reach "${BEHIND[ro]}" outside
lanyard net set ho --delegate none
is "nothing is delegated any more" "$(ip -6 route show proto 76 | grep -c 560)" 0
client ke -r
gone_route() { ! ip -6 route show dev ly-ke | grep -q 'proto 76'; }
until_ok 5 gone_route
daemon_stop
is "routes when it has gone" "$(ip -6 route show proto 76 | wc -l)" 0
daemon_start
has "and come" "$(ip -6 route show type unreachable)" "unreachable 2001:db8:51::/48 dev lo proto 76"
stored() { ip -6 route show dev ly-ro | grep -q 'proto 76'; }
until_ok 5 stored
lanyard net rm ro --force
lanyard net rm ke --force
lanyard net rm ho --force
is "changes" "$(json '.changes | length' host-changes)" 0
ip -6 route | diff "$DIR/routes" - || fail "routes differ"
