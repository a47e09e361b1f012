# SPDX-License-Identifier: MIT
"""A directory that an existing node wrote is served as it is, and what we write is read by one.

Reading is done here once more, from the description of the files and not from our C code.
"""

import base64
import itertools
import json
import os
import stat
import struct
import time

import pytest

from lib.lab import CHECKOUT
from lib.peer import Mesh
from lib.wait import eventually

pytestmark = pytest.mark.asan

FILES = json.loads((CHECKOUT / "tests/data/vectors.json").read_text(encoding="utf-8"))["state_files"]
KEY = json.loads(FILES["iface_json"]["text"])
KEY_FILE, PEERS_FILE = "wg0.json", "wg0-peers.json"
NODES_FILE = "wg0-{tag}-dht.nodes"
NODES = bytes.fromhex(FILES["dht_nodes"]["hex"])
# Files that a node of ours has no use for yet, or never touches.
OTHERS = {
    "wg0-dht.nodes": NODES,
    "wg0.reload": b"advertise-routes=10.9.0.0/16\n",
    "mesh-state.json": b"ZW5jcnlwdGVkLCBhbmQgbm9uZSBvZiBvdXIgYnVzaW5lc3M=",
    "account.json": b'{\n  "api_key": "k"\n}',
    "services.json": b"[]",
    "referral.json": b'{\n  "code": "abc"\n}',
    "wg1.json": FILES["iface_json_old"]["text"].encode(),
}


def mesh_of(first):
    """A mesh whose addresses begin with 10.first."""
    for number in itertools.count():
        mesh = Mesh(f"the secret of an existing mesh, number {number}")
        if mesh.subnet[0] == first:
            return mesh


MESH = mesh_of(77)


def marshal(value):
    """encoding/json's MarshalIndent, with two blanks."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    for plain in "<>&":
        text = text.replace(plain, f"\\u00{ord(plain):02x}")
    return text.encode()


# How an existing node reads what it finds (protocol.md section 4)

def load_key(data):
    value = json.loads(data)
    assert list(value) == [name for name in ("wg_pubkey", "wg_private_key", "mesh_ip", "mesh_ipv6") if name in value]
    assert all(len(base64.b64decode(value[name], validate=True)) == 32 for name in ("wg_pubkey", "wg_private_key"))
    assert data == marshal(value)
    return value


ENTRY = ("wg_pubkey", "hostname", "mesh_ip", "mesh_ipv6", "endpoint", "introducer", "routable_networks",
         "nat_type", "last_seen")


def load_peers(data, now):
    """The entries that are restored, by key."""
    value = json.loads(data)
    assert list(value) == ["peers", "updated_at"] and isinstance(value["updated_at"], int)
    assert value["peers"] is None or value["peers"], "no peers are null"
    assert data == marshal(value)
    for entry in value["peers"] or []:
        assert list(entry) == [name for name in ENTRY if name in entry]
        assert {"wg_pubkey", "mesh_ip", "endpoint", "last_seen"} <= set(entry)
    return {entry["wg_pubkey"]: entry for entry in value["peers"] or [] if now - entry["last_seen"] <= 86400}


def load_nodes(data):
    assert len(data) % 38 == 0
    return list(struct.iter_unpack(">20s16sH", data))


def test_the_readers_here_read_the_vectors():
    assert load_key(FILES["iface_json"]["text"].encode())["mesh_ip"] == "10.77.3.4"
    assert "mesh_ip" not in load_key(FILES["iface_json_old"]["text"].encode())
    peers = FILES["peers_json"]
    assert list(load_peers(peers["text"].encode(), peers["now"])) == peers["restored_keys"]
    assert load_peers(FILES["peers_json_empty"]["text"].encode(), peers["now"]) == {}
    assert [(id_.hex(), port) for id_, _, port in load_nodes(NODES)] == [
        (node["id_hex"], node["port"]) for node in FILES["dht_nodes"]["nodes"]]


# A directory as such a node leaves it

@pytest.fixture
def existing(lab):
    """A function that makes one, with a key file and a peer cache of the test's choice."""
    volume = lab.volume("state")

    def make(key, peers=FILES["peers_json_empty"]["text"].encode()):
        files = {KEY_FILE: key, PEERS_FILE: peers, NODES_FILE.format(tag=MESH.network_id[:8].hex()): NODES, **OTHERS}
        for name, data in files.items():
            (volume / name).write_bytes(data)
            (volume / name).chmod(0o640 if name.endswith(".nodes") else 0o600)
            # Long ago, so that every write shows.
            os.utime(volume / name, (1, 1))
        volume.chmod(0o750)
        return volume

    return make


def contents(volume):
    return {path.name: path.read_bytes() for path in volume.iterdir()
            if path.is_file() and not path.name.startswith(".")}


def serve(lab, volume):
    node = lab.node("node", volume=volume, secret=MESH.secret.decode())
    node.wait_until_up()
    assert node.run("wg", "show", "wg0", "public-key").stdout.strip() == KEY["wg_pubkey"]
    address = node.run("ip", "-oneline", "-4", "address", "show", "dev", "wg0").stdout.split()[3].partition("/")[0]
    assert node.stop() == 0
    assert not [event for event in node.events("warn") + node.events("error")
                if event["component"] in ("identity", "state", "peers", "migrate")], node.log.text()
    return node, address


def own_addresses():
    return {"mesh_ip": MESH.mesh_ip(KEY["wg_pubkey"]), "mesh_ipv6": MESH.mesh_ip6(KEY["wg_pubkey"])}


KEYS = {name: KEY[name] for name in ("wg_pubkey", "wg_private_key")}


@pytest.mark.parametrize("addresses", [
    own_addresses(),
    # Given to it because another node had its own one; or by an operator.
    {**own_addresses(), "mesh_ip": KEY["mesh_ip"]},
], ids=["its own address", "another address of the mesh"])
def test_a_directory_of_an_existing_node_is_left_as_it_is(lab, existing, addresses):
    volume = existing(marshal({**KEYS, **addresses}))
    before = contents(volume)
    _, address = serve(lab, volume)
    after = contents(volume)
    assert address == addresses["mesh_ip"]
    assert sorted(after) == sorted(before), "only files with a leading dot are new"
    for name in before:
        if name != PEERS_FILE:
            assert after[name] == before[name], name
            assert (volume / name).stat().st_mtime == 1, name
    assert load_peers(after[PEERS_FILE], time.time()) == {}


def test_two_starts_change_nothing_between_them(lab, existing):
    volume = existing(marshal({**KEYS, **own_addresses()}))
    for _ in range(2):
        serve(lab, volume)
    assert (volume / KEY_FILE).stat().st_mtime == 1
    assert len(list((volume / ".snapshots").iterdir())) == 1


@pytest.mark.parametrize("name", ["iface_json_old", "iface_json"])
def test_addresses_that_are_missing_or_of_another_mesh_are_the_only_change(lab, existing, name):
    text = FILES[name]["text"].encode()
    volume = existing(text)
    before = contents(volume)
    _, address = serve(lab, volume)
    key = load_key((volume / KEY_FILE).read_bytes())
    # An address inside the mesh's network is kept; that of another prefix was never reachable.
    assert key == {**KEYS, **own_addresses(), **({"mesh_ip": KEY["mesh_ip"]} if name == "iface_json" else {})}
    assert address == key["mesh_ip"]
    after = contents(volume)
    assert {name for name in before if after[name] != before[name]} <= {KEY_FILE, PEERS_FILE}
    snapshots = [load_key(path.read_bytes()) for path in (volume / ".snapshots").iterdir()]
    assert snapshots and all(snapshot["wg_private_key"] == KEY["wg_private_key"] for snapshot in snapshots)


def recent(entries):
    """The vectors' peers, heard a minute ago, in this mesh."""
    now = int(time.time())
    return [{**entry, "mesh_ip": MESH.mesh_ip(entry["wg_pubkey"]), "last_seen": now - 60} for entry in entries]


def test_cached_peers_are_used_and_written_back_as_an_existing_node_reads_them(lab, existing):
    entries = recent(json.loads(FILES["peers_json"]["text"])["peers"])
    volume = existing(marshal({**KEYS, **own_addresses()}),
                      marshal({"peers": entries, "updated_at": entries[0]["last_seen"]}))
    node, _ = serve(lab, volume)
    assert node.find_log("2 peers from the cache")
    restored = load_peers((volume / PEERS_FILE).read_bytes(), time.time())
    for entry in entries:
        kept = restored[entry["wg_pubkey"]]
        assert kept["last_seen"] == entry["last_seen"], "nobody has heard of it since"
        assert kept["mesh_ip"] == entry["mesh_ip"]
        assert kept["endpoint"] == entry["endpoint"]
        assert kept.get("hostname") == entry.get("hostname")


def test_what_is_new_in_the_directory_is_private_and_begins_with_a_dot(lab, existing):
    volume = existing(marshal({**KEYS, **own_addresses()}))
    known = {path.name for path in volume.iterdir()}
    serve(lab, volume)
    new = [path for path in volume.rglob("*") if path.relative_to(volume).parts[0] not in known]
    assert new
    for path in new:
        assert path.relative_to(volume).parts[0].startswith("."), path
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE(volume.stat().st_mode) == 0o700


def test_a_directory_that_we_wrote_alone_is_one_of_an_existing_node(lab):
    """And back again: the files of a first start are those that an existing node makes."""
    node = lab.node("node", volume=lab.volume("state"), secret=MESH.secret.decode())
    node.wait_until_up()
    peer = lab.peer("existing", MESH.secret.decode())
    peer.announce()
    eventually(lambda: node.wg("peers"), "the peer")
    assert node.stop() == 0
    key = load_key((lab.volume("state") / KEY_FILE).read_bytes())
    assert key["mesh_ip"] == MESH.mesh_ip(key["wg_pubkey"])
    assert key["mesh_ipv6"] == MESH.mesh_ip6(key["wg_pubkey"])
    peers = load_peers((lab.volume("state") / PEERS_FILE).read_bytes(), time.time())
    assert [entry["hostname"] for entry in peers.values()] == ["existing"]
    names = {path.name for path in lab.volume("state").iterdir() if not path.name.startswith(".")}
    assert names == {KEY_FILE, PEERS_FILE}
