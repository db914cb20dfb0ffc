#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/21-nat-edges.sh - TCP through NAT keeps its meaning: refused, unreachable, half-close and RST both ways
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null

serve() {
	outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve "$1" "$2" >"$DIR/$2.log" 2>&1 &
	until_ok 5 grep -q listening "$DIR/$2.log"
}
call() { in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
# told WAY TEXT - what the server saw
told() { until_ok 5 grep -qx "$2" "$DIR/$1.log"; printf '   the other side: %s\n' "$2"; }

is "nobody listens" "$(call $OUTSIDE 7999 echo)" refused
took=$SECONDS
is "nobody listens, UDP" "$(call $OUTSIDE 7998 datagram | sed 's/.*: //')" "Connection refused"

unreachable() { is "$1" "$(call "$2" 80 echo | sed -E 's/(host|net) unreachable/unreachable/')" unreachable; }
ip route add unreachable 192.0.2.0/24
unreachable "the host knows no way there" 192.0.2.5
outside sysctl -qw net.ipv4.ip_forward=1
outside ip route add unreachable 203.0.113.0/24
unreachable "a router outside knows no way there" 203.0.113.5
[ $((SECONDS - took)) -lt 5 ] || fail "being refused took $((SECONDS - took)) s"

serve 7001 half
is "half-close by the guest" "$(call $OUTSIDE 7001 half)" "digest equal"
told half "read 1048576"
serve 7002 early
is "half-close by the other side" "$(call $OUTSIDE 7002 early)" "read 1048576"
told early "read 1048576"
serve 7003 reset
is "RST by the other side" "$(call $OUTSIDE 7003 reset)" reset
serve 7004 hangup
is "RST by the guest" "$(call $OUTSIDE 7004 hangup)" "reset it"
told hangup reset

say "destinations that are nobody's to reach"
for address in 127.0.0.1 127.1.2.3 0.0.0.0 169.254.169.254; do
	case $(in_box web1 timeout 4 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $address 7001 half) in
	"digest equal") fail "$address was reached" ;;
	esac
done

say "NAT-03 a host with several addresses: a guest keeps one, whoever it talks to, and none of its own is ever seen"
for n in 101 102 103; do ip addr add 198.51.100.$n/24 dev outside0; done
outside /usr/bin/python3 -c '
import select, socket
seen, u, t = set(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
u.bind(("", 7006)); t.bind(("", 7006)); t.listen(100)
n = 0
while n < 300:
    for s in select.select([u, t], [], [], 20)[0]:
        seen.add(s.recvfrom(10)[1][0] if s is u else s.accept()[1][0]); n += 1
print(*sorted(seen), flush=True)' >"$DIR/seen" &
until_ok 5 outside sh -c 'ss -Hltn "sport = :7006" | grep -q . && ss -Hlun "sport = :7006" | grep -q .'
for n in 3 4 5; do ip -n outside addr add 198.51.100.$n/24 dev eth0; done
in_box web1 /usr/bin/python3 -c '
import socket
keep = []
for i in range(100):
    for n in (2, 3 + i % 3):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("198.51.100.%d" % n, 7006)); keep.append(s)
    keep.append(socket.create_connection(("198.51.100.%d" % (2 + i % 4), 7006)))'
until_ok 10 test -s "$DIR/seen"
is "what 300 flows were seen as" "$(<"$DIR/seen")" "$HOST"

say "a receiver that reads nothing costs no memory"
outside /usr/bin/python3 -c '
import socket, time
s = socket.socket(); s.bind(("", 7005)); s.listen(); c, _ = s.accept(); time.sleep(30)' &
until_ok 5 outside sh -c 'ss -Hltn "sport = :7005" | grep -q .'
engine=$(engine_pid)
before=$(awk '/VmRSS/ { print $2 }' "/proc/$engine/status")
in_box web1 timeout 2 /usr/bin/python3 -c "
import socket
s = socket.create_connection(('$OUTSIDE', 7005))
while True: s.sendall(bytes(1 << 20))" || true
after=$(awk '/VmRSS/ { print $2 }' "/proc/$engine/status")
[ $((after - before)) -lt 4096 ] || fail "resident memory grew from $before to $after kB"
