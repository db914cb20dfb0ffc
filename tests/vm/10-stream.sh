#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/10-stream.sh - QEMU guests over -netdev stream: lease, names, 50 MB down through NAT and up through a forward
# limit: 150
# before: tests/vm/kernel.sh
# as: user
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/vm/guest.sh"
guest_needs
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard forward add lab 8080:vm1:80
box web1
dhcp web1 >/dev/null

say "boot with what \`lanyard qemu\` prints"
arguments=$(lanyard qemu lab/vm1)
echo "   $arguments"
eval "guest_start vm1 $arguments"
guest_run vm1 20 'udhcpc -i eth0 -n -q -t 10 -T 1 -s /etc/udhcpc/default.script >/dev/null && ip -4 -o addr show dev eth0' | tee "$DIR/lease"
vm1=$(grep -oE '10\.77\.0\.[0-9]+' "$DIR/lease" | head -n 1)
is "lease ls" "$(json ".leases[] | select(.port == \"vm1\") | .ip" lease ls lab)" "$vm1"
is "MAC" "$(guest_run vm1 5 'cat /sys/class/net/eth0/address')" "$(json '.ports[] | select(.name == "vm1") | .mac' ps lab)"

say "names and neighbours"
guest_run vm1 10 'ping -c 2 -W 2 web1' | grep ' 0% packet loss'
in_box web1 ping -c 2 -i 0.2 -W 2 vm1 | grep ' 0% packet loss'

say "50 MB down: a web server on the host, through NAT"
head -c 50000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve $HOST:8001 "$DIR/www"
start=$SECONDS
is "checksum" "$(guest_run vm1 60 'wget -q -O /tmp/file http://host.lab.internal:8001/file; sha256sum </tmp/file' | cut -d' ' -f1)" "$want"
echo "   in $((SECONDS - start)) s"

say "50 MB up: the guest's web server, through a forward"
guest_run vm1 10 'mkdir -p /tmp/www && mv /tmp/file /tmp/www && httpd -p 80 -h /tmp/www'
start=$SECONDS
is "checksum" "$(curl -sS -m 60 http://127.0.0.1:8080/file | sum)" "$want"
echo "   in $((SECONDS - start)) s"

say "UDP through NAT"
outside /usr/bin/python3 "$ROOT/tests/net/upstream.py" >"$DIR/udp.log" 2>&1 &
until_ok 5 outside sh -c 'ss -Hlun "sport = :53" | grep -q .'
has "a resolver outside" "$(guest_run vm1 10 "nslookup www.example.com $OUTSIDE")" "203.0.113.7"

say "kill -9 of the engine under a running guest"
engine=$(engine_pid)
kill -9 "$engine"
back() { answers && [ "$(engine_pid)" != "$engine" ]; }
until_ok 3 back
reaches() { guest_run vm1 5 'ping -c 1 -W 1 web1 >/dev/null'; }
until_ok 10 reaches
is "checksum" "$(curl -sS -m 60 http://127.0.0.1:8080/file | sum)" "$want"

say "the other role: this QEMU dials lanyard"
lanyard port add lab/vm2 --stream "$DIR/r/vm2.sock" --role server
guest_start vm2 -netdev "stream,id=n0,server=off,addr.type=unix,addr.path=$DIR/r/vm2.sock" -device virtio-net-pci,netdev=n0
guest_run vm2 20 'udhcpc -i eth0 -n -q -t 10 -T 1 -s /etc/udhcpc/default.script >/dev/null'
guest_run vm2 10 'ping -c 1 -W 2 vm1' | grep ' 0% packet loss'
guest_stop vm2
guest_stop vm1
pending() { [ "$(json '.ports[] | select(.name == "vm1") | .state' ps lab)" = pending ]; }
until_ok 5 pending
