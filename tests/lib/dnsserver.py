# SPDX-License-Identifier: MIT
"""A little DNS server: it knows what a test puts into `names`, and that may change at any time."""

import contextlib
import ipaddress
import os
import select
import socket
import struct
import threading

A, AAAA = 1, 28
NO_SUCH_NAME = 3
LEGACY_MAX = 512  # what a client takes that says nothing else


class DnsServer:
    """Answers on UDP port 53 of a port of the switch.

    names  addresses by name in lower case, without the last dot
    asked  names that were asked for, in their order
    """

    def __init__(self, port, ttl_s=5):
        self.address = port.address
        self.names = {}
        self.asked = []
        self.ttl_s = ttl_s
        self.is_silent = False
        self._socket = port.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((port.address, 53))
        self._ended, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            readable, _, _ = select.select([self._socket, self._ended], [], [])
            if self._ended in readable:
                return
            question, client = self._socket.recvfrom(4096)
            answer = self._answer(question)
            if answer and not self.is_silent:
                with contextlib.suppress(OSError):
                    self._socket.sendto(answer, client)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels).lower()
        kind, = struct.unpack_from("!H", question, at + 1)
        self.asked.append(name)
        records = [self._record(kind, ip) for ip in map(ipaddress.ip_address, self.names.get(name, ()))
                   if (ip.version == 4) == (kind == A)]
        code = 0 if name in self.names else NO_SUCH_NAME
        room = self._room(question, at + 5) - (at + 5)
        kept = 0
        while kept < len(records) and sum(map(len, records[:kept + 1])) <= room:
            kept += 1
        cut = 0x0200 if kept < len(records) else 0
        head = question[:2] + struct.pack("!HHHHH", 0x8180 | cut | code, 1, kept, 0, 0)
        return head + question[12:at + 5] + b"".join(records[:kept])

    @staticmethod
    def _room(question, end):
        """What the client takes, as it says in an OPT record."""
        if len(question) < end + 11 or question[end + 1:end + 3] != b"\0\x29":
            return LEGACY_MAX
        return max(LEGACY_MAX, struct.unpack_from("!H", question, end + 3)[0])

    def _record(self, kind, ip):
        return struct.pack("!HHHIH", 0xc00c, kind, 1, self.ttl_s, len(ip.packed)) + ip.packed

    def close(self):
        os.close(self._end)
        self._thread.join()
        os.close(self._ended)
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
