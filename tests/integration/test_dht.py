# SPDX-License-Identifier: MIT
"""Nodes that only the DHT can bring together: through libtorrent's nodes, through our own, and past liars."""

import hashlib
import json
import time

import pytest

from lib.krpc import Liars, Sniffer, decode
from lib.lab import SECRET
from lib.node import STATE_DIR
from lib.peer import Mesh
from lib.swarm import Swarm
from lib.wait import eventually

MESH = Mesh(SECRET)
GOSSIP_PORT = MESH.gossip_port
DHT_PORT = GOSSIP_PORT + 1
RECORD_LEN = 38
PATIENCE_S = 90


def dht_node(lab, name, *bootstrap, join=(), **options):
    """A node that knows no way to find others but the DHT."""
    join = ["--no-lan-discovery", "--no-stun", "--dht-bootstrap", ",".join(bootstrap), *join]
    env = {"WGMESH_NO_DHT": "0", **options.pop("env", {})}
    options.setdefault("volume", lab.volume(name))
    return lab.node(name, join=join, env=env, **options)


def both_ways(one, two):
    return one.pings(two.mesh_ip) and two.pings(one.mesh_ip)


def layer(node):
    """The DHT's line in the status."""
    result = node.run("wgmesh", "status", "--json", check=False)
    layers = json.loads(result.stdout)["layers"] if result.returncode == 0 else []
    return next((one for one in layers if one["name"] == "dht"), None)


def nodes_file(volume):
    """That of a DHT of one's own."""
    return volume / f"wg0-{MESH.network_id[8:16].hex()}-dht.nodes"


def hourly_ids(now):
    """Those of this hour and of the one before and after, in case it is just over."""
    return {hashlib.sha256(MESH.secret + b"||" + str(int(now) // 3600 + d).encode()).digest()[:20]
            for d in (-1, 0, 1)}


@pytest.fixture
def swarm(lab):
    with Swarm(lab.port()) as twenty:
        yield twenty


def test_two_nodes_meet_through_twenty_nodes_of_another_implementation(lab, swarm):
    one = dht_node(lab, "one", swarm.address(1))
    with Sniffer(one.port) as sniffer:
        two = dht_node(lab, "two", swarm.address(12))
        eventually(lambda: both_ways(one, two), "pings through the tunnel", PATIENCE_S)
        sent = [(to, decode(data)) for origin, to, data in sniffer.take() if origin[0] == one.port.address]
    queries = [query for _, query in sent if isinstance(query, dict) and query.get(b"y") == b"q"]
    asked = {query[b"a"][b"info_hash"] for query in queries if b"info_hash" in query.get(b"a", {})}
    assert asked and asked <= hourly_ids(time.time())
    # What would be the same for ever is not said to anybody, nor who this is.
    assert all(MESH.network_id not in str(query).encode("latin-1") for query in queries)
    assert MESH.network_id not in {query[b"a"].get(b"target") for query in queries}
    assert all(b"v" not in query for query in queries)
    announced = [query[b"a"] for query in queries if query[b"q"] == b"announce_peer"]
    assert announced
    assert all(a[b"port"] == GOSSIP_PORT and a[b"implied_port"] == 0 for a in announced)
    assert layer(one)["on"]


def test_nodes_of_ours_alone_are_a_dht(lab):
    ports = [lab.port() for _ in range(3)]
    entry = f"{ports[0].address}:{DHT_PORT}"
    first = dht_node(lab, "first", f"{ports[1].address}:{DHT_PORT}", port=ports[0])
    others = [dht_node(lab, name, entry, port=port) for name, port in zip(("one", "two"), ports[1:])]
    eventually(lambda: both_ways(*others) and both_ways(first, others[0]), "pings through the tunnels",
               PATIENCE_S)


def test_a_node_that_restarts_needs_nobody_to_begin_with(lab, swarm):
    volume = lab.volume("one")
    one = dht_node(lab, "one", swarm.address(1), volume=volume)
    eventually(lambda: layer(one) and "announced to" in layer(one)["text"]
               and "announced to 0" not in layer(one)["text"], "its announcement", PATIENCE_S)
    one.stop()
    saved = nodes_file(volume).read_bytes()
    assert len(saved) >= 8 * RECORD_LEN and len(saved) % RECORD_LEN == 0
    assert b"\xff\xff\x0a\x5b\xc8" in saved[20:38]  # ::ffff:10.91.200.x
    # Part of a record, as a full disk leaves one, and garbage: the rest is used.
    nodes_file(volume).write_bytes(bytes(RECORD_LEN) + saved + b"half a record")
    two = dht_node(lab, "two", swarm.address(5))
    again = dht_node(lab, "again", "10.91.250.1:1", volume=volume, port=one.port)
    eventually(lambda: both_ways(again, two), "pings through the tunnel", PATIENCE_S)
    assert [e["level"] for e in again.log.events() if e["event"] == "dht_nodes_damaged"] == ["warn"]


def test_two_nodes_meet_although_half_of_the_dht_lies(lab):
    victim = lab.port()
    with Swarm(lab.port(), count=12) as honest, Sniffer(victim) as at_victim, \
            Liars(lab.port(), "10.91.201", 12, victim.address) as liars:
        entries = [honest.address(3), *(f"{address}:{liars.PORT}" for address in liars.addresses)]
        one = dht_node(lab, "one", *entries)
        two = dht_node(lab, "two", *reversed(entries))
        with Sniffer(one.port) as sniffer:
            began = time.monotonic()
            eventually(lambda: both_ways(one, two), "pings through the tunnel", 2 * PATIENCE_S)
            liars.introduce((one.port.address, DHT_PORT), (two.port.address, DHT_PORT))
            eventually(lambda: liars.asked > 100 and time.monotonic() - began > 20, "the liars' turn", 120)
            took = time.monotonic() - began
            sent = sum(origin == (one.port.address, DHT_PORT) for origin, _, _ in sniffer.take())
        assert sent < 60 * took + 100
        hits = [to for origin, to, _ in at_victim.take() if to[0] == victim.address]
        assert len({to[1] for to in hits}) <= 2 * 3  # three ports a node
        assert len(hits) < 300
        assert both_ways(one, two)
        assert int(one.mesh_process().status["VmRSS"].split()[0]) < 16 << 10


def test_without_a_network_it_is_said_once_and_tried_seldom(lab):
    node = dht_node(lab, "one", "router.invalid", "10.91.250.1:6881")
    with Sniffer(node.port) as sniffer:
        node.wait_for_event("dht_alone", 90)
        sent = sum(origin == (node.port.address, DHT_PORT) for origin, _, _ in sniffer.take())
    assert sent < 40
    assert layer(node)["on"] and "no node answers yet" in layer(node)["text"]
    assert len([e for e in node.log.events() if e["event"] == "dht_alone"]) == 1
    assert node.run("wgmesh", "status").returncode == 0


def test_a_node_without_the_dht_opens_no_port_for_it(lab):
    on = dht_node(lab, "on", "10.91.250.1:6881")
    off = lab.node("off", volume=lab.volume("off"), join=["--no-dht"])
    eventually(lambda: f":{DHT_PORT} " in on.run("ss", "-lun").stdout, "the DHT's port")
    eventually(lambda: layer(off), "the status of the other one")
    assert f":{DHT_PORT} " not in off.run("ss", "-lun").stdout
    assert layer(off) == {"name": "dht", "on": False, "text": "by --no-dht"}


def test_the_nodes_file_is_private_and_outlives_no_secret_of_ours(lab, swarm):
    volume = lab.volume("one")
    one = dht_node(lab, "one", swarm.address(1), volume=volume)
    eventually(lambda: layer(one) and layer(one)["text"][0] != "n", "nodes", PATIENCE_S)
    one.stop()
    assert nodes_file(volume).stat().st_mode & 0o777 == 0o600
    assert STATE_DIR and MESH.secret not in nodes_file(volume).read_bytes()
