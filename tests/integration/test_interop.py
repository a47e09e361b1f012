# SPDX-License-Identifier: MIT
"""The node against the other implementation of its protocol, friendly and hostile."""

import base64
import json
import os
import pathlib
import random
import socket
import time

import pytest

from lib import peer as protocol
from lib.container import Mount
from lib.lab import SECRET
from lib.node import SECRET_FILE
from lib.wait import eventually

pytestmark = pytest.mark.asan

VECTORS = json.loads((pathlib.Path(__file__).parents[1] / "data/vectors.json").read_text())
VECTOR_SECRET = VECTORS["rejects"]["secret"]


@pytest.fixture
def node(lab):
    started = lab.node("node", volume=lab.volume("node"))
    eventually(lambda: started.has_interface() and started.mesh_process(), "the node")
    eventually(lambda: peers(started) is not None, "the control socket")
    return started


@pytest.fixture
def peer(lab):
    return lab.peer()


def peers(node):
    """Public keys of the active peers, as `wgmesh peers list` tells; None while it cannot."""
    result = node.run("wgmesh", "peers", "list", "--json", check=False)
    if result.returncode != 0:
        return None
    return {entry["pubkey"]: entry for entry in json.loads(result.stdout)["peers"]}


# Friendly

def test_a_lan_announcement_is_answered_with_hello(node, peer):
    peer.announce()
    hello = peer.wait_for("HELLO", within=1)
    assert hello.body["wg_pubkey"] == node.public_key
    assert hello.body["mesh_ip"] == node.mesh_ip
    assert hello.source == (node.port.address, peer.mesh.gossip_port)


def test_the_node_announces_itself_on_the_lan(node, peer):
    heard = peer.wait_for("ANNOUNCE", within=7)
    assert heard.via == "lan"
    assert heard.body["wg_pubkey"] == node.public_key
    assert heard.body["hostname"] == "node"
    assert heard.body["mesh_ipv6"] == node.mesh_ip6
    assert heard.body["wg_endpoint"].endswith(":51820")
    assert "known_peers" not in heard.body
    assert len(heard.datagram) <= 1400


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_hello_is_answered_from_the_same_port_with_where_it_came_from(node, peer, family):
    address = node.port.address if family == "IPv4" else node.port.address6
    own = peer.port.address if family == "IPv4" else f"[{peer.port.address6}]"
    reply = peer.hello(address)
    assert reply.body["wg_pubkey"] == node.public_key
    assert reply.body["observed_endpoint"] == f"{own}:{peer.mesh.gossip_port}"


def test_the_same_hello_again_is_answered_again(node, peer):
    datagram = peer.seal("HELLO", peer.announcement())
    for _ in range(3):
        mark = len(peer.heard)
        peer.send(datagram, node.port.address)
        peer.wait_for("REPLY", since=mark, within=1)


def test_a_peer_that_said_hello_is_configured_in_wireguard(node, peer):
    peer.hello(node.port.address)
    eventually(lambda: peer.public_key in node.handshakes(), "the peer in WireGuard", 1)
    assert [peer.public_key, f"{peer.port.address}:51820"] in node.wg("endpoints")
    allowed = dict(node.wg("allowed-ips"))[peer.public_key].split()
    assert sorted(allowed) == sorted([f"{peer.mesh_ip}/32", f"{peer.mesh_ip6}/128"])
    psk = dict(node.wg("preshared-keys"))[peer.public_key]
    assert psk == base64.b64encode(peer.mesh.psk).decode()


def test_a_third_node_is_learned_from_known_peers(lab, node, peer):
    third = lab.peer("third")
    known = {name: third.announcement()[name]
             for name in ("wg_pubkey", "hostname", "mesh_ip", "mesh_ipv6", "wg_endpoint")}
    peer.hello(node.port.address, known_peers=[known])
    hello = third.wait_for("HELLO")
    assert hello.body["wg_pubkey"] == node.public_key


def test_replies_tell_of_other_peers(lab, node, peer):
    third = lab.peer("third")
    third.hello(node.port.address)
    eventually(lambda: third.public_key in peers(node), "the third node")
    reply = peer.hello(node.port.address)
    assert third.public_key in [known["wg_pubkey"] for known in reply.body.get("known_peers", [])]


def test_a_peer_that_says_goodbye_leaves_wireguard(node, peer):
    peer.hello(node.port.address)
    eventually(lambda: peer.public_key in node.handshakes(), "the peer in WireGuard")
    peer.goodbye(node.port.address)
    eventually(lambda: peer.public_key not in node.handshakes(), "its removal")


def test_the_probe_server_answers_ping_on_the_mesh_addresses_only(node, peer):
    script = f"printf 'ping\\n' | busybox nc -w 2 {node.mesh_ip} {peer.mesh.probe_port}"
    eventually(lambda: node.run("sh", "-c", script, check=False).stdout == "pong\n", "pong")
    with peer.port.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(1)
        with pytest.raises(OSError):
            sock.connect((node.port.address, peer.mesh.probe_port))


# The command line

def test_peers_are_listed_counted_and_shown(node, peer):
    assert node.run("wgmesh", "peers", "list").stdout.strip() == "No active peers"
    peer.hello(node.port.address)
    entry = eventually(lambda: peers(node).get(peer.public_key), "the peer")
    assert entry["hostname"] == "peer"
    assert entry["mesh_ip"] == peer.mesh_ip
    listed = node.run("wgmesh", "peers", "list").stdout
    assert peer.public_key[:16] in listed and peer.mesh_ip in listed
    assert "1" in node.run("wgmesh", "peers", "count").stdout
    assert peer.mesh_ip in node.run("wgmesh", "peers", "get", peer.public_key).stdout
    unknown = node.run("wgmesh", "peers", "get", protocol.new_key()[1], check=False)
    assert unknown.returncode == 1


def test_decode_opens_a_datagram(node, peer):
    datagram = peer.seal("HELLO", peer.announcement())
    shown = node.run("wgmesh", "decode", stdin=None, input=datagram.decode())
    assert json.loads(shown.stdout)["wg_pubkey"] == peer.public_key
    assert "HELLO" in shown.stderr
    other = protocol.seal(os.urandom(32), "HELLO", peer.announcement())
    assert node.run("wgmesh", "decode", stdin=None, input=other.decode(), check=False).returncode != 0


@pytest.mark.parametrize("keys", VECTORS["keys"], ids=lambda keys: keys["label"])
def test_status_derives_what_existing_nodes_derive(lab, keys):
    box = lab.container("box", ["wgmesh", "status", "--json", "--secret-file", SECRET_FILE],
                        mounts=[Mount.bind(lab.secret_file(keys["secret"]), SECRET_FILE, read_only=True)])
    assert box.wait() == 0
    status = json.loads(box.stdout.text())
    assert status["interface"] == "wg0"
    assert status["network_id"] == keys["network_id_short_hex"]
    assert status["mesh_subnet"] == keys["mesh_subnet_cidr"]
    assert status["mesh_ipv6_prefix"] == keys["mesh_prefix_v6_text"]
    assert status["gossip_port"] == keys["gossip_port"]
    assert status["rendezvous_id"] == keys["rendezvous_id_hex"]


# Hostile

def refreshed(key, case):
    """A case's datagram with its time moved to now, where it can be opened at all."""
    datagram = base64.b64decode(case["datagram_b64"])
    try:
        kind, body = protocol.unseal(key, datagram, case["now"])
    except protocol.Refused:
        return datagram
    body["timestamp"] += int(time.time()) - case["now"]
    return protocol.seal(key, kind, body)


def send_from_many(peer, address, datagrams):
    """Send each datagram from an address of its own, as a rate limit per source would eat them."""
    sources = [f"10.91.{100 + i // 250}.{1 + i % 250}" for i in range(len(datagrams))]
    peer.port.ip(*(f"addr add {source}/16 dev eth0" for source in sources))
    for source, datagram in zip(sources, datagrams):
        with peer.port.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.sendto(datagram, (address, peer.mesh.gossip_port))


def test_nothing_a_stranger_or_a_broken_member_sends_has_any_effect(lab):
    node = lab.node("node", volume=lab.volume("node"), secret=VECTOR_SECRET)
    eventually(lambda: peers(node) is not None, "the control socket")
    hostile = lab.peer("hostile", secret=VECTOR_SECRET)
    key = bytes.fromhex(VECTORS["rejects"]["gossip_key_hex"])
    # One bad known peer spoils the message for existing nodes, and only itself for this one.
    cases = [case for case in VECTORS["rejects"]["cases"]
             if case["upstream_verdict"] not in ("accept", "known_peers")]
    datagrams = [refreshed(key, case) for case in cases]
    rng = random.Random(1)
    datagrams += [rng.randbytes(rng.randrange(1500)) for _ in range(100)]
    pids = [process.pid for process in node.daemons()]
    send_from_many(hostile, node.port.address, datagrams)
    for datagram in datagrams:
        hostile.send_lan(datagram)
    reply = hostile.hello(node.port.address)
    assert reply.body["wg_pubkey"] == node.public_key
    assert set(peers(node)) == {hostile.public_key}
    assert set(node.handshakes()) <= {hostile.public_key}
    assert [process.pid for process in node.daemons()] == pids


def test_bad_known_peers_are_dropped_one_by_one(lab, node, peer):
    good = lab.peer("good").announcement()
    good = {name: good[name] for name in ("wg_pubkey", "mesh_ip", "wg_endpoint")}
    bad = [{**good, "wg_pubkey": "short"}, {**good, "mesh_ip": "10.1.2.3/16"}, {}, None, 7]
    reply = peer.hello(node.port.address, known_peers=[*bad, good])
    assert reply
    eventually(lambda: {peer.public_key, good["wg_pubkey"]} <= set(peers(node)), "the good ones")
    assert len(peers(node)) == 2


def test_a_relabelled_announcement_is_no_goodbye(node, peer):
    peer.hello(node.port.address)
    eventually(lambda: peer.public_key in node.handshakes(), "the peer in WireGuard")
    forged = peer.seal("GOODBYE", peer.announcement())
    peer.send(forged, node.port.address)
    peer.hello(node.port.address)
    assert peer.public_key in peers(node)


def test_a_peer_cannot_take_the_nodes_own_key_or_address(node, peer):
    peer.announce(wg_pubkey=node.public_key, mesh_ip="10.1.2.3")
    peer.send(peer.seal("HELLO", peer.announcement(wg_pubkey=node.public_key)), node.port.address)
    peer.hello(node.port.address)
    assert set(peers(node)) == {peer.public_key}
    before = node.mesh_ip
    assert f"{before}/16" in node.run("ip", "-oneline", "address", "show", "wg0").stdout


def test_hostile_members_of_the_control_socket_get_errors_and_nothing_else(node):
    path = node.root("/run/wgmesh/wg0.sock")
    for line in (b"{", b"[]", b'{"jsonrpc":"1.0","method":"x","id":1}', b"\x00" * 100):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(2)
            sock.connect(str(path))
            sock.sendall(line + b"\n")
            assert b'"error"' in sock.recv(65536)
    assert peers(node) == {}
