# SPDX-License-Identifier: MIT
"""A crash is not a stop: packets go on flowing while the daemon is started again."""

import re
import signal
import subprocess

import pytest

from lib.wait import eventually

pytestmark = pytest.mark.asan

PINGS = 100
INTERVAL_S = 0.02


@pytest.fixture
def pair(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    return one, two


def start_pinging(one, two):
    return one.popen("ping", "-n", "-q", "-c", str(PINGS), "-i", str(INTERVAL_S), two.mesh_ip,
                     stdout=subprocess.PIPE)


def lost(ping):
    """How many pings had no answer."""
    summary = ping.communicate(timeout=30)[0]
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", summary).groups())
    assert sent == PINGS, summary
    return sent - received


def restarted(node, old):
    """The new daemon, once there is one, complete and with none of the old processes."""
    now = node.daemons()
    gone = not {p.pid for p in old} & {p.pid for p in now}
    return gone and node.netadmin() and node.mesh_process()


@pytest.mark.kernel
@pytest.mark.parametrize("victim", ["mesh_process", "netadmin"])
def test_no_packet_is_lost_when_a_daemon_process_is_killed(pair, victim):
    one, two = pair
    before, links = one.identity(), one.run("ip", "link", "show", "wg0").stdout
    old = one.daemons()
    ping = start_pinging(one, two)
    getattr(one, victim)().signal(signal.SIGKILL)
    eventually(lambda: restarted(one, old), "the daemon's restart")
    one.wait_for_log("adopt")
    assert lost(ping) == 0
    assert one.identity() == before
    assert one.run("ip", "link", "show", "wg0").stdout == links, "the same interface, not a new one"
    assert one.handshakes()[two.public_key] > 0


def test_a_hangup_signal_disturbs_nothing(pair):
    one, two = pair
    old = [process.pid for process in one.daemons()]
    ping = start_pinging(one, two)
    one.signal(signal.SIGHUP)
    one.wait_for_log("SIGHUP")
    assert lost(ping) == 0
    assert [process.pid for process in one.daemons()] == old


def test_peers_do_not_notice_a_crash(pair):
    one, two = pair
    old = one.daemons()
    one.mesh_process().signal(signal.SIGKILL)
    eventually(lambda: restarted(one, old), "the daemon's restart")
    assert two.pings(one.mesh_ip)
    assert two.handshakes().keys() == {one.public_key}


def test_the_daemon_comes_back_after_a_crash_while_its_peer_is_away(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    two.port.unplug()
    old = one.daemons()
    one.mesh_process().signal(signal.SIGKILL)
    eventually(lambda: restarted(one, old), "the daemon's restart")
    two.port.plug()
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel again", 10)
