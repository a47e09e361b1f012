# SPDX-License-Identifier: MIT
"""`wgmesh state verify`, `list`, `snapshot` and `restore`: what is said is so, and can be undone."""

import json
import os
import pathlib

import pytest

from lib.container import Mount
from lib.node import STATE_DIR
from lib.peer import new_key
from lib.statecli import (DAMAGED, IO_ERROR, KEY_FILE, LOCKED, PEERS_FILE, POLICY, USAGE,
                          bare_daemon, contents, make_node, run_shell, state, without_locks)
from lib.wait import eventually

pytestmark = pytest.mark.asan

VECTORS = json.loads((pathlib.Path(__file__).parents[1] / "data" / "vectors.json").read_text())
FIRST = "wg0.json.00000000000000000001"
MARKER = ("version=1\nvolume=0123456789abcdef0123456789abcdef\ncreated=2026-01-01T00:00:00Z\n"
          "served=wg0 {key}\nboots=1\nboot=2026-01-01T00:00:00Z - - - -\n")


@pytest.fixture
def volume(lab):
    """The state directory of a node that has stopped."""
    make_node(lab, "before", "state")
    return lab.volume("state")


def verify(lab, directory, *options):
    return state(lab, directory, "verify", *options)


def key_text(private_key, public_key):
    return json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2)


def states(said):
    return {row["name"]: row["state"] for row in said.json["files"]}


# verify: the key

def test_no_key_yet_is_0(lab):
    said = verify(lab, lab.volume("empty"))
    assert said.code == 0 and "none yet" in said.out
    assert contents(lab.volume("empty")) == {}


def test_good_files_are_0_and_stay_as_they_are(lab, volume):
    before = contents(volume)
    said = verify(lab, volume, "--repair")
    assert said.code == 0 and "damaged" not in said.out
    assert contents(volume) == before


def test_a_damaged_key_is_65_and_stays_until_a_repair(lab, volume):
    good = (volume / KEY_FILE).read_bytes()
    (volume / KEY_FILE).write_bytes(good[:40])
    before = contents(volume)
    said = verify(lab, volume)
    assert said.code == DAMAGED and f"{STATE_DIR}/{KEY_FILE}" in said.err
    assert contents(volume) == before
    said = verify(lab, volume, "--repair", "--json")
    assert said.code == 0 and states(said)[KEY_FILE] == "restored"
    assert (volume / KEY_FILE).read_bytes() == good
    assert (volume / KEY_FILE).stat().st_uid == volume.stat().st_uid
    assert verify(lab, volume).code == 0


def test_a_damaged_key_without_a_snapshot_is_65_even_with_repair(lab, volume):
    for path in (volume / ".snapshots").iterdir():
        path.unlink()
    (volume / KEY_FILE).write_bytes(b"")
    before = contents(volume)
    said = verify(lab, volume, "--repair")
    assert said.code == DAMAGED and "--new-identity" in said.err
    assert contents(volume) == before


def test_a_damaged_cache_is_a_warning(lab, volume):
    (volume / PEERS_FILE).write_text("[")
    assert verify(lab, volume).code == 0
    said = verify(lab, volume, "--quiet")
    assert said.code == 0 and PEERS_FILE in said.err and said.out == ""


def test_a_directory_that_is_not_there_is_74_and_a_wrong_option_64(lab):
    said = verify(lab, None, "--state-dir=/nowhere")
    assert said.code == IO_ERROR and "/nowhere" in said.err
    assert verify(lab, lab.volume("state"), "--repiar").code == USAGE


# verify: everything else

def test_a_directory_with_all_vectors_is_good_and_stays_byte_for_byte(lab):
    directory = lab.volume("vectors")
    files = VECTORS["state_files"]
    for name, text in {KEY_FILE: files["iface_json"]["text"],
                       PEERS_FILE: files["peers_json"]["text"],
                       "wg1.json": files["iface_json_old"]["text"],
                       "wg1-peers.json": files["peers_json_empty"]["text"]}.items():
        (directory / name).write_text(text)
        (directory / name).chmod(0o600)
    (directory / "wg0-0123456789abcdef-dht.nodes").write_bytes(bytes.fromhex(files["dht_nodes"]["hex"]))
    before = contents(directory)
    said = verify(lab, directory, "--json")
    assert said.code == said.json["exit_code"] == 0
    assert set(states(said).values()) == {"good"} and len(states(said)) == 5
    assert said.json["public_key"] == json.loads(files["iface_json"]["text"])["wg_pubkey"]
    assert "3 DHT nodes" in said.out and "2 peers" in said.out
    assert contents(directory) == before


DAMAGE = {
    PEERS_FILE: (b"{", "damaged"),
    "wg0-dht.nodes": (b"x" * 39, "damaged"),
    "wg0-0123456789abcdef-dht.nodes": (b"", "good"),
    "wg0.reload": (b"log-level\n", "damaged"),
    "wg1.reload": (b"# nothing\nlog-level=debug\n", "good"),
    "wg1.json": (b"{}", "damaged"),
    "wg2.json": (b'{"version": 2}', "future"),
    "mesh-state.json": (b"A" * 76 + b"\n", "good"),
    "account.json": (b"{\"api_key\": ", "damaged"),
    "services.json": (b"{}", "good"),
    ".wg0.json.new": (b"{", "leftover"),
    ".wgmesh.volume": (b"version=1\n", "damaged"),
    ".wgmesh.history": (b"", "good"),
    "README": (b"", "foreign"),
    "we\x1b[31mird": (b"", "foreign"),
    ".snapshots/wg0.json.damaged-1": (b"", "damaged"),
    ".snapshots/wg0.json.00000000000000000009": (b"", "damaged"),
    ".snapshots/something": (b"", "foreign"),
}


def test_the_damage_of_every_file_is_explained_and_nothing_is_touched(lab, volume):
    for name, (data, _) in DAMAGE.items():
        (volume / name).write_bytes(data)
    (volume / "referral.json").symlink_to("/etc/passwd")
    (volume / "wg3.json").mkdir()
    os.mkfifo(volume / "wg3.reload")
    before = contents(volume)
    said = verify(lab, volume, "--json")
    expected = {name.replace("\x1b", "?"): verdict for name, (_, verdict) in DAMAGE.items()}
    expected |= {"referral.json": "unsafe", "wg3.json": "unsafe", "wg3.reload": "unsafe",
                 KEY_FILE: "good", ".snapshots": "good", f".snapshots/{FIRST}": "good"}
    found = {name: state for name, state in states(said).items() if not name.endswith(".lock")}
    assert found == expected
    assert all(row["note"] for row in said.json["files"])
    # What this interface does not need is no reason to fail.
    assert said.code == 0
    assert contents(volume) == before
    assert "\x1b" not in verify(lab, volume).out


def test_who_uses_the_directory_is_said(lab):
    node = lab.node("user", volume=lab.volume("state"))
    node.wait_until_up()
    notes = {row["name"]: row["note"] for row in verify(lab, lab.volume("state"), "--json").json["files"]}
    assert "held by user" in notes[".wgmesh.lock"]
    assert "held by user" in notes[".wgmesh.daemon.lock"]


def test_who_uses_the_directory_is_said_also_where_nothing_can_be_written(lab):
    node = lab.node("user", volume=lab.volume("state"))
    node.wait_until_up()
    box = lab.container("box", ["wgmesh", "state", "verify"],
                        mounts=[Mount.bind(lab.volume("state"), STATE_DIR, read_only=True)])
    assert box.wait() == 0 and box.stdout.text().count("held by user") == 2


def test_a_key_that_others_may_read_is_said_to_be(lab, volume):
    (volume / KEY_FILE).chmod(0o644)
    assert "chmod 600" in verify(lab, volume).out


# Traces of a key

CACHES = [PEERS_FILE, "wg0-dht.nodes", "wg0-0123456789abcdef-dht.nodes"]


@pytest.mark.parametrize("trace", [*CACHES, ".wgmesh.volume", ".wg0.json.new",
                                   ".snapshots/legacy-wg0.json.1"])
def test_no_key_is_made_while_this_trace_of_one_is_there(lab, trace):
    directory = lab.volume("state")
    _, public_key = new_key()
    (directory / trace).parent.mkdir(exist_ok=True)
    (directory / trace).write_text(MARKER.format(key=public_key) if "volume" in trace else "")
    said = verify(lab, directory, "--repair")
    assert said.code == DAMAGED
    assert trace in said.err and "--new-identity" in said.err
    if "volume" in trace:
        assert public_key in said.err
    if "legacy" in trace:
        assert "wgmesh state restore legacy-wg0.json.1" in said.err
    daemon = bare_daemon(lab, directory)
    assert daemon.wait() == DAMAGED and trace in daemon.log.text()
    assert not (directory / KEY_FILE).exists()


def test_a_new_identity_is_made_when_a_person_says_so(lab):
    directory = lab.volume("state")
    (directory / PEERS_FILE).write_text("{}")
    node = lab.node("node", volume=directory, init=["--new-identity"])
    node.wait_until_up()
    assert (directory / KEY_FILE).exists()


def test_another_key_than_the_volume_was_used_with_is_a_warning_that_names_both(lab, volume):
    _, public_key = new_key()
    mine = json.loads((volume / KEY_FILE).read_text())["wg_pubkey"]
    (volume / ".wgmesh.volume").write_text(MARKER.format(key=public_key))
    said = verify(lab, volume)
    assert said.code == 0 and public_key in said.err and mine in said.err
    (volume / ".wgmesh.volume").write_text(MARKER.format(key=mine))
    assert mine not in verify(lab, volume).err


def test_what_a_newer_release_wrote_is_left_alone_by_all(lab, volume):
    later = {**json.loads((volume / KEY_FILE).read_text()), "version": 2}
    (volume / KEY_FILE).write_text(json.dumps(later))
    before = without_locks(contents(volume))
    said = verify(lab, volume, "--repair", "--new-identity", "--json")
    assert said.code == POLICY and states(said)[KEY_FILE] == "future"
    assert "newer release" in said.err
    assert state(lab, volume, "restore", "1").code == POLICY
    assert state(lab, volume, "snapshot").code == POLICY
    assert without_locks(contents(volume)) == before
    daemon = bare_daemon(lab, volume, "--new-identity")
    assert daemon.wait() == POLICY
    assert lab.node("node", volume=volume).wait() == POLICY
    assert (volume / KEY_FILE).read_text() == json.dumps(later)


# One daemon for a directory, with wgmesh-init or without

def test_two_daemons_without_an_init_do_not_run_one_identity(lab):
    first = bare_daemon(lab, lab.volume("state"))
    eventually(lambda: "wg0" in first.port.links(), "the first one's interface")
    second = bare_daemon(lab, lab.volume("state"))
    assert second.wait(15) == LOCKED
    assert "in use by a node" in second.log.text()
    assert first.is_running()


# list, snapshot, restore

def test_snapshots_are_listed_with_what_is_in_them(lab, volume):
    (volume / ".snapshots" / "wg0.json.damaged-1").write_text("half")
    private_key, public_key = new_key()
    (volume / ".snapshots" / "legacy-wg0.json.1").write_text(key_text(private_key, public_key))
    said = state(lab, volume, "list", "--json")
    newest, legacy, damaged = said.json["snapshots"]
    assert (newest["name"], newest["number"], newest["state"], newest["current"]) == (FIRST, 1, "good", True)
    mine = json.loads((volume / KEY_FILE).read_text())
    assert (newest["public_key"], newest["mesh_ip"]) == (mine["wg_pubkey"], mine["mesh_ip"])
    assert (legacy["kind"], legacy["public_key"], legacy["current"]) == ("legacy", public_key, False)
    assert (damaged["kind"], damaged["state"]) == ("damaged", "damaged") and damaged["note"]
    shown = state(lab, volume, "list").out
    assert FIRST in shown and public_key in shown and private_key not in shown


def test_a_snapshot_is_made_of_what_the_newest_does_not_hold(lab, volume):
    assert state(lab, volume, "snapshot").out.strip() == FIRST
    for path in (volume / ".snapshots").iterdir():
        path.unlink()
    assert state(lab, volume, "snapshot").out.strip() == FIRST
    taken = volume / ".snapshots" / FIRST
    assert taken.read_bytes() == (volume / KEY_FILE).read_bytes()
    # The daemon, which is not root, has to read it some day.
    assert taken.stat().st_uid == volume.stat().st_uid
    assert state(lab, lab.volume("empty"), "snapshot").code == DAMAGED


def test_a_snapshot_may_be_made_while_the_node_runs(lab):
    node = lab.node("node", volume=lab.volume("state"))
    node.wait_until_up()
    assert node.run("wgmesh", "state", "snapshot").stdout.strip() == FIRST


def assert_is(volume, identity):
    assert json.loads((volume / KEY_FILE).read_text())["wg_pubkey"] == identity


@pytest.mark.parametrize("name", ["1", FIRST, f".snapshots/{FIRST}"])
def test_a_restore_is_undone_by_the_command_it_prints(lab, volume, name):
    mine = json.loads((volume / KEY_FILE).read_text())["wg_pubkey"]
    private_key, public_key = new_key()
    (volume / KEY_FILE).write_text(key_text(private_key, public_key))
    said = state(lab, volume, "restore", name)
    assert said.code == 0 and mine in said.out
    assert_is(volume, mine)
    assert (volume / KEY_FILE).stat().st_uid == volume.stat().st_uid
    (command,) = said.undo
    run_shell(lab, volume, command)
    assert_is(volume, public_key)
    assert state(lab, volume, "restore", "latest").out.count("in place already") == 1


def test_a_damaged_key_is_restored_and_the_damaged_one_can_be_had_back(lab, volume):
    good = (volume / KEY_FILE).read_bytes()
    (volume / KEY_FILE).write_bytes(b"half")
    said = state(lab, volume, "restore", "latest")
    assert said.code == 0 and (volume / KEY_FILE).read_bytes() == good
    run_shell(lab, volume, said.undo[0])
    assert (volume / KEY_FILE).read_bytes() == b"half"


def test_a_missing_key_is_restored_and_can_go_missing_again(lab, volume):
    good = (volume / KEY_FILE).read_bytes()
    (volume / KEY_FILE).unlink()
    before = without_locks(contents(volume))
    said = state(lab, volume, "restore", "1")
    assert said.code == 0 and (volume / KEY_FILE).read_bytes() == good
    for command in said.undo:
        run_shell(lab, volume, command)
    # Above all the copy, which is all that there is of the key.
    assert without_locks(contents(volume)) == before


def test_a_legacy_copy_is_restored_and_the_node_serves_it(lab, volume):
    private_key, public_key = new_key()
    (volume / ".snapshots" / "legacy-wg0.json.1").write_text(key_text(private_key, public_key))
    assert state(lab, volume, "restore", "legacy-wg0.json.1").code == 0
    assert make_node(lab, "after", "state")["wg_pubkey"] == public_key


@pytest.mark.parametrize("name, code", [("7", USAGE), ("../wg0.json", USAGE), ("wg0.json", USAGE),
                                        ("2", DAMAGED)])
def test_what_is_no_good_snapshot_is_not_restored(lab, volume, name, code):
    (volume / ".snapshots" / "wg0.json.00000000000000000002").write_text("{}")
    before = without_locks(contents(volume))
    said = state(lab, volume, "restore", name)
    assert said.code == code and name in said.err
    assert without_locks(contents(volume)) == before


def test_nothing_is_restored_under_a_running_node(lab):
    node = lab.node("runs", volume=lab.volume("state"))
    node.wait_until_up()
    before = (lab.volume("state") / KEY_FILE).read_bytes()
    said = state(lab, lab.volume("state"), "restore", "1")
    assert said.code == LOCKED and "runs" in said.err
    assert node.run("wgmesh", "state", "restore", "1", check=False).returncode == LOCKED
    assert (lab.volume("state") / KEY_FILE).read_bytes() == before


def test_nothing_is_restored_under_a_daemon_without_an_init(lab):
    daemon = bare_daemon(lab, lab.volume("state"))
    eventually(lambda: "wg0" in daemon.port.links(), "its interface")
    assert state(lab, lab.volume("state"), "restore", "1").code == LOCKED


LEASE = "version=1\nstate={state}\nholder=0123456789abcdef0123456789abcdef\nbeat=1\nhost=elsewhere\npid=1\n"


def test_a_lease_of_another_host_is_given_up_or_silent_before_anything_is_restored(lab, volume):
    (volume / KEY_FILE).write_text("half")
    (volume / ".wgmesh.lease.1").write_text(LEASE.format(state="held"))
    said = state(lab, volume, "restore", "1", "--lease-time=1s")
    assert said.code == 0 and "elsewhere" in said.err and "no sign of life" in said.err
    (volume / ".wgmesh.lease.2").write_text(LEASE.format(state="free"))
    assert "elsewhere" not in state(lab, volume, "restore", "latest").err


# What PID 1 makes of it

def test_the_verbs_work_as_the_program_of_wgmesh_init(lab, volume):
    (volume / KEY_FILE).write_text("half")
    box = lab.container("box", ["wgmesh-init", "wgmesh", "state", "restore", "latest"],
                        mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == 0 and "undo: mv" in box.stdout.text()
    assert verify(lab, volume).code == 0


def test_a_verification_that_hangs_ends_the_start(lab):
    script = lab.host_directory("bin") / "wgmesh"
    script.write_text("#!/bin/sh\nexec sleep 1000\n")
    script.chmod(0o755)
    node = lab.node("node", volume=lab.volume("state"), init=["--storage-timeout=200ms"],
                    mounts=[Mount.bind(script, "/usr/local/bin/wgmesh")])
    assert node.wait() == IO_ERROR
    assert "--storage-timeout" in node.log.text()


def test_what_could_not_be_printed_is_no_success(lab, volume):
    command = "wgmesh state list >/dev/full || exit $?"
    box = lab.container("box", ["sh", "-c", command], mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == IO_ERROR and "standard output" in box.log.text()
