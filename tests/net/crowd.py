# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/crowd.py - very many connections at once, for the tests of quotas

    crowd.py serve PORT             echoes on every connection, for ever; prints "listening" first
    crowd.py open HOST PORT N       opens up to N connections, prints how many it got. Then, for each line on stdin:
                                    "check"  a byte there and back on each, prints on how many
                                    "press"  tries to open more without end, until the next line; prints how many it got
"""
import resource
import select
import socket
import sys

AT_ONCE = 100


def serve(port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", int(port)))
    listener.listen(4096)
    poll, streams = select.epoll(), {}
    poll.register(listener, select.EPOLLIN)
    print("listening", flush=True)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                stream = listener.accept()[0]
                streams[stream.fileno()] = stream
                poll.register(stream, select.EPOLLIN)
                continue
            try:
                data = streams[number].recv(100)
                if data:
                    streams[number].send(data)
                    continue
            except OSError:
                pass
            poll.unregister(number)
            streams.pop(number).close()


def start(host, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect_ex((host, int(port)))
    return s


class Crowd:
    def __init__(self, host, port):
        self.host, self.port, self.have, self.trying, self.poll = host, port, [], {}, select.epoll()

    def step(self, timeout):
        """move on with what is being tried; says whether something came of it"""
        events = self.poll.poll(timeout)
        for number, _ in events:
            s = self.trying.pop(number)
            self.poll.unregister(number)
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                s.close()
            else:
                self.have.append(s)
        return bool(events)

    def try_more(self, n):
        for _ in range(n):
            s = start(self.host, self.port)
            self.trying[s.fileno()] = s
            self.poll.register(s, select.EPOLLOUT)

    def open(self, n):
        tried = 0
        while tried < n or self.trying:
            more = min(AT_ONCE - len(self.trying), n - tried)
            self.try_more(more)
            tried += more
            if not self.step(4) and tried == n:
                break
        return len(self.have)

    def press(self):
        before = len(self.have)
        while not select.select([sys.stdin], [], [], 0)[0]:
            self.try_more(AT_ONCE - len(self.trying))
            self.step(0.05)
        return len(self.have) - before

    def check(self):
        for s in self.have:
            try:
                s.send(b"x")
            except OSError as problem:
                print(problem, s.getsockname(), file=sys.stderr)
        good = 0
        for s in self.have:
            s.settimeout(20)		# ten thousand answers at once: one may be lost on its way, and again when it is resent
            try:
                data = s.recv(1)
                good += data == b"x"
                if not data:
                    print("ended", s.getsockname(), file=sys.stderr)
            except OSError as problem:
                print(problem, s.getsockname(), file=sys.stderr)
        return good


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    crowd = Crowd(*sys.argv[2:4])
    print(crowd.open(int(sys.argv[4])), flush=True)
    for line in sys.stdin:
        print({"check": crowd.check, "press": crowd.press}[line.strip()](), flush=True)
