# SPDX-License-Identifier: MIT
"""An identity lives as long as its volume, and is never silently replaced."""

import json
import os
import stat

import pytest

from lib.container import Mount
from lib.node import STATE_DIR
from lib.peer import new_key
from lib.wait import eventually

pytestmark = pytest.mark.asan

KEY_FILE = "wg0.json"
DAMAGED, LOCKED, NO_PERMISSION, POLICY = 65, 75, 77, 78


def is_up(node):
    return node.has_interface() and node.state()


def run_once(lab, name, volume, **options):
    """Start a node, wait until it is up, note its identity and stop it."""
    node = lab.node(name, volume=volume, **options)
    eventually(lambda: is_up(node), "the node")
    identity = node.identity()
    eventually(lambda: node.exec("wgmesh-init", "healthcheck", check=False).returncode == 0, "health")
    assert node.stop() == 0
    return identity, node


# Volumes

def test_a_container_re_created_on_its_volume_is_the_same_node(lab):
    first, _ = run_once(lab, "first", lab.volume("state"))
    second, node = run_once(lab, "second", lab.volume("state"))
    assert second == first
    assert not node.find_log("new key")


def test_a_container_re_created_without_a_volume_is_a_new_node_and_was_warned(lab):
    # Without a hint at the engine, all of them are named; the machine itself may be a container.
    first, node = run_once(lab, "first", None, absent=("/.dockerenv",))
    second, _ = run_once(lab, "second", None)
    assert second["wg_pubkey"] != first["wg_pubkey"]
    said = "\n".join(event["msg"] for event in node.events("error") + node.events("warn"))
    assert STATE_DIR in said
    assert "gives this node a new key" in said
    assert "docker run: add -v" in said
    assert "compose:" in said
    assert "Kubernetes:" in said
    assert len(node.events("error")) == 3


def test_in_kubernetes_only_its_own_cure_is_named(lab):
    log = lab.host_directory("pod") / "termination-log"
    log.touch()
    node = lab.node("node", init=["--persistence=require"], env={"KUBERNETES_SERVICE_HOST": "::1"},
                    mounts=[Mount.bind(log, "/dev/termination-log")])
    assert node.wait() == POLICY
    cure = f"Kubernetes: mount a PersistentVolumeClaim at {STATE_DIR}"
    assert any(event["msg"].startswith(cure) for event in node.events("error"))
    assert "compose:" not in node.log.text()
    assert cure in log.read_text()


@pytest.mark.parametrize("how", ["nothing", "tmpfs", "anonymous"])
def test_persistence_require_refuses_storage_that_will_not_last(lab, how):
    mounts = [Mount.tmpfs(STATE_DIR)] if how == "tmpfs" else []
    volume = lab.anonymous_volume() if how == "anonymous" else None
    node = lab.node("node", volume=volume, mounts=mounts, init=["--persistence=require"])
    assert node.wait() == POLICY
    assert STATE_DIR in node.log.text()


@pytest.mark.parametrize("how", ["volume", "bind"])
def test_persistence_require_accepts_storage_that_lasts(lab, how):
    directory = lab.volume("state") if how == "volume" else lab.host_directory("state")
    node = lab.node("node", volume=directory, init=["--persistence=require"])
    eventually(lambda: is_up(node), "the node")
    assert node.stop() == 0


def test_a_volume_on_the_old_path_is_named_in_the_warning(lab):
    node = lab.node("node", mounts=[Mount.bind(lab.volume("data"), "/backup")])
    eventually(lambda: is_up(node), "the node")
    assert "did you mean /backup? The volume there is empty" in node.log.text()


def test_a_volume_with_this_node_s_files_is_named_rather_than_the_old_path(lab):
    run_once(lab, "before", lab.volume("state"))
    wrong = [Mount.bind(lab.volume("data"), "/data"), Mount.bind(lab.volume("state"), "/state")]
    node = lab.node("node", mounts=wrong, init=["--persistence=require"])
    assert node.wait() == POLICY
    said = [event["msg"] for event in node.events("error")]
    assert any(text.startswith("did you mean /state? The volume there holds files of this node")
               for text in said), said


def test_the_key_file_belongs_to_the_daemon_and_nobody_else_reads_it(lab):
    run_once(lab, "node", lab.volume("state"))
    directory = os.stat(lab.volume("state"))
    file = os.stat(lab.volume("state") / KEY_FILE)
    assert (directory.st_uid, stat.S_IMODE(directory.st_mode)) == (65532, 0o700)
    assert (file.st_uid, stat.S_IMODE(file.st_mode)) == (65532, 0o600)


def test_a_volume_that_belongs_to_somebody_else_is_taken_over(lab):
    first, _ = run_once(lab, "first", lab.volume("state"))
    for path in [lab.volume("state"), *lab.volume("state").rglob("*")]:
        os.chown(path, 1000, 1000)
    second, _ = run_once(lab, "second", lab.volume("state"))
    assert second == first


# Damage

def cut_short(path):
    path.write_bytes(path.read_bytes()[:40])


DAMAGES = {
    "truncated": cut_short,
    "empty": lambda path: path.write_bytes(b""),
    "not JSON": lambda path: path.write_bytes(b"\x00\xff not json"),
    "without keys": lambda path: path.write_text("{}"),
}


@pytest.fixture(params=DAMAGES)
def damaged(lab, request):
    """A volume whose key file is damaged, and the identity that was in it."""
    identity, _ = run_once(lab, "before", lab.volume("state"))
    DAMAGES[request.param](lab.volume("state") / KEY_FILE)
    return identity


def contents(directory):
    """Every file below a directory with its bytes."""
    return {str(path.relative_to(directory)): path.read_bytes()
            for path in sorted(directory.rglob("*")) if path.is_file()}


def without_snapshots(lab):
    snapshots = lab.volume("state") / ".snapshots"
    for path in snapshots.iterdir():
        path.unlink()


def test_a_damaged_key_is_restored_from_its_snapshot_and_that_is_said(lab, damaged):
    identity, node = run_once(lab, "after", lab.volume("state"))
    assert identity == damaged
    said = "\n".join(event["msg"] for event in node.log.events())
    assert KEY_FILE in said and "snapshot" in said and "restored" in said


def test_a_damaged_key_without_a_snapshot_is_never_replaced(lab, damaged):
    without_snapshots(lab)
    before = contents(lab.volume("state")).get(KEY_FILE)
    node = lab.node("after", volume=lab.volume("state"))
    assert node.wait() == DAMAGED
    assert not node.has_interface()
    assert contents(lab.volume("state")).get(KEY_FILE) == before
    said = "\n".join(event["msg"] for event in node.events("error"))
    assert f"{STATE_DIR}/{KEY_FILE}" in said
    assert "--new-identity" in said or "restore" in said


def test_what_is_no_file_where_the_key_should_be_is_named_and_left_to_a_person(lab):
    run_once(lab, "before", lab.volume("state"))
    (lab.volume("state") / KEY_FILE).unlink()
    (lab.volume("state") / KEY_FILE).mkdir()
    node = lab.node("after", volume=lab.volume("state"))
    assert node.wait() == DAMAGED
    assert (lab.volume("state") / KEY_FILE).is_dir()
    assert any(f"{STATE_DIR}/{KEY_FILE}" in event["msg"] for event in node.events("error"))


def test_a_key_that_cannot_be_read_is_never_replaced(lab):
    identity, _ = run_once(lab, "before", lab.volume("state"))
    os.chmod(lab.volume("state") / KEY_FILE, 0)
    again, _ = run_once(lab, "after", lab.volume("state"))
    assert again == identity


# Without these, root may neither read other users' files nor take them over.
NO_OVERRIDE = frozenset({"net_admin", "setuid", "setgid", "kill"})


@pytest.fixture
def unreadable(lab):
    """A volume whose key file belongs to somebody else, and the identity that was in it."""
    identity, _ = run_once(lab, "before", lab.volume("state"))
    os.chown(lab.volume("state") / KEY_FILE, 1234, 1234)
    return identity


def test_an_unreadable_key_is_restored_from_its_snapshot_and_that_is_said(lab, unreadable):
    owned = "mode=700,uid=65532,gid=65532"
    identity, node = run_once(lab, "after", lab.volume("state"), caps=NO_OVERRIDE,
                              mounts=[Mount.tmpfs("/run/wgmesh", owned),
                                      Mount.tmpfs("/run/wireguard", owned)])
    assert identity == unreadable
    said = "\n".join(event["msg"] for event in node.log.events())
    assert KEY_FILE in said and "cannot be read" in said and "restored" in said


def test_an_unreadable_key_without_a_snapshot_is_never_replaced(lab, unreadable):
    without_snapshots(lab)
    node = lab.node("after", volume=lab.volume("state"), caps=NO_OVERRIDE)
    assert node.wait() == NO_PERMISSION
    assert (lab.volume("state") / KEY_FILE).stat().st_uid == 1234
    assert not (lab.volume("state") / ".snapshots").exists() or not list(
        (lab.volume("state") / ".snapshots").iterdir())
    said = node.log.events()[-1]["msg"]
    assert f"{STATE_DIR}/{KEY_FILE} belongs to 1234:1234 with mode 0600" in said
    assert "CAP_CHOWN" in said and "chown -R 65532:65532" in said


def test_a_missing_key_beside_traces_of_one_is_no_first_start(lab):
    identity, _ = run_once(lab, "before", lab.volume("state"))
    (lab.volume("state") / KEY_FILE).unlink()
    again, _ = run_once(lab, "after", lab.volume("state"))
    assert again == identity


def test_a_refusal_is_left_where_kubernetes_shows_it(lab):
    (lab.volume("state") / KEY_FILE).write_bytes(b"")
    log = lab.host_directory("pod") / "termination-log"
    log.touch()
    node = lab.node("node", volume=lab.volume("state"),
                    mounts=[Mount.bind(log, "/dev/termination-log")])
    assert node.wait() == DAMAGED
    assert KEY_FILE in log.read_text()


# Keys of existing nodes, and of older deployments

def existing_key_file(private_key, public_key):
    """A key file as existing nodes write it, before they kept addresses in it."""
    return json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2)


def test_the_key_file_of_an_existing_node_is_used_as_it_is(lab):
    private_key, public_key = new_key()
    (lab.volume("state") / KEY_FILE).write_text(existing_key_file(private_key, public_key))
    identity, _ = run_once(lab, "node", lab.volume("state"))
    assert identity["wg_pubkey"] == public_key
    assert identity["wg_private_key"] == private_key


def test_the_key_is_migrated_from_the_legacy_directory_and_stays_there(lab):
    private_key, public_key = new_key()
    (lab.volume("data") / KEY_FILE).write_text(existing_key_file(private_key, public_key))
    before = (lab.volume("data") / KEY_FILE).read_bytes()
    legacy = [Mount.bind(lab.volume("data"), "/data")]
    identity, node = run_once(lab, "node", lab.volume("state"), mounts=legacy)
    assert identity["wg_pubkey"] == public_key
    assert (lab.volume("data") / KEY_FILE).read_bytes() == before
    assert "/data" in node.log.text()
    again, _ = run_once(lab, "again", lab.volume("state"))
    assert again == identity


def test_migration_never_overwrites_a_key_that_is_in_place(lab):
    identity, _ = run_once(lab, "first", lab.volume("state"))
    (lab.volume("data") / KEY_FILE).write_text(existing_key_file(*new_key()))
    legacy = [Mount.bind(lab.volume("data"), "/data")]
    again, node = run_once(lab, "second", lab.volume("state"), mounts=legacy)
    assert again == identity
    assert "/data" in node.log.text()


def test_two_containers_on_one_volume_do_not_run_the_same_identity(lab):
    first = lab.node("first", volume=lab.volume("state"))
    eventually(lambda: is_up(first), "the first node")
    second = lab.node("second", volume=lab.volume("state"), init=["--lock-timeout=200ms"])
    assert second.wait() == LOCKED
    assert not second.has_interface()
    said = [event["msg"] for event in second.events("error")]
    assert any(f"first (container {first.id[:12]})" in text for text in said), said


def test_a_container_waits_for_the_end_of_the_one_it_replaces(lab):
    first = lab.node("first", volume=lab.volume("state"))
    eventually(lambda: is_up(first), "the first node")
    identity = first.identity()
    second = lab.node("second", volume=lab.volume("state"))
    second.wait_for_log("waiting up to")
    assert not second.has_interface()
    first.stop()
    eventually(lambda: is_up(second), "the second node")
    assert second.identity() == identity
