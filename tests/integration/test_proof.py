# SPDX-License-Identifier: MIT
"""The volume's marker: what it proves at a start, and that it is never a reason to refuse one."""

import re
import shutil
import subprocess

import pytest

from lib.container import Mount
from lib.node import STATE_DIR
from lib.supervised import status
from lib.wait import eventually

pytestmark = pytest.mark.asan

MARKER = ".wgmesh.volume"
DAMAGED = 65


def marker(volume):
    """The lines of the marker: key to list of values."""
    found = {}
    for line in (volume / MARKER).read_text(encoding="ascii").splitlines():
        key, _, value = line.partition("=")
        found.setdefault(key, []).append(value)
    return found


def start(lab, name, volume, **options):
    """A node that serves its key, noted on the volume or not."""
    node = lab.node(name, volume=volume, **options)
    eventually(lambda: status(node).get("serves"), f"the key of {name}")
    return node


def is_noted(volume, node):
    return marker(volume).get("served") == [f"wg0 {node.public_key}"]


def run_once(lab, name, volume, **options):
    """Start a node, wait until the volume knows its key, and stop it."""
    node = start(lab, name, volume, **options)
    eventually(lambda: is_noted(volume, node), "the key on the volume")
    assert node.stop() == 0
    return node


def proof(node):
    said = status(node)
    return said["proof"], said["proof_note"]


# What it proves

def test_the_first_start_is_a_prediction_and_leaves_a_marker(lab):
    volume = lab.volume("state")
    node = start(lab, "web", volume, env={"WGMESH_IMAGE_VERSION": "1.2.3"})
    assert proof(node)[0] == "predicted"
    assert re.fullmatch("[0-9a-f]{32}", status(node)["volume_id"])
    said = marker(volume)
    assert said["volume"] == [status(node)["volume_id"]] and said["boots"] == ["1"]
    assert said["boot"][0].split()[1:4] == [node.id, "web", "1.2.3"]
    assert (volume / MARKER).stat().st_mode & 0o777 == 0o600
    assert (volume / MARKER).stat().st_uid == 65532
    assert node.find_log("first start on this volume")
    assert not node.find_log("is not known")


def test_a_re_created_container_proves_the_volume(lab):
    volume = lab.volume("state")
    first = run_once(lab, "web", volume)
    before = marker(volume)
    second = start(lab, "web", volume)
    kind, note = proof(second)
    assert kind == "proven" and first.id[:12] in note
    assert status(second)["boots"] == 2
    assert marker(volume)["volume"] == before["volume"]
    assert len(marker(volume)["boot"]) == 2 and "proven" in marker(volume)


def test_a_restart_of_the_same_container_proves_a_restart_only(lab):
    """Engines start the same container again with the same id: here, a second PID 1 inside."""
    volume = lab.volume("state")
    box = lab.container("web", ["sleep", "1000"], mounts=[Mount.bind(volume, STATE_DIR)])
    for _ in range(2):
        box.run("wgmesh-init", "--restart=never", "--", "true")
    assert marker(volume)["boots"] == ["2"] and "proven" not in marker(volume)
    result = box.run("wgmesh-init", "--restart=never", "--", "true")
    assert "survived a restart of this container, at start 3" in result.stderr


def test_a_state_directory_of_an_older_release_is_adopted(lab):
    volume = lab.volume("state")
    run_once(lab, "web", volume)
    (volume / MARKER).unlink()
    assert proof(start(lab, "web", volume))[0] == "adopted"


def test_state_that_came_with_the_image_is_called_a_clone(lab):
    volume = lab.volume("state")
    run_once(lab, "web", volume)
    baked = lab.host_directory("baked")
    shutil.copytree(volume, baked / "state")
    script = f"cp -a /baked/state/. {STATE_DIR}/; exec wgmesh-init --restart=never -- true"
    box = lab.container("web", ["sh", "-c", script], mounts=[Mount.bind(baked, "/baked")])
    assert box.wait() == 0
    assert "it came with the image" in box.log.text()


def test_the_verdict_is_contradicted_where_the_marker_knows_better(lab):
    volume = lab.anonymous_volume()
    run_once(lab, "web", volume)
    node = start(lab, "web", volume)
    kind, note = proof(node)
    assert status(node)["verdict"] == "anonymous"
    assert kind == "proven" and "somebody carried it over" in note


# What it warns of

def test_a_key_that_is_gone_is_a_partial_loss_that_names_it(lab):
    volume = lab.volume("state")
    lost = run_once(lab, "web", volume)
    key = marker(volume)["served"][0].split()[1]
    (volume / "wg0.json").unlink()
    shutil.rmtree(volume / ".snapshots")
    node = lab.node("web", volume=volume)
    node.wait_for_log("the key of wg0 is gone")
    event = node.find_log("the key of wg0 is gone", level="warn")
    assert key in event["msg"] and lost.id[:12] in event["msg"]
    assert event["proof"] == "partial-loss"


def test_a_volume_of_a_node_with_another_chosen_name_is_a_wrong_one(lab):
    volume = lab.volume("state")
    run_once(lab, "web-0", volume)
    node = start(lab, "web-1", volume)
    kind, note = proof(node)
    assert kind == "wrong-volume" and "web-0" in note and "web-1" in note
    assert node.stop() == 0
    assert proof(start(lab, "web-1", volume))[0] == "proven"


@pytest.mark.parametrize("names", [("0123456789ab", "ba9876543210"),
                                   ("mesh-6d4b75cb6d-hh5zx", "mesh-6d4b75cb6d-9xk2w")])
def test_generated_names_say_nothing(lab, names):
    volume = lab.volume("state")
    run_once(lab, names[0], volume)
    assert proof(start(lab, names[1], volume))[0] == "proven"


def test_another_key_than_the_one_recorded_is_warned_of_with_both(lab):
    volume, other = lab.volume("state"), lab.volume("other")
    first = run_once(lab, "web", volume).name
    run_once(lab, first, other)
    old = marker(volume)["served"][0].split()[1]
    shutil.rmtree(volume / ".snapshots")
    for name in ("wg0.json", ".snapshots"):
        copy = shutil.copytree if (other / name).is_dir() else shutil.copy2
        copy(other / name, volume / name)
        subprocess.run(["chown", "-R", "65532:65532", volume / name], check=True)
    node = start(lab, "web", volume)
    eventually(lambda: proof(node)[0] == "wrong-volume", "the warning")
    assert old in proof(node)[1] and node.public_key in proof(node)[1]
    eventually(lambda: is_noted(volume, node), "the new key on the volume")
    assert node.stop() == 0
    assert proof(start(lab, "web", volume))[0] == "proven"


# What it survives

def test_a_damaged_marker_is_kept_aside_and_begun_anew(lab):
    volume = lab.volume("state")
    run_once(lab, "web", volume)
    for i in range(3):
        (volume / MARKER).write_text(f"version=1\nnonsense {i}\n")
        node = start(lab, "web", volume)
        assert proof(node)[0] == "unreadable"
        assert node.find_log("the damaged marker is kept as", level="warn")
        eventually(lambda box=node: is_noted(volume, box), "the key on the new marker")
        assert node.stop() == 0
    kept = sorted(path.name for path in volume.glob(MARKER + ".damaged*"))
    assert kept == [MARKER + ".damaged", MARKER + ".damaged.1", MARKER + ".damaged.2"]
    assert "nonsense 0" in (volume / kept[0]).read_text()
    assert marker(volume)["boots"] == ["1"]


def test_a_marker_of_a_later_release_is_left_alone(lab):
    volume = lab.volume("state")
    run_once(lab, "web", volume)
    later = "version=2\nwhatever it may be\n"
    (volume / MARKER).write_text(later)
    node = start(lab, "web", volume, init=["--storage-check=1s"])
    assert proof(node)[0] == "unreadable" and "later release" in proof(node)[1]
    assert node.stop() == 0
    assert (volume / MARKER).read_text() == later


def test_a_full_disk_is_no_reason_to_refuse_for_want_of_a_marker(lab, tmp_path):
    """Room for the probe of the writability phase, and none for a file more."""
    box = lab.container("web", ["sleep", "1000"], mounts=[
        Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532,size=8m,nr_inodes=64")])
    # The marker's temporary sibling is a directory: it can be neither written nor removed.
    box.run("mkdir", f"{STATE_DIR}/.wgmesh.volume.new")
    result = box.run("wgmesh-init", "--restart=never", "--", "true")
    assert "this start is not noted on the volume" in result.stderr


def test_the_last_exit_is_noted(lab):
    volume = lab.volume("state")
    box = lab.container("web", ["wgmesh-init", "--restart=never", "--", "sh", "-c", "exit 7"],
                        mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == 7
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ 7", marker(volume)["last_exit"][0])


def test_check_reports_the_proof_and_changes_nothing(lab):
    volume = lab.volume("state")
    node = start(lab, "web", volume)
    eventually(lambda: is_noted(volume, node), "the key on the volume")
    before = (volume / MARKER).read_bytes()
    assert "\nproof        ok       predicted:" in node.exec("wgmesh-init", "check").stdout
    assert (volume / MARKER).read_bytes() == before
    assert node.stop() == 0
    box = lab.container("web", ["wgmesh-init", "check", "--json"], mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == 0
    assert '"proof":"proven"' in box.stdout.text()


# The key that is served

def test_the_served_key_is_written_once(lab):
    volume = lab.volume("state")
    node = start(lab, "web", volume)
    eventually(lambda: is_noted(volume, node), "the key on the volume")
    inode = (volume / MARKER).stat().st_ino
    mesh = eventually(node.mesh_process, "the daemon")
    mesh.signal(9)
    eventually(lambda: status(node)["restarts"] == 1 and status(node)["ready"], "the next run")
    # The end was noted, so the file was replaced; the key was not noted again.
    eventually(lambda: "last_exit" in marker(volume), "the end")
    assert is_noted(volume, node) and (volume / MARKER).stat().st_ino != inode
    assert status(node)["serves"] == f"wg0 {node.public_key}"
