# SPDX-License-Identifier: MIT
"""Machines with IPv4 only, IPv6 only, both, and both of which one does not work."""

import contextlib
import functools
import signal

import pytest

from lib.internet import Internet
from lib.lab import SECRET
from lib.peer import Peer
from lib.wait import eventually

ALONE = ("--no-lan-discovery", "--no-dht", "--no-stun")


class World:
    """Machines of an internet of both families."""

    def __init__(self, lab, cleanup):
        self.lab = lab
        self._cleanup = cleanup
        self.internet = self.keep(Internet())

    def keep(self, thing):
        self._cleanup.callback(thing.close)
        return thing

    def port(self, four=True, six=True):
        port = self.keep(self.internet.attach())
        if not four:
            port.ip(f"addr del {port.address}/16 dev eth0")
        if not six:
            port.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        return port

    def node(self, name, port, *peers, join=()):
        to = ["--peer", ",".join(peers)] if peers else []
        return self.lab.node(name, volume=self.lab.volume(name), port=port, join=[*ALONE, *to, *join])


@pytest.fixture
def world(lab):
    with contextlib.ExitStack() as cleanup:
        yield World(lab, cleanup)


def endpoint_of(node, other):
    """Where a node's WireGuard has another one."""
    return dict(node.wg("endpoints")).get(other.public_key)


def assert_tunnel(one, two, within=20):
    eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip), "a tunnel", within)


def test_two_machines_with_ipv6_only(world):
    ports = [world.port(four=False), world.port(four=False)]
    one = world.node("one", ports[0])
    two = world.node("two", ports[1], ports[0].address6)
    assert_tunnel(one, two)
    assert endpoint_of(two, one) == f"[{ports[0].address6}]:51820"


def test_a_machine_whose_kernel_has_no_ipv6(world):
    ports = [world.port(six=False), world.port()]
    one = world.node("one", ports[0])
    two = world.node("two", ports[1], ports[0].address)
    assert_tunnel(one, two)
    assert endpoint_of(one, two) == f"{ports[1].address}:51820"


@pytest.mark.parametrize("broken", ("ip6", "ip"))
def test_a_family_that_does_not_work_gives_way_to_the_other(world, broken):
    # Both know both addresses of each other, and WireGuard's packets of one family get lost.
    world.internet.run("nft", "add table bridge lossy; "
                       "add chain bridge lossy f { type filter hook forward priority 0; }; "
                       f"add rule bridge lossy f meta protocol {broken} udp dport 51820 drop")
    ports = [world.port(), world.port()]
    one = world.node("one", ports[0])
    both = ports[0].address, ports[0].address6
    two = world.node("two", ports[1], *both)
    assert_tunnel(one, two, 45)
    used = endpoint_of(two, one)
    assert used == (f"{ports[0].address}:51820" if broken == "ip6" else f"[{ports[0].address6}]:51820")
    # It stays so while packets flow, whatever is announced.
    two.run("ping", "-n", "-q", "-i0.5", "-w8", one.mesh_ip)
    assert endpoint_of(two, one) == used


def test_an_address_without_a_way_is_not_even_tried(world):
    port = world.port(six=False)
    peer = world.keep(Peer(world.port(), SECRET, "dual"))
    node = world.node("node", port, peer.port.address)
    peer.wait_for("HELLO", within=10)
    peer.hello(port.address, wg_endpoint=f"[{peer.port.address6}]:51820")
    eventually(lambda: endpoint_of(node, peer) == f"{peer.port.address}:51820", "its IPv4 address", 10)


def test_what_others_see_of_a_peer_is_used_when_nothing_else_works(world):
    # A peer behind a NAT that gives its WireGuard another port than it knows of; the introducer sees that port.
    peer = world.keep(Peer(world.port(), SECRET, "inner"))
    middle = world.keep(Peer(world.port(), SECRET, "middle"))
    node = world.node("node", world.port(), peer.port.address, middle.port.address)
    eventually(lambda: endpoint_of(node, peer) == f"{peer.port.address}:51820", "what the peer says", 10)
    known = {name: peer.announcement()[name] for name in ("wg_pubkey", "mesh_ip", "mesh_ipv6")}
    known["wg_endpoint"] = f"{peer.port.address}:40000"
    middle.hello(node.port.address, known_peers=[known])
    eventually(lambda: endpoint_of(node, peer) == known["wg_endpoint"], "what the introducer sees", 40)


def test_further_endpoints_of_a_peer_are_tried(world):
    peer = world.keep(Peer(world.port(), SECRET, "peer"))
    node = world.node("node", world.port(), peer.port.address)
    peer.wait_for("HELLO", within=10)
    others = [f"[{peer.port.address6}]:51820", "203.0.9.9:51820"]
    # No more than four are taken, and what is none of a use does not count.
    bad = ["0.0.0.0:51820", "127.0.0.1:51820", "224.0.0.1:1", "name.example:51820", "nonsense", 7, None,
           f"{node.mesh_ip}:51820", "[fe80::1]:51820"]
    used = set()

    def has_used():
        used.add(endpoint_of(node, peer))
        return used >= {*others, f"{peer.port.address}:51820"}
    peer.announcement = functools.partial(peer.announcement, endpoints=others + bad)
    peer.hello(node.port.address)
    eventually(has_used, "all of them", 60)
    assert used - {None} == {*others, f"{peer.port.address}:51820"}


def test_without_ipv6_an_adopted_interface_loses_its_address(world):
    node = world.node("node", world.port(), join=["--no-ipv6"])
    node.wait_for_event("interface_ready")
    # As a run without that option has left it.
    node.run("ip", "address", "add", f"{node.mesh_ip6}/64", "dev", "wg0", "nodad")
    node.mesh_process().signal(signal.SIGKILL)
    node.wait_for_log("adopt")
    eventually(lambda: node.mesh_ip6 not in node.run("ip", "address", "show", "dev", "wg0").stdout,
               "the address to go")
    assert node.mesh_ip in node.run("ip", "address", "show", "dev", "wg0").stdout
