#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/01-quickstart.sh - `scripts/quickstart` as a user meets it, twice over, and its end, which leaves nothing
# limit: 60
. "$ROOT/tests/net/lib.sh"
unset LANYARD_SOCKET
cd "$DIR"

shown() { cat "$DIR/shown"; fail "$1"; }

# round - begin, look, begin again (which is refused politely), end
round() {
	as_lanyard "$ROOT/scripts/quickstart" >"$DIR/shown" 2>&1 || shown "quickstart: exit status $?"
	for line in 'box1.*10\.77\.0\.' 'hello from box2' 'hello from the host' 'hello from box1' 'lanyard qemu lab/vm1' \
		'lanyard forward add lab' 'quickstart-stop'; do
		grep -qE "$line" "$DIR/shown" || shown "the output lacks: $line"
	done
	has "leases" "$(lanyard lease ls lab)" 'box1'
	has "begun again" "$(as_lanyard "$ROOT/scripts/quickstart" 2>&1)" "already running"
	as_lanyard "$ROOT/scripts/quickstart" stop
	for pid in $(pgrep 'lanyard|busybox' || true); do
		[[ ${SQUATTERS:-} == *" $pid "* ]] || fail "left: $(ps -o args= -p "$pid")"
	done
	[ -z "$(find /run/lanyard "$XDG_RUNTIME_DIR" "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" -mindepth 1 2>/dev/null)" ] ||
		fail "left: $(find /run/lanyard "$XDG_RUNTIME_DIR" "$XDG_STATE_HOME" -mindepth 1)"
	[ -z "$(ip -br link | grep -vE '^(lo|outside0)')" ] || fail "an interface is left"
	as_lanyard "$ROOT/scripts/quickstart" stop | grep -q 'nothing is running'
}

say "a host with only loopback"
round
say "a host with an address, whose ports 8080 and 18080 are taken"
outside_make
for port in 8080 18080; do http_serve 127.0.0.1:$port "$DIR/www"; done
SQUATTERS=" $(pgrep busybox | xargs) "
round
