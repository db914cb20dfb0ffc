# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# tests/bench/quiet.sh - sourced: as root, make niceness count beyond one login session, and put that back
#
# quiet_begin sets QUIET to the words in front of a command that is to go first, and soft interrupts go first too; quiet_end undoes it.
# shellcheck disable=SC2034 # QUIET is for who sources this
AUTOGROUP=/proc/sys/kernel/sched_autogroup_enabled QUIET=()

softirqs() { pgrep -x 'ksoftirqd/[0-9]+'; }
quiet_begin() {
	[ "$(id -u)" = 0 ] || return 0
	if [ -w $AUTOGROUP ]; then
		autogroup=$(<$AUTOGROUP)
		echo 0 >$AUTOGROUP
	fi
	nice -n -20 true 2>/dev/null || return 0
	# shellcheck disable=SC2034
	QUIET=(nice -n -20)
	reniced=1
	# shellcheck disable=SC2046
	renice -n -20 -p $(softirqs) >/dev/null 2>&1 || reniced=
}
quiet_end() {
	[ -z "${autogroup:-}" ] || echo "$autogroup" >$AUTOGROUP
	# shellcheck disable=SC2046
	[ -z "${reniced:-}" ] || renice -n 0 -p $(softirqs) >/dev/null
}
