# SPDX-License-Identifier: MIT
"""Nodes behind NATs of all kinds: they punch where that can be done, and are relayed where not."""

import pytest

from lib.natlab import WG_PORT, NatLab, changes, endpoint, path, via
from lib.ping import Ping
from lib.wait import eventually

MEET_S = 60  # a minute on a busy machine; three to fifteen seconds on an idle one


@pytest.fixture
def lab(variant, request):
    with NatLab(variant) as net:
        request.node.lab = net
        yield net
        assert net.leaks() == []


def both(alice, bob):
    return ((alice, bob), (bob, alice))


def all_paths(alice, bob, want):
    """Do both ends say that they reach each other so?"""
    return all(path(one, other) == want for one, other in both(alice, bob))


def pair(lab, kinds, **options):
    routers = [lab.router(kind) for kind in kinds]
    return routers, [lab.behind(router, name, **options)
                     for router, name in zip(routers, ("alice", "bob"))]


def wait_for(alice, bob, want):
    eventually(lambda: all_paths(alice, bob, want), f"both ends to be {want}", MEET_S)
    eventually(lambda: alice.pings(bob.mesh_ip) and bob.pings(alice.mesh_ip), "pings", 10)


# Where a hole can be punched

def test_two_cones_punch_and_need_nobody_afterwards(lab):
    intro = lab.introducer()
    routers, (alice, bob) = pair(lab, ("cone", "cone"))
    wait_for(alice, bob, "direct")
    assert endpoint(alice, bob) == f"{routers[1].wan}:{WG_PORT}"
    assert endpoint(bob, alice) == f"{routers[0].wan}:{WG_PORT}"
    stream = Ping(alice, bob.mesh_ip)
    intro.kill()
    assert stream.lost(further=200, within=30) == []
    assert changes(alice) == changes(bob) == []


def test_a_port_that_the_nat_has_altered_is_found(lab):
    lab.introducer()
    routers, (alice, bob) = pair(lab, ("cone", "altered"))
    wait_for(alice, bob, "direct")
    assert endpoint(alice, bob) == f"{routers[1].wan}:41820"


def test_two_nats_in_a_row_are_punched_too(lab):
    lab.introducer()
    outer = lab.router("cone")
    inner = lab.router("altered", outside=outer.inside)
    inner.ip(f"route add default via {outer.lan}")
    alice = lab.behind(inner, "alice")
    bob = lab.behind(lab.router("cone"), "bob")
    wait_for(alice, bob, "direct")
    assert endpoint(bob, alice) == f"{outer.wan}:41820"


# Where not

def test_two_symmetric_nats_are_relayed(lab):
    lab.introducer()
    _, (alice, bob) = pair(lab, ("symmetric", "symmetric"))
    wait_for(alice, bob, "relayed")
    assert via(alice, bob) == via(bob, alice) == "intro"


def test_a_port_restricted_cone_and_a_symmetric_nat_are_relayed(lab):
    """The one's hole is for a port that the other one's next packet does not come from."""
    lab.introducer()
    _, (alice, bob) = pair(lab, ("cone", "symmetric"))
    wait_for(alice, bob, "relayed")


def test_two_nodes_behind_one_nat_that_does_not_lead_back_are_relayed(lab):
    """They know each other by an address outside that their router does not take from inside."""
    lab.introducer()
    home = lab.router("cone")
    rooms = [lab.router("cone", outside=home.inside) for _ in range(2)]
    for room in rooms:
        room.ip(f"route add default via {home.lan}")
    alice, bob = (lab.behind(room, name) for room, name in zip(rooms, ("alice", "bob")))
    wait_for(alice, bob, "relayed")


def test_force_relay_relays_what_could_be_direct(lab):
    lab.introducer()
    _, (alice, bob) = pair(lab, ("cone", "cone"), join=["--force-relay"])
    wait_for(alice, bob, "relayed")


# Changes

def test_both_ends_take_the_same_relay_and_the_other_one_when_it_dies(lab):
    intros = {name: lab.introducer(name) for name in ("one", "two")}
    _, (alice, bob) = pair(lab, ("symmetric", "symmetric"))
    wait_for(alice, bob, "relayed")
    first = eventually(lambda: via(alice, bob) == via(bob, alice) and via(alice, bob),
                       "both to take the same relay", 70)
    second = next(name for name in intros if name != first)
    intros[first].kill()
    eventually(lambda: via(alice, bob) == via(bob, alice) == second, "the other relay", MEET_S)
    eventually(lambda: alice.pings(bob.mesh_ip), "a ping through it", 10)


def test_a_relay_that_stops_hands_over_at_once(lab):
    intros = {name: lab.introducer(name) for name in ("one", "two")}
    _, (alice, bob) = pair(lab, ("symmetric", "symmetric"))
    wait_for(alice, bob, "relayed")
    first = eventually(lambda: via(alice, bob) == via(bob, alice) and via(alice, bob),
                       "both to take the same relay", 70)
    stream = Ping(alice, bob.mesh_ip, 0.05)
    intros[first].stop()
    lost = stream.lost(further=100, within=60)
    assert len(lost) <= 20, f"{len(lost)} pings were lost"  # a second


def test_the_direct_way_is_taken_when_it_opens_and_no_packet_knows(lab):
    lab.introducer()
    routers, (alice, bob) = pair(lab, ("cone", "cone"))
    routers[0].block(routers[1].wan)
    wait_for(alice, bob, "relayed")
    stream = Ping(alice, bob.mesh_ip)
    routers[0].unblock(routers[1].wan)
    eventually(lambda: all_paths(alice, bob, "direct"), "both to go back", 150)
    lost = stream.lost(further=100, within=30)
    assert len(lost) <= 5, f"{len(lost)} pings were lost"  # a tenth of a second
    for node in (alice, bob):
        assert [event["event"] for event in changes(node)] == ["peer_relayed", "peer_direct"]


def test_a_relayed_pair_stays_so(lab):
    lab.introducer("one")
    lab.introducer("two")
    _, (alice, bob) = pair(lab, ("symmetric", "cone"))
    wait_for(alice, bob, "relayed")
    stream = Ping(alice, bob.mesh_ip)
    before = [len(changes(node)) for node in (alice, bob)]
    # Long enough for two further introductions that come to nothing.
    assert stream.lost(further=2000, within=90) == []
    assert [len(changes(node)) for node in (alice, bob)] == before
