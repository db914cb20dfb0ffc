#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/run.sh - lanyard's own figures: a table, and $B/bench.json
#
#	RUNS=5 SECONDS_EACH=2 ONLY=WORD BENCH="network nat vhost" tests/bench/run.sh
#
# BENCH=network: namespaces, NAT, DNS, DHCP (measure.sh). BENCH=nat, BENCH=vhost: the user-mode NAT and vhost-user ports,
# beside their peers (nat.sh, vhost.sh). BENCH=guards: what guards and many stations cost (guards.sh).
# BENCH=capture: what captures cost (capture.sh).
# BENCH=dns: answers per second, of local names and others, beside dnsmasq and unbound (dns.sh).
# BENCH=dhcp: exchanges per second by perfdhcp, beside dnsmasq and Kea (dhcp.sh).
# BENCH=rules: what kernel NAT's rules cost beside one masquerade and libvirt's (rules.sh).
# BENCH=modes: kernel NAT, bridged and host-only beside what is set up by hand (modes.sh).
# Everything runs in a sandbox as tests/run.sh makes it: nothing of the host is changed. Each figure is the median of
# RUNS runs, which take turns, so that a disturbed minute does not fall on one figure alone. As root the medium is a TAP
# and priorities are raised; without root it is a veth pair and an AF_PACKET socket where /dev/net/tun is closed.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export ROOT B="${B:-$ROOT/build}" PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C AS=root
export RUNS="${RUNS:-5}" SECONDS_EACH="${SECONDS_EACH:-2}" ONLY="${ONLY:-}" BENCH="${BENCH:-network nat vhost}"
[ -x "$B/lanyardd" ] && [ -x "$B/tests/bench/nb" ] || { echo "bench: no programs in $B: make bench" >&2; exit 2; }

DIR=$(mktemp -d "${TMPDIR:-/tmp}/lb.XXXXXX") || exit 1
export DIR
chmod 755 "$DIR"
trap 'rm -rf "$DIR"' EXIT
echo none >"$DIR/medium"
touch "$DIR/peers" "$DIR/figures"
inside() {
	local user=() nice=()
	[ "$(id -u)" = 0 ] || user=(--user --map-root-user)
	nice -n -20 true 2>/dev/null && [ "$(id -u)" = 0 ] && nice=(nice -n -20)
	"${nice[@]}" unshare "${user[@]}" --net --mount --pid --fork --kill-child=KILL --mount-proc \
		bash "$ROOT/tests/run.sh" --inside "$ROOT/tests/bench/$1" </dev/null
}
for part in $BENCH; do
	case $part in
	network) inside measure.sh ;;
	shape) inside shape.sh ;;
	modes) inside modes.sh ;;
	rules) inside rules.sh ;;
	dhcp) inside dhcp.sh ;;
	nat | vhost | guards | dns | capture) "$ROOT/tests/bench/$part.sh" ;;
	*) echo "bench: $part: not network, dns, nat, vhost, guards, capture, shape, modes, rules or dhcp" >&2; exit 2 ;;
	esac || { echo "bench: $part: failed" >&2; exit 1; }
done

# Every line of $DIR/figures is NAME<tab>UNIT<tab>VALUE; the order of the table is that of their first appearance.
jq -R -s --arg version "$("$B/lanyard" --version 2>/dev/null | head -n 1)" --arg kernel "$(uname -r)" --arg cpus "$(nproc)" \
	--arg medium "$(cat "$DIR/medium")" --arg tools "$(iperf3 --version | head -n 1), $(dpkg-query -W -f '${Package} ${Version}' dnsperf 2>/dev/null)" \
	--arg peers "$(paste -sd, "$DIR/peers")" --arg runs "$RUNS" --arg seconds "$SECONDS_EACH" '
	def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end | . * 1000 | round / 1000;
	{ version: $version, kernel: $kernel, cpus: ($cpus | tonumber), medium: $medium, tools: $tools, peers: $peers,
	  runs: ($runs | tonumber), seconds: ($seconds | tonumber),
	  figures: (split("\n") | map(select(length > 0) | split("\t")) | to_entries | group_by(.value[0])
		| sort_by(.[0].key) | map({ name: .[0].value[0], unit: .[0].value[1],
			median: (map(.value[2] | tonumber) | median), min: (map(.value[2] | tonumber) | min),
			max: (map(.value[2] | tonumber) | max), n: length })) }' "$DIR/figures" >"$B/bench.json" || exit 1
jq -r '"\(.version), Linux \(.kernel), \(.cpus) CPUs, medium \(.medium), median of \(.runs) runs of \(.seconds) s",
	(if .peers == "" then empty else "beside \(.peers)" end),
	(["WHAT", "MEDIAN", "MIN", "MAX", "UNIT"] | @tsv), (.figures[] | [.name, .median, .min, .max, .unit] | @tsv)' \
	"$B/bench.json" | column -t -s "$(printf '\t')"
echo "(as JSON: $B/bench.json)"
