# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/tcp.py - both ends of TCP and UDP exchanges whose outcome is printed, for the tests of NAT and forwards

    tcp.py serve PORT WAY      one listener, one line per connection when it has ended; "listening" first
    tcp.py call HOST PORT WAY  one connection; its outcome is one line

WAY         server                                      client
echo        sends back what comes, until its end        sends 1 MB, compares, prints "same"
half        reads to the end, then sends the digest     sends 1 MB, shuts down, prints "digest equal"
early       sends 1 MB, shuts down, then counts         reads to the end, then sends 1 MB; prints the count read
reset       reads a byte, then resets                   sends a byte, prints what reading gives: "reset"
hangup      prints what reading gives after a byte      sends a byte, waits for it to come back, then resets
name        sends its peer's address, ends              prints it
hold        reads until the end                         keeps the connection until a line comes on stdin, then tests it
active      calls the address that it is told back,   says where it listens as FTP does (PORT), prints who calls there,
            says how that went                        or what the server says
datagram    echoes datagrams behind their sender's address     sends 0 to 1400 bytes, prints the address
"""
import errno
import hashlib
import os
import socket
import struct
import sys

MEGABYTE = os.urandom(1 << 20)


def read_all(stream):
    parts = []
    while data := stream.recv(65536):
        parts.append(data)
    return b"".join(parts)


def reset(stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def outcome(function, *arguments):
    """what a call gives, in a word"""
    try:
        result = function(*arguments)
        return "end" if result == b"" else "data" if isinstance(result, bytes) else "connected"
    except socket.timeout:
        return "timeout"
    except OSError as problem:
        names = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset"}
        names.update({errno.EHOSTUNREACH: "host unreachable", errno.ENETUNREACH: "net unreachable"})
        names.update({errno.EACCES: "prohibited", errno.EPERM: "prohibited", errno.ETIMEDOUT: "timeout"})
        return names.get(problem.errno, problem.strerror)


# --- the server's side; each returns the line to print ---------------------------------------------------


def serve_echo(stream, peer):
    total = 0
    while data := stream.recv(65536):
        stream.sendall(data)
        total += len(data)
    return "echoed %d" % total


def serve_half(stream, peer):
    data = read_all(stream)
    stream.sendall(hashlib.sha256(data).hexdigest().encode())
    return "read %d" % len(data)


def serve_early(stream, peer):
    stream.sendall(MEGABYTE)
    stream.shutdown(socket.SHUT_WR)
    return "read %d" % len(read_all(stream))


def serve_reset(stream, peer):
    stream.recv(1)
    reset(stream)
    return "reset it"


def serve_hangup(stream, peer):
    stream.sendall(stream.recv(1))
    return outcome(stream.recv, 1)


def serve_name(stream, peer):
    stream.sendall(peer[0].encode())
    return "peer " + peer[0]


def serve_active(stream, peer):
    stream.recv(100)
    stream.sendall(b"230 welcome\r\n")
    numbers = stream.recv(100).decode().split()[1].split(",")
    back = socket.socket()
    back.settimeout(2)
    how = outcome(back.connect, (".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])))
    stream.sendall(how.encode())
    return "called %s: %s" % (".".join(numbers[:4]), how)


def serve_hold(stream, peer):
    return "held, then " + outcome(stream.recv, 1)


def serve(port, way):
    if way == "datagram":
        return serve_datagrams(int(port))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", int(port)))
    listener.listen(64)
    print("listening", flush=True)
    while True:
        stream, peer = listener.accept()
        stream.settimeout(10)
        try:
            print(globals()["serve_" + way](stream, peer), flush=True)
        except OSError as problem:
            print("broken: %s" % problem, flush=True)
        stream.close()


def serve_datagrams(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))
    print("listening", flush=True)
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(peer[0].encode() + b" " + data, peer)


# --- the client's side -----------------------------------------------------------------------------------


def call_echo(stream):
    received = b""
    for at in range(0, len(MEGABYTE), 65536):
        stream.sendall(MEGABYTE[at : at + 65536])
        while len(received) < at + 65536 and (data := stream.recv(65536)):
            received += data
    return "same" if received == MEGABYTE else "different: %d bytes" % len(received)


def call_half(stream):
    stream.sendall(MEGABYTE)
    stream.shutdown(socket.SHUT_WR)
    return "digest equal" if read_all(stream).decode() == hashlib.sha256(MEGABYTE).hexdigest() else "digest differs"


def call_early(stream):
    got = len(read_all(stream))
    stream.sendall(MEGABYTE)
    return "read %d" % got


def call_reset(stream):
    stream.sendall(b"x")
    return outcome(stream.recv, 1)


def call_hangup(stream):
    stream.sendall(b"x")
    stream.recv(1)
    reset(stream)
    return "reset it"


def call_name(stream):
    return read_all(stream).decode()


def call_active(stream):
    listener = socket.socket()
    listener.bind((stream.getsockname()[0], 0))
    listener.listen(1)
    listener.settimeout(3)
    ip, port = listener.getsockname()
    stream.sendall(b"USER guest\r\n")		# what is tracked begins behind the end of a line
    stream.recv(100)
    stream.sendall(("PORT %s,%d,%d\r\n" % (ip.replace(".", ","), port >> 8, port & 255)).encode())
    said = stream.recv(100).decode()
    return listener.accept()[1][0] if said == "connected" else said


def call_hold(stream):
    print("connected", flush=True)
    sys.stdin.readline()
    stream.settimeout(3)
    return outcome(lambda: stream.send(b"x") and stream.recv(1))


def call(host, port, way):
    if way == "datagram":
        return call_datagrams(host, int(port))
    stream = socket.socket()
    stream.settimeout(8)
    result = outcome(stream.connect, (host, int(port)))
    return globals()["call_" + way](stream) if result == "connected" else result


def call_datagrams(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(3)
    sock.connect((host, port))
    seen = set()
    for size in (0, 1, 512, 1400):
        data = os.urandom(size)
        sock.send(data)
        try:
            address, _, back = sock.recv(65536).partition(b" ")
        except OSError as problem:
            return "%d bytes: %s" % (size, "timeout" if isinstance(problem, socket.timeout) else os.strerror(problem.errno))
        if back != data:
            return "%d bytes came back different" % size
        seen.add(address.decode())
    return " ".join(sorted(seen))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        print(call(*sys.argv[2:]))
