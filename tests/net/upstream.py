# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/upstream.py - a resolver outside, port 53: www.example.com and case.example.com are 203.0.113.7, missing.example.com
is not there, inside.ANYTHING is 10.0.0.5

spoofed.example.com is answered wrongly four times first: another id, another question, another port, another sense.
silent.example.com is not answered. big.example.com has a hundred addresses: cut over UDP, whole over TCP. Each query is a line: its name as it was
written, the port it came from, its id.
"""
import socket
import struct
import threading


def name_of(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels), at + 5


def answer(query, end, code=0, kind=1, data=b"", ident=None):
    head = struct.pack("!HHHHHH", ident or query[0] << 8 | query[1], 0x8180 | code, 1, 1 if data else 0, 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data if data else b""
    return head + query[12:end] + record


def big(query, end):
    records = b"".join(struct.pack("!HHHIHBBBB", 0xC00C, 1, 1, 60, 4, 203, 0, 113, n) for n in range(100))
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 100, 0, 0) + query[12:end] + records


def whole(sock):
    while True:
        conn = sock.accept()[0]
        query = conn.recv(4096)[2:]
        reply = big(query, name_of(query)[1])
        conn.sendall(struct.pack("!H", len(reply)) + reply)
        conn.close()


def main():
    stream = socket.create_server(("", 53))
    threading.Thread(target=whole, args=(stream,), daemon=True).start()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 53))
    elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wrong, right = socket.inet_aton("192.0.2.66"), socket.inet_aton("203.0.113.9")
    while True:
        query, peer = sock.recvfrom(4096)
        name, end = name_of(query)
        ident = query[0] << 8 | query[1]
        print(name, peer[1], ident, flush=True)
        name = name.lower()
        if name in ("www.example.com", "case.example.com"):
            sock.sendto(answer(query, end, data=socket.inet_aton("203.0.113.7")), peer)
        elif name.startswith("inside."):
            sock.sendto(answer(query, end, data=socket.inet_aton("10.0.0.5")), peer)
        elif name == "big.example.com":
            sock.sendto(answer(query, end, code=0x200), peer)
        elif name == "text.example.com":
            sock.sendto(answer(query, end, kind=16, data=b"\x0dfrom upstream"), peer)
        elif name == "spoofed.example.com":
            other = query[:12] + b"\7another" + query[20:]
            sock.sendto(answer(query, end, data=wrong, ident=ident ^ 1), peer)
            sock.sendto(answer(other, end, data=wrong), peer)
            elsewhere.sendto(answer(query, end, data=wrong), peer)
            sock.sendto(query, peer)
            sock.sendto(answer(query, end, data=right), peer)
        elif name != "silent.example.com":
            sock.sendto(answer(query, end, code=3), peer)


main()
