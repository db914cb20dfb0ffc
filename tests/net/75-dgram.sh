#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/75-dgram.sh - unix datagram ports: peers that come, go and come again, strangers, links, garbage, bulk
# limit: 90
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
web1=$(dhcp web1)
R=$DIR/r
python() { as_lanyard timeout 40 /usr/bin/python3 "$@" </dev/null; }
station() { python "$ROOT/tests/net/station.py" dgram "$@"; }
port() { json ".ports[] | select(.name == \"$1\") | $2" ps lab; }
in_state() { [ "$(port "$1" .state)" = "$2" ]; }
verdict() { port "$1" ".verdicts.\"$2\" // 0"; }
shows() { [ "$(verdict "$1" "$2")" = "$3" ]; }

say "a peer comes, goes and comes again"
lanyard port add lab/d1 --dgram "$R/d1.sock,$R/p1.sock"
is "state" "$(port d1 .state)" pending
has "reason" "$(port d1 .reason)" 'p1.sock: cannot connect: No such file'
station "$R/p1.sock,$R/d1.sock" 10.77.0.201 ping 10.77.0.1 ping "$web1" again ping "$web1" dhcp again again ping 10.77.0.1 >"$DIR/out" ||
	fail "$(<"$DIR/out")"
xargs -d '\n' printf '   %s\n' <"$DIR/out"
is "lease" "$(json '.leases[] | select(.port == "d1") | .ip' lease ls lab)" "$(grep -E '^10\.77' "$DIR/out")"
is "medium" "$(port d1 .kind)" dgram

say "the peer has gone: the port stays, and finds out by sending"
in_box web1 ping -c 1 -W 1 10.77.0.201 >/dev/null || true
until_ok 5 in_state d1 pending
has "reason" "$(port d1 .reason)" 'p1.sock: cannot connect: Connection refused'

say "garbage and long datagrams are dropped and counted"
station "$R/p1.sock,$R/d1.sock" 10.77.0.201 garbage ping 10.77.0.1 oversize ping "$web1" >"$DIR/out" || fail "$(<"$DIR/out")"
has "runts" "$(verdict d1 runt)" '^1[0-9]$'
is "oversize" "$(verdict d1 oversize)" 4

say "strangers: none gets in, before the peer is there nor after"
cat >"$DIR/stranger.py" <<'PY'
import errno, os, socket, sys
for ours in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if ours != "-":
        if os.path.exists(ours):
            os.unlink(ours)
        s.bind(ours)
    try:
        s.sendto(b"\xff" * 6 + b"\x02\0\0\0\0\x09" + bytes(50), sys.argv[1])
        print("taken")
    except OSError as e:
        print(errno.errorcode[e.errno])
PY
lanyard port add lab/d2 --dgram "$R/d2.sock,$R/p2.sock"
is "a named and an unnamed one before" "$(python "$DIR/stranger.py" "$R/d2.sock" "$R/x.sock" - | xargs)" "taken taken"
station "$R/p2.sock,$R/d2.sock" 10.77.0.202 ping 10.77.0.1 serve 30 >"$DIR/out" 2>&1 &
peer=$!
until_ok 5 grep -q pong "$DIR/out"
until_ok 5 shows d2 stranger 2
is "and after" "$(python "$DIR/stranger.py" "$R/d2.sock" "$R/x.sock" - | xargs)" "EPERM EPERM"
as_lanyard mkdir "$R/other"
is "one with the peer's name, elsewhere" "$(cd "$R/other" && python "$DIR/stranger.py" "$R/d2.sock" p2.sock)" EPERM
is "still just two" "$(verdict d2 stranger)" 2
is "learnt of them" "$(json '[.fdb[] | select(.mac == "02:00:00:00:00:09")] | length' fdb ls lab)" 0
kill $peer

say "a link in the peer's place is not followed"
lanyard port add lab/d3 --dgram "$R/d3.sock,$R/p3.sock"
python -c 'import socket, sys, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); time.sleep(30)' "$R/secret.sock" &
until_ok 5 test -S "$R/secret.sock"
as_lanyard ln -s "$R/secret.sock" "$R/p3.sock"
looped() { port d3 .reason | grep -q 'symbolic links'; }
until_ok 5 looped
is "state" "$(port d3 .state)" pending

say "kill -9 of the engine: the same socket, the same peer"
station "$R/p1.sock,$R/d1.sock" 10.77.0.201 ping 10.77.0.1 serve 60 >"$DIR/out" 2>&1 &
peer=$!
until_ok 5 grep -q pong "$DIR/out"
engine=$(engine_pid)
kill -9 "$engine"
back() { answers && [ "$(engine_pid)" != "$engine" ] && in_state d1 up; }
until_ok 3 back
until_ok 3 in_box web1 ping -c 1 -W 1 10.77.0.201
kill $peer

say "paths: ours is removed at the end, replaced when nobody has it, refused when somebody does"
lanyard port rm lab/d1
[ ! -e "$R/d1.sock" ] || fail "the socket's path is still there"
python -c 'import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(sys.argv[1])' "$R/d4.sock"
lanyard port add lab/d4 --dgram "$R/d4.sock,$R/p4.sock"
status 1 lanyard port add lab/d5 --dgram "$R/secret.sock,$R/p5.sock"
has "in use" "$ERR" 'secret.sock: cannot bind: Address already in use'
echo precious >"$R/file"
status 1 lanyard port add lab/d5 --dgram "$R/file,$R/p5.sock"
has "no socket" "$ERR" 'file: cannot bind: what is there is no socket'
is "the file" "$(<"$R/file")" precious
status 2 lanyard port add lab/d5 --dgram "$R/d5.sock"

say "a cable between two networks: lease and 20 MB each way"
lanyard net add far --mode internal
lanyard port add lab/cable --dgram "$R/a.sock,$R/b.sock"
lanyard port add far/cable --dgram "$R/b.sock,$R/a.sock"
box far/box2
dhcp box2 >/dev/null
head -c 20000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve in_box web1 80 "$DIR/www"
start=${EPOCHREALTIME/./}
is "down" "$(in_box box2 curl -sS -m 30 http://web1.lab.internal/file | sum)" "$want"
echo "   in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
http_serve in_box box2 80 "$DIR/www"
is "up" "$(in_box web1 curl -sS -m 30 "http://$(address box2)/file" | sum)" "$want"
[ "$(port cable .stats.segments)" -gt 1000 ] || fail "no segments were cut"
