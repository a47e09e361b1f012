# SPDX-License-Identifier: MIT
"""Whoever may send to a node cannot fill its log, nor hide in it what somebody else did."""

import json
import os
import signal
import time

import pytest

from lib.lab import SECRET
from lib.peer import Mesh, new_key
from lib.supervised import start
from lib.wait import eventually

# docs/observe.md: of each event 20 lines at once, then 6 a minute; of debug 100, then 10 a second.
BURST = 20
DEBUG_BURST = 100
STRANGERS = 45
MESSAGES = 500

pytestmark = pytest.mark.asan


def lines_of(box, name):
    return [event for event in box.log.events() if event.get("event") == name]


def stranger():
    """The members of an announcement that tell one node from another."""
    mesh, (_, key) = Mesh(SECRET), new_key()
    return {"wg_pubkey": key, "mesh_ip": mesh.mesh_ip(key), "mesh_ipv6": mesh.mesh_ip6(key), "hostname": f"host-{key[:8]}"}


def introduce(peer, node, who):
    """Say hello in somebody's name until it is answered."""
    mark, body = len(peer.heard), peer.announcement(**who)

    def is_answered():
        peer.send(peer.seal("HELLO", body), node.port.address)
        return any(message.kind == "REPLY" for message in peer.heard[mark:])
    eventually(is_answered, "an answer")


def test_a_member_that_makes_up_peers_writes_no_more_than_the_limit(lab):
    node, honest = lab.node("node", volume=lab.volume("state")), lab.peer("honest")
    node.wait_until_up()
    began = time.monotonic()
    # A node takes ten datagrams a second of one address, and twenty at once.
    for peer in [lab.peer(f"hostile{i}") for i in range(3)]:
        for _ in range(STRANGERS // 3):
            introduce(peer, node, stranger())
    assert len(lines_of(node, "peer_configured")) >= BURST
    written = len(node.log.lines)
    health = json.loads(node.run("curl", "-sS", "http://127.0.0.1:9464/health").stdout)
    # Of each event one more line is due in ten seconds.
    due = 2 + int((time.monotonic() - began) / 10)
    assert health["counters"]["log_suppressed"] >= STRANGERS - BURST - due
    assert health["counters"]["log_dropped"] == 0
    introduce(honest, node, {})
    honest.goodbye(node.port.address)
    eventually(lambda: lines_of(node, "peer_left"), "another event")
    assert len(lines_of(node, "peer_configured")) <= BURST + 2 + int((time.monotonic() - began) / 10)
    assert written < BURST + 30, node.log.text()


def test_what_is_no_datagram_of_ours_writes_nothing_and_little_at_debug(lab):
    quiet = lab.node("quiet", volume=lab.volume("quiet"))
    verbose = lab.node("verbose", volume=lab.volume("verbose"), env={"WGMESH_LOG_LEVEL": "info,exchange=debug"})
    peer = lab.peer("hostile")
    for node in (quiet, verbose):
        node.wait_until_up()
    before = len(quiet.log.lines)
    for node in (quiet, verbose):
        for number in range(MESSAGES):
            peer.send(os.urandom(1 + number), node.port.address)
        introduce(peer, node, stranger())
    assert len([line for line in quiet.log.lines[before:] if "exchange" in line]) == 0
    rejected = lines_of(verbose, "datagram_rejected")
    assert 0 < len(rejected) <= DEBUG_BURST + 50
    assert all(event["endpoint"] for event in rejected)


SPAM = """
import os, socket
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
    to = os.environ["NOTIFY_SOCKET"]
    for i in range(%d):
        sock.sendto(b"STATUS=spam", "\\0" + to[1:] if to[0] == "@" else to)
""" % MESSAGES


def test_notifications_of_a_stranger_do_not_fill_the_log_of_pid_1(lab):
    box = start(lab, "notify", "READY=1", "hang", init=["--notify"])
    eventually(lambda: lines_of(box, "daemon_ready"), "readiness")
    program = box.init.descendants()[0]
    box.run("env", f"NOTIFY_SOCKET={program.environ['NOTIFY_SOCKET']}", "/usr/bin/python3", "-I", "-c", SPAM)
    eventually(lambda: len(lines_of(box, "notification_ignored")) >= BURST, "what PID 1 says")
    box.signal(signal.SIGHUP)
    eventually(lambda: lines_of(box, "reload_forwarded"), "another event")
    assert len(lines_of(box, "notification_ignored")) <= BURST + 2
