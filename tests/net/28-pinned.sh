#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/28-pinned.sh - a network that is pinned to an uplink sends by it or not at all; a capture on the other one says so
# limit: 90
. "$ROOT/tests/net/lib.sh"
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
SERVICE=203.0.113.1
# way NAME NET - a namespace behind uplink upNAME, with SERVICE in it, which tells its name by TCP, UDP and DNS
way() {
	local name=$1 net=$2
	ip netns add "$name" 2>/dev/null || true
	ip link add "up$name" type veth peer name eth0 netns "$name"
	ip addr add "$net.1/24" dev "up$name"
	ip link set "up$name" up
	ip -n "$name" link set lo up
	ip -n "$name" addr add "$net.2/24" dev eth0
	ip -n "$name" addr replace $SERVICE/32 dev lo
	ip -n "$name" link set eth0 up
	ip netns exec "$name" ip route replace default via "$net.1"
}
serve() {
	cat >"$DIR/$1.py" <<-END
		import socket, threading
		def udp():
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("$SERVICE", 7002))
		    while True:
		        d, a = s.recvfrom(2000); s.sendto(b"$1", a)
		        if d == b"busy": print(a[1], flush=True)
		threading.Thread(target=udp, daemon=True).start()
		s = socket.socket(); s.bind(("", 7001)); s.listen(50)
		def talk(c):
		    try:
		        while c.recv(100): c.sendall(b"$1")
		    except OSError: pass
		while True:
		    c, a = s.accept(); threading.Thread(target=talk, args=(c,), daemon=True).start()
	END
	ip netns exec "$1" /usr/bin/python3 "$DIR/$1.py" >"$DIR/ports.$1" &
	ip netns exec "$1" /usr/bin/python3 "$ROOT/tests/net/upstream.py" >"$DIR/upstream.$1" 2>&1 &
	until_ok 5 ip netns exec "$1" sh -c 'ss -Hltn "sport = :7001" | grep -q .'
}
way lan 198.51.100
way vpn 192.0.2
serve lan
serve vpn
ip route add default via 198.51.100.2			# the host's own way out is the LAN
ip route add default via 192.0.2.2 metric 500
echo "nameserver 198.51.100.2" >"$DIR/resolv.conf"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --uplink upvpn --dns-upstream 192.0.2.2
lanyard net add free --subnet 10.78.0.0/24
box web1
box free/other
dhcp web1 >/dev/null
dhcp other >/dev/null
echo host >"$DIR/www/index.html"
http_serve 198.51.100.1:8001 "$DIR/www"

# A guest's program hears of an unreachable network by UDP only if it asks to (IP_RECVERR).
cat >"$DIR/ask.py" <<END
import socket, sys
kind = sys.argv[1]
try:
    if kind == "tcp":
        s = socket.create_connection(("$SERVICE", 7001), 2); s.send(b"x"); print(s.recv(9).decode())
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1.5); s.setsockopt(0, 11, 1); s.connect(("$SERVICE", 7002)); s.send(b"x")
        print(s.recv(9).decode())
except OSError as e:
    print({101: "net unreachable", 113: "host unreachable"}.get(e.errno, e))
END
ask() { in_box "$1" timeout 5 /usr/bin/python3 "$DIR/ask.py" "$2"; }
dns() { in_box "$1" dig +time=2 +tries=1 @"$2" www.example.com | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'; }
pings() { in_box "$1" ping -c 1 -W 1 $SERVICE >/dev/null 2>&1 && echo yes || echo no; }
# all_by WAY - the pinned guest's traffic goes there
all_by() { is TCP "$(ask web1 tcp)" "$1"; is UDP "$(ask web1 udp)" "$1"; is ping "$(pings web1)" yes; is DNS "$(dns web1 10.77.0.1)" NOERROR; }

say "each by its way"
is "a network that is not pinned" "$(ask other tcp) $(ask other udp)" "lan lan"
all_by vpn
is "its queries went there" "$(grep -c www "$DIR/upstream.vpn") $(grep -c . "$DIR/upstream.lan" || true)" "1 0"
is "the host is reached as ever" "$(in_box web1 curl -sS -m 2 http://10.77.0.1:8001/)" host
is "export" "$(lanyard export | grep uplink)" "    uplink: upvpn"
is "shown" "$(json '.uplink, (.warnings | length)' net show lab | xargs)" "upvpn 0"

# A capture on the LAN, of everything but ARP, ND, MLD and what the other network sends (which is nothing from here on)
capture() { tcpdump -i uplan -U -n -w "$DIR/lan.pcap" '(ip or (ip6 and not icmp6)) and not dst ff02::16' 2>"$DIR/tcpdump.log" & CAPTURE=$!; until_ok 5 grep -q listening "$DIR/tcpdump.log"; }
captured() { kill -INT $CAPTURE; wait $CAPTURE || true; tcpdump -n -r "$DIR/lan.pcap" 2>/dev/null | wc -l; }
capture

say "an open connection and a mapping, and the uplink goes"
# Both go on trying all the time.
in_box web1 /usr/bin/python3 -u -c "
import socket, time
t = socket.create_connection(('$SERVICE', 7001)); t.settimeout(0.1)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.setblocking(False)
print('open', flush=True)
while True:
    try: u.sendto(b'busy', ('$SERVICE', 7002))
    except OSError: pass
    if t:
        try: t.send(b'x'); t.recv(100)
        except socket.timeout: pass
        except OSError as e: print('ended', e.errno, flush=True); t = None
    try: print('udp', u.recv(100).decode(), u.getsockname()[1], flush=True)
    except OSError: pass
    time.sleep(0.1)
" >"$DIR/busy" 2>&1 &
until_ok 5 grep -q 'udp vpn' "$DIR/busy"
ip link del upvpn
until_ok 2 grep -q ended "$DIR/busy"
has "the connection was reset" "$(grep ended "$DIR/busy")" 'ended 104'
begun=${EPOCHREALTIME/./}
is TCP "$(ask web1 tcp)" "net unreachable"
is UDP "$(ask web1 udp)" "net unreachable"
is DNS "$(dns web1 10.77.0.1)" SERVFAIL
took=$(((${EPOCHREALTIME/./} - begun) / 1000))
[ $took -lt 1500 ] || fail "being refused took $took ms"
is ping "$(pings web1)" no
is "the host is reached as ever" "$(in_box web1 curl -sS -m 2 http://10.77.0.1:8001/)" host
has "told" "$(json '.warnings[]' net show lab)" 'upvpn is not there'
is "a DNS server on loopback is no way around" "$(lanyard net set lab --dns-upstream 127.0.0.1 -q && dns web1 10.77.0.1)" SERVFAIL
lanyard net set lab --dns-upstream 192.0.2.2 -q
read -r -t 1 -u "$NOTHING" || true

say "it is there, but down"
: >"$DIR/busy"
way vpn 192.0.2
until_ok 2 grep -q 'udp vpn' "$DIR/busy"
ip link set upvpn down
is TCP "$(ask web1 tcp)" "net unreachable"
is ping "$(pings web1)" no

say "and is back"
ip link set upvpn up
back() { [ "$(ask web1 tcp)" = vpn ]; }
until_ok 2 back
all_by vpn
is "the mapping has the port it had" "$(sort -u "$DIR/ports.vpn" | wc -l)" 1
is "frames on the LAN in all that time" "$(captured)" 0

say "pinned to another one, and to none"
lanyard net set lab --uplink uplan --dns-upstream 198.51.100.2 -q
all_by lan
until_ok 2 grep -q 'udp lan' "$DIR/busy"
lanyard net set lab --uplink upvpn -q
is TCP "$(ask web1 tcp)" vpn
lanyard net set lab --uplink "" -q
is "not pinned" "$(ask web1 tcp)" lan
is "shown" "$(json '.uplink' net show lab)" null

say "what is refused"
status 1 lanyard net set lab --uplink 'a/b'
has "a name that is none" "$ERR" 'is not an interface name'
status 1 lanyard net add quiet --mode internal --uplink uplan
has "internal" "$ERR" 'uplink'
status 0 lanyard net add early --uplink late0
has "one that is not there yet" "$ERR" 'late0 is not there'
