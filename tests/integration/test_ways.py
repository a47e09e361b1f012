# SPDX-License-Identifier: MIT
"""Nodes that multicast cannot bring together: addresses that were given, DNS, what members tell, the cache.

No node here announces itself on the LAN unless a test says so, and none has a way to the outside.
"""

import json
import time

import pytest

from lib.container import Mount
from lib.dnsserver import DnsServer
from lib.http import ask
from lib.lab import SECRET
from lib.peer import Mesh, Peer, b64, new_key
from lib.wait import eventually

NAME = "peers.example.test"
QUIET = ("--no-lan-discovery", "--no-dht", "--no-stun")
WITHIN_S = 15


def start(lab, name, *options, **more):
    return lab.node(name, volume=lab.volume(name), join=[*QUIET, *options], **more)


def gossip_port():
    return Mesh(SECRET).gossip_port


def assert_tunnel(one, two, within=WITHIN_S):
    eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip),
               f"a tunnel between {one.name} and {two.name}", within)


def start_ready(lab, name, *options, **more):
    """One that a scripted peer may talk to."""
    node = start(lab, name, *options, **more)
    eventually(lambda: status(node)["ready"], f"{name} to be ready", WITHIN_S)
    return node


def status(node):
    return json.loads(node.run("wgmesh", "status", "--json").stdout)


def layers(node):
    return {layer["name"]: layer for layer in status(node)["layers"]}


def peers(node):
    listed = json.loads(node.run("wgmesh", "peers", "list", "--json").stdout)
    return {peer["pubkey"]: peer for peer in listed["peers"]}


@pytest.fixture
def dns(lab):
    with DnsServer(lab.port()) as server:
        yield server


@pytest.fixture
def resolv_conf(lab, dns):
    path = lab.directory / "resolv.conf"
    path.write_text(f"nameserver {dns.address}\nsearch svc.cluster.test\noptions ndots:5 timeout:1\n")
    return Mount.bind(path, "/etc/resolv.conf", read_only=True)


# Addresses that a person gave


def test_one_address_is_enough_for_both(lab):
    one = start(lab, "one")
    two = start(lab, "two", f"--peer={one.port.address}")
    assert_tunnel(one, two)
    eventually(lambda: "static" in peers(two)[one.public_key]["discovered_via"], "how it was found")
    assert layers(two)["static"]["on"] and "1 peer found" in layers(two)["static"]["text"]
    assert not layers(one)["static"]["on"]
    assert not layers(one)["lan"]["on"] and "--no-lan-discovery" in layers(one)["lan"]["text"]


def test_an_ipv6_address_with_a_port_will_do(lab):
    one = start(lab, "one")
    two = start(lab, "two", f"--peer=[{one.port.address6}]:{gossip_port()}")
    assert_tunnel(one, two)


def test_a_node_waits_for_one_that_comes_later(lab):
    port = lab.port()
    two = start(lab, "two", f"--peer={port.address}")
    eventually(lambda: status(two)["ready"], "readiness", WITHIN_S)
    eventually(lambda: tried(two, "static") >= 2, "two tries", 30)
    one = start(lab, "one", port=port)
    assert_tunnel(one, two, 30)


def test_a_node_that_lost_everything_is_found_again_at_its_address(lab):
    port = lab.port()
    one = lab.node("one", volume=lab.volume("one"), join=list(QUIET), port=port)
    two = start(lab, "two", f"--peer={port.address}")
    assert_tunnel(one, two)
    one.stop()
    new = lab.node("new", volume=lab.volume("another"), join=list(QUIET), port=port)
    assert_tunnel(new, two, 30)
    assert new.public_key in peers(two)


def test_our_own_address_among_those_given_does_no_harm(lab):
    port, other = lab.port(), lab.port()
    given = f"--peer={port.address},{other.address},127.0.0.1,::1"
    one = start(lab, "one", given, port=port)
    two = start(lab, "two", given, port=other)
    assert_tunnel(one, two)
    assert one.public_key not in peers(one)
    assert not [event for event in one.log.events() if event.get("event") == "clone_found"]


# What members tell


def test_a_chain_of_introductions_makes_a_full_mesh(lab):
    first = start(lab, "n0")
    nodes = [first] + [start(lab, f"n{i}", f"--peer={first.port.address}") for i in range(1, 5)]
    for one in nodes:
        for two in nodes:
            if one is not two:
                eventually(lambda: one.pings(two.mesh_ip), f"{one.name} to reach {two.name}", 20)


def test_an_existing_node_is_told_and_tells_whole_entries(lab):
    one = start_ready(lab, "one")
    with Peer(lab.port(), SECRET, "old") as old, Peer(lab.port(), SECRET, "older") as older:
        older.hello(one.port.address)
        reply = old.hello(one.port.address).body
        assert older.public_key in [entry["wg_pubkey"] for entry in reply["known_peers"]]
        # And we greet whom it tells of, but do not pass on whom we have not heard.
        key = new_key()[1]
        ghost = {"wg_pubkey": key, "mesh_ip": "10.200.0.9", "wg_endpoint": "10.91.77.77:51820"}
        old.hello(one.port.address, known_peers=[ghost])
        eventually(lambda: tried(one, "dht-transitive") == 1, "a try whether the ghost is there")
        for _ in range(5):
            reply = older.hello(one.port.address).body
            assert key not in [entry["wg_pubkey"] for entry in reply.get("known_peers", [])]
        assert key not in one.handshakes()


def test_addresses_that_a_hostile_member_tells_are_tried_seldom(lab):
    one = start_ready(lab, "one")
    with Peer(lab.port(), SECRET, "member") as member:
        for number in range(12):
            records = b"".join(bytes([1, 2, number, i, 10, 91, 100 + number, 1 + i, 0xcb, 0x20])
                               for i in range(60))
            member.hello(one.port.address, instance="0123456789abcdef", pex=b64(records))
            time.sleep(0.11)  # the rate at which a member is heard
        bad = b"".join(bytes([9, 9, 9, i, *ip, 0xcb, 0x20]) for i, ip in enumerate(
            ([127, 0, 0, 1], [224, 0, 0, 1], [255, 255, 255, 255], [0, 0, 0, 0], [169, 254, 0, 1])))
        member.hello(one.port.address, instance="0123456789abcdef", pex=b64(bad))
    # The others wait until these have not answered.
    assert tried(one, "dht-transitive") <= 60
    assert status(one)["ready"]


def tried(node, via):
    """How many addresses were greeted that somebody named."""
    name = f'wgmesh_prospects_tried_total{{via="{via}"}} '
    line = next(line for line in ask(node.port, "/metrics").body.splitlines() if line.startswith(name))
    return float(line[len(name):])


# Gossip inside the tunnels


def sightings(node, method):
    return status(node)["counters"]["sightings"][method]


def test_gossip_passes_through_the_tunnel_and_leads_none_into_itself(lab):
    one = start(lab, "one", "--gossip")
    two = start(lab, "two", "--gossip", f"--peer={one.port.address}")
    assert_tunnel(one, two)
    eventually(lambda: sightings(one, "gossip") > 0 and sightings(two, "gossip") > 0, "gossip", 40)
    for node, other in ((one, two), (two, one)):
        assert dict(node.wg("endpoints"))[other.public_key].startswith(other.port.address)
    assert "gossip" in peers(one)[two.public_key]["discovered_via"]
    assert layers(one)["gossip"]["on"]
    assert one.pings(two.mesh_ip)


def test_gossip_is_taken_only_where_it_is_asked_for(lab):
    deaf = start_ready(lab, "deaf")
    keen = start_ready(lab, "keen", "--gossip")
    with Peer(lab.port(), SECRET, "old") as old:
        for node in (deaf, keen):
            # From outside the tunnel, and with the endpoint of a node that does not know its own.
            old.send(old.seal("ANNOUNCE", old.announcement(wg_endpoint="0.0.0.0:51820")),
                     node.port.address)
        eventually(lambda: old.public_key in peers(keen), "the gossip's sender")
        assert old.public_key not in peers(deaf)
        assert sightings(deaf, "gossip") == 0


# Names


def test_nodes_behind_a_name_are_found_and_those_that_come_later_too(lab, dns, resolv_conf):
    ports = [lab.port() for _ in range(3)]
    dns.names[NAME] = [ports[0].address, ports[1].address]
    one, two = (start(lab, f"n{i}", f"--peer-dns={NAME}", port=ports[i], mounts=[resolv_conf])
                for i in range(2))
    assert_tunnel(one, two)
    assert "dns" in peers(one)[two.public_key]["discovered_via"] + peers(two)[one.public_key]["discovered_via"]
    # The third one is told by the name alone, and knows nobody.
    dns.names[NAME] = [ports[0].address, ports[1].address, ports[2].address]
    three = start(lab, "n2", port=ports[2])
    assert_tunnel(one, three, 60)


def test_a_name_that_appears_later_is_found(lab, dns, resolv_conf):
    one = start(lab, "one")
    two = start(lab, "two", f"--peer-dns={NAME}", mounts=[resolv_conf])
    two.wait_for_event("dns_failed", WITHIN_S)
    assert status(two)["ready"]
    dns.names[NAME] = [one.port.address]
    assert_tunnel(one, two, 60)
    two.wait_for_event("dns_answered")


def test_a_name_server_that_dies_takes_nobody_away(lab, dns, resolv_conf):
    one = start(lab, "one")
    dns.names[NAME] = [one.port.address]
    two = start(lab, "two", f"--peer-dns={NAME}", mounts=[resolv_conf])
    assert_tunnel(one, two)
    dns.is_silent = True
    two.wait_for_event("dns_failed", 90)
    assert one.pings(two.mesh_ip)
    assert "1 address" in layers(two)["dns"]["text"]


def test_a_short_name_is_searched_for_as_in_a_pod(lab, dns, resolv_conf):
    one = start(lab, "one")
    dns.names["peers.svc.cluster.test"] = [one.port.address]
    two = start(lab, "two", "--peer-dns=peers", mounts=[resolv_conf])
    assert_tunnel(one, two)


# One way or another


def test_with_every_way_on_and_no_internet_the_lan_is_enough(lab):
    one = lab.node("one", volume=lab.volume("one"), join=["--gossip"])
    two = lab.node("two", volume=lab.volume("two"), join=["--gossip", "--peer=192.0.2.1",
                                                          f"--peer-dns={NAME}"])
    assert_tunnel(one, two)
    assert status(one)["ready"] and status(two)["ready"]


def test_with_every_way_off_the_cache_brings_two_together_again(lab):
    one = start(lab, "one")
    two = start(lab, "two", f"--peer={one.port.address}")
    assert_tunnel(one, two)
    two.stop()
    one.stop()
    one = lab.node("one-again", volume=lab.volume("one"), join=list(QUIET), port=one.port)
    two = lab.node("two-again", volume=lab.volume("two"), join=list(QUIET), port=two.port)
    assert_tunnel(one, two)


@pytest.mark.parametrize("lost", ["name servers", "route", "IPv6", "network"])
def test_a_node_starts_without(lab, lost):
    """B5: what is missing at the start is no reason not to start."""
    port = lab.port()
    mounts = []
    if lost == "name servers":
        empty = lab.directory / "empty"
        empty.write_text("")
        mounts.append(Mount.bind(empty, "/etc/resolv.conf", read_only=True))
    elif lost == "route":
        port.ip("route flush all")
    elif lost == "IPv6":
        port.run("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1",
                 "net.ipv6.conf.default.disable_ipv6=1")
    else:
        port.ip("link set eth0 down")
    node = lab.node("one", volume=lab.volume("one"), port=port, mounts=mounts,
                    join=[f"--peer-dns={NAME}", "--peer=10.91.250.250,[2001:db8::1]:52000"])
    eventually(lambda: status(node)["ready"], "readiness", WITHIN_S)
    assert status(node)["peers"]["total"] == 0


def test_a_network_that_comes_later_is_noticed(lab):
    one = start(lab, "one")
    port = lab.port()
    address = port.address
    port.ip(f"addr del {address}/16 dev eth0")
    two = start(lab, "two", f"--peer={one.port.address}", port=port)
    eventually(lambda: status(two)["ready"], "readiness", WITHIN_S)
    port.ip(f"addr add {address}/16 dev eth0")
    assert_tunnel(one, two)
