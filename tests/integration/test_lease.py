# SPDX-License-Identifier: MIT
"""One volume, one node: whatever the locks of its file system are worth, and whatever happens to the node."""

import fcntl
import os
import secrets
import shutil
import signal
import struct
import time

import pytest

from lib.container import Mount
from lib.node import STATE_DIR
from lib.supervised import status
from lib.wait import NotYet, eventually

pytestmark = pytest.mark.asan

LOCKED = 75
LEASE_S = 3
BEAT_S = LEASE_S / 6

# fcntl(2), which the fcntl module does not know
F_OFD_SETLK = 37


class Disk:
    """A volume on a disk of this machine: the lock is enough."""

    word = "held"

    def __init__(self, lab):
        self.directory = lab.volume("state")

    def next(self):
        return self.directory


class OneMount(Disk):
    """A network file system whose locks work between these containers."""

    word = "lease"

    def __init__(self, lab):
        super().__init__(lab)
        os.chmod(self.directory, 0o755)
        self.mirrors = [lab.fuse(self.directory)]

    def next(self):
        return self.mirrors[0].path


class TwoMounts(Disk):
    """The same where they do not: every container has a mount, and so locks, of its own."""

    word = "lease"

    def __init__(self, lab):
        super().__init__(lab)
        self._lab = lab
        self.mirrors = []

    def next(self):
        self.mirrors.append(self._lab.fuse(self.directory))
        return self.mirrors[-1].path


@pytest.fixture(params=[Disk, OneMount, TwoMounts], ids=["disk", "lock-and-lease", "lease-only"])
def volume(lab, request):
    return request.param(lab)


@pytest.fixture
def apart(lab):
    """A volume on which nothing but the lease keeps two containers apart."""
    return TwoMounts(lab)


def start(lab, name, volume, *init, lease=f"{LEASE_S}s", **options):
    return lab.node(name, volume=volume.next(), init=[f"--lease-time={lease}", *init], **options)


def is_up(node):
    return node.has_interface() and node.state()


def up(node, within=5.0):
    eventually(lambda: is_up(node), node.name, within)
    return node


def leases(volume):
    """The lease files, by their term."""
    return {int(path.suffix[1:]): path for path in volume.directory.glob(".wgmesh.lease.*")}


def lease(volume):
    """What the lease that counts says."""
    files = leases(volume)
    if not files:
        return {}
    return dict(line.split("=", 1) for line in files[max(files)].read_text().splitlines())


def beats(volume):
    return int(lease(volume)["beat"])


def all_processes(node):
    return [*node.processes(), *(p for p in node.init.children() if p.is_spawner)]


def freeze(node):
    """What `docker pause` does: nothing in it runs any more."""
    for process in all_processes(node):
        process.signal(signal.SIGSTOP)
    eventually(lambda: all(p.state == "T" for p in all_processes(node)), "all to be stopped")


def thaw(node):
    for process in all_processes(node):
        process.signal(signal.SIGCONT)


def try_lock(directory):
    """Take the whole of a file as wgmesh-init does; returns the descriptor, or None."""
    fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.fcntl(fd, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError:
        os.close(fd)
        return None
    return fd


def test_two_mirrors_of_a_directory_do_not_see_each_others_locks(lab):
    one, two = lab.fuse(lab.host_directory("state")).path, lab.fuse(lab.host_directory("state")).path
    held = [try_lock(one), try_lock(two)]
    assert None not in held
    assert try_lock(one) is None
    for fd in held:
        os.close(fd)


# Two at once

def test_the_second_waits_and_is_refused_with_the_name_of_the_first(lab, volume):
    first = up(start(lab, "first", volume))
    second = start(lab, "second", volume, "--lock-timeout=1s")
    second.wait_for_log("waiting up to")
    assert second.wait() == LOCKED
    assert not second.has_interface()
    refusal = second.find_log("is in use by", "error")["msg"]
    assert f"first (container {first.id[:12]})" in refusal and "since 20" in refusal
    assert is_up(first) and status(first)["lock"] == volume.word
    assert first.stop() == 0


def test_the_second_takes_over_when_the_first_was_killed(lab, volume):
    first = up(start(lab, "first", volume))
    identity = first.identity()
    second = start(lab, "second", volume)
    second.wait_for_log("waiting up to")
    first.kill()
    killed = time.monotonic()
    up(second, LEASE_S + 5)
    if isinstance(volume, TwoMounts):
        assert time.monotonic() - killed > LEASE_S - 2 * BEAT_S
        assert second.find_log("first (container", "info")
    assert second.identity() == identity
    assert second.stop() == 0


def test_the_second_takes_over_at_once_when_the_first_stops(lab, volume):
    first = up(start(lab, "first", volume, lease="1h"))
    identity = first.identity()
    second = start(lab, "second", volume, lease="1h")
    second.wait_for_log("waiting up to")
    assert first.stop() == 0
    up(second)
    assert second.identity() == identity
    assert second.stop() == 0


def test_a_rolling_update_overlaps_for_ten_seconds(lab, apart):
    """The old one is told to stop only then, and with the times as they are by default."""
    old = up(start(lab, "old", apart, lease="30s"))
    identity = old.identity()
    new = start(lab, "new", apart, lease="30s")
    begun = time.monotonic()
    eventually(lambda: time.monotonic() - begun >= 10, "ten seconds", 20)
    assert is_up(old) and not new.has_interface() and new.is_running()
    assert old.stop() == 0
    up(new)
    assert new.identity() == identity
    assert new.stop() == 0


def test_a_stop_ends_the_wait_at_once(lab, volume):
    first = up(start(lab, "first", volume))
    second = start(lab, "second", volume)
    second.wait_for_log("waiting up to")
    assert second.stop(within=2) == 128 + signal.SIGTERM
    assert is_up(first)
    assert first.stop() == 0


def test_of_two_that_wait_one_gets_it_and_the_other_waits_on(lab, apart):
    first = up(start(lab, "first", apart))
    waiting = [start(lab, name, apart) for name in ("second", "third")]
    for node in waiting:
        node.wait_for_log("waiting up to")
    first.kill()
    eventually(lambda: any(is_up(node) for node in waiting), "one of them", LEASE_S + 5)
    beat = beats(apart)
    eventually(lambda: beats(apart) >= beat + 4, "a few signs of life")
    assert sum(bool(is_up(node)) for node in waiting) == 1
    winner, loser = sorted(waiting, key=lambda node: not is_up(node))
    assert winner.stop() == 0
    up(loser)
    assert loser.stop() == 0


# A holder that is not what it was

def test_a_frozen_holder_that_thaws_ends_with_75_and_there_is_one_node(lab, apart):
    first = up(start(lab, "first", apart))
    second = start(lab, "second", apart)
    second.wait_for_log("waiting up to")
    freeze(first)
    up(second, LEASE_S + 5)
    thaw(first)
    eventually(lambda: not first.is_running() or not first.daemons(), "the end of its daemon", 2)
    assert first.wait() == LOCKED
    lost = first.find_log("was taken over by second", "error")
    assert lost and lost["component"] == "lease", first.log.text()
    assert is_up(second) and not first.has_interface()
    assert second.stop() == 0


def test_a_holder_whose_storage_hangs_goes_on_until_it_is_told_that_it_lost(lab, apart):
    first = up(start(lab, "first", apart))
    second = start(lab, "second", apart)
    second.wait_for_log("waiting up to")
    apart.mirrors[0].hang()
    up(second, LEASE_S + 5)
    assert first.daemons() and first.is_running()
    apart.mirrors[0].answer()
    assert first.wait() == LOCKED
    assert second.find_log("has given no sign of life")
    assert second.stop() == 0


def test_storage_that_hangs_for_everybody_changes_nothing(lab):
    volume = OneMount(lab)
    first = up(start(lab, "first", volume))
    second = start(lab, "second", volume)
    second.wait_for_log("waiting up to")
    hung = time.monotonic()
    volume.mirrors[0].hang()
    eventually(lambda: time.monotonic() - hung > 1.5 * LEASE_S, "longer than the lease time", 10)
    volume.mirrors[0].answer()
    beat = beats(volume)
    eventually(lambda: beats(volume) > beat + 2, "signs of life")
    assert is_up(first) and not second.has_interface()
    assert first.stop() == 0
    up(second)
    assert second.stop() == 0


def keeper(node):
    return next((p for p in node.init.children() if p.comm == "wgmesh-keeper"), None)


def test_a_killed_keeper_is_replaced_and_the_lease_stays(lab, apart):
    node = up(start(lab, "node", apart))
    holder = lease(apart)["holder"]
    old = keeper(node)
    old.signal(signal.SIGKILL)
    node.wait_for_log("started again")
    beat = beats(apart)
    eventually(lambda: beats(apart) > beat + 1, "signs of life of the new one")
    assert lease(apart)["holder"] == holder and keeper(node).pid != old.pid
    assert keeper(node).status["Uid"].split() == ["65532"] * 4
    assert node.stop() == 0
    assert lease(apart)["state"] == "free"


def test_a_keeper_that_cannot_be_replaced_is_told_of(lab, apart):
    node = up(start(lab, "node", apart))
    node.spawner.signal(signal.SIGKILL)
    node.wait_for_log("cannot be started again")
    keeper(node).signal(signal.SIGKILL)
    eventually(lambda: node.find_log("the lease is not renewed any more", "error"), "the warning")
    assert node.daemons() and status(node)["lock"] == "held"
    node.stop()


def test_the_keeper_has_no_rights_and_pid_1_does_not_wake_up_for_it(lab, apart):
    node = up(start(lab, "node", apart))
    eventually(lambda: keeper(node).status["Uid"].split() == ["65532"] * 4, "the daemon's user")
    for which in ("Eff", "Prm", "Inh", "Amb", "Bnd"):
        assert keeper(node).caps(which) == set(), which
    assert keeper(node).status["NoNewPrivs"] == "1"
    eventually(lambda: node.exec("wgmesh-init", "healthcheck", check=False).returncode == 0, "health")

    def wakeups():
        return node.init.status["voluntary_ctxt_switches"]

    beat = beats(apart)
    # The daemon beats, too: every 30 s.
    before = wakeups()
    eventually(lambda: beats(apart) > beat + 6, "signs of life")
    assert int(wakeups()) - int(before) <= 1
    assert node.stop() == 0


def test_files_of_old_terms_are_cleared_away(lab, apart):
    for i in range(6):
        node = up(start(lab, f"node-{i}", apart))
        beat = beats(apart)
        eventually(lambda: beats(apart) > beat + 1, "signs of life")
        assert node.stop() == 0
    assert max(leases(apart)) == 6
    assert len(leases(apart)) <= 4


# Leases that are not as they should be

def write_lease(volume, text, term=7):
    path = volume.directory / f".wgmesh.lease.{term}"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["", "version=1\nstate=he", "\0\xff no lease"])
def test_a_damaged_lease_counts_as_somebodys_for_a_lease_time(lab, apart, text):
    write_lease(apart, text)
    begun = time.monotonic()
    node = start(lab, "node", apart)
    node.wait_for_log("in use by an unknown host")
    up(node, LEASE_S + 5)
    assert time.monotonic() - begun > LEASE_S - BEAT_S
    assert max(leases(apart)) == 8
    assert node.stop() == 0


def test_a_lease_of_a_newer_release_is_left_alone(lab, apart):
    path = write_lease(apart, "version=2\nsomething else\n")
    node = start(lab, "node", apart, "--lock-timeout=200ms")
    assert node.wait() == LOCKED
    assert node.find_log("newer release", "error")
    assert leases(apart) == {7: path} and path.read_text() == "version=2\nsomething else\n"


def test_a_lease_that_was_removed_is_made_again(lab, apart):
    node = up(start(lab, "node", apart))
    holder = lease(apart)["holder"]
    leases(apart)[1].unlink()
    eventually(lambda: lease(apart).get("holder") == holder, "the lease")
    assert node.stop() == 0


def test_too_short_a_lease_time_is_refused(lab, apart):
    node = start(lab, "node", apart, lease="999ms")
    assert node.wait() == 64
    assert node.find_log("--lease-time", "error")


# Subcommands

def command(lab, volume, *argv):
    """The exit code of a wgmesh-init command in a container of its own, and what it said."""
    box = lab.container("command", ["wgmesh-init", *argv, f"--lease-time={LEASE_S}s"],
                        mounts=[Mount.bind(volume.next(), STATE_DIR)])
    return box.wait(), box.stdout.text() + box.log.text()


def test_check_and_migrate_respect_a_holder_that_lives(lab, volume):
    node = up(start(lab, "node", volume))
    for name in ("check", "migrate"):
        code, said = command(lab, volume, name)
        assert code == LOCKED and f"node (container {node.id[:12]})" in said, said
    own = node.exec("wgmesh-init", "check", f"--lease-time={LEASE_S}s", check=False)
    assert "in use by this container itself" in own.stdout
    assert node.stop() == 0
    code, said = command(lab, volume, "check")
    assert "nobody uses the state directory" in said, said


def test_check_tells_of_a_holder_that_is_silent_and_migrate_outlives_it(lab, apart):
    up(start(lab, "node", apart)).kill()
    before = {term: path.read_text() for term, path in leases(apart).items()}
    code, said = command(lab, apart, "check")
    assert "gives no sign of life" in said and code != LOCKED, said
    assert {term: path.read_text() for term, path in leases(apart).items()} == before
    code, said = command(lab, apart, "migrate")
    assert code == 0, said
    assert lease(apart)["state"] == "free"


def test_a_disk_of_this_machine_has_no_lease_and_no_keeper(lab):
    volume = Disk(lab)
    node = up(start(lab, "node", volume))
    assert keeper(node) is None and leases(volume) == {}
    assert node.stop() == 0


def test_there_is_no_moment_without_refusal_while_the_first_lives(lab, apart):
    """A second one that is started again and again never gets in."""
    first = up(start(lab, "first", apart))
    for i in range(3):
        second = start(lab, f"second-{i}", apart, "--lock-timeout=0")
        with pytest.raises(NotYet):
            eventually(second.has_interface, "nothing", 0.3)
        assert second.wait() == LOCKED
    assert first.stop() == 0


# What people do to the files

def test_removing_the_lock_file_lets_nobody_in(lab):
    volume = Disk(lab)
    first = up(start(lab, "first", volume))
    (volume.directory / ".wgmesh.lock").unlink()
    code, said = command(lab, volume, "check")
    assert code == LOCKED and ".wgmesh.lock was removed" in said, said
    second = start(lab, "second", volume, "--lock-timeout=1s")
    assert second.wait() == LOCKED
    assert second.find_log(".wgmesh.lock was removed", "error")
    third = start(lab, "third", volume)
    third.wait_for_log("waiting up to")
    assert is_up(first) and first.stop() == 0
    assert up(third).stop() == 0


def test_a_lease_that_cannot_be_renewed_is_told_of_once_and_again_when_it_can(lab, apart):
    node = up(start(lab, "node", apart, lease="1s"))
    eventually(lambda: keeper(node).status["Uid"].split() == ["65532"] * 4, "the daemon's user")
    file = leases(apart)[1]
    file.chmod(0)
    node.wait_for_log("cannot be renewed")
    file.chmod(0o600)
    node.wait_for_log("is renewed again")
    assert sum("cannot be renewed" in event["msg"] for event in node.events("warn")) == 1
    assert node.stop() == 0


def test_the_same_container_started_again_after_a_crash_need_not_wait(lab, monkeypatch):
    volume = OneMount(lab)
    first = up(start(lab, "node", volume, lease="1h"))
    first.kill()
    shutil.rmtree(lab.directory / "containers" / first.id)
    monkeypatch.setattr(secrets, "token_hex", lambda n=None: first.id)
    again = start(lab, "node", volume, lease="1h")
    monkeypatch.undo()
    assert up(again).id == first.id
    assert max(leases(volume)) == 2
    assert again.stop() == 0
