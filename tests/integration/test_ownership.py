# SPDX-License-Identifier: MIT
"""Whoever owns the state: afterwards the daemon can work, or a sentence says who may not what, and why.

And whatever somebody has planted in the state directory: nothing outside of it changes.
"""

import ctypes
import json
import multiprocessing
import os
import shutil
import signal
import stat
import struct
import subprocess

import pytest

from lib.container import DOCKER_CAPS, Mount
from lib.node import STATE_DIR
from lib.peer import new_key
from lib.wait import eventually

KEY_FILE = "wg0.json"
IO_ERROR, NO_PERMISSION = 74, 77
DAEMON = (65532, 65532)
TEAM = 2000
RUNTIME = [Mount.tmpfs(path, "mode=700,uid=65532,gid=65532") for path in ("/run/wgmesh", "/run/wireguard")]
FULL = DOCKER_CAPS | {"net_admin"}
NO_FILE_RIGHTS = FULL - {"chown", "fowner", "dac_override", "fsetid"}


def make_state(directory, owner, dir_mode, file_mode, group=None):
    """A state directory with a key, a cache and a snapshot; returns the public key."""
    private_key, public_key = new_key()
    text = json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2)
    (directory / ".snapshots").mkdir()
    for name in (KEY_FILE, "wg0-peers.json", ".snapshots/wg0.json.00000000000000000001"):
        (directory / name).write_text(text if "peers" not in name else '{"peers": null, "updated_at": 1}')
    for path in sorted(directory.rglob("*"), reverse=True) + [directory]:
        os.chown(path, owner, owner if group is None else group)
        path.chmod(dir_mode if path.is_dir() else file_mode)
    return public_key


def owner_and_mode(path):
    st = os.stat(path)
    return st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)


def serve(lab, volume, key=None, **options):
    """Start a node on the volume: the daemon can work, so it serves the key, and stops with 0."""
    node = lab.node("node", volume=volume, **options)
    node.wait_until_up()
    if key:
        assert node.run("wg", "show", "wg0", "public-key").stdout.strip() == key
    assert node.stop() == 0, node.log.text()
    return node


def refused(lab, volume, *words, **options):
    """Start a node on the volume: it ends with 77, and one sentence has all the words."""
    node = lab.node("node", volume=volume, **options)
    assert node.wait() == NO_PERMISSION, node.log.text()
    sentences = [event["msg"] for event in node.events("error")]
    assert any(all(word in sentence for word in words) for sentence in sentences), sentences
    return node


def ownership(node):
    """What the phase said."""
    return next(event for event in node.log.events()
                if event.get("component") == "ownership" and "outcome" in event)


# The matrix

@pytest.mark.parametrize("file_mode", [0o600, 0o644, 0o400, 0o000, 0o6777], ids=oct)
@pytest.mark.parametrize("dir_mode", [0o700, 0o755, 0o2770, 0o1777, 0o000], ids=oct)
@pytest.mark.parametrize("owner", [0, 1000, 65532])
def test_what_root_finds_is_put_right(lab, owner, dir_mode, file_mode):
    volume = lab.volume("state")
    key = make_state(volume, owner, dir_mode, file_mode)
    serve(lab, volume, key)
    # The group of that number is the daemon's own.
    is_shared = (owner, dir_mode) == (65532, 0o2770)
    assert owner_and_mode(volume) == (65532, 65532, 0o2770 if is_shared else 0o700)
    for path in (volume / KEY_FILE, volume / "wg0-peers.json", *(volume / ".snapshots").iterdir()):
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (65532, 0o600), path


@pytest.mark.asan
def test_the_second_start_finds_nothing_to_do(lab):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o755, 0o644)
    assert "entries were put right for user 65532:65532" in ownership(serve(lab, volume, key))["msg"]
    before = (volume / KEY_FILE).stat()
    node = serve(lab, volume, key)
    assert "all files belong to user 65532:65532" in ownership(node)["msg"]
    assert (volume / KEY_FILE).stat().st_ctime_ns == before.st_ctime_ns or node.find_log("mesh_ip")


@pytest.mark.asan
def test_fix_permissions_does_it_alone_and_reports(lab):
    volume = lab.volume("state")
    make_state(volume, 1000, 0o755, 0o644)

    def report(*options):
        box = lab.container("box", ["wgmesh-init", "fix-permissions", "--json", *options],
                            mounts=[Mount.bind(volume, STATE_DIR)])
        assert box.wait() == 0, box.log.text()
        return json.loads(box.stdout.text())

    would = report("--dry-run")
    assert (would["directory"], would["dry_run"], would["exit_code"]) == (STATE_DIR, True, 0)
    assert owner_and_mode(volume / KEY_FILE) == (1000, 1000, 0o644)
    did = report()
    assert (did["dry_run"], did["phase"], did["outcome"]) == (False, "ownership", "ok")
    assert "put right for user 65532:65532" in did["note"]
    assert owner_and_mode(volume / KEY_FILE) == (*DAEMON, 0o600)


@pytest.mark.parametrize("missing", ["chown", "fowner", "dac_override", "fowner dac_override"])
def test_root_that_lacks_a_right_puts_right_what_it_can_or_names_it(lab, missing):
    """Files of somebody else, which takes more than one right each."""
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o700, 0o640)
    options = {"caps": FULL - frozenset(missing.split()), "mounts": RUNTIME}
    if missing == "chown":
        refused(lab, volume, "belongs to 1000:1000 with mode 0700", "CAP_CHOWN", "cap_add: [CHOWN]",
                "chown -R 65532:65532", "Kubernetes", **options)
    else:
        serve(lab, volume, key, **options)
        assert owner_and_mode(volume / KEY_FILE)[::2] == (65532, 0o600)


def test_root_without_any_right_over_files_works_with_what_is_the_daemons(lab):
    volume = lab.volume("state")
    key = make_state(volume, 65532, 0o755, 0o644)
    serve(lab, volume, key, caps=NO_FILE_RIGHTS, mounts=RUNTIME)
    assert owner_and_mode(volume / KEY_FILE)[2] == 0o600


@pytest.mark.asan
@pytest.mark.parametrize("owner, mode", [(0, 0o700), (1000, 0o700), (1000, 0o755)])
def test_root_without_any_right_over_files_is_refused_what_is_not(lab, owner, mode):
    volume = lab.volume("state")
    make_state(volume, owner, mode, 0o600)
    refused(lab, volume, f"belongs to {owner}:{owner} with mode {mode:04o}", "the daemon is 65532:65532",
            "root without CAP_CHOWN", "chown -R 65532:65532", caps=NO_FILE_RIGHTS, mounts=RUNTIME)
    assert owner_and_mode(volume / KEY_FILE) == (owner, owner, 0o600)


def test_files_that_may_not_be_changed_and_need_not_be_are_a_warning(lab):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o777, 0o666)
    node = serve(lab, volume, key, caps=NO_FILE_RIGHTS, mounts=RUNTIME)
    assert ownership(node)["outcome"] == "warned"
    assert "the daemon can work with them" in ownership(node)["msg"]


@pytest.mark.asan
def test_a_group_that_kubernetes_gave_the_volume_to_keeps_it(lab):
    """runAsUser 65532, fsGroup 2000: the kubelet makes it 2770 and 0660, and would do so again."""
    volume = lab.volume("state")
    key = make_state(volume, 0, 0o2770, 0o660, TEAM)
    rights = {"caps": frozenset({"net_admin"}), "ambient": frozenset({"net_admin"}), "mounts": RUNTIME}
    serve(lab, volume, key, user=DAEMON, groups=(TEAM,), **rights)
    assert owner_and_mode(volume) == (0, TEAM, 0o2770)
    # What has changed is the daemon's own: the address that was added.
    assert owner_and_mode(volume / "wg0-peers.json")[1] == TEAM
    refused(lab, volume, "belongs to 0:2000 with mode 2770", "runs as uid 65532 without CAP_CHOWN",
            "fsGroup: 65532", "fix-permissions", user=DAEMON, **rights)


def test_a_user_who_is_not_root_mends_what_is_his(lab):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o755, 0o444)
    mounts = [Mount.tmpfs(path, "mode=700,uid=1000,gid=1000") for path in ("/run/wgmesh", "/run/wireguard")]
    serve(lab, volume, key, user=(1000, 1000), caps=frozenset({"net_admin"}),
          ambient=frozenset({"net_admin"}), mounts=mounts)
    assert owner_and_mode(volume) == (1000, 1000, 0o700)


# What owner and mode do not tell

@pytest.fixture
def squashed(lab):
    """A volume on a file server that lets nobody change owners or modes."""
    def make(owner, dir_mode, file_mode):
        key = make_state(lab.volume("export"), owner, dir_mode, file_mode)
        return lab.fuse(lab.volume("export"), "--chown-deny", "--chmod-deny", "--chgrp-deny").path, key
    return make


def test_a_server_that_refuses_root_is_no_reason_to_stop_where_the_daemon_can_work(lab, squashed):
    volume, key = squashed(65532, 0o755, 0o640)
    node = serve(lab, volume, key)
    assert ownership(node)["outcome"] == "warned"
    assert "the daemon can work with them" in ownership(node)["msg"]


def test_a_server_that_refuses_root_is_named_where_it_cannot(lab, squashed):
    volume, _ = squashed(1000, 0o700, 0o600)
    refused(lab, volume, "belongs to 1000:1000 with mode 0700", "root_squash", "on the file server run chown -R")


ACL = struct.Struct("<HHI")
USER_OBJ, GROUP_OBJ, MASK, OTHER, NOBODY = 1, 4, 16, 32, 0xffffffff


def deny_group(path):
    """An ACL whose mask shows as group bits in the mode, and that gives the group nothing."""
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(
        ACL.pack(*entry, NOBODY) for entry in ((USER_OBJ, 7), (GROUP_OBJ, 0), (MASK, 7), (OTHER, 0))))


def test_a_mode_that_lies_is_not_believed(lab):
    volume = lab.volume("state")
    key = make_state(volume, 0, 0o2770, 0o660, 65532)
    for path in (volume, volume / KEY_FILE):
        deny_group(path)
        assert owner_and_mode(path)[2] & 0o70 == 0o70
    serve(lab, volume, key)
    assert owner_and_mode(volume / KEY_FILE)[::2] == (65532, 0o600)


def test_a_closed_directory_above_is_named(lab):
    closed = Mount.tmpfs("/srv/closed", "mode=700")
    node = lab.node("node", init=["--state-dir=/srv/closed/state"], mounts=[closed])
    assert node.wait() == NO_PERMISSION, node.log.text()
    sentence = node.events("error")[-1]["msg"]
    assert "/srv/closed/state belongs to 65532:65532 with mode 0700" in sentence
    assert "a directory above it" in sentence and "chmod o+x" in sentence


@pytest.fixture
def immutable():
    """Make a path immutable until the end of the test."""
    made = []

    def make(path):
        done = subprocess.run(["chattr", "+i", path], check=False, stderr=subprocess.DEVNULL)
        if done.returncode:
            pytest.skip("the file system below the checkout knows no immutable files")
        made.append(path)

    yield make
    for path in made:
        subprocess.run(["chattr", "-i", path], check=True)


def test_an_immutable_key_that_the_daemon_can_read_will_do(lab, immutable):
    volume = lab.volume("state")
    key = make_state(volume, 65532, 0o700, 0o600)
    immutable(volume / "wg0-peers.json")
    serve(lab, volume, key)


@pytest.mark.parametrize("name, words", [
    ("", ["open the directory", STATE_DIR + " belongs to 1000:1000 with mode 0700"]),
    (KEY_FILE, ["read a file", f"{KEY_FILE} belongs to 1000:1000 with mode 0600"])], ids=["directory", "key"])
def test_what_is_immutable_is_named_with_the_command(lab, immutable, name, words):
    volume = lab.volume("state")
    make_state(volume, 1000, 0o700, 0o600)
    shutil.rmtree(volume / ".snapshots")
    immutable(volume / name)
    refused(lab, volume, *words, "it is immutable", "chattr")


@pytest.mark.parametrize("count", [65533, 65536])
def test_an_owner_that_is_not_mapped_is_not_touched_and_to_be_mapped(lab, count):
    volume = lab.volume("state")
    make_state(volume, 100000, 0o700, 0o600)
    namespace = lab.user_namespace(count)
    refused(lab, volume, "belongs to 65534:65534 (a user not mapped here) with mode 0700", "map this uid",
            user_namespace=namespace, port=lab.port(fd=namespace.take_network()), caps=None)
    assert owner_and_mode(volume) == (100000, 100000, 0o700)


def test_nobodys_files_are_put_right_where_that_user_is_mapped(lab):
    volume = lab.volume("state")
    key = make_state(volume, 65534, 0o700, 0o600)
    namespace = lab.user_namespace(65536)
    serve(lab, volume, key, user_namespace=namespace, port=lab.port(fd=namespace.take_network()), caps=None)


# What somebody has planted

@pytest.fixture
def victim(lab):
    """A directory outside with a file; afterwards neither has changed."""
    directory = lab.host_directory("victim")
    file = directory / "file"
    file.write_text("precious")
    os.chown(file, 4711, 4711)
    file.chmod(0o640)
    os.chown(directory, 4711, 4711)
    before = owner_and_mode(file), owner_and_mode(directory), file.stat().st_mtime_ns
    yield file
    assert file.read_text() == "precious"
    assert (owner_and_mode(file), owner_and_mode(directory), file.stat().st_mtime_ns) == before
    assert list(directory.iterdir()) == [file]


PLANTED = {
    "symlink": os.symlink,
    "symlink to a directory": lambda victim, path: os.symlink(victim.parent, path),
    "dangling symlink": lambda victim, path: os.symlink(victim.parent / "new", path),
    "hard link": os.link,
    "fifo": lambda victim, path: os.mkfifo(path),
    "device": lambda victim, path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(10, 130)),
    "socket": lambda victim, path: os.mknod(path, stat.S_IFSOCK | 0o666),
    "directory": lambda victim, path: (path.mkdir(), (path / "full").touch()),
}
# With these, everything is tried; with the others, what has done harm before.
IMPORTANT = (KEY_FILE, ".snapshots", ".wg0.json.new", ".wgmesh.lock")
OFTEN = ("symlink", "hard link", "fifo", "directory")
NAMES = [KEY_FILE, "wg0-peers.json", "wg1.json", "mesh-state.json", ".snapshots", ".wg0.json.new",
         ".wg0-peers.json.new", ".wgmesh.lock", ".wgmesh.probe", ".wgmesh.trial", ".wgmesh.history",
         ".wgmesh.history.new", ".wgmesh.volume", ".wgmesh.volume.new", ".wgmesh.alive", ".wgmesh.lease.1",
         ".wgmesh.migrated", ".wgmesh.migrated.new",
         ".snapshots/wg0.json.00000000000000000002", ".snapshots/.legacy.new"]
# Documented ends of a start that cannot go on; 0 is a node that served and was stopped.
ENDS = {0, 65, 73, 74, 77, 78}


def plant(volume, name, what, victim):
    path = volume / name
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
    PLANTED[what](victim, path)


@pytest.mark.parametrize("name, what", [
    (name, what) for name in NAMES for what in PLANTED if name in IMPORTANT or what in OFTEN])
def test_whatever_is_planted_nothing_outside_changes(lab, victim, name, what):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o700, 0o600)
    plant(volume, name, what, victim)
    legacy = lab.volume("data")
    (legacy / "account.json").write_text("{}")
    node = lab.node("node", volume=volume, mounts=[Mount.bind(legacy, "/data")])
    eventually(lambda: not node.is_running() or node.find_log("announcing and listening"), "an end or a node")
    if node.is_running():
        # With the key in place, or restored from its snapshot, it is the same node.
        assert node.run("wg", "show", "wg0", "public-key").stdout.strip() == key
        node.signal(signal.SIGTERM)
    assert node.wait() in ENDS, node.log.text()
    # Nor is it copied to where others read it.
    for path in [*volume.rglob("*"), *legacy.rglob("*")]:
        st = path.lstat()
        assert not stat.S_ISREG(st.st_mode) or st.st_nlink > 1 or b"precious" not in path.read_bytes(), path


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize("name", [".migrated-to-wgmesh", ".migrated-to-wgmesh.new", "wg0-peers.json"])
def test_whatever_is_planted_in_the_legacy_directory_nothing_outside_changes(lab, victim, name, what):
    legacy = lab.volume("data")
    (legacy / "account.json").write_text("{}")
    plant(legacy, name, what, victim)
    serve(lab, lab.volume("state"), mounts=[Mount.bind(legacy, "/data")])
    assert (lab.volume("state") / "account.json").read_text() == "{}"


def test_a_mount_inside_is_not_entered(lab, victim):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o700, 0o600)
    for name in (".wgmesh.directory", ".wgmesh.file"):
        (volume / name).mkdir() if name.endswith("y") else (volume / name).touch()
    node = serve(lab, None, key, mounts=[Mount.bind(volume, STATE_DIR),
                                         Mount.bind(victim.parent, f"{STATE_DIR}/.wgmesh.directory"),
                                         Mount.bind(victim, f"{STATE_DIR}/.wgmesh.file")])
    left = [event["msg"] for event in node.events("warn") if "left alone" in event["msg"]]
    assert len([text for text in left if "is a mount of its own" in text]) == 2, left


def test_a_mount_in_place_of_the_snapshots_is_not_entered(lab, victim):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o700, 0o600)
    node = serve(lab, None, key, mounts=[Mount.bind(volume, STATE_DIR),
                                         Mount.bind(victim.parent, f"{STATE_DIR}/.snapshots")])
    assert node.find_log(".snapshots is a mount of its own")


def test_names_that_somebody_made_up_forge_no_line_of_the_log(lab):
    volume = lab.volume("state")
    make_state(volume, 1000, 0o700, 0o600)
    os.mkfifo(volume / ".wgmesh\n{\"level\":\"error\",\"msg\":\"forged\"}\x1b[2J")
    node = serve(lab, volume)
    assert all(line.startswith('{"time"') for line in node.log.lines), node.log.text()
    assert "\x1b" not in node.log.text()
    assert node.find_log("\\x0a") and node.find_log("\\x1b[2J")


def test_ten_thousand_files_of_others_are_not_touched_and_take_no_time(lab):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o700, 0o600)
    for number in range(10000):
        (volume / f"photo-{number}.jpg").touch()
    before = (volume / "photo-1.jpg").stat().st_ctime_ns
    node = serve(lab, volume, key)
    assert float(ownership(node)["duration_ms"]) < 500
    assert (volume / "photo-1.jpg").stat().st_ctime_ns == before


def test_ten_thousand_files_of_ours_are_put_right(lab):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o700, 0o600)
    for number in range(10000):
        (volume / ".snapshots" / f"wg1.json.{number:020}").touch()
    node = serve(lab, volume, key)
    assert float(ownership(node)["duration_ms"]) < 3000
    assert (volume / ".snapshots" / f"wg1.json.{77:020}").stat().st_uid == 65532


def test_ten_thousand_traps_do_not_fill_the_log(lab):
    volume = lab.volume("state")
    key = make_state(volume, 1000, 0o700, 0o600)
    for number in range(10000):
        os.symlink("/etc/passwd", volume / f".wgmesh.{number}")
    node = serve(lab, volume, key)
    assert len([event for event in node.log.events() if "left alone" in event["msg"]]) <= 10


LIBC = ctypes.CDLL(None, use_errno=True)
RENAME_EXCHANGE = 2


def swap_for_ever(volume, victim):
    """The key file, a link to a file outside, and a second name of it: now this, now that."""
    aside = volume / "aside"
    os.symlink(victim, volume / "link")
    names = [os.fsencode(volume / name) for name in (KEY_FILE, "link", "hard")]
    while True:
        for other in names[1:]:
            if other == names[2]:
                os.link(victim, other)
            for _ in range(2):
                LIBC.renameat2(-100, names[0], -100, other, RENAME_EXCHANGE)
            if other == names[2]:
                os.unlink(other)
        # Under its own name, and gone as soon as somebody has it open.
        os.rename(names[0], aside)
        os.link(victim, names[0])
        os.unlink(names[0])
        os.rename(aside, names[0])


def test_whoever_swaps_files_while_init_walks_gets_nothing_outside_changed(lab, victim):
    volume = lab.volume("state")
    make_state(volume, 1000, 0o700, 0o600)
    os.chown(volume, 65532, 65532)
    hostile = multiprocessing.get_context("fork").Process(target=swap_for_ever, args=(volume, victim), daemon=True)
    hostile.start()
    try:
        box = lab.container("box", ["sh", "-c", "for i in $(seq 200); do wgmesh-init fix-permissions "
                                    "--log-level=error; done >/dev/null"], mounts=[Mount.bind(volume, STATE_DIR)])
        assert box.wait(60) in (0, NO_PERMISSION)
        assert hostile.is_alive()
    finally:
        hostile.kill()
        hostile.join()


# Storage that stops answering in the middle

def hang_in(lab, call, *init):
    """wgmesh-init fix-permissions whose child gets no answer to a system call."""
    volume = lab.volume("state")
    make_state(volume, 1000, 0o700, 0o600)
    return lab.container("box", ["strace", "-f", "-qq", "-o", "/tmp/trace", "-e", f"trace={call}", "-e",
                                 f"inject={call}:delay_enter=60s", "wgmesh-init", "fix-permissions", *init],
                         mounts=[Mount.bind(volume, STATE_DIR)], caps=None)


def test_storage_that_stops_answering_is_named(lab):
    box = hang_in(lab, "fchownat", "--storage-timeout=100ms")
    refusal = eventually(lambda: next((event for event in box.log.events()
                                       if "stopped answering" in event["msg"]), None), "the refusal")
    assert refusal["exit_code"] == str(IO_ERROR) and STATE_DIR in refusal["msg"]


def test_a_stop_is_obeyed_while_the_storage_does_not_answer(lab):
    box = hang_in(lab, "fchownat")

    def hanging():
        """wgmesh-init, once its child waits for the answer."""
        init = next((p for p in box.processes() if p.argv[:1] == ["wgmesh-init"]), None)
        return init if init and box.run("cat", "/tmp/trace").stdout and init.children() else None

    eventually(hanging, "the child").signal(signal.SIGTERM)
    eventually(lambda: any("stopped by signal 15" in event["msg"] for event in box.log.events()), "the stop")


# A state directory below a mount, which whoever writes to the volume may exchange

LINKED = ("mkdir -p /opt/site && touch /opt/site/wg0.json && chmod -R 755 /opt/site && "
          "wgmesh-init {} ; echo $?; stat -c '%n %u %a' /opt /opt/site /opt/site/*; ls -A /opt/site")


@pytest.mark.asan
@pytest.mark.parametrize("command", [
    "--state-dir=/data/node --legacy-dir=none -- true", "fix-permissions --state-dir=/data/node",
    "migrate --state-dir=/data/node --legacy-dir=none",
    "migrate --state-dir=/srv/node --legacy-dir=/data/node"])
@pytest.mark.parametrize("target", ["/opt/site", "/opt/none"])
def test_a_volume_cannot_pass_another_directory_off_as_the_state_directory(lab, command, target):
    volume = lab.volume("data")
    (volume / "node").symlink_to(target)
    box = lab.container("node", ["sh", "-c", LINKED.format(command)], mounts=[Mount.bind(volume, "/data")])
    assert box.wait() == 0
    assert box.stdout.lines[-5:] == [
        "78" if "srv" not in command else "77",
        "/opt 0 755", "/opt/site 0 755", "/opt/site/wg0.json 0 755", "wg0.json"], box.log.text()


@pytest.mark.asan
@pytest.mark.parametrize("path", ["/var/lib/node", "/var/lib/../lib/node/../../../etc", "//etc/."])
@pytest.mark.parametrize("command", ["--state-dir={} --legacy-dir=none -- true", "fix-permissions --state-dir={}"])
def test_no_detour_makes_a_directory_of_the_system_the_state_directory(lab, path, command):
    box = lab.container("node", ["sh", "-c", "ln -s /etc /var/lib/node; wgmesh-init " + command.format(path)
                                 + "; echo $?; stat -c '%u %a' /etc /var/lib; ls -A /etc | grep wgmesh"])
    box.wait()
    assert box.stdout.lines == ["64", "0 755", "0 755"], box.log.text()
    assert "a directory of the system" in box.log.text()


def test_a_link_of_the_image_may_lead_to_a_volume_and_one_on_a_volume_stay_on_it(lab):
    volume = lab.volume("data")
    (volume / "node-1").mkdir()
    (volume / "node").symlink_to("node-1")
    box = lab.container("node", ["sh", "-c", "ln -s /data/node /srv/node && exec wgmesh-init "
                                 "--state-dir=/srv/node --legacy-dir=none -- true"],
                        mounts=[Mount.bind(volume, "/data")])
    assert box.wait() == 0, box.log.text()
    assert owner_and_mode(volume / "node-1") == (*DAEMON, 0o700)


# The lock file, which comes before the repair of owners

def test_who_migrates_as_root_leaves_a_volume_that_the_daemons_user_can_start_on(lab):
    volume = lab.volume("state")
    os.chown(volume, *DAEMON)
    volume.chmod(0o700)
    old = lab.volume("old")
    (old / "account.json").write_text("{}")
    box = lab.container("move", ["wgmesh-init", "migrate"],
                        mounts=[Mount.bind(volume, STATE_DIR), Mount.bind(old, "/data")])
    assert box.wait() == 0
    assert {path.name: owner_and_mode(path)[:2] for path in volume.iterdir()} == dict.fromkeys(
        [".wgmesh.lock", ".wgmesh.migrated", "account.json"], DAEMON)
    box = lab.container("node", ["wgmesh-init", "--", "true"], user=DAEMON, mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == 0, box.log.text()


def test_a_lock_file_of_somebody_else_is_named_with_the_cure(lab):
    volume = lab.volume("state")
    os.chown(volume, *DAEMON)
    (volume / ".wgmesh.lock").touch(0o600)
    refused(lab, volume, "open the lock file", "/var/lib/wgmesh/.wgmesh.lock belongs to 0:0 with mode 0600",
            "chown", user=DAEMON)


def test_root_without_a_right_over_files_opens_the_lock_file_of_the_daemons_user(lab):
    """The directory is root's, so that nothing before has made it take on that user."""
    volume = lab.volume("state")
    os.chown(volume, 0, DAEMON[1])
    volume.chmod(0o2770)
    for name in ("first", "second"):
        box = lab.container(name, ["wgmesh-init", "--", "true"], caps=FULL - {"dac_override"},
                            mounts=[Mount.bind(volume, STATE_DIR), *RUNTIME])
        assert box.wait() == 0, box.log.text()
        assert owner_and_mode(volume / ".wgmesh.lock")[0] == DAEMON[0]
