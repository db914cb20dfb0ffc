# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/signed.py ADDRESS [plain] - a resolver at ADDRESS, port 53, that knows one signed zone and what hangs below it

"example" is signed (Ed25519, RFC 8080), and its key is written to standard output as a trust anchor. In it good.example is as it should be;
bogus.example has one bit of its signature turned, expired.example one that was good until yesterday; sub.example is a signed zone below it,
plain.example an unsigned one. What is not there is denied by NSEC. Names elsewhere are unsigned. With "plain" it knows no DNSSEC at all.
"""
import base64
import hashlib
import socket
import struct
import sys
import threading
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

A, NS, SOA, DS, RRSIG, NSEC, DNSKEY = 1, 2, 6, 43, 46, 47, 48
TTL, DAY = 60, 86400


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def order(name):
    return list(reversed(name.split(".")))


def record(name, kind, data):
    return wire(name) + struct.pack("!HHIH", kind, 1, TTL, len(data)) + data


def bitmap(kinds):
    bits = bytearray(max(kinds) // 8 + 1)
    for kind in kinds:
        bits[kind // 8] |= 0x80 >> kind % 8
    return bytes([0, len(bits)]) + bytes(bits)


class Zone:
    def __init__(self, name, records, signed=True):
        self.name, self.signed = name, signed
        self.key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.dnskey = struct.pack("!HBB", 257, 3, 15) + public
        self.sets = dict(records)
        self.sets[name, SOA] = [wire("ns." + name) + wire("root." + name) + struct.pack("!IIIII", 1, 3600, 600, 86400, 60)]
        self.sets[name, NS] = [wire("ns." + name)]
        if not signed:
            return
        self.sets[name, DNSKEY] = [self.dnskey]
        names = sorted({owner for owner, _ in self.sets}, key=order)
        for owner, following in zip(names, names[1:] + names[:1]):
            kinds = [kind for at, kind in self.sets if at == owner] + [NSEC, RRSIG]
            self.sets[owner, NSEC] = [wire(following) + bitmap(kinds)]
        self.names = names

    def tag(self):
        total = sum(byte << 8 * (i % 2 == 0) for i, byte in enumerate(self.dnskey))
        return total + (total >> 16) & 0xFFFF

    def ds(self):
        return struct.pack("!HBB", self.tag(), 15, 2) + hashlib.sha256(wire(self.name) + self.dnskey).digest()

    def signature(self, owner, kind):
        now = int(time.time())
        end = now - DAY if owner.startswith("expired.") else now + DAY
        head = struct.pack("!HBBIIIH", kind, 15, len(owner.split(".")), TTL, end, now - 3 * DAY, self.tag()) + wire(self.name)
        data = b"".join(record(owner, kind, one) for one in sorted(self.sets[owner, kind]))
        signed = bytearray(self.key.sign(head + data))
        if owner.startswith("bogus.") and kind == A:
            signed[10] ^= 1
        return record(owner, RRSIG, head + bytes(signed))

    def whole(self, owner, kind, prove):
        """the records of a name and type, with the signature"""
        found = [record(owner, kind, one) for one in self.sets[owner, kind]]
        return found + [self.signature(owner, kind)] if prove and self.signed and not self.delegated(owner, kind) else found

    def delegated(self, owner, kind):
        return kind == NS and owner != self.name

    def before(self, name):
        return max((owner for owner in self.names if order(owner) <= order(name)), key=order)

    def deny(self, name, prove):
        found = self.whole(self.name, SOA, prove)
        if prove and self.signed:
            for owner in sorted({self.before(name), self.before("*." + self.name)}):
                found += self.whole(owner, NSEC, prove)
        return found


def ip(text):
    return [socket.inet_aton(text)]


SUB = Zone("sub.example", {("www.sub.example", A): ip("203.0.113.2"), ("mail.sub.example", A): ip("203.0.113.4")})
PLAIN = Zone("plain.example", {("www.plain.example", A): ip("203.0.113.3")}, signed=False)
TOP = Zone("example", {
    ("good.example", A): ip("203.0.113.1"), ("bogus.example", A): ip("203.0.113.66"), ("expired.example", A): ip("203.0.113.67"),
    ("sub.example", NS): [wire("ns.sub.example")], ("sub.example", DS): [SUB.ds()], ("plain.example", NS): [wire("ns.plain.example")],
})


def zone_of(name, kind):
    for zone in (SUB, PLAIN, TOP):
        if (name == zone.name and kind != DS) or name.endswith("." + zone.name):
            return zone
    return None


def resolve(name, kind, prove):
    """(code, answers, authority)"""
    zone = zone_of(name, kind)
    if not zone:
        return 0, [record(name, A, ip("203.0.113.9")[0])] if kind == A and name else [], []
    if (name, kind) in zone.sets and (kind != NSEC or prove):
        return 0, zone.whole(name, kind, prove), []
    if any(owner == name for owner, _ in zone.sets):
        proof = zone.whole(name, NSEC, prove) if prove and zone.signed else []
        return 0, [], zone.whole(zone.name, SOA, prove) + proof
    return 3, [], zone.deny(name, prove)


def answer(query, able):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    kind, end = struct.unpack_from("!H", query, at + 1)[0], at + 5
    has_opt = query[11] == 1
    prove = able and has_opt and query[end + 7] & 0x80
    code, answers, authority = resolve(".".join(labels), kind, prove)
    print(".".join(labels) or ".", kind, flush=True)
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | query[3] & 0x10 | code, 1, len(answers), len(authority), has_opt)
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000 if prove else 0, 0) if has_opt else b""
    return head + query[12:end] + b"".join(answers + authority) + opt


def streams(address, able):
    sock = socket.create_server((address, 53))
    while True:
        conn = sock.accept()[0]
        reply = answer(conn.recv(4096)[2:], able)
        conn.sendall(struct.pack("!H", len(reply)) + reply)
        conn.close()


def main():
    address, able = sys.argv[1], len(sys.argv) < 3
    print("example. 60 IN DNSKEY 257 3 15", base64.b64encode(TOP.dnskey[4:]).decode(), flush=True)
    threading.Thread(target=streams, args=(address, able), daemon=True).start()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    while True:
        query, peer = sock.recvfrom(4096)
        sock.sendto(answer(query, able), peer)


main()
