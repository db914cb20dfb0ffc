#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/34-forward-given.sh - low ports: the refusal names the ways, and sockets handed over at the start are one
. "$ROOT/tests/net/lib.sh"
ports() { /usr/bin/python3 "$ROOT/tests/net/ports.py" "$@"; }
field() { json ".forwards[] | select(.id == \"$1\") | .$2" forward ls lab; }

# Opened by root, used by whoever lanyard runs as.
/usr/bin/python3 "$ROOT/tests/net/given.py" =tcp:127.0.0.1:80 lab/dns=udp:127.0.0.1:53 web=tcp:127.0.0.1:81 '=tcp:[::1]:80' -- \
	"${RUN_AS[@]}" "$B/lanyardd" "${PLACES[@]}" >>"$DIR/lanyardd.log" 2>&1 &
until_ok 10 answers
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
for kind in tcp udp; do
	in_box web1 /usr/bin/python3 "$ROOT/tests/net/ports.py" serve web1 $kind 9000 3 >"$DIR/$kind.log" 2>&1 &
	until_ok 10 grep -q listening "$DIR/$kind.log"
done

say "by address"
lanyard forward add lab 80:web1:9000
is "state" "$(field 80/tcp state)" up
has "IPv4" "$(ports call 127.0.0.1 80 tcp)" '^web1 9000 '
has "IPv6" "$(ports call ::1 80 tcp)" '^web1 9000 '
say "removed, and used again"
lanyard forward rm lab 80
lanyard forward add lab 80:web1:9001
has "again" "$(ports call 127.0.0.1 80 tcp)" '^web1 9001 '

say "by name, whatever port it is"
lanyard forward add lab 127.0.0.1:5300:web1:9002/udp --name dns
lanyard forward add lab 127.0.0.1:8081:web1:9002 --name web
has "udp" "$(ports call 127.0.0.1 53 udp)" '^web1 9002 '
has "tcp" "$(ports call 127.0.0.1 81 tcp)" '^web1 9002 '

say "still there when the engine was started again"
kill -KILL "$(engine_pid)"
serves() { [[ $(ports call 127.0.0.1 80 tcp) == web1* ]]; }
until_ok 10 serves
has "udp" "$(ports call 127.0.0.1 53 udp)" '^web1 9002 '

say "without one"
lanyard forward add lab 127.0.0.1:79:web1:9000 2>"$DIR/said" || true
if [ "$AS" = user ]; then
	is "state" "$(field 79/tcp state)" pending
	for way in ip_unprivileged_port_start=79 cap_net_bind_service 'handed over'; do
		has "the ways" "$(<"$DIR/said")" "$way"
	done
else
	is "state" "$(field 79/tcp state)" up
fi
