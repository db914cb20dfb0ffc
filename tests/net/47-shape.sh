#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/47-shape.sh - rates are kept both ways, by TCP and UDP, between guests and through the NAT; three ports share one fairly
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
for g in a b c; do box $g; dhcp $g >/dev/null; done
b=$(address b)
in_box b iperf3 -s -p 7020 -D --logfile "$DIR/iperf.log"
outside iperf3 -s -p 7020 -D --logfile "$DIR/iperf.out.log"
until_ok 5 in_box b sh -c 'ss -Hltn "sport = :7020" | grep -q .'
until_ok 5 outside sh -c 'ss -Hltn "sport = :7020" | grep -q .'

# near WHAT KBIT-LAYER-2 - what iperf3 saw is near that, less the headers of full frames
near() {
	local want=$2 got=$3 off
	off=$(( (got - want) * 1000 / want ))
	printf '   %s: %s of %s kbit/s, %s.%s %% off\n' "$1" "$got" "$want" $((off / 10)) $((off < 0 ? -off % 10 : off % 10))
	[ ${off#-} -le 50 ] || fail "$1: $got kbit/s, expected $want"
}
# goodput GUEST ARGUMENTS... - kbit/s received, without the first half second
goodput() { local g=$1; shift; in_box "$g" iperf3 -p 7020 -t 1 -O 0.5 -J "$@" | jq '(.end.sum_received // .end.sum).bits_per_second / 1e3 | floor'; }

for rate in 20 400; do
	tcp=$((rate * 1000 * 1448 / 1514)) udp=$((rate * 1000 * 1400 / 1442))
	say "$rate mbit/s"
	lanyard port set lab/a --egress "${rate}mbit" --ingress "${rate}mbit"
	[ $rate = 20 ] || near "TCP to a guest" $tcp "$(goodput a -c "$b")"
	[ $rate = 400 ] || near "TCP from the outside" $tcp "$(goodput a -c $OUTSIDE -R)"
	[ $rate = 400 ] || near "UDP from a guest" $udp "$(goodput a -c "$b" -R -u -b $((rate * 2))M -l 1400)"
done
lanyard port set lab/a --egress none --ingress none

say "three ports share 60 mbit/s"
lanyard shaper add lab/club --ingress 60mbit --egress 60mbit >/dev/null
for g in a b c; do lanyard port set lab/$g --shaper club >/dev/null; done
declare -A PORT_OF=([a]=7031 [b]=7032 [c]=7033)
for g in a b c; do outside iperf3 -s -p "${PORT_OF[$g]}" -D --logfile "$DIR/iperf.$g.log"; done
until_ok 5 outside sh -c 'ss -Hltn "sport = :7033" | grep -q .'
together() {
	local g jobs=()
	for g in a b c; do in_box $g iperf3 -c $OUTSIDE -p "${PORT_OF[$g]}" -t 2 -O 0.5 -J "$@" >"$DIR/share.$g" & jobs+=($!); done
	wait "${jobs[@]}"
	for g in a b c; do jq '.end.sum_received.bits_per_second / 1e3 | floor' "$DIR/share.$g"; done
}
mapfile -t got < <(together -R)
printf '   each: %s\n' "${got[*]}"
near together $((60000 * 1448 / 1514)) $((got[0] + got[1] + got[2]))
for g in "${got[@]}"; do [ "$g" -gt 13000 ] || fail "one of three got $g kbit/s of 60000"; done
