#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A mesh of three containers, one of which keeps its identity while another loses it.

Everything is real: wgmesh-init is PID 1 of namespaces of its own, the nodes find each other on a
network segment of their own, and the pings go through WireGuard. Nothing on the machine changes.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.lab import Lab, programs  # noqa: E402
from lib.node import STATE_DIR  # noqa: E402
from lib.wait import NotYet, eventually  # noqa: E402

NAMES = ("athens", "berlin", "cairo")
COLOURS = {"athens": 36, "berlin": 33, "cairo": 35}
BOLD, DIM, GREEN, RED = 1, 2, 32, 31
QUICK_S = 2.0

# What the story needs of the logs, besides warnings; the rest is a `docker logs` away in real life.
TELLING = re.compile(r"/(volume|identity|node|peers): (?!peers are told)")
LOUD = re.compile(r"^\S+ (warn|error) ")
UNTOLD = re.compile(r" (outcome|duration_ms|peer|endpoint|endpoint_ipv6|interface|mesh_ipv6|nat_type|landlock)=\S+")
LOG_COLUMN = 8
# How fast people read, and how long they look at a table.
WORDS_PER_S = 5
LOOK_S = 2.0


class Screen:
    """Lines for a terminal, written from several threads; colours and pauses only where there is one."""

    def __init__(self):
        self._is_terminal = sys.stdout.isatty()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._paused = 0.0
        self._width = min(shutil.get_terminal_size((110, 24)).columns, 130)

    def paint(self, text, *codes):
        if not self._is_terminal:
            return text
        return f"\033[{';'.join(str(code) for code in codes)}m{text}\033[0m"

    def line(self, text=""):
        with self._lock:
            try:
                print(text, flush=True)
            except BrokenPipeError:
                # Nobody reads any more, as in `make demo | head`.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def pause(self, seconds=LOOK_S):
        """Let a person read; nobody reads a pipe while it is written."""
        if self._is_terminal:
            time.sleep(seconds)
            self._paused += seconds

    def elapsed(self):
        """Seconds that the programs took, without those for reading."""
        return time.monotonic() - self._started - self._paused

    def heading(self, title, explanation):
        self.line()
        self.line(self.paint(f"== {title}", BOLD))
        for text in textwrap.wrap(explanation, self._width - 6, break_on_hyphens=False):
            self.line(f"   {text}")
        self.line()
        self.pause(len(explanation.split()) / WORDS_PER_S)

    def log(self, name, text):
        """A log line as it is, wrapped so that it stays in its column."""
        prefix = self.paint(f"{name:>{LOG_COLUMN}} |", COLOURS[name])
        for part in textwrap.wrap(text, self._width - LOG_COLUMN - 3, subsequent_indent="    ",
                                  break_long_words=False, break_on_hyphens=False):
            self.line(f"{prefix} {self.paint(part, RED) if LOUD.match(text) else part}")

    def check(self, is_good, text):
        mark = self.paint("ok  ", GREEN) if is_good else self.paint("FAIL", RED)
        self.line(f"   {mark} {text}")
        return is_good


def new_secret():
    """What `wgmesh init --secret` makes."""
    made = subprocess.run([programs()[1], "init", "--secret"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return next(line for line in made.splitlines() if line.startswith("wgmesh://"))


class Demo:
    """The story, scene by scene; remembers whether all of it came true."""

    def __init__(self, lab, screen):
        self.lab = lab
        self.screen = screen
        self.secret = new_secret()
        self.nodes = {}
        self.failures = 0

    def check(self, is_good, text):
        if not self.screen.check(is_good, text):
            self.failures += 1

    def start(self, name, with_volume=True):
        """Start a node as `docker run` would; its telling log lines appear as they come."""
        number = 10 + NAMES.index(name)
        node = self.lab.node(name, volume=self.lab.volume(name) if with_volume else None,
                             port=self.lab.port(number), secret=self.secret,
                             env={"WGMESH_LOG_FORMAT": "text", "WGMESH_NO_STUN": "1"})
        node.log.watch(lambda line: self.show_log(name, line))
        self.nodes[name] = node
        return node

    def show_log(self, name, line):
        if LOUD.match(line) or TELLING.search(line):
            self.screen.log(name, UNTOLD.sub("", line))

    def others(self, name):
        return [node for other, node in self.nodes.items() if other != name]

    def wait_for_ping(self, source, address, what):
        """Seconds until a ping through the tunnel comes back."""
        begun = time.monotonic()
        eventually(lambda: source.pings(address, deadline_s=0.1), what, within=10)
        return time.monotonic() - begun

    # The scenes

    def three_nodes(self):
        self.screen.heading(
            "Three nodes, one secret",
            "Each container gets the mesh secret as a file and a volume for its state; nothing else. "
            "They announce themselves by multicast, answer with HELLO and REPLY, and configure "
            "WireGuard for each other. No node knows an address of another. Lines with a bar are the "
            "containers' own logs, without some of their fields.")
        begun = time.monotonic()
        for name in NAMES:
            self.start(name)
        for name, node in self.nodes.items():
            for other in self.others(name):
                self.wait_for_ping(node, other.mesh_ip, f"{name} to reach {other.name}")
        took = time.monotonic() - begun
        self.screen.line()
        self.check(took < 10, f"full mesh {took:.2f} s after the first container was started")
        self.screen.pause()

    def ping_matrix(self):
        self.screen.heading(
            "Who reaches whom, through WireGuard",
            "One ping from every node to the mesh addresses of every other: milliseconds over IPv4 / "
            "IPv6.")
        self.screen.line(f"   {'from   to':<10}" + "".join(f"{name:>16}" for name in NAMES))
        all_answered = True
        for name in NAMES:
            cells = []
            for other in NAMES:
                cell = "-" if name == other else self.ping_cell(self.nodes[name], self.nodes[other])
                all_answered = all_answered and "lost" not in cell
                cells.append(f"{cell:>16}")
            self.screen.line(f"   {name:<10}" + "".join(cells))
        self.screen.line()
        self.check(all_answered, "every ping was answered")
        shaken = [sum(at > 0 for at in node.handshakes().values()) for node in self.nodes.values()]
        counts = ", ".join(f"{name} with {n}" for name, n in zip(self.nodes, shaken))
        self.check(shaken == [2, 2, 2], f"WireGuard handshakes: {counts}")
        self.screen.pause()

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
        self.screen.pause()
        node.port.close()
        begun = time.monotonic()
        node = self.start(name, with_volume)
        after = node.identity()
        self.wait_for_ping(witness, after["mesh_ip"], f"{witness.name} to reach {name} again")
        return before, after, time.monotonic() - begun

    def keeps_its_volume(self):
        self.screen.heading(
            "An update, done right: berlin is removed and re-created on its volume",
            "This is what every image update does. The key lies on the volume, so the new container "
            "is the same node: same key, same addresses, and no peer needs to be told.")
        before, after, took = self.re_create("berlin", with_volume=True)
        self.screen.line()
        self.compare(before, after)
        self.check(before == after, "same key, same addresses")
        self.check(took < QUICK_S, f"reached again {took:.2f} s after its container was started")
        self.screen.pause()

    def loses_its_volume(self):
        self.screen.heading(
            "The mistake: cairo is re-created without its volume",
            "The container starts perfectly, which is why nobody notices. wgmesh-init does, and "
            "says what to change; with WGMESH_PERSISTENCE=require it would have refused.")
        before, after, _ = self.re_create("cairo", with_volume=False)
        self.screen.line()
        self.compare(before, after)
        warned = [line for line in self.nodes["cairo"].log.lines if LOUD.match(line)]
        self.check(any(STATE_DIR in line for line in warned), "wgmesh-init said so, and what to change")
        self.check(before["wg_pubkey"] != after["wg_pubkey"], "the old identity is gone")
        self.screen.pause()

    def compare(self, before, after):
        """Old and new side by side."""
        rows = [(label, before[member], after[member]) for label, member in
                (("key", "wg_pubkey"), ("IPv4", "mesh_ip"), ("IPv6", "mesh_ipv6"))]
        self.screen.line(f"   {'':4}  {'before':<44}  after")
        for label, old, new in rows:
            shown = self.screen.paint(new, GREEN if old == new else RED)
            self.screen.line(f"   {label:<4}  {old:<44}  {shown}")

    def ending(self):
        self.screen.heading(
            "What was shown",
            "Three nodes found each other from one secret and carried pings through WireGuard. One "
            "that was re-created on its volume came back as itself; one that lost its volume became "
            "somebody else, and was told so.")
        verdict = "all of it came true" if self.failures == 0 else f"{self.failures} checks FAILED"
        verdict += f"; without the pauses for reading it took {self.screen.elapsed():.1f} s"
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
    # An exception, so that the lab is cleaned up.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
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
