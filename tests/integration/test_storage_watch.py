# SPDX-License-Identifier: MIT
"""What becomes of the volume while the daemon runs: PID 1 sees it, says it, and goes on."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

from lib.container import Mount
from lib.node import STATE_DIR
from lib.supervised import status
from lib.wait import eventually

pytestmark = pytest.mark.asan

MARKER = ".wgmesh.volume"
IO_ERROR = 74
EVERY_SECOND = "--storage-check=1s"
ONLY_ON_MOUNTS = "--storage-check=0"
STATE_TMPFS = Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532,size=8m")


def supervised(lab, *mounts, init=(EVERY_SECOND,), program=("probe", "wait"), **options):
    """A program that never touches its state directory, under a wgmesh-init that looks after it."""
    return lab.container("web", ["wgmesh-init", *init, "--", *program], mounts=list(mounts), **options)


def wait_for(box, word, within=8.0):
    """Wait until status has this word for the storage, and that everything else agrees with it."""
    eventually(lambda: status(box)["storage"] == word, f"storage={word}", within)
    said = status(box)
    health = box.exec("wgmesh-init", "healthcheck", check=False)
    assert said["healthy"] == (word == "ok")
    assert health.returncode == (0 if word == "ok" else 1)
    if word != "ok":
        assert STATE_DIR in said["storage_note"]
        assert health.stderr == f"unhealthy: {said['storage_note']}\n"
    return said


def changes(box):
    """The log's lines about the storage."""
    return [event for event in box.log.events() if event.get("component") == "storage"]


def told(box, word):
    """How often the log says that the storage has come to be so."""
    return sum(event.get("storage") == word for event in changes(box))


# Mounts: seen at once, without any interval

@pytest.mark.parametrize("how", ["unmounted", "mounted over"])
def test_a_volume_that_goes_away_is_noticed_at_once_and_so_is_its_return(lab, how):
    volume = lab.volume("state")
    box = supervised(lab, Mount.bind(volume, "/srv/copy"), Mount.bind(volume, STATE_DIR),
                     init=[ONLY_ON_MOUNTS])
    wait_for(box, "ok")
    if how == "unmounted":
        box.run("umount", "--lazy", STATE_DIR)
    else:
        box.run("mount", "-t", "tmpfs", "tmpfs", STATE_DIR)
    said = wait_for(box, "unmounted", within=3)
    assert "mount it again" in said["storage_note"]
    if how == "unmounted":
        box.run("mount", "--bind", "/srv/copy", STATE_DIR)
    else:
        box.run("umount", STATE_DIR)
    wait_for(box, "ok", within=3)
    assert told(box, "unmounted") == 1
    assert any("is good again" in event["msg"] for event in changes(box))


def test_mounts_elsewhere_are_no_news(lab):
    box = supervised(lab, Mount.bind(lab.volume("state"), STATE_DIR), init=[ONLY_ON_MOUNTS])
    for i in range(20):
        box.run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
        box.run("umount", "/mnt")
    wait_for(box, "ok")
    assert changes(box) == []


def test_a_daemon_is_not_started_again_where_its_volume_has_gone(lab):
    node = lab.node("web", volume=lab.volume("state"), init=[EVERY_SECOND])
    node.wait_until_up()
    key = node.public_key
    node.run("umount", "--lazy", STATE_DIR)
    wait_for(node, "unmounted")
    node.mesh_process().signal(signal.SIGKILL)
    eventually(lambda: "not the volume any more" in status(node).get("cause", ""), "the refusal")
    assert status(node)["last_exit"] == IO_ERROR
    assert node.state() is None, "nobody has made a key in its place"
    assert node.stop() == IO_ERROR
    again = lab.node("web", volume=lab.volume("state"))
    assert again.public_key == key


def replace(directory):
    directory.rename(directory.with_name("node.old"))
    directory.mkdir()


def empty(directory):
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize("loss, words", [(replace, "not the volume any more"), (empty, "was emptied")])
def test_a_daemon_is_not_started_again_where_its_key_has_gone_from_the_same_mount(lab, loss, words):
    """The state directory is a part of the volume, so that the mount table cannot tell."""
    volume = lab.volume("data")
    node = lab.node("web", mounts=[Mount.bind(volume, "/data")],
                    init=["--state-dir=/data/node", "--legacy-dir=none"])
    node.wait_until_up()
    eventually(lambda: "served=" in (volume / "node" / MARKER).read_text(), "the last file to be written")
    loss(volume / "node")
    os.chown(volume / "node", 65532, 65532)
    node.mesh_process().signal(signal.SIGKILL)
    eventually(lambda: words in status(node).get("cause", ""), "the refusal")
    assert status(node)["last_exit"] == IO_ERROR
    assert not (volume / "node/wg0.json").exists(), "nobody has made a key in its place"
    assert node.stop() == IO_ERROR


# What becomes of a volume

class Disk:
    """A volume on a device of its own, with blocks that only root may use."""

    def __init__(self, lab):
        image = lab.directory / "disk"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "5", image], check=True)
        self.point = lab.host_directory("disk")
        subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, self.point], check=True)
        self.path = self.point / "state"
        self.path.mkdir()

    def break_down(self):
        """What the kernel does after an error of the disk."""
        subprocess.run(["mount", "-o", "remount,abort", self.point], check=True)

    def close(self):
        subprocess.run(["umount", self.point], check=True)


@pytest.fixture
def disk(lab):
    volume = Disk(lab)
    yield volume
    for container in lab.containers:
        container.kill()
    volume.close()


def test_a_volume_that_becomes_read_only_is_noticed(lab, disk):
    box = supervised(lab, Mount.bind(disk.path, STATE_DIR))
    wait_for(box, "ok")
    disk.break_down()
    assert "read-write" in wait_for(box, "readonly")["storage_note"]
    assert told(box, "readonly") == 1
    assert box.stop() == 128 + signal.SIGTERM


def fill(box, mode):
    with contextlib.suppress(OSError):
        if mode == "bytes":
            with open(box.root(f"{STATE_DIR}/filler"), "wb", buffering=0) as file:
                while True:
                    file.write(bytes(65536))
        for i in range(1000):
            os.mknod(box.root(f"{STATE_DIR}/filler.{i}"))


@pytest.mark.parametrize("mode", ["bytes", "inodes"])
def test_a_volume_that_is_full_is_noticed(lab, mode):
    options = STATE_TMPFS.options + (",nr_inodes=64" if mode == "inodes" else "")
    box = supervised(lab, Mount.tmpfs(STATE_DIR, options))
    wait_for(box, "ok")
    fill(box, mode)
    assert "free some space" in wait_for(box, "full")["storage_note"]
    for path in box.root(STATE_DIR).glob("filler*"):
        path.unlink()
    wait_for(box, "ok")


def test_a_disk_is_full_when_only_root_could_still_write(lab, disk):
    box = supervised(lab, Mount.bind(disk.path, STATE_DIR))
    wait_for(box, "ok")
    box.run("setpriv", "--reuid=65532", "--regid=65532", "--clear-groups",
            "dd", "if=/dev/zero", f"of={STATE_DIR}/filler", "bs=64k", check=False)
    wait_for(box, "full")
    (disk.path / "filler").unlink()
    wait_for(box, "ok")


@pytest.mark.parametrize("how", ["replaced", "emptied"])
def test_a_marker_that_is_not_ours_any_more_is_noticed(lab, how):
    volume = lab.volume("state")
    box = supervised(lab, Mount.bind(volume, STATE_DIR))
    wait_for(box, "ok")
    text = (volume / MARKER).read_text()
    if how == "replaced":
        (volume / MARKER).write_text(text.replace(status(box)["volume_id"], "0" * 32))
    else:
        (volume / MARKER).unlink()
    assert "emptied or replaced" in wait_for(box, "wrong-volume")["storage_note"]
    (volume / MARKER).write_text(text)
    wait_for(box, "ok")


def test_another_container_that_starts_on_the_volume_is_noticed(lab):
    """What it leaves is written by hand, since the lock keeps a real one out."""
    volume = lab.volume("state")
    box = supervised(lab, Mount.bind(volume, STATE_DIR))
    wait_for(box, "ok")
    text = (volume / MARKER).read_text()
    head, boot = text.split("boots=1\n")
    other = boot.replace(box.id, "f" * 64)
    assert other != boot
    (volume / MARKER).write_text(f"{head}boots=2\n{other}{boot}")
    assert "stop one of them" in wait_for(box, "shared")["storage_note"]
    (volume / MARKER).write_text(text)
    wait_for(box, "ok")


def test_what_the_daemon_may_not_do_is_noticed(lab):
    volume = lab.volume("state")
    box = supervised(lab, Mount.bind(volume, STATE_DIR))
    wait_for(box, "ok")
    os.chown(volume, 0, 0)
    assert wait_for(box, "failing")["storage_note"].endswith("fails: Permission denied")
    os.chown(volume, 65532, 65532)
    wait_for(box, "ok")


# A volume that does not answer

@pytest.fixture
def hanging(lab):
    """Like a disk that hangs, or a server that is away."""
    source = lab.host_directory("behind")
    os.chown(source, 65532, 65532)
    volume = lab.fuse(source, "-o", "attr_timeout=0,entry_timeout=0")
    yield volume
    # Whoever waits for it cannot be killed before it answers.
    volume.answer()
    for container in lab.containers:
        container.kill()


PATIENT = (EVERY_SECOND, "--storage-timeout=1s")


def hang(box, volume):
    wait_for(box, "ok")
    volume.hang()
    assert "does not answer" in wait_for(box, "hung")["storage_note"]


def test_a_volume_that_hangs_is_noticed_and_so_is_its_recovery(lab, hanging):
    box = supervised(lab, Mount.bind(hanging.path, STATE_DIR), init=PATIENT)
    hang(box, hanging)
    hanging.answer()
    wait_for(box, "ok")
    assert told(box, "hung") == 1


def test_restarts_signals_and_reaping_go_on_while_the_volume_hangs(lab, hanging):
    box = supervised(lab, Mount.bind(hanging.path, STATE_DIR), init=PATIENT,
                     program=("probe", "obey", "USR1", "3", "orphans", "10", "wait"))
    hang(box, hanging)
    for restarts in (1, 2, 3):
        box.signal(signal.SIGUSR1)
        eventually(lambda n=restarts: status(box)["restarts"] == n and status(box)["state"] == "running",
                   "the next start")
        assert status(box)["last_exit"] == 3
        eventually(lambda n=restarts: box.stdout.lines.count("orphans 10") == n + 1, "its orphans")
    eventually(lambda: not [p for p in box.processes() if p.state == "Z"], "the orphans' reaping")
    assert any("is not written down" in event["msg"] for event in changes(box))


@pytest.mark.parametrize("is_noticed", [True, False])
def test_a_stop_takes_no_longer_while_the_volume_hangs(lab, hanging, is_noticed, time_scale):
    init = PATIENT if is_noticed else ("--storage-check=1h",)
    box = supervised(lab, Mount.bind(hanging.path, STATE_DIR), init=[*init, "--stop-timeout=2s"])
    if is_noticed:
        hang(box, hanging)
    else:
        wait_for(box, "ok")
        hanging.hang()
    begun = time.monotonic()
    box.signal(signal.SIGTERM)
    assert box.wait() == 128 + signal.SIGTERM
    # Whoever still writes when time is up gets a moment more.
    assert time.monotonic() - begun < (1 if is_noticed else 3) * time_scale


@pytest.mark.parametrize("how, code", [("its time is up", 75), ("it is stopped", 128 + signal.SIGTERM)])
def test_who_waits_for_the_lock_ends_in_time_where_the_volume_hangs_meanwhile(lab, hanging, how, code):
    holder = supervised(lab, Mount.bind(hanging.path, STATE_DIR), init=["--storage-check=1h"])
    wait_for(holder, "ok")
    limit = "60s" if how == "it is stopped" else "2s"
    waiting = lab.container("second", ["wgmesh-init", f"--lock-timeout={limit}", "--storage-timeout=1s",
                                       "--", "probe", "wait"], mounts=[Mount.bind(hanging.path, STATE_DIR)])
    eventually(lambda: "waiting up to" in waiting.log.text(), "the wait")
    hanging.hang()
    if how == "it is stopped":
        waiting.signal(signal.SIGTERM)
    assert waiting.wait(within=6) == code
    assert holder.id[:12] in waiting.log.text()


def test_one_look_at_a_time(lab, hanging):
    box = supervised(lab, Mount.bind(hanging.path, STATE_DIR), init=PATIENT)
    hang(box, hanging)
    seen, at_once = set(), 0

    def has_looked_again():
        nonlocal at_once
        looks = {p.pid for p in box.init.children() if p.comm == "wgmesh-volume"}
        at_once = max(at_once, len(looks))
        seen.update(looks)
        return len(seen) >= 3

    eventually(has_looked_again, "three looks", within=15)
    assert at_once == 1


# An idle PID 1

def test_nothing_is_done_between_two_looks(lab, variant):
    if variant == "asan":
        return
    box = supervised(lab, Mount.bind(lab.volume("state"), STATE_DIR), init=["--storage-check=5m"])
    eventually(lambda: box.spawner, "the spawner")
    wait_for(box, "ok")

    def switches():
        return sum(int(p.status["voluntary_ctxt_switches"]) for p in (box.init, box.spawner))

    def settled():
        before = switches()
        time.sleep(0.1)
        return before if switches() == before else None

    before = eventually(settled, "PID 1 at rest")
    time.sleep(3)
    assert switches() == before
