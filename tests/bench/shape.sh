#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/shape.sh - what comes through of a limited rate, by TCP and UDP, both ways, as percent of the rate in layer 2
#
#	make bench BENCH=shape RUNS=1 SECONDS_EACH=4 RATES="1 10 100 1000 10000"
#
# iperf3 counts payload: full TCP segments have 1448 of 1514 bytes, the datagrams sent here 1400 of 1442. RATES are in mbit/s.
. "$ROOT/tests/net/lib.sh"
daemon_start
echo tap >"$DIR/medium"
lanyard net add lab --subnet 10.77.0.0/24 >/dev/null
for g in a b; do box $g; dhcp $g >/dev/null; done
to=$(address b)
in_box b iperf3 -s -p 7020 -D --logfile "$DIR/iperf.log"
until_ok 5 in_box b sh -c 'ss -Hltn "sport = :7020" | grep -q .'

# percent RATE BYTES OF ARGUMENTS... - what was received, without the first second, as layer 2, of RATE mbit/s
percent() {
	local rate=$1 bytes=$2 of=$3; shift 3
	in_box a iperf3 -c "$to" -p 7020 -t "$SECONDS_EACH" -O 1 -J "$@" |
		jq --argjson r "$rate" --argjson b "$bytes" --argjson o "$of" '(.end.sum_received // .end.sum).bits_per_second * $o / $b / $r / 1e4'
}
figure() { printf '%s\t%s\t%s\n' "$1" "% of the rate" "$2" >>"$DIR/figures"; }

for _ in $(seq "$RUNS"); do
	for rate in ${RATES:-1 10 100 1000}; do
		lanyard port set lab/a --egress "${rate}mbit" --ingress none >/dev/null
		figure "TCP, egress $rate mbit" "$(percent "$rate" 1448 1514)"
		[ "$rate" -gt 200 ] || figure "UDP, egress $rate mbit" "$(percent "$rate" 1400 1442 -u -b $((rate * 2))M -l 1400)"
		lanyard port set lab/a --egress none --ingress "${rate}mbit" >/dev/null
		figure "TCP, ingress $rate mbit" "$(percent "$rate" 1448 1514 -R)"
		[ "$rate" -gt 200 ] || figure "UDP, ingress $rate mbit" "$(percent "$rate" 1400 1442 -R -u -b $((rate * 2))M -l 1400)"
	done
done
