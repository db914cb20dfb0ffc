# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/trunk.py PATH VID:IP... - a host on a trunk port: asks by ARP for each IP in its VLAN (0: untagged)

A line for each that answers, in the VLAN in which it was asked; status 1 if one does not, or an answer has another tag.
"""
import socket
import struct
import sys
import time

sys.path.insert(0, __file__.rpartition("/")[0])
from station import BROADCAST, Link, Station  # noqa: E402


def ask(station, vid, text):
    request = b"\0\1\x08\0\6\4\0\1" + station.mac + station.ip + bytes(6) + socket.inet_aton(text)
    if vid:
        station.send(BROADCAST, 0x8100, struct.pack("!HH", vid, 0x806) + request)
    else:
        station.send(BROADCAST, 0x806, request)
    until = time.monotonic() + 2
    while (frame := station.receive(until)) is not None:
        tag = 0
        if frame[12:14] == b"\x81\0":
            tag = struct.unpack("!H", frame[14:16])[0] & 0xFFF
            frame = frame[:12] + frame[16:]
        if frame[12:14] == b"\x08\6" and frame[20:22] == b"\0\2" and frame[28:32] == socket.inet_aton(text):
            if tag != vid:
                sys.exit("%s was asked in VLAN %d and answered in %d" % (text, vid, tag))
            return
    sys.exit("%s does not answer in VLAN %d" % (text, vid))


def main(path, *questions):
    station = Station(Link("connect", path).next(), "10.9.0.77", bytes.fromhex("02005e090077"))
    for question in questions:
        vid, text = question.split(":")
        ask(station, int(vid), text)
        print(vid, text, "answered", flush=True)


main(*sys.argv[1:])
