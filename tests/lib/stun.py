# SPDX-License-Identifier: MIT
"""A STUN server after RFC 8489, which can also be told to misbehave."""

import ipaddress
import os
import select
import socket
import struct
import threading
import time

COOKIE = 0x2112A442
PORT = 3478
REQUEST, SUCCESS, ERROR = 0x0001, 0x0101, 0x0111
XOR_MAPPED = 0x0020


def success(transaction, address, port):
    """The answer that says: I see you at `address` and `port`."""
    ip = ipaddress.ip_address(address)
    mask = struct.pack("!I", COOKIE) + transaction
    packed = bytes(a ^ b for a, b in zip(ip.packed, mask))
    value = struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, port ^ (COOKIE >> 16)) + packed
    attribute = struct.pack("!HH", XOR_MAPPED, len(value)) + value
    return struct.pack("!HHI", SUCCESS, len(attribute), COOKIE) + transaction + attribute


class StunServer:
    """Answers on a port of a switch; `behaviour` is called with (server, transaction, source) and answers."""

    def __init__(self, port, behaviour=None):
        self.port = port
        self.address, self.address6 = port.address, port.address6
        self.behaviour = behaviour or honest
        self.asked = []
        self.socket = port.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.bind(("::", PORT))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._stopping.is_set():
            if not select.select([self.socket], [], [], 0.05)[0]:
                continue
            request, source = self.socket.recvfrom(2048)
            kind, length, cookie = struct.unpack("!HHI", request[:8])
            if (kind, length, cookie, len(request)) != (REQUEST, 0, COOKIE, 20):
                continue
            self.asked.append((time.monotonic(), plain(source)))
            self.behaviour(self, request[8:20], source)

    def close(self):
        self._stopping.set()
        self._thread.join()
        self.socket.close()


def plain(source):
    """(address, port) with an IPv4-mapped address unmapped."""
    address = ipaddress.ip_address(source[0])
    return str(address.ipv4_mapped or address), source[1]


def honest(server, transaction, source):
    server.socket.sendto(success(transaction, *plain(source)), source)


def lying(address, port=None):
    """Says that everybody is at `address`."""
    def answer(server, transaction, source):
        if ":" not in plain(source)[0]:
            server.socket.sendto(success(transaction, address, port or source[1]), source)
    return answer


def silent(_server, _transaction, _source):
    pass


def slow(seconds):
    """Answers the repetition of a question that is as old as that."""
    def answer(server, transaction, source):
        if server.asked[-1][0] - server.asked[0][0] >= seconds:
            honest(server, transaction, source)
    return answer


def refusing(server, transaction, source):
    server.socket.sendto(struct.pack("!HHI", ERROR, 0, COOKIE) + transaction, source)


def guessing(server, _transaction, source):
    """Answers as somebody who did not see the question would, again and again."""
    for _ in range(200):
        server.socket.sendto(success(os.urandom(12), "203.0.66.66", 666), source)


def from_elsewhere(server, transaction, source):
    """The right answer, from a port that nobody asked."""
    with server.port.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        other.sendto(success(transaction, "203.0.66.66", 666), source)


def noisy(server, transaction, source):
    """An honest answer behind a flood of what is none."""
    for _ in range(100):
        server.socket.sendto(os.urandom(40), source)
    honest(server, transaction, source)
