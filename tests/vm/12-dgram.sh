#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/12-dgram.sh - a QEMU guest over -netdev dgram, unix and UDP: lease, 10 MB down and up, kill -9, a second boot
# limit: 150
# before: tests/vm/kernel.sh
# as: user
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/vm/guest.sh"
guest_needs
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
web1=$(dhcp web1)
head -c 10000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve in_box web1 80 "$DIR/www"
state() { json ".ports[] | select(.name == \"$1\") | .state" ps lab; }
mac() { json ".ports[] | select(.name == \"$1\") | .mac" ps lab; }

# exchange PORT - a lease, names, 10 MB each way
exchange() {
	guest_run vm 20 'udhcpc -i eth0 -n -q -t 10 -T 1 -s /etc/udhcpc/default.script >/dev/null'
	ip=$(json ".leases[] | select(.port == \"$1\") | .ip" lease ls lab)
	in_box web1 ping -c 2 -i 0.2 -W 2 "$ip" | grep ' 0% packet loss'
	start=${EPOCHREALTIME/./}
	is "10 MB down" "$(guest_run vm 60 'wget -q -O /tmp/file http://web1/file; sha256sum </tmp/file' | cut -d' ' -f1)" "$want"
	echo "   in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
	guest_run vm 10 'mkdir -p /tmp/www && mv /tmp/file /tmp/www && (netstat -lt | grep -q :80 || httpd -p 80 -h /tmp/www)' >/dev/null
	start=${EPOCHREALTIME/./}
	is "10 MB up" "$(in_box web1 curl -sS -m 60 "http://$ip/file" | sum)" "$want"
	echo "   in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
}

say "unix: the guest comes after the port, and again after itself"
lanyard port add lab/d1 --dgram "$DIR/r/d1.sock,$DIR/r/q1.sock"
is "state" "$(state d1)" pending
unix=(-netdev "dgram,id=n0,local.type=unix,local.path=$DIR/r/q1.sock,remote.type=unix,remote.path=$DIR/r/d1.sock"
	-device "virtio-net-pci,netdev=n0,mac=$(mac d1)")
guest_start vm "${unix[@]}"
exchange d1
guest_stop vm
guest_start vm "${unix[@]}"
guest_run vm 20 'udhcpc -i eth0 -n -q -t 10 -T 1 -s /etc/udhcpc/default.script >/dev/null'
is "the same lease" "$(json '.leases[] | select(.port == "d1") | .ip' lease ls lab)" "$ip"

say "kill -9 of the engine under a running guest"
engine=$(engine_pid)
kill -9 "$engine"
back() { answers && [ "$(engine_pid)" != "$engine" ]; }
until_ok 3 back
reaches() { guest_run vm 5 "ping -c 1 -W 1 $web1 >/dev/null"; }
until_ok 5 reaches
guest_stop vm

say "UDP"
lanyard port add lab/u1 --udp 127.0.0.1:5001,127.0.0.1:6001
guest_start vm -netdev "dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port=6001,remote.type=inet,remote.host=127.0.0.1,remote.port=5001" \
	-device "virtio-net-pci,netdev=n0,mac=$(mac u1)"
exchange u1
guest_stop vm
