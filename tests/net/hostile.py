# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/hostile.py SOCKET N - N frames that no honest guest sends, on a stream port; then the port must still answer

Random bytes, cut and bent frames of each protocol the switch, the gateway and the services read, invented MAC addresses,
tags, fragments, IP options, wrong lengths and checksums. The same ones each time.
"""
import random
import socket
import struct
import sys

sys.path.insert(0, __file__.rpartition("/")[0])
from station import BROADCAST, COOKIE, Link, Station, checksum, ip_packet  # noqa: E402

chance = random.Random(4)
GATEWAY, OURS = socket.inet_aton("10.77.0.1"), socket.inet_aton("10.77.0.66")


def udp(source, target, payload, length=None):
    return struct.pack("!HHHH", source, target, length if length is not None else 8 + len(payload), 0) + payload


def tcp():
    offset = chance.choice((0, 4, 5, 6, 15))
    head = struct.pack("!HHIIBBHHH", chance.randrange(65536), chance.choice((80, 53, 0)), chance.randrange(1 << 32),
                       chance.randrange(1 << 32), offset << 4, chance.randrange(256), 1000, 0, 0)
    return head + chance.randbytes(chance.randrange(60))


def dhcp():
    body = struct.pack("!BBBBIHH", 1, 1, chance.choice((6, 6, 0, 255)), 0, 7, 0, 0x8000) + bytes(16) + chance.randbytes(6) + bytes(202)
    options = b"".join(bytes([chance.randrange(256), chance.randrange(256)]) + chance.randbytes(chance.randrange(20)) for _ in range(5))
    return udp(68, 67, body + COOKIE + bytes([53, 1, chance.randrange(9)]) + options)


def dns():
    head = struct.pack("!HHHHHH", chance.randrange(65536), chance.choice((0x100, 0x8180, 0)), chance.randrange(3), 0, 0, chance.randrange(2))
    name = chance.choice((b"\3web\0", b"\xc0\x0c", b"\x3f" + bytes(63), b"\xff", bytes(chance.randrange(300))))
    return udp(5353, 53, head + name + chance.randbytes(chance.randrange(8)))


def icmp():
    echo = chance.randbytes(2) + b"\0\0" + chance.randbytes(chance.randrange(40))
    return echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]


def options_and_fragments(packet):
    way = chance.randrange(6)
    if way == 0:  # a fragment
        packet = packet[:6] + struct.pack("!H", chance.choice((0x2000, 0x2005, 0x0010, 0x1FFF))) + packet[8:]
    elif way == 1:  # options
        packet = bytes([0x40 | chance.randrange(16)]) + packet[1:20] + chance.randbytes(40) + packet[20:]
    elif way == 2:  # a wrong length
        packet = packet[:2] + struct.pack("!H", chance.randrange(65536)) + packet[4:]
    elif way == 3:  # cut
        packet = packet[: chance.randrange(len(packet))]
    if len(packet) >= 20 and way != 4:
        packet = packet[:10] + b"\0\0" + packet[12:]
        packet = packet[:10] + struct.pack("!H", checksum(packet[:20])) + packet[12:]
    return packet


def frame():
    mac = chance.choice((b"\2\0\x5e\0\0\x66", b"\2" + chance.randbytes(5), chance.randbytes(6), BROADCAST))
    target = chance.choice((BROADCAST, b"\1\0\x5e\0\0\1", chance.randbytes(6), GATEWAY_MAC))
    kind = chance.randrange(8)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 1600))
    if kind == 1:
        arp = struct.pack("!HHBBH", 1, 0x800, 6, 4, chance.randrange(4)) + mac + chance.choice((OURS, GATEWAY, chance.randbytes(4))) + bytes(6) + GATEWAY
        return target + mac + b"\x08\6" + arp[: chance.randrange(len(arp) + 1)]
    if kind == 2:
        return target + mac + chance.choice((b"\x81\0", b"\x88\xa8")) + chance.randbytes(chance.randrange(60))
    body, protocol = chance.choice(((dhcp, 17), (dns, 17), (tcp, 6), (icmp, 1), (lambda: udp(1, 2, b"x" * 9, 7), 17)))
    to = chance.choice((GATEWAY, b"\xff" * 4, socket.inet_aton("198.51.100.2"), chance.randbytes(4)))
    source = chance.choice((OURS, bytes(4), GATEWAY, chance.randbytes(4)))
    return target + mac + b"\x08\0" + options_and_fragments(ip_packet(source, to, protocol, body()))


station = Station(Link("connect", sys.argv[1]).next(), "10.77.0.66", b"\2\0\x5e\0\0\x66")
station.arp("10.77.0.1")
GATEWAY_MAC = station.neighbours["10.77.0.1"]
station.stream.settimeout(10)
for n in range(int(sys.argv[2])):
    data = frame()
    station.stream.sendall(struct.pack("!I", len(data)) + data)
    if n % 50 == 0:  # answers are read, or the port's own queue would fill up
        station.stream.setblocking(False)
        try:
            while station.stream.recv(1 << 20):
                pass
        except BlockingIOError:
            pass
        station.stream.settimeout(10)
station.stream.close()
station = Station(Link("connect", sys.argv[1]).next(), "10.77.0.66", b"\2\0\x5e\0\0\x66")
station.neighbours["10.77.0.1"] = GATEWAY_MAC
print("  ", station.ping("10.77.0.1"))
