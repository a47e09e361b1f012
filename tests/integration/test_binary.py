# SPDX-License-Identifier: MIT
"""The file wgmesh-init itself: what it is made of, and what its start costs."""

import os
import re
import signal
import subprocess

import pytest

from lib.container import Mount
from lib.lab import programs
from lib.wait import eventually

INIT = programs("release")[0]
SIZE_LIMIT = 272 * 1024

# From the first instruction to the clone of PROGRAM, and in that child to its execve, both included.
CALLS_LIMIT = 28

# Generous; a PID 1 that missed the end of its program would never end itself.
START_S = 30

# strace shows "PID call(arguments) = result", and a call that another one interrupts in two parts.
CALL = re.compile(r"^(\d+) +(\w+)\(")


def readelf(*options):
    shown = subprocess.run(["readelf", "--wide", *options, INIT], text=True, errors="replace",
                           stdout=subprocess.PIPE, check=True)
    return shown.stdout


def traced_start(tmp_path, *command):
    """The lines of strace(1) about a wgmesh-init that is PID 1, and about PROGRAM."""
    trace = tmp_path / "trace"
    # Not the tracer: what it traces goes on without it.
    subprocess.run(["strace", "-f", "-o", trace, "timeout", "-s", "KILL", str(START_S),
                    "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", INIT,
                    "--state-dir=none", "--restart=never", "--", *command],
                   env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    lines = trace.read_text(encoding="utf-8").splitlines()
    begun = next(i for i, line in enumerate(lines) if f'execve("{INIT}"' in line)
    return [line for line in lines[begun + 1:] if CALL.match(line)]


def calls_until_exec(lines, program):
    """Names of the calls that PROGRAM has to wait for: of PID 1 until the clone, then of the child."""
    calls = [CALL.match(line).groups() for line in lines]
    init = calls[0][0]
    last = next(i for i, line in enumerate(lines) if f'execve("{program}"' in line)
    child = calls[last][0]
    clone = max(i for i, (pid, name) in enumerate(calls[:last])
                if pid == init and name in ("clone3", "clone", "fork", "vfork"))
    return [name for i, (pid, name) in enumerate(calls[:last + 1])
            if pid == child or (pid == init and i <= clone)]


def test_the_shipped_file_needs_no_loader_and_no_library():
    assert "INTERP" not in readelf("--program-headers")
    assert "NEEDED" not in readelf("--dynamic")


def test_the_shipped_file_is_hardened():
    headers = readelf("--program-headers")
    assert "DYN (" in readelf("--file-header"), "position-independent"
    assert "GNU_RELRO" in headers
    assert re.search(r"GNU_STACK.* RW +0x", headers), "no executable stack"
    assert not re.search(r"LOAD.* RWE ", headers), "nothing writable is executable"


def test_the_shipped_file_is_small_and_its_debug_information_lies_beside_it():
    assert INIT.stat().st_size < SIZE_LIMIT
    assert ".symtab" not in readelf("--sections")
    assert INIT.with_suffix(".debug").is_file()
    assert INIT.with_suffix(".debug").name in readelf("--string-dump=.gnu_debuglink")


def test_the_first_thing_that_pid_1_does_is_to_block_all_signals(tmp_path):
    first = traced_start(tmp_path, "/bin/true")[0]
    assert "rt_sigprocmask(SIG_SETMASK, ~[], NULL, 8) = 0" in first


def test_a_program_is_started_after_few_system_calls(tmp_path):
    calls = calls_until_exec(traced_start(tmp_path, "/bin/true"), "/bin/true")
    assert calls[-1] == "execve"
    assert len(calls) <= CALLS_LIMIT, calls


@pytest.mark.asan
def test_pid_1_keeps_no_descriptor_that_it_was_started_with(lab):
    box = lab.container("node", ["sh", "-c", "exec 7</etc/hostname; exec wgmesh-init "
                                             "--state-dir=none -- sleep 1000"])
    eventually(lambda: any(p.argv[:1] == ["sleep"] for p in box.processes()), "the program")
    for process in box.processes():
        directory = f"/proc/{process.pid}/fd"
        targets = [os.readlink(f"{directory}/{number}") for number in os.listdir(directory)]
        assert not [target for target in targets if target.endswith("/etc/hostname")], process


@pytest.mark.asan
def test_a_closed_standard_descriptor_is_not_given_to_another_file(lab):
    box = lab.container("node", ["sh", "-c", "exec wgmesh-init --state-dir=none -- sleep 1000 0<&-"])
    eventually(lambda: any(p.argv[:1] == ["sleep"] for p in box.processes()), "the program")
    for process in box.processes():
        assert os.readlink(f"/proc/{process.pid}/fd/0") == "/dev/null"


def ignoring(*command, signals=(signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD, 34, 64)):
    """A command that is started with signals ignored; 34 is one that musl keeps for itself."""
    script = (f"import os, signal, sys; [signal.signal(n, signal.SIG_IGN) for n in {[*map(int, signals)]}];"
              "os.execvp(sys.argv[1], sys.argv[1:])")
    return ["/usr/bin/python3", "-c", script, *command]


@pytest.mark.asan
@pytest.mark.parametrize("proc", ["readable", "missing"])
def test_a_program_starts_with_default_dispositions_and_nothing_blocked(lab, proc):
    hide = "umount -l /proc; " if proc == "missing" else ""
    init = ignoring("wgmesh-init", "--state-dir=none", "--", "sleep", "1000")
    box = lab.container("node", ["sh", "-c", hide + 'exec "$@"', "sh", *init], caps=None)
    program = eventually(lambda: next((p for p in box.processes() if p.argv[:1] == ["sleep"]), None),
                         "the program")
    for field in ("SigIgn", "SigBlk", "SigCgt"):
        assert int(program.status[field], 16) == 0, (field, program.status[field])


@pytest.mark.asan
def test_a_check_waits_for_its_children_where_sigchld_was_ignored(lab):
    box = lab.container("node", ignoring("wgmesh-init", "check"),
                        mounts=[Mount.bind(lab.volume("state"), "/var/lib/wgmesh")])
    assert box.wait() == 0
    assert "a start would go ahead" in box.stdout.lines
