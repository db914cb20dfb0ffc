#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/63-seeing.sh - events, wait, metrics
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add other --subnet 10.78.0.0/24
lanyard events --json >"$DIR/all" &
lanyard events lab --json >"$DIR/lab" &
heard() { jq -es "any(.[]; $2)" "$DIR/$1" >/dev/null; }
# the lines are there when the connection is: make something until both have heard of it
listening() { lanyard dns add lab x 10.77.0.9; lanyard net add probe --mode internal; lanyard net rm probe; [ -s "$DIR/all" ]; }
until_ok 5 listening

say "wait: for what is not there yet"
lanyard wait lab/web1 --for dns --timeout 20s &
DNS=$!
status 7 lanyard wait lab/web1 --for link --timeout 1s
status 2 lanyard wait lab/web1 --for fun
box web1
lanyard wait lab/web1 --for link
dhcp web1
lanyard wait lab/web1
wait $DNS
is "the name resolves" "$(json .dns_name port show lab/web1)" web1.lab.internal
status 7 lanyard wait lab/web1 --for address6 --timeout 1s

say "events"
until_ok 5 heard lab '.event == "lease" and .port == "web1"'
heard lab '.event == "link" and .port == "web1" and .state == "up"' || fail "no link event"
lanyard forward add lab 8080:web1:80
in_box web1 busybox httpd -f -p 80 -h "$DIR/www" &
echo hello >"$DIR/www/index.html"
until_ok 5 curl -sf -m 2 http://127.0.0.1:8080/
until_ok 5 heard lab '.event == "forward-hit" and .id == "8080/tcp" and .count >= 1'
in_box web1 ping -c 3 -i 0.1 -W 1 169.254.9.9 >/dev/null 2>&1 || true
until_ok 5 heard lab '.event == "drop" and .port == "web1"'
lanyard net rm other
until_ok 5 heard all '.event == "network-removed" and .network == "other"'
! heard lab '.network != "lab"' || fail "of another network"

say "metrics"
lanyard metrics >"$DIR/page"
python3 "$ROOT/tests/net/openmetrics.py" 'lanyard_port_up{network="lab",port="web1"}' 'lanyard_forward_up{network="lab",forward="8080/tcp"}' \
	'lanyard_leases{network="lab"}' <"$DIR/page" >"$DIR/read" || fail "$(<"$DIR/read")"
is "up, listening, one lease" "$(sed 1d "$DIR/read" | xargs)" "1 1 1"
received=$(sed -n 's/^lanyard_port_receive_frames_total{network="lab",port="web1"} //p' "$DIR/page")
verdicts=$(awk '/^lanyard_port_frames_total{network="lab",port="web1",/ { n += $NF } END { print n }' "$DIR/page")
is "each frame has one verdict" "$verdicts" "$received"
has "content type" "$(curl -sS -o /dev/null -w '%{content_type}' --unix-socket "$LANYARD_SOCKET" http://l/metrics)" '^application/openmetrics-text; version=1.0.0'

say "events go on after the engine"
kill -KILL "$(engine_pid)"
until_ok 10 heard all '.event == "engine-restarted" and .restarts == 1'
