#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/30-forward.sh - forwards by TCP and UDP: before the guest is there, live, counted, and cut when they go
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

field() { json ".forwards[] | select(.id == \"$1\") | .$2" forward ls lab; }
call() { /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
serve() {
	in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve "$1" "$2" >"$DIR/$2.log" 2>&1 &
	until_ok 5 grep -q listening "$DIR/$2.log"
}

say "declared before its guest exists"
lanyard forward add lab 8080:web1:80
lanyard forward add lab 5353:web1:53/udp --name query
status 0 lanyard forward add lab 8080:web1:80
status 3 lanyard forward add lab 8080:web2:80
case $(call 127.0.0.1 8080 name) in refused | reset | "") ;; *) fail "a forward without a guest answers" ;; esac

box web1
dhcp web1 >/dev/null
serve 80 name
serve 53 datagram
has "TCP: the guest sees" "$(call 127.0.0.1 8080 name)" '^[0-9.]+$'
has "UDP" "$(call 127.0.0.1 5353 datagram)" '^[0-9.]+$'
has "IPv6 loopback" "$(call ::1 8080 name 2>/dev/null || curl -sS -m 3 -o - 'http://[::1]:8080/' 2>/dev/null || echo none)" '.'
for _ in 1 2 3; do call 127.0.0.1 8080 name >/dev/null; done
[ "$(field 8080/tcp hits)" -ge 4 ] || fail "hits: $(field 8080/tcp hits)"
[ "$(field query hits)" -ge 1 ] || fail "hits of UDP: $(field query hits)"
is "state" "$(field 8080/tcp state)" up

say "the whole of TCP"
serve 81 half
serve 82 early
serve 83 reset
serve 84 hangup
for port in 81 82 83 84; do lanyard forward add lab 80$port:web1:$port; done
is "half-close by the caller" "$(call 127.0.0.1 8081 half)" "digest equal"
is "half-close by the guest" "$(call 127.0.0.1 8082 early)" "read 1048576"
is "RST by the guest" "$(call 127.0.0.1 8083 reset)" reset
is "RST by the caller" "$(call 127.0.0.1 8084 hangup)" "reset it"
until_ok 5 grep -qx reset "$DIR/hangup.log"
lanyard forward add lab 8099:web1:99
case $(call 127.0.0.1 8099 reset) in refused | reset) ;; *) fail "nobody listens in the guest" ;; esac

say "only on loopback, unless asked for"
is "from outside" "$(outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $HOST 8080 name)" refused
lanyard forward add lab 8070:web1:80 --listen $HOST
has "from outside, on an address asked for" "$(outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $HOST 8070 name)" '^[0-9.]+$'

say "a forward follows its guest to another address"
lanyard lease pin lab/web1 10.77.0.99
kill "$(<"$DIR/web1.udhcpc")"
is "address" "$(dhcp web1)" 10.77.0.99
follows() { [[ $(call 127.0.0.1 8080 name) == [0-9]* ]]; }
until_ok 5 follows

say "rm: new connections are refused at once, the port is free"
lanyard forward rm lab 8080
is "after rm" "$(call 127.0.0.1 8080 name)" refused
lanyard forward rm lab query
port_free() { ! ss -Hlun "sport = :5353" | grep -q .; }
until_ok 2 port_free
status 4 lanyard forward rm lab 8080
