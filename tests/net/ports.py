# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/net/ports.py - many ports at once, and who is seen calling them, for the tests of forwards

    ports.py serve NAME tcp|udp FIRST COUNT     answers each call with "NAME PORT CLIENT CLIENT-PORT"; prints "listening" first
    ports.py call HOST PORT tcp|udp             prints the answer, or why there is none, and the client's own port behind it
    ports.py all HOST FIRST COUNT tcp|udp       calls each; prints how many answered, and that of the last
    ports.py beat HOST PORT SECONDS             100 datagrams a second from one port; prints the names in the order in which they
                                                answered, how often each, and how many were lost where the name changed and in all
    ports.py churn HOST PORT COUNT              that many short connections; prints how many were answered
"""
import collections
import select
import socket
import sys
import time

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def answer(name, listener, kind):
    port = listener.getsockname()[1]
    if kind == "udp":
        data, peer = listener.recvfrom(2048)
        text = "%s %d %s %d" % (name, port, peer[0].replace("::ffff:", ""), peer[1])
        listener.sendto(text.encode() + b" " + data, peer)
        return
    stream, peer = listener.accept()
    stream.sendall(("%s %d %s %d" % (name, port, peer[0].replace("::ffff:", ""), peer[1])).encode())
    stream.close()


def serve(name, kind, first, count):
    poll, listeners = select.epoll(), {}
    for port in range(int(first), int(first) + int(count)):
        listener = socket.socket(socket.AF_INET6, KINDS[kind])
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::", port))
        if kind == "tcp":
            listener.listen(512)
        listeners[listener.fileno()] = listener
        poll.register(listener, select.EPOLLIN)
    print("listening", flush=True)
    while True:
        for number, _ in poll.poll():
            answer(name, listeners[number], kind)


def call(host, port, kind, timeout=3.0):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, KINDS[kind]) as s:
        s.settimeout(timeout)
        try:
            s.connect((host, int(port)))
            own = s.getsockname()[1]
            if kind == "udp":
                s.send(b"x")
            data = s.recv(2048)
        except socket.timeout:
            return "timeout"
        except ConnectionRefusedError:
            return "refused"
        except ConnectionResetError:
            return "reset"
        except OSError as problem:
            return problem.strerror
    return "%s %d" % (data.decode().removesuffix(" x"), own) if data else "end"


def all_of(host, first, count, kind):
    answers = [call(host, port, kind) for port in range(int(first), int(first) + int(count))]
    return "%d %s" % (sum(" " in a for a in answers), answers[-1])


def beat(host, port, seconds):
    names, lost, at_change, missed = collections.OrderedDict(), 0, 0, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((host, int(port)))
        s.settimeout(0.2)
        end = time.monotonic() + float(seconds)
        number = 0
        while time.monotonic() < end:
            number += 1
            due = time.monotonic() + 0.01
            try:
                s.send(b"%d" % number)
                while int((data := s.recv(2048)).split()[-1]) != number:
                    pass
                name = data.split()[0].decode()
                if name not in names and names:
                    at_change += missed
                names[name] = names.get(name, 0) + 1
                missed = 0
            except OSError:
                lost += 1
                missed += 1
            time.sleep(max(0, due - time.monotonic()))
    return "%s %d %d" % (" ".join("%s:%d" % item for item in names.items()), at_change, lost)


def churn(host, port, count):
    good = 0
    for _ in range(int(count)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.settimeout(5)
            try:
                s.connect((host, int(port)))
                good += bool(s.recv(100))
            except OSError as problem:
                print("churn:", problem, s.getsockname(), file=sys.stderr)
    return good


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        print({"call": call, "all": all_of, "beat": beat, "churn": churn}[sys.argv[1]](*sys.argv[2:]))
