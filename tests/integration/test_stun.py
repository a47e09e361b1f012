# SPDX-License-Identifier: MIT
"""What a node learns of its own place in the network: from STUN servers, from peers, from its kernel."""

import contextlib

import pytest

from lib import http, rpc, stun
from lib.internet import Home, Internet
from lib.lab import SECRET
from lib.peer import Peer
from lib.stun import StunServer
from lib.wait import eventually

LIAR = "203.0.66.66"
ALONE = ("--no-lan-discovery", "--no-dht")


class World:
    """An internet, and what is plugged into it."""

    def __init__(self, lab, cleanup):
        self.lab = lab
        self._cleanup = cleanup
        self.internet = self._keep(Internet())

    def _keep(self, thing):
        self._cleanup.callback(thing.close)
        return thing

    def server(self, behaviour=None):
        return self._keep(StunServer(self.port(), behaviour))

    def port(self, switch=None):
        return self._keep((switch or self.internet).attach())

    def home(self, number, is_random=False):
        return self._keep(Home(self.internet, number, is_random))

    def peer(self, hostname="peer", switch=None):
        return self._keep(Peer(self.port(switch), SECRET, hostname))

    def node(self, name, servers=(), join=(), switch=None, port=None):
        asked = ["--stun", ",".join(s.address for s in servers)] if servers else ["--no-stun"]
        return self.lab.node(name, volume=self.lab.volume(name), port=port or self.port(switch),
                             join=[*ALONE, *asked, *join])


@pytest.fixture
def world(lab):
    with contextlib.ExitStack() as cleanup:
        yield World(lab, cleanup)


def wait_for_status(node, *facts, within=15):
    """Wait until all of `facts`, functions of the status, hold; returns the status."""
    def found():
        status = rpc.ready(node)
        for fact in facts:
            assert fact(status), {name: status[name] for name in ("nat_type", "endpoints", "layers")}
        return status
    return eventually(found, f"the status of {node.name}", within)


def nat_is(kind):
    return lambda status: status["nat_type"] == kind


def is_at(*addresses):
    wanted = sorted(f"{address}:51820" for address in addresses)
    return lambda status: sorted(status["endpoints"]) == wanted


def layer(status):
    return next(entry for entry in status["layers"] if entry["name"] == "stun")


def counted(node, result):
    """How many questions to STUN servers had this result."""
    text = http.ask(node.port, "/metrics").body
    line = f'wgmesh_stun_requests_total{{result="{result}"}} '
    return next(int(float(l[len(line):])) for l in text.splitlines() if l.startswith(line))


# The kinds of NAT

def test_a_node_behind_a_cone_knows_its_outer_address(world):
    servers, home = [world.server(), world.server()], world.home(100)
    node = world.node("node", servers, switch=home)
    status = wait_for_status(node, nat_is("cone"), is_at(home.outside))
    assert home.outside in layer(status)["text"]


def test_a_node_behind_a_symmetric_nat_knows_that(world):
    servers, home = [world.server(), world.server()], world.home(100, is_random=True)
    node = world.node("node", servers, switch=home)
    wait_for_status(node, nat_is("symmetric"), is_at(home.outside))


def test_a_rented_server_is_behind_no_nat(world):
    servers = [world.server(), world.server()]
    node = world.node("node", servers, join=["--no-ipv6"])
    wait_for_status(node, nat_is("none"), is_at(node.port.address))


def test_each_peer_is_told_the_endpoint_of_the_family_it_is_reached_by(world):
    servers, peer = [world.server()], world.peer()
    node = world.node("node", servers)
    wait_for_status(node, is_at(node.port.address, f"[{node.port.address6}]"))
    four = peer.hello(node.port.address).body
    six = peer.hello(node.port.address6).body
    assert four["wg_endpoint"] == f"{node.port.address}:51820"
    assert six["wg_endpoint"] == f"[{node.port.address6}]:51820"
    for body in (four, six):
        assert sorted(body["endpoints"]) == sorted([four["wg_endpoint"], six["wg_endpoint"]])
        assert body["nat_type"] == "cone"


def test_peers_are_told_at_once_when_the_outer_address_is_known(world):
    server, home, peer = world.server(stun.silent), world.home(100), world.peer()
    node = world.node("node", [server], switch=home, join=["--peer", peer.port.address])
    first = peer.wait_for("HELLO", within=10)
    assert first.body["wg_endpoint"] == "0.0.0.0:51820" and first.body["nat_type"] == "unknown"
    mark = len(peer.heard)
    server.behaviour = stun.honest
    told = peer.wait_for("HELLO", since=mark, within=20,
                         where=lambda m: m.body["wg_endpoint"] == f"{home.outside}:51820")
    assert told.source == (home.outside, peer.mesh.gossip_port)


# Servers that are not as they should be

def test_one_liar_among_three_is_not_believed(world):
    servers, home = [world.server(stun.lying(LIAR)), world.server(), world.server()], world.home(100)
    node = world.node("node", servers, switch=home)
    wait_for_status(node, nat_is("cone"), is_at(home.outside))


def test_two_servers_that_contradict_each_other_move_nothing(world):
    servers, home = [world.server(stun.lying(LIAR)), world.server()], world.home(100)
    node = world.node("node", servers, switch=home)
    status = wait_for_status(node, lambda status: "contradict" in layer(status)["text"])
    assert status["endpoints"] == []


def test_a_server_may_be_slow_and_others_silent(world):
    servers, home = [world.server(stun.slow(3)), world.server(stun.silent)], world.home(100)
    node = world.node("node", servers, switch=home)
    wait_for_status(node, nat_is("unknown"), is_at(home.outside), within=25)
    eventually(lambda: counted(node, "silent") >= 1 and counted(node, "answered") >= 1, "the counts")
    # With growing pauses, and not for ever.
    times = [at for at, _ in servers[1].asked]
    assert len(times) <= 10 and max(b - a for a, b in zip(times, times[1:])) > 1.5


@pytest.mark.parametrize("behaviour", (stun.guessing, stun.from_elsewhere, stun.refusing))
def test_only_the_answer_of_who_was_asked_counts(world, behaviour):
    bad, home = world.server(behaviour), world.home(100)
    node = world.node("node", [bad], switch=home)
    eventually(lambda: len(bad.asked) > 0, "a question", 10)
    refused = "refused" if behaviour is stun.refusing else "silent"
    eventually(lambda: counted(node, refused) >= 1, "its end", 20)
    assert counted(node, "answered") == 0
    assert rpc.ready(node)["endpoints"] == []


def test_an_answer_is_found_in_a_flood(world):
    servers, home = [world.server(stun.noisy), world.server()], world.home(100)
    node = world.node("node", servers, switch=home)
    wait_for_status(node, is_at(home.outside))


def test_without_an_internet_it_is_quiet_and_works(lab):
    # The lab's gateway answers nothing and leads nowhere; names cannot be looked up either.
    one, two = (lab.node(name, volume=lab.volume(name)) for name in ("one", "two"))
    eventually(lambda: one.pings(two.mesh_ip), "a tunnel", 15)
    one.wait_for_event("stun_silent", 40)
    status = wait_for_status(one, lambda status: layer(status)["text"].startswith("no server"))
    assert layer(status)["on"] is True
    said = [event for event in one.log.events() if event.get("event") == "stun_silent"]
    assert len(said) == 1


def test_it_can_be_turned_off(world):
    server = world.server()
    node = world.node("node", [server], join=["--no-stun"])
    status = wait_for_status(node, lambda status: status["layers"])
    assert layer(status) == {"name": "stun", "on": False, "text": "by --no-stun"}
    assert server.asked == []


# What peers tell

def test_one_lying_peer_does_not_move_the_endpoint(world):
    home = world.home(100)
    peers = [world.peer(f"peer{i}") for i in range(3)]
    node = world.node("node", switch=home,
                      join=["--peer", ",".join(peer.port.address for peer in peers[:1])])
    peers[0].wait_for("HELLO", within=10)
    for _ in range(20):
        lie = peers[0].announcement(observed_endpoint=f"{LIAR}:52000")
        peers[0].send(peers[0].seal("REPLY", lie), home.outside)
    assert rpc.ready(node)["endpoints"] == []


def test_two_peers_who_agree_are_believed(world):
    home = world.home(100)
    peers = [world.peer(f"peer{i}") for i in range(2)]
    node = world.node("node", switch=home,
                      join=["--peer", ",".join(peer.port.address for peer in peers)])
    wait_for_status(node, nat_is("cone"), is_at(home.outside), within=20)


# Addresses that change

def test_a_new_address_is_told_and_asked_about_at_once(world):
    server, peer = world.server(), world.peer()
    node = world.node("node", [server], join=["--no-ipv6", "--peer", peer.port.address])
    old, new = node.port.address, str(world.internet.network[777])
    wait_for_status(node, is_at(old))
    peer.wait_for("HELLO", within=10)
    heard, asked = len(peer.heard), len(server.asked)
    node.port.ip(f"addr del {old}/16 dev eth0", f"addr add {new}/16 dev eth0",
                 f"route add default via {world.internet.gateway}")
    told = (f"{new}:51820", "0.0.0.0:51820")
    peer.wait_for("HELLO", since=heard, within=10,
                  where=lambda m: m.source[0] == new and m.body["wg_endpoint"] in told)
    eventually(lambda: len(server.asked) > asked, "a question", 10)
    wait_for_status(node, is_at(new))


def test_an_address_that_comes_and_goes_makes_no_storm(world):
    peer = world.peer()
    node = world.node("node", join=["--no-ipv6", "--peer", peer.port.address])
    peer.wait_for("HELLO", within=10)
    heard = len(peer.heard)
    for _ in range(50):
        node.port.ip("addr add 203.0.88.88/16 dev eth0", "addr del 203.0.88.88/16 dev eth0")
    node.port.ip("addr add 203.0.88.88/16 dev eth0")
    eventually(lambda: f"{node.port.address}:51820" in rpc.ready(node)["endpoints"], "the end", 10)
    assert len([m for m in peer.heard[heard:] if m.kind == "HELLO"]) < 20
