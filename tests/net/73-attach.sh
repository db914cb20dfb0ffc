#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/73-attach.sh - attach.sock: a client hands over a descriptor of its own; bad messages are refused
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
web1=$(dhcp web1)
as_lanyard timeout 30 /usr/bin/python3 "$ROOT/tests/net/attach.py" "$DIR/r/lanyard/attach.sock" "$web1" "$B/lanyard"
is "the daemon is whole" "$(json '.ports | length' ps lab)" 1
