#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A mesh of three containers, one of which keeps its identity while another loses it.

Everything is real: wgmesh-init is PID 1 of namespaces of its own, the nodes find each other on a
network segment of their own, and the pings go through WireGuard. Nothing on the machine changes.
"""

import json
import os
import pathlib
import re
import sys
import textwrap
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.lab import Lab  # noqa: E402
from lib.node import STATE_DIR  # noqa: E402
from lib.wait import NotYet, eventually  # noqa: E402

NAMES = ("athens", "berlin", "cairo")
COLOURS = {"athens": 36, "berlin": 33, "cairo": 35}
BOLD, DIM, GREEN, RED = 1, 2, 32, 31
QUICK_S = 2.0

# What the story needs of the logs; the rest is a `docker logs` away in real life.
TELLING = re.compile(r"peer|identity|restored|adopt|volume|state directory|interface|migrat|goodbye",
                     re.IGNORECASE)


class Screen:
    """Lines for a terminal; colours only where there is one. Log readers write from threads."""

    def __init__(self):
        self._colour = sys.stdout.isatty()
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def paint(self, text, *codes):
        if not self._colour:
            return text
        return f"\033[{';'.join(str(code) for code in codes)}m{text}\033[0m"

    def line(self, text=""):
        with self._lock:
            print(text, flush=True)

    def heading(self, title, explanation):
        elapsed = time.monotonic() - self._started
        self.line()
        self.line(self.paint(f"== {title}", BOLD) + self.paint(f"  [{elapsed:.1f} s]", DIM))
        for text in textwrap.wrap(explanation, 96):
            self.line(f"   {text}")
        self.line()

    def log(self, name, text, level="info"):
        prefix = self.paint(f"{name:>8} |", COLOURS.get(name, 0))
        self.line(f"{prefix} {self.paint(text, RED) if level in ('warn', 'error') else text}")

    def check(self, is_good, text):
        mark = self.paint("ok  ", GREEN) if is_good else self.paint("FAIL", RED)
        self.line(f"   {mark} {text}")
        return is_good


class Demo:
    """The story, scene by scene; remembers whether all of it came true."""

    def __init__(self, lab, screen):
        self.lab = lab
        self.screen = screen
        self.nodes = {}
        self.failures = 0

    def check(self, is_good, text):
        if not self.screen.check(is_good, text):
            self.failures += 1

    def start(self, name, with_volume=True):
        """Start a node as `docker run` would; its telling log lines appear as they come."""
        number = 10 + NAMES.index(name)
        node = self.lab.node(name, volume=self.lab.volume(name) if with_volume else None,
                             port=self.lab.port(number))
        node.log.watch(lambda line: self.show_log(name, line))
        self.nodes[name] = node
        return node

    def show_log(self, name, line):
        try:
            event = json.loads(line)
        except ValueError:
            return
        if event["level"] in ("warn", "error") or TELLING.search(event["msg"]):
            self.screen.log(name, f"{event['component']}: {event['msg']}", event["level"])

    def others(self, name):
        return [node for other, node in self.nodes.items() if other != name]

    def wait_for_ping(self, source, address, what):
        """Seconds until a ping through the tunnel comes back."""
        begun = time.monotonic()
        eventually(lambda: source.pings(address), what, within=10)
        return time.monotonic() - begun

    # The scenes

    def three_nodes(self):
        self.screen.heading(
            "Three nodes, one secret",
            "Each container gets the mesh secret as a file and a volume for its state; nothing else. "
            "They announce themselves by multicast, answer with HELLO and REPLY, and configure "
            "WireGuard for each other. No node knows an address of another.")
        begun = time.monotonic()
        for name in NAMES:
            self.start(name)
        for name, node in self.nodes.items():
            for other in self.others(name):
                self.wait_for_ping(node, other.mesh_ip, f"{name} to reach {other.name}")
        took = time.monotonic() - begun
        self.screen.line()
        for name, node in self.nodes.items():
            self.screen.log(name, f"key {node.public_key}  {node.mesh_ip}  {node.mesh_ip6}")
        self.check(took < 10, f"full mesh {took:.2f} s after the first container was started")

    def ping_matrix(self):
        self.screen.heading(
            "Who reaches whom, through WireGuard",
            "One ping from every node to the mesh addresses of every other: milliseconds over IPv4 "
            "and IPv6.")
        self.screen.line("   " + " " * 10 + "".join(f"{name:>18}" for name in NAMES))
        all_answered = True
        for name in NAMES:
            cells = []
            for other in NAMES:
                cell = "-" if name == other else self.ping_cell(self.nodes[name], self.nodes[other])
                all_answered = all_answered and "lost" not in cell
                cells.append(f"{cell:>18}")
            self.screen.line(f"   {name:>10}" + "".join(cells))
        self.screen.line()
        self.check(all_answered, "every ping was answered")
        for name, node in self.nodes.items():
            shaken = [key for key, at in node.handshakes().items() if at > 0]
            self.check(len(shaken) == 2, f"{name} has WireGuard handshakes with {len(shaken)} peers")

    @staticmethod
    def ping_cell(source, target):
        times = []
        for address in (target.mesh_ip, target.mesh_ip6):
            shown = source.run("ping", "-n", "-c1", "-W1", address, check=False).stdout
            found = re.search(r"time=([\d.]+)", shown)
            times.append(f"{float(found.group(1)):.2f}" if found else "lost")
        return " / ".join(times)

    def re_create(self, name, with_volume):
        """Stop and remove a container, start a new one; returns both identities and the time."""
        node, witness = self.nodes[name], self.others(name)[0]
        before = node.identity()
        begun = time.monotonic()
        code = node.stop()
        stopped = time.monotonic() - begun
        self.check(code == 0, f"{name} stopped in {stopped:.2f} s with exit code {code}")
        node.port.close()
        begun = time.monotonic()
        node = self.start(name, with_volume)
        after = eventually(node.state, f"the key of {name}") and node.identity()
        self.wait_for_ping(witness, after["mesh_ip"], f"{witness.name} to reach {name} again")
        return before, after, time.monotonic() - begun

    def keeps_its_volume(self):
        self.screen.heading(
            "An update, done right: berlin is removed and re-created on its volume",
            "What every image pull does. The key lies on the volume, so the new container is the "
            "same node: peers need no change, and the address is the old one.")
        before, after, took = self.re_create("berlin", with_volume=True)
        self.screen.line()
        self.compare(before, after)
        self.check(before == after, "same key, same addresses")
        self.check(took < QUICK_S, f"reached again {took:.2f} s after its container was started")

    def loses_its_volume(self):
        self.screen.heading(
            "The mistake: cairo is re-created without its volume",
            "The container starts perfectly, which is why nobody notices. wgmesh-init does, and "
            "says what to change; with WGMESH_PERSISTENCE=require it would have refused.")
        before, after, _ = self.re_create("cairo", with_volume=False)
        self.screen.line()
        self.compare(before, after)
        node = self.nodes["cairo"]
        warned = [event["msg"] for event in node.events("error") + node.events("warn")]
        self.check(any(STATE_DIR in text for text in warned), "the loss was announced, with the cure")
        self.check(before["wg_pubkey"] != after["wg_pubkey"], "the old identity is gone")

    def compare(self, before, after):
        for label, member in (("key", "wg_pubkey"), ("IPv4", "mesh_ip"), ("IPv6", "mesh_ipv6")):
            same = before[member] == after[member]
            self.screen.line(f"   {label:>4}  before  {before[member]}")
            self.screen.line(f"         after   "
                             + self.screen.paint(after[member], GREEN if same else RED))

    def ending(self):
        self.screen.heading(
            "What was shown",
            "Three nodes found each other from one secret and carried pings through WireGuard; a "
            "node that was re-created on its volume came back as itself within a second or two; "
            "one that lost its volume became somebody else, and was told so.")
        verdict = "all of it came true" if self.failures == 0 else f"{self.failures} checks FAILED"
        self.screen.line(f"   {self.screen.paint(verdict, GREEN if self.failures == 0 else RED)}")

    def run(self):
        for scene in (self.three_nodes, self.ping_matrix, self.keeps_its_volume,
                      self.loses_its_volume, self.ending):
            scene()
        return 0 if self.failures == 0 else 1


def main():
    if os.geteuid() != 0:
        print("make demo: making namespaces takes root: run it with sudo", file=sys.stderr)
        return 77
    screen = Screen()
    with Lab() as lab:
        try:
            return Demo(lab, screen).run()
        except (NotYet, AssertionError) as error:
            screen.line(f"\n{screen.paint('FAILED', RED)}: {error}\n\n{lab.logs()}")
            return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
