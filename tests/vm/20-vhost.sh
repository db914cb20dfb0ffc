#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/20-vhost.sh - QEMU guests over vhost-user: split and packed rings, one and four queue pairs, both roles; kill -9 of all
# limit: 280
# before: tests/vm/kernel.sh
# as: user
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/vm/guest.sh"
guest_needs
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
took() { echo "   $1 in $(($(now_ms) - begun)) ms"; }
show() { json ".ports[] | select(.name == \"$1\") | \"\(.state): \(.reason)\"" ps lab; }
in_state() { [ "$(show "$1")" = "$2" ] || { show "$1"; return 1; }; }
lease() { guest_run "$1" 30 'udhcpc -i eth0 -n -q -t 10 -T 1 -s /etc/udhcpc/default.script >/dev/null 2>&1'; }
reaches() { guest_run "$1" 5 "ping -c 1 -W 1 $2 >/dev/null"; }

# arguments NAME ROLE QUEUES RINGS - what lanyard prints; QEMU 7.2 without KVM also needs vectors=0, which it says itself
arguments() {
	local flags=(--vhost-user --role "$2" --queues "$3" --memory 256M)
	[ "$4" = split ] || flags+=(--packed)
	ARGUMENTS=$(lanyard qemu "lab/$1" "${flags[@]}")
	[[ $ARGUMENTS == *vectors=0* ]] || ARGUMENTS+=,vectors=0
	echo "   $ARGUMENTS"
}

# boot NAME ROLE QUEUES RINGS - a guest with a lease, its rings as ordered
boot() {
	say "$1: lanyard is the $2, $3 queue pairs, $4 rings"
	arguments "$@"
	begun=$(now_ms)
	eval "guest_start $1 -smp $3 $ARGUMENTS"
	took booted
	until_ok 5 in_state "$1" "up: "
	is "packed" "$(guest_run "$1" 5 'cut -c35 /sys/class/net/eth0/device/features')" "$([ "$4" = split ] && echo 0 || echo 1)"
	is "queue pairs" "$(guest_run "$1" 5 'ls -d /sys/class/net/eth0/queues/tx-* | wc -l')" "$3"
	lease "$1"
	IP[$1]=$(json ".leases[] | select(.port == \"$1\") | .ip" lease ls lab)
	has "address" "$(guest_run "$1" 5 'ip -4 -o addr show dev eth0')" "${IP[$1]}/24"
}
declare -A IP

# few_lost N - of the pings in $DIR/ping, ten a second
few_lost() {
	local lost
	lost=$(sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) .*/\1 - \2/p' "$DIR/ping")
	[ $((lost)) -le "$1" ] || fail "$lost pings of ten a second were lost"
}

# fetch FROM TO - 100 MB by TCP in four connections at once, which the processors and queues of both share
fetch() {
	begun=$(now_ms)
	guest_run "$2" 90 "for i in 0 1 2 3; do wget -q -O /tmp/in\$i http://$1/part\$i & done; wait; cat /tmp/in? | md5sum" >"$DIR/sum"
	is "100 MB from $1 to $2" "$(cut -d' ' -f1 "$DIR/sum")" "$WANT"
	took "by TCP"
}

# serves NAME - the guest gets the file in four parts, by way of NAT, gives them back, and to whoever asks
serves() {
	local i up=()
	begun=$(now_ms)
	guest_run "$1" 90 "for i in 0 1 2 3; do wget -q -O /tmp/in\$i http://$GATEWAY:8001/part\$i & done; wait; cat /tmp/in? | md5sum" >"$DIR/sum"
	is "100 MB down through NAT to $1" "$(cut -d' ' -f1 "$DIR/sum")" "$WANT"
	took "by TCP"
	begun=$(now_ms)
	for i in 0 1 2 3; do
		busybox nc -l -p 801$i <&"$NOTHING" >"$DIR/up$i" &
		up+=($!)
		until_ok 5 listens $HOST:801$i
	done
	guest_run "$1" 90 "for i in 0 1 2 3; do nc $GATEWAY 801\$i </tmp/in\$i & done; wait"
	wait "${up[@]}"
	is "100 MB up through NAT from $1" "$(cat "$DIR"/up? | md5sum | cut -d' ' -f1)" "$WANT"
	took "by TCP"
	offers "$1"
}

# offers NAME - what the guest has fetched is to be had from it
offers() { guest_run "$1" 10 "mkdir -p /tmp/www && cd /tmp/www && for i in 0 1 2 3; do mv /tmp/in\$i part\$i; done && httpd -p 80 -h /tmp/www"; }

head -c 100000000 /dev/urandom >"$DIR/www/file"
GATEWAY=10.77.0.1	# by number: the host offers nothing by IPv6 here
WANT=$(md5sum <"$DIR/www/file" | cut -d' ' -f1)
split -n 4 -d -a 1 "$DIR/www/file" "$DIR/www/part"
http_serve $HOST:8001 "$DIR/www"

boot vm1 server 1 split
boot vm2 client 4 packed
say "names, and 100 MB here and there"
guest_run vm1 10 'ping -c 2 -W 2 vm2' | grep ' 0% packet loss'
guest_run vm2 10 'ping -c 2 -W 2 vm1' | grep ' 0% packet loss'
serves vm1
fetch vm1 vm2

say "kill -9 of the engine under traffic: no port is lost, no connection, and at most a second"
received() { json '.ports[] | select(.name == "vm2") | .stats.tx_bytes' ps lab; }
more() { [ "$(received)" -gt $((before + 2000000)) ]; }
before=$(received)
guest_run vm1 5 "ping -i 0.1 -c 50 vm2 >/tmp/ping 2>&1 &"
guest_run vm2 5 "(wget -q -O /tmp/in0 http://vm1/part0; md5sum </tmp/in0 >/tmp/sum) >/tmp/wget 2>&1 &"
until_ok 5 more
engine=$(engine_pid)
kill -9 "$engine"
begun=$(now_ms)
back() { answers && [ "$(engine_pid)" != "$engine" ]; }
until_ok 3 back
took "another engine"
is "vm1" "$(show vm1)" "up: "
is "vm2" "$(show vm2)" "up: "
guest_run vm1 20 'while pidof ping >/dev/null; do usleep 100000; done; tail -n 2 /tmp/ping' | tee "$DIR/ping"
few_lost 10
guest_run vm2 60 'while pidof wget md5sum >/dev/null; do usleep 100000; done; cat /tmp/sum /tmp/wget' >"$DIR/sum"
is "the transfer" "$(cut -d' ' -f1 "$DIR/sum")" "$(md5sum <"$DIR/www/part0" | cut -d' ' -f1)"

say "QEMU killed and started again, with other rings"
guest_stop vm1 KILL
until_ok 3 in_state vm1 "pending: waits for its front-end to connect"
boot vm1 server 1 packed
offers vm2
fetch vm2 vm1
guest_stop vm2 KILL
boot vm2 client 4 split
offers vm1
fetch vm1 vm2

say "the whole daemon ends and is started again: QEMU finds it, or is found"
guest_run vm2 5 "ping -i 0.1 -c 60 vm1 >/tmp/ping 2>&1 &"
daemon_stop
begun=$(now_ms)
daemon_start
until_ok 5 in_state vm1 "up: "
until_ok 5 in_state vm2 "up: "
took "both are up"
guest_run vm2 20 'while pidof ping >/dev/null; do usleep 100000; done; tail -n 2 /tmp/ping' | tee "$DIR/ping"
few_lost 30
guest_run vm2 60 "wget -q -O - http://vm1/part1 | md5sum" >"$DIR/sum"
is "25 MB of it" "$(cut -d' ' -f1 "$DIR/sum")" "$(md5sum <"$DIR/www/part1" | cut -d' ' -f1)"
guest_stop vm1
guest_stop vm2

say "a network of large frames: the guest learns its MTU from the device"
lanyard net add jumbo --subnet 10.78.0.0/24 --mtu 9000
ARGUMENTS=$(lanyard qemu jumbo/vm3 --vhost-user --memory 256M)
has "arguments" "$ARGUMENTS" 'host_mtu=9000'
[[ $ARGUMENTS == *vectors=0* ]] || ARGUMENTS+=,vectors=0
eval "guest_start vm3 $ARGUMENTS"
is "MTU" "$(guest_run vm3 5 'cat /sys/class/net/eth0/mtu')" 9000
lease vm3
guest_run vm3 10 'ping -c 2 -s 8900 10.78.0.1' | grep ' 0% packet loss'
guest_stop vm3
