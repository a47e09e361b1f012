# SPDX-License-Identifier: MIT
"""Ways to learn when something happened in a container, without asking a program there to say so."""

import contextlib
import os
import socket
import time
import types

from lib.netns import NetNamespace

POLL_S = 0.0005
LIMIT_S = 30


class TooLate(Exception):
    """Something did not happen in time."""


class ReadySocket:
    """Where a container says READY=1, as under systemd: a socket that is mounted into it."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.fspath(path))
        path.chmod(0o777)
        self._socket.settimeout(LIMIT_S)

    def forget(self):
        """Drop what an earlier container has said."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(4096)
        self._socket.settimeout(LIMIT_S)

    def wait(self):
        """The time at which it was said."""
        while b"READY=1" not in self._socket.recv(4096).split(b"\n"):
            pass
        return time.time()

    def close(self):
        self._socket.close()
        self.path.unlink()


class WireGuard:
    """What a userspace WireGuard has, by its own protocol over one lasting connection."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(os.fspath(path))
        self._socket.settimeout(LIMIT_S)

    def peers(self):
        """Attributes of peers by public key, in hexadecimal."""
        self._socket.sendall(b"get=1\n\n")
        said = b""
        while not said.endswith(b"\n\n"):
            said += self._socket.recv(65536)
        found, peer = {}, {}
        for line in said.decode().splitlines():
            name, _, value = line.partition("=")
            if name == "public_key":
                peer = found.setdefault(value, {})
            peer[name] = value
        return found

    def wait(self, is_so):
        """The time at which is_so(peers) was first true, and what it was."""
        deadline = time.monotonic() + LIMIT_S
        while not (answer := is_so(self.peers())):
            if time.monotonic() > deadline:
                raise TooLate("WireGuard is not as it should be")
            time.sleep(POLL_S)
        return time.time(), answer

    def close(self):
        self._socket.close()


def is_ready(network):
    """Does /readyz say so, in the network namespace of that path?"""
    with contextlib.closing(NetNamespace(os.open(network, os.O_RDONLY | os.O_CLOEXEC))) as namespace:
        with namespace.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(LIMIT_S)
            client.connect(("127.0.0.1", 9464))
            client.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            return client.recv(64).split()[1] == b"200"


def handshake(peer):
    """When the last handshake with a peer was; 0 for never."""
    return int(peer.get("last_handshake_time_sec", 0)) + int(peer.get("last_handshake_time_nsec", 0)) / 1e9


@contextlib.contextmanager
def network_of(room, address):
    """A room's network as a port that lib.peer.Peer can be plugged into."""
    namespace = NetNamespace(os.open(f"/proc/{room.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))
    with contextlib.closing(namespace):
        yield types.SimpleNamespace(address=address, socket=namespace.socket)
