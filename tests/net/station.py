# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/station.py - one guest without a kernel: frames over a stream socket, 32-bit big-endian length before each,
or bare in datagrams

    station.py connect PATH|HOST:PORT ADDRESS ACTION...     station.py listen PATH|HOST:PORT ADDRESS ACTION...
    station.py dgram OURS,THEIRS ADDRESS ACTION...          paths, or HOST:PORTs
    station.py tap IF ADDRESS ACTION...                     as a VMM has a TAP interface open, without a vnet header

ACTIONs, in order, each within 5 s or the program ends with status 1:
    arp IP          ask who has IP; prints its MAC
    ping IP         echo through the MAC found by ARP; prints "pong IP"
    dhcp            DISCOVER, OFFER, REQUEST, ACK; prints the address, which is ours from then on
    dribble         from now on write every frame byte by byte
    garbage         send runts, wrong lengths and noise that must be survived
    oversize        announce a frame of 2 GB; the other side must end the connection. Datagram: send long ones
    serve SECONDS   answer ARP and echo for our address, until then or the connection's end
    again           the connection ended: make (or accept) the next one. Datagram: a new socket at the same place
    leave           close the socket
"""
import fcntl
import os
import random
import select
import socket
import struct
import sys
import time

BROADCAST = b"\xff" * 6
COOKIE = bytes.fromhex("63825363")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, target, protocol, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, source, target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


class Station:
    def __init__(self, stream, address, mac):
        self.stream, self.mac, self.buffer, self.piecewise = stream, mac, b"", False
        self.ip = socket.inet_aton(address)
        self.neighbours = {}

    def send(self, target, kind, payload):
        frame = (target + self.mac + struct.pack("!H", kind) + payload).ljust(60, b"\0")
        data = struct.pack("!I", len(frame)) + frame
        for piece in [data[i : i + 1] for i in range(len(data))] if self.piecewise else [data]:
            self.stream.sendall(piece)

    def receive(self, until):
        """the next frame, or None when the time is over; EOFError at the connection's end"""
        while True:
            if len(self.buffer) >= 4:
                size = struct.unpack("!I", self.buffer[:4])[0]
                if not 14 <= size <= 65550:
                    sys.exit("a frame of %d bytes came" % size)
                if len(self.buffer) >= 4 + size:
                    frame, self.buffer = self.buffer[4 : 4 + size], self.buffer[4 + size :]
                    return frame
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.stream.settimeout(left)
            try:
                data = self.stream.recv(65536)
            except socket.timeout:
                return None
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError
            self.buffer += data

    def answer(self, frame):
        """what any station answers by itself: ARP and echo for its address"""
        kind, body = struct.unpack("!H", frame[12:14])[0], frame[14:]
        if kind == 0x806 and body[6:8] == b"\0\1" and body[24:28] == self.ip:
            self.send(body[8:14], 0x806, body[:6] + b"\0\2" + self.mac + self.ip + body[8:18])
        elif kind == 0x800 and body[9] == 1 and body[16:20] == self.ip and body[20] == 8:
            echo = b"\0\0\0\0" + body[24 : struct.unpack("!H", body[2:4])[0]]
            echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
            self.send(frame[6:12], 0x800, ip_packet(self.ip, body[12:16], 1, echo))

    def wait_for(self, test, what, seconds=5):
        until = time.monotonic() + seconds
        while True:
            frame = self.receive(until)
            if frame is None:
                sys.exit("no %s in %d s" % (what, seconds))
            found = test(frame)
            if found:
                return found
            self.answer(frame)

    def arp(self, text):
        target = socket.inet_aton(text)
        self.send(BROADCAST, 0x806, b"\0\1\x08\0\6\4\0\1" + self.mac + self.ip + bytes(6) + target)
        reply = lambda f: f[12:14] == b"\x08\6" and f[20:22] == b"\0\2" and f[28:32] == target and f[22:28]
        self.neighbours[text] = self.wait_for(reply, "ARP reply from " + text)
        return self.neighbours[text].hex(":")

    def ping(self, text):
        if text not in self.neighbours:
            self.arp(text)
        token = os.urandom(24)
        echo = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + token
        echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
        self.send(self.neighbours[text], 0x800, ip_packet(self.ip, socket.inet_aton(text), 1, echo))
        reply = lambda f: f[12:14] == b"\x08\0" and f[23] == 1 and f[34] == 0 and f[42:66] == token
        self.wait_for(reply, "echo reply from " + text)
        return "pong " + text

    def dhcp_message(self, kind, options):
        xid = b"lany"
        body = struct.pack("!BBBB4sHH", 1, 1, 6, 0, xid, 0, 0x8000) + bytes(16) + self.mac + bytes(10 + 64 + 128) + COOKIE
        body = (body + bytes([53, 1, kind]) + options + b"\xff").ljust(300, b"\0")
        udp = struct.pack("!HHHH", 68, 67, 8 + len(body), 0) + body
        self.send(BROADCAST, 0x800, ip_packet(bytes(4), b"\xff" * 4, 17, udp))

        def reply(f):
            ours = f[12:14] == b"\x08\0" and f[23] == 17 and f[34:38] == b"\0\x43\0\x44" and f[46:50] == xid
            return f[58:62], dict(self.options(f[282:])) if ours else None

        return self.wait_for(lambda f: reply(f) if reply(f)[1] else None, "DHCP answer")

    @staticmethod
    def options(data):
        at = 0
        while at + 1 < len(data) and data[at] != 255:
            if data[at]:
                yield data[at], data[at + 2 : at + 2 + data[at + 1]]
                at += 1 + data[at + 1]
            at += 1

    def dhcp(self):
        offered, options = self.dhcp_message(1, b"")
        address, options = self.dhcp_message(3, bytes([50, 4]) + offered + bytes([54, 4]) + options[54])
        if options[53] != b"\5":
            sys.exit("the answer to REQUEST is no ACK")
        self.ip = address
        return socket.inet_ntoa(address)

    def garbage(self):
        chance = random.Random(1)
        for size in list(range(1, 60)) + [61, 1514, 1600]:
            self.stream.sendall(struct.pack("!I", size) + chance.randbytes(size))
        for body in (b"\x45", b"\x4f" + bytes(30), b"\x45\0\xff\xff" + bytes(30), b"\x60" + bytes(50)):
            self.send(BROADCAST, 0x800, body)

    def oversize(self):
        self.stream.sendall(struct.pack("!I", 0x7FFFFFFF) + bytes(100))
        try:
            self.wait_for(lambda frame: False, "end of the connection")
        except EOFError:
            return "ended"

    def serve(self, seconds):
        until = time.monotonic() + float(seconds)
        try:
            while (frame := self.receive(until)) is not None:
                self.answer(frame)
        except EOFError:
            return "ended"


class DatagramStation(Station):
    """the same with a frame in each datagram"""

    def send(self, target, kind, payload):
        self.stream.send((target + self.mac + struct.pack("!H", kind) + payload).ljust(60, b"\0"))

    def receive(self, until):
        left = until - time.monotonic()
        if left <= 0:
            return None
        self.stream.settimeout(left)
        try:
            frame = self.stream.recv(70000)
        except (socket.timeout, ConnectionRefusedError):
            return None if time.monotonic() >= until else self.receive(until)
        if not 14 <= len(frame) <= 65550:
            sys.exit("a frame of %d bytes came" % len(frame))
        return frame

    def garbage(self):
        chance = random.Random(1)
        for size in list(range(0, 60)) + [61, 1514, 1600]:
            self.stream.send(chance.randbytes(size))
            time.sleep(0.001)  # a unix socket takes few at once

    def oversize(self):
        for size in (1600, 9000, 65000):
            self.stream.send(BROADCAST + self.mac + b"\x08\0" + bytes(size - 14))


def endpoint(text):
    host, colon, port = text.rpartition(":")
    return (socket.AF_INET, (host, int(port))) if colon and port.isdigit() else (socket.AF_UNIX, text)


class Link:
    """makes connections: dials until the other side is there, or accepts one after another"""

    def __init__(self, role, text):
        self.family, self.address = endpoint(text)
        self.listener = None
        if role == "listen":
            self.listener = socket.socket(self.family, socket.SOCK_STREAM)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(self.address)
            self.listener.listen(1)
            self.listener.settimeout(10)

    def next(self):
        if self.listener:
            return self.listener.accept()[0]
        until = time.monotonic() + 10
        while True:
            stream = socket.socket(self.family, socket.SOCK_STREAM)
            try:
                stream.connect(self.address)
                return stream
            except OSError:
                stream.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)


class DatagramLink:
    """makes sockets at one place, each in place of the one before"""

    def __init__(self, text):
        ours, theirs = text.split(",")
        self.family, self.ours = endpoint(ours)
        self.theirs = endpoint(theirs)[1]

    def next(self):
        if self.family == socket.AF_UNIX and os.path.exists(self.ours):
            os.unlink(self.ours)
        until = time.monotonic() + 10
        stream = socket.socket(self.family, socket.SOCK_DGRAM)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        stream.bind(self.ours)
        while True:
            try:
                stream.connect(self.theirs)
                return stream
            except OSError:  # not there yet, or still connected to the socket before us
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)


class TapEnd:
    """what a VMM has of a TAP, as if it were a datagram socket"""

    def __init__(self, ifname):
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        request = struct.pack("16sH22x", ifname.encode(), 0x1002)  # IFF_TAP | IFF_NO_PI
        fcntl.ioctl(self.fd, 0x400454CA, request)  # TUNSETIFF
        os.set_blocking(self.fd, False)
        self.timeout = 0

    def settimeout(self, seconds):
        self.timeout = seconds

    def recv(self, size):
        if not select.select([self.fd], [], [], self.timeout)[0]:
            raise socket.timeout
        return os.read(self.fd, size)

    def send(self, frame):
        os.write(self.fd, frame)

    def close(self):
        os.close(self.fd)


class TapLink:
    def __init__(self, ifname):
        self.ifname = ifname

    def next(self):
        return TapEnd(self.ifname)


def main(role, where, address, *actions):
    link = {"dgram": DatagramLink, "tap": TapLink}[role](where) if role in ("dgram", "tap") else Link(role, where)
    mac = bytes.fromhex("02005e") + socket.inet_aton(address)[1:]
    station = (DatagramStation if role in ("dgram", "tap") else Station)(link.next(), address, mac)
    actions = list(actions)
    while actions:
        action = actions.pop(0)
        if action == "again":
            station.stream.close()
            station.stream, station.buffer = link.next(), b""
            result = "connected"
        elif action == "leave":
            station.stream.close()
            result = None
        elif action == "dribble":
            station.piecewise, result = True, None
        elif action in ("arp", "ping", "serve"):
            result = getattr(station, action)(actions.pop(0))
        else:
            result = getattr(station, action)()
        if result:
            print(result, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
