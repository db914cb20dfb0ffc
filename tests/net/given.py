# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/given.py - run a command with sockets that are bound already, as systemd does (sd_listen_fds(3))

    given.py NAME=tcp|udp:ADDRESS:PORT... -- COMMAND...       ADDRESS may be IPv6 in brackets; NAME may be empty
"""
import fcntl
import os
import socket
import sys

end = sys.argv.index("--")
names, keep = [], []
for number, word in enumerate(sys.argv[1:end]):
    name, _, where = word.partition("=")
    kind, _, where = where.partition(":")
    host, _, port = where.rpartition(":")
    family = socket.AF_INET6 if "[" in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host.strip("[]"), int(port)))
    if kind == "tcp":
        s.listen(16)
    names.append(name)
    keep.append(fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100))
for number, fd in enumerate(keep):
    os.dup2(fd, 3 + number, inheritable=True)
    os.close(fd)
os.environ.update(LISTEN_FDS=str(len(keep)), LISTEN_FDNAMES=":".join(names), LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
