# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/foreign.py INTERFACE MAC - prints "watching", then each frame that comes in there and is not from MAC"""
import socket
import sys

interface, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as s:
    s.bind((interface, 0))
    print("watching", flush=True)
    while True:
        try:
            frame, address = s.recvfrom(65536)
        except OSError:
            break  # the interface went
        if address[2] != socket.PACKET_OUTGOING and frame[6:12] != mac:
            print(frame[:60].hex(), flush=True)
