#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/74-netns.sh - a namespace or a TAP that the daemon opens itself: by name, pid and path
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

if [ "$AS" = user ]; then
	say "an ordinary user: a namespace of its own, by pid; the host's are refused"
	as_lanyard unshare --user --map-root-user --net sh -c 'echo $$ >"$0"; exec sleep 1000' "$DIR/own.pid" &
	until_ok 5 test -s "$DIR/own.pid"
	BOX[own]=$(<"$DIR/own.pid")
	if [ "${RUN_AS[0]}" = setpriv ]; then
		lanyard port add lab/own --netns "${BOX[own]}"
		has "address" "$(dhcp own)" '^10\.77\.0\.'
	fi
	ip netns add roots
	status 5 lanyard port add lab/roots --netns roots
	status 5 lanyard port add lab/tap --tap lytap0
	has "what helps" "$ERR" 'hint: '
	exit 0
fi

for way in name pid path; do
	ip netns add "by-$way"
	ip netns exec "by-$way" sleep 1000 &
	pid=$!
	until_ok 3 sh -c "[ \"\$(ip netns identify $pid)\" = by-$way ]"
	case $way in name) where=by-name ;; pid) where=$pid ;; path) where=/run/netns/by-path ;; esac
	lanyard port add "lab/$way" --netns "$where" --ifname lan0
	BOX[$way]=$pid
	ip -n "by-$way" link set lo up
	in_box "$way" env LEASE_FILE=/dev/null busybox udhcpc -q -n -i lan0 -s "$ROOT/scripts/udhcpc.script" >/dev/null 2>&1
	has "$way" "$(ip -n "by-$way" -4 -o addr show dev lan0)" '10\.77\.0\.'
	has "medium" "$(json ".ports[] | select(.name == \"$way\") | .medium" ps lab)" '^(tap|packet)$'
done
in_box name ping -c 1 -W 2 path.lab.internal >/dev/null 2>&1 || in_box name ping -c 1 -W 2 "$(lanyard ip lab/path)" >/dev/null

say "removing the port removes its interface"
lanyard port rm lab/name
no_interface() { ! ip -n by-name link show lan0 >/dev/null 2>&1; }
until_ok 3 no_interface

say "a TAP whose kernel side is the host itself"
if [ -w /dev/net/tun ]; then
	lanyard port add lab/kernel --tap lytap0
	ip link set lytap0 up
	busybox udhcpc -q -n -i lytap0 -s "$ROOT/scripts/udhcpc.script" >/dev/null 2>&1
	has "address" "$(ip -4 -o addr show dev lytap0)" '10\.77\.0\.'
	ping -c 1 -W 2 "$(lanyard ip lab/pid)" >/dev/null
	lanyard port rm lab/kernel
	no_tap() { ! ip link show lytap0 >/dev/null 2>&1; }
	until_ok 3 no_tap
fi
