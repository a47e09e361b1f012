# SPDX-License-Identifier: MIT
"""The figures of a node with many peers, measured one after another on one node."""

import base64
import dataclasses
import hashlib
import json
import os
import time

from lib import http
from lib.container import Mount
from lib.crowd import Crowd, Requests
from lib.lab import CHECKOUT, Lab
from lib.wait import eventually

PROXY = CHECKOUT / "build" / "release" / "wgproxy"
INSIDE = "/usr/local/bin/wgproxy"
ALONE = ("--no-dht", "--no-stun")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
BETWEEN_MOVES_S = 0.03
REST_S = 1  # of one address, ten datagrams a second are heard: nobody comes back twice a second
ALIVE = "/run/wireguard/wg0.alive"
SETTLE_S = 120  # by then every peer's turn has come to be looked at


@dataclasses.dataclass
class Figure:
    name: str
    how: str
    goal: str = ""


FIGURES = (
    Figure("requests to WireGuard", "a node starts with all of them in its cache: how many requests wireguard-go was "
           "sent until it had them all", "a handful"),
    Figure("all configured (ms)", "the same: from wireguard-go's answer before the first of these requests to its answer to "
           "the last"),
    Figure("`wg set` for each (ms)", "the same peers, written to another wireguard-go by a shell script with one "
           "`wg set` each, as existing nodes write them: a program started for each"),
    Figure("`wg addconf` (ms)", "the same peers in one file, written by one `wg addconf`: one program started"),
    Figure("against `wg set`", "the time above by that of `wg set` for each"),
    Figure("against `wg addconf`", "the time above by that of `wg addconf`"),
    Figure("memory (KiB)", "resident memory of PID 1, netadmin and the mesh process, summed, what they share counted "
           "in each; all peers are known, configured, in the cache, and were asked for by /health", "12288"),
    Figure("processor time, idle (ms/s)", "of the three processes together, while nothing happens but what the node "
           "does by itself; the proxy says of all tunnels that they live"),
    Figure("wake-ups, idle (1/s)", "voluntary context switches of the three together, meanwhile"),
    Figure("wake-ups, no tunnels (1/s)", "the same before, while not one tunnel lives, and the node goes on trying"),
    Figure("datagram to configured (ms), p50 / p99", "from the moment at which a peer sends a HELLO that tells another "
           "endpoint until wireguard-go has answered that it has it; one peer at a time", "- / 5"),
    Figure("envelopes opened (1/s)", "HELLOs from all peers in turn, as fast as one process sends them: how many were "
           "opened, believed and answered each second; ten a second from each address are let in"),
    Figure("envelopes per second of processor time", "the same, by what the mesh process took for it"),
)
ONCE = (
    Figure("join", "from the start of a container until WireGuard has completed a handshake with a node that was "
           "there before, on the same LAN; ms, p50 / p99"),
    Figure("return", "the same for a node that was there before and has its cache, with LAN discovery, DHT and STUN "
           "turned off: from the start of its container; ms, p50 / p99", "well under 1000"),
)


def key_of(member):
    return hashlib.sha256(f"member {member}".encode()).digest()


def start(lab, name, port=None, *options, watched=True):
    mounts = [Mount.bind(PROXY, INSIDE, read_only=True)] if watched else []
    extra = ("--wireguard-go", INSIDE) if watched else ()
    return lab.node(name, volume=lab.volume(name), join=(*ALONE, *extra, *options), mounts=mounts, port=port)


def gather(node, crowd):
    def all_there():
        there = {key for key, in node.wg("peers")}
        missing = [i for i in range(crowd.n) if base64.b64encode(key_of(i)).decode() not in there]
        for member in missing[:200]:
            crowd.hello(member, member + 1)
        return not missing
    eventually(all_there, f"{crowd.n} peers", 60)


# --- one figure after another


def restart(lab, node, n):
    """The node starts again with all peers in its cache; returns it, and requests with their time."""
    assert node.stop(20) == 0
    again = start(lab, "node", port=node.port)
    eventually(lambda: len(again.wg("peers")) == n, "all peers of the cache", 60)
    sets = Requests(again).sets()
    total, first = 0, []
    for entry in sets:
        first.append(entry)
        total += entry[3]
        if total >= n:
            break
    ready = max((e[0] for e in Requests(again) if e[0] < first[0][0]), default=first[0][0])
    return again, len(first), (first[-1][0] - ready) / 1e3


def plain_writes(lab, n):
    """Milliseconds that `wg set` for each peer, and `wg addconf` for all, take on another wireguard-go."""
    took = []
    for form in ("set", "addconf"):
        box = lab.container("plain", ["sh", "-c", "mkdir -p /run/wireguard; exec wireguard-go -f wg0"])
        eventually(lambda b=box: b.run("wg", "show", "wg0", check=False).returncode == 0, "wireguard-go", 10)
        keys = [base64.b64encode(key_of(i)).decode() for i in range(n)]
        peers = [(key, f"10.92.{(i + 1) >> 8}.{(i + 1) & 255}:51820", f"10.12.{i >> 8}.{i & 255}/32")
                 for i, key in enumerate(keys)]
        if form == "set":
            text = "".join(f"wg set wg0 peer {key} endpoint {at} persistent-keepalive 25 allowed-ips {ip}\n"
                           for key, at, ip in peers)
        else:
            conf = "".join(f"[Peer]\nPublicKey = {key}\nEndpoint = {at}\nPersistentKeepalive = 25\nAllowedIPs = {ip}\n"
                           for key, at, ip in peers)
            box.root("/tmp/peers.conf").write_text(conf)
            text = "wg addconf wg0 /tmp/peers.conf\n"
        box.root("/tmp/write.sh").write_text(text)
        begun = time.monotonic()
        box.run("sh", "/tmp/write.sh")
        took.append((time.monotonic() - begun) * 1e3)
        box.destroy()
    return took


def processes(node):
    return [node.init, *node.daemons()]


def status(process):
    return dict(line.split(":\t", 1) for line in process.read("status").decode().splitlines() if ":\t" in line)


def cpu_s(process):
    return sum(map(int, process.read("stat").decode().rpartition(")")[2].split()[11:13])) * TICK_S


def memory_kib(node):
    return sum(int(status(process)["VmRSS"].split()[0]) for process in processes(node))


def idle(node, seconds):
    """Processor milliseconds and wake-ups a second of all three."""
    def now():
        all_of_them = processes(node)
        return (sum(map(cpu_s, all_of_them)),
                sum(int(status(process)["voluntary_ctxt_switches"]) for process in all_of_them))
    before = now()
    time.sleep(seconds)
    after = now()
    return (after[0] - before[0]) * 1e3 / seconds, (after[1] - before[1]) / seconds


def moves(node, crowd, n):
    """Milliseconds from a HELLO to the answer of wireguard-go, of each of so many changes."""
    sent = {}
    for i in range(n):
        member = i % crowd.n
        sent[i] = (crowd.move(member, 20000 + i % 40000)[0], key_of(member).hex())
        # Of one address, ten datagrams a second are heard.
        time.sleep(max(BETWEEN_MOVES_S, 0.15 / crowd.n))
    time.sleep(1)
    requests = Requests(node).sets()
    took = []
    for when, key in sent.values():
        done = next((entry[0] for entry in requests if entry[0] > when and entry[4] == key), None)
        if done is not None:
            took.append((done - when) / 1e3)
    return took


def flood(node, crowd, seconds):
    """Envelopes opened a second, and by second of processor time."""
    def accepted():
        return json.loads(http.ask(node.port, "/stats").body)["counters"]["datagrams"]["accepted"]
    mesh = node.mesh_process()
    before, cpu = accepted(), cpu_s(mesh)
    crowd.flood(0, crowd.n, seconds)
    opened = accepted() - before
    return opened / seconds, opened / max(TICK_S, cpu_s(mesh) - cpu)


def measure(n, wanted, say):
    """All figures of a node with so many peers, by name."""
    say(f"{n} peers")
    with Lab() as lab:
        node = start(lab, "node")
        node.wait_until_up()
        with Crowd(lab, node, n) as crowd:
            gather(node, crowd)
            cache = node.root("/var/lib/wgmesh/wg0-peers.json")
            eventually(lambda: cache.exists() and cache.read_text().count("wg_pubkey") == n, "the cache", 30)
            node, requests, configured_ms = restart(lab, node, n)
            by_set, by_addconf = plain_writes(lab, n)
            say(f"{n} peers: moves")
            took = moves(node, crowd, wanted.moves)
            http.ask(node.port, "/health")
            say(f"{n} peers: idle")
            _, lonely = idle(node, wanted.idle)
            node.root(ALIVE).touch()
            http.ask(node.port, "/health")
            time.sleep(SETTLE_S)
            idle_ms, wakeups = idle(node, wanted.idle)
            kib = memory_kib(node)
            opened, by_cpu = flood(node, crowd, wanted.flood)
    values = (requests, configured_ms, by_set, by_addconf, configured_ms / by_set, configured_ms / by_addconf,
              kib, idle_ms, wakeups, lonely, took, opened, by_cpu)
    return {figure.name: value for figure, value in zip(FIGURES, values)}


def until_handshake(lab, name, port, *options):
    """Starts a node, and returns it and the milliseconds until its first handshake."""
    begun = time.monotonic()
    node = start(lab, name, port, *options, watched=False)
    eventually(lambda: any(node.handshakes().values()), "a handshake", 20)
    return node, (time.monotonic() - begun) * 1e3


def joins(n, say):
    """Milliseconds from the start of a container to its first handshake, of each of so many."""
    say("joins")
    took = []
    with Lab() as lab:
        start(lab, "there", watched=False).wait_until_up()
        for i in range(n):
            node, ms = until_handshake(lab, f"joins-{i}", lab.port())
            took.append(ms)
            node.stop(20)
            node.destroy()
    return took


def returns(n, say):
    """The same, of a node that has nothing but its cache."""
    say("returns")
    took = []
    with Lab() as lab:
        start(lab, "there", watched=False).wait_until_up()
        port = lab.port()
        node, _ = until_handshake(lab, "returns", port)
        cache = node.root("/var/lib/wgmesh/wg0-peers.json")
        eventually(cache.exists, "the cache", 60)
        for _ in range(n):
            node.stop(20)
            time.sleep(REST_S)
            node, ms = until_handshake(lab, "returns", port, "--no-lan")
            took.append(ms)
    return took
