#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/28-nat-errors.sh - ICMP errors of every code about a guest's datagram reach it as they are, and end nothing (NAT-13, NAT-28, NAT-30)
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null

# The outside answers one datagram with each error about it, also with one that quotes no more than eight bytes, one that is spoilt, and
# one about a port that nobody has; and then with an ordinary datagram.
cat >"$DIR/outside.py" <<'PY'
import socket, struct, sys
def checksum(b):
    b += b'\0' * (len(b) % 2)
    s = sum(struct.unpack('!%dH' % (len(b) // 2), b))
    while s >> 16: s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
me, host = sys.argv[1:3]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind((me, 7777))
print('ready', flush=True)
data, (address, port) = server.recvfrom(100)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
def quoted(port, keep=100):
    udp = struct.pack('!HHHH', port, 7777, 8 + len(data), 0) + data
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 7, 0x4000, 1, 17, 0, socket.inet_aton(host), socket.inet_aton(me))
    ip = ip[:10] + struct.pack('!H', checksum(ip)) + ip[12:]
    return ip + udp[:keep]
def error(kind, code, body, spoil=0, words=0):
    icmp = struct.pack('!BBHBBH', kind, code, 0, 0, words, 1300 if (kind, code) == (3, 4) else 0) + body
    icmp = icmp[:2] + struct.pack('!H', checksum(icmp) ^ spoil) + icmp[4:]
    raw.sendto(icmp, (host, 0))
for code in range(16): error(3, code, quoted(port, 8 if code % 2 else 100))
labels = bytes.fromhex('20009def0008010100064101')	# RFC 4884 with an MPLS label: what is quoted is padded to 128 bytes before it
error(11, 0, quoted(port).ljust(128, b'\0') + labels, words=32)
error(11, 0, quoted(port))	# code 1, of reassembly, no Linux host passes on
error(3, 13, quoted(port), spoil=1)
error(3, 13, quoted(port ^ 1))
server.sendto(b'still here', (address, port))
PY
cat >"$DIR/guest.py" <<'PY'
import select, socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 41500)); s.setsockopt(socket.SOL_IP, 11, 1); s.setsockopt(socket.SOL_IP, 26, 1)
s.sendto(b'question', (sys.argv[1], 7777))
seen, quotes, answer, end = [], [], None, time.time() + 5
while (len(seen) < 18 or not answer) and time.time() < end:
    select.select([s], [], [], 0.2)
    try:
        data, control, flags, to = s.recvmsg(300, 200, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        errno, origin, kind, code, pad, info, more = struct.unpack('IBBBBII', control[0][2][:16])
        who = socket.inet_ntoa(control[0][2][20:24])
        seen.append('%d/%d%s%s' % (kind, code, ':%d' % info if info else '', '+' + data[more & 0xffff:].hex() if more & 0xffff else ''))
        if len(data) < 8 or data[:8] != b'question': quotes.append(data)
        if origin != 2 or who != sys.argv[1] or to != (sys.argv[1], 7777): print('wrong:', origin, who, to)
    except BlockingIOError: pass
    try: answer = answer or s.recv(100, socket.MSG_DONTWAIT)
    except OSError: pass
print(' '.join(seen)); print(answer.decode() if answer else 'no answer'); print(len(quotes))
PY
outside /usr/bin/python3 "$DIR/outside.py" $OUTSIDE $HOST >"$DIR/outside.log" 2>&1 &
until_ok 5 grep -q ready "$DIR/outside.log"
told=$(in_box web1 /usr/bin/python3 "$DIR/guest.py" $OUTSIDE)
want="3/0 3/1 3/2 3/3 3/4:1300 3/5 3/6 3/7 3/8 3/9 3/10 3/11 3/12 3/13 3/14 3/15 11/0+20009def0008010100064101 11/0"
is "each error once, from who sent it" "$(sed -n 1p <<<"$told")" "$want"
is "the mapping is as before" "$(sed -n 2p <<<"$told")" "still here"
is "what was quoted, but for those that quote the header alone" "$(sed -n 3p <<<"$told")" 8
