#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/run.sh - run test scripts with real peers, each in a sandbox of its own
#
#	tests/run.sh tests/net/*.sh tests/vm/10-stream.sh	B=DIR: where the programs were built
#	AS=root|user ONLY=WORD KEEP=1 tests/run.sh ...		one identity; names with WORD; keep logs and directories
#	AGAIN=1 tests/run.sh ...	what fails is shown, and run once more; only what fails twice has failed
#
# Files are taken as tests if their names begin with two digits. A test passes with exit status 0 and is skipped with
# 77, its last line saying why. The sandbox is a new network, mount and process namespace (and user namespace when the
# caller is not root): what a test leaves there goes with it, and nothing of the host is changed.
#
# Root runs each test twice: with lanyard as root, and as an ordinary user without rights. Others run it once.
# In a test's first lines:  "# limit: SECONDS" (60),  "# as: root|user|once",  "# before: COMMAND" (outside the sandbox).
set -u

ROOT=$(cd "$(dirname "$0")/.." && pwd)
export ROOT B="${B:-$ROOT/build}" PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
passed=0 failed=0 skipped=0 current=

# --inside: the first process of the sandbox; makes it look like a host of its own and runs the test.
if [ "${1:-}" = --inside ]; then
	mount -t tmpfs tmpfs /run && mkdir /run/netns || exit 1
	conf=$(readlink -m /etc/resolv.conf)
	mkdir -p "${conf%/*}" 2>/dev/null
	[ -e "$conf" ] || : >"$conf"
	: >"$DIR/resolv.conf"
	mount --bind "$DIR/resolv.conf" "$conf" || exit 1
	export TMPDIR=$DIR
	ip link set lo up
	# Ping sockets are for root's daemon alone; its engine is in that user's group where there is more than one user here.
	engine=$(id -g lanyard 2>/dev/null || echo 65534)
	echo "$engine $engine" >/proc/sys/net/ipv4/ping_group_range || echo "0 0" >/proc/sys/net/ipv4/ping_group_range
	timeout -k 5 "${LIMIT:-0}" bash "$2"	# this shell stays: the first process has to bury orphans
	exit $?
fi

header() { sed -n "1,12s/^# $2: *//p" "$1" | head -n 1; }

# sandbox COMMAND... - in namespaces of its own; the end of the outer process is the end of all inside
sandbox() {
	local user=()

	[ "$(id -u)" = 0 ] || user=(--user --map-root-user)
	exec unshare "${user[@]}" --net --mount --pid --fork --kill-child=KILL --mount-proc "$@"
}

finish() {
	[ -n "$current" ] && kill -KILL "$current" 2>/dev/null	# unshare ignores SIGTERM
	[ -n "${DIR:-}" ] && [ -z "${KEEP:-}" ] && rm -rf "$DIR"
	exit 130
}
trap finish INT TERM HUP

report() {
	printf '%-4s  %-28s %-4s %6s s%s\n' "$1" "$name" "$AS" "$2" "${3:+  $3}"
	case $1 in
	PASS) passed=$((passed + 1)) ;;
	SKIP) skipped=$((skipped + 1)) ;;
	FAIL) failed=$((failed + 1)) ;;
	esac
}

# run_one TEST - in a fresh directory, with a limit of time
run_one() {
	local test=$1 before limit start took rc why

	limit=$(header "$test" limit)
	limit=${limit:-60}
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/lt.XXXXXX") || exit 1
	chmod 755 "$DIR"
	export DIR AS
	start=${EPOCHREALTIME/./}
	before=$(header "$test" before)
	rc=0
	[ -z "$before" ] || (cd "$ROOT" && bash -c "$before") >"$DIR/log" 2>&1 || rc=$?
	# A failed preparation is told by the test itself, which knows what it cannot do without.
	(LIMIT=$limit sandbox bash "$ROOT/tests/run.sh" --inside "$test") >>"$DIR/log" 2>&1 </dev/null &
	current=$!
	wait "$current"
	rc=$?
	current=
	took=$(((${EPOCHREALTIME/./} - start) / 100000))
	took=${took%?}.${took: -1}
	why=$(tail -n 1 "$DIR/log")
	case $rc in
	0) report PASS "${took/#./0.}" ;;
	77) report SKIP "${took/#./0.}" "$why" ;;
	124 | 137) report FAIL "${took/#./0.}" "not done in $limit s" ;;
	*) report FAIL "${took/#./0.}" "exit status $rc" ;;
	esac
	[ $rc = 0 ] || [ $rc = 77 ] || tail -n "${LOG_LINES:-60}" "$DIR/log" | sed 's/^/      | /'
	if [ -n "${KEEP:-}" ]; then echo "      kept: $DIR"; else rm -rf "$DIR"; fi
}

can_sandbox() { (sandbox true) >/dev/null 2>&1; }

# identities TEST - root, user or both, by the caller's rights, the caller's wish and the test's own word
identities() {
	local all=user only

	[ "$(id -u)" = 0 ] && all="root user"
	only=$(header "$1" as)
	case $only in
	once) all=${all%% *} ;;
	root | user) [[ " $all " == *" $only "* ]] && all=$only || all= ;;
	esac
	if [ -n "${want:-}" ]; then
		[[ " $all " == *" $want "* ]] && all=$want || all=
	fi
	echo "$all"
}

want=${AS:-}
[ -x "$B/lanyardd" ] || { echo "tests/run.sh: no programs in $B: run make first" >&2; exit 2; }
if ! can_sandbox; then
	echo "namespaces cannot be made here: nothing was tested"
	[ "${CI:-}" = true ] && exit 1
	exit 0
fi
begun=$SECONDS
again=0
for file in "$@"; do
	name=$(basename "$file" .sh)
	[[ $name == [0-9][0-9]-* ]] || continue
	[[ $name == *"${ONLY:-}"* ]] || continue
	for AS in $(identities "$file"); do
		before=$failed
		run_one "$(realpath "$file")"
		if [ "$failed" -gt "$before" ] && [ -n "${AGAIN:-}" ]; then
			again=$((again + 1)) failed=$before
			run_one "$(realpath "$file")"
		fi
	done
done
[ $again = 0 ] || echo "run a second time: $again"
echo "$passed passed, $failed failed, $skipped skipped in $((SECONDS - begun)) s"
[ $failed = 0 ]
