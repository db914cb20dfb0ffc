#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/27-follow.sh - guests follow their host: no uplink at first, another one, a VPN, other addresses, other resolvers; in 2 s
# limit: 90
. "$ROOT/tests/net/lib.sh"

# Two ways out of the host, "one" and "two", each a namespace with a server; both have 203.0.113.1, which tells the way taken.
SERVICE=203.0.113.1
way() {
	local name=$1 net=$2
	ip netns add "$name"
	ip link add "up$name" type veth peer name eth0 netns "$name"
	ip -n "$name" link set lo up
	ip -n "$name" addr add "$net.2/24" dev eth0
	ip -n "$name" addr add $SERVICE/32 dev lo
	ip -n "$name" link set eth0 up
	cat >"$DIR/$name.py" <<-END
		import socket, threading
		name = b"$name"
		def udp(port):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("$SERVICE", port))
		    while True:
		        d, a = s.recvfrom(2000); s.sendto(name + b" " + str(a[1]).encode(), a)
		def tcp():
		    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", 7001)); s.listen(50)
		    while True:
		        c, a = s.accept(); threading.Thread(target=talk, args=(c,), daemon=True).start()
		def talk(c):
		    try:
		        while d := c.recv(1000): c.sendall(name)
		    except OSError: pass
		for p in (7002,): threading.Thread(target=udp, args=(p,), daemon=True).start()
		tcp()
	END
	ip netns exec "$name" /usr/bin/python3 "$DIR/$name.py" >"$DIR/$name.log" 2>&1 &
	until_ok 5 ip netns exec "$name" sh -c 'ss -Hltn "sport = :7001" | grep -q .'
}
way one 198.51.100
way two 192.0.2
for name in one two; do
	ip netns exec $name /usr/bin/python3 "$ROOT/tests/net/upstream.py" >"$DIR/upstream.$name" 2>&1 &
done

echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
say "with every interface but loopback down"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
box web2
dhcp web1 >/dev/null
web2=$(dhcp web2)
is "a name" "$(in_box web1 dig +short +time=1 +tries=1 @10.77.0.1 web2)" "$web2"
in_box web1 ping -c 1 -W 1 "$web2" >/dev/null
begun=${EPOCHREALTIME/./}
has "DNS fails at once" "$(in_box web1 dig +time=3 +tries=1 @10.77.0.1 www.example.com)" SERVFAIL
has "TCP fails at once" "$(in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $SERVICE 7001 echo)" 'unreachable'
[ $((${EPOCHREALTIME/./} - begun)) -lt 1500000 ] || fail "failing took $((${EPOCHREALTIME/./} - begun)) us"

# A guest at work: each 50 ms a datagram from one socket and a word over a TCP connection, which is made anew when it ends;
# for each answer a line "TIME KIND WAY".
cat >"$DIR/work.py" <<END
import os, select, socket, struct, sys, time
far = "$SERVICE"
def line(kind, what): print("%.3f %s %s" % (time.time(), kind, what), flush=True)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.setblocking(False)
state, t, sent, port = {}, None, 0, None
def note(kind, what):
    line(kind, what)
    state[kind] = what
while True:
    try: u.sendto(b"x", (far, 7002))
    except OSError: pass
    try:
        while True: note("udp", u.recv(100).decode().split()[0])
    except OSError: pass
    try:
        if t is None:
            t = socket.socket(); t.settimeout(0.2); t.connect((far, 7001)); t.settimeout(0.05)
        t.send(b"x")
        w = t.recv(100)
        if not w: raise ConnectionResetError
        note("tcp", w.decode()[:3])
    except socket.timeout:
        if state.get("tcp") is None: t.close(); t = None
    except OSError as e:
        if t: t.close()
        t = None
        state["tcp"] = None
    time.sleep(0.05)
END
in_box web1 /usr/bin/python3 -u "$DIR/work.py" >>"$DIR/work" 2>"$DIR/work.err" &
in_box web1 sh -c "while :; do ping -c 1 -W 1 $SERVICE >/dev/null 2>&1 && date +%s.%N >'$DIR/pinged'; sleep 0.05; done" &

# follows WHAT WAY COMMAND... - after COMMAND all three kinds come by WAY within two seconds, DNS too
follows() {
	local what=$1 to=$2 at took; shift 2
	at=${EPOCHREALTIME/./}
	"$@"
	: >"$DIR/work"
	rm -f "$DIR/pinged"
	until_ok 2 grep -q "tcp $to" "$DIR/work" || fail "$what: TCP: $(cat "$DIR/work" "$DIR/work.err")"
	until_ok 2 grep -q "udp $to" "$DIR/work"
	until_ok 2 test -e "$DIR/pinged"
	until_ok 2 resolves
	took=$(((${EPOCHREALTIME/./} - at) / 1000))
	printf '   %s: all by %s after %d ms\n' "$what" "$to" $took
	[ $took -le 2000 ] || fail "$what: took $took ms"
}
resolves() { [ "$(in_box web1 dig +short +time=1 +tries=1 @10.77.0.1 www.example.com)" = 203.0.113.7 ]; }

say "an uplink comes, goes, and another takes its place"
first() { ip addr add 198.51.100.1/24 dev upone; ip link set upone up; ip route add default via 198.51.100.2; echo "nameserver 198.51.100.2" >"$DIR/resolv.conf"; }
follows "the first uplink" one first
second() {
	ip addr flush dev upone; ip link set upone down
	ip addr add 192.0.2.1/24 dev uptwo; ip link set uptwo up; ip route add default via 192.0.2.2
	echo "nameserver 192.0.2.2" >"$DIR/resolv.conf"
}
follows "another uplink" two second
[ "$(json '.nat_flows.resets' net show lab)" -ge 1 ] || fail "the old connection was not reset"

say "a VPN takes a part of the way, and then all of it"
back() { ip addr add 198.51.100.1/24 dev upone; ip link set upone up; ip route add $SERVICE via 198.51.100.2 src 198.51.100.1; ip addr del 192.0.2.1/24 dev uptwo; ip addr add 192.0.2.7/24 dev uptwo; ip route replace default via 192.0.2.2; }
follows "a route for just that place, and another address of the old uplink" one back
gone() { ip link set upone down; }
follows "the VPN is down" two gone
everything() { ip link set upone up; ip route add default via 198.51.100.2 metric 1; ip route del default via 192.0.2.2; ip addr flush dev uptwo; echo "nameserver 198.51.100.2" >"$DIR/resolv.conf"; }
follows "a default route by the VPN, the other address gone" one everything

say "an uplink under another name and address"
renamed() { ip link set upone down; ip link set upone name wlan7; ip addr flush dev wlan7; ip addr add 198.51.100.77/24 dev wlan7; ip link set wlan7 up; ip route add default via 198.51.100.2; }
follows "renamed, renumbered" one renamed

say "forwards, at the host's new address, and at one that comes"
echo page >"$DIR/www/index.html"
http_serve in_box web2 80 "$DIR/www"
lanyard forward add lab 8080:web2:80 --lan
lanyard forward add lab 8081:web2:80 --listen 198.51.100.78 || true
fetch() { ip netns exec one curl -sS -m 1 "http://$1/" 2>/dev/null; }
is "the new address" "$(fetch 198.51.100.77:8080)" page
if fetch 198.51.100.78:8081; then fail "an address that is not there was served"; fi
begun=${EPOCHREALTIME/./}
ip addr add 198.51.100.78/24 dev wlan7
until_ok 2 fetch 198.51.100.78:8081
printf '   after %d ms\n' $(((${EPOCHREALTIME/./} - begun) / 1000))
ip addr del 198.51.100.78/24 dev wlan7
ip addr add 198.51.100.78/24 dev wlan7
is "gone and back" "$(fetch 198.51.100.78:8081)" page
ip addr del 198.51.100.78/24 dev wlan7

say "resolvers"
ip addr add 192.0.2.1/24 dev uptwo
: >"$DIR/upstream.two"
begun=${EPOCHREALTIME/./}
echo "nameserver 192.0.2.2" >"$DIR/resolv.conf"
by_two() { resolves; grep -q www "$DIR/upstream.two"; }
until_ok 2 by_two
printf '   asked after %d ms\n' $(((${EPOCHREALTIME/./} - begun) / 1000))

say "a connection whose address stays is left alone"
resets=$(json '.nat_flows.resets' net show lab)
ip addr add 192.0.2.9/24 dev uptwo
ip route add 192.0.2.128/25 dev uptwo
ip addr del 192.0.2.9/24 dev uptwo
ip addr del 198.51.100.77/24 dev wlan7 && ip addr add 198.51.100.77/24 dev wlan7 && ip route replace default via 198.51.100.2
: >"$DIR/work"
read -r -t 1.6 -u "$NOTHING" || true
is "resets" "$(json '.nat_flows.resets' net show lab)" "$resets"

say "the address stays, but the way has moved: ended when nothing comes"
: >"$DIR/work"
ip route replace default via 192.0.2.2
moved() { grep -q "tcp two" "$DIR/work"; }
until_ok 14 moved
ip route replace default via 198.51.100.2
ip addr flush dev uptwo

say "a private network of the host's own in the way is told, and does not stand in it"
ip route add 10.0.0.0/8 dev wlan7
lanyard net add vpn 2>"$DIR/vpn.err"
has "the note" "$(<"$DIR/vpn.err")" 'overlaps 10.0.0.0/8, which this host now has on wlan7'
box vpn/other
dhcp other >/dev/null
is "it works" "$(in_box other curl -s -m 2 --http0.9 telnet://$SERVICE:7001 </dev/null 2>/dev/null; in_box other /usr/bin/python3 -c "
import socket
s = socket.create_connection(('$SERVICE', 7001), 2); s.send(b'x'); print(s.recv(9).decode())")" one
