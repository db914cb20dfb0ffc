#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/39-bridged.sh - guests are part of the host's LAN: leases of the LAN's server, everybody reaches everybody, large frames and
# tags pass, nothing of the host is changed but what is listed, and the NIC may go down, be renamed or go away (AC-44; MODES.md, bridged)
# limit: 150
. "$ROOT/tests/net/lib.sh"

nic_make() {
	ip link add nic0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns lan
	ip addr add 10.9.0.1/24 dev nic0
	ip link set nic0 up
	ip -n lan addr add 10.9.0.2/24 dev eth0
	ip -n lan link set eth0 up
}
ip netns add lan
ip -n lan link set lo up
nic_make
in_lan() { ip netns exec lan "$@"; }

if [ "$AS" = user ]; then
	say "without the rights: the command that gives them, and nothing else changed"
	daemon_start
	status 5 lanyard net add lab --mode bridged --uplink nic0
	has "the reason" "$ERR" "no right"
	has "the command" "$ERR" "^hint: once: sudo setcap cap_net_admin,cap_net_raw=ep $B/lanyard-keeper"
	is "networks" "$(json '.networks | length' net ls)" 0
	is "changes" "$(json '.changes | length' host-changes)" 0
	daemon_stop
	exit 0
fi

# host_state - all of the host's links, addresses, routes and rules, without ours; what the NIC listens for is asked for apart
host_state() {
	ip -o link show | grep -v ly- | grep -v 'lo:'
	ip -o addr show | grep -v ly- | sed 's/ [0-9]*sec/ /g'
	ip route show table all
	ip -6 route show table all | grep -v ly- | sed 's/ expires [0-9]*sec//'
	ip rule
	ip neigh show nud permanent
	sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.conf\.(all|default|nic0)\.'
	nft list ruleset 2>/dev/null
	ls /sys/class/net/nic0/brport 2>/dev/null || true
}
trace() { tc qdisc show dev nic0; tc filter show dev nic0 egress; tc filter show dev nic0 ingress; ip -d -o link show nic0 | grep -o 'promiscuity [0-9]*'; }
until_ok 5 sh -c '! ip -6 addr show dev nic0 tentative | grep -q inet6'
host_state >"$DIR/before"
trace >"$DIR/before.tc"

say "what is refused"
daemon_start
status 1 lanyard net add lab --mode bridged
has "no uplink" "$ERR" "uplink: is missing"
status 1 lanyard net add lab --mode bridged --uplink nic7
has "no such uplink" "$ERR" "nic7: this host has no such interface"
status 1 lanyard net add lab --mode bridged --uplink lo
has "no LAN" "$ERR" "lo: is no Ethernet interface"
status 1 lanyard net add lab --mode bridged --uplink nic0 --subnet 10.9.0.0/24
has "a subnet" "$ERR" "subnet: a bridged network has the addresses of the LAN"
status 1 lanyard net add lab --mode bridged --uplink nic0 --dhcp true
has "DHCP" "$ERR" "dhcp"
lanyard net add lab --mode bridged --uplink nic0
status 1 lanyard net add twin --mode bridged --uplink nic0
has "a second network on it" "$ERR" "nic0"
status 1 lanyard forward add lab 8080:web1:80
has "a forward" "$ERR" "mode bridged has no forwards"
is "its ports" "$(json '.ports[] | .name + " " + .kind + " " + .state' ps lab | sort | tr '\n' ';')" "@host host up;@uplink uplink up;"
is "not the user's" "$(json .ports net show lab)" 0

say "a lease of the LAN's"
lan_leases
box web1
box web2
web1=$(dhcp web1)
web2=$(dhcp web2)
has "the first guest" "$web1" '^10\.9\.0\.[5-9][0-9]$'
has "the second" "$web2" '^10\.9\.0\.[5-9][0-9]$'
is "from the LAN's server" "$(in_box web1 ip route show default | awk '{ print $3 }')" 10.9.0.2

say "everybody reaches everybody"
host() { "$@"; }
guest() { in_box web1 "$@"; }
pings() { local who=$1; shift; $who ping -c 1 -W 2 "$@" >/dev/null 2>&1 && echo yes || echo no; }
all_ping() {
	is "guest to LAN" "$(pings guest 10.9.0.2)" yes
	is "LAN to guest" "$(pings in_lan "$web1")" yes
	is "guest to host" "$(pings guest 10.9.0.1)" yes
	is "host to guest" "$(pings host "$web1")" yes
	is "guest to guest" "$(pings guest "$web2")" yes
	is "host to LAN" "$(pings host 10.9.0.2)" yes
}
all_ping
is "known to the switch" "$(lanyard ip lab/web1)" "$web1"
is "1500 bytes to the LAN" "$(pings guest -M do -s 1472 10.9.0.2)" yes
is "1500 bytes to the host" "$(pings guest -M do -s 1472 10.9.0.1)" yes
is "1500 bytes from the host" "$(pings host -M do -s 1472 "$web1")" yes
is "one more" "$(pings host -M do -s 1473 "$web1")" no
is "9000 bytes in fragments" "$(pings host -s 9000 "$web1")" yes
link_local() { in_box web1 ip -6 -o addr show dev eth0 scope link -tentative | grep -o 'fe80[0-9a-f:]*'; }
until_ok 5 link_local
six=$(link_local)
is "IPv6 from the host" "$(pings host "$six%nic0")" yes
is "IPv6 from the LAN" "$(ip netns exec lan ping -c 1 -W 2 "$six%eth0" >/dev/null 2>&1 && echo yes || echo no)" yes
is "IPv6 to the host" "$(pings guest "$(ip -6 -o addr show dev nic0 scope link | grep -o 'fe80[0-9a-f:]*')%eth0")" yes

say "TCP both ways, in large frames"
call() { local who=$1; shift; $who /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
serve() { local who=$1; shift; $who /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve "$@" >/dev/null 2>&1 & }
serve guest 7001 echo
serve host 7002 echo
serve in_lan 7003 echo
serve guest 7004 name
until_ok 5 call host 10.9.0.1 7002 echo
until_ok 5 call in_lan 10.9.0.2 7003 echo
until_ok 5 call guest "$web1" 7001 echo
stat() { json ".ports[] | select(.name == \"$1\") | .stats.$2" ps lab; }
large() {	# large WHAT PORT DIRECTION COMMAND... - frames of that port are larger than 3,000 bytes, on the average
	local what=$1 port=$2 way=$3 frames bytes; shift 3
	frames=$(stat "$port" "${way}_frames") bytes=$(stat "$port" "${way}_bytes")
	is "$what" "$("$@")" same
	frames=$(($(stat "$port" "${way}_frames") - frames)) bytes=$(($(stat "$port" "${way}_bytes") - bytes))
	[ "$bytes" -gt $((3000 * frames)) ] || fail "$what: $bytes bytes in $frames frames"
}
large "host to guest" @host rx call host "$web1" 7001 echo
large "guest to host" @host tx call guest 10.9.0.1 7002 echo
large "guest to LAN" @uplink tx call guest 10.9.0.2 7003 echo
large "LAN to guest" @uplink rx call in_lan "$web1" 7001 echo
is "as itself" "$(call guest "$web1" 7004 name)" "$web1"
is "whom the guest sees from the host" "$(call host "$web1" 7004 name)" 10.9.0.1

say "what is for a guest does not leave on the wire"
in_lan tcpdump -n -i eth0 -U -w "$DIR/wire.pcap" 'ether src 02:00:00:00:00:01' 2>"$DIR/tcpdump" &
until_ok 5 grep -q listening "$DIR/tcpdump"
ping -c 3 -i 0.2 "$web1" >/dev/null
ping -c 1 10.9.0.2 >/dev/null
seen() { tcpdump -n -r "$DIR/wire.pcap" "$@" 2>/dev/null | wc -l; }
saw_lan() { [ "$(seen icmp and dst 10.9.0.2)" -gt 0 ]; }
until_ok 5 saw_lan
is "frames of the host to the guest on the wire" "$(seen icmp and dst "$web1")" 0

say "tags"
box tagged
lanyard port set lab/tagged --vlan 10
in_box tagged ip addr add 10.9.10.50/24 dev eth0
in_lan /usr/bin/python3 "$ROOT/tests/net/tagged.py" eth0 10 10.9.10.2 2>"$DIR/tagged.lan" &
/usr/bin/python3 "$ROOT/tests/net/tagged.py" nic0 10 10.9.10.1 2>"$DIR/tagged.host" &
until_ok 5 in_box tagged ping -c 1 -W 1 10.9.10.2
until_ok 5 in_box tagged ping -c 1 -W 1 10.9.10.1
is "the LAN's VLAN" "$(json '.fdb[] | select(.mac == "02:00:00:00:00:02" and .vid == 10) | .port' fdb ls lab)" @uplink
is "the host's VLAN" "$(json '.fdb[] | select(.mac == "02:00:00:00:00:01" and .vid == 10) | .port' fdb ls lab)" @host
is "no way around the tag" "$(in_box tagged ping -c 1 -W 1 10.9.0.2 >/dev/null 2>&1 && echo yes || echo no)" no
kill %?eth0\ 10 %?nic0\ 10
box_end tagged

say "the host is as it was, but for what is listed"
host_state >"$DIR/during"
diff "$DIR/before" "$DIR/during" || fail "the host is another"
is "changes" "$(json '[.changes[] | select(.kind == "filter" or .kind == "interface") | .kind + " " + .target] | sort | join("; ")' host-changes)" \
	"filter nic0; interface ly-lab"
is "warnings" "$(json '.warnings | length' net show lab)" 0

say "the NIC goes down and comes back"
state() { json '.ports[] | select(.name == "@uplink") | .state + " " + .reason' ps lab; }
state_is() { [ "$(state)" = "$1" ]; }
ip link set nic0 down
until_ok 5 state_is "down nic0 is down"
is "guest to guest" "$(pings guest "$web2")" yes
ip link set nic0 up
until_ok 5 state_is "up "
reach() { [ "$(pings guest 10.9.0.2)" = yes ] && [ "$(pings host "$web1")" = yes ]; }
until_ok 10 reach
in_lan ip link set eth0 down
until_ok 5 state_is "down nic0 has no carrier"
in_lan ip link set eth0 up
until_ok 5 state_is "up "
until_ok 10 reach

say "another address"
ip link set nic0 address 02:00:00:00:00:99
until_ok 5 sh -c 'ip -o link show ly-lab | grep -q 02:00:00:00:00:99'
until_ok 10 reach
ip link set nic0 address 02:00:00:00:00:01
until_ok 5 sh -c 'ip -o link show ly-lab | grep -q 02:00:00:00:00:01'
until_ok 10 reach

say "another name"
ip link set nic0 down; ip link set nic0 name nic1; ip link set nic1 up
until_ok 5 state_is "up nic0 is called nic1 now: lanyard net set lab --uplink nic1"
until_ok 10 reach
lanyard net set lab --uplink nic1
until_ok 5 state_is "up "
until_ok 10 reach
ip link set nic1 down; ip link set nic1 name nic0; ip link set nic0 up
lanyard net set lab --uplink nic0
until_ok 10 reach

say "it goes away, and another one of its name comes"
ip link del nic0
until_ok 5 state_is "failed uplink nic0: this host has no such interface"
is "guest to guest" "$(pings guest "$web2")" yes
has "the host" "$(json '.warnings[0]' net show lab)" "do not reach one another"
nic_make
until_ok 10 state_is "up "
until_ok 10 reach
all_ping

say "the engine dies, then the keeper"
engine=$(engine_pid)
kill -9 "$engine"
until_ok 5 gone "$engine"
until_ok 10 answers
until_ok 10 reach
kill -9 "$(keeper_pid)"
wait "$DAEMON" || true
until_ok 5 sh -c '! ip link show ly-lab 2>/dev/null'
daemon_start
until_ok 10 reach
is "changes" "$(json '[.changes[] | select(.kind == "filter")] | length' host-changes)" 1

say "where the host cannot be joined the LAN is reached all the same"
box_end web1
box_end web2
lanyard net rm lab
tc qdisc add dev nic0 ingress		# somebody's
lanyard net add lab --mode bridged --uplink nic0
is "the host's port" "$(json '.ports[] | select(.name == "@host") | .state' ps lab)" failed
has "why" "$(json '.warnings[0]' net show lab)" "this host and the guests do not reach one another: the uplink has an ingress qdisc"
box web3
in_box web3 ip addr add 10.9.0.60/24 dev eth0
is "guest to LAN" "$(in_box web3 ping -c 1 -W 2 10.9.0.2 >/dev/null && echo yes)" yes
is "LAN to guest" "$(pings in_lan 10.9.0.60)" yes
tc qdisc del dev nic0 ingress
joined() { [ "$(json '.warnings | length' net show lab)" = 0 ] && [ "$(pings host 10.9.0.60)" = yes ]; }
until_ok 10 joined
box_end web3

say "nothing is left"
lanyard net rm lab
is "changes" "$(json '.changes | length' host-changes)" 0
trace | diff "$DIR/before.tc" - || fail "something is left on the NIC"
ip link show ly-lab >/dev/null 2>&1 && fail "the interface is left"
lanyard net add lab --mode bridged --uplink nic0
kill -9 "$(keeper_pid)"
wait "$DAEMON" || true
sqlite3 "$(find "$DIR/s" -name '*.db' | head -n 1)" 'select 1' >/dev/null 2>&1 || true
daemon_start
lanyard net rm lab
tc qdisc add dev nic0 clsact		# an administrator's
lanyard net add lab --mode bridged --uplink nic0
daemon_stop
has "hooks that were there" "$(tc qdisc show dev nic0)" clsact
tc qdisc del dev nic0 clsact
trace | diff "$DIR/before.tc" - || fail "something is left on the NIC"
