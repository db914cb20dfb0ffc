#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/46-policy.sh - a sandbox that reaches what its rules allow, by name too, and nothing else; live, counted and told
. "$ROOT/tests/net/lib.sh"
outside_make
outside ip addr add 203.0.113.7/32 dev lo
outside ip addr add 203.0.113.8/32 dev lo
ip route add 203.0.113.0/24 via $OUTSIDE
outside /usr/bin/python3 "$ROOT/tests/net/upstream.py" >"$DIR/upstream.log" 2>&1 &
until_ok 10 outside sh -c 'ss -Hlun "sport = :53" | grep -q .'
echo "nameserver $OUTSIDE" >"$DIR/resolv.conf"
echo hello >"$DIR/www/index.html"
http_serve outside 0.0.0.0:80 "$DIR/www"
http_serve outside 0.0.0.0:81 "$DIR/www"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard policy add lab deny egress 192.0.2.0/24
is "a network's own rules before it has ports" "$(json '[.policy[] | "\(.port)/\(.rule)/\(.of)"] | join(" ")' policy ls lab)" \
	"/deny egress 192.0.2.0/24/network /default: allow egress/default /default: allow ingress/default"
has "in a table" "$(lanyard policy ls lab)" '^lab +network +1 +deny egress 192.0.2.0/24 +0$'
lanyard policy rm lab 1
is "none" "$(json '.policy | length' policy ls lab)" 0
box agent
box peer
agent=$(dhcp agent)
peer=$(dhcp peer)
in_box agent busybox httpd -f -p "$agent:80" -h "$DIR/www" &
in_box peer busybox httpd -f -p "$peer:80" -h "$DIR/www" &
until_ok 5 listens "$peer:80" in_box peer
until_ok 5 listens "$agent:80" in_box agent

get() { in_box "$1" curl -sS -m "${3:-0.5}" -o /dev/null "http://$2" 2>&1; }
passes() { get "$1" "$2" 5 || fail "$1 does not reach $2"; printf '   %s reaches %s\n' "$1" "$2"; }
denied() { if get "$1" "$2" >/dev/null; then fail "$1 reaches $2"; fi; printf '   %s does not reach %s\n' "$1" "$2"; }
name() { in_box agent dig +time=1 +tries=1 @10.77.0.1 "$1" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'; }
hits() { json ".policy[] | select(.port == \"agent\" and .rule == \"$1\") | .hits" policy ls lab/agent; }

say "before: everything"
passes agent $OUTSIDE:80
passes agent "$peer:80"

say "nothing but what is allowed, by name"
lanyard events --json lab >"$DIR/events" & events=$!
lanyard policy add lab/agent allow egress '*.example.com:80/tcp'
lanyard policy set lab/agent --default deny
denied agent $OUTSIDE:80
denied agent "$peer:80"
denied agent 203.0.113.7:80
is "a name that no rule names" "$(name www.elsewhere.org)" REFUSED
is "nobody outside was asked" "$(grep -c elsewhere "$DIR/upstream.log" || true)" 0
is "a name that is allowed" "$(name www.example.com)" NOERROR
passes agent 203.0.113.7:80
denied agent 203.0.113.7:81
denied agent 203.0.113.8:80
is "a guest's own name" "$(name peer.lab.internal)" NOERROR
[ "$(hits 'allow egress *.example.com:80/tcp')" -ge 1 ] || fail "the rule has no hits"
[ "$(hits 'default: deny egress')" -ge 4 ] || fail "the default has no hits"
until_ok 3 grep -q '"event":"denied".*"dst":"198.51.100.2".*"rule":"default"' "$DIR/events"
kill $events
has "as a flow" "$(json '.flows[] | select(.state == "denied") | [.port, .by, .remote, .proto, .began, .rule] | join(" ")' flows lab/agent)" \
	"agent rules $OUTSIDE:80 tcp guest default"
has "in a table" "$(lanyard flows lab)" "^lab/agent 10.77.0.[0-9]+:[0-9]+ +$OUTSIDE:80 +.* tcp +rules +denied"
has "the log" "$(<"$DIR/lanyardd.log")" 'net=lab port=agent event=denied direction=egress .*proto=tcp .*dport=80 .*rule="default"'

say "the lease lives on, and the answer of a neighbour's address"
in_box agent busybox udhcpc -i eth0 -n -q -t 5 -T 1 -s "$ROOT/scripts/udhcpc.script" >/dev/null 2>&1

say "from outside inwards: replies alone"
denied peer "$agent:80"
lanyard policy add lab/agent allow ingress peer:80
passes peer "$agent:80"

say "a connection that is open ends with its rule"
lanyard policy add lab/agent allow egress $OUTSIDE:7003 --at 1
outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 7003 echo >"$DIR/serve.log" 2>&1 &
until_ok 5 listens x:7003 outside
is "open" "$(in_box agent /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $OUTSIDE 7003 echo)" same
in_box agent sh -c "(while :; do echo x; read -r -t 0.1 _ </proc/self/fd/2 || :; done) 2>/dev/null | nc $OUTSIDE 7003 >'$DIR/echo' 2>/dev/null" & stream=$!
until_ok 5 test -s "$DIR/echo"
is "by its number" "$(lanyard policy rm lab/agent 1)" "lab/agent: allow egress $OUTSIDE:7003: removed"
stands() { local a b; a=$(stat -c %s "$DIR/echo"); read -r -t 0.4 -u "$NOTHING" || true; b=$(stat -c %s "$DIR/echo"); [ "$a" = "$b" ]; }
until_ok 5 stands
kill $stream 2>/dev/null || true

say "a rule of the network holds for all"
lanyard policy set lab/agent --default allow
lanyard policy add lab deny egress $OUTSIDE:80
denied peer $OUTSIDE:80
passes peer $OUTSIDE:81
has "export" "$(lanyard export)" "deny egress $OUTSIDE:80"
lanyard export >"$DIR/model.yaml"
is "an export changes nothing" "$(lanyard diff -f "$DIR/model.yaml" 2>/dev/null | grep -c policy || true)" 0
status 1 lanyard policy add lab/agent allow sideways any
has "says what is wrong" "$ERR" 'DIRECTION is egress, ingress or both'
status 4 lanyard policy rm lab/agent 9
lanyard policy rm lab deny egress $OUTSIDE:80
passes peer $OUTSIDE:80
