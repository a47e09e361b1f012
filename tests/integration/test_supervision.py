# SPDX-License-Identifier: MIT
"""PID 1's own duties: reaping, signals, restarts, health."""

import json
import re
import signal
import subprocess
import time

import pytest

from lib.container import Mount
from lib.node import STATE_DIR
from lib.wait import eventually

pytestmark = pytest.mark.asan


def supervised(lab, *command, init=()):
    """Any program under a wgmesh-init without state."""
    return lab.container("node", ["wgmesh-init", "--state-dir=none", *init, "--", *command])


def test_orphans_are_reaped(lab):
    orphans = "for i in 1 2 3 4 5; do (sleep 0.05 &) ; done; exec sleep 1000"
    box = supervised(lab, "sh", "-c", orphans)
    eventually(lambda: any(p.argv[:2] == ["sleep", "1000"] for p in box.processes()), "the program")
    eventually(lambda: len(box.processes()) == 2, "PID 1 and the program, and nobody else")
    assert [p.state for p in box.processes() if p.state == "Z"] == []


def test_the_programs_exit_code_is_the_containers(lab):
    assert supervised(lab, "sh", "-c", "exit 7", init=["--restart=never"]).wait() == 7
    assert supervised(lab, "true").wait() == 0


def test_a_program_killed_by_a_signal_is_128_plus_n(lab):
    box = supervised(lab, "sh", "-c", "kill -SEGV $$", init=["--restart=never"])
    assert box.wait() == 128 + signal.SIGSEGV


@pytest.mark.parametrize("name", ["HUP", "USR1", "USR2", "WINCH", "TERM", "INT", "QUIT"])
def test_signals_are_passed_on_once(lab, name):
    script = f"trap 'echo got {name}' {name}; echo ready; while :; do sleep 0.01; done"
    box = supervised(lab, "sh", "-c", script, init=["--stop-timeout=300ms"])
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    box.signal(getattr(signal, f"SIG{name}"))
    eventually(lambda: f"got {name}" in box.stdout.lines, "the signal")
    assert box.stdout.lines.count(f"got {name}") == 1


def test_a_program_that_ignores_the_stop_is_killed_in_time(lab, time_scale):
    box = supervised(lab, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done",
                     init=["--stop-timeout=300ms"])
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    begun = time.monotonic()
    box.signal(signal.SIGTERM)
    assert box.wait() == 128 + signal.SIGKILL
    assert 0.3 <= time.monotonic() - begun < 0.3 + time_scale


def test_a_failing_program_is_started_again_with_growing_pauses(lab):
    box = supervised(lab, "sh", "-c", "echo run; exit 1", init=["--restart=on-failure"])
    eventually(lambda: len(box.stdout.lines) >= 4, "four runs")
    said = [event["msg"] for event in box.log.events() if "next start in" in event["msg"]]
    pauses = [float(re.search(r"in ([\d.]+) s", text).group(1)) for text in said]
    assert pauses == sorted(pauses) and pauses[0] < pauses[2], said
    box.stop()


def test_between_two_starts_signals_are_dropped(lab):
    """A program that starts has nothing to reload, and would die of a signal that comes too early."""
    box = supervised(lab, "sh", "-c", "test -e /tmp/well && exec sleep 1000; exit 3")
    eventually(lambda: "(failure 4 of" in box.log.text(), "a longer pause")
    for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGALRM):
        box.signal(number)
    box.run("touch", "/tmp/well")
    eventually(lambda: any(p.argv == ["sleep", "1000"] for p in box.processes()), "the program")
    assert "(failure 5 of" not in box.log.text()
    assert "passed on" not in box.log.text()
    assert box.stop() == 128 + signal.SIGTERM


def test_between_two_starts_a_stop_ends_with_the_last_code(lab, time_scale):
    box = supervised(lab, "sh", "-c", "exit 3")
    eventually(lambda: "(failure 5 of" in box.log.text(), "a pause of more than a second")
    begun = time.monotonic()
    assert box.stop() == 3
    assert time.monotonic() - begun < time_scale


def test_a_stop_before_the_first_start_ends_the_start(lab):
    first = lab.node("first", volume=lab.volume("state"))
    eventually(first.has_interface, "the interface")
    second = lab.node("second", volume=lab.volume("state"), init=["--lock-timeout=60s"])
    second.wait_for_log("waiting up to")
    assert second.stop() == 128 + signal.SIGTERM
    assert second.find_log("before the daemon started")
    assert second.daemons() == []


# Blocked and pending signals outlive an execve(2): here one that came before the first instruction.
STOPPED = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getpid(), signal.SIGTERM)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_nothing_is_started_once_a_stop_has_come(lab):
    box = lab.container("node", ["/usr/bin/python3", "-I", "-c", STOPPED, "wgmesh-init", "--", "echo", "up"],
                        mounts=[Mount.bind(lab.volume("state"), "/var/lib/wgmesh")])
    assert box.wait() == 128 + signal.SIGTERM
    assert box.stdout.lines == [] and "before the daemon started" in box.log.text()


def test_a_command_of_wgmesh_is_run_once(lab):
    box = lab.container("box", ["wgmesh-init", "--", "wgmesh", "peers", "count"])
    assert box.wait() == 1
    assert "no node answers" in box.log.text()
    assert not [event for event in box.log.events() if "next start" in event["msg"]]


def test_an_exit_that_no_restart_cures_is_not_retried(lab):
    box = supervised(lab, "sh", "-c", "echo run; exit 78", init=["--restart=on-failure"])
    assert box.wait() == 78
    assert box.stdout.lines == ["run"]


def test_an_idle_pid_1_does_not_wake_up_for_ten_seconds_nor_make_a_system_call(lab, variant, tmp_path):
    if variant == "asan":
        return  # half a minute's worth of the same
    watched, traced = (supervised(lab, "sleep", "1000") for _ in range(2))
    for box in (watched, traced):
        eventually(lambda: any(p.argv == ["sleep", "1000"] for p in box.processes()), "the program")
        eventually(lambda: box.spawner, "the spawner")
        eventually(lambda: settled(lambda: switches(box)), "PID 1 at rest")
    before = switches(watched)
    calls = [tmp_path / "init", tmp_path / "spawner"]
    tracers = [subprocess.Popen(["timeout", "--signal=INT", "10", "strace", "-qq", "-o", out, "-p", str(process.pid)])
               for out, process in zip(calls, (traced.init, traced.spawner))]
    for tracer in tracers:
        tracer.wait()
    assert switches(watched) == before
    # What it was in the middle of, and nothing after that.
    assert [len(out.read_text(encoding="utf-8").splitlines()) for out in calls] == [1, 1]


def switches(box):
    """How often PID 1 and its spawner went to sleep, and so woke up."""
    return sum(int(process.status["voluntary_ctxt_switches"]) for process in (box.init, box.spawner))


def settled(read):
    """A counter that stands still for 100 ms."""
    first = read()
    time.sleep(0.1)
    return first if read() == first else None


def test_the_health_check_is_0_when_up_silent_and_quick(lab, time_scale):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(lambda: node.exec("wgmesh-init", "healthcheck", check=False).returncode == 0, "health")
    begun = time.monotonic()
    result = node.exec("wgmesh-init", "healthcheck")
    assert time.monotonic() - begun < 0.25 * time_scale, "50 ms of its own, the rest is nsenter"
    assert result.stdout == "" and result.stderr == ""


def test_the_health_check_is_1_while_the_daemon_hangs_in_a_restart_loop(lab):
    box = lab.container("node", ["wgmesh-init", "--state-dir=none", "--", "sh", "-c", "exit 1"])
    eventually(lambda: box.exec("wgmesh-init", "healthcheck", check=False).returncode == 1, "ill health")


def test_the_health_check_is_1_when_pid_1_does_not_answer(lab, time_scale):
    box = supervised(lab, "sleep", "1000")
    eventually(lambda: box.exec("wgmesh-init", "healthcheck", check=False).returncode == 0, "health")
    box.signal(signal.SIGSTOP)
    begun = time.monotonic()
    result = box.exec("wgmesh-init", "healthcheck", check=False)
    assert result.returncode == 1 and "does not answer" in result.stderr
    assert time.monotonic() - begun < 1 + time_scale
    box.signal(signal.SIGCONT)
    assert box.stop() == 128 + signal.SIGTERM


def test_status_tells_what_pid_1_knows(lab):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(node.has_interface, "the interface")
    status = json.loads(node.exec("wgmesh-init", "status", "--json").stdout)
    assert "persistent" in json.dumps(status)
    assert "/var/lib/wgmesh" in json.dumps(status)
    assert node.exec("wgmesh-init", "status").stdout.strip()


def test_check_reports_every_phase_and_changes_nothing(lab):
    volume = lab.volume("state")
    box = lab.container("node", ["wgmesh-init", "check"], mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == 0
    for phase in ("volume", "writability", "ownership"):
        assert phase in box.stdout.text() + box.log.text()
    assert list(volume.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "migrate", "fix-permissions"])
def test_none_is_no_state_directory_for_any_command(lab, command):
    box = lab.container("node", ["sh", "-c", f"cd /tmp && wgmesh-init {command} && ls -A"],
                        env={"WGMESH_STATE_DIR": "none"})
    assert box.wait() == 0
    assert "nothing to look after" in box.stdout.text()
    assert "none" not in box.stdout.lines


def test_check_does_not_say_of_what_it_cannot_open_that_it_is_not_there(lab):
    box = lab.container("node", ["wgmesh-init", "check"],
                        mounts=[Mount.tmpfs(STATE_DIR, "ro"), Mount.bind(lab.volume("old"), "/data")])
    assert box.wait() == 73
    said = box.stdout.text()
    for phase in ("lock", "ownership", "migrate", "verify"):
        assert f"{phase:12} skipped  not looked at: the state directory cannot be used\n" in said


def test_check_before_the_first_start_does_not_deny_the_legacy_directory(lab):
    box = lab.container("node", ["wgmesh-init", "check", "--state-dir=/srv/node"],
                        mounts=[Mount.bind(lab.volume("old"), "/data")])
    assert box.wait() == 0
    assert "there is no state directory yet" in box.stdout.text()
    assert "no legacy directory" not in box.stdout.text()
