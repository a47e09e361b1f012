# SPDX-License-Identifier: MIT
"""Processes: what PID 1 inherits, reaps, leaves alone and takes with it when it goes."""

import os
import signal
import subprocess
import time

import pytest

from lib.container import Mount, Process
from lib.supervised import PLAIN, Lines, ready, start, state
from lib.terminal import Terminal
from lib.wait import eventually

pytestmark = pytest.mark.asan

NEVER = "--restart=never"
TIDY_S = 0.3  # what lingering descendants need after SIGTERM


def descriptors(process):
    """Number to target of the open descriptors of a process."""
    return {int(entry.name): os.readlink(entry.path) for entry in os.scandir(f"/proc/{process.pid}/fd")}


@pytest.fixture
def out(lab):
    """A directory that containers see as /out and that outlives them."""
    return lab.host_directory("out")


def with_out(lab, out, *verbs, **options):
    return start(lab, *verbs, mounts=[Mount.bind(out, "/out")], **options)


# Reaping

def test_fifty_thousand_orphans_leave_no_zombie(lab):
    box = start(lab, "orphans", "500", "hang", "orphans", "50000", "report")
    lines = Lines(box.stdout)
    lines.take_until("orphans 500")
    # A PID 1 that leaves zombies must not get to fill the machine's table of processes.
    eventually(lambda: [p.state for p in box.processes()] == ["S", "T"], "no zombie of a few")
    box.init.children()[0].signal(signal.SIGCONT)
    lines.take_until("orphans 50000", within=60)
    eventually(lambda: len(box.processes()) == 2, "PID 1 and the program, and nobody else")
    box.signal(signal.SIGUSR1)
    assert lines.take_until("ready") == [] and lines.take() == f"signal {signal.SIGUSR1.value} 0 0"


def test_the_programs_end_is_not_missed_among_orphans(lab):
    assert start(lab, "orphans", "3000", "exit", "9", init=[NEVER]).wait() == 9


# What PID 1 was started with

@pytest.mark.parametrize("before", [
    ["ignore", "CHLD"],
    ["block", "all"],
    ["ignore", "all"],
    ["close", "0"],
    ["close", "0", "close", "1", "close", "2"],
    ["close-all"],
    ["open", "3", "open", "4", "open", "200"],
    ["chdir", "/tmp"],
], ids=" ".join)
def test_the_programs_code_comes_back_whatever_was_inherited(lab, before):
    assert start(lab, "exit", "7", init=[NEVER], before=before).wait(within=5) == 7


@pytest.mark.parametrize("before", [["close", "0"], ["close-all"]], ids=" ".join)
def test_missing_standard_descriptors_are_filled_with_dev_null(lab, out, before):
    box = with_out(lab, out, "output", "/out/state", "state", "wait", before=before)
    lines = eventually(lambda: said(out / "state", "State: end"), "the state")
    fds = dict(text.split() for text in state(lines)["Fd"])
    assert fds.pop("0") == "/dev/null" and "2" in fds
    assert set(fds) == {"1", "2"}, "1 is /out/state"
    # What PID 1 opens first must not become its own standard error, where log lines go.
    own = descriptors(box.init)
    assert all(own[number] == "/dev/null" or own[number].startswith("pipe:") for number in (0, 1, 2)), own


def said(path, last):
    """The lines of a file, once its last one is there."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return lines if last in lines else None


def test_inherited_descriptors_are_closed_in_the_program_and_in_pid_1(lab):
    box = start(lab, "state", "wait", before=["open", "3", "open", "9", "open", "200"])
    found = state(Lines(box.stdout).take_until("State: end"))
    assert [text.split()[0] for text in found["Fd"]] == ["0", "1", "2"]
    for process in filter(None, (box.init, box.spawner)):
        assert [n for n, target in descriptors(process).items() if target == "/dev/zero"] == [], process


def test_the_program_keeps_the_working_directory_and_pid_1_does_not_pin_it(lab):
    box = start(lab, "state", "wait", before=["chdir", "/tmp"])
    assert state(Lines(box.stdout).take_until("State: end"))["Cwd"] == ["/tmp"]
    eventually(lambda: os.readlink(f"/proc/{box.pid}/cwd") == "/", "PID 1 in the root directory")


def test_a_mere_wrapper_leaves_its_streams_to_the_program(lab):
    box = start(lab, "print", "up", "wait", init=[NEVER])
    Lines(box.stdout).take_until("up")
    own, programs = descriptors(box.init), descriptors(box.init.children()[0])
    assert [programs[number] for number in (0, 1, 2)] == [own[number] for number in (0, 1, 2)]


def test_the_environment_is_the_programs_too(lab):
    box = start(lab, "state", "exit", "0", env={"A": "b=c", "EMPTY": ""})
    box.wait()
    assert {"A=b=c", "EMPTY="} <= set(state(box.stdout.lines)["Env"])


# Below another process: not PID 1

@pytest.fixture
def crowd(lab, out):
    """A container with bystanders, for a wgmesh-init that is not PID 1; they must survive it."""
    box = lab.container("node", ["probe", "daemon", "/out/bystander", "print", "up", "wait"],
                        mounts=[Mount.bind(out, "/out")])
    Lines(box.stdout).take_until("up")
    bystanders = box.processes()
    assert len(bystanders) == 2
    yield box
    assert [p for p in bystanders if not p.is_alive()] == []
    assert not (out / "bystander").exists()


def start_below(crowd, *verbs, init=()):
    """Start one beside them, with a probe that reports; the process and its Popen."""
    popen = crowd.popen(*PLAIN, *init, "--", "probe", *verbs, "report", stdout=subprocess.PIPE)
    for _ in iter(popen.stdout.readline, "ready\n"):
        pass
    return Process(popen.pid).children()[0], popen


def test_it_is_a_subreaper_when_it_is_not_pid_1(crowd):
    init, popen = start_below(crowd, "orphans", "100", "obey", "TERM", "8")
    eventually(lambda: len(init.descendants()) == 1, "the program, and no zombie")
    init.signal(signal.SIGTERM)
    popen.communicate(timeout=10)
    assert popen.returncode == 8


def test_it_does_not_complain_about_not_being_pid_1(crowd):
    done = crowd.run(*PLAIN, NEVER, "--", "probe", "exit", "6", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (6, "", "")


def test_below_another_process_it_takes_its_descendants_along_and_nobody_else(crowd, out):
    init, popen = start_below(crowd, "linger", "/out/child", "daemon", "/out/daemon", "stubborn",
                              init=["--stop-timeout=800ms"])
    family = init.descendants()
    assert len(family) == 4
    begun = time.monotonic()
    init.signal(signal.SIGTERM)
    family[0].signal(signal.SIGKILL)
    popen.communicate(timeout=10)
    assert time.monotonic() - begun >= 0.8
    assert [p for p in family if p.is_alive()] == []
    assert (out / "child").exists() and (out / "daemon").exists()


def test_the_orphan_of_a_command_in_the_container_lives_as_long_as_the_container(lab, out):
    box = with_out(lab, out, "obey", "TERM", "0", "report")
    ready(box)
    # Without the streams of run(), which reads to their end.
    box.run("sh", "-c", "probe daemon /out/orphan exit 0 >/dev/null 2>&1")
    orphan = next(p for p in box.processes() if "/out/orphan" in p.argv)
    assert orphan.pid in [p.pid for p in box.init.children()]
    assert orphan.is_alive()
    box.stop()
    assert (out / "orphan").exists(), "told to end, and given the time for it"


# The end

def test_descendants_in_other_sessions_get_time_to_tidy_up(lab, out, time_scale):
    box = with_out(lab, out, "linger", "/out/child", "daemon", "/out/daemon", "exit", "4",
                   init=[NEVER, "--stop-timeout=30s"])
    assert box.wait() == 4
    assert (out / "child").exists() and (out / "daemon").exists()
    assert time.monotonic() - box.started < TIDY_S + 2 * time_scale, "and no longer than they needed"


def test_a_stop_gives_descendants_time_to_tidy_up(lab, out):
    box = with_out(lab, out, "linger", "/out/child", "daemon", "/out/daemon", "obey", "TERM", "2",
                   "report", init=["--stop-timeout=30s"])
    ready(box)
    assert box.stop() == 2
    assert (out / "child").exists() and (out / "daemon").exists()


def test_a_stopped_descendant_gets_time_to_tidy_up_too(lab, out):
    box = with_out(lab, out, "linger", "/out/child", "obey", "TERM", "2", "report",
                   init=["--stop-timeout=30s"])
    ready(box)
    child = box.init.children()[0].children()[0]
    child.signal(signal.SIGSTOP)
    eventually(lambda: child.state == "T", "the descendant to stop")
    assert box.stop() == 2
    assert (out / "child").exists()


def test_a_stubborn_descendant_is_killed_at_the_deadline(lab, time_scale):
    box = start(lab, "stubborn", "print", "up", "sleep", "100", "exit", "3",
                init=[NEVER, "--stop-timeout=500ms"])
    Lines(box.stdout).take_until("up")
    begun = time.monotonic()
    assert box.wait() == 3
    assert 0.5 <= time.monotonic() - begun < 0.7 + time_scale


def test_it_leaves_at_once_when_nothing_is_left(lab, time_scale):
    box = start(lab, "print", "up", "exit", "0", init=["--stop-timeout=60s"])
    assert box.wait() == 0
    assert time.monotonic() - box.started < 2 * time_scale


@pytest.mark.parametrize("verbs", [["ignore", "TERM"], ["stubborn", "obey", "TERM", "0"]],
                         ids=["while-the-program-lives", "while-others-are-left"])
def test_a_second_stop_cuts_the_grace_short(lab, verbs, time_scale):
    box = start(lab, *verbs, "print", "up", "wait", init=["--stop-timeout=60s"])
    Lines(box.stdout).take_until("up")
    begun = time.monotonic()
    box.signal(signal.SIGTERM)
    if "stubborn" in verbs:
        eventually(lambda: len(box.processes()) == 2, "the program's end")
    else:
        eventually(lambda: "stopping" in box.log.text(), "the stop")
    box.signal(signal.SIGTERM)
    assert box.wait() == (0 if "stubborn" in verbs else 128 + signal.SIGKILL)
    assert time.monotonic() - begun < 2 * time_scale


# Terminal

@pytest.fixture(params=[[NEVER], []], ids=["wrapper", "supervisor"])
def tty(lab, out, request):
    """Start a probe whose terminal this test sits in front of; what it says goes to /out/said."""
    terminal = Terminal()

    def run(*verbs):
        box = with_out(lab, out, "output", "/out/said", *verbs, init=request.param,
                       before=["terminal"], terminal=terminal)
        box.tty = terminal
        return box

    yield run
    terminal.close()


def heard(out, *lines):
    """Has the probe said exactly this?"""
    def is_so():
        assert (out / "said").read_text(encoding="utf-8").splitlines() == list(lines)
        return True
    eventually(lambda: (out / "said").exists() and is_so(), f"{lines}")


def test_the_program_can_read_the_terminal(out, tty):
    box = tty("read", "print", "done", "wait")
    box.tty.type("hello\n")
    heard(out, "read hello", "done")


def test_the_program_is_in_the_terminals_foreground(out, tty):
    tty("state", "wait")
    found = state(eventually(lambda: said(out / "said", "State: end"), "the state"))
    assert found["Foreground"] == found["Pgrp"] == found["Pid"]


def test_a_terminals_signals_arrive_once_and_no_others(out, tty):
    box = tty("report")
    heard(out, "ready")
    box.tty.press_interrupt()
    heard(out, "ready", "signal 2 128 0")
    box.tty.resize(50, 120)
    heard(out, "ready", "signal 2 128 0", "signal 28 128 0")
    # Behind everything that may have come twice.
    box.signal(signal.SIGUSR1)
    heard(out, "ready", "signal 2 128 0", "signal 28 128 0", "signal 10 0 0")


def test_a_hang_up_arrives_once(out, tty):
    box = tty("report")
    heard(out, "ready")
    box.tty.hang_up()
    eventually(lambda: "signal 1 " in (out / "said").read_text(), "SIGHUP")
    box.signal(signal.SIGUSR1)
    lines = eventually(lambda: said(out / "said", "signal 10 0 0"), "the last signal")
    numbers = [line.split()[1] for line in lines[1:]]
    # The kernel sends SIGCONT along with it to the session's leader, PID 1, which passes that on too.
    assert [n for n in numbers if n != "18"] == ["1", "10"] and numbers.count("18") <= 1


def test_a_typed_stop_stops_the_program_until_it_is_told_to_go_on(out, tty):
    box = tty("print", "up", "wait")
    heard(out, "up")
    program = next(p for p in box.init.children() if p.argv[:1] == ["probe"])
    box.tty.type("\x1a")
    eventually(lambda: program.state == "T", "the program to stop")
    box.signal(signal.SIGCONT)
    eventually(lambda: program.state == "S", "the program to go on")


def test_a_typed_interrupt_ends_the_container(out, tty):
    box = tty("print", "up", "wait")
    heard(out, "up")
    box.tty.press_interrupt()
    assert box.wait() == 128 + signal.SIGINT
