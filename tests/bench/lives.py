# SPDX-License-Identifier: MIT
"""The life of a node's container, and of its place in a mesh, measured on a real engine."""

import base64
import contextlib
import dataclasses
import datetime
import json
import random
import time

from engines import BRIDGE_ADDRESS, FULL, STATE_DIR
from lib.peer import Peer
from lib.wait import eventually
from running import RIGHTS, SECRET, secret_options
from watch import ReadySocket, WireGuard, handshake, is_ready, network_of

OURS, TINI, FLOOR = "wgmesh-init", "tini", "engine alone"
PEER, NODE = "bench-peer", "bench-node"
KEY_FILE = f"{STATE_DIR}/wg0.json"
READY_PLACE = "/run/ready"
TINI_FILE = "/usr/bin/tini-static"
# A node hears ten datagrams a second from one address, which all guests share.
GUEST_S = 0.6
WGMESH = "/usr/local/bin/wgmesh"


@dataclasses.dataclass
class Row:
    """A line of the table: milliseconds of every run by candidate, what they are, and the goal."""

    name: str
    how: str
    goal_ms: float | None
    runs: dict = dataclasses.field(default_factory=dict)

    def add(self, candidate, seconds):
        self.runs.setdefault(candidate, []).append(seconds * 1e3)


def rows():
    """Every line, still without runs."""
    ready = "the daemon says READY=1, which wgmesh-init passes on: the interface is there and has its " \
            "addresses, and /readyz answers 200"
    return {row.name: row for row in (
        Row("start to ready", f"from the call of `docker run -d` until {ready}", 5000),
        Row("... of it the engine", "until the engine says that the container's first process was started; "
            "of `docker run --rm IMAGE true`, all of it, to its end", None),
        Row("... of it the container", "the rest: PID 1 and its checks, wireguard-go, the daemon", 300),
        Row("start to first handshake", "from the same call until WireGuard has completed a handshake with "
            "a peer that was there before, by WireGuard's own clock", 5000),
        Row("peer appears", "from the HELLO of a peer that is new until WireGuard has it, with its "
            "addresses and its endpoint", 100),
        Row("peer moves", "from a HELLO that tells another endpoint until WireGuard has that", 100),
        Row("stop", "of `docker stop`, until it returns: goodbye to the peers, the interface is gone, the "
            "end has been noted on the volume, the container has ended", 1000),
    )}


def unix_time(text):
    """Of the engine's own form, which has nanoseconds."""
    head, _, fraction = text.rstrip("Z").partition(".")
    whole = datetime.datetime.fromisoformat(head).replace(tzinfo=datetime.timezone.utc).timestamp()
    return whole + float(f"0.{fraction or 0}")


def as_hex(key):
    return base64.b64decode(key).hex()


def _new_peer(network, name, taken):
    """A peer whose mesh address none had before: which of two nodes keeps one is not measured here."""
    while (peer := Peer(network, SECRET, name)).mesh_ip in taken:
        peer.close()
    taken.add(peer.mesh_ip)
    return peer


class Lives:
    """The engine, a peer that stays, and what comes and goes beside it.

    rounds  starts and stops of every candidate, peers that appear, peers that move
    say     called with a word on what is measured now
    """

    def __init__(self, engine, rounds, say):
        self.engine = engine.images()
        self.rounds = rounds
        self.say = say
        self.rows = rows()
        self._random = random.Random(1)
        self._cleanup = contextlib.ExitStack()
        self._ready = ReadySocket(engine.box.directory / "ready")
        self._cleanup.callback(self._ready.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in (PEER, NODE):
            self.engine("rm", "-f", "-v", name, check=False)
            self.engine("volume", "rm", "-f", name, check=False)
        self._cleanup.close()

    def measure(self):
        """All rows, with their runs."""
        self._run(PEER, ())
        self._ready.wait()
        self._peer = WireGuard(f"{self._process(PEER)}/root/run/wireguard/wg0.sock")
        self._cleanup.callback(self._peer.close)
        candidates = [(OURS, ()), (TINI, ("-v", f"{TINI_FILE}:/tini:ro", "--entrypoint", "/tini")), (FLOOR, None)]
        for turn in range(self.rounds):
            if turn % 5 == 0:
                self.say(f"start and stop: {turn}/{self.rounds}")
            self._random.shuffle(candidates)
            for name, options in candidates:
                self._floor() if options is None else self._life(name, options)
        self._updates()
        return list(self.rows.values())

    # Tools

    def _process(self, container):
        """The directory of its PID 1 in /proc, as this process sees it."""
        pid = self.engine.inspect(container, "{{.State.Pid}}")
        return f"/proc/{self.engine.room.pid}/root/proc/{pid}"

    def _run(self, name, options):
        argv = ("--", WGMESH, "join") if "--entrypoint" in options else ("join",)
        self.engine("run", "-d", "--name", name, *RIGHTS, *secret_options(self.engine),
                    "-v", f"{name}:{STATE_DIR}", "-v", f"{self._ready.path}:{READY_PLACE}",
                    "-e", f"NOTIFY_SOCKET={READY_PLACE}", *options, FULL, *argv)

    # Measurements

    def _life(self, candidate, options):
        """One start of a node, its place in the mesh, and its stop."""
        self._ready.forget()
        begun = time.time()
        self._run(NODE, options)
        ready = self._ready.wait()
        process = self._process(NODE)
        assert is_ready(f"{process}/ns/net"), "READY=1 and /readyz do not agree"
        with open(f"{process}/root{KEY_FILE}", encoding="ascii") as file:
            key = as_hex(json.load(file)["wg_pubkey"])
        _, tunnel = self._peer.wait(lambda peers: max(handshake(peers.get(key, {})) - begun, 0))
        started = unix_time(self.engine.inspect(NODE, "{{.State.StartedAt}}"))
        self.rows["start to ready"].add(candidate, ready - begun)
        self.rows["... of it the engine"].add(candidate, started - begun)
        self.rows["... of it the container"].add(candidate, ready - started)
        self.rows["start to first handshake"].add(candidate, tunnel)
        begun = time.time()
        self.engine("stop", NODE)
        self.rows["stop"].add(candidate, time.time() - begun)
        code = self.engine.inspect(NODE, "{{.State.ExitCode}}")
        assert code == "0", f"{candidate} ended with {code}:\n{self.engine('logs', NODE).stderr}"
        self.engine("rm", NODE)
        # Gone, or the next start would be one with a tunnel that is there.
        self._peer.wait(lambda peers: key not in peers)

    def _floor(self):
        """What any container takes."""
        begun = time.time()
        self.engine("run", "--rm", "--entrypoint", "/bin/true", FULL)
        self.rows["... of it the engine"].add(FLOOR, time.time() - begun)
        self.engine("run", "-d", "--name", NODE, "-v", f"{TINI_FILE}:/tini:ro", "--entrypoint", "/tini",
                    FULL, "--", "/bin/sleep", "1000")
        begun = time.time()
        self.engine("stop", NODE)
        self.rows["stop"].add(FLOOR, time.time() - begun)
        self.engine("rm", NODE)

    def _updates(self):
        """Peers that appear and move, as the one that stays sees them."""
        address = self.engine.inspect(PEER, "{{.NetworkSettings.IPAddress}}")
        taken = set()
        with network_of(self.engine.room, BRIDGE_ADDRESS.partition("/")[0]) as network:
            for turn in range(self.rounds):
                if turn % 5 == 0:
                    self.say(f"peers: {turn}/{self.rounds}")
                with _new_peer(network, f"guest{turn}", taken) as guest:
                    self._update(guest, address, network.address)
                    time.sleep(GUEST_S)

    def _update(self, guest, address, own):
        key = as_hex(guest.public_key)
        # It is asked, being new, and an answer on its way would tell the old endpoint after the new one.
        guest.answers_hello = False
        for row, port in (("peer appears", 51820), ("peer moves", 51999)):
            guest.listen_port = port
            hello = guest.seal("HELLO", guest.announcement())
            begun = time.time()
            guest.send(hello, address)
            done, _ = self._peer.wait(
                lambda peers, port=port: peers.get(key, {}).get("endpoint") == f"{own}:{port}")
            self.rows[row].add(OURS, done - begun)
        guest.goodbye(address)
