# SPDX-License-Identifier: MIT
"""The Python peer against the protocol's test vectors: a judge must know the law."""

import base64
import json
import pathlib

import pytest

from lib import peer

VECTORS = json.loads((pathlib.Path(__file__).parents[1] / "data/vectors.json").read_text())


@pytest.mark.parametrize("keys", VECTORS["keys"], ids=lambda keys: keys["label"])
def test_derives_what_the_secret_stands_for(keys):
    mesh = peer.Mesh(keys["secret"])
    assert mesh.network_id.hex() == keys["network_id_hex"]
    assert mesh.gossip_key.hex() == keys["gossip_key_hex"]
    assert mesh.psk.hex() == keys["psk_hex"]
    assert mesh.gossip_port == keys["gossip_port"]
    assert mesh.probe_port == keys["probe_tcp_port"]
    assert str(mesh.network) == keys["mesh_subnet_cidr"]
    assert mesh.prefix6.hex() == keys["mesh_prefix_v6_hex"]
    assert mesh.group == keys["multicast_group"]
    assert mesh.rendezvous_id.hex() == keys["rendezvous_id_hex"]


@pytest.mark.parametrize("case", VECTORS["secrets"], ids=lambda case: repr(case["input"])[:40])
def test_reads_a_secret_as_people_write_it(case):
    if case["ok"]:
        assert peer.bare_secret(case["input"]) == case["secret"]


def test_derives_mesh_addresses():
    for item in VECTORS["mesh_ips"]:
        mesh = peer.Mesh(item["secret"])
        for node in item["nodes"]:
            assert mesh.mesh_ip(node["wg_pubkey"]) == node["mesh_ip"]
            assert mesh.mesh_ip6(node["wg_pubkey"]) == node["mesh_ipv6"]


@pytest.mark.parametrize("item", VECTORS["envelopes"]["sealed"], ids=lambda item: item["label"])
def test_seals_and_opens_datagrams(item):
    key = bytes.fromhex(VECTORS["envelopes"]["gossip_key_hex"])
    datagram = item["datagram"].encode()
    sealed = peer.seal(key, item["type"], item["plaintext"].encode(), bytes.fromhex(item["nonce_hex"]))
    assert sealed == datagram
    kind, body = peer.unseal(key, datagram, VECTORS["envelopes"]["now"])
    assert (kind, body) == (item["type"], json.loads(item["plaintext"]))


def test_refuses_what_is_forged_stale_or_no_envelope():
    key = bytes.fromhex(VECTORS["rejects"]["gossip_key_hex"])
    verdicts = ("decrypt", "too-old", "in-future", "nonce-size", "protocol-version", "payload-json")
    for case in VECTORS["rejects"]["cases"]:
        if case["upstream_verdict"] in verdicts and case["opener"] == "raw":
            with pytest.raises(peer.Refused):
                peer.unseal(key, base64.b64decode(case["datagram_b64"]), case["now"])


@pytest.mark.parametrize("pair", VECTORS["rendezvous"]["pairs"], ids=lambda pair: pair["pair_id"])
def test_names_a_pair_from_both_ends(pair):
    assert peer.pair_id(pair["a"], pair["b"]) == peer.pair_id(pair["b"], pair["a"]) == pair["pair_id"]


def test_two_peers_meet_on_the_switch(lab):
    one, two = lab.peer("one"), lab.peer("two")
    one.announce()
    heard = two.wait_for("ANNOUNCE", within=1)
    assert heard.via == "lan" and heard.source[0] == one.port.address
    reply = two.hello(one.port.address)
    assert reply.body["observed_endpoint"] == f"{two.port.address}:{two.mesh.gossip_port}"
    assert two.hello(one.port.address6).body["wg_pubkey"] == one.public_key
