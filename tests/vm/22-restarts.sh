#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/22-restarts.sh - QEMU and the switch stop and start in either order, in both roles: traffic is back in two seconds (AC-06)
# limit: 150
# before: tests/vm/kernel.sh
# as: user
#
# vm1 dials lanyard, vm2 is dialled by it; packed rings and split ones. TCP goes on through all restarts of the switch.
# tests/net/83-vhost-restarts.sh counts every frame.
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/vm/guest.sh"
guest_needs
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
declare -A ARGUMENTS IP=([vm1]=10.77.0.11 [vm2]=10.77.0.12)

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
plan() {
	ARGUMENTS[$1]=$(lanyard qemu "lab/$1" --vhost-user --memory 256M "${@:2}")
	[[ ${ARGUMENTS[$1]} == *vectors=0* ]] || ARGUMENTS[$1]+=,vectors=0
}
boot() { spawn "$1"; finish "$1"; }
spawn() { eval "guest_spawn $1 ${ARGUMENTS[$1]}"; }
finish() {
	guest_answer "$1" 60
	is "$1" "$GUEST_STATUS" ready
	guest_run "$1" 20 "ip addr add ${IP[$1]}/24 dev eth0; ip link set eth0 up; mkdir -p /www; head -c 3000000 /dev/urandom >/www/file; httpd -p 80 -h /www"
}
# The guests' own words: nothing is done in them, and nothing to the ports.
reaches() { guest_run vm1 5 "ping -c 1 -W 1 ${IP[vm2]} >/dev/null" && guest_run vm2 5 "ping -c 1 -W 1 ${IP[vm1]} >/dev/null"; }
both_up() { [ "$(json '[.ports[].state] | join(" ")' ps lab)" = "up up" ]; }
back() {
	local begun
	begun=$(now_ms)
	until_ok 2 both_up
	echo "   back in $(($(now_ms) - begun)) ms"
	until_ok 1 reaches
}
crash() {
	local keeper engine
	keeper=$(keeper_pid) engine=$(engine_pid)
	kill -9 "$keeper"
	wait "$DAEMON" 2>/dev/null || true
	until_ok 5 gone "$engine"	# it ends by itself
}

plan vm1 --role server --packed
plan vm2 --role client
boot vm1
boot vm2
back

# fetch_all - vm2 gets the file of vm1 again and again
fetch_all() {
	SUM=$(guest_run vm1 10 'md5sum </www/file' | cut -d' ' -f1)
	guest_run vm2 5 "rm -f /tmp/stop; (until [ -e /tmp/stop ]; do wget -q -O - http://${IP[vm1]}/file | md5sum; done >/tmp/sums) >/tmp/wget 2>&1 &"
}
fetched_all() {
	guest_run vm2 60 'touch /tmp/stop; while pidof wget md5sum >/dev/null; do usleep 50000; done; cat /tmp/sums; cat /tmp/wget >&2' >"$DIR/sums"
	is "of $(wc -l <"$DIR/sums") files of 3 MB wrong" "$(grep -vc "^$SUM " "$DIR/sums" || true)" 0
	[ "$(wc -l <"$DIR/sums")" -ge 1 ] || fail "nothing was transferred"
}
fetch_all
for k in {1..4}; do
	say "$k: the switch stops, and starts again"
	daemon_stop
	daemon_start
	back
done
for k in 5 6; do
	say "$k: the switch is killed, and starts again"
	crash
	daemon_start
	back
done
fetched_all

k=7
for vm in vm1 vm2; do
	say "$k: $vm is killed, and starts again"
	guest_stop $vm KILL
	boot $vm
	back
	k=$((k + 1))
done

say "9: the switch stops, then both guests; these start first"
daemon_stop
guest_stop vm1 KILL
guest_stop vm2 KILL
spawn vm1
spawn vm2
daemon_start
finish vm1
finish vm2
back

say "10: both guests stop, then the switch; which starts first"
guest_stop vm1 KILL
guest_stop vm2 KILL
daemon_stop
daemon_start
boot vm1
boot vm2
back
fetch_all
fetched_all
guest_stop vm1
guest_stop vm2
