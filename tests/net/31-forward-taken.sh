#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/31-forward-taken.sh - a port somebody else holds: the forward is kept, pending, names the holder, and wakes
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
echo guest >"$DIR/www/index.html"
http_serve in_box web1 80 "$DIR/www"
mkdir "$DIR/www2"
echo squatter >"$DIR/www2/index.html"
http_serve as_lanyard 127.0.0.1:8080 "$DIR/www2"

state() { json '.forwards[] | select(.port == 8080) | .state' forward ls lab; }
lanyard forward add lab 8080:web1:80 >"$DIR/out" 2>&1 || true
cat "$DIR/out"
is "state" "$(state)" pending
# The holder is named where its descriptors may be seen: not between siblings in user namespaces of their own.
owner=busybox
[ "${RUN_AS[0]:-}" != unshare ] || owner=another
has "reason" "$(json '.forwards[] | select(.port == 8080) | .reason' forward ls lab)" "$owner"
is "it was not taken over" "$(curl -sS -m 3 http://127.0.0.1:8080/)" squatter

say "freed: the forward comes up by itself"
kill "$(pgrep -f 'httpd -f -p 127.0.0.1:8080')"
up() { [ "$(state)" = up ]; }
until_ok 15 up
is "served" "$(curl -sS -m 3 http://127.0.0.1:8080/)" guest
