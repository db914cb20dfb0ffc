# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What users ask of a capture (AC-52): a port or a network, a filter, verdicts, into a file or a pipe; many at once; who goes, goes.
. "$(dirname "$0")/lib.sh"

outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 >/dev/null
box web1; box web2
A=$(dhcp web1) C=$(dhcp web2)

# capturing FILE ARGUMENT... - in the background, begun
capturing() {
	local file=$1; shift
	"${RUN_AS[@]}" "$B/lanyard" capture "$@" >"$DIR/$file" 2>"$DIR/$file.err" &
	CAPTURE=$!
	until_ok 5 begun "$file"
}
begun() { grep -q capturing "$DIR/$1.err"; }
frames() { tcpdump -nr "$DIR/$1" 2>/dev/null; }

say "a network, each frame once, with the name of a guest in the filter"
capturing all lab "icmp and host web2" -w "$DIR/all.pcapng" -c 4
in_box web1 ping -qc 2 -i 0.1 "$C" >/dev/null
wait $CAPTURE
is "frames" "$(frames all.pcapng | grep -c 'ICMP echo')" 4
has "verdict" "$(strings "$DIR/all.pcapng")" forwarded
has "interfaces" "$(strings "$DIR/all.pcapng")" lab/web1
is "what it says at the end" "$(tail -n 1 "$DIR/all.err")" "lanyard: 4 frames"

say "a port, both ways, as lines"
capturing lines lab/web1 --text icmp -c 2
in_box web1 ping -qc 1 10.77.0.1 >/dev/null
wait $CAPTURE
has "the question" "$(<"$DIR/lines")" "web1 +in +$A > 10.77.0.1 icmp echo request id [0-9]+ seq 1, 98 bytes  \[consumed-echo\]"
has "the answer" "$(<"$DIR/lines")" "web1 +out +10.77.0.1 > $A icmp echo reply id [0-9]+ seq 1, 98 bytes  \[sent\]"

say "into a pipe, ended by the reader; and what is dropped, with the reason"
in_box web1 ping -c 20 -i 0.05 "$C" >/dev/null &
[ "$(lanyard capture lab/web2 -q | tcpdump -c 3 -nr - icmp 2>/dev/null | wc -l)" = 3 ] || fail "no three frames through a pipe"
capturing drops lab/web1 --json "ether proto 0x8808" -c 1
in_box web1 python3 - "$(in_box web1 cat /sys/class/net/eth0/address)" <<-'EOF'
	import socket, sys
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	s.bind(("eth0", 0))
	s.send(bytes.fromhex("0180c2000001" + sys.argv[1].replace(":", "") + "8808" + "00" * 46))
EOF
wait $CAPTURE
has "dropped" "$(jq -r '.comments[0]' "$DIR/drops")" "^dropped: reserved: "

say "what is translated, as the world sees it"
outside nc -lkn 198.51.100.2 80 </dev/null >/dev/null &
until_ok 3 outside nc -zn 198.51.100.2 80
capturing nat lab/web1 --text "tcp[tcpflags] & tcp-syn != 0" -c 2
in_box web1 nc -zn 198.51.100.2 80
wait $CAPTURE
has "out" "$(<"$DIR/nat")" "in  +$A:[0-9]+ > 198.51.100.2:80 tcp syn .*consumed-nat; nat: tcp 198.51.100.1:[0-9]+ to 198.51.100.2:80[];]"
has "back" "$(<"$DIR/nat")" "out +198.51.100.2:80 > $A:[0-9]+ tcp syn ack .*sent; nat: tcp 198.51.100.1:[0-9]+ to 198.51.100.2:80[];]"
capturing nat6 lab --text "udp dst port 53 and dst host 198.51.100.2" -c 1
in_box web1 python3 -c 'import socket; socket.socket(2, 2).sendto(b"x", ("198.51.100.2", 53))'
wait $CAPTURE
has "a datagram" "$(<"$DIR/nat6")" "udp.*consumed-nat; nat: udp [*]:[0-9]+ to 198.51.100.2:53[];]"

say "what is no filter, no network, not ours"
status 1 lanyard capture lab/web1 "host example.com" -w "$DIR/none"
has "a name" "$ERR" "example.com is neither a word of pcap-filter.7. nor a guest here"
status 1 lanyard capture lab "tcp port" --text
has "half a filter" "$ERR" "filter: .*syntax error"
status 4 lanyard capture zoo --text
status 4 lanyard capture lab/web9 --text

say "many at once; who is killed leaves nothing behind"
PIDS=()
for i in 1 2 3 4 5 6 7 8 9 10; do
	capturing "many$i" lab -w "$DIR/many$i.pcapng"
	PIDS+=("$CAPTURE")
done
in_box web1 ping -qc 1 "$C" >/dev/null
for i in "${!PIDS[@]}"; do
	until_ok 5 eval "[ \$(tcpdump -nr $DIR/many$((i + 1)).pcapng icmp 2>/dev/null | wc -l) -ge 2 ]"
	kill -$((i % 2 ? 9 : 2)) "${PIDS[i]}"
	wait "${PIDS[i]}" || true
done
in_box web1 ping -qc 1 "$C" >/dev/null
answers || fail "the daemon"
is "engine starts" "$(json .engine_restarts daemon show)" 0

say "it ends with its network"
capturing last lab -w "$DIR/last.pcapng"
lanyard net rm lab --force >/dev/null
wait $CAPTURE

say "after the fault: what was dropped, and what was said to the services; also of a port that is gone"
lanyard net add late --subnet 10.78.0.0/24 >/dev/null
box late/db1
D=$(dhcp db1)
in_box db1 ping -qc 1 10.78.0.1 >/dev/null
in_box db1 ping -qc 1 -s 1400 10.78.0.1 >/dev/null
in_box db1 python3 - "$(in_box db1 cat /sys/class/net/eth0/address)" <<-'EOF'
	import socket, sys
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	s.bind(("eth0", 0))
	for i in range(3): s.send(bytes.fromhex("0180c2000001" + sys.argv[1].replace(":", "") + "8808" + "00" * 46))
EOF
lanyard capture late/db1 --past --text >"$DIR/past"
has "dropped" "$(<"$DIR/past")" "db1 +in .* ethertype 8808, 60 bytes  .dropped: reserved: "
is "each" "$(grep -c reserved "$DIR/past")" 3
has "with a filter" "$(lanyard capture late --past --text "icmp and host $D")" "db1 +out 10.78.0.1 > $D icmp echo reply"
has "as a file" "$(lanyard capture late --past "udp port 67" | tcpdump -nr - 2>/dev/null)" "BOOTP/DHCP"
has "by the name alone" "$(lanyard capture db1 --past --text icmp)" "db1 +out"
is "the last one" "$(lanyard capture late --past --json -c 1 | jq -r .direction)" in
box_end db1
until_ok 3 eval '! lanyard port show late/db1 >/dev/null 2>&1'
has "of a port that is gone" "$(lanyard capture late --past --text)" "db1 +in .*dropped: reserved"
