# SPDX-License-Identifier: MIT
"""Introductions together with existing nodes, and with members who abuse them."""

import json
import time

import pytest

from lib import rpc
from lib.lab import SECRET
from lib.natlab import GOSSIP_PORT, Host, NatLab
from lib.peer import PROTOCOL, Peer, pair_id
from lib.wait import eventually

pytestmark = pytest.mark.asan


@pytest.fixture
def lab(variant, request):
    with NatLab(variant) as net:
        request.node.lab = net
        yield net
        reports = [line for line in net.logs().splitlines() if "Sanitizer" in line]
        assert not reports, reports
        assert net.leaks() == []


def existing(lab, name):
    """An existing node on the public segment, without multicast: nobody hears of it by itself."""
    return lab.plug(Peer(lab.plug(Host(lab.public)), SECRET, name))


def here(peer):
    return f"{peer.port.address}:{GOSSIP_PORT}"


def known(peer, **members):
    names = ("wg_pubkey", "hostname", "mesh_ip", "mesh_ipv6", "wg_endpoint")
    return {**{name: peer.announcement()[name] for name in names}, **members}


def offer(sender, node, target, source=None, **members):
    """`sender` asks `node` for `target`; in truth it is `source` who does."""
    body = {"protocol": PROTOCOL, "timestamp": int(time.time()), "from_pubkey": sender.public_key,
            "target_pubkey": target.public_key,
            "pair_id": pair_id(sender.public_key, target.public_key), **members}
    (source or sender).send(sender.seal("RENDEZVOUS_OFFER", body), node.port.address)


def start(introducer, node, target, *candidates, delay_ms=300, **members):
    """`introducer` tells `node` to meet `target`."""
    now = time.time()
    body = {"protocol": PROTOCOL, "timestamp": int(now), "peer_pubkey": target.public_key,
            "pair_id": pair_id(node.public_key, target.public_key),
            "peer_candidates": list(candidates), "start_at_unix_ms": int(now * 1000) + delay_ms,
            "introducer_key": introducer.public_key, **members}
    introducer.send(introducer.seal("RENDEZVOUS_START", body), node.port.address)


def count(peer, kind):
    return sum(message.kind == kind for message in peer.heard)


def watch(peer, node):
    """Count the UDP datagrams that a node sends to the machine of a peer, to whatever port."""
    peer.port.run("nft", "-f", "-", stdin=None, input=f"""
        table ip watch {{
            counter datagrams {{ }}
            chain input {{
                type filter hook input priority filter;
                ip saddr {node.port.address} meta l4proto udp counter name datagrams
            }}
        }}""")


def datagrams(peer):
    shown = peer.port.run("nft", "-j", "list", "counter", "ip", "watch", "datagrams").stdout
    return json.loads(shown)["nftables"][1]["counter"]["packets"]


def has_heard(node, peer):
    return any(entry["pubkey"] == peer.public_key
               for entry in rpc.ask(node, "peers.list")["peers"])


@pytest.fixture
def intro(lab):
    node = lab.introducer()
    rpc.ready(node)
    return node


@pytest.fixture
def trio(lab, intro):
    """Three existing nodes that our introducer knows."""
    peers = [existing(lab, name) for name in ("one", "two", "three")]
    for peer in peers:
        peer.hello(intro.port.address)
    return peers


# We introduce

def test_both_are_told_where_the_other_one_is_and_when(intro, trio):
    one, two, _ = trio
    offer(one, intro, two)
    for peer, other in ((one, two), (two, one)):
        heard = peer.wait_for("RENDEZVOUS_START")
        body = heard.body
        assert body["pair_id"] == pair_id(one.public_key, two.public_key)
        assert body["peer_pubkey"] == other.public_key
        assert body["introducer_key"] == intro.public_key
        assert body["peer_candidates"] == [f"{other.port.address}:{GOSSIP_PORT + step}"
                                           for step in (0, -1, 1, -2, 2)]
        assert 1000 < body["start_at_unix_ms"] - body["timestamp"] * 1000 < 4000
    assert one.heard[-1].body["start_at_unix_ms"] == two.heard[-1].body["start_at_unix_ms"]


def test_a_node_that_is_no_introducer_introduces_as_well(lab):
    node = lab._start("plain", lab.plug(Host(lab.public)), [])  # pylint: disable=protected-access
    rpc.ready(node)
    one, two = existing(lab, "one"), existing(lab, "two")
    for peer in (one, two):
        peer.hello(node.port.address)
    offer(one, node, two)
    two.wait_for("RENDEZVOUS_START")


def test_offers_that_are_not_in_order_are_answered_to_nobody(intro, trio):
    one, two, three = trio
    stranger = "Cg0KDQoNCg0KDQoNCg0KDQoNCg0KDQoNCg0KDQoNCg0="
    offer(one, intro, two, pair_id="0123456789abcdef")
    offer(one, intro, two, target_pubkey=stranger, pair_id=pair_id(one.public_key, stranger))
    offer(one, intro, two, target_pubkey=one.public_key, pair_id="")
    offer(one, intro, two, candidates="203.0.113.9:52000")
    offer(one, intro, two, source=three)
    offer(three, intro, two)
    three.wait_for("RENDEZVOUS_START")
    two.wait_for("RENDEZVOUS_START")
    assert count(one, "RENDEZVOUS_START") == 0
    assert count(two, "RENDEZVOUS_START") == 1


def test_nobody_is_sent_to_a_third_machine(lab, intro, trio):
    one, two, _ = trio
    victim = existing(lab, "victim")
    offer(one, intro, two, candidates=[here(victim), f"{victim.port.address}:40000"],
          observed_addr=here(victim))
    told = two.wait_for("RENDEZVOUS_START").body
    assert not [at for at in told["peer_candidates"] if at.startswith(victim.port.address + ":")]


def test_a_pair_is_introduced_once_however_often_it_asks(intro, trio):
    one, two, three = trio
    for _ in range(15):
        offer(one, intro, two)
        offer(two, intro, one)
    offer(three, intro, two)
    three.wait_for("RENDEZVOUS_START")
    assert count(one, "RENDEZVOUS_START") == 1
    assert count(two, "RENDEZVOUS_START") == 2


# We are introduced

def met(lab, node):
    """An existing introducer that our node knows, and a node that only the introducer knows."""
    introducer, target = existing(lab, "introducer"), existing(lab, "target")
    nowhere = f"{lab.public.network[99]}:51820"
    introducer.says["introducer"] = True
    introducer.hello(node.port.address, known_peers=[known(target, wg_endpoint=nowhere)])
    return introducer, target


def test_an_existing_introducer_is_asked_and_obeyed(lab, intro):
    introducer, target = met(lab, intro)
    asked = introducer.wait_for("RENDEZVOUS_OFFER", within=10).body
    assert asked["from_pubkey"] == intro.public_key
    assert asked["target_pubkey"] == target.public_key
    assert asked["pair_id"] == pair_id(intro.public_key, target.public_key)
    assert "candidates" not in asked
    start(introducer, intro, target, here(target), delay_ms=500)
    hello = target.wait_for("HELLO")
    assert hello.body["wg_pubkey"] == intro.public_key
    eventually(lambda: has_heard(intro, target), "the target to be heard")
    entry = rpc.ask(intro, "peers.get", pubkey=target.public_key)
    assert "dht-rendezvous" in entry["discovered_via"]


def test_a_start_that_lies_far_in_the_future_begins_soon(lab, intro):
    introducer, target = met(lab, intro)
    start(introducer, intro, target, here(target), start_at_unix_ms=int(time.time() * 1000) + 10**9)
    target.wait_for("HELLO", within=8)


def test_only_introducers_bring_us_together_with_somebody(lab, intro):
    introducer, target = met(lab, intro)
    plain, victim = existing(lab, "plain"), existing(lab, "victim")
    plain.hello(intro.port.address)
    start(plain, intro, target, here(victim))
    # In the introducer's name, from somewhere else.
    start(plain, intro, target, here(victim), introducer_key=introducer.public_key)
    start(introducer, intro, target, here(victim), pair_id="0123456789abcdef")
    start(introducer, intro, target, here(victim), peer_candidates=here(victim))
    start(introducer, intro, target, here(target))
    target.wait_for("HELLO")
    assert victim.heard == victim.refused == []


def test_a_member_cannot_have_us_flood_somebody(lab, intro):
    introducer, target = met(lab, intro)
    victim = existing(lab, "victim")
    ports = [f"{victim.port.address}:{GOSSIP_PORT + step}" for step in range(-30, 30)]
    elsewhere = [f"203.0.113.{number}:{GOSSIP_PORT}" for number in range(150, 160)]
    watch(victim, intro)
    began = time.monotonic()
    for round_number in range(60):
        start(introducer, intro, target, *ports[:50], *elsewhere, delay_ms=100 + round_number,
              peer_endpoint=f"{victim.port.address}:51820")
    eventually(lambda: datagrams(victim) > 0, "what the attacker wants", 10)
    # An honest introduction comes through when the pause is over.
    eventually(lambda: start(introducer, intro, target, here(target)) or count(target, "HELLO"),
               "a HELLO to the target", 20)
    rounds = 1 + (time.monotonic() - began) // 6
    # Sixteen HELLOs, six times each, and some handshakes.
    assert datagrams(victim) <= 100 * rounds


def test_a_lie_about_an_endpoint_costs_nothing_but_the_attempt(lab, intro):
    introducer, target = met(lab, intro)
    target.hello(intro.port.address)
    eventually(lambda: dict(intro.wg("endpoints")).get(target.public_key)
               == f"{target.port.address}:51820", "the endpoint that the target announces")
    start(introducer, intro, target, here(target), peer_endpoint="203.0.113.77:40000")
    eventually(lambda: dict(intro.wg("endpoints")).get(target.public_key) == "203.0.113.77:40000",
               "the other endpoint to be tried", 10)
    eventually(lambda: dict(intro.wg("endpoints")).get(target.public_key)
               == f"{target.port.address}:51820", "the first one to be back", 40)


@pytest.mark.parametrize("kind", ["RENDEZVOUS_OFFER", "RENDEZVOUS_START"])
def test_noise_in_introductions_disturbs_nobody(intro, trio, kind):
    one, two, _ = trio
    bodies = [{}, {"pair_id": []}, {"peer_pubkey": "x" * 5000}, {"peer_candidates": [[]] * 70},
              {"candidates": ["203.0.113.9:1"] * 1000}, {"start_at_unix_ms": -(2**62)},
              {"start_at_unix_ms": 1e300}, {"peer_endpoint": {"a": 1}}, {"peer": [1, 2]},
              {"peer": {"wg_pubkey": two.public_key}}, {"introducer_key": "\u0000"}]
    for extra in bodies:
        body = {"protocol": PROTOCOL, "timestamp": int(time.time()),
                "peer_pubkey": two.public_key, "from_pubkey": one.public_key,
                "target_pubkey": two.public_key,
                "pair_id": pair_id(one.public_key, two.public_key), **extra}
        one.send(one.seal(kind, body), intro.port.address)
    assert eventually(lambda: one.hello(intro.port.address, within=1), "an answer", 10)
