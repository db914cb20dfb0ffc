#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/54-host-restored.sh - what the modes with a host interface change is undone to the byte: by removal, at the end, by the next start
# after kill -9 at any point; while the engine alone dies nothing changes (AC-10, AC-21, AC-28)
# as: root
# limit: 180
. "$ROOT/tests/net/lib.sh"
command -v nft >/dev/null || absent "nft is not installed"
outside_make
sysctl -qw net.ipv6.conf.outside0.accept_ra=1
ip -6 addr add 2001:db8:1::1/64 dev outside0 nodad
ping -c 1 -W 2 $OUTSIDE >/dev/null
mkdir -p /run/udev /run/NetworkManager/conf.d /run/systemd/netif
touch /run/udev/control /run/NetworkManager/conf.d/other.conf
until_ok 5 sh -c '! ip -6 addr show tentative | grep -q .'

host_state() {
	mkdir -p "$1"
	nft -n list ruleset >"$1/nft"
	ip -d link | sed 's/^[0-9]*: //' >"$1/links"
	ip -d addr | sed -E 's/^[0-9]*: //; s/(valid|preferred)_lft [0-9]+sec/\1/g' >"$1/addresses"
	for f in 4 6; do
		ip -$f route show table all | sed 's/expires [0-9]*sec//; s/ *$//' | grep -v '^multicast ff00' >"$1/routes$f"
		ip -$f rule >"$1/rules$f"
	done
	tc -d qdisc | grep -v 'qdisc noqueue' >"$1/qdiscs" || true
	ip maddr | sed 's/^[0-9]*:\t//' >"$1/groups"
	sysctl -a 2>/dev/null | grep '^net\.' | grep -v 'nf_conntrack_count' >"$1/sysctls"
	find /run -path /run/netns -prune -o -printf '%p %m %s %U\n' | grep -v 'lanyard.*\.\(sock\|pid\)' | sort >"$1/run"
}
same_host() {
	rm -rf "$DIR/now"
	host_state "$DIR/now"
	diff -r "$DIR/before" "$DIR/now" >"$DIR/diff" || fail "$1: the host is not as it was: $(cat "$DIR/diff")"
	printf '   %s: %s lines as they were\n' "$1" "$(cat "$DIR/now"/* | wc -l)"
}
killed() {	# kill -9 of the keeper, and with it the engine
	local engine
	engine=$(pgrep -P "$DAEMON" | head -n 1)
	kill -9 "$DAEMON"
	wait "$DAEMON" 2>/dev/null || true
	[ -z "$engine" ] || until_ok 5 gone "$engine"
}
changes() { json '.changes | length' host-changes; }
host_state "$DIR/before"

say "there, and gone again"
daemon_start
same_host started
lanyard net add lab --mode host-only
lanyard net add far --mode routed --subnet 10.50.0.0/24 --uplink outside0
is "interfaces" "$(ip -br link | grep -c '^ly-')" 2
is "left alone by NetworkManager" "$(cat /run/NetworkManager/conf.d/90-ly-lab.conf | xargs)" "[device-ly-lab] match-device=interface-name:=ly-lab managed=0"
is "by networkd" "$(cat /run/systemd/network/05-ly-far.network | xargs)" "[Match] Name=ly-far [Link] Unmanaged=yes"
has "by what udev starts" "$(cat /run/udev/rules.d/84-ly-lab.rules)" 'ENV\{INTERFACE\}=="ly-lab", ENV\{NM_UNMANAGED\}="1"'
is "mode of what others must read" "$(stat -c %a /run/systemd/network /run/systemd/network/05-ly-far.network | xargs)" "755 644"
lanyard host-changes
n=$(changes)
lanyard net set lab --mtu 1400
lanyard net set lab --subnet 192.168.77.0/24
is "changes, with other settings" "$(changes) $(ls /run/NetworkManager/conf.d/90-ly-lab.conf)" "$n /run/NetworkManager/conf.d/90-ly-lab.conf"
is "the addresses" "$(ip -o addr show dev ly-lab scope global | wc -l)" 2
lanyard net rm lab
is "what the other network needs stays" "$(sysctl -n net.ipv4.conf.outside0.forwarding) $(ls -d /run/systemd/network)" "1 /run/systemd/network"
lanyard net rm far
same_host removed
is "changes" "$(changes)" 0
is "the journal" "$(stat -c %s "$DIR/s/lanyard/host-changes")" 0

say "the daemon ends"
lanyard net add lab --mode host-only
lanyard net add far --mode routed --subnet 10.50.0.0/24 --uplink outside0
daemon_stop
same_host stopped

say "it starts again, and the engine alone dies"
daemon_start
until_ok 5 sh -c 'ip -br addr show dev ly-far | grep -q 10.50.0.1/24'
index=$(ip -o link show ly-lab | cut -d: -f1) n=$(changes)
kill -9 "$(engine_pid)"
until_ok 5 answers
is "the same interface" "$(ip -o link show ly-lab | cut -d: -f1)" "$index"
is "changes" "$(changes)" "$n"

say "kill -9 of both, and a start"
killed
until_ok 2 sh -c '! ip -br link | grep ^ly-'
is "a setting that is left" "$(sysctl -n net.ipv4.conf.outside0.forwarding)" 1
daemon_start
until_ok 5 sh -c 'ip -br addr show dev ly-far | grep -q 10.50.0.1/24'
is "changes" "$(changes)" "$n"
lanyard net rm lab
lanyard net rm far
same_host "removed after that"

say "kill -9 while networks come and go, wherever it strikes"
for n in {1..25}; do
	{
		lanyard net add far --mode routed --subnet 10.50.0.0/24 --uplink outside0
		lanyard net add lab --mode host-only
		lanyard net set far --mtu 1400
		lanyard net rm far
	} >/dev/null 2>&1 &
	asking=$!
	read -r -t "0.0$(printf %02d $((RANDOM % 100)))" -u "$NOTHING" || true
	killed
	wait $asking || true
	daemon_start
	for net in $(json '.networks[].name' net ls); do lanyard net rm "$net" --quiet; done
	same_host "time $n" >/dev/null
done
same_host "all the time"

say "kill -9 of the engine alone, wherever it strikes: the keeper undoes what nobody waited for"
for n in {1..12}; do
	{
		lanyard net add far --mode routed --subnet 10.50.0.0/24 --uplink outside0
		lanyard net set far --mtu 1400
		lanyard net set far --subnet 10.51.0.0/24
		lanyard net rm far
	} >/dev/null 2>&1 &
	asking=$!
	engine=$(engine_pid)
	read -r -t "0.0$(printf %02d $((RANDOM % 100)))" -u "$NOTHING" || true
	kill -9 "$engine"
	wait $asking || true
	until_ok 5 answers
	for net in $(json '.networks[].name' net ls); do lanyard net rm "$net" --quiet; done
	same_host "time $n" >/dev/null
done
same_host "all the time"

say "somebody else has changed a setting meanwhile: it stays his"
lanyard net add far --mode routed --subnet 10.50.0.0/24 --uplink outside0
sysctl -qw net.ipv4.conf.outside0.forwarding=0
lanyard net rm far
same_host "his own"
lanyard net add far --mode routed --subnet 10.50.0.0/24 --uplink outside0
daemon_stop
same_host stopped
