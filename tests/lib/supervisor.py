# SPDX-License-Identifier: MIT
"""A service manager's end of sd_notify(3): a socket in a port's namespace, and what arrived there."""

import dataclasses
import secrets
import socket
import struct
import threading
import time

from lib import wait

UCRED = struct.Struct("3i")


@dataclasses.dataclass(frozen=True)
class Datagram:
    """One notification: when it came (time.monotonic()), its text, and who sent it."""

    at: float
    text: str
    pid: int

    def fields(self):
        return dict(line.split("=", 1) for line in self.text.split("\n"))


class Supervisor(threading.Thread):
    """Collects datagrams from now on; start it before the program that gets its `address`."""

    def __init__(self, port, on_ready=None):
        super().__init__(daemon=True)
        name = f"wgmesh-test/{secrets.token_hex(8)}"
        self.address = f"@{name}"
        self.datagrams = []
        self._on_ready = on_ready
        self._socket = port.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(f"\0{name}")
        self.start()

    def run(self):
        while True:
            data, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(UCRED.size))
            if not data:
                return
            pid = UCRED.unpack(ancillary[0][2])[0]
            datagram = Datagram(time.monotonic(), data.decode(), pid)
            if self._on_ready and "READY=1" in datagram.text.split("\n"):
                self._on_ready()
            self.datagrams.append(datagram)

    def having(self, assignment):
        """The datagrams that contain an assignment, as "READY=1"."""
        return [d for d in list(self.datagrams) if assignment in d.text.split("\n")]

    def wait_for(self, assignment, n=1, within=5.0):
        """Wait for the n-th datagram with an assignment; returns it."""
        return wait.eventually(lambda: self.having(assignment)[n - 1:n],
                               f"{assignment} for the supervisor", within)[0]

    def statuses(self):
        return [d.fields()["STATUS"] for d in list(self.datagrams) if "STATUS" in d.fields()]

    def close(self):
        """Ends the thread by an empty datagram, which no program sends."""
        if self.is_alive():
            self._socket.sendto(b"", self._socket.getsockname())
            self.join()
        self._socket.close()
