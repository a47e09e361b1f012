# SPDX-License-Identifier: MIT
"""One key in two places: both say so, and so does every peer; a restart is no clone."""

import shutil

import pytest

from lib.supervised import status
from lib.wait import eventually

pytestmark = pytest.mark.asan


def copy_of(lab, name, original):
    """A second volume with the same bytes, as a cloned disk has."""
    copy = lab.volume(name)
    shutil.copytree(lab.volume(original), copy, dirs_exist_ok=True)
    return copy


def test_a_copied_volume_is_noticed_by_both_nodes_and_by_their_peer(lab):
    peer = lab.node("peer", volume=lab.volume("peer"))
    one = lab.node("one", volume=lab.volume("one"))
    one.wait_until_up()
    one.stop()
    two_volume = copy_of(lab, "two", "one")
    one = lab.node("one-again", volume=lab.volume("one"))
    two = lab.node("two", volume=two_volume)
    for node in (one, two):
        said = node.wait_for_log("live in a second place", 20)
        assert said["level"] == "error" and one.public_key == said["public_key"]
    said = peer.wait_for_log("announce the key of this peer in turns", 20)
    assert said["level"] == "warn" and said["peer"] == one.public_key
    for node in (one, two):
        eventually(lambda: status(node)["cloned"], "the status")
        assert "its key is also live on" in status(node)["daemon_status"]
        asked = node.run("wgmesh-init", "healthcheck", check=False)
        assert asked.returncode == 1 and "also live on" in asked.stderr and "stop one" in asked.stderr


def test_a_restarted_node_is_no_clone(lab):
    peer = lab.node("peer", volume=lab.volume("peer"))
    for name in ("first", "second", "third"):
        node = lab.node(name, volume=lab.volume("state"))
        eventually(lambda: node.pings(peer.mesh_ip), "a ping")
        assert not node.find_log("second place")
        node.stop()
    assert not peer.find_log("in turns")
