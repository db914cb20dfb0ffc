#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/13-dns-split.sh - names of some domains are asked of others; where the host's programs ask for guests' names; C libraries' resolvers
. "$ROOT/tests/net/lib.sh"
outside_make
for ip in 198.51.100.3 198.51.100.4; do outside ip addr add $ip/24 dev eth0; done
resolver() { outside /usr/bin/python3 "$ROOT/tests/net/answers.py" "$@" & }
resolver $OUTSIDE www.example.com=203.0.113.7 wiki.corp.example=203.0.113.8 >"$DIR/public.log"
resolver 198.51.100.3 wiki.corp.example=10.99.0.1 >"$DIR/corp.log"
resolver 198.51.100.4 www.example.com=203.0.113.44 >"$DIR/other.log"
echo "nameserver $OUTSIDE" >"$DIR/resolv.conf"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --dns-listen 127.0.0.1:5353
box web1
box web2
web1=$(dhcp web1)
web2=$(dhcp web2)
short() { in_box web1 dig +short +time=2 +tries=2 @10.77.0.1 "$@"; }

say "all names of the host's resolver"
until_ok 5 sh -c "ip netns exec outside ss -Hlun 'sport = :53' | grep -c . | grep -qx 3"
is "a name" "$(short www.example.com)" 203.0.113.7
is "one of the corporation's" "$(short wiki.corp.example)" 203.0.113.8

say "its domain of its own resolver (AC-12)"
lanyard net set lab --dns-domain corp.example=198.51.100.3
has "shown" "$(lanyard net show lab)" 'corp.example'
is "at once" "$(short wiki.corp.example)" 10.99.0.1
is "others as before" "$(short www.example.com)" 203.0.113.7
is "its own resolver saw nothing else" "$(sort -u "$DIR/corp.log")" wiki.corp.example
is "and the other one nothing of it since" "$(grep -c corp "$DIR/public.log")" 1
lanyard net set lab --dns-domain ''
is "and back" "$(short wiki.corp.example)" 203.0.113.8

say "the first resolver is gone (DNS-19)"
lanyard net set lab --dns-upstream 198.51.100.99 --dns-upstream $OUTSIDE
begun=${EPOCHREALTIME/./}
is "the second answers" "$(short www.example.com)" 203.0.113.7
took=$(((${EPOCHREALTIME/./} - begun) / 1000))
[ $took -lt 1800 ] || fail "it took $took ms"
lanyard net set lab --dns-upstream ''

say "the host's file is another one (DNS-20)"
echo "nameserver 198.51.100.4" >"$DIR/resolv.conf"
begun=${EPOCHREALTIME/./}
other() { [ "$(short www.example.com)" = 203.0.113.44 ]; }
until_ok 4 other
took=$(((${EPOCHREALTIME/./} - begun) / 1000))
[ $took -lt 3000 ] || fail "it took $took ms"

say "on the host, by anybody who asks there"
ask() { dig +time=1 +tries=1 @127.0.0.1 -p 5353 "$@"; }
is "a guest" "$(ask +short web2.lab.internal)" "$web2"
is "over TCP" "$(ask +short +tcp web2.lab.internal)" "$web2"
is "its address" "$(ask +short -x "$web1")" web1.lab.internal.
has "nothing is asked on" "$(ask www.example.com)" 'status: REFUSED'
has "no such guest" "$(ask nobody.lab.internal)" 'status: NXDOMAIN'
before=$(wc -l <"$DIR/other.log")
has "none over TCP either" "$(ask +tcp www.example.com)" 'status: REFUSED'
is "queries that left" "$(($(wc -l <"$DIR/other.log") - before))" 0
box_end web2
until_ok 2 sh -c 'dig +time=1 +tries=1 @127.0.0.1 -p 5353 web2.lab.internal | grep -q NXDOMAIN'
kill -9 "$(engine_pid)"
until_ok 5 answers
is "after its engine died" "$(ask +short web1.lab.internal)" "$web1"
lanyard net set lab --dns-listen 127.0.0.1:5354
is "elsewhere" "$(dig +short +time=1 +tries=1 @127.0.0.1 -p 5354 web1.lab.internal) $(ss -Hluntp 'sport = :5353' | wc -l)" "$web1 0"
/usr/bin/python3 -c 'import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 5355)); time.sleep(60)' &
taken=$!
until_ok 2 sh -c 'ss -Hlun "sport = :5355" | grep -q .'
lanyard net set lab --dns-listen 127.0.0.1:5355 >"$DIR/said" 2>&1
has "somebody else has it" "$(lanyard net show lab)" 'names of guests are not answered there: .*5355'
kill $taken
until_ok 4 sh -c 'dig +short +time=1 +tries=1 @127.0.0.1 -p 5355 web1.lab.internal | grep -q .'

say "the C libraries' own resolvers, and kdig"
looks() {
	is "$1" "$(in_box web1 "$2" web1.lab.internal)" "$web1"
	is "$1, others' names" "$(in_box web1 "$2" www.example.com)" 203.0.113.44
	is "$1, by the domain that is searched" "$(in_box web1 "$2" web1)" "$web1"
	! in_box web1 "$2" nobody.lab.internal >"$DIR/said" || fail "$1 found $(cat "$DIR/said")"
	has "$1, no such guest" "$(cat "$DIR/said")" 'not known|not exist|not resolve'
}
looks glibc "$B/tests/net/lookup"
if command -v musl-gcc >/dev/null; then
	musl-gcc -static -O1 -o "$DIR/lookup" "$ROOT/tests/net/lookup.c"
	looks musl "$DIR/lookup"
fi
in_box web1 sh -c 'echo "search nowhere.example lab.internal" >"$1" && grep nameserver /etc/resolv.conf >>"$1" && mount --bind "$1" /etc/resolv.conf' - "$DIR/search"
is "glibc, the second of the domains that are searched" "$(in_box web1 "$B/tests/net/lookup" web1)" "$web1"
[ ! -x "$DIR/lookup" ] || is "musl, likewise" "$(in_box web1 "$DIR/lookup" web1)" "$web1"
if command -v kdig >/dev/null; then
	has "kdig" "$(in_box web1 kdig +time=2 @10.77.0.1 WEB1.lab.internal)" "$web1"
	has "over TCP" "$(in_box web1 kdig +tcp +time=2 @10.77.0.1 web1.lab.internal)" "$web1"
	has "with DO, and whole" "$(in_box web1 kdig +dnssec +time=2 @10.77.0.1 www.example.com)" '203.0.113.44'
fi
