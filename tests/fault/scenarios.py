# SPDX-License-Identifier: MIT
"""What is swept: a directory tree, one operation on it, and what a restart does afterwards."""

import base64
import dataclasses
import functools
import hashlib
import json
import types
from typing import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fault.inject import BUILD
from fault.trees import directory, file

STATETOOL = str(BUILD / "statetool")
MARKTOOL = str(BUILD / "marktool")
INIT = str(BUILD / "wgmesh-init")
KEY = "state/wg0.json"
SNAPSHOT = "state/.snapshots/wg0.json.{:020}"
CACHE = "state/wg0-peers.json"
DAEMON_UID = 65532


def public_of(private):
    key = X25519PrivateKey.from_private_bytes(private).public_key()
    return base64.b64encode(
        key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)).decode()


@functools.lru_cache(maxsize=4096)
def read_key(data):
    """The public key of a key file's bytes; None unless the file is whole and its keys belong together."""
    try:
        fields = json.loads(data)
        private = base64.b64decode(fields["wg_private_key"], validate=True)
        return fields["wg_pubkey"] if public_of(private) == fields["wg_pubkey"] else None
    except (ValueError, KeyError, TypeError):
        return None


def key_file(seed, address="10.99.0.1"):
    private = bytes([seed & 0xf8, *range(30), 0x40])
    fields = {"wg_pubkey": public_of(private), "wg_private_key": base64.b64encode(private).decode(),
              "mesh_ip": address}
    return json.dumps(fields, indent=2).encode()


def cache_file(count):
    peers = [{"wg_pubkey": public_of(bytes([8, i, *range(29), 0x40])), "mesh_ip": f"10.99.1.{i}",
              "endpoint": f"192.0.2.{i}:51820", "last_seen": 1700000000} for i in range(1, count + 1)]
    return json.dumps({"peers": peers, "updated_at": 1700000000}, indent=2).encode()


OURS = key_file(0x10)
MOVED = key_file(0x10, "10.99.0.2")
THEIRS = key_file(0x20)
DHT_NODES = bytes(range(38)) * 600
OLD_CACHE, NEW_CACHE = cache_file(3), cache_file(40)
ENDING = b"1700000000 1699999990 code=1 10000 unknown\n"
MARKER = f"""\
version=1
volume=0123456789abcdef0123456789abcdef
created=2026-01-01T00:00:00Z
served=wg0 {read_key(OURS)}
boots=1
boot=2026-01-01T00:00:00Z - - - -
""".encode()
EMPTY = {"state": directory()}


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One operation.

    tree      what is there before, below a directory of its own
    command   the operation; {root} is that directory
    is_done   did the operation do what it says it did? of the tree afterwards
    is_final  is everything as it should be? of the tree after a restart
    key       the one public key; None when the operation makes it
    restart   what a restart runs, in this order; the last one prints the key that is served
    other     another key, which the operation puts out of use or into use: either is as good
    contents  what files other than key files may hold: name below the root to a test of the bytes
    kept      where a second key may lie: the start of names below the root
    owner     user of the files that the operation makes
    is_nfs    on a file system that cannot rename without replacing
    is_lost   the key is gone for good: every start is refused, and none makes another
    is_bad    it loses keys, to prove that this is noticed
    """

    name: str
    tree: dict
    command: tuple
    is_done: Callable
    is_final: Callable = lambda tree: True
    key: str = read_key(OURS)
    restart: tuple = ((STATETOOL, "serve", "{root}/state"),)
    contents: dict = dataclasses.field(default_factory=dict)
    other: str = None
    kept: tuple = ()
    owner: int = 0
    is_nfs: bool = False
    is_lost: bool = False
    is_bad: bool = False


def has(name, *contents):
    """The file is there, with one of these contents."""
    return lambda tree: name in tree and tree[name].data in contents


def one_of(*contents):
    return lambda data: data in contents


def has_key(tree):
    return KEY in tree and read_key(tree[KEY].data) is not None


def has_snapshot(tree):
    return any(name.startswith("state/.snapshots/wg0.json.0") and read_key(entry.data)
               for name, entry in tree.items())


def has_new_address(tree):
    return has_key(tree) and json.loads(tree[KEY].data)["mesh_ip"] == "10.99.0.2"


def served():
    return (STATETOOL, "serve", "{root}/state")


def snapshots(count):
    """As many snapshots of our key, each with an address of its own."""
    made = {SNAPSHOT.format(i): file(key_file(0x10, f"10.99.2.{i}")) for i in range(1, count)}
    return {"state/.snapshots": directory(), **made, SNAPSHOT.format(count): file(OURS)}


def creations():
    yield Scenario("create", EMPTY, served(), has_key, key=None)
    yield Scenario("create-directory", {}, served(), has_key, key=None)


def restores():
    yield Scenario("serve", {**EMPTY, KEY: file(OURS), **snapshots(1)}, served(), has_key)
    yield Scenario("restore-empty", {**EMPTY, KEY: file(b""), **snapshots(2)}, served(), has_key)
    yield Scenario("restore-missing", {**EMPTY, **snapshots(1)}, served(), has_key)
    yield Scenario("restore-temporary", {**EMPTY, "state/.wg0.json.new": file(OURS)}, served(), has_key)
    replaced = {"state/.snapshots": directory(), SNAPSHOT.format(1): file(THEIRS),
                SNAPSHOT.format(2): file(OURS)}
    yield Scenario("restore-newest", {**EMPTY, **replaced}, served(), has_key,
                   kept=(SNAPSHOT.format(1),))
    repair = (STATETOOL, "state", "verify", "--repair", "--state-dir={root}/state")
    yield Scenario("verify-repair", {**EMPTY, KEY: file(OURS[:50]), **snapshots(1), CACHE: file(OLD_CACHE)},
                   repair, has_key, contents={CACHE: one_of(OLD_CACHE)})


def losses():
    """What shows that there was a key, in each kind of place; the key itself is gone."""
    traces = {"marker": {"state/.wgmesh.volume": file(MARKER)},
              "damaged-marker": {"state/.wgmesh.volume.damaged": file(MARKER[:30])},
              "cache": {CACHE: file(OLD_CACHE)},
              "snapshot": {"state/.snapshots": directory(), SNAPSHOT.format(1): file(OURS[:50])},
              "temporary": {"state/.wg0.json.new": file(OURS[:50])}}
    for name, trace in traces.items():
        yield Scenario(f"lost-{name}", {**EMPTY, **trace}, served(), lambda tree: False, is_lost=True,
                       contents={CACHE: one_of(OLD_CACHE)})


def changes():
    kept = {**EMPTY, KEY: file(OURS)}
    yield Scenario("save", {**kept, **snapshots(1)}, (STATETOOL, "save", "{root}/state"), has_new_address)
    yield Scenario("save-prune", {**kept, **snapshots(8)}, (STATETOOL, "save", "{root}/state"),
                   has_new_address)
    yield Scenario("snapshot", kept, (STATETOOL, "snapshot", "{root}/state"), has_snapshot)
    yield Scenario("cache", {**kept, CACHE: file(OLD_CACHE), "new": file(NEW_CACHE), **snapshots(1)},
                   (STATETOOL, "cache", "{root}/state", "{root}/new"), has(CACHE, NEW_CACHE),
                   contents={CACHE: one_of(OLD_CACHE, NEW_CACHE)})
    history = "state/.wgmesh.history"
    yield Scenario("history", {**kept, history: file(ENDING), **snapshots(1)},
                   # One that cannot be read counts as empty: it only tells loops from single crashes.
                   (MARKTOOL, "history", "{root}/state"), has(history, ENDING, ENDING * 2),
                   contents={history: one_of(ENDING, ENDING * 2)})


def export_file(key):
    """As `wgmesh state export --plain` writes it."""
    entry = {"name": "wg0.json", "size": len(key), "sha256": hashlib.sha256(key).hexdigest(),
             "data": base64.b64encode(key).decode()}
    return json.dumps({"format": "wgmesh-state", "version": 1, "interface": "wg0",
                       "public_key": read_key(key), "created": 1700000000, "files": [entry]}).encode()


def is_whole_export(data):
    try:
        return read_key(base64.b64decode(json.loads(data)["files"][0]["data"])) == read_key(OURS)
    except (ValueError, KeyError, IndexError):
        return False


def moves():
    """What people do: copy, bring back, hand over."""
    def state(*arguments):
        return (STATETOOL, "state", arguments[0], "--state-dir={root}/state", *arguments[1:])

    def serves(key):
        return lambda tree: has_key(tree) and read_key(tree[KEY].data) == read_key(key)

    kept = {**EMPTY, KEY: file(OURS)}
    bring = state("import", "--offline", "{root}/export")
    yield Scenario("import", {**EMPTY, "export": file(export_file(OURS))}, bring, serves(OURS),
                   restart=(bring, served()))
    yield Scenario("import-replace", {**kept, **snapshots(1), "export": file(export_file(THEIRS))},
                   state("import", "--offline", "--replace", "{root}/export"), serves(THEIRS),
                   other=read_key(THEIRS))
    yield Scenario("state-restore",
                   {**kept, "state/.snapshots": directory(), SNAPSHOT.format(1): file(THEIRS),
                    SNAPSHOT.format(2): file(OURS)},
                   state("restore", "1"), serves(THEIRS), other=read_key(THEIRS))
    yield Scenario("state-snapshot", kept, state("snapshot"), has_snapshot)
    yield Scenario("export", {**kept, **snapshots(1)}, state("export", "--plain", "{root}/backup"),
                   lambda tree: "backup" in tree, contents={"backup": is_whole_export})


def markers():
    """The volume's marker: what it says of the key must not get lost with a start that is noted."""
    marker = "state/.wgmesh.volume"
    kept = {**EMPTY, KEY: file(OURS), **snapshots(1)}
    older = MARKER.replace(read_key(OURS).encode(), read_key(THEIRS).encode())

    def says(*lines):
        return lambda tree: marker in tree and all(line in tree[marker].data for line in lines)

    ours = f"served=wg0 {read_key(OURS)}\n".encode()
    boot = (MARKTOOL, "boot", "{root}/state")
    yield Scenario("marker-first", kept, boot, says(b"boots=1\n"))
    yield Scenario("marker-boot", {**kept, marker: file(MARKER)}, boot, says(b"boots=2\n", ours),
                   is_final=says(ours))
    yield Scenario("marker-served", {**kept, marker: file(older)},
                   (MARKTOOL, "served", "{root}/state", read_key(OURS)), says(b"boots=1\n", ours), is_final=says(b"served=wg0 "))


def migrations():
    command = (INIT, "migrate", "--state-dir={root}/state", "--legacy-dir={root}/legacy")
    legacy = {"legacy": directory(0o755), "legacy/wg0.json": file(OURS),
              "legacy/wg0-peers.json": file(OLD_CACHE, 0o644), "legacy/wg0-dht.nodes": file(DHT_NODES, 0o644)}
    copies = {CACHE: one_of(OLD_CACHE), "state/wg0-dht.nodes": one_of(DHT_NODES)}
    common = {"command": command, "restart": (command, served()), "owner": DAEMON_UID}

    def is_migrated(tree):
        return all(name.replace("legacy", "state") in tree and
                   tree[name.replace("legacy", "state")].data == entry.data
                   for name, entry in legacy.items() if not entry.is_dir)

    # A cache that cannot be read is left for the next start, with a warning; the key is not.
    common.update(is_done=has(KEY, OURS))
    yield Scenario("migrate", {**EMPTY, **legacy}, is_final=is_migrated, contents=copies, **common)
    yield Scenario("migrate-directory", legacy, is_final=is_migrated, contents=copies, **common)
    aside = "state/.snapshots/legacy-"

    def keeps_theirs(tree):
        return any(entry.data == THEIRS for name, entry in tree.items() if name.startswith(aside))

    yield Scenario("migrate-differs",
                   {**EMPTY, KEY: file(OURS), **snapshots(1), "legacy": directory(0o755),
                    "legacy/wg0.json": file(THEIRS)},
                   is_final=keeps_theirs, kept=(aside,), **common)
    common.update(is_done=lambda tree: not has(KEY, THEIRS)(tree))
    yield Scenario("migrate-lost",
                   {**EMPTY, **snapshots(1), "legacy": directory(0o755), "legacy/wg0.json": file(THEIRS)},
                   is_final=keeps_theirs, kept=(aside,), **common)


def bad_ones():
    for verb in ("in-place", "unsynced"):
        yield Scenario(verb, EMPTY, (STATETOOL, verb, "{root}/state"), has_key, key=None, is_bad=True)
    yield Scenario("forgetful", {**EMPTY, KEY: file(OURS), "other": file(THEIRS)},
                   ("/bin/busybox", "mv", "-f", "{root}/other", "{root}/" + KEY), has(KEY, THEIRS),
                   other=read_key(THEIRS), is_bad=True)


@functools.lru_cache(maxsize=None)
def every():
    """All scenarios by name."""
    listed = [*creations(), *restores(), *losses(), *changes(), *moves(), *markers(), *migrations(),
              *bad_ones()]
    found = {scenario.name: scenario for scenario in listed}
    for name in ("create", "restore-empty", "save", "migrate", "import-replace", "state-restore"):
        found[name + "-nfs"] = dataclasses.replace(found[name], name=name + "-nfs", is_nfs=True)
    return types.MappingProxyType(found)
