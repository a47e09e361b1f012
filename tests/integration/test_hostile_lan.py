# SPDX-License-Identifier: MIT
"""A host on the LAN without the secret repeats, alters and floods; the mesh stands."""

import os
import random

import pytest

from lib.intruder import Intruder, Tap, relabelled
from lib.lab import SECRET
from lib.peer import Mesh
from lib.ping import Ping
from lib.wait import eventually

ROUNDS = 40  # repetitions of what was captured
FLOOD = 30000  # datagrams
GROWTH_KB = 4096  # what a flood may make a process grow by


def mesh_process_kb(node):
    """Resident memory of the process that talks to the network."""
    return int(node.mesh_process().status["VmRSS"].split()[0])


def endpoint_of(node, peer):
    """Where a node's WireGuard sends to reach a peer."""
    return dict(node.wg("endpoints"))[peer.public_key]


def at_home(node, peer):
    return endpoint_of(node, peer).startswith((f"{peer.port.address}:", f"[{peer.port.address6}]:"))


@pytest.fixture
def scene(lab):
    """Two nodes with a tunnel, an intruder, and what passes the cable of the first one."""
    with Tap(lab.switch, port := lab.port()) as tap, Intruder(lab.port(), Mesh(SECRET)) as intruder:
        one = lab.node("one", volume=lab.volume("one"), port=port)
        two = lab.node("two", volume=lab.volume("two"))
        eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip), "the tunnel")
        yield one, two, tap, intruder


def captured(tap, *kinds):
    """What the intruder got hold of, once there is something of each kind."""
    eventually(lambda: all(tap.of_kind(kind) for kind in kinds), f"{', '.join(kinds)} to capture", 10)
    return [datagram for kind in kinds for datagram in tap.of_kind(kind)]


def test_what_was_captured_moves_no_tunnel_when_it_is_sent_from_elsewhere(scene):
    one, two, tap, intruder = scene
    datagrams = captured(tap, "ANNOUNCE", "HELLO", "REPLY")
    pings = Ping(two, one.mesh_ip)
    for _ in range(ROUNDS):
        for datagram in datagrams:
            intruder.send_lan(datagram)
            for node in (one, two):
                intruder.send(datagram, node.port.address)
    assert pings.lost() == []
    assert at_home(one, two) and at_home(two, one)


def test_a_captured_announcement_makes_no_goodbye(scene):
    one, two, tap, intruder = scene
    datagrams = [relabelled(datagram, "GOODBYE")
                 for datagram in captured(tap, "ANNOUNCE", "HELLO", "REPLY")]
    pings = Ping(two, one.mesh_ip)
    for datagram in datagrams:
        intruder.send_lan(datagram)
        for node, other in ((one, two), (two, one)):
            intruder.send(datagram, node.port.address)
            intruder.send_as(other.port.address, datagram, node.port.address)
    assert pings.lost() == []
    for node, other in ((one, two), (two, one)):
        assert other.public_key in node.handshakes()
        assert not node.find_log("peer said goodbye")


def test_a_captured_goodbye_does_not_send_a_node_away_that_came_back(lab, scene):
    one, two, tap, intruder = scene
    two.stop()
    (goodbye,) = eventually(lambda: tap.of_kind("GOODBYE")[:1], "the goodbye")
    one.wait_for_log("peer said goodbye")
    again = lab.node("two again", volume=lab.volume("two"), port=two.port)
    eventually(lambda: one.pings(again.mesh_ip), "the tunnel after the restart")
    pings = Ping(one, again.mesh_ip)
    for _ in range(ROUNDS):
        intruder.send(goodbye, one.port.address)
        intruder.send_lan(goodbye)
    assert pings.lost() == []


def test_a_flood_of_noise_costs_no_ping_no_memory_and_no_newcomer(lab, scene):
    one, two, tap, intruder = scene
    (datagram,) = captured(tap, "ANNOUNCE")[:1]
    noise = [os.urandom(1200), b"{" * 1400, datagram[:-9] + b'AAAAAAA"}', b"", datagram * 3]
    process, before = one.mesh_process(), mesh_process_kb(one)
    pings = Ping(two, one.mesh_ip)
    for number in range(FLOOD):
        intruder.send(noise[number % len(noise)], one.port.address)
        if number % 10 == 0:
            intruder.send_lan(noise[number // 10 % len(noise)])
    three = lab.node("three", volume=lab.volume("three"))
    eventually(lambda: three.pings(one.mesh_ip), "a newcomer's tunnel", 15)
    assert pings.lost() == []
    assert mesh_process_kb(one) < before + GROWTH_KB
    assert process.is_alive()


def test_a_flood_in_the_name_of_many_hosts_ends_without_a_trace(lab, scene):
    one, two, tap, intruder = scene
    (datagram,) = captured(tap, "HELLO")[:1]
    chooser = random.Random(7)
    before = mesh_process_kb(one)
    pings = Ping(two, one.mesh_ip)
    for _ in range(FLOOD // 3):
        source = f"10.91.{chooser.randrange(100, 250)}.{chooser.randrange(1, 255)}"
        intruder.send_as(source, datagram, one.port.address)
    assert pings.lost() == []
    assert mesh_process_kb(one) < before + GROWTH_KB
    assert at_home(one, two)
    three = lab.node("three", volume=lab.volume("three"))
    eventually(lambda: three.pings(one.mesh_ip), "a newcomer's tunnel", 15)
