# SPDX-License-Identifier: MIT
"""`wgmesh state export` and `import`: a node moves between volumes, and never lives twice."""

import base64
import json
import os
import stat
import subprocess

import pytest

from lib.container import IMAGE_USER, ROOT, Mount
from lib.lab import SECRET
from lib.node import STATE_DIR
from lib.peer import new_key
from lib.statecli import (BACKUP_DIR, CANNOT_CREATE, DAMAGED, KEY_FILE, LOCKED, NO_PERMISSION,
                          PASSPHRASE, PEERS_FILE, POLICY, USAGE, backup, contents, export, import_,
                          make_node, passphrase_file, run_on_machine, run_shell, state,
                          without_locks)
from lib.terminal import Terminal
from lib.wait import eventually

pytestmark = pytest.mark.asan

EXPORT = f"{BACKUP_DIR}/node.wgmesh"
OFFLINE = ("node.wgmesh", "--offline")


@pytest.fixture
def exported(lab):
    """A node that was up and has stopped, and its export in /backup; returns its identity."""
    identity = make_node(lab, "before", "old")
    (lab.volume("old") / "account.json").write_text('{"api_key": "x"}')
    assert export(lab, lab.volume("old")).code == 0
    return identity


def is_empty(volume):
    return not without_locks(contents(volume))


# There and back

def test_a_node_that_is_exported_and_imported_is_the_same_node(lab, exported):
    said = import_(lab, lab.volume("new"), *OFFLINE)
    assert said.code == 0 and exported["wg_pubkey"] in said.out
    before, after = contents(lab.volume("old")), contents(lab.volume("new"))
    for name in (KEY_FILE, "account.json"):
        assert after[name] == before[name]
    assert stat.S_IMODE((lab.volume("new") / KEY_FILE).stat().st_mode) == 0o600
    assert make_node(lab, "after", "new") == exported


def test_the_file_is_sealed_private_and_never_overwrites_another(lab, exported):
    file = backup(lab, "node.wgmesh")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    data = file.read_bytes()
    assert data.startswith(b"wgmesh\r\n")
    for text in (exported["wg_pubkey"], exported["wg_private_key"], "wg0.json", PASSPHRASE):
        assert text.encode() not in data
    said = export(lab, lab.volume("old"))
    assert said.code == CANNOT_CREATE and "exists already" in said.err
    assert file.read_bytes() == data
    assert sorted(path.name for path in file.parent.iterdir()) == ["node.wgmesh", "passphrase"]


def test_a_plain_export_can_be_read_without_any_program_of_ours(lab):
    identity = make_node(lab, "before", "old")
    said = state(lab, lab.volume("old"), "export", "--plain", f"{BACKUP_DIR}/plain")
    assert said.code == 0 and "not sealed" in said.err
    document = json.loads(backup(lab, "plain").read_text())
    files = {file["name"]: base64.b64decode(file["data"]) for file in document["files"]}
    assert files[KEY_FILE] == (lab.volume("old") / KEY_FILE).read_bytes()
    assert state(lab, lab.volume("new"), "import", "--offline", f"{BACKUP_DIR}/plain").code == 0
    assert make_node(lab, "after", "new") == identity


def test_a_node_passes_through_a_pipe(lab):
    identity = make_node(lab, "before", "old")
    command = ("wgmesh state export - | wgmesh state import --offline --state-dir=/tmp/new - && "
               f"cp /tmp/new/{KEY_FILE} {BACKUP_DIR}/")
    box = lab.container("box", ["sh", "-ec", command], env={"WGMESH_PASSPHRASE": PASSPHRASE},
                        mounts=[Mount.bind(lab.host_directory("backup"), BACKUP_DIR),
                                Mount.bind(lab.volume("old"), STATE_DIR)])
    assert box.wait() == 0, box.log.text()
    assert json.loads(backup(lab, KEY_FILE).read_text()) == identity


def test_many_files_of_dht_nodes_are_no_reason_to_have_no_backup(lab):
    make_node(lab, "before", "old")
    for number in range(40):
        (lab.volume("old") / f"wg0-{number:016x}-dht.nodes").write_bytes(bytes(38))
    said = state(lab, lab.volume("old"), "export", "--plain", f"{BACKUP_DIR}/plain")
    assert said.code == 0 and "42 files" in said.err
    assert state(lab, lab.volume("new"), "import", "--offline", f"{BACKUP_DIR}/plain").code == 0


@pytest.mark.parametrize("user", [ROOT, IMAGE_USER])
def test_an_export_through_the_engine_takes_its_passphrase_from_standard_input(lab, user):
    make_node(lab, "before", "old")
    box = lab.container("box", ["sleep", "100"], mounts=[Mount.bind(lab.volume("old"), STATE_DIR)],
                        user=user)
    eventually(lambda: box.init.argv[:1] == ["sleep"], "the container's program")
    passphrase_file(lab)
    with open(backup(lab, "passphrase"), "rb") as given, open(backup(lab, "out"), "wb") as out:
        command = [*box.command(), "wgmesh", "state", "export", "--passphrase-file", "/dev/stdin", "-"]
        subprocess.run(command, stdin=given, stdout=out, check=True)
    said = state(lab, lab.volume("new"), "import", "--offline", "--passphrase-file",
                 f"{BACKUP_DIR}/passphrase", f"{BACKUP_DIR}/out")
    assert said.code == 0


# What an image does whose entry point is `wgmesh-init -- wgmesh`

def wait_for_import(lab, volume, user):
    passphrase_file(lab)
    box = lab.container("box", ["wgmesh-init", "--", "wgmesh", "state", "import", "--passphrase-file",
                                "/run/secrets/backup", EXPORT], user=user,
                        mounts=[Mount.bind(lab.host_directory("backup"), BACKUP_DIR),
                                Mount.bind(backup(lab, "passphrase"), "/run/secrets/backup", read_only=True),
                                Mount.bind(volume, STATE_DIR)])
    return box.wait(), box.log.text()


@pytest.mark.parametrize("user", [ROOT, IMAGE_USER])
def test_an_import_as_the_program_of_wgmesh_init_makes_a_node_that_starts(lab, exported, user):
    volume = lab.volume("new")
    os.chown(volume, *IMAGE_USER)
    for path in (backup(lab, "node.wgmesh"), backup(lab, "passphrase")):
        path.chmod(0o644)
    code, said = wait_for_import(lab, volume, user)
    assert code == 0, said
    assert {path.stat().st_uid for path in volume.rglob("*")} == {IMAGE_USER[0]}
    assert make_node(lab, "after", "new") == exported


def test_a_passphrase_that_the_user_may_not_read_is_said_to_be(lab, exported):
    passphrase_file(lab)
    backup(lab, "passphrase").chmod(0o600)
    os.chown(lab.volume("new"), *IMAGE_USER)
    backup(lab, "node.wgmesh").chmod(0o644)
    code, said = wait_for_import(lab, lab.volume("new"), IMAGE_USER)
    assert code == USAGE and "readable for uid 65532" in said


def test_an_export_in_the_state_directory_itself_is_said_to_be_no_backup(lab):
    make_node(lab, "before", "old")
    said = state(lab, lab.volume("old"), "export", "--plain", f"{STATE_DIR}/copy")
    assert said.code == 0 and "somewhere else" in said.err


def test_what_cannot_be_exported_whole_is_not_exported(lab):
    make_node(lab, "before", "old")
    (lab.volume("old") / PEERS_FILE).unlink()
    (lab.volume("old") / PEERS_FILE).symlink_to("/etc/passwd")
    assert export(lab, lab.volume("old")).code != 0
    (lab.volume("old") / PEERS_FILE).unlink()
    (lab.volume("old") / KEY_FILE).write_text("half")
    assert export(lab, lab.volume("old")).code == DAMAGED
    assert export(lab, lab.volume("empty")).code == DAMAGED
    assert not backup(lab, "node.wgmesh").exists()


# Passphrases

def test_a_wrong_passphrase_opens_nothing(lab, exported):
    wrong = passphrase_file(lab, "quite another one", "wrong")
    said = state(lab, lab.volume("new"), "import", "--offline", "--passphrase-file", wrong, EXPORT)
    assert said.code == NO_PERMISSION and "passphrase" in said.err
    assert is_empty(lab.volume("new"))


@pytest.mark.parametrize("options, env, part", [
    ([], {}, "--passphrase-file"),
    ([], {"WGMESH_PASSPHRASE": "short"}, "8 characters"),
    ([], {"WGMESH_PASSPHRASE": "long enough", "WGMESH_PASSPHRASE_FILE": "/etc/hostname"}, "twice"),
    (["--passphrase-file=/nowhere"], {}, "/nowhere"),
    (["--passphrase=visible in the process list"], {}, "unknown option"),
])
def test_without_a_good_passphrase_nothing_is_exported(lab, options, env, part):
    make_node(lab, "before", "old")
    said = state(lab, lab.volume("old"), "export", *options, EXPORT, env=env)
    assert said.code == USAGE and part in said.err
    assert not backup(lab, "node.wgmesh").exists()


def test_the_passphrase_may_be_in_a_variable(lab, exported):
    said = state(lab, lab.volume("new"), "import", "--offline", EXPORT,
                 env={"WGMESH_PASSPHRASE": PASSPHRASE})
    assert said.code == 0
    said = state(lab, lab.volume("new"), "import", "--offline", EXPORT,
                 env={"WGMESH_PASSPHRASE_FILE": passphrase_file(lab)})
    assert "already" in said.out


def on_terminal(lab, terminal, *command):
    mounts = [Mount.bind(lab.host_directory("backup"), BACKUP_DIR),
              Mount.bind(lab.volume("old"), STATE_DIR)]
    return lab.container("typed", ["setsid", "--ctty", "--wait", *command],
                         mounts=mounts, terminal=terminal)


@pytest.mark.parametrize("second, code", [(PASSPHRASE, 0), ("something else", USAGE)])
def test_on_a_terminal_it_is_asked_for_twice_and_not_shown(lab, second, code):
    make_node(lab, "before", "old")
    terminal = Terminal()
    box = on_terminal(lab, terminal, "wgmesh", "state", "export", EXPORT)
    shown = terminal.read_until("Passphrase: ")
    terminal.type(PASSPHRASE + "\n")
    shown += terminal.read_until("once more: ")
    terminal.type(second + "\n")
    assert box.wait() == code
    shown += terminal.read_rest()
    terminal.close()
    assert PASSPHRASE not in shown and second not in shown
    assert backup(lab, "node.wgmesh").exists() == (code == 0)


def test_an_interrupt_at_the_prompt_ends_it_and_gives_the_echo_back(lab):
    make_node(lab, "before", "old")
    terminal = Terminal()
    # Not as PID 1, which no signal of its own ends.
    box = on_terminal(lab, terminal, "sh", "-c", f"wgmesh state export {EXPORT}; exit $?")
    terminal.read_until("Passphrase: ")
    assert not terminal.echoes()
    terminal.press_interrupt()
    assert box.wait() == 128 + 2
    assert terminal.echoes()
    terminal.close()
    assert not backup(lab, "node.wgmesh").exists()


# Files that are not what they should be

def altered(data):
    return data[:200] + bytes([data[200] ^ 1]) + data[201:]


@pytest.mark.parametrize("change, code", [
    (lambda data: data[:-1], DAMAGED), (lambda data: data[:40], DAMAGED), (lambda data: b"", DAMAGED),
    (lambda data: data + b"x", DAMAGED), (altered, NO_PERMISSION),
    (lambda data: data.replace(b"\r\n", b"\n", 1), DAMAGED),
    (lambda data: data[:11] + b"\2" + data[12:], POLICY),
    # 2^56 bytes of memory for Argon2: refused before any is asked for.
    (lambda data: data[:24] + b"\1" + data[25:], DAMAGED)])
def test_a_damaged_file_is_refused_and_leaves_the_directory_alone(lab, exported, change, code):
    file = backup(lab, "node.wgmesh")
    file.write_bytes(change(file.read_bytes()))
    said = import_(lab, lab.volume("new"), *OFFLINE)
    assert said.code == code and EXPORT in said.err
    assert is_empty(lab.volume("new"))


def test_the_interface_is_the_files_own(lab, exported):
    said = import_(lab, lab.volume("new"), *OFFLINE, "--interface", "wg7")
    assert said.code == USAGE and "wg0" in said.err
    assert import_(lab, lab.volume("new"), *OFFLINE, "--interface", "wg0").code == 0


# What is in place already

def test_an_import_without_a_volume_says_that_it_will_not_last(lab, exported):
    said = import_(lab, None, *OFFLINE)
    assert said.code == 0 and "an overlay, as a container's own layer is" in said.err
    assert "import again" not in import_(lab, lab.volume("new"), *OFFLINE).err


def test_the_same_identity_again_changes_nothing(lab, exported):
    assert import_(lab, lab.volume("new"), *OFFLINE).code == 0
    before = without_locks(contents(lab.volume("new")))
    said = import_(lab, lab.volume("new"), *OFFLINE)
    assert said.code == 0 and "already" in said.out and said.undo == []
    assert without_locks(contents(lab.volume("new"))) == before


def test_another_identity_is_replaced_only_on_request_and_the_undoing_undoes_it(lab, exported):
    other = make_node(lab, "other", "new")
    (lab.volume("new") / "account.json").write_text('{"api_key": "other"}')
    before = without_locks(contents(lab.volume("new")))
    said = import_(lab, lab.volume("new"), *OFFLINE)
    assert said.code == POLICY and "--replace" in said.err
    assert other["wg_pubkey"] in said.err and exported["wg_pubkey"] in said.err
    assert without_locks(contents(lab.volume("new"))) == before
    said = import_(lab, lab.volume("new"), *OFFLINE, "--replace")
    assert said.code == 0
    assert json.loads((lab.volume("new") / KEY_FILE).read_text())["wg_pubkey"] == exported["wg_pubkey"]
    for command in said.undo:
        run_shell(lab, lab.volume("new"), command)
    after = without_locks(contents(lab.volume("new")))
    assert {name: after[name] for name in before} == before
    assert make_node(lab, "again", "new") == other


def test_an_import_into_an_empty_directory_can_be_undone_to_nothing(lab, exported):
    said = import_(lab, lab.volume("new"), *OFFLINE)
    for command in said.undo:
        run_shell(lab, lab.volume("new"), command)
    assert is_empty(lab.volume("new"))
    assert "none yet" in state(lab, lab.volume("new"), "verify").out


def test_the_snapshots_of_a_lost_key_are_an_identity_too(lab, exported):
    make_node(lab, "other", "new")
    (lab.volume("new") / KEY_FILE).unlink()
    assert import_(lab, lab.volume("new"), *OFFLINE).code == POLICY
    (lab.volume("old") / KEY_FILE).write_text("half")
    assert import_(lab, lab.volume("old"), *OFFLINE).code == 0
    assert make_node(lab, "again", "old") == exported


def test_a_key_that_the_volume_records_is_an_identity_too(lab, exported):
    _, public_key = new_key()
    (lab.volume("new") / ".wgmesh.volume").write_text(
        "version=1\nvolume=0123456789abcdef0123456789abcdef\ncreated=2026-01-01T00:00:00Z\n"
        f"served=wg0 {public_key}\nboots=1\nboot=2026-01-01T00:00:00Z - - - -\n")
    said = import_(lab, lab.volume("new"), *OFFLINE)
    assert said.code == POLICY and public_key in said.err
    assert import_(lab, lab.volume("new"), *OFFLINE, "--replace").code == 0


# Interrupted

@pytest.mark.parametrize("call, least", [("fsync", 8), ("renameat2", 3), ("renameat", 1), ("openat", 20)])
def test_an_import_that_is_killed_anywhere_leaves_no_half_identity_and_a_second_one_finishes(
        lab, exported, call, least):
    (lab.volume("old") / PEERS_FILE).write_text('{"peers": null, "updated_at": 1}')
    backup(lab, "node.wgmesh").unlink()
    assert export(lab, lab.volume("old")).code == 0
    file = backup(lab, "node.wgmesh")
    arguments = ("import", "--offline", "--passphrase-file", backup(lab, "passphrase"), file)
    key = (lab.volume("old") / KEY_FILE).read_bytes()
    killed = 0
    for n in range(1, 200):
        directory = lab.volume(f"killed-{n}")
        strace = ["strace", "-f", "-qq", "-o", "/dev/null",
                  "-e", f"inject={call}:signal=KILL:when={n}"]
        result = run_on_machine(lab, directory, *arguments, wrapper=strace)
        if result.returncode == 0:
            break
        killed += 1
        left = contents(directory).get(KEY_FILE)
        assert left in (None, key)
        assert run_on_machine(lab, directory, *arguments).returncode == 0
        after = contents(directory)
        assert after[KEY_FILE] == key and PEERS_FILE in after and "account.json" in after
    else:
        pytest.fail("never ran to its end")
    assert killed >= least


# Identities that are in use

def test_an_identity_that_is_heard_on_the_lan_is_not_imported(lab):
    node = lab.node("alive", volume=lab.volume("old"))
    node.wait_until_up()
    assert export(lab, lab.volume("old")).code == 0
    said = import_(lab, lab.volume("new"), secret=SECRET)
    assert said.code == LOCKED and "alive announces it from" in said.err
    assert node.port.address in said.err and "--offline" in said.err
    assert is_empty(lab.volume("new"))
    assert node.stop() == 0
    said = import_(lab, lab.volume("new"), secret=SECRET)
    assert said.code == 0 and "nobody in the mesh was heard" in said.err


def test_an_identity_that_only_its_peers_have_heard_of_is_not_imported(lab):
    quiet = lab.node("quiet", volume=lab.volume("old"))
    other = lab.node("other", volume=lab.volume("other"))
    eventually(lambda: quiet.pings(other.mesh_ip), "the tunnel")
    quiet.stop()
    quiet = lab.node("quiet", volume=lab.volume("old"), join=["--no-lan-discovery"])
    eventually(lambda: quiet.has_interface() and quiet.pings(other.mesh_ip), "the tunnel again")
    assert export(lab, lab.volume("old")).code == 0
    said = import_(lab, lab.volume("new"), secret=SECRET)
    assert said.code == LOCKED and "other (" in said.err and "has heard of it" in said.err
    assert quiet.stop() == 0
    said = import_(lab, lab.volume("new"), secret=SECRET)
    assert said.code == 0 and "nobody" not in said.err
    # Who asked is forgotten again.
    eventually(lambda: "wgmesh-state-import" not in other.run("wgmesh", "peers", "list").stdout,
               "the goodbye")


def test_the_node_that_runs_here_is_asked_without_any_secret(lab):
    node = lab.node("alive", volume=lab.volume("old"))
    other = lab.node("other", volume=lab.volume("other"))
    eventually(lambda: node.pings(other.mesh_ip), "the tunnel")
    state(lab, lab.volume("old"), "export", "--plain", f"{BACKUP_DIR}/plain")
    for host, part in ((node, "the node that runs here, on wg0"), (other, "active peer")):
        copy = host.root("/tmp/plain")
        copy.write_bytes(backup(lab, "plain").read_bytes())
        said = host.run("wgmesh", "state", "import", "--state-dir=/tmp/state", "--offline",
                        "/tmp/plain", check=False)
        assert said.returncode == LOCKED and part in said.stderr


def test_what_was_not_asked_is_said(lab, exported):
    assert "--offline" in import_(lab, lab.volume("new"), *OFFLINE).err
    assert "--secret-file" in import_(lab, lab.volume("newer")).err


def test_nothing_is_imported_under_a_running_node(lab, exported):
    node = lab.node("runs", volume=lab.volume("busy"))
    node.wait_until_up()
    said = import_(lab, lab.volume("busy"), *OFFLINE, "--replace")
    assert said.code == LOCKED and "runs" in said.err
    assert node.identity()["wg_pubkey"] != exported["wg_pubkey"]
