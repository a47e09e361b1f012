# SPDX-License-Identifier: MIT
"""As many members of a mesh as wanted, in all but WireGuard: see tests/helper/crowd.c."""

import pathlib
import subprocess

from lib.lab import CHECKOUT, SECRET

NETWORK = "10.92.0.0/16"
FIRST = "10.92.0.1"
PROXY_LOG = "/run/wireguard/wg0.log"


class Crowd:
    """Members at addresses of their own behind one port; the node must have been given a route there."""

    def __init__(self, lab, node, n, secret=SECRET, variant="release"):
        self.n = n
        self.port = lab.port()
        self.port.ip(f"route add local {NETWORK} dev lo")
        node.port.ip(f"route add {NETWORK} via {self.port.address}")
        command = [CHECKOUT / "build" / variant / "crowd", lab.secret_file(secret), n, FIRST, node.port.address]
        self._process = subprocess.Popen(self.port.command(*map(str, command)), text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._read()[0] == "ready"

    def _read(self):
        return self._process.stdout.readline().rstrip("\n").split("\t")

    def _ask(self, line):
        """Returns when its first datagram left, in monotonic microseconds, and how many answers have come."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        said, sent_us, answers = self._read()
        assert said == line
        return int(sent_us), int(answers)

    def hello(self, first=0, end=None):
        return self._ask(f"hello {first} {self.n if end is None else end}")

    def move(self, member, port):
        return self._ask(f"move {member} {port}")

    def route(self, member, network):
        return self._ask(f"route {member} {network}")

    def flood(self, first, end, seconds):
        return self._ask(f"flood {first} {end} {seconds}")

    def answers(self):
        """How many of the members' HELLOs the node has answered so far."""
        return self._ask("count")[1]

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Requests(list):
    """What wgproxy has seen: (microseconds, "get" or "set", errno, peers, last key) each."""

    def __init__(self, node):
        path = pathlib.Path(node.root(PROXY_LOG))
        lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
        for line in lines:
            when, kind, errno, peers, *key = line.split(" ")
            self.append((int(when), kind, int(errno), int(peers), key[0] if key else ""))

    def sets(self, since=0):
        """Changes of peers since a moment: those that set key or port list none."""
        return [entry for entry in self if entry[1] == "set" and entry[3] > 0 and entry[0] >= since]
