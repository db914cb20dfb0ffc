#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/22-host-access.sh - what a guest reaches of its host at the gateway: nothing, its own address, or loopback
. "$ROOT/tests/net/lib.sh"
outside_make
echo own >"$DIR/www/index.html"
mkdir "$DIR/www2"
echo loopback >"$DIR/www2/index.html"
http_serve $HOST:8001 "$DIR/www"
http_serve 127.0.0.1:8002 "$DIR/www2"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
get() { in_box web1 curl -sS -m 2 "$1" 2>/dev/null || echo refused; }

# table ACCESS OWN LOOPBACK - what a guest gets of each server at the gateway
table() {
	say "host_access: $1"
	lanyard net set lab --host-access "$1"
	is "the host's own" "$(get http://10.77.0.1:8001/)" "$2"
	is "the host's own by name" "$(get http://host.lab.internal:8001/)" "$2"
	is "the host's loopback" "$(get http://10.77.0.1:8002/)" "$3"
	is "127.0.0.1 itself" "$(get http://127.0.0.1:8002/)" refused
}
table own own refused
table none refused refused
if [ "$(get http://$HOST:8001/)" != refused ]; then fail "none: the host's own address was reached"; fi
http_serve 127.0.0.1:8001 "$DIR/www2"
table loopback loopback loopback
