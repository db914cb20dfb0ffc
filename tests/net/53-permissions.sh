#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/53-permissions.sh - a daemon of root's: who made a network owns it; others neither change nor see it
# as: root
. "$ROOT/tests/net/lib.sh"
daemon_start
# Root opens its sockets to everybody; without that they are for root and the group lanyard.
chmod 666 "$LANYARD_SOCKET" "$DIR/r/lanyard/attach.sock"
as() { local uid=$1; shift; setpriv --reuid "$uid" --regid "$uid" --clear-groups "$B/lanyard" "$@"; }

as 50001 net add mine --subnet 10.77.0.0/24
as 50002 net add yours --subnet 10.78.0.0/24
lanyard net add roots --subnet 10.79.0.0/24
is "50001 sees" "$(as 50001 net ls --json | jq -r '.networks[].name' | xargs)" mine
is "50002 sees" "$(as 50002 net ls --json | jq -r '.networks[].name' | xargs)" yours
is "root sees" "$(json '.networks[].name' net ls | sort | xargs)" "mine roots yours"
is "owner" "$(json '.networks[] | select(.name == "mine") | .owner' net ls)" 50001

say "each change of another's is refused with status 5"
for change in "net set mine --mtu 1400" "net rm mine" "port add mine/p --stream /tmp/p" "forward add mine 9000:p:80" \
	"dns add mine x 10.77.0.9" "lease pin mine/p 10.77.0.9" "net add mine --subnet 10.90.0.0/24 --replace" "run mine/p -- true"; do
	# shellcheck disable=SC2086
	status 5 as 50002 $change
	has "$change" "$ERR" '^lanyard: .+'
done
# shellcheck disable=SC2086
is "as JSON" "$(as 50002 net rm mine --json 2>&1 | jq -r .error.code)" permission

say "what the owner may"
as 50001 net set mine --mtu 1400
as 50001 run mine/p -- true
is "root may, too" "$(lanyard net set mine --mtu 1500 --json | jq .mtu)" 1500

say "a low port is not to be had through root's daemon"
status 5 as 50001 forward add mine 80:p:80 --listen 127.0.0.1
is "forwards" "$(json '.forwards | length' forward ls mine)" 0

say "a path is opened with the client's rights"
mkdir -m 700 "$DIR/private"
as 50001 port add mine/q --stream "$DIR/private/q.sock" >/dev/null 2>&1 || true
[ ! -e "$DIR/private/q.sock" ] || fail "root's directory was written for user 50001"
