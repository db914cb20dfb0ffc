#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/dns-series.sh - the series of tests/bench/dns.sh, inside its sandbox
#
# 10,000 names in random order, each tenth question for one that is not there; and names of others, asked of an unbound outside that makes up
# the answers: kept ones, and such as nobody has asked for. lanyard is asked by a guest on a TAP, its peers over a veth pair, in turn.
# Who answers has one core, dnsperf and the server outside the other. Last, local names by a guest on vhost-user (vhostdns.c).
# shellcheck source=tests/net/lib.sh
. "$ROOT/tests/net/lib.sh"

T=$SECONDS_EACH NAMES=10000
server=(taskset -c "$SWITCH_CPU") load=(taskset -c "$LOAD_CPU")
declare -A AT=([lanyard]=10.77.0.1 [dnsmasq]=10.20.0.1 [unbound]=10.20.0.3) ANSWER
figure() { printf '%s\t%s\t%s\n' "DNS, $1" "$2" "$3" >>"$DIR/figures"; printf '%-78s %10s %s\n' "DNS, $1" "$3" "$2" >&2; }
wanted() { [[ "DNS, $1" == *"$ONLY"* ]]; }
has_peer() { [[ " $PEERS " == *" $1 "* ]]; }

address_of() { echo "10.77.$(($1 / 256 + 1)).$(($1 % 256))"; }

# questions FILE: h0 and so on, and each tenth x0 and so on, in an order that is the same each time
questions() {
	awk -v n=$NAMES 'BEGIN { srand(1); for (i = 0; i < n; i++) printf "%s%d.lab.internal A\n", rand() < 0.1 ? "x" : "h", int(rand() * n) }' >"$1"
}

# in_client PEER COMMAND... - where questions to this one are asked from
in_client() {
	if [ "$1" = lanyard ]; then in_box a "${@:2}"; else ip netns exec client "${@:2}"; fi
}

# rate PEER FILE - answers per second
rate() {
	in_client "$1" "${load[@]}" timeout $((T + 20)) dnsperf -s "${AT[$1]}" -d "$DIR/$2" -l "$T" -c 8 -T 1 -q "${FLIGHT:-200}" 2>>"$DIR/load.log" |
		awk '/Queries completed/ { done = $3 } /Queries lost/ { lost = $3 } /Queries per second/ { rate = $4 }
			END { printf "%.0f", (lost > done / 100) ? 0 : rate }'
}

# round WHAT FILE PEER... - each once
round() {
	local what=$1 file=$2 peer; shift 2
	wanted "$what" || return 0
	for peer in lanyard "$@"; do
		ANSWER[$peer]=$(rate "$peer" "$file")
		figure "$what: $peer" 1/s "${ANSWER[$peer]}"
	done
	for peer in "$@"; do
		figure "$what: lanyard to $peer" ratio "$(jq -n "${ANSWER[lanyard]} / ([${ANSWER[$peer]}, 1] | max) * 100 | round / 100")"
	done
}

unbound_conf() {
	printf 'server:\n num-threads: 1\n username: ""\n chroot: ""\n directory: "%s"\n pidfile: ""\n use-syslog: no\n do-daemonize: no\n module-config: "iterator"\n' "$DIR"
	printf ' access-control: 0.0.0.0/0 allow\n interface: %s\n ip-freebind: yes\n local-zone: "10.in-addr.arpa." nodefault\n' "$1"
}

peers_start() {
	ip netns add client
	ip link add client0 type veth peer name eth0 netns client
	ip addr add 10.20.0.1/24 dev client0
	ip addr add 10.20.0.3/24 dev client0
	ip link set client0 up
	ip -n client addr add 10.20.0.2/24 dev eth0
	ip -n client link set eth0 up
	for ((n = 0; n < NAMES; n++)); do printf '%s h%d.lab.internal\n' "$(address_of $n)" $n; done >"$DIR/hosts"
	if has_peer dnsmasq; then
		"${server[@]}" dnsmasq -k -C /dev/null --user=root --pid-file= --no-resolv --no-hosts --addn-hosts="$DIR/hosts" --local=/lab.internal/ --listen-address=10.20.0.1 \
			--bind-interfaces --cache-size=10000 --log-facility="$DIR/dnsmasq.log" &
	fi
	if has_peer unbound; then
		{
			unbound_conf 198.51.100.2
			printf ' local-zone: "example." redirect\n local-data: "example. 3600 IN A 203.0.113.7"\n'
		} >"$DIR/outside.conf"
		outside "${load[@]}" unbound -d -c "$DIR/outside.conf" 2>"$DIR/outside.log" &
		{
			unbound_conf 10.20.0.3
			printf ' do-not-query-localhost: no\n local-zone: "lab.internal." static\n'
			awk '{ print " local-data: \"" $2 ". 60 IN A " $1 "\"" }' "$DIR/hosts"
			printf 'forward-zone:\n name: "."\n forward-addr: 198.51.100.2\n'
		} >"$DIR/peer.conf"
		"${server[@]}" unbound -d -c "$DIR/peer.conf" 2>"$DIR/unbound.log" &
	fi
}

lanyard_start() {
	PLACES+=(--workers 1)
	daemon_start
	{
		printf 'networks:\n  lab:\n    subnet: 10.77.0.0/16\n    dhcp: { pool: 10.77.200.0-10.77.250.250 }\n    dns: { upstreams: [198.51.100.2], queries: 256 }\n    records:\n'
		for ((n = 0; n < NAMES; n++)); do printf '      - { name: h%d, type: A, value: %s }\n' $n "$(address_of $n)"; done
	} >"$DIR/lab.yaml"
	lanyard apply -f "$DIR/lab.yaml" >/dev/null
	lanyard port add lab/v --vhost-user "$DIR/v" --quiet
	box a
	dhcp a >/dev/null
	taskset -apc "$SWITCH_CPU" "$(engine_pid)" >/dev/null
}

answers_to() { [ "$(in_client "$1" dig +short +time=1 +tries=1 @"${AT[$1]}" "$2")" = "$3" ]; }

outside_make
peers_start
lanyard_start
questions "$DIR/names"
seq 1 1000 | sed 's/.*/k&.example A/' >"$DIR/kept"
for peer in lanyard $PEERS; do until_ok 20 answers_to "$peer" h77.lab.internal "$(address_of 77)"; done
for ((run = 1; run <= RUNS; run++)); do
	# shellcheck disable=SC2086
	round "10,000 local names, a tenth not there" names $PEERS
	if has_peer unbound; then
		round "names of others, kept" kept unbound
		seq 1 300000 | sed "s/.*/r$run-&.example A/" >"$DIR/new"
		round "names of others, new" new unbound
	fi
	if wanted "over vhost-user"; then
		figure "10,000 local names over vhost-user" 1/s "$("$B/tests/bench/vhostdns" --cpu "$LOAD_CPU" --seconds "$T" "$DIR/v" | jq '.right_per_s')"
	fi
done
