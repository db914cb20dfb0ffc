# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/attach.py ATTACH-SOCKET NEIGHBOUR LANYARD - a client of attach.sock, good and bad"""
import array
import json
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, __file__.rpartition("/")[0])
from station import Station  # noqa: E402

PATH, NEIGHBOUR, LANYARD = sys.argv[1:]
GOOD = {"op": "attach", "network": "lab", "port": "py1", "medium": "stream", "mac": "02:00:5e:00:00:51", "transient": True}


def attach(message, *descriptors):
    """the client's socket, and the answer (None when the daemon hangs up)"""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(5)
    client.connect(PATH)
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    client.sendmsg([data], rights)
    try:
        answer = client.recv(65536)
    except ConnectionResetError:
        answer = b""
    return client, json.loads(answer) if answer else None


def check(what, holds):
    if not holds:
        sys.exit("FAILED: " + what)
    print("  ", what)


def ports():
    result = subprocess.run([LANYARD, "ps", "lab", "--json"], stdout=subprocess.PIPE, check=True)
    return {port["name"]: port for port in json.loads(result.stdout)["ports"]}


def gone(name):
    until = time.monotonic() + 5
    while name in ports():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
client, answer = attach(GOOD, theirs.fileno())
check("attached: %s" % answer, answer and answer.get("port") == "py1" and answer.get("mac") == GOOD["mac"])
check("told the network", answer["gateway"] == "10.77.0.1" and answer["subnet"] == "10.77.0.0/24" and answer["mtu"] == 1500)
theirs.close()
station = Station(ours, "10.77.0.210", bytes.fromhex("02005e000051"))
print("  ", station.dhcp(), station.ping(NEIGHBOUR))
check("in ps, transient", ports()["py1"].get("transient") is True)

left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
second, refused = attach(GOOD, right.fileno())
check("the same port twice is refused", refused and "error" in refused)
second.close()
print("  ", station.ping(NEIGHBOUR))
client.close()
check("the port goes with its client", gone("py1"))

for what, message, descriptors in (
    ("no descriptor", GOOD, ()),
    ("two descriptors", GOOD, (left.fileno(), right.fileno())),
    ("no JSON", b"{", ()),
    ("an empty message", b" ", ()),
    ("another operation", dict(GOOD, op="detach"), (right.fileno(),)),
    ("an unknown network", dict(GOOD, network="none"), (right.fileno(),)),
    ("a bad name", dict(GOOD, port="../x"), (right.fileno(),)),
    ("a bad MAC", dict(GOOD, mac="01:00:5e:00:00:01"), (right.fileno(),)),
    ("an unknown field", dict(GOOD, colour="red"), (right.fileno(),)),
    ("an unknown medium", dict(GOOD, medium="pigeon"), (right.fileno(),)),
    ("a file as a TAP", dict(GOOD, medium="tap"), (os.open("/dev/null", os.O_RDWR),)),
    ("a stream as a packet socket", dict(GOOD, medium="packet"), (right.fileno(),)),
    ("a large message", b'{"op":"' + b"x" * 60000 + b'"}', (right.fileno(),)),
):
    client, answer = attach(message, *descriptors)
    check("%s: %s" % (what, answer and answer.get("error", {}).get("message")), answer is None or "error" in answer)
    client.close()
check("none of them made a port", "py1" not in ports())

lasting = dict(GOOD, port="py2", transient=False)
client, answer = attach(lasting, right.fileno())
client.close()
right.close()
check("one that is not transient stays", "py2" in ports())
station = Station(left, "10.77.0.211", bytes.fromhex("02005e000051"))
print("  ", station.ping(NEIGHBOUR))
subprocess.run([LANYARD, "port", "rm", "lab/py2"], check=True, stdout=subprocess.DEVNULL)
check("until it is removed", "py2" not in ports())

# more messages while the first is still at work, then the end: nothing of it may live on
for count in (2, 3, 8):
    far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(PATH)
    for _ in range(count):
        client.sendmsg([json.dumps(GOOD).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [near.fileno()]))])
    client.close()
    near.close()
    far.close()
check("several messages at once, and away: no port is left", gone("py1"))
client, answer = attach(dict(GOOD, port="none/"), )
check("and the daemon answers", answer is not None)
