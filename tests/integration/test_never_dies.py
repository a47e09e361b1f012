# SPDX-License-Identifier: MIT
"""PID 1 goes on when the machine has nothing left to give, says what it can, and recovers."""

import contextlib
import json
import os
import pathlib
import resource
import secrets
import signal
import socket
import subprocess
import threading
import time

import pytest

from lib.container import Mount
from lib.supervised import LIBC, PLAIN
from lib.wait import eventually

pytestmark = pytest.mark.asan

CGROUPS = pathlib.Path("/sys/fs/cgroup/pids")
SLEEP = ["sleep", "1000"]


def program(box, argv=None):
    """The supervised program, or None between two starts."""
    found = [p for p in box.processes()[1:] if p.argv == (argv or SLEEP)]
    return found[0] if found else None


def supervised(lab, *command, init=(), **options):
    box = lab.container("node", [*PLAIN, *init, "--", *(command or SLEEP)], **options)
    eventually(lambda: program(box, list(command) or SLEEP), "the program")
    return box


def is_healthy(box):
    return box.exec("wgmesh-init", "healthcheck", check=False).returncode == 0


def crash_and_come_back(box):
    """Kill the program, and wait for the next one."""
    before = eventually(lambda: program(box), "the program")
    before.signal(signal.SIGKILL)
    return eventually(lambda: (now := program(box)) and now.pid != before.pid and now, "the next start")


def stops(box):
    """A stop signal is obeyed; by a program that dies of it."""
    assert box.stop() == 128 + signal.SIGTERM


@contextlib.contextmanager
def limited(process, kind, limit):
    """A resource limit of one process, for a while."""
    _, hard = resource.prlimit(process.pid, kind)
    soft = resource.prlimit(process.pid, kind, (limit, hard))[0]
    try:
        yield
    finally:
        if process.is_alive():
            resource.prlimit(process.pid, kind, (soft, hard))


def test_without_a_free_descriptor_it_supervises_and_later_answers_again(lab):
    box = supervised(lab)
    eventually(lambda: is_healthy(box), "health")
    with limited(box.init, resource.RLIMIT_NOFILE, 0):
        assert not is_healthy(box), "nobody can be let in"
        crash_and_come_back(box)
        before = ticks(box)
        time.sleep(0.2)
        assert ticks(box) <= before + 1, "it does not spin"
    eventually(lambda: is_healthy(box), "health again")
    stops(box)


def ticks(box):
    """CPU time of PID 1, in clock ticks."""
    text = pathlib.Path(f"/proc/{box.pid}/stat").read_text(encoding="utf-8")
    fields = text.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_without_memory_to_allocate_it_supervises(lab, variant):
    if variant == "asan":
        return  # the sanitizer's own memory is what runs out first
    box = supervised(lab)
    eventually(lambda: is_healthy(box), "health")
    size = int(box.init.status["VmSize"].split()[0]) * 1024
    with limited(box.init, resource.RLIMIT_AS, size), limited(box.init, resource.RLIMIT_DATA, 0):
        for _ in range(3):
            crash_and_come_back(box)
        assert is_healthy(box)
        stops(box)


@contextlib.contextmanager
def process_limit(box):
    """A cgroup for the spawner, in which there is room for nobody else."""
    if not os.access(CGROUPS / "tasks", os.W_OK):
        pytest.skip("this machine has no writable pids cgroup (version 1) to limit processes with")
    directory = CGROUPS / f"wgmesh-test-{secrets.token_hex(4)}"
    directory.mkdir()
    try:
        (directory / "pids.max").write_text("1")
        (directory / "cgroup.procs").write_text(str(box.spawner.pid))
        yield directory
    finally:
        box.kill()
        eventually(lambda: not (directory / "cgroup.procs").read_text(), "the cgroup to empty")
        directory.rmdir()


def test_when_no_process_can_be_made_it_tries_until_one_can(lab):
    box = supervised(lab)
    eventually(lambda: box.spawner, "the spawner")
    with process_limit(box) as cgroup:
        program(box).signal(signal.SIGKILL)
        eventually(lambda: "trying again" in box.log.text(), "a failed start that is told")
        assert "Resource temporarily unavailable" in box.log.text()
        assert not is_healthy(box)
        (cgroup / "pids.max").write_text("max")
        eventually(lambda: is_healthy(box), "the program again")
        crash_and_come_back(box)


def test_when_not_even_the_first_process_can_be_made_it_tries_until_one_can(lab):
    box = lab.container("node", ["prlimit", "--nproc=1:100", *PLAIN, "--", *SLEEP],
                        user=(23456, 23456))
    eventually(lambda: "trying again" in box.log.text(), "a failed start that is told")
    subprocess.run(["setpriv", "--reuid=23456", "--regid=23456", "--clear-groups",
                    "prlimit", f"--pid={box.pid}", "--nproc=100"], check=True)
    eventually(lambda: program(box), "the program")
    eventually(lambda: box.init.status.get("NoNewPrivs") == "1", "the end of its own rights")
    crash_and_come_back(box)
    stops(box)


def test_a_program_that_is_run_once_is_started_as_soon_as_a_process_can_be_made(lab):
    box = lab.container("node", ["prlimit", "--nproc=1:100", *PLAIN, "--restart=never", "--", *SLEEP],
                        user=(23456, 23456))
    eventually(lambda: "trying again" in box.log.text(), "a failed start that is told")
    subprocess.run(["setpriv", "--reuid=23456", "--regid=23456", "--clear-groups",
                    "prlimit", f"--pid={box.pid}", "--nproc=100"], check=True)
    eventually(lambda: program(box), "the program")
    eventually(lambda: box.init.status.get("NoNewPrivs") == "1", "the end of PID 1's own rights")
    stops(box)


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&- <&-"])
def test_with_standard_error_closed_or_full_it_supervises(lab, redirection):
    shell = f"exec {' '.join(PLAIN)} -- sleep 1000 {redirection}"
    box = lab.container("node", ["sh", "-c", shell])
    crash_and_come_back(box)
    eventually(lambda: is_healthy(box), "health")
    stops(box)


FLOOD = "while :; do echo flood flood flood flood flood flood flood flood flood >&2; done"


@pytest.mark.parametrize("capture", ["true", "false"])
def test_a_reader_that_reads_no_more_costs_the_program_its_time_and_pid_1_nothing(lab, capture):
    """The program waits in its own write, as it would without us."""
    pipe = "mkfifo /tmp/log; sleep 1000 <>/tmp/log & exec 2>/tmp/log; "
    init = " ".join([*PLAIN, f"--capture-stderr={capture}", "--stop-timeout=300ms"])
    box = lab.container("node", ["sh", "-c", f"{pipe} exec {init} -- sh -c '{FLOOD}'"])
    flooder = eventually(lambda: next((p for p in box.processes()[1:] if p.argv == ["sh", "-c", FLOOD]),
                                      None), "the program")
    eventually(lambda: flooder.state == "S" and blocked(flooder), "a full pipe")
    assert is_healthy(box)
    assert json.loads(box.exec("wgmesh-init", "status", "--json").stdout)["state"] == "running"
    box.signal(signal.SIGTERM)
    assert box.wait() in (128 + signal.SIGTERM, 128 + signal.SIGKILL)


def blocked(process):
    """Does it stand still, in a write to a pipe?"""
    return "pipe" in pathlib.Path(f"/proc/{process.pid}/wchan").read_text(encoding="utf-8") or \
        still(process)


def still(process):
    first = process.status.get("voluntary_ctxt_switches")
    time.sleep(0.05)
    return process.status.get("voluntary_ctxt_switches") == first


def test_with_proc_masked_it_supervises_and_answers(lab, variant):
    if variant == "asan":
        return  # the sanitizer reads /proc, and complains on standard error
    box = supervised(lab, mounts=[Mount.tmpfs("/proc")])
    crash_and_come_back(box)
    eventually(lambda: is_healthy(box), "health")
    assert json.loads(box.exec("wgmesh-init", "status", "--json").stdout)["restarts"] == 1
    stops(box)


def test_no_signal_from_inside_ends_it(lab):
    box = supervised(lab)
    eventually(lambda: is_healthy(box), "health")
    for number in (signal.SIGKILL, signal.SIGSTOP):
        box.exec("sh", "-c", f"kill -{int(number)} 1")
    assert is_healthy(box)
    stops(box)


def test_a_flood_of_clients_keeps_no_stop_waiting(lab):
    box = supervised(lab)
    eventually(lambda: is_healthy(box), "health")
    flood = [box.popen("sh", "-c", "while :; do wgmesh-init healthcheck; done", stderr=subprocess.DEVNULL)
             for _ in range(4)]
    stops(box)
    for client in flood:
        client.kill()
        client.wait()


def test_a_client_that_never_reads_is_no_burden(lab):
    box = supervised(lab)
    eventually(lambda: is_healthy(box), "health")
    name = next(line.split()[-1] for line in
                box.exec("cat", "/proc/net/unix").stdout.splitlines() if line.endswith(status_name(box)))
    stubborn = [in_network(box, name) for _ in range(40)]
    assert is_healthy(box)
    for client in stubborn:
        client.close()
    stops(box)


def status_name(box):
    """How the abstract socket of `wgmesh-init status` ends: with the number of the mount namespace."""
    return f"/{os.stat(f'/proc/{box.pid}/ns/mnt').st_ino}"


def in_network(box, name):
    """A connection to an abstract socket, from a thread that has entered the container's network."""
    made = []

    def connect():
        with open(f"/proc/{box.pid}/ns/net", "rb") as net:
            if LIBC.setns(net.fileno(), 0) == 0:
                client = socket.socket(socket.AF_UNIX)
                client.connect("\0" + name[1:])
                made.append(client)

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join()
    return made[0]


def test_a_volume_that_hangs_keeps_no_end_waiting(lab):
    """The history is written by somebody else, who may wait for the storage for ever."""
    with frozen_disk(lab) as (volume, freeze):
        box = lab.container("node", ["wgmesh-init", "--legacy-dir=none", "--stop-timeout=500ms", "--",
                                     *SLEEP], mounts=[Mount.bind(volume, "/var/lib/wgmesh")])
        eventually(lambda: program(box), "the program")
        freeze()
        crash_and_come_back(box)
        assert is_healthy(box)
        box.signal(signal.SIGTERM)
        # The kernel keeps what is left of a container until its last process can be killed.
        eventually(lambda: "exit code 143" in box.log.text(), "the end of PID 1", within=3)


@pytest.mark.parametrize("is_killed_before", [False, True], ids=["by the stop", "by the watchdog"])
def test_a_program_that_not_even_sigkill_ends_keeps_no_end_waiting(lab, is_killed_before):
    beat = "probe notify WATCHDOG=1 exec" if is_killed_before else ""
    script = f"until test -e /tmp/go; do sleep 0.01; done; exec {beat} touch /var/lib/wgmesh/file"
    with frozen_disk(lab) as (volume, freeze):
        box = lab.container("node", ["wgmesh-init", "--legacy-dir=none", "--stop-timeout=300ms",
                                     "--watchdog=300ms", "--", "sh", "-c", script], mounts=[Mount.bind(volume, "/var/lib/wgmesh")])
        eventually(lambda: is_healthy(box), "health")
        freeze()
        box.run("touch", "/tmp/go")
        eventually(lambda: any(p.argv[:1] == ["touch"] and p.state == "D" for p in box.processes()),
                   "the program to hang in the kernel")
        eventually(lambda: not is_killed_before or "no watchdog beat" in box.log.text(), "the watchdog")
        box.signal(signal.SIGTERM)
        eventually(lambda: "exit code 137" in box.log.text(), "the end of PID 1")


@contextlib.contextmanager
def frozen_disk(lab):
    """A directory on a disk of its own, and a function that makes every write to it hang."""
    image = lab.directory / "disk.img"
    disk = lab.directory / "disk"
    disk.mkdir()
    subprocess.run(["truncate", "--size=16M", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, disk], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this machine has no loop devices to make a disk that hangs")
    frozen = []

    def freeze():
        subprocess.run(["fsfreeze", "--freeze", disk], check=True)
        frozen.append(True)

    volume = disk / "volume"
    volume.mkdir()
    try:
        yield volume, freeze
    finally:
        if frozen:
            subprocess.run(["fsfreeze", "--unfreeze", disk], check=True)
        for container in lab.containers:
            eventually(lambda: not container.is_running(), "the end of the container")
        eventually(lambda: subprocess.run(["umount", disk], check=False,
                                          stderr=subprocess.DEVNULL).returncode == 0, "the disk to be free")
