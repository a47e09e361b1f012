# SPDX-License-Identifier: MIT
"""The DHT's messages a second time, written from BEP 5, and nodes that lie in every way."""

import ipaddress
import os
import random
import select
import socket
import threading


def encode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"


def _decode(data, at):
    first = data[at:at + 1]
    if first == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if first in (b"l", b"d"):
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = _decode(data, at)
            items.append(item)
        return (items if first == b"l" else dict(zip(items[::2], items[1::2]))), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end], end


def decode(data):
    """The value, or None for what is none."""
    try:
        return _decode(data, 0)[0]
    except (ValueError, IndexError, TypeError, RecursionError):
        return None


def compact(address, port):
    return ipaddress.ip_address(address).packed + port.to_bytes(2, "big")


class Sniffer:
    """Every UDP datagram over IPv4 that passes a port of the switch: (source, destination, payload)."""

    def __init__(self, port):
        self._socket = port.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self._socket.bind(("eth0", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setblocking(False)

    def take(self):
        """What passed since the last call."""
        while True:
            try:
                frame = self._socket.recv(65536)
            except BlockingIOError:
                return
            if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
                continue
            udp = 14 + (frame[14] & 15) * 4
            ports = [int.from_bytes(frame[udp + i:udp + i + 2], "big") for i in (0, 2)]
            length = int.from_bytes(frame[udp + 4:udp + 6], "big")
            yield ((socket.inet_ntoa(frame[26:30]), ports[0]), (socket.inet_ntoa(frame[30:34]), ports[1]),
                   frame[udp + 8:udp + length])

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Liars:
    """Nodes that answer everything with something wrong.

    victim  an address to which they want everybody to send
    """

    PORT = 6881

    def __init__(self, port, base, count, victim):
        self._victim = victim
        self._rng = random.Random(42)
        self.addresses = [f"{base}.{i}" for i in range(1, count + 1)]
        port.ip(*(f"addr add {address}/16 dev eth0" for address in self.addresses))
        self._sockets = []
        for address in self.addresses:
            one = port.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind((address, self.PORT))
            self._sockets.append(one)
        self.asked = 0
        self._stop, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def introduce(self, *nodes):
        """Ask nodes something, so that they know us."""
        for one in self._sockets:
            for node in nodes:
                query = {b"t": b"xx", b"y": b"q", b"q": b"ping", b"a": {b"id": self._rng.randbytes(20)}}
                one.sendto(encode(query), node)

    def _near(self, target):
        return target[:17] + self._rng.randbytes(3)

    def _nodes(self, target):
        """Nodes that do not exist, beside the target."""
        return b"".join(self._near(target) + compact(f"10.91.{self._rng.randrange(100, 150)}.{i + 1}", 9)
                        for i in range(8))

    def _values(self):
        """The victim's ports, and addresses that nobody may be sent to."""
        bad = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"]
        return ([compact(self._victim, self._rng.randrange(1, 65536)) for _ in range(60)]
                + [compact(address, 53) for address in bad] + [compact(self._victim, 0)]
                + [b"x" * n for n in range(9)])

    def _answers(self, query):
        """What comes back to a query: several datagrams, from none to too many."""
        arguments = query.get(b"a", {})
        target = arguments.get(b"info_hash") or arguments.get(b"target") or bytes(20)
        tid = query.get(b"t", b"")
        body = {b"id": self._near(target), b"nodes": self._nodes(target), b"token": b"tt"}
        if query.get(b"q") == b"get_peers":
            body[b"values"] = self._values()
        answer = {b"t": tid, b"y": b"r", b"r": body, b"ip": compact("198.51.100.1", 1)}
        yield from self._rng.choice([
            lambda: [encode(answer)],
            lambda: [encode(answer)] * 5,
            lambda: [encode(answer)[:self._rng.randrange(10, 200)]],
            lambda: [encode({b"t": self._rng.randbytes(4), b"y": b"r", b"r": body})],
            lambda: [encode({b"t": tid, b"y": b"e", b"e": [201, b"no\x1b[31m"]})],
            lambda: [b"d" * 1400, b"l" * 1400, b"i" + b"9" * 1400],
            lambda: [encode({b"t": tid, b"y": b"r", b"r": {b"id": b"short"}})],
            lambda: [encode({b"t": tid, b"y": b"r", b"r": {**body, b"token": b"t" * 900}})],
            lambda: [encode({b"t": tid, b"y": b"r", b"r": {**body, b"values": [b"", 5, [], {}] * 50}})],
            lambda: [],
        ])()

    def _serve(self):
        while True:
            ready, _, _ = select.select([self._stop, *self._sockets], [], [])
            if self._stop in ready:
                return
            for one in ready:
                data, origin = one.recvfrom(4096)
                query = decode(data)
                if not isinstance(query, dict) or query.get(b"y") != b"q":
                    continue
                self.asked += 1
                for answer in self._answers(query):
                    one.sendto(answer, origin)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.write(self._wake, b"x")
        self._thread.join()
        for one in self._sockets:
            one.close()
        os.close(self._stop)
        os.close(self._wake)
