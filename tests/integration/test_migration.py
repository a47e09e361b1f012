# SPDX-License-Identifier: MIT
"""A node of an older deployment keeps its identity: mount both directories, or move the volume."""

import ctypes
import json
import multiprocessing
import os
import signal
import stat
import subprocess

import pytest

from lib.container import DOCKER_CAPS, Mount
from lib.lab import programs
from lib.node import STATE_DIR
from lib.peer import new_key
from lib.wait import eventually

KEY_FILE = "wg0.json"
IO_ERROR, NO_PERMISSION, POLICY = 74, 77, 78
OURS = (".wgmesh", ".snapshots", ".migrated-to-wgmesh")
# All files that releases of the last years have left in /data (protocol.md sections 4 and 19).
KNOWN = ["mesh-state.json", "state.json", "wg0-peers.json", "wg0-dht.nodes",
         "wg0-0123456789abcdef-dht.nodes", "wg0.reload", "account.json", "services.json",
         "referral.json", "wg1.json", "wg1-peers.json"]


def key_text(private_key, public_key):
    """A key file as nodes wrote it before they kept addresses in it."""
    return json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2)


def put(path, text, owner=(0, 0), mode=0o600):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.chown(path, *owner)
    path.chmod(mode)
    return path


def put_key(directory, name=KEY_FILE, **options):
    """A new key in a file of its own; returns the public key."""
    private_key, public_key = new_key()
    put(directory / name, key_text(private_key, public_key), **options)
    return public_key


def tree(directory, but=OURS):
    """Every file and directory below with its bytes, owner, mode and time of change."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        st = path.lstat()
        data = path.read_bytes() if stat.S_ISREG(st.st_mode) else None
        if not name.startswith(tuple(but)):
            found[name] = (data, st.st_uid, st.st_gid, st.st_mode, st.st_mtime_ns)
    return found


def both(lab):
    return [Mount.bind(lab.volume("data"), "/data"), Mount.bind(lab.volume("state"), STATE_DIR)]


def migrate(lab, *options, mounts=None, **more):
    """Run the command alone; returns its exit code and its container."""
    box = lab.container("node", ["wgmesh-init", "migrate", *options],
                        mounts=both(lab) if mounts is None else mounts, **more)
    return box.wait(30), box


def report(lab, *options, code=0, **more):
    ended, box = migrate(lab, "--json", *options, **more)
    found = json.loads(box.stdout.text())
    assert ended == code == found["exit_code"], box.log.text()
    return found


def by_name(found):
    return {file["name"]: file for file in found["files"]}


def said(box, level=None):
    return "\n".join(event["msg"] for event in box.log.events() if level in (None, event["level"]))


def serve(lab, **options):
    """Start a node, wait until it is up, stop it; returns it with its public key."""
    node = lab.node("node", **options)
    node.wait_until_up()
    key = node.public_key
    assert node.stop() == 0
    return node, key


# What a user of an older compose file does

@pytest.mark.asan
def test_whoever_mounts_both_keeps_the_identity(lab):
    key = put_key(lab.volume("data"), owner=(1000, 1000))
    before = tree(lab.volume("data"))
    node, served = serve(lab, volume=lab.volume("state"), mounts=[Mount.bind(lab.volume("data"), "/data")])
    assert served == key
    assert tree(lab.volume("data")) == before, "the source is never written"
    assert "/data: 1 files were copied" in said(node)
    assert serve(lab, volume=lab.volume("state"))[1] == key, "/data may go"


def test_whoever_moves_the_volume_keeps_the_identity(lab):
    key = put_key(lab.volume("data"), owner=(1000, 1000))
    put(lab.volume("data") / "mesh-state.json", "c29tZSBjaXBoZXJ0ZXh0")
    node, served = serve(lab, volume=lab.volume("data"))
    assert served == key
    assert not node.find_log("new key")
    assert (lab.volume("data") / "mesh-state.json").read_text() == "c29tZSBjaXBoZXJ0ZXh0"


def test_whoever_moves_the_volume_and_leaves_the_old_mount_keeps_it_too(lab):
    key = put_key(lab.volume("data"))
    mounts = [Mount.bind(lab.volume("data"), "/data")]
    node, served = serve(lab, volume=lab.volume("data"), mounts=mounts)
    assert served == key
    assert node.find_log("/data is the state directory itself")
    assert not (lab.volume("data") / ".migrated-to-wgmesh").exists()


@pytest.mark.asan
def test_every_known_file_is_carried_over_byte_for_byte(lab):
    put_key(lab.volume("data"))
    for number, name in enumerate(KNOWN):
        put(lab.volume("data") / name, bytes([number]) * (number * 20000), owner=(1000, 1000))
    put(lab.volume("data") / "notes.txt", "mine")
    before = tree(lab.volume("data"))
    found = report(lab)
    assert tree(lab.volume("data")) == before
    for name in [KEY_FILE, *KNOWN]:
        copy = lab.volume("state") / name
        assert copy.read_bytes() == (lab.volume("data") / name).read_bytes(), name
        assert (copy.stat().st_uid, stat.S_IMODE(copy.stat().st_mode)) == (65532, 0o600), name
        assert by_name(found)[name]["action"] == "copied"
    assert by_name(found)["notes.txt"]["action"] == "unknown"
    assert not (lab.volume("state") / "notes.txt").exists()
    assert found["totals"]["copied"] == len(KNOWN) + 1
    assert found["totals"]["bytes"] == sum(path.stat().st_size for path in lab.volume("data").iterdir()
                                           if path.name in [KEY_FILE, *KNOWN])
    assert (found["from"], found["to"], found["dry_run"]) == ("/data", STATE_DIR, False)
    assert (lab.volume("data") / ".migrated-to-wgmesh").exists()


def test_the_second_run_does_nothing(lab):
    put_key(lab.volume("data"))
    for name in KNOWN:
        put(lab.volume("data") / name, name)
    report(lab)
    hidden = (".wgmesh.lock",)
    here, there = tree(lab.volume("state"), hidden), tree(lab.volume("data"), ())
    found = report(lab)
    assert tree(lab.volume("state"), hidden) == here
    assert tree(lab.volume("data"), ()) == there
    assert {file["action"] for file in found["files"]} == {"present"}


@pytest.mark.asan
def test_a_dry_run_says_the_same_and_changes_nothing(lab):
    put_key(lab.volume("data"))
    put(lab.volume("data") / "wg0-peers.json", "{}")
    put(lab.volume("state") / "wg0-peers.json", "[]")
    os.symlink("/etc/passwd", lab.volume("data") / "account.json")
    here, there = tree(lab.volume("state"), ()), tree(lab.volume("data"), ())
    found = report(lab, "--dry-run")
    assert {name: file["action"] for name, file in by_name(found).items()} == {
        KEY_FILE: "would-copy", "wg0-peers.json": "would-keep-aside", "account.json": "refused"}
    assert found["dry_run"] is True
    assert tree(lab.volume("state"), ()) == here
    assert tree(lab.volume("data"), ()) == there


def test_the_report_for_people_has_a_line_for_each_file(lab):
    put_key(lab.volume("data"))
    put(lab.volume("data") / "notes.txt", "mine")
    code, box = migrate(lab)
    assert code == 0
    copied, unknown, total = sorted(box.stdout.lines, key=lambda line: line.startswith("migrate:"))
    assert copied.split() [:2] == ["unknown", "notes.txt,"] or copied.split()[:2] == ["copied", f"{KEY_FILE},"]
    assert {copied.split()[0], unknown.split()[0]} == {"copied", "unknown"}
    assert total.startswith("migrate: /data: 1 files were copied")


def test_a_refusal_before_the_migration_is_reported_too(lab):
    put_key(lab.volume("data"))
    mounts = [Mount.bind(lab.volume("data"), "/data"),
              Mount.bind(lab.volume("state"), STATE_DIR, read_only=True)]
    found = report(lab, mounts=mounts, code=73)
    assert found["phase"] == "writability" and found["outcome"] == "refused" and found["note"]
    assert found["files"] == []


# Never over what is there

@pytest.mark.asan
def test_two_different_keys_are_both_named_and_the_one_in_place_stays(lab):
    here = put_key(lab.volume("state"))
    there = put_key(lab.volume("data"), owner=(1000, 1000))
    legacy = (lab.volume("data") / KEY_FILE).read_bytes()
    node, served = serve(lab, volume=lab.volume("state"), mounts=[Mount.bind(lab.volume("data"), "/data")])
    assert served == here
    warnings = [event["msg"] for event in node.events("warn") if KEY_FILE in event["msg"]]
    assert len(warnings) == 1, warnings
    assert f"{here}, which stays in use" in warnings[0] and f"the legacy {there}" in warnings[0]
    assert ".snapshots/legacy-wg0.json.1" in warnings[0]
    kept = lab.volume("state") / ".snapshots" / "legacy-wg0.json.1"
    assert kept.read_bytes() == legacy and kept.stat().st_uid == 65532
    again, served = serve(lab, volume=lab.volume("state"), mounts=[Mount.bind(lab.volume("data"), "/data")])
    assert served == here
    assert not [event for event in again.events("warn") if KEY_FILE in event["msg"]], "news only once"


@pytest.mark.parametrize("options, action", [(["--dry-run"], "would-keep-aside"), ([], "kept-aside")])
def test_two_different_keys_are_in_the_report(lab, options, action):
    here, there = put_key(lab.volume("state"), owner=(65532, 65532)), put_key(lab.volume("data"))
    file = by_name(report(lab, *options))[KEY_FILE]
    assert file["action"] == action
    assert here in file["note"] and there in file["note"]


def test_the_same_key_with_other_addresses_is_no_warning(lab):
    private_key, public_key = new_key()
    put(lab.volume("data") / KEY_FILE, key_text(private_key, public_key))
    put(lab.volume("state") / KEY_FILE, json.dumps({
        "wg_pubkey": public_key, "wg_private_key": private_key, "mesh_ip": "10.12.1.2"}, indent=2),
        owner=(65532, 65532))
    code, box = migrate(lab)
    assert code == 0
    assert "the same key" in said(box) and not said(box, "warn")


def test_a_lost_key_is_restored_and_no_older_one_takes_its_place(lab):
    """The legacy directory holds an older key, and that of the node got lost."""
    _, key = serve(lab, volume=lab.volume("state"))
    (lab.volume("state") / KEY_FILE).unlink()
    older = put_key(lab.volume("data"))
    node, served = serve(lab, volume=lab.volume("state"), mounts=[Mount.bind(lab.volume("data"), "/data")])
    assert served == key != older
    assert "the legacy one does not take its place" in said(node, "warn")


def test_public_keys_are_shown_file_by_file(lab):
    key = put_key(lab.volume("state"))
    put(lab.volume("state") / "empty", "")
    os.symlink(KEY_FILE, lab.volume("state") / "link")
    shown = f"wgmesh state show {STATE_DIR}/{KEY_FILE} {STATE_DIR}/empty fd:7 fd:x {STATE_DIR}/link 7<{STATE_DIR}/{KEY_FILE}"
    box = lab.container("box", ["sh", "-c", shown], mounts=both(lab))
    assert box.wait() == 1
    assert box.stdout.lines == [f"{STATE_DIR}/{KEY_FILE} {key}", f"{STATE_DIR}/empty -", f"fd:7 {key}", "fd:x -",
                                f"{STATE_DIR}/link -"]
    assert "is a symbolic link" in box.log.text()


# Directories of all kinds

def test_a_legacy_directory_that_is_read_only_will_do(lab):
    key = put_key(lab.volume("data"))
    mounts = [Mount.bind(lab.volume("data"), "/data", read_only=True)]
    for _ in range(2):
        node, served = serve(lab, volume=lab.volume("state"), mounts=mounts)
        assert served == key
        assert not node.events("error")


def test_a_volume_that_is_too_small_is_named_and_nothing_is_half_done(lab):
    put_key(lab.volume("data"))
    put(lab.volume("data") / "mesh-state.json", b"x" * (6 << 20))
    before = tree(lab.volume("data"), ())
    state = Mount.tmpfs(STATE_DIR, "size=4m,mode=700")
    box = lab.container("node", ["sh", "-c", "wgmesh-init migrate --json; code=$?; "
                                 f"find {STATE_DIR} -name '*.new'; exit $code"],
                        mounts=[Mount.bind(lab.volume("data"), "/data"), state])
    assert box.wait() == IO_ERROR
    found = json.loads(box.stdout.text())
    assert "mesh-state.json: the volume is full" in found["note"]
    assert tree(lab.volume("data"), ()) == before


@pytest.mark.parametrize("inner", ["legacy", "state"])
def test_one_directory_may_lie_inside_the_other(lab, inner):
    outer = lab.volume("outer")
    (outer / "inner").mkdir()
    legacy, state = ("/v/inner", "/v") if inner == "legacy" else ("/v", "/v/inner")
    key = put_key(outer / "inner" if inner == "legacy" else outer)
    options = [f"--legacy-dir={legacy}", f"--state-dir={state}"]
    for action in ("copied", "present"):
        found = report(lab, *options, mounts=[Mount.bind(outer, "/v")])
        assert {file["name"]: file["action"] for file in found["files"]} == {KEY_FILE: action}
    copy = (outer if inner == "legacy" else outer / "inner") / KEY_FILE
    assert json.loads(copy.read_text())["wg_pubkey"] == key


def test_a_legacy_directory_that_is_none_is_a_warning(lab):
    put(lab.volume("data") / "file", "x")
    found = report(lab, "--legacy-dir=/data/file")
    assert found["outcome"] == "warned" and found["files"] == []
    assert "/data/file that was asked for is not a directory" in found["note"]


def test_a_legacy_directory_that_was_asked_for_and_is_not_there_is_a_warning(lab):
    code, box = migrate(lab, "--legacy-dir=/dtaa")
    assert code == 0
    assert "/dtaa that was asked for does not exist" in said(box, "warn")


# What is not carried over

def test_what_is_no_plain_file_is_refused_and_named(lab):
    data = lab.volume("data")
    put_key(data)
    os.symlink("/etc/passwd", data / "account.json")
    os.mkfifo(data / "services.json")
    os.mknod(data / "wg1.json", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    (data / "wg2.json").mkdir()
    victim = put(lab.host_directory("elsewhere") / "victim", "precious")
    os.link(victim, data / "referral.json")
    put(data / "state.json", b"")
    os.truncate(data / "state.json", (16 << 20) + 1)
    found = report(lab)
    files = by_name(found)
    for name, why in {"account.json": "symbolic link", "services.json": "not a regular file",
                      "wg1.json": "not a regular file", "wg2.json": "not a regular file",
                      "referral.json": "second name", "state.json": "larger than any"}.items():
        assert files[name]["action"] == "refused" and why in files[name]["note"], files[name]
        assert not (lab.volume("state") / name).exists()
    assert files[KEY_FILE]["action"] == "copied"
    assert found["outcome"] == "warned"


REFUSED_KEYS = {
    "symbolic link": lambda path, other: os.symlink(other, path),
    "second name": lambda path, other: os.link(other, path),
    "not a regular file": lambda path, other: os.mkfifo(path),
    "larger than any key file": lambda path, other: path.write_bytes(b" " * 4097),
}


@pytest.mark.parametrize("why", REFUSED_KEYS)
def test_a_key_that_is_not_carried_over_is_never_replaced_by_a_new_one(lab, why):
    other = lab.volume("data") / "other"
    put_key(lab.volume("data"), "other")
    REFUSED_KEYS[why](lab.volume("data") / KEY_FILE, other)
    mounts = [Mount.bind(lab.volume("data"), "/data")]
    node = lab.node("node", volume=lab.volume("state"), mounts=mounts)
    assert node.wait() == POLICY
    assert any(why in event["msg"] and KEY_FILE in event["msg"] and "--legacy-dir=none" in event["msg"]
               for event in node.events("error")), node.log.text()
    assert not (lab.volume("state") / KEY_FILE).exists()
    node, _ = serve(lab, volume=lab.volume("state"), mounts=mounts, init=["--legacy-dir=none"])
    assert node.find_log("first start")


def test_a_key_that_cannot_be_read_is_never_replaced_by_a_new_one(lab):
    put_key(lab.volume("data"), owner=(1234, 1234))
    os.chown(lab.volume("state"), 65532, 65532)
    node = lab.node("node", volume=lab.volume("state"), mounts=[Mount.bind(lab.volume("data"), "/data")],
                    caps=frozenset({"net_admin", "setuid", "setgid", "kill"}))
    assert node.wait() == NO_PERMISSION
    assert any("cannot be read" in event["msg"] for event in node.events("error")), node.log.text()
    assert not (lab.volume("state") / KEY_FILE).exists()


def test_root_without_any_right_over_files_carries_the_key_over(lab):
    """The legacy key is root's, and the state directory is the daemon's."""
    key = put_key(lab.volume("data"))
    os.chown(lab.volume("state"), 65532, 65532)
    lab.volume("state").chmod(0o700)
    owned = "mode=700,uid=65532,gid=65532"
    _, served = serve(lab, volume=lab.volume("state"),
                      mounts=[Mount.bind(lab.volume("data"), "/data"),
                              Mount.tmpfs("/run/wgmesh", owned), Mount.tmpfs("/run/wireguard", owned)],
                      caps=frozenset({"net_admin", "setuid", "setgid", "kill"}))
    assert served == key


LIBC = ctypes.CDLL(None, use_errno=True)
RENAME_EXCHANGE = 2


def swap_for_ever(directory, victim):
    """A file of the legacy directory is another one, a link, a second name of a file outside."""
    name, hard, link = (os.fsencode(directory / part) for part in ("account.json", "hard", "link"))
    os.symlink(victim, link)
    while True:
        os.link(victim, hard)
        for other in (hard, hard, link, link):
            LIBC.renameat2(-100, name, -100, other, RENAME_EXCHANGE)
        os.rename(name, directory / "aside")
        os.rename(hard, name)
        os.unlink(name)
        os.rename(directory / "aside", name)


def test_whoever_swaps_files_while_init_copies_gets_no_file_of_others_copied(lab):
    victim = put(lab.host_directory("elsewhere") / "victim", "precious")
    put(lab.volume("data") / "account.json", "mine")
    hostile = multiprocessing.get_context("fork").Process(
        target=swap_for_ever, args=(lab.volume("data"), victim), daemon=True)
    hostile.start()
    try:
        script = "for i in $(seq 200); do wgmesh-init migrate --log-level=error; cat " \
                 f"{STATE_DIR}/account.json 2>/dev/null; rm -rf {STATE_DIR}/account.json; done"
        box = lab.container("box", ["sh", "-c", script], mounts=both(lab))
        assert box.wait(60) in (0, 1)
        assert hostile.is_alive()
    finally:
        hostile.kill()
        hostile.join()
    # Whatever was copied was the file itself.
    assert "mine" in box.stdout.text() and "precious" not in box.stdout.text()
    assert b"precious" not in b"".join(path.read_bytes() for path in lab.volume("state").rglob("*")
                                       if path.is_file())
    assert victim.read_text() == "precious"


def test_names_that_somebody_made_up_forge_no_line_of_the_log(lab):
    put_key(lab.volume("data"))
    put(lab.volume("data") / "x\n{\"level\":\"error\",\"msg\":\"forged\"}\x1b[2J", "x")
    os.mkfifo(lab.volume("data") / "\xff\x01.json")
    found = report(lab)
    assert len(found["files"]) == 3
    box = lab.containers[-1]
    assert all(line.startswith('{"time"') for line in box.log.lines), box.log.text()
    assert "\x1b" not in box.log.text() + box.stdout.text()
    code, box = migrate(lab, "--log-format=text")
    assert code == 0 and "\x1b" not in box.log.text() + box.stdout.text()


def test_thousands_of_foreign_files_are_counted_and_not_listed(lab):
    put_key(lab.volume("data"))
    for number in range(3000):
        (lab.volume("data") / f"photo {number}.jpg").touch()
    found = report(lab)
    assert found["totals"]["unknown"] == 3000 and found["totals"]["omitted"] == 3001 - len(found["files"])
    assert found["totals"]["copied"] == 1
    assert len(lab.containers[-1].log.lines) < 20


# Storage that is slow, dies or hangs

def test_a_copy_that_takes_long_says_how_far_it_is(lab):
    put(lab.volume("data") / "mesh-state.json", b"x" * (8 << 20))
    slow = lab.fuse(lab.volume("data"), "--read-rate=2M", "-o", "direct_io")
    # Far less than it takes altogether: what makes progress is not given up.
    found = report(lab, "--storage-timeout=300ms", mounts=[
        Mount.bind(slow.path, "/data"), Mount.bind(lab.volume("state"), STATE_DIR)])
    assert by_name(found)["mesh-state.json"]["action"] == "copied"
    lines = [event["msg"] for event in lab.containers[-1].log.events() if "copying" in event["msg"]]
    assert lines and all(f"of {8 << 20} bytes" in line for line in lines), lines


def test_a_migration_that_was_killed_is_finished_by_the_next_start(lab):
    key = put_key(lab.volume("data"))
    put(lab.volume("data") / "mesh-state.json", b"x" * (4 << 20))
    before = tree(lab.volume("data"), ())
    slow = lab.fuse(lab.volume("data"), "--read-rate=1M", "-o", "direct_io")
    box = lab.container("killed", ["wgmesh-init", "migrate"], mounts=[
        Mount.bind(slow.path, "/data"), Mount.bind(lab.volume("state"), STATE_DIR)])
    half = lab.volume("state") / ".mesh-state.json.new"
    eventually(lambda: half.exists() and half.stat().st_size > 0, "half of a copy")
    box.kill()
    assert not (lab.volume("state") / "mesh-state.json").exists()
    assert tree(lab.volume("data"), ()) == before
    _, served = serve(lab, volume=lab.volume("state"), mounts=[Mount.bind(lab.volume("data"), "/data")])
    assert served == key
    assert (lab.volume("state") / "mesh-state.json").stat().st_size == 4 << 20
    assert not half.exists()


def test_a_disk_that_does_not_keep_what_it_was_given_gets_no_key_file(lab):
    put_key(lab.volume("data"))
    size = (lab.volume("data") / KEY_FILE).stat().st_size
    # The write of the copy is said to have worked, and never happens.
    lies = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", lab.volume("state") / f".{KEY_FILE}.new",
            "-e", f"inject=write:retval={size}"]
    done = subprocess.run([*lies, programs(lab.variant)[0], "migrate", f"--state-dir={lab.volume('state')}",
                           f"--legacy-dir={lab.volume('data')}"], text=True, check=False, timeout=30,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == IO_ERROR and "reads back different" in done.stderr
    assert not (lab.volume("state") / KEY_FILE).exists()


WAIT = "until test -e /tmp/go; do sleep 0.01; done; exec \"$@\""


def start_with_frozen_legacy(lab, *init):
    """A node whose legacy directory's server goes away before wgmesh-init starts."""
    put_key(lab.volume("data"))
    fuse = lab.fuse(lab.volume("data"), "-o", "attr_timeout=0,entry_timeout=0")
    box = lab.container("node", ["sh", "-c", WAIT, "sh", "wgmesh-init", *init, "--", "wgmesh", "join"],
                        mounts=[Mount.bind(fuse.path, "/data"), Mount.bind(lab.volume("state"), STATE_DIR)])
    fuse.hang()
    box.run("touch", "/tmp/go")
    return box


def test_a_legacy_directory_that_hangs_is_given_up_and_named(lab):
    box = start_with_frozen_legacy(lab, "--storage-timeout=200ms")
    assert box.wait() == IO_ERROR
    assert "/data" in said(box, "error") and "stopped answering" in said(box, "error")
    assert "--legacy-dir=none" in said(box, "error")
    assert not (lab.volume("state") / KEY_FILE).exists()


def test_a_stop_is_obeyed_while_the_legacy_directory_hangs(lab):
    box = start_with_frozen_legacy(lab)
    eventually(lambda: any(event.get("component") == "ownership" for event in box.log.events()),
               "the phase before")
    box.signal(signal.SIGTERM)
    assert box.wait(3) == 128 + signal.SIGTERM


def test_caps_of_docker_are_enough(lab):
    key = put_key(lab.volume("data"), owner=(1000, 1000))
    _, served = serve(lab, volume=lab.volume("state"), caps=DOCKER_CAPS | {"net_admin"},
                      mounts=[Mount.bind(lab.volume("data"), "/data")])
    assert served == key
