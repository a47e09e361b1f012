# SPDX-License-Identifier: MIT
"""A client of the control socket, as simple as one can be."""

import json
import select
import socket

from lib import wait

SOCKET = "/run/wgmesh/wg0.sock"
PATIENCE_S = 5


class Refused(Exception):
    """The answer is an error."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


class Client:
    """One connection; requests may be sent before the answers to earlier ones are read."""

    def __init__(self, node, path=SOCKET):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(node.root(path)))
        self._socket.settimeout(PATIENCE_S * wait.scale)
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def send(self, method, **params):
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def take(self):
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the node hung up")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def ask(self, method, **params):
        self.send(method, **params)
        return self.take()

    def is_over(self):
        """Has the node hung up?"""
        readable, _, _ = select.select([self._socket], [], [], 0)
        try:
            return bool(readable) and not self._socket.recv(1)
        except ConnectionResetError:
            return True

    def drip(self):
        """Send one more byte of a request that never ends; False once the node has hung up."""
        try:
            self._socket.send(b" ")
        except (BrokenPipeError, ConnectionResetError):
            return False
        return not self.is_over()

    def close(self):
        self._lines.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(node, method, **params):
    """One question on a connection of its own."""
    with Client(node) as client:
        return client.ask(method, **params)


def ready(node):
    """Wait until a node answers; returns its status."""
    def status():
        try:
            return ask(node, "daemon.status")
        except OSError:
            return None
    return wait.eventually(status, f"an answer of {node.name}")


def check(node, name):
    """One of its checks, as (mark, text)."""
    return next((c["mark"], c["text"]) for c in ask(node, "daemon.status")["checks"]
                if c["name"] == name)


def alarm(node, name):
    """The text of an alarm that is on; None otherwise."""
    return next((a["text"] for a in ask(node, "daemon.status")["alarms"] if a["name"] == name), None)
