#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/13-vmm-tap.sh - a QEMU guest over -netdev tap, with and without large frames: lease, 50 MB each way, large frames whole
# limit: 150
# before: tests/vm/kernel.sh
# as: root
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/vm/guest.sh"
guest_needs
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
head -c 50000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve in_box web1 80 "$DIR/www"
ip tuntap add t0 mode tap vnet_hdr
ip addr add 10.77.0.250/24 dev t0	# the host's stack is not to be heard there
lanyard port add lab/v1 --vmm-tap t0
stat() { json ".ports[] | select(.name == \"v1\") | .stats.$1" ps lab; }

# exchange DEVICE-OPTION... - boot, a lease, 50 MB each way
exchange() {
	guest_start vm -netdev tap,id=n0,ifname=t0,script=no,downscript=no,vhost=off -device "virtio-net-pci,netdev=n0$1"
	guest_run vm 20 'udhcpc -i eth0 -n -q -t 10 -T 1 -s /etc/udhcpc/default.script >/dev/null'
	ip=$(json '.leases[] | select(.port == "v1") | .ip' lease ls lab)
	in_box web1 ping -c 2 -i 0.2 -W 2 "$ip" | grep ' 0% packet loss'
	guest_run vm 10 'arping -c 1 -w 1 -I eth0 10.77.0.250 >/dev/null' && fail "the host answers"
	start=${EPOCHREALTIME/./}
	is "50 MB down" "$(guest_run vm 60 'wget -q -O /tmp/file http://web1/file; sha256sum </tmp/file' | cut -d' ' -f1)" "$want"
	echo "   in $(((${EPOCHREALTIME/./} - start) / 1000)) ms, $(stat segments) segments cut, $(stat tx_frames) frames"
	guest_run vm 10 'mkdir -p /tmp/www && mv /tmp/file /tmp/www && httpd -p 80 -h /tmp/www' >/dev/null
	start=${EPOCHREALTIME/./}
	is "50 MB up" "$(in_box web1 curl -sS -m 60 "http://$ip/file" | sum)" "$want"
	echo "   in $(((${EPOCHREALTIME/./} - start) / 1000)) ms, $(stat rx_frames) frames"
}

say "large frames both ways"
exchange ""
[ "$(stat tx_frames)" -lt 10000 ] || fail "frames to the guest were small"	# 50 MB in frames of 1,448 bytes would be 34,530
[ "$(stat rx_frames)" -lt 10000 ] || fail "frames from the guest were small"
guest_stop vm
segments=$(stat segments)

say "a guest that takes none: they are cut"
exchange ,guest_tso4=off,guest_tso6=off,guest_csum=off,host_tso4=off,host_tso6=off
[ $(($(stat segments) - segments)) -gt 20000 ] || fail "no segments were cut"
guest_stop vm
