# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/tagged.py - a station of one VLAN on an interface, for kernels without VLAN interfaces

    tagged.py IF VID ADDRESS    answers ARP and pings of that address in frames with that tag, and no others
"""
import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, STATUS_VLAN_VALID, OUTGOING = 263, 8, 16, 4


def answer(frame, mac, ip):
    """what the station says to an untagged frame, or None"""
    kind, data = frame[12:14], frame[14:]
    if kind == b"\x08\x06" and data[6:8] == b"\x00\x01" and data[24:28] == ip:
        return data[8:14] + mac + kind + data[:6] + b"\x00\x02" + mac + ip + data[8:18]
    if kind == b"\x08\x00" and frame[:6] == mac and data[9] == 1 and data[16:20] == ip and data[20] == 8:
        total = (struct.unpack("!H", data[22:24])[0] + 0x0800) % 0xFFFF    # RFC 1624: one less in the type
        echo = b"\x00" + data[21:22] + struct.pack("!H", total) + data[24:]
        return frame[6:12] + mac + kind + data[:12] + ip + data[12:16] + echo
    return None


def main(interface, vid, address):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((interface, 3))
    mac, ip = sock.getsockname()[4], socket.inet_aton(address)
    while True:
        frame, control, _, sender = sock.recvmsg(65536, 256)
        tags = [struct.unpack("IIIHHHH", data[:20]) for level, kind, data in control if level == SOL_PACKET and kind == PACKET_AUXDATA]
        if sender[2] == OUTGOING or not tags or not tags[0][0] & STATUS_VLAN_VALID or tags[0][5] & 0xFFF != vid:
            continue
        reply = answer(frame, mac, ip)
        if reply:
            sock.send(reply[:12] + struct.pack("!HH", 0x8100, vid) + reply[12:])


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
