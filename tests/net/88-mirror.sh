# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A port that gets copies of another's frames: all of them, once, live; it is nobody's neighbour, and sends nothing.
. "$(dirname "$0")/lib.sh"

daemon_start
lanyard net add lab --subnet 10.77.0.0/24 >/dev/null
box web1; box web2; box ids
A=$(dhcp web1) C=$(dhcp web2)
in_box ids ip link set eth0 promisc on

in_box ids python3 -uc '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
print("listening")
while True:
	f = s.recv(2000)
	if f[12:14] == b"\x08\x00" and f[23] == 1:
		print("icmp")
' >"$DIR/seen" &
until_ok 5 grep -q listening "$DIR/seen"
seen() { [ "$(grep -c icmp "$DIR/seen")" = "$1" ]; }

say "who is no mirror sees nothing of others; a mirror copies of both directions, each once, from now on"
in_box web1 ping -qc 1 "$C" >/dev/null
lanyard mirror add lab/ids --from web1 >/dev/null
is "listed" "$(lanyard mirror ls --no-header | awk '{ print $1, $2, $3, $4 }')" "lab ids web1 both"
in_box web1 ping -qc 5 -i 0.05 "$C" >/dev/null
until_ok 3 seen 10
in_box web2 ping -qc 3 -i 0.05 10.77.0.1 >/dev/null	# of web2 alone
in_box web1 ping -qc 1 "$C" >/dev/null
until_ok 3 seen 12

say "it says nothing that anybody hears, and is a port like any other afterwards"
in_box ids ip addr add 10.77.0.99/24 dev eth0
in_box ids ping -qc 1 -W 0.3 "$A" >/dev/null && fail "a mirror has a neighbour"
[ "$(json .verdicts.mirror port show lab/ids)" -gt 0 ] || fail "no verdict"
lanyard mirror add lab/web2 --from ids 2>"$DIR/err" && fail "a mirror of a mirror"
has "why" "$(<"$DIR/err")" "ids is a mirror, too"
is "copies" "$(json '.stats.mirrored > 11' port show lab/ids)" true
lanyard mirror rm lab/ids >/dev/null
in_box ids ping -qc 1 -W 2 "$A" >/dev/null
