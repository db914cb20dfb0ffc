#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/26-ipv6.sh - guests make IPv6 addresses of the network's prefix and reach the gateway, its DNS and the outside
# limit: 120
. "$ROOT/tests/net/lib.sh"
outside_make
HOST6=2001:db8:1::1 OUTSIDE6=2001:db8:1::2
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
prefix=$(json .subnet6 net show lab)
gateway=$(json .gateway6 net show lab)
link=$(json .gateway6_link net show lab)
has "a unique local prefix" "$prefix" '^fd[0-9a-f]{2}:.*::/64$'
has "its first address is the gateway's" "$gateway" "^${prefix%/64}1\$"
box web1
dhcp web1 >"$DIR/web1.ip4"

say "addresses by router advertisement"
global() { in_box "${1:-web1}" ip -6 -o addr show dev eth0 scope global -tentative | awk '{ sub("/.*", "", $4); print $4; exit }'; }
has_global() { [ -n "$(global "$1")" ] || { in_box "$1" ip -6 addr show dev eth0; in_box "$1" nstat -az | grep -E 'Icmp6(In|Out)(Rout|Neigh)'; return 1; }; }
until_ok 20 has_global web1
web1=$(global web1)
has "of the prefix" "$web1" "^${prefix%::/64}:"
route=$(in_box web1 ip -6 route show default)
has "the gateway is the router" "$route" "default via $link dev eth0 proto ra"
has "for half an hour" "$(in_box web1 ip -6 -o addr show dev eth0 scope global)" 'valid_lft 5[34][0-9]{2}sec preferred_lft 2[67][0-9]{2}sec'
is "the MTU" "$(in_box web1 cat /proc/sys/net/ipv6/conf/eth0/mtu)" 1500

say "the gateway answers"
in_box web1 ping -6 -c 2 -i 0.2 -W 2 "$gateway" >/dev/null
in_box web1 ping -6 -c 2 -i 0.2 -W 2 "$link%eth0" >/dev/null
in_box web1 ping -6 -c 1 -s 1400 -W 2 "$gateway" >/dev/null

say "who takes its address is told"
in_box web1 ip -6 addr add "$gateway/64" dev eth0
failed() { in_box web1 ip -6 addr show dev eth0 dadfailed | grep -q "$gateway"; }
until_ok 5 failed
in_box web1 ip -6 addr del "$gateway/64" dev eth0

say "names over IPv6"
knows() { in_box web1 dig +short +time=1 +tries=1 "@$gateway" web1.lab.internal AAAA | grep -qx "$web1"; }
until_ok 5 knows
is "of the host" "$(in_box web1 dig +short "@$gateway" host.lab.internal AAAA)" "$gateway"
is "backward" "$(in_box web1 dig +short "@$gateway" -x "$web1")" web1.lab.internal.
is "by the link-local address" "$(in_box web1 dig +short "@$link%eth0" web1.lab.internal AAAA)" "$web1"
has "seen at the port" "$(json '.ports[] | select(.name == "web1") | .addresses[] | .ip' ps lab)" "$web1"
is "asked for" "$(lanyard ip lab/web1 -6 --wait 5s)" "$web1"
is "the other family's apart" "$(lanyard ip lab/web1)" "$(<"$DIR/web1.ip4")"

say "without an IPv6 uplink it fails at once"
quickly() {	# WHAT COMMAND... - the command fails, and within a second
	local what=$1 begin=${EPOCHREALTIME/./} ms; shift
	if "$@" >"$DIR/quick" 2>&1; then fail "$what worked"; fi
	ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	printf '   %s: %s ms\n' "$what" $ms
	[ $ms -lt 1000 ] || fail "$what took $ms ms: $(cat "$DIR/quick")"
}
opens() { in_box web1 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$@"; }
quickly "TCP" opens $OUTSIDE6 80
has "says so" "$(<"$DIR/quick")" 'Network is unreachable'
# Linux tells an ordinary UDP socket of a closed port only (udpv6_err()); one that asks for every error hears this one
quickly "UDP" in_box web1 /usr/bin/python3 -c "
import socket; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.setsockopt(socket.IPPROTO_IPV6, 25, 1)
s.settimeout(5); s.connect(('$OUTSIDE6', 53)); s.send(b'x'); s.recv(99)"
has "says so" "$(<"$DIR/quick")" 'Network is unreachable'
quickly "ping" in_box web1 ping -6 -c 1 -W 5 $OUTSIDE6
if [ "$AS" = root ]; then why='No route'; else why='prohibited'; fi	# an ordinary user has no ping socket in the sandbox
has "says so" "$(<"$DIR/quick")" "$why"

say "with one"
ip -6 addr add $HOST6/64 dev outside0 nodad
ip -n outside -6 addr add $OUTSIDE6/64 dev eth0 nodad
ip -6 route add default via $OUTSIDE6
until_ok 5 ping -6 -c 1 -W 1 $OUTSIDE6
if [ "$AS" = root ]; then in_box web1 ping -6 -c 3 -i 0.2 -W 2 $OUTSIDE6 | tail -n 1; fi
http_serve outside "[::]:80" "$DIR/www"
head -c 20000000 /dev/urandom >"$DIR/www/file"
is "a file down" "$(in_box web1 curl -sS -m 20 "http://[$OUTSIDE6]/file" | sum)" "$(sum <"$DIR/www/file")"
outside sh -c "nc -6 -d -l 7010 >'$DIR/up'" &
until_ok 5 outside sh -c 'ss -Hltn "sport = :7010" | grep -q .'
in_box web1 sh -c "nc -6 -N -w 10 $OUTSIDE6 7010 <'$DIR/www/file'"
same() { [ "$(sum <"$DIR/up")" = "$(sum <"$DIR/www/file")" ]; }
until_ok 5 same
outside iperf3 -s -p 7020 -D --logfile "$DIR/iperf.log"
until_ok 5 outside sh -c 'ss -Hltn "sport = :7020" | grep -q .'
rate() { in_box web1 iperf3 -6 -c $OUTSIDE6 -p 7020 -J "$@" | jq -e '.end.sum_received.bits_per_second // .end.sum.bits_per_second | . / 1e6 | floor'; }
for way in "" "-R" "-P 4" "-u -b 50M -l 1400" "-u -b 50M -l 1400 -R" "-u -b 50M -l 4000 -R"; do
	# shellcheck disable=SC2086
	mbit=$(rate -t 1 $way)
	printf '   iperf3 %-24s %s Mbit/s\n' "$way" "$mbit"
	[ "$mbit" -gt 20 ] || fail "iperf3 $way: $mbit Mbit/s"
done
outside /usr/bin/python3 -c "
import socket; l = socket.create_server(('::', 7030), family=socket.AF_INET6); c, at = l.accept(); c.send(at[0].encode())" &
until_ok 5 outside sh -c 'ss -Hltn "sport = :7030" | grep -q .'
is "the outside sees the host" "$(in_box web1 /usr/bin/python3 -c "
import socket; print(socket.create_connection(('$OUTSIDE6', 7030)).recv(99).decode())")" $HOST6

say "an outside that refuses"
quickly "TCP" opens $OUTSIDE6 81
has "is told apart" "$(<"$DIR/quick")" 'Connection refused'

say "what may not pass"
is "the host's loopback" "$(in_box web1 curl -sS -m 2 -o /dev/null -w '%{http_code}' "http://[::ffff:127.0.0.1]/" 2>/dev/null || true)" 000
lanyard net add other --subnet 10.78.0.0/24
quickly "another network" in_box web1 ping -6 -c 1 -W 3 "$(json .gateway6 net show other)"
has "is prohibited" "$(<"$DIR/quick")" 'prohibited'

say "host access"
/usr/bin/python3 -c "
import socket, threading
def serve(l):
    while True:
        c, at = l.accept(); c.send(b'host'); c.close()
for at in '$HOST6', '::1':
    threading.Thread(target=serve, args=(socket.create_server((at, 7040), family=socket.AF_INET6),)).start()" &
server=$!
until_ok 5 sh -c '[ "$(ss -Hltn "sport = :7040" | wc -l)" = 2 ]'
asks() { in_box web1 sh -c "nc -6 -w 2 -d '$gateway' 7040"; }
is "its own address" "$(asks)" host
kill $server
/usr/bin/python3 -c "
import socket
l = socket.create_server(('::1', 7041), family=socket.AF_INET6)
while True:
    c, at = l.accept(); c.send(b'loop'); c.close()" &
server=$!
until_ok 5 sh -c 'ss -Hltn "sport = :7041" | grep -q .'
is "not what listens on ::1" "$(in_box web1 sh -c "nc -6 -w 2 -d '$gateway' 7041" || true)" ""
lanyard net set lab --host-access loopback
is "unless that is allowed" "$(in_box web1 sh -c "nc -6 -w 2 -d '$gateway' 7041")" loop
kill $server

say "a guest of an internal network has addresses and no router"
lanyard net add inner --mode internal --subnet 10.79.0.0/24
box inner/in1
box inner/in2
until_ok 20 has_global in1
until_ok 20 has_global in2
is "no default route" "$(in_box in1 ip -6 route show default)" ""
in_box in1 ping -6 -c 1 -W 2 "$(global in2)" >/dev/null

say "none is none"
lanyard net set lab --subnet6 none
is "shown" "$(json .subnet6 net show lab)" none
deprecated() { in_box web1 ip -6 addr show dev eth0 scope global | grep -q deprecated; }
until_ok 5 deprecated
is "the router has gone" "$(in_box web1 ip -6 route show default)" ""
status 1 lanyard net set lab --subnet6 fd00::/48
has "a length that no guest can use" "$ERR" '/48 is not /64'
lanyard net set lab --subnet6 fd00:1:2:3::/64
until_ok 10 sh -c "true"
another() { in_box web1 ip -6 addr show dev eth0 scope global | grep -q fd00:1:2:3:; }
until_ok 20 another

if command -v rdisc6 >/dev/null; then
	say "another prefix, and an engine that knows of the first from the store alone"
	lanyard net set lab --subnet6 fd00:1:2:4::/64
	kill -9 "$(engine_pid)"
	heard() { in_box web1 rdisc6 -1 -w 500 eth0 >"$DIR/heard"; awk '/ Prefix /{ p = $3 } /Pref. time/{ print p, $0 }' "$DIR/heard" | grep -E "$1"; }
	until_ok 10 heard '^fd00:1:2:4::/64 .* 2700 '
	until_ok 5 heard '^fd00:1:2:3::/64 .* 0 '
	is "and one before" "$(heard "^$prefix .* 0 " | wc -l)" 1
fi
