# SPDX-License-Identifier: MIT
"""A node among many: what it writes to WireGuard, and how much memory it takes.

The members are in one process (lib.crowd), without WireGuard: no tunnel comes about, and the node goes
on trying. What it writes is seen by a proxy in front of wireguard-go, or counted by its own metric.
"""

import base64
import hashlib
import json
import pathlib
import re

import pytest

from lib import http
from lib.container import Mount
from lib.crowd import Crowd, Requests
from lib.lab import CHECKOUT
from lib.wait import eventually

MANY = 1000
MIB = 1 << 20
MEMORY_MAX = 12 * MIB
ALONE = ("--no-dht", "--no-stun")
PROXY = CHECKOUT / "build" / "release" / "wgproxy"
INSIDE = "/usr/local/bin/wgproxy"


def watched(lab, name, **options):
    """A node whose userspace WireGuard is watched."""
    join = (*ALONE, "--wireguard-go", INSIDE)
    return lab.node(name, volume=lab.volume(name), join=join, mounts=[Mount.bind(PROXY, INSIDE, read_only=True)],
                    **options)


def key_of(member):
    """As wireguard-go has it; tests/helper/crowd.c makes keys so."""
    return hashlib.sha256(f"member {member}".encode()).digest()


def peers_of(node):
    return {key for key, in node.wg("peers")}


def gather(node, crowd):
    """Have all members configured; those whom a full socket kept out are heard the next time."""
    def all_there():
        there = peers_of(node)
        missing = [i for i in range(crowd.n) if base64.b64encode(key_of(i)).decode() not in there]
        for member in missing[:200]:
            crowd.hello(member, member + 1)
        return not missing
    eventually(all_there, f"{crowd.n} peers", 90)


def come_back(lab, node, crowd):
    """The node, started again with all members in its cache."""
    gather(node, crowd)
    assert node.stop(20) == 0
    return watched(lab, "one", port=node.port)


def messages(node):
    """wgmesh_netlink_messages_total by kind."""
    text = http.ask(node.port, "/metrics").body
    return {kind: int(n) for kind, n in
            re.findall(r'^wgmesh_netlink_messages_total\{kind="(\w+)"\} (\d+)$', text, re.MULTILINE)}


def memory(node):
    """Resident bytes of all our processes together, what they share counted in each."""
    total = 0
    for process in [node.init, *node.daemons()]:
        status = process.read("status").decode()
        total += int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024
    return total


def test_a_peer_that_changes_is_one_write_of_one_peer(lab):
    node = watched(lab, "one")
    node.wait_until_up()
    with Crowd(lab, node, 30) as crowd:
        gather(node, crowd)
        for member in (3, 17):
            sent_us, _ = crowd.move(member, 40000 + member)
            mine, = eventually(lambda m=member, t=sent_us: [entry for entry in Requests(node).sets(t)
                                                            if entry[4] == key_of(m).hex()], "the write")
            assert mine[2:4] == (0, 1)


def test_a_thousand_peers_of_the_last_run_are_a_handful_of_requests(lab):
    node = watched(lab, "one")
    node.wait_until_up()
    with Crowd(lab, node, MANY) as crowd:
        again = come_back(lab, node, crowd)
        eventually(lambda: len(peers_of(again)) == MANY, "all peers of the cache", 30)
        sizes = [entry[3] for entry in Requests(again).sets()]
        first = sizes[:next(i for i in range(len(sizes) + 1) if sum(sizes[:i]) >= MANY)]
        # One message between the processes has room for nearly a thousand, with two addresses each.
        assert len(first) <= 3, sizes


def test_a_thousand_peers_whose_times_come_one_after_another_share_a_few_looks(lab):
    """When a peer may have to be introduced, or be tried elsewhere, WireGuard tells first how all are."""
    def looks():
        times = [entry[0] for entry in Requests(again) if entry[1] == "get"]
        return [(when - times[0]) / 1e6 for when in times]
    node = watched(lab, "one")
    node.wait_until_up()
    with Crowd(lab, node, MANY) as crowd:
        again = come_back(lab, node, crowd)
        eventually(lambda: looks() and looks()[-1] > 5, "the first addresses' turn to be over", 30)
        times = looks()
        # Two a second, and those of the start.
        assert len(times) <= 2 * times[-1] + 8, times


def test_a_thousand_peers_fit_into_twelve_mebibytes(lab):
    node = watched(lab, "one")
    node.wait_until_up()
    with Crowd(lab, node, MANY) as crowd:
        gather(node, crowd)
        # All of them are told of, and written to the cache.
        health = json.loads(http.ask(node.port, "/health").body)
        assert len(health["peers_detail"]) == MANY
        cache = pathlib.Path(node.root("/var/lib/wgmesh/wg0-peers.json"))
        eventually(lambda: cache.exists() and cache.read_text().count("wg_pubkey") == MANY, "the cache", 20)
        eventually(lambda: memory(node) < MEMORY_MAX, f"{memory(node)} bytes to become fewer than {MEMORY_MAX}", 10)


@pytest.mark.kernel
def test_where_nothing_differs_nothing_is_written(lab):
    one, two = (lab.node(name, volume=lab.volume(name), join=ALONE) for name in ("one", "two"))
    eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip), "the tunnel", 20)
    keepalives = lambda: [seconds for _, seconds in one.wg("persistent-keepalive")]
    eventually(lambda: keepalives() == ["25"], "the last change of the peer", 20)
    before = messages(one)
    for _ in range(3):
        dumps = messages(one)["dump"]
        eventually(lambda n=dumps: messages(one)["dump"] > n, "another look at WireGuard", 10)
    after = messages(one)
    assert after["dump"] >= before["dump"] + 3
    assert {kind: n for kind, n in after.items() if kind != "dump"} == \
        {kind: n for kind, n in before.items() if kind != "dump"}


@pytest.mark.kernel
def test_a_hundred_peers_at_once_are_a_handful_of_messages(lab):
    node = lab.node("one", volume=lab.volume("one"), join=ALONE)
    node.wait_until_up()
    with Crowd(lab, node, 100) as crowd:
        gather(node, crowd)
        assert node.stop(20) == 0
    # Nobody answers any more, and has this changed or that: what is written is what the cache says.
    again = lab.node("one", volume=lab.volume("one"), join=ALONE, port=node.port)
    eventually(lambda: len(peers_of(again)) == 100, "all peers of the cache", 30)
    assert messages(again)["peer"] < 20


@pytest.mark.kernel
def test_a_thousand_peers_come_go_and_come_back(lab):
    """What is written is not counted here: an emulated kernel has no time for more than its handshakes."""
    # It takes tens of milliseconds to drop a peer, and a stop has to wait for that.
    node = lab.node("one", volume=lab.volume("one"), join=ALONE, init=["--stop-timeout=120s"])
    node.wait_until_up()
    with Crowd(lab, node, MANY) as crowd:
        gather(node, crowd)
        assert node.stop(30) == 0
        assert not node.has_interface()
        again = lab.node("one", volume=lab.volume("one"), join=ALONE, init=["--stop-timeout=120s"], port=node.port)
        eventually(lambda: len(peers_of(again)) == MANY, "all peers of the cache", 30)
