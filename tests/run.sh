#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/run.sh - run test scripts with real peers, each in a sandbox of its own
#
#	tests/run.sh tests/net/*.sh tests/vm/10-stream.sh	B=DIR: where the programs were built
#	AS=root|user ONLY=WORD KEEP=1 tests/run.sh ...		one identity; names with WORD; keep logs and directories
#	AGAIN=1 tests/run.sh ...	what fails is shown (as ONCE), and run once more; only what fails twice has failed
#	JOBS=2 tests/run.sh ...		so many at once; a second run has the machine for itself
#
# Files are taken as tests if their names begin with two digits. A test passes with exit status 0 and is skipped with
# 77, its last line saying why. The sandbox is a new network, mount and process namespace (and user namespace when the
# caller is not root): what a test leaves there goes with it, and nothing of the host is changed.
#
# Root runs each test twice: with lanyard as root, and as an ordinary user without rights. Others run it once.
# In a test's first lines:  "# limit: SECONDS" (60),  "# as: root|user|once",  "# before: COMMAND" (outside the sandbox),
# "# alone: REASON" (never beside another).
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

# finish() - asked to end: the sandbox, its directory and the tests beside it go, too
finish() {
	[ -n "$current" ] && kill -KILL "$current" 2>/dev/null	# unshare ignores SIGTERM
	jobs -p | xargs -r kill -TERM 2>/dev/null
	wait
	[ -n "${DIR:-}" ] && [ -z "${KEEP:-}" ] && rm -rf "$DIR"
	rm -rf "${told:-}"
	exit 130
}
trap finish INT TERM HUP

report() { printf '%-4s  %-28s %-4s %6s s%s\n' "$1" "$name" "$AS" "$2" "${3:+  $3}"; }

# run_one TEST - in a fresh directory, with a limit of time; Return: 0 passed, 77 skipped, 1 failed
run_one() {
	local test=$1 name before limit start took rc why bad=FAIL

	[ -z "${AGAIN:-}" ] || bad=ONCE	# what is run once more has not failed yet
	name=$(basename "$test" .sh)
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
	124 | 137) report "$bad" "${took/#./0.}" "not done in $limit s" ;;
	*) report "$bad" "${took/#./0.}" "exit status $rc" ;;
	esac
	[ $rc = 0 ] || [ $rc = 77 ] || tail -n "${LOG_LINES:-60}" "$DIR/log" | sed 's/^/      | /'
	if [ -n "${KEEP:-}" ]; then echo "      kept: $DIR"; else rm -rf "$DIR"; fi
	[ $rc = 0 ] || [ $rc = 77 ] || rc=1
	return $rc
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

# tally STATUS IDENTITY FILE - count a test that ended; one that failed and may be run again waits for that
tally() {
	case $1 in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*) if [ -n "${AGAIN:-}" ]; then again+=("$2 $3"); else failed=$((failed + 1)); fi ;;
	esac
}

# beside FILE - run it in the background; what it says is shown in one piece when it has ended
beside() {
	(
		trap finish INT TERM HUP
		run_one "$1" >"$told/$BASHPID"
		echo "$? $AS $1" >"$told/$BASHPID.part"
		mv "$told/$BASHPID.part" "$told/$BASHPID.ended"
	) &
	running=$((running + 1))
}

# room N - until at most N tests run in the background; those that ended are counted and shown
room() {
	local end rc as file

	while [ $running -gt "$1" ]; do
		wait -n
		[ $? != 127 ] || compgen -G "$told/*.ended" >/dev/null || { echo "a test was killed"; exit 1; }
		for end in "$told"/*.ended; do
			[ -e "$end" ] || continue
			read -r rc as file <"$end"
			cat "${end%.ended}"
			rm -f "$end"
			running=$((running - 1))
			tally "$rc" "$as" "$file"
		done
	done
}

begun=$SECONDS
jobs=${JOBS:-1} running=0 again=()
told=$(mktemp -d)
for file in "$@"; do
	name=$(basename "$file" .sh)
	[[ $name == [0-9][0-9]-* ]] || continue
	[[ $name == *"${ONLY:-}"* ]] || continue
	file=$(realpath "$file")
	for AS in $(identities "$file"); do
		if [ "$jobs" = 1 ] || [ -n "$(header "$file" alone)" ]; then
			room 0
			run_one "$file"
			tally $? "$AS" "$file"
		else
			room $((jobs - 1))
			beside "$file"
		fi
	done
done
room 0
[ ${#again[@]} = 0 ] || echo "run a second time: ${#again[@]}"
AGAIN=
for one in "${again[@]}"; do
	AS=${one%% *}
	run_one "${one#* }"
	tally $? "$AS" "${one#* }"
done
rm -rf "$told"
echo "$passed passed, $failed failed, $skipped skipped in $((SECONDS - begun)) s"
[ $failed = 0 ]
