#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/55-faults.sh - each step by which the host is changed fails once, under the running daemon: the command says which step it was, the host is as it
# was, the daemon goes on, and a second try succeeds. A sample of them; FAULT_STEP=1 ONLY=55 make check-net has every one fail, in ten minutes.
# as: root
# limit: 1800
. "$ROOT/tests/net/lib.sh"

ip link add up0 type veth peer name up1
for i in up0 up1; do ip link set $i addrgenmode none up; done
ip addr add 198.51.100.1/24 dev up0
ip route add default via 198.51.100.2
nft add table ip others
sysctl -qw net.ipv6.conf.default.accept_dad=0

coproc FAULTED { exec "$B/tests/net/faulted" "$B/lanyardd" "${PLACES[@]}" 2>>"$DIR/lanyardd.log"; }
DAEMON=$FAULTED_PID
until_ok 10 answers
told() { local line; echo "$*" >&"${FAULTED[1]}"; read -r -t 5 line <&"${FAULTED[0]}"; echo "$line"; }
is "armed" "$(told 100000 12)" armed

# host_state - all that the keeper touches, as sorted lines without what changes by itself
host_state() {
	{
		ip -o addr; ip -o link; ip route show table all; ip -6 route show table all; tc qdisc; tc filter show dev up0 egress; tc filter show dev up0 ingress
		nft list ruleset
		grep -r . /proc/sys/net/ipv4/conf/*/{forwarding,route_localnet} /proc/sys/net/ipv6/conf/*/{forwarding,accept_ra} /proc/sys/net/netfilter/nf_conntrack_icmp*_timeout
		ss -Hltun
	} 2>/dev/null | tr '{},' '\n' | sed -E 's/^[0-9]+: //; s/^[ \t]+//; s/(valid|preferred)_lft [0-9]+sec//g; s/state [A-Z]+//; s/tentative //
		s/expires [0-9]*sec//; s/index [0-9]+ ref//; /^multicast|noqueue/d' | sort
}
same() { host_state >"$DIR/now"; diff "$DIR/$1" "$DIR/now" >"$DIR/diff"; }
# settles FILE WHEN - the host is as FILE says, at once or after a moment: what the kernel takes away it takes away by and by
settles() {
	local end=$((${EPOCHREALTIME/./} + 10000000))
	until same "$1"; do
		[ "${EPOCHREALTIME/./}" -lt $end ] || fail "$2: the host is not as it should be ($1): $(<"$DIR/diff")"
	done
}
# warned - what a network can do without is told, and is no reason to refuse it
warned() { [ "$(for net in $(json '.networks[].name' net ls); do json '.warnings[]?' net show "$net"; done | wc -l)" -gt 0 ]; }
# stays - what the host did not let go of is told, and noted for the next time
stays() { tail -n "+$((LINES_BEFORE + 1))" "$DIR/lanyardd.log" | grep -q host-change-stays && [ "$(json '.changes | length' host-changes)" -gt 0 ]; }
LINES_BEFORE=0
ERRORS=(12 1 16) NAMES=([12]="Cannot allocate memory" [1]="Operation not permitted" [16]="Device or resource busy")

# tries WHAT CHANGE UNDO - from now on: CHANGE with each of its steps failing; after one that was refused all is as it was, and CHANGE can be made
tries() {
	local what=$1 change=$2 undo=$3 step=${FAULT_STEP:-0} n=0 count rc failed=0 at
	host_state >"$DIR/before"
	told 100000 12 >/dev/null
	$change >/dev/null || fail "$what, without a fault"
	count=$(told off)
	count=${count% *}
	host_state >"$DIR/after"
	$undo >/dev/null || fail "$what: undone"
	settles before "$what: undone"
	[ "$step" -gt 0 ] || step=$((count / ${SAMPLES:-2} + 1))
	for ((at = step / 2; at < count; at += step)); do
		n=$((n + 1)) rc=0
		LINES_BEFORE=$(wc -l <"$DIR/lanyardd.log")
		told "$at" "${ERRORS[n % 3]}" >/dev/null
		$change >"$DIR/out" 2>"$DIR/err" || rc=$?
		told off >"$DIR/struck"
		if [ $rc = 0 ]; then
			same after || warned || stays || settles after "$what, step $at ($(<"$DIR/struck"))"
		else
			failed=$((failed + 1))
			if [ "$(wc -c <"$DIR/err")" -le 30 ] || grep -qxE "lanyard: ${NAMES[${ERRORS[n % 3]}]}" "$DIR/err"; then
				fail "$what, step $at ($(<"$DIR/struck")): says '$(<"$DIR/err")'"
			fi
			answers || fail "$what, step $at ($(<"$DIR/struck")): the daemon does not answer"
			settles before "$what, step $at ($(<"$DIR/struck")), refused: $(<"$DIR/err")"
			$change >"$DIR/out" 2>"$DIR/err" || fail "$what, step $at ($(<"$DIR/struck")): a second try: $(<"$DIR/err")"
		fi
		$undo >/dev/null
		settles before "$what, step $at ($(<"$DIR/struck")), and back"
	done
	printf '   %s: %s steps, %s tried, %s refused\n' "$what" "$count" "$n" "$failed"
}

say "a network comes"
make_host_only() { lanyard net add x --mode host-only --subnet 192.168.56.0/24; }
make_routed() { lanyard net add x --mode routed --subnet 10.9.0.0/24 --uplink up0; }
make_kernel() { lanyard net add x --nat kernel --subnet 10.9.0.0/24; }
make_bridged() { lanyard net add x --mode bridged --uplink up0; }
gone_x() { lanyard net rm x --force; }
for mode in host_only routed kernel bridged; do tries "$mode" make_$mode gone_x; done

say "a network goes: what cannot be undone is told, stays in the journal, and is undone when it comes again"
host_state >"$DIR/before"
for mode in host_only routed kernel bridged; do
	make_$mode >/dev/null
	told 100000 12 >/dev/null
	gone_x >/dev/null
	count=$(told off)
	count=${count% *} step=${FAULT_STEP:-$((count / 2 + 1))} left=0
	settles before "$mode: gone"
	for ((at = step / 2; at < count; at += step)); do
		make_$mode >/dev/null
		LINES_BEFORE=$(wc -l <"$DIR/lanyardd.log")
		told "$at" "${ERRORS[at % 3]}" >/dev/null
		gone_x >/dev/null
		told off >"$DIR/struck"
		answers || fail "$mode goes, step $at ($(<"$DIR/struck")): the daemon does not answer"
		if stays; then
			left=$((left + 1))
			make_$mode >/dev/null
			gone_x >/dev/null
		fi
		settles before "$mode goes, step $at ($(<"$DIR/struck"))"
	done
	printf '   %s: %s steps, %s left something\n' "$mode" "$count" "$left"
done

say "it is changed while it is there"
lanyard net add y --mode internal --subnet 10.8.0.0/24 >/dev/null
as_internal() { lanyard net set y --mode internal; }
as_user() { lanyard net set y --mode nat-network --nat user; }
tries "internal to host-only" "lanyard net set y --mode host-only" as_internal
tries "internal to routed" "lanyard net set y --mode routed --uplink up0" as_internal
as_user >/dev/null
tries "user NAT to kernel NAT" "lanyard net set y --nat kernel" as_user
lanyard net set y --nat kernel >/dev/null
back() { lanyard net set y --subnet 10.8.0.0/24 --mtu 1500 --host-access own; }
tries "subnet, MTU and host_access" "lanyard net set y --subnet 10.7.0.0/24 --mtu 1400 --host-access loopback" back
unforward() { lanyard forward rm y 8080; }
tries "a forward" "lanyard forward add y 8080:10.8.0.7:80 --listen 198.51.100.1" unforward
