#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/45-kernel-nat.sh - nat: kernel: the host's own kernel translates, by one table of nftables that is there as long as it is needed; the same
# table of who reaches whom as with user-mode NAT (DESIGN section 4; NAT-48, NAT-49, AC-10, AC-21)
# limit: 200
. "$ROOT/tests/net/lib.sh"

if [ "$AS" = user ]; then
	say "without the right: the command that gives it, and nothing else changed"
	daemon_start
	status 5 lanyard net add lab --nat kernel
	has "the reason" "$ERR" "no right \(CAP_NET_ADMIN\)"
	has "the command" "$ERR" "^hint: once: sudo setcap cap_net_admin"
	is "networks" "$(json '.networks | length' net ls)" 0
	is "changes" "$(json '.changes | length' host-changes)" 0
	lanyard net add lab
	status 5 lanyard net set lab --nat kernel
	is "still the other one" "$(json .nat net show lab)" user
	daemon_stop
	exit 0
fi

OUTSIDE6=2001:db8:1::2 HOST6=2001:db8:1::1
outside_make
ip -6 addr add $HOST6/64 dev outside0 nodad
ip -n outside -6 addr add $OUTSIDE6/64 dev eth0 nodad
ip -6 route add default via $OUTSIDE6
# The outside knows a way to everywhere by this host: what is not let in is not let in by a rule, not for want of a route.
ip -n outside route add 10.0.0.0/8 via $HOST
ip -n outside -6 route add fc00::/7 via $HOST6
# What others have: a firewall of their own, and NAT.
nft -f - <<'END'
table inet admin {
	set friends { type ipv4_addr; elements = { 192.0.2.7 }; }
	chain in { type filter hook input priority 0; policy accept; ip saddr @friends counter accept; }
	chain pass { type filter hook forward priority 0; policy accept; iifname "eth7" drop; }
}
table ip nat {
	chain POSTROUTING { type nat hook postrouting priority srcnat; policy accept; oifname "docker0" masquerade; }
}
END
rules() { nft -j list ruleset | jq -c 'del(.. | .handle?)'; }
settings() { sysctl -a 2>/dev/null | grep -E '^net\.(ipv[46]\.conf|netfilter.*_timeout)' | grep -v 'ly-'; }
nft list ruleset >"$DIR/before"
settings >"$DIR/settings"
as_before() {
	nft list ruleset | diff "$DIR/before" - || fail "the ruleset is another one"
	settings | diff "$DIR/settings" - || fail "settings are others"
}

tcp() { /usr/bin/python3 "$ROOT/tests/net/tcp.py" "$@"; }
call() { local who=$1; shift; $who /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
serve() { "$@" /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve "$PORT" "$WAY" >/dev/null 2>&1 & }
host() { "$@"; }
web1() { in_box web1 "$@"; }
web2() { in_box web2 "$@"; }
far() { in_box far "$@"; }
pings() { "$1" ping -c 1 -W 2 "$2" >/dev/null 2>&1 && echo yes || echo no; }
web6() { "$1" curl -gs --max-time 3 "http://[$2]:$3/" || echo "no ($?)"; }
address6() { in_box "$1" ip -6 -o addr show dev eth0 scope global -tentative | grep -o '[0-9a-f:]*/64'; }

say "a network"
daemon_start
lanyard net add lab --nat kernel
is "the table" "$(nft list tables | grep -c 'table inet lanyard')" 1
is "in the journal" "$(json '.changes[] | select(.kind == "table") | .network + " " + .target' host-changes)" "lab inet lanyard"
settings | diff "$DIR/settings" - | grep '^>' >"$DIR/changed" || true
! grep -vE 'outside0\.(force_)?forwarding|nf_conntrack_icmp(v6)?_timeout' "$DIR/changed" || fail "more than forwarding of the way out, and how long pings are remembered"
is "ip_forward" "$(sysctl -n net.ipv4.ip_forward)" 0
box web1
box web2
guest=$(dhcp web1) guest2=$(dhcp web2)
gateway=$(json .gateway net show lab)
is "its router" "$(in_box web1 ip route show default | awk '{ print $3 }')" "$gateway"
until_ok 15 address6 web1
guest6=$(address6 web1) guest6=${guest6%/64}

say "the way out: TCP, UDP, ping, IPv6; as the host"
PORT=7003 WAY=name serve outside
PORT=7004 WAY=datagram serve outside
PORT=7003 WAY=name serve host
PORT=7001 WAY=name serve in_box web1
PORT=7002 WAY=datagram serve in_box web1
echo six >"$DIR/www/index.html"
http_serve outside "[::]:7006" "$DIR/www"
mkdir "$DIR/guest"
echo guest >"$DIR/guest/index.html"
http_serve in_box web1 "[::]:7007" "$DIR/guest"
for p in 7003 7004; do until_ok 5 outside sh -c "ss -Hltun 'sport = :$p' | grep -q ."; done
is "TCP" "$(call web1 $OUTSIDE 7003 name)" $HOST
is "UDP" "$(call web1 $OUTSIDE 7004 datagram)" $HOST
is "ping" "$(pings web1 $OUTSIDE)" yes
is "IPv6 ping" "$(pings web1 $OUTSIDE6)" yes
is "IPv6 TCP" "$(web6 web1 $OUTSIDE6 7006)" six
is "guest to guest" "$(call web2 "$guest" 7001 name)" "$guest2"
is "a name" "$(in_box web1 dig +short +time=1 +tries=2 @"$gateway" web2.lab.internal)" "$guest2"
is "the same over TCP" "$(in_box web1 dig +tcp +short +time=1 +tries=2 @"$gateway" web2.lab.internal)" "$guest2"
has "traceroute sees the host" "$(in_box web1 traceroute -n -q 1 -w 2 -m 3 $OUTSIDE)" "$gateway"
is "the metadata address" "$(call web1 169.254.169.254 80 name 2>&1 | grep -c .)" 1

say "the table of who reaches whom, cell by cell"
outside_answers
for access in none loopback own; do
	lanyard net set lab --host-access $access
	is "with host_access $access differs in" "$(differs lab --outside $OUTSIDE --outside "[$OUTSIDE6]:8473")" ""
	has "as expected in" "$(checked ok)" "^1 [34] 5 6 7 8 9 10 11 12 13 14 16 17 18 19 21 22$"
done

say "nothing unasked from outside, nor from the host"
is "TCP to a guest" "$(call outside "$guest" 7001 name)" timeout
is "ping to a guest" "$(pings outside "$guest")" no
is "IPv6 to a guest" "$(web6 outside "$guest6" 7007)" "no (28)"
is "the host to a guest" "$(call host "$guest" 7001 name)" "host unreachable"
is "ping from the host" "$(pings host "$guest")" no

say "forwards: TCP, UDP, a range, IPv6, from the outside, the host and guests"
lanyard forward add lab 8080:web1:7001 --lan
lanyard forward add lab 8081:web1:7002/udp --lan
lanyard forward add lab 8082-8084:web1:7001-7003 --listen $HOST
lanyard forward add lab 8086:web1:7007 --lan
lanyard forward add lab 8090:web1:7001
led() { nft list map inet lanyard "$1" >"$DIR/map" && grep -q "$2" "$DIR/map"; }
until_ok 3 led to4 "tcp . 8080 : $guest . 7001"
until_ok 3 led at4 "$HOST . tcp . 8083 : $guest . 7002"
until_ok 10 led to6 "tcp . 8086 : $guest6 . 7007"
is "the guest sees who calls" "$(call outside $HOST 8080 name)" $OUTSIDE
is "UDP" "$(call outside $HOST 8081 datagram)" $OUTSIDE
is "the first of a range" "$(call outside $HOST 8082 name)" $OUTSIDE
is "IPv6" "$(web6 outside $HOST6 8086)" guest
front=192.0.0.8
is "the host's loopback" "$(call host 127.0.0.1 8080 name)" $front
is "a forward on the loopback" "$(call host 127.0.0.1 8090 name)" $front
is "by ::1" "$(web6 host ::1 8086)" guest
is "the host's own address" "$(call host $HOST 8080 name)" $front
is "a hairpin" "$(call web2 $HOST 8080 name)" "$gateway"
is "to oneself" "$(call web1 $HOST 8080 name)" "$gateway"
is "the loopback's, from outside" "$(call outside $HOST 8090 name)" refused
PORT=7005 WAY=echo serve in_box web1
PORT=7008 WAY=hold serve in_box web1
for p in 7005 7008; do until_ok 5 in_box web1 sh -c "ss -Hltn 'sport = :$p' | grep -q ."; done
lanyard forward add lab 8087:web1:7005 --lan
until_ok 3 led to4 8087
is "a megabyte each way" "$(call outside $HOST 8087 echo)" same

say "an FTP server calls back: by a helper, and by nothing else"
PORT=21 WAY=active serve outside
until_ok 5 outside sh -c 'ss -Hltn "sport = :21" | grep -q .'
has "without" "$(call web1 $OUTSIDE 21 active)" "unreachable|timeout|refused"
if lanyard net set lab --nat-helper ftp 2>"$DIR/err"; then
	is "with one" "$(call web1 $OUTSIDE 21 active)" $OUTSIDE
	is "as it is shown" "$(json '.nat_helpers | join(",")' net show lab)" ftp
	lanyard net set lab --nat-helper ''
	has "without again" "$(call web1 $OUTSIDE 21 active)" "unreachable|timeout|refused"
else
	has "a kernel without" "$(cat "$DIR/err")" "no connection tracking helper for ftp"
fi
is "pings are remembered (s)" "$(sysctl -n net.netfilter.nf_conntrack_icmp_timeout)" 60

say "a range: more descriptors in the keeper than libnftables can have"
lanyard forward add lab 30000-31199:web1:20000-21199 --listen $HOST
count() { nft list map inet lanyard at4 >"$DIR/at4"; [ "$(grep -o ' : ' "$DIR/at4" | wc -l)" = "$1" ]; }
until_ok 5 count 1204	# and the line of the type
led at4 "$HOST . tcp . 31199 : $guest . 21199"
lanyard forward rm lab 30000-31199
count 4 || fail "some of it are left"

say "one that is taken away is cut"
lanyard forward add lab 8088:web1:7008 --lan --name held
until_ok 3 led to4 8088
exec {GO}<> <(:)
outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $HOST 8088 hold <&$GO >"$DIR/hold" 2>&1 &
until_ok 5 grep -q connected "$DIR/hold"
has "as a flow" "$(json '.flows[] | select(.by == "forward") | [.port, .proto, .guest, .state, .remote] | join(" ")' flows lab)" \
	"^web1 tcp 10\.[0-9.]+:7008 open $OUTSIDE:[0-9]+"
lanyard forward rm lab held
! led to4 8088 || fail "it is in the map still"
echo >&$GO
until_ok 8 sh -c "grep -qE 'reset|timeout|refused' '$DIR/hold'"
printf '   who held it: %s\n' "$(tail -1 "$DIR/hold")"
is "who calls now" "$(call outside $HOST 8088 name)" refused

say "another network: by nothing but a forward, in either direction"
lanyard net add second --nat kernel
lanyard net add third
box second/far
box third/other
dhcp far >/dev/null
dhcp other >/dev/null
farip=$(address far)
PORT=7001 WAY=name serve in_box far
until_ok 5 in_box far sh -c 'ss -Hltn "sport = :7001" | grep -q .'
is "to the second" "$(pings web1 "$farip")" no
is "from the second" "$(pings far "$guest")" no
is "from a user-mode network" "$(in_box other ping -c 1 -W 1 "$guest" >/dev/null 2>&1 && echo yes || echo no)" no
is "its way out" "$(call far $OUTSIDE 7003 name)" $HOST
is "by a forward" "$(call far $HOST 8080 name)" "$gateway"
in_box web1 ip addr add "$farip/32" dev lo		# as somebody else: what comes back would be let in there
is "under another's address" "$(in_box web1 ping -c 1 -W 1 -I "$farip" $OUTSIDE >/dev/null 2>&1 && echo yes || echo no)" no
in_box web1 ip addr del "$farip/32" dev lo
has "refused by the switch" "$(json '.verdicts["spoofed-source"] // 0' port show lab/web1)" '^[1-9]'

say "host_access"
http_serve "127.0.0.1:7010" "$DIR/www"
until_ok 5 sh -c 'ss -Hltn "sport = :7010" | grep -q .'
web() { in_box web1 curl -s --max-time 3 "http://$1:$2/" || echo "no ($?)"; }
is "own: a service of all addresses" "$(call web1 "$gateway" 7003 name)" "$guest"
is "own: by the host's address" "$(call web1 $HOST 7003 name)" "$guest"
is "own: one of the loopback" "$(web "$gateway" 7010)" "no (7)"
lanyard net set lab --host-access loopback
is "loopback: one of the loopback" "$(web "$gateway" 7010)" six
http_serve "[::1]:7011" "$DIR/www"
until_ok 5 sh -c 'ss -Hltn "sport = :7011" | grep -q .'
gateway6=$(json .gateway6 net show lab)
is "loopback: one of ::1" "$(web6 web1 "$gateway6" 7011)" six
/usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::1", 7012)); d, a = s.recvfrom(9000); s.sendto(b"%d" % len(d), a)' &
until_ok 5 sh -c 'ss -Hlun "sport = :7012" | grep -q .'
is "loopback: a datagram to ::1 in fragments" "$(in_box web1 /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.settimeout(3); s.sendto(bytes(4000), (sys.argv[1], 7012)); print(s.recv(99).decode())' "$gateway6")" 4000
is "loopback: a hairpin by IPv6" "$(web6 web2 $HOST6 8086)" guest
is "loopback: of another network by IPv6" "$(web6 far "$(json .gateway6 net show second)" 7011)" "no (7)"
is "loopback: under its own name" "$(in_box web1 ip route add 127.9.9.9 via "$gateway" dev eth0 table 9 2>/dev/null; web 169.254.169.254 7010)" "no (28)"
is "loopback: of another network" "$(in_box far curl -s --max-time 2 "http://$(json .gateway net show second):7010/" || echo "no ($?)")" "no (7)"
lanyard net set lab --host-access none
is "none" "$(call web1 "$gateway" 7003 name)" refused
is "none: by the host's address" "$(call web1 $HOST 7003 name)" refused
is "none: names" "$(in_box web1 dig +short +time=1 +tries=2 @"$gateway" web2.lab.internal)" "$guest2"
is "none: the way out" "$(call web1 $OUTSIDE 7003 name)" $HOST
is "none: a forward" "$(call web2 $HOST 8080 name)" "$gateway"
is "none: one of the host's address alone" "$(call web2 $HOST 8082 name)" refused
lanyard net set lab --host-access own

say "pinned to an uplink"
ip link add other0 type veth peer name eth1 netns outside
ip addr add 203.0.113.1/24 dev other0
ip link set other0 up
ip -n outside addr add 203.0.113.2/24 dev eth1
ip -n outside link set eth1 up
is "unpinned" "$(in_box web1 ping -c 1 -W 2 203.0.113.2 >/dev/null 2>&1 && echo yes || echo no)" no	# that one does not forward
lanyard net set lab --uplink outside0
is "pinned" "$(pings web1 $OUTSIDE)" yes
has "by no other" "$(in_box web1 ping -c 1 -W 2 203.0.113.2 2>&1 || true)" "nreachable|100% packet loss"
lanyard net set lab --uplink ""
ip link del other0

say "somebody flushes: noticed, restored, told"
curl -sN --unix-socket "$LANYARD_SOCKET" http://l/v1/events >"$DIR/events" &
heard() { lanyard forward add lab 9999:web1:1 && lanyard forward rm lab 9999 && grep -q . "$DIR/events"; }
until_ok 5 heard
nft list table inet lanyard >"$DIR/ours"
nft flush ruleset
restored() { nft list table inet lanyard 2>/dev/null | sort | diff -q - <(sort "$DIR/ours") >/dev/null; }
until_ok 2 restored
is "TCP" "$(call web1 $OUTSIDE 7003 name)" $HOST
is "a forward" "$(call outside $HOST 8080 name)" $OUTSIDE
until_ok 2 grep -q 'event=nat-rules-changed by="nft"' "$DIR/lanyardd.log"
until_ok 2 grep -q nat-rules "$DIR/events"
nft delete table inet lanyard
until_ok 2 restored
nft flush chain inet lanyard hide
until_ok 2 restored
nft -f "$DIR/before"

say "somebody takes the table and holds it: told, and tried again until it can be had"
mkfifo "$DIR/nft"
nft -i <"$DIR/nft" >/dev/null 2>&1 &
holder=$!
exec {NFT}>"$DIR/nft"
echo 'delete table inet lanyard; add table inet lanyard { flags owner; }' >&$NFT
until_ok 3 grep -q 'event=nat-not-configured' "$DIR/lanyardd.log"
trouble() { json '.warnings[]' net show "$1" | grep -qE "NAT is not as it should be: nftables: .*; it is tried again, every $2 s by now"; }
until_ok 2 trouble second '[0-9]'
until_ok 4 trouble lab 4		# it was, and each time takes longer
until_ok 2 grep -qE '"nat-rules",.*"failed"' "$DIR/events"
status 5 lanyard net add third-kernel --nat kernel
is "networks" "$(json '[.networks[].name] | join(" ")' net ls)" "lab second third"
is "those that there are" "$(json .mode net show lab)" nat-network
kill $holder
exec {NFT}>&-
until_ok 5 restored
is "TCP" "$(call web1 $OUTSIDE 7003 name)" $HOST
until_ok 2 grep -q 'event=nat-configured' "$DIR/lanyardd.log"
is "warnings" "$(json '.warnings // [] | map(select(test("NAT"))) | length' net show lab)" 0

say "an engine that dies changes nothing"
kill -KILL "$(engine_pid)"
until_ok 5 answers
restored || fail "the table is another one"
until_ok 5 call outside $HOST 8080 name
is "a forward" "$(call outside $HOST 8080 name)" $OUTSIDE
lanyard forward add lab 8089:web1:7008 --lan --name held
until_ok 3 led to4 8089
outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $HOST 8089 hold <&$GO >"$DIR/hold" 2>&1 &
until_ok 5 grep -q connected "$DIR/hold"
known() { ! [ -r /proc/net/nf_conntrack ] || grep -q 'dport=8089 ' /proc/net/nf_conntrack; }
cut_off() { ! [ -r /proc/net/nf_conntrack ] || ! known; }
known || fail "the kernel does not know the connection"
kill -KILL "$(engine_pid)"
until_ok 5 answers
lanyard forward rm lab held
! led to4 8089 || fail "it is in the map still"
led to4 8080 || fail "others have gone with it"
until_ok 3 cut_off

say "a network that is routed, and then host-only: out of the table, and in again"
in_table() { nft list set inet lanyard inside | grep -c '"ly-second"' || true; }
subnet2=$(json .subnet net show second)
is "in the table" "$(in_table)" 1
lanyard net set second --mode routed --subnet "$subnet2" --uplink outside0
is "in the table" "$(in_table)" 0
is "untranslated" "$(call far $OUTSIDE 7003 name)" "$farip"
in_box far ip addr add "$guest/32" dev lo
is "under the address of a guest of the other network" "$(in_box far ping -c 1 -W 1 -I "$guest" $OUTSIDE >/dev/null 2>&1 && echo yes || echo no)" no
in_box far ip addr del "$guest/32" dev lo
has "refused by the switch" "$(json '.verdicts["spoofed-source"] // 0' port show second/far)" '^[1-9]'
lanyard net set second --mode host-only
is "in the table" "$(in_table)" 0
is "the host to its guest" "$(call host "$farip" 7001 name)" "$(json .gateway net show second)"
lanyard net set second --mode nat-network --nat kernel
is "in the table" "$(in_table)" 1
is "translated" "$(call far $OUTSIDE 7003 name)" $HOST

say "a network goes, and then the last"
lanyard net rm second --force
! nft list table inet lanyard | grep -q ly-second || fail "something of it is left"
is "the other" "$(pings web1 $OUTSIDE)" yes
lanyard net rm lab --force
as_before

say "kill -9 of everything, and a start"
lanyard net add again --nat kernel
lanyard forward add again 8080:web1:80 --lan
keeper=$(keeper_pid) engine=$(engine_pid)
kill -KILL "$keeper" "$engine"
until_ok 5 gone "$keeper"
wait "$DAEMON" || true
until_ok 5 gone "$engine"
daemon_start
is "one table" "$(nft list tables | grep -c 'table inet lanyard')" 1
lanyard net rm again --force
as_before

say "a table of that name that is somebody else's is left alone"
nft add table inet lanyard
status 1 lanyard net add mine --nat kernel
has "the reason" "$ERR" "is not this daemon's"
is "networks" "$(json '[.networks[].name] | join(" ")' net ls)" third
nft delete table inet lanyard
as_before
daemon_stop
as_before
