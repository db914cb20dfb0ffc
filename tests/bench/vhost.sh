#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/vhost.sh - vhost-user figures, into $DIR/figures: lanyard, and its peers where they are installed
#
#	make bench BENCH=vhost RUNS=5 SECONDS_EACH=2 ONLY=WORD PEERS="lanyard ovs testpmd" SWITCH_CPU=0 LOAD_CPU=1
#
# The load (tests/bench/vhostgen.c) stands on one core, the switch's one thread on another. As root the machine is made quiet
# first: niceness is made to count (no autogroups), huge pages are there for the guests and the peers; what was changed is put
# back at the end. Without root only lanyard runs, with ordinary pages. The series itself is vhost-series.sh, in a sandbox.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export ROOT SWITCH_CPU="${SWITCH_CPU:-0}" LOAD_CPU="${LOAD_CPU:-1}" PEERS="${PEERS:-lanyard ovs testpmd}" AS=root
HUGE_PAGES=1280		# of 2 MiB: OVS 512, testpmd 256, guests the rest
NR_HUGE=/proc/sys/vm/nr_hugepages
# shellcheck source=tests/bench/quiet.sh
. "$ROOT/tests/bench/quiet.sh"

[ "$(nproc)" -gt 1 ] || { echo "bench: vhost-user: one core for the load and one for the switch are needed: skipped" >&2; exit 0; }
without() { PEERS=" $PEERS "; PEERS=${PEERS/ $1 / }; echo "bench: vhost-user: without $1: $2" >&2; }
wants() { [[ " $PEERS " == *" $1 "* ]]; }

restore() {
	quiet_end
	[ -z "${pages:-}" ] || echo "$pages" >$NR_HUGE
}

user=(--user --map-root-user)
if [ "$(id -u)" = 0 ]; then
	user=()
	trap restore EXIT
	trap 'exit 130' INT TERM HUP
	quiet_begin
	if [ -w $NR_HUGE ]; then
		pages=$(<$NR_HUGE)
		[ "$pages" -ge $HUGE_PAGES ] || echo $HUGE_PAGES >$NR_HUGE
	fi
	if [ "$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)" -lt $HUGE_PAGES ]; then
		wants ovs && without ovs "$HUGE_PAGES huge pages are not to be had"
		wants testpmd && without testpmd "$HUGE_PAGES huge pages are not to be had"
	fi
	wants ovs && ! [ -x /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk ] && without ovs "openvswitch-switch-dpdk is not installed"
	wants testpmd && ! command -v dpdk-testpmd >/dev/null && without testpmd "dpdk-dev is not installed"
else
	wants ovs && without ovs "it needs root"
	wants testpmd && without testpmd "it needs root"
fi
export PEERS
for package in openvswitch-switch-dpdk dpdk-dev; do
	wants "$([ $package = dpdk-dev ] && echo testpmd || echo ovs)" && dpkg-query -W -f '${Package} ${Version}\n' $package 2>/dev/null >>"$DIR/peers"
done
"${QUIET[@]}" unshare "${user[@]}" --net --mount --pid --fork --kill-child=KILL --mount-proc \
	bash "$ROOT/tests/run.sh" --inside "$ROOT/tests/bench/${SERIES:-vhost-series.sh}" </dev/null &
inside=$!
trap 'kill -KILL $inside 2>/dev/null; exit 130' INT TERM HUP
wait $inside
