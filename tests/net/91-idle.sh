#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/91-idle.sh - fifty guests that are quiet cost nothing: CPU time and wake-ups of both processes are counted (AC-23)
# limit: 90
. "$ROOT/tests/net/lib.sh"
GUESTS=50 SECONDS_IDLE=5
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
for n in $(seq $GUESTS); do
	"${RUN_AS[@]}" "$B/lanyard" run "lab/g$n" --dhcp none -- sleep 1000 >>"$DIR/boxes.log" 2>&1 &
done
all_up() { [ "$(json '[.ports[] | select(.state == "up")] | length' ps lab)" = $GUESTS ]; }
until_ok 30 all_up
lanyard forward add lab 8080:g1:80
# Guests' kernels ask for routers and announce their addresses for some seconds; what they do is not ours to count.
frames() { json '[.ports[].stats.rx_frames] | add' ps lab; }
still() { local before; before=$(frames); read -r -t 2 -u "$NOTHING" || true; [ "$(frames)" = "$before" ]; }
until_ok 40 still

# used - jiffies of CPU time and voluntary context switches, both processes and all threads
used() {
	local pid cpu=0 woken=0
	for pid in $(keeper_pid) $(engine_pid); do
		cpu=$((cpu + $(awk '{ print $14 + $15 }' "/proc/$pid/stat")))
		woken=$((woken + $(awk '/^voluntary/ { n += $2 } END { print n }' "/proc/$pid"/task/*/status)))
	done
	echo "$cpu $woken"
}
keeper=$(keeper_pid) engine=$(engine_pid)
keeper_pid() { echo "$keeper"; }
engine_pid() { echo "$engine"; }
received=$(frames)
read -r cpu woken < <(used)
read -r -t $SECONDS_IDLE -u "$NOTHING" || true
read -r cpu2 woken2 < <(used)
percent=$(awk -v j=$((cpu2 - cpu)) -v s=$SECONDS_IDLE -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", 100 * j / hz / s }')
printf '   %d guests, %d s: %s %% of a core, %d wake-ups, %d frames from guests\n' $GUESTS $SECONDS_IDLE "$percent" $((woken2 - woken)) $(($(frames) - received))
awk -v p="$percent" 'BEGIN { exit !(p < 1) }' || fail "idle takes $percent % of a core"
[ $((woken2 - woken)) -lt $((2 * SECONDS_IDLE + 2 * ($(frames) - received) + 5)) ] || fail "$((woken2 - woken)) wake-ups in $SECONDS_IDLE s"
