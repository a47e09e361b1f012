# SPDX-License-Identifier: MIT
"""What `wgmesh join` tells whoever supervises it, by sd_notify(3); here without a wgmesh-init."""

import errno
import signal
import time

import pytest

from lib.container import Mount
from lib.lab import SECRET
from lib.node import SECRET_FILE, STATE_DIR, Node
from lib.supervisor import Supervisor
from lib.wait import eventually

pytestmark = pytest.mark.asan

HOUR_US = 3600 * 1000000


class Lone:
    """A node whose PID 1 is the daemon, and the test its supervisor."""

    def __init__(self, lab, watchdog_us=HOUR_US, secret=SECRET, **options):
        self.port = lab.port()
        self.links_when_ready = None
        self.supervisor = Supervisor(self.port, self._note_links)
        env = {"NOTIFY_SOCKET": self.supervisor.address, "WGMESH_SECRET_FILE": SECRET_FILE}
        if watchdog_us:
            env["WATCHDOG_USEC"] = str(watchdog_us)
        mounts = [Mount.bind(lab.secret_file(secret), SECRET_FILE, read_only=True),
                  Mount.bind(lab.volume("lone"), STATE_DIR)]
        self.node = lab.container("lone", ["wgmesh", "join"], port=self.port, kind=Node, env=env,
                                  mounts=mounts, **options)

    def _note_links(self):
        self.links_when_ready = self.port.links()

    def wait_until_ready(self):
        return self.supervisor.wait_for("READY=1")


@pytest.fixture
def lone(lab):
    """Makes lone nodes; their supervisors end with the test."""
    made = []

    def make(**options):
        made.append(Lone(lab, **options))
        return made[-1]
    yield make
    for one in made:
        one.node.destroy()
        one.supervisor.close()


def status(node, peers, heard=0):
    return f"wg0 up as {node.mesh_ip}, {peers} peer{'' if peers == 1 else 's'}, {heard} with a handshake"


def test_ready_is_said_once_the_interface_is_up(lone):
    one = lone()
    ready = one.wait_until_ready()
    assert "wg0" in one.links_when_ready
    assert ready.fields() == {"READY": "1", "WATCHDOG": "1", "STATUS": status(one.node, 0),
                              "X_WGMESH_SERVES": f"wg0 {one.node.public_key}"}
    first, second = one.supervisor.datagrams[:2]
    assert first.fields() == {"STATUS": "setting up wg0", "EXTEND_TIMEOUT_USEC": "20000000"}
    assert second is ready
    assert ready.pid == one.node.mesh_process().pid == one.node.pid, "the process that was started"


def test_a_start_that_fails_says_why_and_is_never_ready(lone):
    one = lone(absent=("/dev/net/tun",), watchdog_us=None)
    assert one.node.wait() == 69
    assert not one.supervisor.having("READY=1")
    last = one.supervisor.datagrams[-1].fields()
    assert last["ERRNO"] and "/dev/net/tun" in last["STATUS"]


def test_a_missing_capability_is_told(lone):
    one = lone(caps=frozenset())
    assert one.node.wait() == 77
    last = one.supervisor.datagrams[-1].fields()
    assert last["ERRNO"] == str(errno.EPERM) and last["STATUS"].startswith("CAP_NET_ADMIN is missing")
    assert not one.supervisor.having("READY=1")


def test_a_wrong_configuration_is_told(lone):
    one = lone(secret="short")
    assert one.node.wait() == 64
    last = one.supervisor.datagrams[-1].fields()
    assert last["ERRNO"] == str(errno.EINVAL) and "secret" in last["STATUS"]


def test_beats_come_at_half_the_interval(lone, time_scale):
    one = lone(watchdog_us=200000)
    one.supervisor.wait_for("WATCHDOG=1", n=12, within=10)
    beats = one.supervisor.having("WATCHDOG=1")[1:12]
    mean = (beats[-1].at - beats[0].at) / (len(beats) - 1)
    assert 0.095 <= mean <= 0.105 + 0.05 * time_scale
    assert {beat.text for beat in beats} == {"WATCHDOG=1"}


@pytest.mark.parametrize("hung", ["netadmin", "mesh_process"])
def test_a_process_that_hangs_has_no_heartbeat(lone, hung):
    one = lone(watchdog_us=100000)
    one.supervisor.wait_for("WATCHDOG=1", n=3)
    process = getattr(one.node, hung)()
    process.signal(signal.SIGSTOP)
    eventually(lambda: process.state == "T", "the stopped process")
    time.sleep(0.1)
    before = len(one.supervisor.datagrams)
    time.sleep(0.5)
    assert len(one.supervisor.datagrams) == before
    process.signal(signal.SIGCONT)
    eventually(lambda: len(one.supervisor.datagrams) >= before + 3, "heartbeats again")


def test_an_idle_node_says_nothing(lone):
    one = lone(watchdog_us=None)
    one.wait_until_ready()
    time.sleep(1.5)
    assert len(one.supervisor.datagrams) == 2
    assert not one.supervisor.having("WATCHDOG=1")


def test_the_status_follows_the_peers(lab, lone):
    one = lone()
    one.wait_until_ready()
    other = lab.node("other", volume=lab.volume("other"))
    one.supervisor.wait_for(f"STATUS={status(one.node, 1)}")
    other.stop()
    eventually(lambda: one.supervisor.statuses()[-1] == status(one.node, 0), "the peer's goodbye")
    assert len(one.supervisor.statuses()) <= 5


def test_a_reload_begins_and_ends(lone):
    one = lone()
    one.wait_until_ready()
    begun = time.clock_gettime(time.CLOCK_MONOTONIC)
    one.node.signal(signal.SIGHUP)
    ready = one.supervisor.wait_for("READY=1", n=2)
    reloading = one.supervisor.wait_for("RELOADING=1")
    ended = time.clock_gettime(time.CLOCK_MONOTONIC)
    assert begun <= int(reloading.fields()["MONOTONIC_USEC"]) / 1e6 <= ended
    datagrams = one.supervisor.datagrams
    assert datagrams.index(reloading) < datagrams.index(ready)


def test_a_stop_is_announced(lone):
    one = lone(watchdog_us=200000)
    one.supervisor.wait_for("WATCHDOG=1", n=2)
    assert one.node.stop() == 0
    last = one.supervisor.datagrams[-1].fields()
    assert last == {"STOPPING": "1", "STATUS": "saying goodbye and deleting wg0"}


def test_what_the_daemon_starts_knows_nothing_of_the_supervisor(lone):
    one = lone()
    one.wait_until_ready()
    others = [p for p in one.node.processes() if p.argv[1:2] != ["join"]]
    for process in others:
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC"} & process.environ.keys(), process


def test_a_supervisor_that_is_gone_stops_nobody(lone):
    one = lone(watchdog_us=100000)
    one.supervisor.wait_for("WATCHDOG=1", n=2)
    one.supervisor.close()
    time.sleep(0.3)
    assert one.node.is_running() and one.node.has_interface()
    assert one.node.stop() == 0
