#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/21-testpmd.sh - DPDK's virtio-user over vhost-user without huge pages: every kind of ring, and each frame accounted for
# limit: 150
# as: user
#
# A testpmd has two ports, attached to two of lanyard's, and sends out on the one what it receives on the other ("io"). It
# begins with some frames on each; they go round and round until it stops. Whatever is lost or doubled on the way changes
# how many there are in the end.
. "$ROOT/tests/net/lib.sh"
command -v dpdk-testpmd >/dev/null || absent "no dpdk-testpmd (dpdk-dev)"
[ "$(nproc)" -gt 1 ] || skip "one core for testpmd and one for the switch are needed"
daemon_start
lanyard net add lab --mode internal

pmd() { echo "$*" >&"$PMD_IN"; }
pause() { read -r -t "$1" -u "$NOTHING" || true; }
stat() { json ".ports[] | select(.name == \"$1\") | $2" ps lab; }

# pmd_start CORES-AND-MEMORY-ARGUMENT... -- TESTPMD-ARGUMENT... - both vdevs are in $VDEVS
pmd_start() {
	local eal=()
	while [ "$1" != -- ]; do eal+=("$1"); shift; done
	shift
	rm -f "$DIR/pmd.in"
	mkfifo "$DIR/pmd.in"
	chmod 666 "$DIR/pmd.in"
	exec {PMD_IN}<>"$DIR/pmd.in"
	"${RUN_AS[@]}" stdbuf -oL dpdk-testpmd --no-huge -m 192 --no-pci --no-shconf --no-telemetry -l 0,1 --log-level=pmd.net.virtio.init:debug \
		"${eal[@]}" "${VDEVS[@]}" -- -i --txonly-multi-flow --eth-peer=0,02:00:00:00:00:0b --eth-peer=1,02:00:00:00:00:0a --no-flush-rx "$@" \
		<"$DIR/pmd.in" >"$DIR/pmd.log" 2>&1 &
	PMD=$!
	until_ok 20 pmd_speaks
	grep -q 'testpmd> ' "$DIR/pmd.log" || { tail -n 5 "$DIR/pmd.log"; fail "testpmd ended"; }
}
pmd_speaks() { gone $PMD || grep -q 'testpmd> ' "$DIR/pmd.log"; }
pmd_end() {
	pmd quit
	wait $PMD || true
	exec {PMD_IN}>&-
}

# ports ROLE QUEUES SETTING... - a and b, of lanyard's role; VDEVS for them
ports() {
	local role=$1 queues=$2 n=0 name; shift 2
	VDEVS=()
	for name in a b; do
		lanyard port add lab/$name --vhost-user "$DIR/r/$name.sock" --role "$role" --queues "$queues" --quiet
		VDEVS+=("--vdev=net_virtio_user$n,path=$DIR/r/$name.sock,mac=02:00:00:00:00:0$name,server=$([ "$role" = client ] && echo 1 || echo 0),queues=$queues,$*")
		n=$((n + 1))
	done
}
ports_end() {
	lanyard port rm lab/a --quiet
	lanyard port rm lab/b --quiet
	rm -f "$DIR"/r/[ab].sock
}

# circulate N SECONDS - 32 N frames on each queue of both ports; what happens in the meantime is the caller's: $DURING
circulate() {
	pmd start tx_first "$1"
	until_ok 5 runs
	${DURING:-pause} "$2"
	pmd stop
	pmd set fwd rxonly	# what is in the rings still
	pmd start
	pause 0.2
	pmd stop
	pmd show port stats all
	pmd set fwd io
	until_ok 5 counted
}
runs() { [ "$(stat b .stats.tx_frames)" -gt 1000 ]; }
counted() { [ "$(grep -c 'NIC statistics' "$DIR/pmd.log")" = 2 ]; }
# of_port N WORD - a figure of testpmd's
of_port() { sed -n "/NIC statistics for port $1/,/####\$/p" "$DIR/pmd.log" | sed -nE "s/.*$2: +([0-9]+).*/\1/p" | head -n 1; }

# feature BIT NAME WANTED - as both ports negotiated it
feature() {
	local set n=0
	while read -r set; do
		[ $((0x$set >> $1 & 1)) = "$3" ] || fail "$2 is $((0x$set >> $1 & 1)), not $3"
		n=$((n + 1))
	done < <(sed -nE 's/.*features after negotiate = ([0-9a-f]+).*/\1/p' "$DIR/pmd.log")
	[ $n -ge 2 ] || fail "testpmd does not say what it negotiated"
}

# one ROLE PACKED IN-ORDER MERGEABLE QUEUES SIZE [WHAT]
one() {
	local role=$1 packed=$2 order=$3 merge=$4 queues=$5 size=$6 what=${7:-} eal=() args=(--rxq="$5" --txq="$5" --total-num-mbufs=40000)
	local sent_a sent_b got_a got_b
	case $what in
	vectorized) eal=(--force-max-simd-bitwidth=512) ;;
	pieces) args+=("--txpkts=100,414,1000") ;;
	small) args+=("--txpkts=100,414,1000" --mbuf-size=640 --enable-scatter) ;;
	esac
	ports "$role" "$queues" "packed_vq=$packed,in_order=$order,mrg_rxbuf=$merge,queue_size=$size$([ "$what" = vectorized ] && echo ,vectorized=1)"
	pmd_start "${eal[@]}" -- "${args[@]}"
	feature 34 packed "$packed"
	feature 35 in-order "$order"
	feature 15 mergeable "$merge"
	circulate 1 0.3
	sent_a=$(of_port 0 TX-packets) sent_b=$(of_port 1 TX-packets) got_a=$(of_port 0 RX-packets) got_b=$(of_port 1 RX-packets)
	printf '   %-6s packed %s in-order %s mergeable %s, %s queues of %-5s %s: %s and %s frames; %s\n' "$role" "$packed" "$order" "$merge" "$queues" \
		"$size" "$what" "$got_b" "$got_a" "$(sed -nE 's/.*virtio: using (.*Rx path).*port 0.*/\1/p' "$DIR/pmd.log" | head -n 1)"
	[ "$(stat a .stats.rx_frames)" = "$sent_a" ] || fail "port a: testpmd sent $sent_a, lanyard received $(stat a .stats.rx_frames)"
	[ "$(stat b .stats.rx_frames)" = "$sent_b" ] || fail "port b: testpmd sent $sent_b, lanyard received $(stat b .stats.rx_frames)"
	[ "$(stat a .stats.tx_frames)" = "$got_a" ] || fail "port a: testpmd received $got_a, lanyard sent $(stat a .stats.tx_frames)"
	[ "$(stat b .stats.tx_frames)" = "$got_b" ] || fail "port b: testpmd received $got_b, lanyard sent $(stat b .stats.tx_frames)"
	[ "$sent_a $sent_b" = "$got_b $got_a" ] || fail "sent $sent_a and $sent_b, received $got_b and $got_a"
	pmd_end
	ports_end
}

say "every kind of ring: what is sent on one port is received on the other, to the frame"
#   role   packed in-order mergeable queues size
one server 0 0 0 1 256
one client 0 0 1 4 1024 pieces
one server 0 1 0 4 256 pieces
one client 0 1 1 1 1024
one client 1 0 0 1 1024 pieces
one server 1 0 1 4 256
one client 1 1 0 4 1024
one server 1 1 1 1 256 pieces
one server 0 0 0 1 64 vectorized
one server 1 1 0 1 256 vectorized
one server 0 0 1 1 32768 small
one server 1 0 1 8 1024 small
