# SPDX-License-Identifier: MIT
"""Ten minutes behind NATs: a way that was found stays, and no ping is lost.

Ten minutes outlast everything that happens at intervals: rekeying (two minutes), introductions of who is
relayed (twenty seconds, and then ever longer pauses), the moment at which two relays may be exchanged.
"""

import time

import pytest

from lib.natlab import NatLab, changes, path, via
from lib.ping import Ping
from lib.wait import eventually

MINUTES = 10
INTERVAL_S = 0.05


@pytest.fixture
def lab(variant, request):
    with NatLab(variant) as net:
        request.node.lab = net
        yield net


def test_ways_do_not_change_in_ten_minutes(lab):
    for name in ("one", "two"):
        lab.introducer(name)
    kinds = {"sara": "symmetric", "sam": "symmetric", "cora": "cone", "carl": "altered"}
    nodes = {name: lab.behind(lab.router(kind), name) for name, kind in kinds.items()}
    want = {("sara", "sam"): "relayed", ("sara", "cora"): "relayed", ("cora", "carl"): "direct",
            ("sam", "carl"): "relayed"}
    for (one, two), way in want.items():
        eventually(lambda: path(nodes[one], nodes[two]) == path(nodes[two], nodes[one]) == way,  # pylint: disable=cell-var-from-loop
                   f"{one} and {two} to be {way}", 180)
        eventually(lambda: nodes[one].pings(nodes[two].mesh_ip), f"{one} to reach {two}", 90)  # pylint: disable=cell-var-from-loop
    # Whoever met one of the relays later than the others has changed to it by now.
    time.sleep(70)
    before = {name: len(changes(node)) for name, node in nodes.items()}
    streams = {pair: Ping(nodes[pair[0]], nodes[pair[1]].mesh_ip, INTERVAL_S) for pair in want}
    time.sleep(60 * MINUTES)
    lost = {pair: len(stream.lost(within=30)) for pair, stream in streams.items()}
    moved = {name: len(changes(node)) - before[name] for name, node in nodes.items()}
    print(f"\nchanges of the way in {MINUTES} minutes: {moved}; pings lost of"
          f" {int(60 * MINUTES / INTERVAL_S)}: {lost}")
    assert not any(moved.values())
    assert all(count <= 2 for count in lost.values())


def test_without_punching_a_relay_is_all_there_is(lab):
    """Nobody introduces them, so they wait until the introducer has told each of the other one."""
    lab.introducer("intro")
    routers = [lab.router("cone") for _ in range(2)]
    alice, bob = (lab.behind(router, name, join=["--no-punching"])
                  for router, name in zip(routers, ("alice", "bob")))
    routers[0].block(routers[1].wan)
    eventually(lambda: alice.pings(bob.mesh_ip) and bob.pings(alice.mesh_ip), "pings", 240)
    assert via(alice, bob) == via(bob, alice) == "intro"
