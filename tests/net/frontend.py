# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/frontend.py - a vhost-user front-end and the driver of its one queue pair: split rings in a memfd

    frontend.py connect PATH ADDRESS        frontend.py listen PATH ADDRESS

Commands come as lines on standard input, each is answered by one line:
    link                find the other side: dial until it is there, or accept
    negotiate           features, memory; no ring yet
    start               give both rings, from where they stood, and enable them
    stop                GET_VRING_BASE of both, as a driver does that resets its device
    arp IP, ping IP, dhcp, serve SECONDS    as in station.py, over the rings
    fault               offer a descriptor that no ring has
    half                begin a message and do not end it; "ended" when the other side hangs up
    alive               "connected", or "ended" when the other side has hung up
    unlink              close the connection
    die                 end at once, without an answer
"""
import array
import mmap
import os
import select
import socket
import struct
import sys
import time

import station

REPLY, VERSION = 4, 1
GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 1, 2, 3, 5
SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE = 8, 9, 10, 11
SET_VRING_KICK, SET_VRING_CALL, GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES = 12, 13, 15, 16
GET_QUEUE_NUM, SET_VRING_ENABLE = 17, 18
F_PROTOCOL, F_VERSION_1, PROTOCOL_MQ, PROTOCOL_REPLY_ACK = 1 << 30, 1 << 32, 1 << 0, 1 << 3

SIZE, USER = 1 << 20, 0x7F0000000000  # of the guest's memory; where the front-end says it has it
ENTRIES, BUFFER, HEADER, WRITE = 32, 9216, 12, 2  # a frame of 9000 bytes fits one


def readable(fd, seconds):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Ring:
    """one split ring: descriptors, available, used; buffers behind"""

    def __init__(self, memory, at):
        self.memory, self.desc, self.avail, self.used = memory, at, at + 0x1000, at + 0x2000
        self.buffers, self.kick, self.call = at + 0x4000, os.eventfd(0), os.eventfd(0, os.EFD_NONBLOCK)
        self.clear()

    def clear(self):
        self.memory[self.desc : self.buffers] = bytes(self.buffers - self.desc)
        self.next, self.seen, self.base = 0, 0, 0

    def buffer(self, i):
        return self.buffers + i * BUFFER

    def offer(self, i, size, flags):
        struct.pack_into("<QIHH", self.memory, self.desc + 16 * (i % ENTRIES), self.buffer(i % ENTRIES), size, flags, 0)
        struct.pack_into("<H", self.memory, self.avail + 4 + 2 * (self.next % ENTRIES), i)
        self.next += 1
        struct.pack_into("<H", self.memory, self.avail + 2, self.next & 0xFFFF)
        os.eventfd_write(self.kick, 1)

    def take(self):
        """a used descriptor and its length, or None"""
        if struct.unpack_from("<H", self.memory, self.used + 2)[0] == self.seen & 0xFFFF:
            return None
        entry = struct.unpack_from("<II", self.memory, self.used + 4 + 8 * (self.seen % ENTRIES))
        self.seen += 1
        return entry


class Frontend:
    """the connection and both rings; sendall() and recv() carry frames as station.py's stream does"""

    def __init__(self, role, path):
        self.path, self.listener, self.conn, self.timeout = path, None, None, None
        if role == "listen":
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen(1)
        self.fd = os.memfd_create("guest")
        os.ftruncate(self.fd, SIZE)
        self.memory = mmap.mmap(self.fd, SIZE)
        self.rx, self.tx = Ring(self.memory, 0), Ring(self.memory, SIZE // 2)

    def link(self):
        if self.listener:
            self.listener.settimeout(10)
            self.conn = self.listener.accept()[0]
            return "connected"
        until = time.monotonic() + 10
        while True:
            self.conn = socket.socket(socket.AF_UNIX)
            try:
                self.conn.connect(self.path)
                return "connected"
            except OSError:
                self.conn.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def unlink(self):
        self.conn.close()
        return "ok"

    def die(self):
        os._exit(0)

    def message(self, request, payload, fds=()):
        data = struct.pack("<III", request, VERSION, len(payload)) + payload
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.conn.sendmsg([data], rights)

    def ask(self, request, payload=b""):
        self.message(request, payload)
        self.conn.settimeout(5)
        head = self.conn.recv(12, socket.MSG_WAITALL)
        got, flags, size = struct.unpack("<III", head)
        assert got == request and flags & 7 == VERSION | REPLY, (got, flags)
        return self.conn.recv(size, socket.MSG_WAITALL)

    def negotiate(self):
        offered = struct.unpack("<Q", self.ask(GET_FEATURES))[0]
        assert offered & F_VERSION_1 and offered & F_PROTOCOL, hex(offered)
        self.message(SET_OWNER, b"")
        protocol = struct.unpack("<Q", self.ask(GET_PROTOCOL_FEATURES))[0]
        assert protocol & PROTOCOL_MQ and protocol & PROTOCOL_REPLY_ACK, hex(protocol)
        self.message(SET_PROTOCOL_FEATURES, struct.pack("<Q", PROTOCOL_MQ | PROTOCOL_REPLY_ACK))
        pairs = struct.unpack("<Q", self.ask(GET_QUEUE_NUM))[0]
        self.message(SET_FEATURES, struct.pack("<Q", F_VERSION_1 | F_PROTOCOL))
        self.message(SET_MEM_TABLE, struct.pack("<IIQQQQ", 1, 0, 0, SIZE, USER, 0), [self.fd])
        return "%d pairs" % pairs

    def start(self):
        for index, ring in enumerate((self.rx, self.tx)):
            self.message(SET_VRING_NUM, struct.pack("<II", index, ENTRIES))
            self.message(SET_VRING_BASE, struct.pack("<II", index, ring.base))
            places = [USER + ring.desc, USER + ring.used, USER + ring.avail, 0]
            self.message(SET_VRING_ADDR, struct.pack("<IIQQQQ", index, 0, *places))
            self.message(SET_VRING_CALL, struct.pack("<Q", index), [ring.call])
            self.message(SET_VRING_KICK, struct.pack("<Q", index), [ring.kick])
            self.message(SET_VRING_ENABLE, struct.pack("<II", index, 1))
        if self.rx.next == 0:
            for i in range(ENTRIES):
                self.rx.offer(i, BUFFER, WRITE)
        return "ok"

    def stop(self):
        bases = [struct.unpack("<II", self.ask(GET_VRING_BASE, struct.pack("<II", i, 0)))[1] for i in (0, 1)]
        for ring in (self.rx, self.tx):  # a driver that resets begins anew
            ring.clear()
        return "stopped at %d %d" % tuple(bases)

    def alive(self):
        return "ended" if readable(self.conn, 0) and not self.conn.recv(1, socket.MSG_PEEK) else "connected"

    def half(self):
        self.conn.sendall(struct.pack("<II", GET_FEATURES, VERSION))
        self.conn.settimeout(10)
        return "ended" if not self.conn.recv(1) else "answered"

    def fault(self):
        self.tx.offer(ENTRIES + 1000, 64, 0)
        return "ok"

    def settimeout(self, seconds):
        self.timeout = seconds

    def sendall(self, data):
        while self.tx.take():
            pass
        while data:
            size = struct.unpack("!I", data[:4])[0]
            i, frame = self.tx.next % ENTRIES, bytes(HEADER) + data[4 : 4 + size]
            self.memory[self.tx.buffer(i) : self.tx.buffer(i) + len(frame)] = frame
            self.tx.offer(i, len(frame), 0)
            data = data[4 + size :]

    def recv(self, _):
        until = time.monotonic() + self.timeout
        while not (entry := self.rx.take()):
            left = until - time.monotonic()
            if left <= 0:
                raise socket.timeout
            readable(self.rx.call, min(left, 0.05))
            try:
                os.eventfd_read(self.rx.call)
            except BlockingIOError:
                pass
        i, size = entry
        at = self.rx.buffer(i)
        frame = bytes(self.memory[at + HEADER : at + size])
        self.rx.offer(i, BUFFER, WRITE)
        return struct.pack("!I", len(frame)) + frame


def main(role, path, address):
    front = Frontend(role, path)
    guest = station.Station(front, address, bytes.fromhex("02005e") + socket.inet_aton(address)[1:])
    for line in sys.stdin:
        name, *args = line.split()
        try:
            answer = getattr(guest if name in ("arp", "ping", "dhcp", "serve") else front, name)(*args)
        except (OSError, AssertionError, struct.error, SystemExit) as e:
            answer = "error: %r" % e
        print(answer or "ok", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
