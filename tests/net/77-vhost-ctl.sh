#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/77-vhost-ctl.sh - vhost-user ports as `ps` sees them: front-ends that come, wait, stop, err, go and come again
# limit: 120
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
web1=$(dhcp web1)

declare -A TO FROM FRONT
# front NAME ROLE PATH ADDRESS - a front-end with its driver; tell NAME COMMAND... has it act, with its answer in $OUT
front() {
	local name=$1 to from; shift
	rm -f "$DIR/$name".{to,from}
	as_lanyard mkfifo "$DIR/$name.to" "$DIR/$name.from"
	as_lanyard /usr/bin/python3 "$ROOT/tests/net/frontend.py" "$@" <"$DIR/$name.to" >"$DIR/$name.from" 2>"$DIR/$name.err" &
	FRONT[$name]=$!
	exec {to}>"$DIR/$name.to" {from}<"$DIR/$name.from"
	TO[$name]=$to FROM[$name]=$from
}
ask() { echo "${*:2}" >&"${TO[$1]}"; }
answer() { read -r -t 15 OUT <&"${FROM[$1]}" || fail "no answer from $1: $(<"$DIR/$1.err")"; }
tell() {
	ask "$@"
	answer "$1"
	case $OUT in error*) fail "$*: $OUT" ;; esac
}

show() { json ".ports[] | select(.name == \"$1\") | \"\(.state): \(.reason)\"" ps lab; }
# shellcheck disable=SC2053 # a pattern is wanted
in_state() { [[ $(show "$1") == $2 ]] || { show "$1"; return 1; }; }
WAITS="pending: waits for its front-end to connect" DRIVER="pending: waits for its driver" UP="up: "

say "waits for its front-end, then for its driver, then is up"
lanyard port add lab/v1 --vhost-user "$DIR/r/v1.sock"
is "state" "$(show v1)" "$WAITS"
is "kind" "$(json '.ports[] | select(.name == "v1") | "\(.kind) \(.role) \(.queues)"' ps lab)" "vhost-user server 4"
front v1 connect "$DIR/r/v1.sock" 10.77.0.201
tell v1 link
until_ok 3 in_state v1 "$DRIVER"
tell v1 negotiate
is "offered" "$OUT" "4 pairs"
is "state" "$(show v1)" "$DRIVER"
tell v1 start
until_ok 3 in_state v1 "$UP"
has "medium" "$(json '.ports[] | select(.name == "v1") | .medium' ps lab)" vhost-user
tell v1 ping 10.77.0.1
tell v1 ping "$web1"
tell v1 dhcp
is "lease" "$(json '.leases[] | select(.port == "v1") | .ip' lease ls lab)" "$OUT"

say "its driver goes and comes back; its link is taken down and put up"
tell v1 stop
until_ok 3 in_state v1 "$DRIVER"
tell v1 start
until_ok 3 in_state v1 "$UP"
tell v1 ping "$web1"
lanyard port set lab/v1 --link down
is "state" "$(show v1)" "down: "
ask v1 ping "$web1"
answer v1
has "no ping" "$OUT" "^error"
lanyard port set lab/v1 --link up
tell v1 ping "$web1"

say "a second front-end waits until the first has gone (VU-57)"
front v2 connect "$DIR/r/v1.sock" 10.77.0.202
tell v2 link
ask v2 negotiate
tell v1 ping "$web1"
if read -r -t 1 OUT <&"${FROM[v2]}"; then fail "the second front-end was answered: $OUT"; fi
tell v1 unlink
answer v2
is "second" "$OUT" "4 pairs"
tell v2 start
until_ok 3 in_state v1 "$UP"
tell v2 ping "$web1"

say "what a driver does that no driver may: failed with the reason, until it resets; the connection stays"
tell v2 fault
until_ok 3 in_state v1 "failed: ?*"
show v1
tell v2 alive
is "connection" "$OUT" connected
tell v2 stop
tell v2 start
until_ok 3 in_state v1 "$UP"
tell v2 ping "$web1"

say "kill -9 of the engine: the same connection, and nothing to do for the guest"
for round in 1 2; do
	engine=$(engine_pid)
	kill -9 "$engine"
	other() { answers && [ "$(engine_pid)" != "$engine" ]; }
	tell v2 ping 10.77.0.1		# whatever falls into the gap waits in the ring
	until_ok 3 other
	is "round $round" "$(show v1)" "$UP"
	tell v2 alive
	is "connection" "$OUT" connected
done
tell v2 stop
until_ok 3 in_state v1 "$DRIVER"
engine=$(engine_pid)
kill -9 "$engine"
until_ok 3 other
until_ok 3 in_state v1 "$DRIVER"
tell v2 start
tell v2 ping "$web1"

say "the network is made anew: guests stay plugged in"
lanyard net set lab --subnet 10.78.0.0/24
until_ok 3 in_state v1 "$UP"
tell v2 alive
is "connection" "$OUT" connected
tell v2 dhcp
has "lease of the new subnet" "$OUT" '^10\.78\.'

say "a front-end that dies, and one that stops in the middle of a message"
ask v2 die
wait "${FRONT[v2]}" || true
until_ok 3 in_state v1 "$WAITS"
front v3 connect "$DIR/r/v1.sock" 10.78.0.203
tell v3 link
ask v3 half
until_ok 3 in_state v1 "$DRIVER"
answer v3
is "half a message" "$OUT" ended
until_ok 3 in_state v1 "$WAITS"
tell v3 unlink

say "client: lanyard dials, and dials again"
lanyard port add lab/v4 --vhost-user "$DIR/r/v4.sock" --role client --queues 2
has "state" "$(show v4)" "^pending: .*v4.sock: cannot connect: No such file"
front v4 listen "$DIR/r/v4.sock" 10.78.0.204
tell v4 link
tell v4 negotiate
is "offered" "$OUT" "2 pairs"
tell v4 start
until_ok 3 in_state v4 "$UP"
tell v4 ping 10.78.0.1
kill -9 "$(engine_pid)"
tell v4 ping 10.78.0.1
tell v4 alive
is "connection" "$OUT" connected
until_ok 3 answers
tell v4 stop
tell v4 unlink
tell v4 link
tell v4 negotiate
tell v4 start
until_ok 3 in_state v4 "$UP"
tell v4 ping 10.78.0.1

say "rm ends the connection and takes the socket away, and the keeper lets go of everything"
front v5 connect "$DIR/r/v1.sock" 10.78.0.205
tell v5 link
tell v5 negotiate
tell v5 start
until_ok 3 in_state v1 "$UP"
held() { find "/proc/$(keeper_pid)/fd" -type l 2>/dev/null | wc -l; }
before=$(held)
lanyard port rm lab/v1
lanyard port rm lab/v4
tell v5 alive
is "connection" "$OUT" ended
tell v4 alive
is "connection of the client" "$OUT" ended
[ ! -e "$DIR/r/v1.sock" ] || fail "the socket's path is still there"
after=$(held)
echo "   the keeper had $before descriptors and has $after"
[ $((before - after)) -ge 12 ] || fail "the keeper holds what nobody needs"

say "QEMU takes the arguments that are printed for it, in both roles, and finds the port"
for role in server client; do
	status 0 lanyard qemu "lab/q-$role" --vhost-user --role $role --queues 2 --memory 64M --packed
	arguments=$OUT
	is "lines" "$(wc -l <"$DIR/out")" 1
	is "the same again" "$(lanyard qemu "lab/q-$role" --queues 2 --memory 64M --packed)" "$arguments"
	echo "   $arguments"
	if ! command -v qemu-system-x86_64 >/dev/null; then
		echo "   there is no QEMU here to try them"
		continue
	fi
	eval "as_lanyard qemu-system-x86_64 -nodefaults -display none -S $arguments" >"$DIR/qemu" 2>&1 </dev/null &
	qemu=$!
	until_ok 20 in_state "q-$role" "$DRIVER" || fail "$(<"$DIR/qemu")"
	kill -0 $qemu || fail "$(<"$DIR/qemu")"
	lanyard port rm "lab/q-$role"
done

say "the whole daemon ends: so does the connection"
lanyard port add lab/v6 --vhost-user "$DIR/r/v6.sock"
front v6 connect "$DIR/r/v6.sock" 10.78.0.206
tell v6 link
tell v6 negotiate
tell v6 start
until_ok 3 in_state v6 "$UP"
daemon_stop
tell v6 alive
is "connection" "$OUT" ended
