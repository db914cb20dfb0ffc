# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/asks.py - frames by hand on an interface, for kernels without VLAN interfaces

    asks.py IF VID ADDRESS     asks by ARP in frames with that tag; status 1 when nobody answers in that VLAN
    asks.py IF send DST        one frame to that MAC address, which nobody's stack would send
    asks.py IF hear DST        waits for it
"""
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, STATUS_VLAN_VALID, OUTGOING = 263, 8, 16, 4
PATIENCE_S = 1


def frames(sock, seconds):
    """(VID or None, untagged frame) of what comes in"""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            frame, control, _, sender = sock.recvmsg(65536, 256)
        except TimeoutError:
            return
        tags = [struct.unpack("IIIHHHH", data[:20]) for level, kind, data in control if level == SOL_PACKET and kind == PACKET_AUXDATA]
        if sender[2] != OUTGOING:
            yield tags[0][5] & 0xFFF if tags and tags[0][0] & STATUS_VLAN_VALID else None, frame


def ask(sock, vid, address):
    mac, ip = sock.getsockname()[4], socket.inet_aton(address)
    request = b"\0\1\x08\0\6\4\0\1" + mac + bytes(4) + bytes(6) + ip
    sock.send(b"\xff" * 6 + mac + struct.pack("!HHH", 0x8100, vid, 0x806) + request + bytes(18))
    for tag, frame in frames(sock, PATIENCE_S):
        if tag == vid and frame[12:14] == b"\x08\6" and frame[20:22] == b"\0\2" and frame[28:32] == ip:
            return 0
    return 1


def hear(sock, dst):
    print("listening", flush=True)
    return 0 if any(frame[:6] == dst for _, frame in frames(sock, 5 * PATIENCE_S)) else 1


def main(interface, what, argument):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((interface, 3))
    if what == "send":
        sock.send(bytes.fromhex(argument) + sock.getsockname()[4] + b"\x88\xb5" + bytes(46))
        return 0
    if what == "hear":
        return hear(sock, bytes.fromhex(argument))
    return ask(sock, int(what), argument)


sys.exit(main(*sys.argv[1:4]))
