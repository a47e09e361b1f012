# SPDX-License-Identifier: MIT
"""Signals: what PID 1 is sent reaches the program once, as it was sent, and never too early or too late."""

import re
import signal
import time

import pytest

from lib import pidns
from lib.pidns import Start
from lib.supervised import PLAIN, Lines, in_another_group, queue_signal, ready, start, state
from lib.wait import eventually

pytestmark = pytest.mark.asan

NEVER = "--restart=never"
STOPS = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]
# Not for a program to see: the kernel's own two, and those about PID 1's own children and terminal.
UNSEEN = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTTIN, signal.SIGTTOU}
# A signal number the tests keep for themselves: the probe answers it with its counts.
ASK = 64
REALTIME = 40
SI_USER, SI_QUEUE = 0, -1
FATAL = sorted({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP,
                signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGKILL, signal.SIGUSR1,
                signal.SIGSEGV, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM, signal.SIGTERM,
                signal.SIGSTKFLT, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGVTALRM, signal.SIGPROF,
                signal.SIGIO, signal.SIGPWR, signal.SIGSYS, 32, 33, 34, 50, 64})


def counting(lab, *verbs, **options):
    """A probe that counts: it, and a function that asks for the counts."""
    box = start(lab, "answer", str(ASK), "counts", *verbs, **options)
    lines = ready(box)

    def ask():
        box.signal(ASK)
        return lines.counts()
    return box, lines, ask


# Which, how often, and with what

def test_every_signal_that_is_no_stop_reaches_the_program_once(lab):
    sent = set(range(1, 64)) - UNSEEN - set(STOPS)
    box, lines, ask = counting(lab, "report")
    for number in sorted(sent):
        box.signal(number)
        assert lines.take() == f"signal {number} {SI_USER} 0"
    assert ask() == {number: 1 for number in sent}


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_a_stop_signal_reaches_the_program_once_and_stops(lab, number):
    box = start(lab, "obey", "USR1", "3", "report")
    lines = ready(box)
    box.signal(number)
    assert lines.take() == f"signal {number.value} {SI_USER} 0"
    box.signal(signal.SIGUSR1)
    assert box.wait() == 3
    assert box.stdout.lines[1:] == [f"signal {number.value} 0 0", f"signal {signal.SIGUSR1.value} 0 0"]


def test_signals_about_the_init_itself_are_not_passed_on(lab):
    box, _, ask = counting(lab, "count")
    for number in (signal.SIGCHLD, signal.SIGTTIN, signal.SIGTTOU):
        box.signal(number)
    assert ask() == {}


def test_a_program_stops_at_the_terminals_stop_signal_and_goes_on(lab):
    box = start(lab, "print", "up", "wait")
    eventually(lambda: "up" in box.stdout.lines, "the program")
    program = box.init.children()[0]
    box.signal(signal.SIGTSTP)
    eventually(lambda: program.state == "T", "the program to stop")
    box.signal(signal.SIGCONT)
    eventually(lambda: program.state == "S", "the program to go on")


def test_realtime_signals_are_queued_each(lab):
    box, _, ask = counting(lab, "count")
    for _ in range(100):
        box.signal(REALTIME)
    eventually(lambda: ask().get(REALTIME) == 100, "100 of 100")
    assert ask() == {REALTIME: 100}


@pytest.mark.parametrize("number", [signal.SIGUSR1, REALTIME], ids=["standard", "realtime"])
def test_the_value_and_the_code_of_a_queued_signal_are_kept(lab, number):
    box = start(lab, "report")
    lines = ready(box)
    for value in (0, 1, 42, -1, 2**31 - 1):
        queue_signal(box.pid, number, value)
        assert lines.take() == f"signal {int(number)} {SI_QUEUE} {value}"


def test_a_stop_signal_keeps_its_value_too(lab):
    box = start(lab, "report", init=["--stop-timeout=300ms"])
    lines = ready(box)
    queue_signal(box.pid, signal.SIGTERM, 7)
    assert lines.take() == f"signal {signal.SIGTERM.value} {SI_QUEUE} 7"


def test_of_two_thousand_queued_signals_none_is_lost_doubled_or_out_of_order(lab):
    box = start(lab, "report")
    lines = ready(box)
    for value in range(2000):
        queue_signal(box.pid, REALTIME, value)
    assert [lines.take() for _ in range(2000)] == [f"signal {REALTIME} -1 {n}" for n in range(2000)]


def test_of_two_thousand_standard_signals_none_is_lost_or_doubled(lab):
    box, lines, ask = counting(lab, "report")
    cycle = [signal.SIGUSR1, signal.SIGHUP, signal.SIGWINCH, signal.SIGPIPE]
    for turn in range(2000):
        number = cycle[turn % len(cycle)]
        box.signal(number)
        assert lines.take() == f"signal {number.value} {SI_USER} 0", turn
    assert ask() == {number.value: 500 for number in cycle}


def test_a_storm_of_zombies_loses_no_signal(lab):
    box, lines, ask = counting(lab, "storm", "20000", "count")
    for value in range(1000):
        queue_signal(box.pid, REALTIME, value)
    lines.take_until("orphans 20000", within=20)
    eventually(lambda: ask().get(REALTIME, 0) >= 1000, "1000 of 1000")
    assert ask() == {REALTIME: 1000}
    eventually(lambda: len(box.processes()) == 2, "PID 1 and the program")


# The first millisecond

def test_the_first_system_call_blocks_every_signal(lab, variant):
    if variant == "asan":
        # Its loader and its sanitizer run before the program's entry point.
        return
    box = lab.container("node", ["probe", "wait"])
    said = box.run("strace", "-qq", *PLAIN, NEVER, "--", "probe", "exit", "0").stderr.splitlines()
    assert said[0].startswith("execve(")
    assert re.match(r"rt_sigprocmask\(SIG_SETMASK, ~\[\], NULL, 8\) += 0", said[1]), said[1]


@pytest.mark.parametrize("is_seen", [False, True], ids=["from-clone", "from-its-mask"])
def test_a_stop_in_the_first_millisecond_is_never_lost(lab, is_seen):
    box = lab.container("node", ["probe", "wait"])
    delays = [turn * 1000 // 75 for turn in range(75)]
    lives = [Start([*PLAIN, NEVER, "--", "probe", "wait"], signal.SIGTERM, delay, is_seen)
             for delay in delays]
    ends = pidns.starts(box, lives)
    wrong = [(delay, end) for delay, end in zip(delays, ends) if end not in (0, 143)]
    assert wrong == []


# What comes back

def test_every_exit_code_comes_through(lab):
    box = lab.container("node", ["probe", "wait"])
    lives = [Start([*PLAIN, NEVER, "--", "probe", "exit", str(code)]) for code in range(256)]
    assert pidns.starts(box, lives) == list(range(256))


def test_every_death_by_a_signal_comes_through(lab):
    box = lab.container("node", ["probe", "wait"])
    lives = [Start([*PLAIN, NEVER, "--", "probe", "kill", str(int(number))]) for number in FATAL]
    assert pidns.starts(box, lives) == [128 + int(number) for number in FATAL]


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_death_by_the_stop_signal_is_told_as_it_was(lab, number):
    box = start(lab, "print", "up", "wait")
    Lines(box.stdout).take_until("up")
    box.signal(number)
    assert box.wait() == 128 + number


@pytest.mark.parametrize("verbs, code", [
    ([], 0),
    (["obey", "TERM", "143"], 0),
    (["obey", "TERM", "5"], 5),
    (["obey", "TERM", "130"], 130),
], ids=["died-of-it", "said-it-died-of-it", "another-code", "another-signals-code"])
def test_stop_ok_makes_death_by_the_stop_signal_a_success(lab, verbs, code):
    box = start(lab, *verbs, "print", "up", "wait", init=["--stop-ok"])
    Lines(box.stdout).take_until("up")
    assert box.stop() == code


def test_stop_ok_is_no_excuse_for_a_death_that_nobody_asked_for(lab):
    assert start(lab, "kill", "TERM", init=["--stop-ok", NEVER]).wait() == 143


# --signal-group

GROUP = [{"init": ["--signal-group"]}, {"env": {"WGMESH_SIGNAL_GROUP": "1"}}]


@pytest.mark.parametrize("how", GROUP, ids=["option", "variable"])
def test_signal_group_reaches_the_whole_process_group(lab, how):
    box = start(lab, "twin", "report", **how)
    lines = ready(box, 2)
    box.signal(signal.SIGUSR1)
    assert [lines.take(), lines.take()] == [f"signal {signal.SIGUSR1.value} 0 0"] * 2


def test_signal_group_tells_the_whole_process_group_to_stop(lab):
    box = start(lab, "twin", "report", init=["--signal-group", "--stop-timeout=300ms"])
    lines = ready(box, 2)
    box.signal(signal.SIGTERM)
    assert [lines.take(), lines.take()] == [f"signal {signal.SIGTERM.value} 0 0"] * 2


def test_signal_group_reaches_a_program_that_has_left_its_group(lab):
    box = lab.container("node", [*PLAIN, "--signal-group", "--", *in_another_group("probe", "report")])
    lines = ready(box)
    box.signal(signal.SIGUSR1)
    assert lines.take() == f"signal {signal.SIGUSR1.value} 0 0"


def test_without_signal_group_only_the_program_is_told(lab):
    box = start(lab, "twin", "report")
    lines = ready(box, 2)
    box.signal(signal.SIGUSR1)
    box.signal(signal.SIGUSR2)
    assert [lines.take(), lines.take()] == ["signal 10 0 0", "signal 12 0 0"]


def test_signal_group_loses_no_stop_in_the_first_millisecond(lab):
    box = lab.container("node", ["probe", "wait"])
    delays = [turn * 1000 // 75 for turn in range(75)]
    ends = pidns.starts(box, [Start([*PLAIN, NEVER, "--signal-group", "--", "probe", "wait"],
                                    signal.SIGTERM, delay) for delay in delays])
    assert [(delay, end) for delay, end in zip(delays, ends) if end not in (0, 143)] == []


# --rewrite

@pytest.mark.parametrize("rule", ["HUP:USR1", "SIGHUP:SIGUSR1", "1:10", "USR2:0,HUP:USR1"])
def test_rewrite_turns_one_signal_into_another(lab, rule):
    box = start(lab, "report", init=[f"--rewrite={rule}"])
    lines = ready(box)
    box.signal(signal.SIGHUP)
    assert lines.take() == f"signal {signal.SIGUSR1.value} 0 0"


def test_rewrite_knows_realtime_signals_and_its_variable(lab):
    box = start(lab, "report", env={"WGMESH_REWRITE": "USR1:RTMIN+3,RTMIN+4:USR2"})
    lines = ready(box)
    box.signal(signal.SIGUSR1)
    assert lines.take() == f"signal {signal.SIGRTMIN + 3} 0 0"
    box.signal(signal.SIGRTMIN + 4)
    assert lines.take() == f"signal {signal.SIGUSR2.value} 0 0"


def test_rewrite_to_0_drops_a_signal(lab):
    box, _, ask = counting(lab, "count", init=["--rewrite=USR1:0"])
    box.signal(signal.SIGUSR1)
    box.signal(signal.SIGUSR2)
    assert ask() == {signal.SIGUSR2.value: 1}


def test_a_rewritten_stop_signal_is_still_a_stop(lab, time_scale):
    box = start(lab, "report", init=["--rewrite=TERM:WINCH", "--stop-timeout=300ms"])
    lines = ready(box)
    begun = time.monotonic()
    box.signal(signal.SIGTERM)
    assert lines.take() == f"signal {signal.SIGWINCH.value} 0 0"
    assert box.wait() == 128 + signal.SIGKILL
    assert 0.3 <= time.monotonic() - begun < 0.3 + time_scale


def test_a_signal_rewritten_to_a_stop_signal_is_a_stop(lab):
    box = start(lab, "obey", "QUIT", "4", "report", init=["--rewrite=USR1:QUIT"])
    ready(box)
    box.signal(signal.SIGUSR1)
    assert box.wait() == 4


@pytest.mark.parametrize("rule", ["HUP", "HUP:", ":USR1", "HUP:NONSENSE", "NONSENSE:HUP", "0:HUP",
                                  "65:HUP", "HUP:65", "RTMIN+99:HUP"])
def test_a_rewrite_that_makes_no_sense_is_refused(lab, rule):
    box = start(lab, "exit", "0", init=[f"--rewrite={rule}"])
    assert box.wait() == 64
    assert "rewrite" in box.log.text()


# What the program starts with

@pytest.mark.parametrize("before", [["block", "all"], ["ignore", "all"], ["ignore", "CHLD"],
                                    ["block", "TERM", "ignore", "TERM"]],
                         ids=["all-blocked", "all-ignored", "chld-ignored", "term-blocked-and-ignored"])
def test_the_program_starts_with_nothing_blocked_or_ignored(lab, before):
    box = start(lab, "state", "exit", "5", init=[NEVER], before=before)
    assert box.wait() == 5
    found = state(box.stdout.lines)
    assert found["SigBlk"] == found["SigIgn"] == found["SigCgt"] == ["0" * 16]


@pytest.mark.parametrize("before", [["block", "all"], ["ignore", "all"]], ids=["blocked", "ignored"])
def test_a_stop_works_whatever_signals_were_inherited(lab, before):
    box = start(lab, "obey", "TERM", "6", "print", "up", "wait", before=before)
    Lines(box.stdout).take_until("up")
    assert box.stop() == 6
