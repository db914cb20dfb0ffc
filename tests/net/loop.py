# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/loop.py ATTACH-SOCKET PORT PORT - a guest that joins two of its ports: what comes by one goes out by the other"""
import array
import json
import select
import socket
import sys


def attach(port):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(sys.argv[1])
    message = {"op": "attach", "network": "lab", "port": port, "medium": "stream", "transient": True}
    client.sendmsg([json.dumps(message).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
    if "port" not in json.loads(client.recv(65536)):
        sys.exit("not attached")
    theirs.close()
    return ours, client


(left, stay), (right, stay_too) = attach(sys.argv[2]), attach(sys.argv[3])
print("joined", flush=True)
while True:
    for end in select.select([left, right], [], [])[0]:
        data = end.recv(65536)
        if not data:
            sys.exit(0)
        (right if end is left else left).sendall(data)
