# SPDX-License-Identifier: MIT
"""A crash is not a stop: packets go on flowing while the daemon is started again."""

import signal

import pytest

from lib.ping import Ping
from lib.wait import eventually

pytestmark = pytest.mark.asan

@pytest.fixture
def pair(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    return one, two


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
    ping = Ping(one, two.mesh_ip)
    getattr(one, victim)().signal(signal.SIGKILL)
    eventually(lambda: restarted(one, old), "the daemon's restart")
    one.wait_for_log("adopt")
    assert ping.lost() == []
    assert one.identity() == before
    assert one.run("ip", "link", "show", "wg0").stdout == links, "the same interface, not a new one"
    assert one.handshakes()[two.public_key] > 0


def test_a_hangup_signal_disturbs_nothing(pair):
    one, two = pair
    old = [process.pid for process in one.daemons()]
    ping = Ping(one, two.mesh_ip)
    one.signal(signal.SIGHUP)
    one.wait_for_log("SIGHUP")
    assert ping.lost() == []
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
