#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/13-dhcp-classes.sh - options, classes and reservations as real clients see them, what lease explain says of them, and a relay
. "$ROOT/tests/net/lib.sh"
daemon_start
said() { sed -n "s/^$2='\(.*\)'\$/\1/p" "$DIR/$1.lease"; }
explain() { json "$1" lease explain lab "${@:2}"; }

say "options of the network, in a file's words and on the wire"
lanyard net add lab --subnet 10.77.0.0/16 --dhcp-pool 10.77.1.0-10.77.1.9 --dhcp-pool 10.77.4.0-10.77.40.255 \
	--dhcp-option "ntp-servers 10.77.0.7" --dhcp-option "force tftp-server-name boot.lab" \
	--dhcp-option "classless-static-routes 10.8.0.0/13 10.77.0.9" --dhcp-quota 5000 --dhcp-rate 0
box web1
first=$(dhcp web1 -O ntpsrv -O staticroutes)
has "address" "$first" '^10\.77\.1\.[0-9]$'
is "NTP" "$(said web1 ntpsrv)" 10.77.0.7
is "unasked" "$(said web1 tftp)" boot.lab
is "routes, and the default one with them" "$(said web1 staticroutes)" "10.8.0.0/13 10.77.0.9 0.0.0.0/0 10.77.0.1"

say "a class has a pool, a time and an option of its own"
lanyard class add lab/phones --vendor "udhcp*" --port "phone*" --pool 10.77.2.0-10.77.2.9 --lease 8h --option "ntp-servers 10.77.0.8"
status 3 lanyard class add lab/phones --port x
status 1 lanyard class add lab/none --lease 1h
has "nobody's class" "$ERR" 'says of no guest that it belongs to it'
box phone1
phone=$(dhcp phone1 -O ntpsrv)
has "its pool" "$phone" '^10\.77\.2\.[0-9]$'
is "NTP of the class" "$(said phone1 ntpsrv)" 10.77.0.8
is "its time" "$(said phone1 lease)" 28800
is "another's" "$(dhcp web1)" "$first"
lanyard class set lab/phones --option "never ntp-servers"
dhcp phone1 -O ntpsrv >/dev/null
is "never sent" "$(said phone1 ntpsrv)" ""

say "explained without a change"
is "who says what" "$(explain '[.ip, .why, .lease_from, (.options[] | select(.name == "tftp-server-name") | .from)] | join("|")' phone1 --vendor udhcp)" \
	"$phone|it has it|class phones|network"
is "by another vendor" "$(explain '.lease_from' phone1 --vendor other)" network
has "explained" "$(lanyard lease explain lab phone1 --vendor udhcp)" "lease   8h, from class phones"
before=$(lanyard lease ls lab --json)
explain .ip 02:00:00:00:00:99 >/dev/null
explain .ip 01:02:00:00:00:00:99 >/dev/null
is "nothing changed" "$(lanyard lease ls lab --json)" "$before"
status 4 lanyard lease explain lab nobody
lanyard lease pin lab/later 10.77.3.9
is "a port that is to come" "$(explain '[.ip, .why, .port, .absent] | join("|")' later)" "10.77.3.9|it is reserved for it|later|true"
has "said" "$(lanyard lease explain lab later)" "there is no such port"

say "a reservation by MAC, with a name and an option"
mac=$(in_box web1 cat /sys/class/net/eth0/address)
lanyard lease pin lab/desk 10.77.3.3 --mac "$mac" --hostname desk-7 --option "never tftp-server-name"
status 0 lanyard lease pin lab/desk 10.77.3.3 --mac "$mac" --hostname desk-7 --option "never tftp-server-name"
is "explained" "$(explain '[.ip, .why, .heard[0]] | join("|")' web1)" "10.77.3.3|it is reserved for it|reservation desk"
is "by its name" "$(explain '[.ip, .mac, .absent] | join("|")' desk)" "10.77.3.3|$mac|"
is "taken up" "$(dhcp web1 -O hostname)" 10.77.3.3
is "told its name" "$(said web1 hostname)" desk-7
is "never sent" "$(said web1 tftp)" ""
if command -v dig >/dev/null; then
	short() { in_box web1 dig +short +tries=1 +time=2 @10.77.0.1 "$@"; }
	is "its name in DNS, and back" "$(short desk-7.lab.internal) $(short -x 10.77.3.3)" "10.77.3.3 desk-7.lab.internal."
	lanyard lease pin lab/desk 10.77.3.3 --mac "$mac" --hostname desk-8 --replace
	is "another name" "$(short desk-7.lab.internal) $(short desk-8.lab.internal) $(short web1.lab.internal)" " 10.77.3.3 10.77.3.3"
	lanyard lease pin lab/desk 10.77.3.3 --mac "$mac" --hostname desk-7 --option "never tftp-server-name" --replace

	say "names of a guest that is to come"
	lanyard lease pin lab/office 10.77.3.4 --mac 02:00:00:00:00:77 --hostname desk-9 --alias printer --alias scanner
	is "by its name, by another, and back" "$(short desk-9.lab.internal) $(short printer.lab.internal | tr '\n' ' ') $(short -x 10.77.3.4)" \
		"10.77.3.4 desk-9.lab.internal. 10.77.3.4  desk-9.lab.internal."
	has "of IPv6, too" "$(short scanner.lab.internal AAAA | tr '\n' ' ')" '^desk-9\.lab\.internal\. fd[0-9a-f:]*::a4d:304 $'
	status 1 lanyard lease pin lab/third 10.77.3.5 --mac 02:00:00:00:00:78 --hostname desk-5 --alias printer
	has "an alias that is there" "$ERR" 'reservation third: aliases: printer is one of reservation office, too'
	status 1 lanyard lease pin lab/third 10.77.3.5 --mac 02:00:00:00:00:78 --hostname desk-5 --alias desk-9
	has "an alias like a guest" "$ERR" 'reservation third: aliases: desk-9 is a reservation.s host name'
	status 1 lanyard lease pin lab/third 10.77.3.5 --mac 02:00:00:00:00:78 --hostname desk-9
	has "two guests of one name" "$ERR" 'desk-9 in 10.77.0.0/16 is .*office'
	status 1 lanyard lease pin lab/third 10.77.3.5 --mac 02:00:00:00:00:78 --alias fax
	has "a name of nobody" "$ERR" 'lead to its hostname, and it says none'
	lanyard lease pin lab/office 10.77.3.5 --mac 02:00:00:00:00:77 --hostname desk-9 --alias printer --replace
	is "moved" "$(short desk-9.lab.internal) $(short -x 10.77.3.4) $(short -x 10.77.3.5) $(short scanner.lab.internal)" "10.77.3.5  desk-9.lab.internal. "
	lanyard lease rm lab/office
	is "gone" "$(short desk-9.lab.internal)$(short desk-9.lab.internal AAAA)$(short printer.lab.internal)$(short -x 10.77.3.5)" ""
	lanyard lease rm lab 10.77.3.3
	is "still there when its lease is not" "$(short desk-7.lab.internal) $(short -x 10.77.3.3)" "10.77.3.3 desk-7.lab.internal."
	is "and comes back to it" "$(dhcp web1 -O hostname) $(short web1.lab.internal)" "10.77.3.3 10.77.3.3"
fi
lanyard export >"$DIR/lab.yaml"
status 0 lanyard diff -f "$DIR/lab.yaml"
kill -9 "$(engine_pid)"
until_ok 5 explain .ip web1
is "kept by the store" "$(explain .ip web1)" 10.77.3.3

say "refused"
lanyard class add lab/guests --port web2 --refuse true
box web2
is "explained" "$(explain '.outcome + " by " + .refused_by' web2)" "refused by class guests"
! dhcp web2 -t 1 -T 1 >/dev/null || fail "a guest of a refused class has a lease"

if command -v perfdhcp >/dev/null; then
	say "a relay with 1000 clients behind one port, and of another segment"
	lanyard segment add lab 20 --subnet 10.99.0.0/16 --dhcp-quota 5000 --dhcp-rate 0
	box relay
	in_box relay ip addr add 10.77.0.2/16 dev eth0
	in_box relay ip addr add 10.99.0.2/16 dev eth0
	relay() { in_box relay perfdhcp -4 -d 5 -d 5 -l "$1" -r "$2" -n "$3" -R "$3" "${@:4}" >"$DIR/perf" 2>&1 || true; }
	relay 10.77.0.2 500 1000 10.77.0.1
	drops=$(awk '/drops:/ { n += $2 } END { print n + 0 }' "$DIR/perf")
	[ "$drops" -le 20 ] || { cat "$DIR/perf"; fail "$drops of 1000 exchanges had no answer"; }
	[ "$(json '[.leases[] | select(.port == "relay")] | length' lease ls lab)" -ge 950 ] || { cat "$DIR/perf"; lanyard ps; fail "too few leases"; }
	relay 10.99.0.2 100 20 10.77.0.1
	is "of a segment that its port is not on" "$(json '[.leases[] | select(.vid == 20)] | length' lease ls lab)" 0
	lanyard port set lab/relay --relay true
	relay 10.99.0.2 100 50 10.77.0.1
	[ "$(json '[.leases[] | select(.port == "relay" and .vid == 20)] | length' lease ls lab)" -ge 45 ] || { cat "$DIR/perf"; fail "the segment of giaddr"; }
fi
