# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/dns_stream.py SERVER NAME... - ask 200 questions on one TCP connection before reading, cut where no message ends

Prints how many came back with their own id and name, and what came after we had said that we ask no more.
"""
import socket
import struct
import sys

QUESTIONS, PIECE = 200, 37


def question(ident, name):
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"
    message = struct.pack("!HHHHHH", ident, 0x100, 1, 0, 0, 0) + labels + struct.pack("!HH", 1, 1)
    return struct.pack("!H", len(message)) + message


def read_exactly(conn, size):
    data = b""
    while len(data) < size:
        more = conn.recv(size - len(data))
        if not more:
            return None
        data += more
    return data


def main():
    conn = socket.create_connection((sys.argv[1], 53), 5)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    names = {n: sys.argv[2 + n % len(sys.argv[2:])] for n in range(QUESTIONS)}
    asked = b"".join(question(n, name) for n, name in names.items())
    for at in range(0, len(asked), PIECE):
        conn.sendall(asked[at : at + PIECE])
    conn.shutdown(socket.SHUT_WR)
    while names:
        size = read_exactly(conn, 2)
        if not size:
            break
        reply = read_exactly(conn, struct.unpack("!H", size)[0])
        ident = struct.unpack("!H", reply[:2])[0]
        if question(ident, names.pop(ident))[14:] not in reply:
            sys.exit("not what was asked")
    print(QUESTIONS - len(names), "answers, then", "more" if conn.recv(1) else "the end")


main()
