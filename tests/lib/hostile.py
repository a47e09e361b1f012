# SPDX-License-Identifier: MIT
"""Clients that nobody wants: they say nothing, or half of it, or too much, or nonsense, or do not listen."""

import collections
import multiprocessing
import os
import random
import socket
import struct
import time
import traceback

HELD = 300  # connections that the attacker keeps open at any time
RATE = 1500  # a second; of more than some 5000, TCP itself makes newcomers wait a second
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close(2) sends a reset


def _say(sock, data):
    """What fits: nobody waits for the other side to read."""
    sock.setblocking(False)
    try:
        sock.send(data)
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        pass


def _request(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


# A client is what it says; None says nothing. Those below talk HTTP.
HTTP = {
    "silent": lambda rng: None,
    "half a line": lambda rng: b"GET /liv",
    "half a head": lambda rng: b"GET /health HTTP/1.1\r\nHost: x\r\n",
    "no end of a line": lambda rng: b"GET /" + b"a" * 60000,
    "no end of headers": lambda rng: b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10000,
    "a body": lambda rng: b"POST /health HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 60000,
    "chunks": lambda rng: b"GET /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffffffff\r\n" * 5000,
    "continue": lambda rng: b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "noise": lambda rng: rng.randbytes(2000),
    "zeroes": lambda rng: bytes(30000),
    "lines": lambda rng: b"\r\n" * 10000,
    "a proxy's": lambda rng: b"CONNECT example:443 HTTP/1.1\r\nHost: example\r\n\r\n" * 100,
    "many at once": lambda rng: _request("/livez") * 500,
    "keep alive": lambda rng: _request("/readyz", "Connection: keep-alive"),
    "does not listen": lambda rng: _request("/metrics"),
    "does not listen to all": lambda rng: _request("/health"),
    "TLS": lambda rng: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500),
}

# And these JSON-RPC.
RPC = {
    "silent": lambda rng: None,
    "half a line": lambda rng: b'{"jsonrpc":"2.0","method":"peers.l',
    "no end of a line": lambda rng: b"a" * 200000,
    "noise": lambda rng: rng.randbytes(2000) + b"\n",
    "deep": lambda rng: b"[" * 60000 + b"\n",
    "deep objects": lambda rng: b'{"a":' * 10000 + b"\n",
    "wrong": lambda rng: b'{"jsonrpc":"2.0","method":"nothing","id":1}\n' * 100,
    "no object": lambda rng: b"7\n" * 1000,
    "does not listen": lambda rng: b'{"jsonrpc":"2.0","method":"daemon.status","id":1}\n' * 200,
    "HTTP": lambda rng: _request("/livez"),
}


class Attack:
    """So many hostile clients, one after the other, from a process of its own.

    dials  functions that make a connected socket, by the table of what is said to it: HTTP or RPC
    """

    def __init__(self, n, dials):
        self._n = n
        self._dials = dials
        self._process = multiprocessing.get_context("fork").Process(target=self._run, daemon=True)
        self._process.start()

    def _run(self):
        try:
            self._attack()
        except BaseException:  # pylint: disable=broad-except
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _attack(self):
        rng = random.Random(7)
        clients = [(dial, words) for dial, table in self._dials for words in table.values()]
        held = collections.deque()
        began = time.monotonic()
        for i in range(self._n):
            time.sleep(max(0, began + i / RATE - time.monotonic()))
            dial, words = clients[i % len(clients)]
            held.append(self._send_one(dial, words(rng)))
            if len(held) > HELD:
                self._drop(held.popleft(), rng)
        while held:
            self._drop(held.popleft(), rng)

    @staticmethod
    def _send_one(dial, data):
        sock = dial()
        if data is not None:
            _say(sock, data)
        return sock

    @staticmethod
    def _drop(sock, rng):
        """Half of them end with a reset."""
        if rng.random() < 0.5:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        sock.close()

    def is_running(self):
        return self._process.is_alive()

    def code(self):
        """Its exit code: 0 when every client could be connected."""
        self._process.join(60)
        return self._process.exitcode

    def close(self):
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
