#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/47-live.sh - a network goes from each mode to each other one under a running guest, whose link never goes down; a change that
# cannot be made changes nothing, and one that is only asked about neither
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add other --subnet 10.78.0.0/24
box a1
dhcp a1 >/dev/null
flaps=$(in_box a1 cat /sys/class/net/eth0/carrier_changes)

say "what would happen"
has "a mode" "$(lanyard net set lab --mode internal --dry-run)" 'change +network lab +.*mode: nat-network to internal'
has "a subnet" "$(json '.changes[0].settings | join("; ")' net set lab --subnet 10.79.0.0/24 --dry-run)" 'subnet: 10.77.0.0/24 to 10.79.0.0/24'
is "nothing" "$(lanyard net set lab --mtu 1500 --dry-run)" "nothing to change"
status 1 lanyard net set lab --subnet 10.78.0.0/25 --dry-run
has "an overlap" "$ERR" '10.78.0.0/25 overlaps that of network other'
has "a network" "$(lanyard net add more --mode internal --dry-run)" 'add +network more'
has "its end" "$(lanyard net rm lab --force --dry-run)" 'remove +network lab'
status 1 lanyard net rm lab --dry-run
is "networks" "$(lanyard net ls --json | jq -r '[.networks[] | "\(.name) \(.mode) \(.subnet)"] | join(", ")')" \
	"lab nat-network 10.77.0.0/24, other nat-network 10.78.0.0/24"
if [ "$AS" = root ]; then
	status 1 lanyard net set lab --mode host-only --subnet 198.51.100.0/24 --dry-run
	has "a subnet of the host" "$ERR" '198.51.100.0/24 overlaps 198.51.100.*, which this host has on outside0'
	status 1 lanyard net set lab --mode routed --uplink nowhere0 --dry-run
	has "an uplink" "$ERR" 'uplink nowhere0: this host has no such interface'
	! ip link show ly-lab 2>/dev/null || fail "an interface was made"
fi

say "a VPN comes up that claims the subnet, and what is suggested ends that"
lanyard events >"$DIR/events" &
until_ok 3 lanyard net set other --mtu 1400	# somebody listens by now
ip route add 10.0.0.0/8 via $OUTSIDE
until_ok 5 grep -qE 'event=subnet-clash.* state=begun .*interface=outside0 .*subnet 172' "$DIR/events"
hint=$(json '.warnings[0]' net show lab | grep -o 'lanyard net set lab.*')
has "a free one" "$hint" '^lanyard net set lab --subnet 172\.16\.[0-9]+\.0/24$'
has "doctor" "$(lanyard doctor)" 'WARN +networks +(lab|other): .*overlaps 10\.0\.0\.0/8, which this host now has on outside0'
$hint
dhcp a1 >/dev/null
has "a1's address" "$(address a1)" '^172\.16\.'
ip route del 10.0.0.0/8 via $OUTSIDE
until_ok 5 grep -q 'event=subnet-clash.* state=over' "$DIR/events"
is "warnings" "$(json '.warnings | length' net show lab)" 0
lanyard net set lab --subnet 10.77.0.0/24

say "how many stations are known, and where groups go: nothing is forgotten or cut, and the network is the same one"
box a2 --mac 02:00:00:00:00:a2
dhcp a1 >/dev/null; dhcp a2 >/dev/null
in_box a1 ping -c 1 -W 2 "$(address a2)" >/dev/null
outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7004 hold >"$DIR/serve.log" 2>&1 &
until_ok 5 grep -q listening "$DIR/serve.log"
mkfifo "$DIR/go"
in_box a1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $OUTSIDE 7004 hold <>"$DIR/go" >"$DIR/held" 2>&1 & held=$!
flow() { [ "$(json '[.flows[] | select(.by == "nat" and .state == "open")] | length' flows lab/a1)" = 1 ]; }
until_ok 5 flow
places=$(json '[.fdb[].port] | sort | join(" ")' fdb ls lab)
for setting in "--stations 65536" "--stations 1024" "--snooping true" "--unregistered drop" "--unregistered flood" "--snooping false" "--stations 16384"; do
	# shellcheck disable=SC2086
	lanyard net set lab $setting
	is "$setting: stations" "$(json '[.fdb[].port] | sort | join(" ")' fdb ls lab)" "$places"
	flow || fail "$setting: the flow is not there"
done
echo >"$DIR/go"
wait $held || true
is "the connection, when it is used again" "$(tail -1 "$DIR/held")" end

say "from each mode to each other one"
forms=("--mode nat" "--mode nat-network --nat user" "--mode internal")
[ "$AS" = root ] && forms+=("--mode nat-network --nat kernel" "--mode host-only" "--mode routed --uplink outside0")
lease() { in_box a1 busybox udhcpc -i eth0 -s /bin/true -q -n -t 4 -T 1 >/dev/null 2>&1; }
# shellcheck disable=SC2086
for from in "${forms[@]}"; do
	for to in "${forms[@]}"; do
		[ "$from" != "$to" ] || continue
		lanyard net set lab $from >/dev/null
		lanyard net set lab $to >/dev/null
	done
	lanyard net set lab $from >/dev/null
	lease || fail "no lease in $from"
done
is "carrier changes" "$(in_box a1 cat /sys/class/net/eth0/carrier_changes)" "$flaps"
