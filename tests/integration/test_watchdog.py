# SPDX-License-Identifier: MIT
"""What PID 1 makes of sd_notify(3): readiness, the watchdog, more time, and whom it believes."""

import json
import os
import signal
import time

import pytest

from lib.ping import Ping
from lib.supervised import PLAIN, in_another_group, start
from lib.supervisor import Supervisor
from lib.wait import eventually

pytestmark = pytest.mark.asan

LONG_US = 20 * 1000000


def status(box):
    return json.loads(box.run("wgmesh-init", "status", "--json").stdout)


def is_healthy(box):
    return box.exec("wgmesh-init", "healthcheck", check=False).returncode == 0


def wait_for_status(box, **members):
    """Wait until the status has these members."""
    def has():
        now = status(box)
        return {name: now[name] for name in members} == members
    eventually(has, f"{members} in the status")


def program(box):
    """The probe, once it has stopped itself at its verb "hang"."""
    def find():
        return next((p for p in box.processes() if p.argv[:1] == ["probe"] and p.state == "T"), None)
    return eventually(find, "the probe at rest")


def events(box, text):
    return [event["msg"] for event in box.log.events() if text in event.get("msg", "")]


def wait_for_log(box, text, within=5.0):
    return eventually(lambda: events(box, text), f'"{text}" in the log', within)


# Readiness

def test_a_program_that_is_to_say_ready_is_not_healthy_before(lab):
    box = start(lab, "hang", "notify", "READY=1", "wait", init=["--notify"])
    probe = program(box)
    assert not is_healthy(box)
    assert status(box)["ready"] is False
    probe.signal(signal.SIGCONT)
    eventually(lambda: is_healthy(box), "health")
    assert status(box)["ready"] is True


def test_any_other_program_is_healthy_as_soon_as_it_runs(lab):
    box = start(lab, "print", "here", "wait")
    eventually(lambda: box.stdout.lines == ["here"], "the program")
    assert is_healthy(box)


def test_a_node_is_ready_when_it_has_its_interface(lab):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(lambda: is_healthy(node), "health")
    assert node.has_interface()
    wait_for_status(node, ready=True, healthy=True,
                    daemon_status=f"wg0 up as {node.mesh_ip}, 0 peers, 0 with a handshake")


def test_a_node_that_cannot_start_is_not_healthy_and_says_why(lab):
    node = lab.node("node", volume=lab.volume("state"), init=["--on-loop=hold"],
                    absent=("/dev/net/tun",))
    wait_for_status(node, state="holding", ready=False, healthy=False)
    assert not is_healthy(node)
    assert "/dev/net/tun" in status(node)["daemon_status"]


def test_who_reloads_is_healthy_all_the_time(lab):
    box = start(lab, "notify", "READY=1", "notify", "RELOADING=1", "hang", "notify", "READY=1",
                "wait", init=["--notify"])
    probe = program(box)
    wait_for_status(box, reloading=True, ready=True, healthy=True)
    probe.signal(signal.SIGCONT)
    wait_for_status(box, reloading=False, ready=True, healthy=True)


def test_a_node_reloads_and_is_ready_again(lab):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(lambda: is_healthy(node), "health")
    node.signal(signal.SIGHUP)
    node.wait_for_event("reload_done")
    wait_for_status(node, reloading=False, ready=True, healthy=True, restarts=0)


def test_who_says_that_it_stops_is_not_healthy(lab):
    box = start(lab, "notify", "READY=1\\nSTATUS=up", "notify", "STOPPING=1\\nSTATUS=leaving", "hang",
                init=["--notify"])
    program(box)
    wait_for_status(box, healthy=False, daemon_status="leaving")


# Limits

def test_a_program_that_does_not_get_ready_in_time_is_started_again(lab):
    box = start(lab, "print", "run", "wait", init=["--notify", "--start-timeout=300ms"])
    eventually(lambda: len(box.stdout.lines) >= 2, "a second run")
    assert events(box, "did not get ready in time")


def test_a_start_may_ask_for_more_time(lab):
    box = start(lab, "print", "run", "notify", f"EXTEND_TIMEOUT_USEC={LONG_US}", "sleep", "1200",
                "notify", "READY=1", "wait", init=["--notify", "--start-timeout=600ms"])
    wait_for_status(box, ready=True, restarts=0)
    assert box.stdout.lines == ["run"]


def test_the_time_that_was_asked_for_ends_too(lab):
    box = start(lab, "print", "run", "notify", "EXTEND_TIMEOUT_USEC=400000", "wait",
                init=["--notify", "--start-timeout=100ms"])
    eventually(lambda: len(box.stdout.lines) >= 2, "a second run")


@pytest.mark.parametrize("asks", [True, False], ids=["asks", "does not ask"])
def test_a_stop_may_ask_for_more_time(lab, asks):
    more = ["notify", f"EXTEND_TIMEOUT_USEC={LONG_US}"] if asks else []
    box = start(lab, "ignore", "TERM", "hang", *more, "sleep", "1500", "exit", "5",
                init=["--stop-timeout=1s"])
    probe = program(box)
    box.signal(signal.SIGTERM)
    wait_for_status(box, state="stopping")
    probe.signal(signal.SIGCONT)
    assert box.wait() == (5 if asks else 128 + signal.SIGKILL)


def test_who_says_that_it_stops_and_does_not_is_killed_when_the_time_is_up(lab):
    box = start(lab, "notify", "READY=1\\nSTOPPING=1", "wait",
                init=["--notify", "--restart=never", "--stop-timeout=300ms"])
    assert box.wait() == 128 + signal.SIGKILL
    assert events(box, "said that it stops, and does not")


# The watchdog

def test_the_program_learns_its_interval_and_the_socket(lab):
    box = start(lab, "hang", init=["--watchdog=7s"])
    environ = program(box).environ
    assert environ["WATCHDOG_USEC"] == "7000000"
    assert environ["NOTIFY_SOCKET"].startswith("@wgmesh-init/")
    assert "WATCHDOG_PID" not in environ


def test_the_watchdog_of_who_started_it_is_not_the_programs(lab):
    outer = {"WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}
    environ = program(start(lab, "hang", init=["--watchdog=7s"], env=outer)).environ
    assert environ["WATCHDOG_USEC"] == "7000000" and "WATCHDOG_PID" not in environ


def test_without_a_watchdog_there_is_no_interval(lab):
    environ = program(start(lab, "hang", init=["--watchdog=0"])).environ
    assert "WATCHDOG_USEC" not in environ and "NOTIFY_SOCKET" in environ


def test_only_a_beat_arms_the_watchdog(lab):
    box = start(lab, "print", "run", "wait", init=["--watchdog=200ms"])
    time.sleep(0.8)
    assert status(box)["restarts"] == 0 and box.stdout.lines == ["run"]


def test_a_program_that_beats_goes_on_and_one_that_falls_silent_is_started_again(lab):
    box = start(lab, "print", "run", "beat", "50", init=["--watchdog=600ms"])
    time.sleep(1.2)
    assert status(box)["restarts"] == 0
    probe = next(p for p in box.processes() if p.argv[:1] == ["probe"])
    probe.signal(signal.SIGSTOP)
    eventually(lambda: len(box.stdout.lines) == 2, "a second run")
    assert events(box, "no watchdog beat in time")


def test_a_beat_that_pid_1_is_late_to_read_counts(lab):
    box = start(lab, "notify", "WATCHDOG=1", "print", "begun", "sleep", "500",
                *["notify", "STATUS=awake"] * 3, "notify", "WATCHDOG=1", "wait", init=["--watchdog=1s"])
    eventually(lambda: "begun" in box.stdout.lines, "the program")
    box.signal(signal.SIGSTOP)
    time.sleep(1.2)
    box.signal(signal.SIGCONT)
    wait_for_status(box, daemon_status="awake", restarts=0)
    assert not events(box, "no watchdog beat in time")


def test_who_falls_silent_is_killed_with_its_whole_group(lab):
    script = "sleep 1000 & exec probe print run notify WATCHDOG=1 wait"
    box = lab.container("node", [*PLAIN, "--watchdog=300ms", "--", "sh", "-c", script])
    helper = eventually(lambda: next((p for p in box.processes() if p.argv[:1] == ["sleep"]), None),
                        "the helper")
    eventually(lambda: len(box.stdout.lines) == 2, "a second run")
    assert not helper.is_alive()


def test_who_falls_silent_is_killed_even_when_it_has_left_its_group(lab):
    silent = in_another_group("probe", "print", "run", "notify", "WATCHDOG=1", "wait")
    box = lab.container("node", [*PLAIN, "--watchdog=300ms", "--", *silent])
    eventually(lambda: len(box.stdout.lines) == 2, "a second run")


def test_who_says_that_it_stops_need_not_beat_any_more(lab):
    box = start(lab, "notify", "WATCHDOG=1", "notify", "STOPPING=1", "sleep", "600", "exit", "5",
                init=["--watchdog=200ms", "--restart=never"])
    assert box.wait() == 5


def test_a_program_may_ask_for_its_own_restart(lab, time_scale):
    box = start(lab, "print", "run", "notify", "WATCHDOG=1", "notify", "WATCHDOG=trigger", "wait")
    begun = time.monotonic()
    eventually(lambda: len(box.stdout.lines) >= 2, "a second run")
    assert time.monotonic() - begun < time_scale, "the interval is a minute"
    assert events(box, "asks to be restarted")


def test_the_interval_can_be_changed_while_it_runs(lab):
    box = start(lab, "print", "run", "notify", "WATCHDOG_USEC=200000\\nWATCHDOG=1", "wait")
    eventually(lambda: len(box.stdout.lines) >= 2, "a second run")


@pytest.fixture
def pair(lab):
    one = lab.node("one", volume=lab.volume("one"), init=["--watchdog=1s"])
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    return one, two


def restarted(node, old):
    """A new daemon, complete and with none of the old processes."""
    now = node.daemons()
    return not {p.pid for p in old} & {p.pid for p in now} and node.netadmin() and node.mesh_process()


@pytest.mark.kernel
@pytest.mark.parametrize("victim", ["mesh_process", "netadmin"])
def test_a_daemon_that_hangs_is_started_again_and_no_packet_is_lost(pair, victim, time_scale):
    one, two = pair
    identity, link = one.identity(), one.run("ip", "link", "show", "wg0").stdout
    old = one.daemons()
    ping = Ping(one, two.mesh_ip)
    getattr(one, victim)().signal(signal.SIGSTOP)
    begun = time.monotonic()
    eventually(lambda: restarted(one, old), "the daemon's restart")
    assert time.monotonic() - begun < 1 + time_scale
    assert one.find_log("no watchdog beat in time", level="error")
    one.wait_for_log("adopted by")
    assert ping.lost() == []
    assert one.identity() == identity
    assert one.run("ip", "link", "show", "wg0").stdout == link, "the same interface, not a new one"
    eventually(lambda: is_healthy(one), "health")


def test_a_netadmin_that_hangs_does_not_outlive_the_other_process(lab):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(lambda: is_healthy(node), "health")
    old = node.daemons()
    node.netadmin().signal(signal.SIGSTOP)
    node.mesh_process().signal(signal.SIGKILL)
    eventually(lambda: restarted(node, old), "the daemon's restart")
    assert len(node.daemons()) == 2


def test_a_node_that_only_waits_is_left_alone(lab):
    node = lab.node("node", volume=lab.volume("state"), init=["--watchdog=400ms"])
    eventually(lambda: is_healthy(node), "health")
    time.sleep(1.5)
    assert status(node)["restarts"] == 0 and is_healthy(node)


# Whom to believe

def say(box, to, text, *before):
    """Say something from outside the program's group, as `docker exec` would."""
    box.run("env", f"NOTIFY_SOCKET={to}", *before, "probe", "notify", text)


@pytest.mark.parametrize("who", [[], ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"],
                                 ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups"]],
                         ids=["root", "another user", "the image's user"])
def test_a_stranger_is_not_believed(lab, who):
    box = start(lab, "notify", "STATUS=mine", "hang", init=["--notify"])
    address = program(box).environ["NOTIFY_SOCKET"]
    wait_for_status(box, daemon_status="mine")
    say(box, address, "READY=1\\nSTATUS=foreign\\nWATCHDOG=trigger", *who)
    # What is asked for afterwards is answered afterwards.
    wait_for_status(box, daemon_status="mine", ready=False, healthy=False, restarts=0)
    time.sleep(0.2)
    wait_for_status(box, daemon_status="mine", ready=False, healthy=False, restarts=0)
    assert events(box, "was ignored: it is not the daemon's")


def test_a_stranger_cannot_stop_a_node(lab):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(lambda: is_healthy(node), "health")
    address = node.mesh_process().environ["NOTIFY_SOCKET"]
    for text in ("STOPPING=1", "WATCHDOG=trigger", "WATCHDOG_USEC=1000", "\x01" * 1000):
        say(node, address, text)
    time.sleep(0.3)
    assert is_healthy(node) and status(node)["restarts"] == 0


def with_helper(lab, helper, **options):
    """A program that rests, and before that starts a helper, which says READY=1 and stays."""
    script = f"{helper} probe notify 'READY=1\\nSTATUS=by a helper' print said wait & " \
             "exec probe hang notify STATUS=later wait"
    box = lab.container("node", [*PLAIN, "--notify", "--", "sh", "-c", script], **options)
    eventually(lambda: box.stdout.lines == ["said"], "the helper's word")
    return box, program(box)


@pytest.mark.parametrize("user", [(0, 0), (1000, 1000)], ids=["root", "somebody"])
def test_a_helper_of_the_program_is_believed(lab, user):
    box, _ = with_helper(lab, "", user=user)
    wait_for_status(box, ready=True, daemon_status="by a helper")


GIVE = """
import array, os, socket, time
line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
line.connect("\\0" + os.environ["NOTIFY_SOCKET"][1:])
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [os.open("/dev/zero", os.O_RDONLY)]))]
for _ in range(20):
    line.sendmsg([b"STATUS=take this"], rights)
time.sleep(1000)
"""


def test_a_descriptor_that_comes_with_a_notification_is_not_taken(lab):
    box = lab.container("node", [*PLAIN, "--", "/usr/bin/python3", "-I", "-c", GIVE])
    wait_for_status(box, daemon_status="take this")
    targets = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{box.pid}/fd")]
    assert "/dev/zero" not in targets


def test_a_helper_that_has_left_the_session_is_not_believed(lab):
    box, main = with_helper(lab, "setsid")
    main.signal(signal.SIGCONT)
    wait_for_status(box, ready=False, daemon_status="later")


def test_a_helper_that_has_become_another_user_is_not_believed(lab):
    box, main = with_helper(lab, "setpriv --reuid=1234 --regid=1234 --clear-groups")
    main.signal(signal.SIGCONT)
    wait_for_status(box, ready=False, daemon_status="later")


def test_what_a_program_says_last_is_heard(lab):
    box = start(lab, "notify", "STATUS=the disk is gone\\nERRNO=5", "exit", "3", init=["--on-loop=hold"])
    wait_for_log(box, "next start")
    assert "the disk is gone" in json.dumps(status(box)) + box.log.text()


def test_what_a_program_says_last_is_heard_even_if_its_end_is_noticed_first(lab):
    box = start(lab, "hang", "notify", "STATUS=the disk is gone", "exit", "3", init=["--on-loop=hold"])
    probe = program(box)
    eventually(lambda: is_healthy(box), "health")
    box.signal(signal.SIGSTOP)
    eventually(lambda: box.init.state == "T", "PID 1 to stop")
    box.signal(signal.SIGCHLD)
    probe.signal(signal.SIGCONT)
    eventually(lambda: probe.state == "Z", "the program's end")
    box.signal(signal.SIGCONT)
    wait_for_log(box, "next start")
    assert "the disk is gone" in json.dumps(status(box)) + box.log.text()


def test_what_a_program_said_is_not_what_the_next_one_says(lab):
    script = "test -e /tmp/again && exec sleep 1000; touch /tmp/again; exec probe notify STATUS=old exit 3"
    box = lab.container("node", [*PLAIN, "--", "sh", "-c", script])
    wait_for_log(box, "next start")
    wait_for_status(box, state="running", restarts=1, daemon_status="")


# The supervisor outside

def test_what_an_engine_waits_for_is_passed_on(lab):
    port = lab.port()
    outside = Supervisor(port)
    node = lab.node("node", volume=lab.volume("state"), port=port,
                    env={"NOTIFY_SOCKET": outside.address})
    ready = outside.wait_for("READY=1")
    assert ready.pid == node.pid, "said by PID 1"
    assert node.mesh_process().environ["NOTIFY_SOCKET"] != outside.address
    outside.wait_for(f"STATUS=wg0 up as {node.mesh_ip}, 0 peers, 0 with a handshake")
    assert node.stop() == 0
    outside.close()


def test_the_engine_does_not_take_a_restart_for_a_stop(lab):
    port = lab.port()
    outside = Supervisor(port)
    box = start(lab, "notify", "READY=1", "notify", "STOPPING=1\\nSTATUS=again", "exit", "1",
                init=["--notify"], port=port, env={"NOTIFY_SOCKET": outside.address})
    outside.wait_for("STATUS=again", n=2)
    assert not outside.having("STOPPING=1")
    box.destroy()
    outside.close()
