# SPDX-License-Identifier: MIT
"""A clock that is behind what it has shown before: said, waited for, and no reason to have no mesh."""

import json
import time

import pytest

from lib import http, rpc
from lib.node import INTERFACE
from lib.wait import eventually

pytestmark = pytest.mark.asan
AHEAD_S = 86400


def behind(node):
    page = http.ask(node.port, "/metrics").body
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith("wgmesh_clock_behind_seconds "))


@pytest.fixture
def pair(lab):
    """Two nodes; the first one's next start finds that its clock has shown tomorrow already."""
    volume = lab.volume("one")
    one, two = lab.node("one", volume=volume), lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    assert behind(one) == 0 and rpc.check(one, "clock")[0] == "pass"
    one.stop()
    path = volume / f"{INTERFACE}-peers.json"
    cache = json.loads(path.read_text(encoding="ascii"))
    cache["updated_at"] = int(time.time()) + AHEAD_S
    path.write_text(json.dumps(cache), encoding="ascii")
    again = lab.node("again", volume=volume, port=one.port)
    rpc.ready(again)
    return again, two, path


def test_it_says_so_and_the_mesh_comes_up_by_the_other_end(pair):
    one, two, _ = pair
    eventually(lambda: rpc.alarm(one, "clock"), "the alarm")
    assert "ran backwards" in rpc.alarm(one, "clock")
    assert rpc.check(one, "clock")[0] == "warn" and "other ends" in rpc.check(one, "clock")[1]
    assert AHEAD_S - 600 < behind(one) <= AHEAD_S
    assert http.ask(one.port, "/readyz").status == 200
    assert any(event.get("event") == "alarm_raised" and event.get("alarm") == "clock" for event in one.log.events())
    # Whoever reaches the other one first must be the one whose clock is right.
    eventually(lambda: one.handshakes().get(two.public_key), "the handshake", 20)
    assert one.pings(two.mesh_ip, 2) and two.pings(one.mesh_ip, 2)


def test_a_second_start_meanwhile_remembers(pair):
    one, two, path = pair
    eventually(lambda: rpc.alarm(one, "clock"), "the alarm")
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel", 20)
    one.stop()
    written = json.loads(path.read_text(encoding="ascii"))["updated_at"]
    assert written > time.time() + AHEAD_S - 600
