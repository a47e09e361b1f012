# SPDX-License-Identifier: MIT
"""A stop is not a crash: peers are told, and WireGuard goes, whatever state the daemon is in."""

import contextlib
import signal
import time

import pytest

from lib.container import Mount
from lib.wait import eventually

pytestmark = pytest.mark.asan


@pytest.fixture
def started(lab):
    """A node in a network namespace that the test keeps, as a pod's is kept."""
    node = lab.node("node", volume=lab.volume("node"), port=lab.port(),
                    init=["--stop-timeout=1s"])
    node.wait_until_up()
    return node


@pytest.mark.parametrize("number", [
    pytest.param(signal.SIGTERM, marks=pytest.mark.kernel), signal.SIGINT],
    ids=lambda number: number.name)
def test_a_stop_says_goodbye_and_takes_the_interface_down(lab, started, number, time_scale):
    peer = lab.peer()
    peer.announce()
    peer.wait_for("HELLO", where=lambda m: m.body["wg_pubkey"] == started.public_key)
    key = started.public_key
    begun = time.monotonic()
    started.signal(number)
    assert started.wait() == 0
    assert time.monotonic() - begun < time_scale
    peer.wait_for("GOODBYE", where=lambda m: m.body["wg_pubkey"] == key, within=1)
    assert not started.has_interface()


def test_after_its_goodbye_a_node_is_silent_however_long_it_stops(lab, started):
    peer = lab.peer()
    peer.announce()
    key, address = started.public_key, started.port.address
    peer.wait_for("HELLO", where=lambda m: m.body["wg_pubkey"] == key)
    # Without netadmin the interface cannot be deleted, so the daemon waits for it.
    started.netadmin().signal(signal.SIGSTOP)
    started.signal(signal.SIGTERM)
    last = peer.wait_for("GOODBYE", where=lambda m: m.body["wg_pubkey"] == key)
    peer.announce()
    peer.send(peer.seal("HELLO", peer.announcement()), address)
    started.wait(within=6)
    heard = [m for m in peer.heard[peer.heard.index(last) + 1:] if m.body["wg_pubkey"] == key]
    assert heard == [], "whoever hears from it again takes it for a node that is back"


def test_the_interface_goes_even_if_the_daemon_had_to_be_killed(started):
    for process in started.daemons():
        process.signal(signal.SIGSTOP)
    started.signal(signal.SIGTERM)
    started.wait(within=4)
    assert not started.has_interface()


@pytest.mark.kernel
def test_the_interface_goes_even_if_the_daemon_is_killed_while_it_stops(started):
    netadmin = started.netadmin()
    netadmin.signal(signal.SIGSTOP)
    started.signal(signal.SIGTERM)
    for process in started.daemons():
        # netadmin does not outlive the mesh process.
        with contextlib.suppress(ProcessLookupError):
            process.signal(signal.SIGKILL)
    started.wait()
    assert not started.has_interface()


def test_a_second_stop_signal_cuts_the_wait_short(lab, time_scale):
    node = lab.node("node", volume=lab.volume("node"), init=["--stop-timeout=60s"])
    node.wait_until_up()
    for process in node.daemons():
        process.signal(signal.SIGSTOP)
    begun = time.monotonic()
    node.signal(signal.SIGTERM)
    eventually(lambda: node.find_log("SIGTERM") or time.monotonic() - begun > 0.2, "the first signal")
    node.signal(signal.SIGTERM)
    node.wait()
    assert time.monotonic() - begun < 3 * time_scale
    assert not node.has_interface()


def test_the_stopped_node_starts_again_in_the_same_namespace(lab, started):
    before = started.identity()
    started.stop()
    again = lab.node("node", volume=lab.volume("node"), port=started.port)
    eventually(again.has_interface, "the interface")
    assert again.identity() == before


# "wgmesh down", here with a script in place of wgmesh

SCRIPT = """#!/bin/sh
case $1 in
join) {join} trap 'exit 0' TERM; echo joined; while :; do sleep 0.01; done ;;
down) echo "$@"; {down} ;;
esac
"""


def scripted(lab, down, join="", init=()):
    """A node whose daemon has joined, and that takes its network down as `down` says."""
    script = lab.directory / "wgmesh"
    script.write_text(SCRIPT.format(join=join, down=down))
    script.chmod(0o755)
    node = lab.node("node", volume=lab.volume("node"), init=init,
                    mounts=[Mount.bind(script, "/usr/local/bin/wgmesh")])
    eventually(lambda: node.stdout.lines == ["joined"], "the daemon")
    return node


def test_the_network_is_taken_down_once_the_daemon_has_ended(lab):
    node = scripted(lab, ":")
    assert node.stop() == 0
    assert node.stdout.lines == ["joined", "down --interface=wg0"]


def test_taking_the_network_down_is_cut_short_when_it_hangs(lab, time_scale):
    node = scripted(lab, "trap '' TERM; exec sleep 1000", init=["--stop-timeout=8s"])
    begun = time.monotonic()
    assert node.stop() == 0
    assert time.monotonic() - begun < 2 + 2 * time_scale
    assert node.find_log("took too long")


def test_a_second_stop_signal_while_the_network_is_taken_down_leaves_no_time_for_the_rest(lab, time_scale):
    node = scripted(lab, "sleep 0.5", join="probe stubborn;", init=["--stop-timeout=8s"])
    node.signal(signal.SIGTERM)
    eventually(lambda: "down --interface=wg0" in node.stdout.lines, "the network to be taken down")
    begun = time.monotonic()
    node.signal(signal.SIGTERM)
    assert node.wait() == 0
    assert time.monotonic() - begun < 0.5 + 2 * time_scale
