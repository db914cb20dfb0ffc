#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/12-dns.sh - names at the gateway, asked with dig: own names both ways, what is not there, all else relayed
. "$ROOT/tests/net/lib.sh"
outside_make
outside /usr/bin/python3 "$ROOT/tests/net/upstream.py" >"$DIR/upstream.log" 2>&1 &
until_ok 10 outside sh -c 'ss -Hlun "sport = :53" | grep -q .'
echo "nameserver $OUTSIDE" >"$DIR/resolv.conf"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
box web2
web1=$(dhcp web1)
web2=$(dhcp web2)

ask() { in_box web1 dig +time=2 +tries=2 @10.77.0.1 "$@"; }
short() { ask +short "$@"; }
rcode() { ask "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'; }

say "own names"
is "web2.lab.internal" "$(short web2.lab.internal)" "$web2"
is "web2" "$(short web2)" "$web2"
is "mixed case" "$(short WeB2.LaB.iNtErNaL)" "$web2"
is "web1 of itself" "$(short web1)" "$web1"
is "the gateway's" "$(short host.lab.internal)" 10.77.0.1
is "address to name" "$(short -x "$web2")" web2.lab.internal.
is "resolv.conf" "$(in_box web1 sed -n 's/^nameserver //p' /etc/resolv.conf)" 10.77.0.1
in_box web1 ping -c 1 -W 2 web2 >/dev/null

say "what is not there"
is "no such name" "$(rcode nothing.lab.internal)" NXDOMAIN
is "a name without AAAA" "$(rcode web2.lab.internal AAAA)" NOERROR
is "its answers" "$(short web2.lab.internal AAAA)" ""
has "with an SOA to remember that by" "$(ask web2.lab.internal AAAA)" 'SOA'
is "no such address" "$(rcode -x 10.77.0.250)" NXDOMAIN

say "records of one's own"
lanyard dns add lab printer 10.77.0.9
is "an address" "$(short printer.lab.internal)" 10.77.0.9
lanyard dns add lab www CNAME web2.lab.internal
has "another name" "$(short www.lab.internal)" "web2.lab.internal."
lanyard dns add lab note TXT 'two words'
is "text" "$(short note.lab.internal TXT)" '"two words"'
lanyard dns rm lab printer
is "gone" "$(rcode printer.lab.internal)" NXDOMAIN

lanyard dns add lab '*.web' 10.77.0.8
is "a wildcard" "$(short any.web.lab.internal) $(short x.y.web.lab.internal) $(rcode web.lab.internal)" "10.77.0.8 10.77.0.8 NOERROR"
lanyard port set lab/web2 --alias db --alias cache
has "a guest's alias" "$(short db.lab.internal)" "$web2"
has "and it is as good bare" "$(short cache)" "$web2"
status 1 lanyard port set lab/web1 --alias db
lanyard port set lab/web2 --alias cache
is "an alias less" "$(rcode db.lab.internal) $(rcode cache.lab.internal)" "NXDOMAIN NOERROR"

say "all else by the host's resolver"
is "relayed" "$(short www.example.com)" 203.0.113.7
is "its own NXDOMAIN" "$(rcode missing.example.com)" NXDOMAIN
is "its own text" "$(short text.example.com TXT)" '"from upstream"'
is "asked twice, relayed once" "$(short www.EXAMPLE.com) $(grep -c '^www.example.com' "$DIR/upstream.log")" "203.0.113.7 1"
for n in 1 2 3 4 5 6; do short "n$n.example.com" >/dev/null; done
is "queries with ports and ids" "$(awk '/^n[1-6]/ && $2 && $3' "$DIR/upstream.log" | wc -l)" 6
is "a new source port each time" "$(awk '/^n[1-6]/ { print $2 }' "$DIR/upstream.log" | sort | uniq -d)" ""
is "a new id each time" "$(awk '/^n[1-6]/ { print $3 }' "$DIR/upstream.log" | sort | uniq -d | head -n 3)" ""
is "wrong answers before the right one change nothing" "$(short spoofed.example.com)" 203.0.113.9

is "not authenticated by who says so" "$(ask www.example.com +adflag | grep -c 'flags:.* ad')" 0
lanyard net set lab --dns-rebind-protect true --dns-rebind-allow corp.example --dns-case-random true
is "an answer that leads inside" "$(short inside.example.com) $(rcode inside.example.com)" " NOERROR"
is "of a domain that may" "$(short inside.corp.example)" 10.0.0.5
is "random case is believed" "$(short case.example.com)" 203.0.113.7
is "and was sent" "$(grep -ci '^case.example.com' "$DIR/upstream.log") $(grep -c '^case.example.com' "$DIR/upstream.log")" "1 0"
lanyard net set lab --dns-case-random false --dns-rebind-protect false

say "over TCP"
is "an own name" "$(short +tcp web2.lab.internal)" "$web2"
is "a name of others" "$(short +tcp www.example.com)" 203.0.113.7
is "an answer too large for a datagram" "$(short +bufsize=512 big.example.com | wc -l)" 100
is "and as such told to who takes no more" "$(ask +ignore +bufsize=512 big.example.com | grep -c 'flags:.* tc')" 1
is "many at once, in pieces, on one connection" "$(in_box web1 /usr/bin/python3 "$ROOT/tests/net/dns_stream.py" 10.77.0.1 web2.lab.internal www.example.com n1.example.com web1)" "200 answers, then the end"

say "an upstream that is silent"
has "no answer for ever" "$(ask +tries=1 +time=8 silent.example.com)" 'SERVFAIL|timed out|no servers'
is "and others go on" "$(short web2)" "$web2"

say "over TCP where there is no way out"
lanyard net add closed --mode internal --subnet 10.78.0.0/24
lanyard dns add closed door 10.78.0.9
box closed/inside
dhcp inside >/dev/null
is "an own name" "$(in_box inside dig +short +tcp +time=2 @10.78.0.1 door.closed.internal)" 10.78.0.9
has "no other" "$(in_box inside dig +tcp +time=2 @10.78.0.1 www.example.com)" 'REFUSED'
has "no other port" "$(in_box inside /usr/bin/python3 -c 'import socket; socket.create_connection(("10.78.0.1", 54), 2)' 2>&1)" 'refused|unreachable|prohibited|denied'
