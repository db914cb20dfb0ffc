#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/29-nat-many.sh - 500 guests of one MAC and one IP address on one network of mode nat (AC-41)
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --mode nat --host-access loopback
as_lanyard timeout 100 /usr/bin/python3 "$ROOT/tests/net/same.py" "$DIR/r/lanyard/attach.sock" "$B/lanyard" 500
grep -q asan "/proc/$(engine_pid)/maps" || is "resident, engine" "$(awk '/VmRSS/ { print ($2 < 120000) ? "below 120 MB" : $2 " kB" }' "/proc/$(engine_pid)/status")" "below 120 MB"
until_ok 10 sh -c "[ \"\$('$B/lanyard' ps lab --json | jq '.ports | length')\" = 0 ]"
is "leases" "$(json '.leases | length' lease ls lab)" 0
