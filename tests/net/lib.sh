# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# tests/net/lib.sh - what the tests with real peers share; sourced inside the sandbox of tests/run.sh
#
# The sandbox is "the host". Around it a test may make an outside (a namespace behind a veth pair: the host is
# 198.51.100.1, the outside .2) and inside it guests, each a namespace attached by `lanyard run`. lanyardd and lanyard
# run as AS: root, or an ordinary user with no right over the host's network.
#
# Any command that fails ends the test. Nothing sleeps for luck: until_ok looks again until a deadline.

set -Eeuo pipefail
exec {LOG}>&1
trap 'echo "failed: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND" >&$LOG' ERR
trap 'test_end' EXIT
trap 'exit 124' TERM

export XDG_RUNTIME_DIR=$DIR/r XDG_STATE_HOME=$DIR/s XDG_CONFIG_HOME=$DIR/c HOME=$DIR
export LANYARD_SOCKET=$DIR/r/lanyard/lanyard.sock
mkdir -p "$DIR"/{r,s,c,www}
OUTSIDE=198.51.100.2 HOST=198.51.100.1
RUN_AS=() PLACES=(--runtime-dir "$DIR/r/lanyard" --state-dir "$DIR/s/lanyard")
if [ "$AS" = user ]; then
	if [ "$(readlink /proc/self/ns/user)" = "$(readlink /proc/1/ns/user)" ] && [ "$(awk '{ print $3 }' /proc/self/uid_map)" != 1 ]; then
		USER_ID=54321	# nobody's
		RUN_AS=(setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --)
		chown -R $USER_ID:$USER_ID "$DIR"
	else	# the caller's own uid, under a name without rights over this sandbox
		USER_ID=1000
		RUN_AS=(unshare --user --map-user="$USER_ID" --map-group="$USER_ID" --)
	fi
fi

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&$LOG; exit 1; }
skip() { printf '%s\n' "$*"; exit 77; }
absent() { [ "${CI:-}" = true ] && fail "$* (in CI it must be there)"; skip "$*"; }

# is WHAT GOT WANT - equal, or the test ends
is() { [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"; printf '   %s: %s\n' "$1" "$2"; }

# has WHAT TEXT PATTERN - TEXT matches the extended regular expression
has() { grep -qE -- "$3" <<<"$2" || fail "$1: '$2' does not match '$3'"; }

# status CODE COMMAND... - the command ends with CODE; what it wrote is in $OUT and $ERR
status() {
	local want=$1 rc=0; shift
	"$@" >"$DIR/out" 2>"$DIR/err" || rc=$?
	OUT=$(<"$DIR/out") ERR=$(<"$DIR/err")
	[ $rc = "$want" ] || fail "$*: exit status $rc, expected $want: $OUT $ERR"
}

# until_ok SECONDS COMMAND... - run it again and again until it succeeds
until_ok() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000)) last; shift
	until last=$("$@" 2>&1); do
		[ "${EPOCHREALTIME/./}" -lt $end ] || fail "not in time: $*: $last"
		read -r -t 0.03 -u "$NOTHING" || true
	done
}
exec {NOTHING}<> <(:)	# a pipe that stays empty: reading it is a pause without a process

# as_lanyard COMMAND... - with the rights of the test's lanyard
as_lanyard() { "${RUN_AS[@]}" "$@"; }
lanyard() { as_lanyard "$B/lanyard" "$@"; }

# json FILTER COMMAND... - what jq makes of `lanyard COMMAND... --json`
json() { local filter=$1; shift; lanyard "$@" --json | jq -r "$filter"; }

answers() { lanyard net ls >/dev/null 2>&1; }

# daemon_start - lanyardd in the background, answering
daemon_start() {
	"${RUN_AS[@]}" "$B/lanyardd" "${PLACES[@]}" >>"$DIR/lanyardd.log" 2>&1 &
	DAEMON=$!
	until_ok 10 answers
}

keeper_pid() { json .pid daemon show; }
engine_pid() { json .engine_pid daemon show; }

daemon_stop() {
	local pid
	pid=$(keeper_pid)
	kill -TERM "$pid"
	until_ok 5 gone "$pid"
	wait "$DAEMON" || true
	DAEMON=
}
gone() { ! [ -d "/proc/$1" ] || [ "$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null)" = Z ]; }

# outside_make - a host beyond the host, and the way there
outside_make() {
	ip netns add outside
	ip link add outside0 type veth peer name eth0 netns outside
	ip addr add $HOST/24 dev outside0
	ip link set outside0 up
	ip -n outside link set lo up
	ip -n outside addr add $OUTSIDE/24 dev eth0
	ip -n outside link set eth0 up
	ip route add default via $OUTSIDE
}
outside() { ip netns exec outside "$@"; }

declare -A BOX BOX_RUN
# box [NET/]NAME [FLAG...] - a guest of network lab (or NET) that stays; in_box NAME COMMAND... runs something in it
box() {
	local port=$1 name=${1##*/}; shift
	[[ $port == */* ]] || port=lab/$port
	rm -f "$DIR/$name.pid"
	# shellcheck disable=SC2016
	"${RUN_AS[@]}" "$B/lanyard" run "$port" --dhcp none "$@" -- sh -c 'echo $$ >"$0"; exec sleep 1000' "$DIR/$name.pid" >"$DIR/$name.log" 2>&1 &
	BOX_RUN[$name]=$!
	until_ok 5 test -s "$DIR/$name.pid" || { cat "$DIR/$name.log"; return 1; }
	BOX[$name]=$(<"$DIR/$name.pid")
}
in_box() {
	local pid=${BOX[$1]} enter=(-n) by=(); shift
	same_space "$pid" mnt || enter+=(-m)
	if ! same_space "$pid" user; then
		enter+=(-U --preserve-credentials)
		[ "${RUN_AS[0]:-}" = setpriv ] && by=("${RUN_AS[@]}")
	fi
	"${by[@]}" nsenter -t "$pid" "${enter[@]}" -- "$@"
}
same_space() { [ "$(readlink "/proc/$1/ns/$2")" = "$(readlink "/proc/self/ns/$2")" ]; }

# box_end NAME - the guest's command ends, and with it its port
box_end() {
	kill "${BOX[$1]}"
	wait "${BOX_RUN[$1]}" || true
	unset "BOX[$1]" "BOX_RUN[$1]"
}

# dhcp NAME [UDHCPC-ARGUMENT...] - one lease by busybox udhcpc, which stays; prints the address
dhcp() {
	local name=$1; shift
	rm -f "$DIR/$name.lease"
	in_box "$name" env LEASE_FILE="$DIR/$name.lease" busybox udhcpc -i eth0 -s "$ROOT/scripts/udhcpc.script" -t 10 -T 1 -n \
		-p "$DIR/$name.udhcpc" "$@" >>"$DIR/$name.dhcp" 2>&1 || { cat "$DIR/$name.dhcp"; return 1; }
	address "$name"
}
address() { in_box "$1" ip -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4; exit }'; }

# http_serve PREFIX... ADDRESS:PORT DIRECTORY - a web server in the background, answering connections
http_serve() {
	local at=${*: -2:1} dir=${*: -1}
	local prefix=("${@:1:$#-2}")
	"${prefix[@]}" busybox httpd -f -p "$at" -h "$dir" >>"$DIR/httpd.log" 2>&1 &
	HTTP_PID=$!
	export HTTP_PID
	until_ok 5 listens "$at" "${prefix[@]}"
}
listens() { local at=$1; shift; "$@" ss -Hltn "sport = :${at##*:}" | grep -q .; }

# outside_answers - the outside host of `lanyard check`; outside_make comes first
outside_answers() {
	outside "$B/lanyard" check --answer >>"$DIR/answer.log" 2>&1 &
	until_ok 5 outside sh -c 'ss -Hlun "sport = :8473" | grep -q .'
}

# lan_leases - a DHCP server in the LAN of a test (in_lan), which is 10.9.0.0/24 with a router at .2
lan_leases() {
	cat >"$DIR/udhcpd.conf" <<END
start 10.9.0.50
end 10.9.0.99
interface eth0
pidfile $DIR/udhcpd.pid
lease_file $DIR/udhcpd.leases
option subnet 255.255.255.0
option router 10.9.0.2
option lease 600
END
	: >"$DIR/udhcpd.leases"
	in_lan busybox udhcpd -f "$DIR/udhcpd.conf" >"$DIR/udhcpd.log" 2>&1 &
}

# differs NET [FLAG...] - the rows in which the network is not as its mode promises; the whole answer is in $DIR/check
differs() {
	lanyard check "$@" --json >"$DIR/check" 2>"$DIR/check.err" || [ $? = 8 ] || { cat "$DIR/check.err"; return 1; }
	jq -r '[.rows[] | select(.result == "DIFFERS") | .row | tostring] | join(" ")' "$DIR/check"
}

# checked RESULT - the rows with this result, of the last differs()
checked() { jq -r --arg is "$1" '[.rows[] | select(.result == $is) | .row | tostring] | join(" ")' "$DIR/check"; }

sum() { sha256sum | cut -d' ' -f1; }

# call_refused - does the daemon's log tell of a system call that its engine should not need? Asked, it tells at once.
call_refused() {
	answers && lanyard daemon show >/dev/null 2>&1
	[ -e "$DIR/lanyardd.log" ] && grep -E 'event=call-refused|signal=Bad system call' "$DIR/lanyardd.log" >&$LOG
}

test_end() {
	local rc=$?
	trap - ERR EXIT
	[ $rc != 0 ] || ! call_refused || rc=1
	if [ $rc != 0 ] && [ $rc != 77 ] && [ -s "$DIR/lanyardd.log" ]; then
		echo "-- end of the daemon's log"
		tail -n 25 "$DIR/lanyardd.log"
	fi
	exit $rc
}
