# SPDX-License-Identifier: MIT
"""Somebody who knows the secret sends what no honest node would; the others' mesh stands.

A member can do what the protocol lets it do: announce itself, networks and others. It must not move,
cut or fill what two honest nodes have between them.
"""

import os
import time

import pytest

from lib.lab import SECRET
from lib.peer import PROTOCOL, Peer, b64, new_key
from lib.ping import Ping
from lib.wait import eventually

PACE_S = 0.11  # a member is heard ten times a second
GROWTH_KB = 8192
MADE_UP = 1200  # more than the table has rows
VICTIM = "10.91.200.200"  # nobody has it


class Scene:
    """Two honest nodes with a tunnel, and the member."""

    def __init__(self, lab, member):
        self.lab = lab
        self.member = member
        self.one = lab.node("one", volume=lab.volume("one"))
        self.two = lab.node("two", volume=lab.volume("two"))
        eventually(lambda: self.one.pings(self.two.mesh_ip) and self.two.pings(self.one.mesh_ip),
                   "the tunnel")

    def say(self, kind, body):
        """Tell both nodes, no faster than they listen."""
        for node in (self.one, self.two):
            self.member.send(self.member.seal(kind, body), node.port.address)
        time.sleep(PACE_S)  # the rate of a member, not a wait for anything

    def assert_unharmed(self, pings):
        assert pings.lost() == []
        for node, other in ((self.one, self.two), (self.two, self.one)):
            endpoint = dict(node.wg("endpoints"))[other.public_key]
            assert endpoint.startswith((f"{other.port.address}:", f"[{other.port.address6}]:"))
            allowed = dict(node.wg("allowed-ips"))[other.public_key].split()
            assert sorted(allowed) == sorted([f"{other.mesh_ip}/32", f"{other.mesh_ip6}/128"])


@pytest.fixture
def scene(lab):
    return Scene(lab, lab.peer("member"))


def bad_bodies(scene):
    """Announcements that are wrong in one way each."""
    good = scene.member.announcement
    yield from (good(wg_pubkey=key) for key in ("", "x", "A" * 44, b64(bytes(31)), b64(bytes(33)), 7,
                                                b64(bytes(32))[:-2] + "B="))
    yield from (good(mesh_ip=ip) for ip in ("", "10.0.0", "::1%lo", "0.0.0.0", 7, None, "1" * 4000))
    yield from (good(wg_endpoint=at) for at in ("nowhere", "127.0.0.1:0", ":70000", f"{VICTIM}:-1",
                                                "[fe80::1]:51820", "255.255.255.255:51820", [], "x" * 900))
    yield from (good(hostname=name) for name in ("\x1b[2J\n", "x" * 254, "\u202e", ["x"]))
    yield from (good(routable_networks=nets) for nets in (
        ["0.0.0.0/0"], ["::/0"], ["10.91.0.0/16"], ["127.0.0.0/8"], ["224.0.0.0/4"], ["x"],
        [f"10.{i}.0.0/16" for i in range(250)], "10.0.0.0/8", [7]))
    yield from (good(timestamp=when) for when in (0, -1, 2 ** 63, "now", int(time.time()) + 599))
    yield from (good(known_peers=known) for known in ("all", [1], [{}], [[[[]]]] * 500,
                                                      [{"wg_pubkey": "x"}] * 1000))
    yield from (good(instance=run) for run in (7, "x" * 4000, "", None))
    yield from (good(pex=what, pex6=what) for what in (7, "*", b64(os.urandom(9)), b64(os.urandom(12000))))
    yield good(endpoints=[f"{VICTIM}:51820"] * 300)
    yield b"[" * 20000 + b"]" * 20000
    yield b'{"protocol":"wgmesh-v1","timestamp":1e400}'


def test_bad_content_of_every_kind_harms_nobody_else(scene):
    pings = Ping(scene.two, scene.one.mesh_ip)
    for number, body in enumerate(bad_bodies(scene)):
        scene.say(("HELLO", "REPLY", "ANNOUNCE")[number % 3], body)
    scene.assert_unharmed(pings)
    for node in (scene.one, scene.two):
        routes = node.run("ip", "route", "show", "dev", "wg0").stdout
        assert "default" not in routes and "10.91." not in routes
        assert "\x1b" not in node.log.text()


def test_nobody_can_say_goodbye_for_another(scene):
    pings = Ping(scene.two, scene.one.mesh_ip)
    for node in (scene.one, scene.two):
        for age_s in (0, 30, -30):
            scene.say("GOODBYE", {"protocol": PROTOCOL, "wg_pubkey": node.public_key,
                                  "timestamp": int(time.time()) - age_s})
    scene.assert_unharmed(pings)


def test_what_a_member_says_of_honest_nodes_changes_nothing_about_them(scene):
    pings = Ping(scene.two, scene.one.mesh_ip)
    lies = [{"wg_pubkey": node.public_key, "hostname": "liar", "mesh_ip": scene.member.mesh_ip,
             "wg_endpoint": f"{VICTIM}:51820", "introducer": True, "nat_type": "symmetric"}
            for node in (scene.one, scene.two)]
    for _ in range(10):
        scene.say("HELLO", scene.member.announcement(known_peers=lies))
        scene.say("REPLY", scene.member.announcement(known_peers=lies,
                                                     observed_endpoint=f"{VICTIM}:51820"))
    scene.assert_unharmed(pings)
    assert "liar" not in scene.one.exec("wgmesh", "peers", "list").stdout


def test_made_up_peers_neither_flush_the_table_nor_fill_memory(scene):
    process = scene.one.mesh_process()
    before = int(process.status["VmRSS"].split()[0])
    pings = Ping(scene.two, scene.one.mesh_ip)
    made_up = [{"wg_pubkey": new_key()[1], "mesh_ip": f"{scene.member.mesh.network[9 + i]}",
                "wg_endpoint": f"10.91.{200 + i % 50}.{1 + i % 250}:51820"} for i in range(MADE_UP)]
    for start in range(0, MADE_UP, 60):
        scene.say("HELLO", scene.member.announcement(known_peers=made_up[start:start + 60]))
    scene.assert_unharmed(pings)
    assert int(process.status["VmRSS"].split()[0]) < before + GROWTH_KB
    three = scene.lab.node("three", volume=scene.lab.volume("three"))
    eventually(lambda: three.pings(scene.one.mesh_ip), "a newcomer's tunnel", 15)


def test_a_claim_to_an_honest_nodes_address_does_not_cut_it_off(lab, scene):
    """The lower key keeps an address: whoever loses it takes another, and goes on."""
    with Peer(lab.port(), SECRET, "thief") as thief:
        for node, other in ((scene.one, scene.two), (scene.two, scene.one)):
            thief.mesh_ip = node.mesh_ip
            for _ in range(3):
                thief.announce()
                thief.send(thief.seal("HELLO", thief.announcement()), other.port.address)
                thief.send(thief.seal("HELLO", thief.announcement()), node.port.address)
                time.sleep(PACE_S)
    eventually(lambda: scene.two.pings(scene.one.mesh_ip) and scene.one.pings(scene.two.mesh_ip),
               "the tunnel", 15)


def test_rendezvous_messages_are_no_weapon(scene):
    pings = Ping(scene.two, scene.one.mesh_ip)
    for number in range(30):
        scene.say("RENDEZVOUS_OFFER", {
            "protocol": PROTOCOL, "timestamp": int(time.time()), "from_pubkey": scene.member.public_key,
            "target_pubkey": scene.two.public_key, "pair_id": "0" * 16 if number % 2 else "",
            "candidates": [f"{VICTIM}:{1024 + number}"] * 200})
        scene.say("RENDEZVOUS_START", {
            "protocol": PROTOCOL, "timestamp": int(time.time()), "pair_id": "f" * 16,
            "peer_pubkey": scene.two.public_key, "peer_candidates": [f"{VICTIM}:{1024 + number}"] * 200,
            "start_at_unix_ms": 2 ** 62, "peer_endpoint": f"{VICTIM}:1"})
    scene.assert_unharmed(pings)
