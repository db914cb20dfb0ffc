#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames with checksum and segmentation requests, and what their receivers must see, all made by scapy.

    /usr/bin/python3 tests/packet/offload_matrix.py > tests/packet/offload_matrix.txt

makes the fixture that test_offload_matrix reads (and checks, where scapy is installed, against what this script makes now).
The script is a second implementation: it knows the RFCs and virtio 1.2, 5.1.6, and nothing of lanyard.

    case NAME                           what is tried
    net MTU FROM TO                     of the network; FROM and TO are "access" (VLAN 7 untagged) or "trunk" (VLAN 7 tagged)
    in REQUEST FRAME                    what the sender sends
    whole REQUEST FRAME                 what a receiver with all of `needs` sees
    needs FEATURE...                    csum tso4 tso6 ecn uso
    out FRAME                           what others see: as many lines as frames

REQUEST: flags gso_type hdr_len gso_size csum_start csum_offset, as in struct virtio_net_hdr. FRAME: bytes in hexadecimal, then
offset and size of the part of the pattern that follows them.
"""
import sys

from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, Raw, conf
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import GRE, IPOption_NOP, IPOption_RR
from scapy.layers.vxlan import VXLAN

conf.verb = 0
SRC, DST = "02:00:00:00:00:01", "02:00:00:00:00:02"
IP4 = dict(src="10.9.0.1", dst="10.9.0.2", ttl=64)
IP6 = dict(src="fd00:9::1", dst="fd00:9::2", hlim=64)
CSUM, TCPV4, TCPV6, UDP_L4, ECN = 1, 1, 4, 5, 0x80
TIMESTAMPS = [("NOP", None), ("NOP", None), ("Timestamp", (0x01020304, 0x0A0B0C0D))]
FULL = [("Timestamp", (1, 2)), ("SAck", (1, 2, 3, 4)), ("NOP", None), ("NOP", None), ("NOP", None), ("NOP", None),
        ("NOP", None), ("NOP", None), ("NOP", None), ("NOP", None), ("NOP", None), ("NOP", None), ("NOP", None), ("NOP", None)]
ROUTE = [IPOption_RR(routers=["0.0.0.0"] * 9), IPOption_NOP()]
VID = 7


def pattern(offset, size):
    return bytes((i * 167 + (i >> 8) * 59) & 0xFF for i in range(offset, offset + size))


def ip(v6=False, **more):
    return IPv6(**IP6, **more) if v6 else IP(**IP4, id=more.pop("id", 0x1234), flags="DF", **more)


def tcp(flags="A", options=(), seq=0x01020304):
    return TCP(sport=4660, dport=9, seq=seq, ack=0x0A0B0C0D, flags=flags, window=500, options=list(options))


def udp():
    return UDP(sport=4660, dport=9)


def built(layer3, l4, payload):
    """The frame as sent on a wire: every length and checksum right."""
    return bytes(Ether(src=SRC, dst=DST) / layer3 / l4 / Raw(payload))


def split(frame, offset, size):
    """A frame that ends with pattern(offset, size)."""
    assert frame[len(frame) - size:] == pattern(offset, size)
    return f"{frame[:len(frame) - size].hex()} {offset} {size}"


def words(data):
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def unfinished(frame, l4, proto, field, v6):
    """The frame with the sum of its pseudo header where the transport's checksum goes (virtio 1.2, 5.1.6.2)."""
    size = len(frame) - l4
    addresses = frame[22:54] if v6 else frame[26:34]
    value = words(addresses + proto.to_bytes(2, "big") + size.to_bytes(4, "big"))
    at = l4 + field
    return frame[:at] + value.to_bytes(2, "big") + frame[at + 2:]


def tagged(frame, pcp=0):
    e = Ether(frame)
    return bytes(Ether(src=e.src, dst=e.dst) / Dot1Q(prio=pcp, vlan=VID, type=e.type) / Raw(frame[14:]))


def request(flags=0, gso_type=0, hdr_len=0, gso_size=0, start=0, field=0, shift=0):
    if not flags:
        return "0 0 0 0 0 0"
    return f"{flags} {gso_type} {hdr_len + shift if gso_type else 0} {gso_size} {start + shift} {field}"


def needs(flags, gso_type):
    names = ["csum"] if flags & CSUM else []
    names += {0: [], TCPV4: ["tso4"], TCPV6: ["tso6"], UDP_L4: ["uso"]}[gso_type & ~ECN]
    return " ".join(names + (["ecn"] if gso_type & ECN else []))


def case(name, sent, asked, seen, outs, mtu=1500, source="access", to="access", pcp=0):
    """@sent, @seen and each of @outs: (frame, offset, size of the pattern at its end); @asked and the request @seen has"""
    def show(frame, where):
        data, offset, size = frame
        return split(tagged(data, pcp if source == "trunk" else 0) if where == "trunk" else data, offset, size)

    def shift(where):
        return 4 if where == "trunk" else 0

    print(f"case {name}")
    print(f"net {mtu} {source} {to}")
    print(f"in {request(**asked, shift=shift(source))} {show(sent, source)}")
    print(f"whole {request(**seen, shift=shift(to))} {show(sent, to)}")
    print(f"needs {needs(seen.get('flags', 0), seen.get('gso_type', 0))}".rstrip())
    for out in outs:
        print(f"out {show(out, to)}")
    print()


def plain(name, frame, size, **net):
    case(name, (frame, 0, size), {}, {}, [(frame, 0, size)], **net)


def summed(name, layer3, l4, size, tail=None, **net):
    """A checksum is asked for; the receiver without offloads sees scapy's."""
    data = pattern(0, size) if tail is None else tail
    done = built(layer3, l4, data)
    v6 = isinstance(layer3, IPv6)
    start = 14 + len(bytes(layer3))
    proto = {TCP: 6, UDP: 17, ICMP: 1, ICMPv6EchoRequest: 58}[type(l4)]
    field = {6: 16, 17: 6, 1: 2, 58: 2}[proto]
    if proto == 1:          # ICMP has no pseudo header
        raw = done[:start + 2] + b"\0\0" + done[start + 4:]
    else:
        raw = unfinished(done, start, proto, field, v6)
    ask = dict(flags=CSUM, start=start, field=field)
    size = size if tail is None else 0
    case(name, (raw, 0, size), ask, ask, [(done, 0, size)], **net)


def segments(layer3, l4, total, each):
    """The frames of which one large one is made (RFC 9293; RFC 3168 6.1.2 for CWR; each datagram of its own for UDP)."""
    outs = []
    for i, offset in enumerate(range(0, total, each)):
        size = min(each, total - offset)
        l3, t = layer3.copy(), l4.copy()
        if isinstance(l3, IP):
            l3.id = (layer3.id + i) & 0xFFFF
        if isinstance(t, TCP):
            t.seq = (l4.seq + offset) & 0xFFFFFFFF
            if i:
                t.flags = str(t.flags).replace("C", "")
            if offset + size < total:
                t.flags = str(t.flags).replace("F", "").replace("P", "")
        outs.append((built(l3, t, pattern(offset, size)), offset, size))
    return outs


def large(name, layer3, l4, total, each, **net):
    v6, is_tcp = isinstance(layer3, IPv6), isinstance(l4, TCP)
    start = 14 + len(bytes(layer3))
    headers = start + len(bytes(l4))
    field = 16 if is_tcp else 6
    gso = UDP_L4 if not is_tcp else TCPV6 if v6 else TCPV4
    if is_tcp and "C" in str(l4.flags):
        gso |= ECN
    raw = unfinished(built(layer3, l4, pattern(0, total)), start, 6 if is_tcp else 17, field, v6)
    ask = dict(flags=CSUM, gso_type=gso, hdr_len=headers, gso_size=each, start=start, field=field)
    seen = ask if total > each else dict(flags=CSUM, start=start, field=field)
    case(name, (raw, 0, total), ask, seen, segments(layer3, l4, total, each), **net)


def zero_sum(v6):
    """Two bytes of payload that make the UDP checksum come out as 0, which is sent as 0xffff."""
    frame = built(ip(v6), udp() / Raw(), b"\0\0")
    at = 54 if v6 else 34
    value = int.from_bytes(frame[at + 6:at + 8], "big")
    return value.to_bytes(2, "big")


def udp_from_zero(v6, size):
    """A UDP header with which the first @size bytes of the pattern have a checksum of 0."""
    frame = built(ip(v6), UDP(sport=0, dport=9), pattern(0, size))
    at = 54 if v6 else 34
    return UDP(sport=int.from_bytes(frame[at + 6:at + 8], "big"), dport=9)


def tunnel(name, outer):
    """A checksum inside: the outer headers are complete, the inner TCP's is asked for."""
    inner = Ether(src=DST, dst=SRC) / IP(src="172.16.0.1", dst="172.16.0.2") / tcp()
    if outer == "vxlan":
        layers = ip() / UDP(sport=40000, dport=4789, chksum=0) / VXLAN(vni=5, flags=8) / inner
    elif outer == "gre":
        layers = ip() / GRE() / inner[IP]
    else:
        layers = MPLS(label=16, s=1, ttl=64) / inner[IP]
    done = bytes(Ether(src=SRC, dst=DST, **({"type": 0x8847} if outer == "mpls" else {})) / layers / Raw(pattern(0, 300)))
    start = len(done) - 300 - 20
    size = 20 + 300
    value = words(done[start - 8:start] + (6).to_bytes(2, "big") + size.to_bytes(4, "big"))
    raw = done[:start + 16] + value.to_bytes(2, "big") + done[start + 18:]
    ask = dict(flags=CSUM, start=start, field=16)
    case(name, (raw, 0, 300), ask, ask, [(done, 0, 300)])


def main():
    print("# made by tests/packet/offload_matrix.py, which says how to read and how to remake it")
    for size in (0, 1, 100, 101, 1460):
        plain(f"TCP over IPv4, {size} bytes", built(ip(), tcp(), pattern(0, size)), size)
    plain("UDP over IPv4", built(ip(), udp(), pattern(0, 333)), 333)
    plain("UDP over IPv4 without a checksum", built(ip(), UDP(sport=4660, dport=9, chksum=0), pattern(0, 333)), 333)
    plain("ICMP", built(ip(), ICMP(id=1, seq=2), pattern(0, 56)), 56)
    plain("TCP over IPv6", built(ip(True), tcp(), pattern(0, 1000)), 1000)
    plain("UDP over IPv6", built(ip(True), udp(), pattern(0, 77)), 77)
    plain("ICMP over IPv6", built(ip(True), ICMPv6EchoRequest(id=1, seq=2), pattern(0, 56)), 56)
    plain("ARP", bytes(Ether(src=SRC, dst=DST) / ARP(op=1, hwsrc=SRC, psrc=IP4["src"], pdst=IP4["dst"])), 0)
    for size in (14, 15, 16, 17, 18, 21, 33, 42, 59, 60):
        plain(f"{size} bytes", bytes(Ether(src=SRC, dst=DST, type=0x88B5) / Raw(pattern(0, size - 14))), size - 14)

    for v6 in (False, True):
        over = f"over IPv{6 if v6 else 4}"
        for size in (0, 1, 100, 101, 1440):
            summed(f"checksum of TCP {over}, {size} bytes", ip(v6), tcp("PA"), size)
            summed(f"checksum of UDP {over}, {size} bytes", ip(v6), udp(), size)
        summed(f"checksum of UDP {over} that is 0", ip(v6), udp(), 2, tail=zero_sum(v6))
        summed(f"checksum of TCP {over} with timestamps", ip(v6), tcp("A", TIMESTAMPS), 999)
    summed("checksum of ICMP", ip(), ICMP(id=1, seq=2), 55)
    summed("checksum of ICMP over IPv6", ip(True), ICMPv6EchoRequest(id=1, seq=2), 55)
    summed("checksum behind all options of IPv4 and TCP", ip(options=ROUTE), tcp("A", FULL), 500)
    tunnel("checksum inside VXLAN", "vxlan")
    tunnel("checksum inside GRE", "gre")
    tunnel("checksum behind an MPLS label", "mpls")

    for v6 in (False, True):
        tso, over = f"TSO{6 if v6 else 4}", ip(v6)
        large(f"{tso}, a short last segment", over, tcp("PA"), 4000, 1400)
        large(f"{tso}, none is short", over, tcp("A"), 4200, 1400)
        large(f"{tso}, odd segments", over, tcp("A"), 4001, 1399)
        large(f"{tso}, FIN and PSH", over, tcp("FPA"), 3000, 1000)
        large(f"{tso}, congestion window reduced", over, tcp("ACP"), 3000, 1000)
        large(f"{tso}, congestion echoed", over, tcp("AE"), 3000, 1000)
        large(f"{tso}, timestamps", over, tcp("A", TIMESTAMPS), 5000, 1428)
        large(f"{tso}, full options", over, tcp("PA", FULL), 5000, 1380)
        large(f"{tso}, sequence number wraps", over, tcp("A", seq=0xFFFFFF00), 3000, 1000)
        large(f"{tso}, one segment", over, tcp("PA"), 1000, 1400)
        large(f"{tso}, just one segment", over, tcp("PA"), 1400, 1400)
        large(f"{tso}, one byte more", over, tcp("PA"), 1401, 1400)
        large(f"{tso}, small segments", over, tcp("A"), 1000, 90)
        large(f"{tso}, 64 KB", over, tcp("A", TIMESTAMPS), 65400, 1428)
        uso = f"USO{6 if v6 else 4}"
        large(f"{uso}, a short last datagram", over, udp(), 4000, 1400)
        large(f"{uso}, none is short", over, udp(), 2800, 1400)
        large(f"{uso}, odd datagrams", over, udp(), 4001, 1333)
        large(f"{uso}, one datagram", over, udp(), 1000, 1400)
        large(f"{uso}, a checksum that is 0", over, udp_from_zero(v6, 1000), 2100, 1000)
        large(f"{uso}, 64 KB", over, udp(), 65400, 1450)
    large("TSO4, identification wraps", ip(id=0xFFFF), tcp("A"), 3000, 1000)
    large("TSO4, all options of IPv4 and TCP", ip(options=ROUTE), tcp("A", FULL), 3000, 1000)

    for source, to in (("access", "trunk"), ("trunk", "access"), ("trunk", "trunk")):
        way = f"from {source} to {to}"
        net = dict(source=source, to=to, pcp=5)
        plain(f"UDP {way}", built(ip(), udp(), pattern(0, 333)), 333, **net)
        # not 14: Linux drops a tagged frame with less than two bytes behind the tag
        plain(f"16 bytes {way}", bytes(Ether(src=SRC, dst=DST, type=0x88B5) / Raw(pattern(0, 2))), 2, **net)
        summed(f"checksum of TCP {way}", ip(), tcp("PA"), 1460, **net)
        summed(f"checksum of UDP over IPv6 {way}", ip(True), udp(), 101, **net)
        summed(f"checksum behind all options {way}", ip(options=ROUTE), tcp("A", FULL), 500, **net)
        large(f"TSO4 {way}", ip(), tcp("PA", TIMESTAMPS), 5000, 1448, **net)
        large(f"TSO6 with CWR {way}", ip(True), tcp("CA"), 5000, 1400, **net)
        large(f"USO4 {way}", ip(), udp(), 5000, 1400, **net)

    plain("jumbo: UDP", built(ip(), udp(), pattern(0, 8972)), 8972, mtu=9000)
    summed("jumbo: checksum of TCP over IPv6", ip(True), tcp("A"), 8940, mtu=9000)
    large("jumbo: TSO4", ip(), tcp("PA"), 30000, 8960, mtu=9000)
    large("jumbo: TSO6 of ordinary segments", ip(True), tcp("PA"), 30000, 1400, mtu=9000)
    large("jumbo: USO6", ip(True), udp(), 30001, 8952, mtu=9000)


if __name__ == "__main__":
    sys.exit(main())
