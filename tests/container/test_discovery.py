# SPDX-License-Identifier: MIT
"""Nodes on an engine's network find each other by the engine's own DNS, without multicast."""

import pytest

from compose_project import mesh_ip, reaches
from lib.wait import eventually

ALIAS = "mesh"
ALONE = ("--no-lan-discovery", f"--peer-dns={ALIAS}")

pytestmark = pytest.mark.parametrize("engine_name", ["docker", "docker13"])


def test_a_name_that_containers_share_brings_them_together(launch):
    network = launch.network()
    options = ("--network", network, "--network-alias", ALIAS)
    one, two, three = (launch.node(*options, join=ALONE) for _ in range(3))
    for node in (two, three):
        reaches(one, mesh_ip(node))
    reaches(three, mesh_ip(two))
    found = [peer["discovered_via"] for peer in one.node()["peers_detail"]]
    assert any("dns" in methods for methods in found) or len(found) == 2
    # A container that comes later is found by its address alone: the others look again.
    four = launch.node(*options, join=("--no-lan-discovery",))
    eventually(lambda: len((one.node() or {}).get("peers_detail", ())) == 3, "the fourth node to be found", within=90)
    reaches(one, mesh_ip(four))
