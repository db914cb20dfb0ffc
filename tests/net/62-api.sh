#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/62-api.sh - the API as curl sees it: methods, statuses, error shape, limits, events
. "$ROOT/tests/net/lib.sh"
daemon_start

# api CODE METHOD PATH [BODY] - the answer is in $OUT
api() {
	local code
	code=$(curl -sS -m 5 --unix-socket "$LANYARD_SOCKET" -o "$DIR/out" -w '%{http_code}' -X "$2" ${4:+--data-binary "$4"} "http://l$3")
	OUT=$(<"$DIR/out")
	[ "$code" = "$1" ] || fail "$2 $3: $code, expected $1: $OUT"
}
error() { is "   $1" "$(jq -r '.error | select(.message and .code) | .code' <<<"$OUT")" "$1"; }

curl -sN --unix-socket "$LANYARD_SOCKET" http://l/v1/events >"$DIR/events" &
api 200 GET /v1/networks
is "no networks yet" "$(jq -c .networks <<<"$OUT")" '[]'
api 201 POST /v1/networks '{"name":"lab","subnet":"10.77.0.0/24"}'
is "answered as GET shows it" "$(jq -r '.name, .mode, .gateway' <<<"$OUT" | xargs)" "lab nat-network 10.77.0.1"
api 200 POST /v1/networks '{"name":"lab","subnet":"10.77.0.0/24"}'
api 409 POST /v1/networks '{"name":"lab","subnet":"10.78.0.0/24"}'
error exists
api 200 PATCH /v1/networks/lab '{"mtu":1400}'
is "mtu" "$(jq .mtu <<<"$OUT")" 1400
api 201 PUT /v1/networks/two '{"subnet":"10.78.0.0/24"}'
api 201 POST /v1/networks/lab/forwards '{"port":8080,"to":"web1","to_port":80}'
api 200 GET /v1/networks/lab/forwards/8080-tcp
is "id" "$(jq -r .id <<<"$OUT")" 8080/tcp
api 201 POST /v1/networks/lab/records '{"name":"db","type":"A","value":"10.77.0.9"}'
api 200 GET /v1/networks/lab/records/db-A
api 404 GET /v1/networks/none
error not-found
api 404 GET /v1/nothing
has "a method it has not" "$(curl -sS -m 5 --unix-socket "$LANYARD_SOCKET" -o /dev/null -w '%{http_code}' -X POST -d '{}' http://l/v1/daemon)" '^40[0-9]$'

say "bad requests"
for body in '' '{' '[]' '"x"' '{"name":1}' '{"name":"bad name"}' '{"name":"x","subnet":"10.77.0.0/99"}' '{"name":"x","typo":1}' \
	'{"name":"x","mtu":-1}' '{"name":"x","mtu":1e99}' '{"name":"x","name":"y"}' '{"name":"x\u0000y"}'; do
	api 400 POST /v1/networks "${body:- }"
done
error invalid
head -c 1200000 /dev/zero | tr '\0' ' ' >"$DIR/large"
code=$(curl -sS -m 5 --unix-socket "$LANYARD_SOCKET" -o /dev/null -w '%{http_code}' --data-binary "@$DIR/large" http://l/v1/networks || true)
has "a body beyond 1 MiB" "$code" '^(413|000)$'
printf 'nonsense\r\n\r\n' | nc -U -q 1 -w 2 "$LANYARD_SOCKET" >/dev/null || true
for _ in {1..200}; do printf 'GET /v1/networks HTTP/1.1\r\n'; done | nc -U -q 0 -w 1 "$LANYARD_SOCKET" >/dev/null || true
api 200 GET /v1/networks
is "still whole" "$(jq -r '.networks[].name' <<<"$OUT" | sort | xargs)" "lab two"

say "configuration as a whole"
api 200 GET /v1/config
config=$OUT
api 200 PUT /v1/config "$config"
is "no change" "$(jq '.changes | length' <<<"$OUT")" 0
api 200 DELETE /v1/networks/two
api 200 PUT '/v1/config?dry_run=true' "$config"
[ "$(jq '.changes | length' <<<"$OUT")" -ge 1 ] || fail "a dry run shows no change"
api 404 GET /v1/networks/two
api 200 PUT /v1/config "$config"
api 200 GET /v1/networks/two
api 201 POST /v1/networks/lab/ports "{\"name\":\"vm1\",\"kind\":\"stream\",\"path\":\"$DIR/r/vm1.sock\"}"
api 409 DELETE /v1/networks/lab
error busy
api 200 DELETE '/v1/networks/lab?force=true'

say "events"
api 201 POST /v1/networks '{"name":"lab","subnet":"10.77.0.0/24"}'
box web1
address=$(dhcp web1)
until_ok 5 grep -q "\"event\":\"lease\".*\"ip\":\"$address\"" "$DIR/events"
jq -es 'all(type == "object" and has("event"))' "$DIR/events" >/dev/null || fail "an event is not an object with its name"

say "idle clients cost nothing and end nothing"
for _ in {1..40}; do nc -U -w 3 "$LANYARD_SOCKET" >/dev/null 2>&1 </dev/zero & done
api 200 GET /v1/daemon
