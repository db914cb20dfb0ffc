# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/answers.py ADDRESS[:PORT] NAME=IP... - a resolver that knows these names, and *.NAME of "*.NAME=IP"; all others are not there

Each query is a line: its name.
"""
import socket
import struct
import sys


def name_of(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), at + 5


def main():
    host, _, port = sys.argv[1].partition(":")
    known = dict(word.split("=") for word in sys.argv[2:])
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, int(port or 53)))
    while True:
        query, peer = sock.recvfrom(4096)
        name, end = name_of(query)
        ip = known.get(name) or known.get("*." + name.partition(".")[2])
        print(name, flush=True)
        is_a = query[end - 4 : end - 2] == b"\0\1"
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | (0 if ip else 3), 1, 1 if ip and is_a else 0, 0, 0)
        record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(ip) if ip and is_a else b""
        sock.sendto(head + query[12:end] + record, peer)


main()
