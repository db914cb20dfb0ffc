#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/check.sh BUILD-DIR TEST... - run unit and packet tests, the layers check and each configuration in configs/
#
# A test whose source says /* needs: netns */ runs in a user and network namespace of its own, with loopback up.
# What a test prints is shown when it fails. The last line counts. SKIP="NAME:REASON ..." leaves tests out (REASON
# with _ for a space); KEEP_GOING=1 goes on after a failure; JOBS=2 runs so many at once;
# AGAIN=1 shows what fails (as ONCE) and runs it once more: only what fails twice has failed.
set -u
cd "$(dirname "$0")/.." || exit 1
export PATH=$PATH:/usr/sbin:/sbin	# tc and nft are there, and an ordinary user of Debian does not look there
build=$1
shift
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -rf "$log" "${told:-}"' EXIT

# verdict NAME STATUS - count one test; 77 is a skip, whose reason is its last line
verdict() {
	case $2 in
	0) passed=$((passed + 1)); printf 'ok    %s\n' "$1" ;;
	77) skipped=$((skipped + 1)); printf 'skip  %s: %s\n' "$1" "$(tail -n 1 "$log")" ;;
	*) failed=$((failed + 1)); printf 'FAIL  %s (status %s)\n' "$1" "$2"; sed 's/^/      /' "$log" | tail -n 60 ;;
	esac
}

# one TEST - run it into $log. Return: its status; 77 is a skip, whose reason is the last line
one() {
	local source=tests/${1##*/tests/}.c run=(timeout 300 "$1") skip
	local name=${source#tests/}
	for skip in ${SKIP:-}; do
		[ "${skip%%:*}" = "${name%.c}" ] || continue
		echo "${skip#*:}" | tr _ ' ' >"$log"
		return 77
	done
	if grep -q 'needs: netns' "$source"; then
		if ! unshare -rn true 2>/dev/null; then
			echo "user namespaces are closed to this user" >"$log"
			return 77
		fi
		run=(timeout 300 unshare -rn sh -c 'ip link set lo up; exec "$0"' "$(realpath "$1")")
	fi
	"${run[@]}" >"$log" 2>&1 </dev/null
}

# beside TEST - one of several at a time: its output and its status are told when it ends
beside() {
	local log status
	log=$(mktemp -p "$told")
	one "$1"
	status=$?
	if [ -n "${AGAIN:-}" ] && [ $status != 0 ] && [ $status != 77 ]; then
		printf 'ONCE  %s (status %s)\n%s\n' "${1##*/tests/}" $status "$(tail -n 60 "$log" | sed 's/^/      /')"
		one "$1"
		status=$?
	fi
	echo "$status $1" >"$log.status"
	mv "$log.status" "$log.ended"
}

# tell_ended() - the verdicts of those that have ended
tell_ended() {
	local end log status test
	for end in "$told"/*.ended; do
		[ -e "$end" ] || continue
		read -r status test <"$end"
		log=${end%.ended}
		verdict "${test##*/tests/}" "$status"
		rm -f "$end" "$log"
	done
}

told=$(mktemp -d)
for test in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-1}" ]; do wait -n; done
	tell_ended
	[ "$failed" -gt 0 ] && [ -z "${KEEP_GOING:-}" ] && break
	beside "$test" &
done
wait
tell_ended

if [ "$failed" = 0 ]; then
	tests/layers.sh >"$log" 2>&1
	verdict layers $?
	for config in configs/*.yaml; do
		[ -e "$config" ] || continue
		"$build/lanyardd" -t --config "$config" >"$log" 2>&1 </dev/null
		verdict "config $config" $?
	done
fi
printf '%d passed, %d failed%s\n' "$passed" "$failed" "$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
