# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/same.py ATTACH-SOCKET LANYARD COUNT - that many guests on network lab (mode nat), all with one MAC address, which say
and hear everything by one IP address; each must be served as if it were alone, and hear nothing but the gateway"""
import array
import json
import resource
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, __file__.rpartition("/")[0])
from station import BROADCAST, Station, ip_packet  # noqa: E402

PATH, LANYARD, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
MAC = bytes.fromhex("02005e000015")
ADDRESS, GATEWAY, DNS = "10.0.2.15", "10.0.2.2", "10.0.2.3"
FORWARDS = {9007: 7, 9008: COUNT - 1}
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def lanyard(*words):
    return subprocess.run([LANYARD, *words], stdout=subprocess.PIPE, check=True).stdout


def attach(name):
    """the client's socket, and the guest's end of the port"""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(20)
    client.connect(PATH)
    message = {"op": "attach", "network": "lab", "port": name, "medium": "stream", "mac": MAC.hex(":"), "transient": True}
    client.sendmsg([json.dumps(message).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
    answer = json.loads(client.recv(65536))
    if "error" in answer:
        sys.exit("%s: %s" % (name, answer["error"]["message"]))
    theirs.close()
    return client, ours


class Guest(Station):
    def __init__(self, number):
        self.name = "vm%d" % number
        self.client, stream = attach(self.name)
        super().__init__(stream, ADDRESS, MAC)

    def receive(self, until):
        frame = super().receive(until)
        if frame and self.neighbours and frame[6:12] != self.neighbours[GATEWAY]:
            sys.exit("%s was sent a frame of %s: %s" % (self.name, frame[6:12].hex(":"), frame[:60].hex()))
        return frame

    def datagram(self, target, source_port, port, payload):
        udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
        self.send(self.neighbours[GATEWAY], 0x800, ip_packet(self.ip, socket.inet_aton(target), 17, udp))

    def heard(self, source, source_port, port):
        """the payload of a datagram that comes from there"""
        head = struct.pack("!4s4sHH", socket.inet_aton(source), self.ip, source_port, port)
        return self.wait_for(
            lambda f: f[12:14] == b"\x08\0" and f[23] == 17 and f[26:38] == head and f[42 : 34 + struct.unpack("!H", f[38:40])[0]],
            "datagram for " + self.name,
        )

    def ask(self, name, kind):
        """the data of the only answer"""
        question = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0" + struct.pack("!HH", kind, 1)
        self.datagram(DNS, 5353, 53, b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + question)
        answer = self.heard(DNS, 53, 5353)
        if answer[7] != 1:
            sys.exit("%s asked for %s, and was answered %s" % (self.name, name, answer.hex()))
        return answer[12 + len(question) + 12 :]


def check(what, is_, wanted):
    if is_ != wanted:
        sys.exit("FAILED: %s: %s, not %s" % (what, is_, wanted))
    print("   %s: %s" % (what, is_), flush=True)


def timed(what, work):
    begin = time.monotonic()
    result = work()
    print("   %s: %.2f s" % (what, time.monotonic() - begin), flush=True)
    return result


def all_alike(values):
    values = list(values)
    return "%d times %s" % (len(values), values[0]) if len(set(values)) == 1 else set(values)


guests = timed("%d ports attached" % COUNT, lambda: [Guest(i) for i in range(COUNT)])
check("addresses", timed("leases", lambda: all_alike(g.dhcp() for g in guests)), "%d times %s" % (COUNT, ADDRESS))
check("gateways", timed("ARP", lambda: len({g.arp(GATEWAY) for g in guests})), 1)
check("own names", all_alike(g.ask(g.name + ".lab.internal", 1).hex() for g in guests), "%d times 0a00020f" % COUNT)
reverse = sum(g.ask("15.2.0.10.in-addr.arpa", 12)[1:].startswith(g.name.encode() + b"\3lab") for g in guests)
check("and back from the address", reverse, COUNT)

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
server.settimeout(5)
for g in guests:
    g.datagram(GATEWAY, 4000, server.getsockname()[1], g.name.encode())
    data, peer = server.recvfrom(100)
    g.peer = peer
for g in guests:
    server.sendto(b"hello " + g.name.encode(), g.peer)
check("ports of the host for them", len({g.peer for g in guests}), COUNT)
check("datagrams through the NAT, from one port of one address",
      sum(g.heard(GATEWAY, server.getsockname()[1], 4000) == b"hello " + g.name.encode() for g in guests), COUNT)

for port, number in FORWARDS.items():
    lanyard("forward", "add", "lab", "%d:vm%d:80/udp" % (port, number))
for port, number in FORWARDS.items():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        client.settimeout(5)
        client.send(b"are you there")
        frame = guests[number].wait_for(lambda f: f[23:24] == b"\x11" and f[36:38] == b"\0\x50" and f, "datagram by a forward")
        guests[number].datagram(socket.inet_ntoa(frame[26:30]), 80, struct.unpack("!H", frame[34:36])[0], guests[number].name.encode())
        check("port %d of the host" % port, client.recv(100).decode(), "vm%d" % number)

for target in (BROADCAST, bytes.fromhex("01005e0000fb"), bytes.fromhex("333300000001"), MAC, bytes.fromhex("020000009999")):
    for number in (0, COUNT // 2):
        guests[number].send(target, 0x88B5, bytes(60))
guests[1].send(BROADCAST, 0x806, b"\0\1\x08\0\6\4\0\1" + MAC + guests[1].ip + bytes(6) + guests[1].ip)  # here I am
for g in guests:
    g.ping(GATEWAY)  # whatever else had been sent to it came before the answer
print("   nobody was sent a frame of another")
ports = json.loads(lanyard("ps", "lab", "--json"))["ports"]
check("ps", all_alike(p["addresses"][0]["ip"] for p in ports), "%d times %s" % (COUNT, ADDRESS))
fdb = json.loads(lanyard("fdb", "ls", "lab", "--json"))["fdb"]
check("in the FDB", (len({e["port"] for e in fdb}), sum(e["moves"] for e in fdb)), (COUNT, 0))
for g in guests[: COUNT // 2]:
    g.client.close()


def left():
    until = time.monotonic() + 20
    while time.monotonic() < until:
        names = [p["name"] for p in json.loads(lanyard("ps", "lab", "--json"))["ports"]]
        if len(names) == COUNT - COUNT // 2:
            return len(names)
        time.sleep(0.05)
    return names


check("half of them go", timed("and are gone", left), COUNT - COUNT // 2)
check("leases left", len(json.loads(lanyard("lease", "ls", "lab", "--json"))["leases"]), COUNT - COUNT // 2)
for g in guests[COUNT // 2 :]:
    g.ping(GATEWAY)
