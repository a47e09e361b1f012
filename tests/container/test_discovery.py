# SPDX-License-Identifier: MIT
"""Nodes on an engine's network find each other by the engine's own DNS, without multicast."""

import pytest

from compose_project import mesh_ip, reaches
from lib.wait import eventually

ALIAS = "mesh"
NO_LAN = "--no-lan-discovery"
BY_NAME = (NO_LAN, f"--peer-dns={ALIAS}")

pytestmark = pytest.mark.parametrize("engine_name", ["docker", "docker13"])


def ways(node):
    """By which ways it knows its peers, together; None while it cannot be asked."""
    said = node.node()
    return said and {way for peer in said["peers_detail"] for way in peer["discovered_via"]}


def test_a_name_that_containers_share_brings_them_together(launch):
    network = launch.network()
    options = ("--network", network, "--network-alias", ALIAS)
    one, two, three = (launch.node(*options, join=BY_NAME) for _ in range(3))
    for node in (two, three):
        reaches(one, mesh_ip(node))
    reaches(three, mesh_ip(two))
    known = [ways(node) for node in (one, two, three)]
    # Whoever is greeted has no need to look the other one up; somebody has to have greeted first.
    assert "dns" in set.union(*known) and "lan" not in set.union(*known)
    # A container that comes later, and asks nobody itself, is found: the others look the name up again.
    four = launch.node(*options, join=(NO_LAN,))
    reaches(one, mesh_ip(four), within=90)
    assert "dns" not in ways(four)


def test_without_the_name_they_do_not_meet(launch):
    network = launch.network()
    one, two = (launch.node("--network", network, join=(NO_LAN,)).wait_until_healthy() for _ in range(2))
    # As long as those who have a name take to meet, and a whole node more.
    beside = [launch.node("--network", network, "--network-alias", ALIAS, join=BY_NAME) for _ in range(2)]
    reaches(beside[0], mesh_ip(beside[1]))
    assert ways(one) == ways(two) == set()
