# SPDX-License-Identifier: MIT
"""Two nodes that know one secret find each other and talk."""

import time

import pytest

from lib.peer import Mesh
from lib.lab import SECRET
from lib.wait import eventually

pytestmark = pytest.mark.asan


def both_ways(one, two):
    """Do pings cross the tunnel, in both directions and both families?"""
    return (one.pings(two.mesh_ip) and two.pings(one.mesh_ip)
            and one.pings(two.mesh_ip6) and two.pings(one.mesh_ip6))


@pytest.fixture
def pair(lab):
    """Two nodes whose tunnel is up."""
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: both_ways(one, two), "pings through the tunnel")
    return one, two


@pytest.mark.kernel
def test_pings_cross_the_tunnel_within_two_seconds_of_the_second_nodes_start(lab, time_scale):
    one = lab.node("one", volume=lab.volume("one"))
    eventually(lambda: one.has_interface() and one.state(), "the first node")
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: both_ways(one, two), "pings both ways, IPv4 and IPv6", 2)
    assert time.monotonic() - two.started < 2 * time_scale


def test_nodes_have_the_addresses_that_follow_from_secret_and_key(pair):
    mesh = Mesh(SECRET)
    for node in pair:
        assert node.mesh_ip == mesh.mesh_ip(node.public_key)
        assert node.mesh_ip6 == mesh.mesh_ip6(node.public_key)
        shown = node.run("ip", "-oneline", "address", "show", "wg0").stdout
        assert f"{node.mesh_ip}/16" in shown
        assert f"{node.mesh_ip6}/64" in shown


@pytest.mark.kernel
def test_every_peer_has_the_meshs_preshared_key_and_a_keepalive(pair):
    one, two = pair
    assert [key for key, _ in one.wg("preshared-keys")] == [two.public_key]
    # One side begins the handshake, the other follows: on neither is the keepalive set at once.
    eventually(lambda: one.wg("persistent-keepalive") == [[two.public_key, "25"]], "the keepalive")
    allowed = one.wg("allowed-ips")[0][1].split()
    assert sorted(allowed) == sorted([f"{two.mesh_ip}/32", f"{two.mesh_ip6}/128"])


def test_nodes_with_different_secrets_do_not_meet(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    stranger = lab.node("stranger", volume=lab.volume("stranger"), secret="quite another secret")
    eventually(lambda: both_ways(one, two), "pings of the two that belong together")
    eventually(stranger.has_interface, "the stranger's interface")
    assert stranger.handshakes() == {}
    assert stranger.public_key not in one.handshakes()


def test_three_nodes_form_a_full_mesh(lab):
    nodes = [lab.node(name, volume=lab.volume(name)) for name in ("one", "two", "three")]
    for one in nodes:
        for two in nodes:
            if one is not two:
                eventually(lambda: one.pings(two.mesh_ip), f"{one.name} to reach {two.name}")


def test_neighbours_on_every_network_are_met_and_on_one_that_is_plugged_in_later(lab):
    one = lab.node("one", volume=lab.volume("one"))
    near = lab.node("near", volume=lab.volume("near"))
    elsewhere = lab.port()
    elsewhere.ip("addr flush dev eth0", "link set eth0 down")
    far = lab.node("far", volume=lab.volume("far"), port=elsewhere)
    eventually(lambda: both_ways(one, near), "pings through the first tunnel")
    eventually(far.has_interface, "the interface of the node on the other network")
    one.port.ip(f"link add eth1 type veth peer name eth1 netns {elsewhere.path}",
                "addr add 10.95.0.1/24 dev eth1", "link set eth1 up")
    elsewhere.ip("addr add 10.95.0.2/24 dev eth1", "link set eth1 up")
    eventually(lambda: one.pings(far.mesh_ip) and far.pings(one.mesh_ip), "the tunnel across the new network", 20)
    assert both_ways(one, near)


def test_a_host_with_forty_networks_is_met_on_the_last(lab):
    port = lab.port()
    # The kernel's own limit for one socket is twenty.
    port.run("sysctl", "-qw", "net.ipv4.igmp_max_memberships=100")
    for i in range(40):
        port.ip(f"link add v{i} type veth peer name w{i}", f"link set w{i} up",
                f"addr add 10.99.{i}.1/24 dev v{i}", f"link set v{i} up")
    node = lab.node("one", volume=lab.volume("one"), port=port)
    node.wait_until_up()
    group = Mesh(SECRET).group
    eventually(lambda: all(group in port.run("ip", "maddr", "show", "dev", f"v{i}").stdout for i in (0, 39)),
               "a listener on the last one")


def test_a_route_that_a_node_advertises_is_reached_through_it(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"), join=["--advertise-routes", "192.168.77.0/24"])
    eventually(lambda: both_ways(one, two), "pings through the tunnel")
    two.run("ip", "address", "add", "192.168.77.1/24", "dev", "lo")
    eventually(lambda: one.pings("192.168.77.1"), "a ping through the advertised route")


def test_the_interface_and_subnet_that_were_asked_for_are_used(lab):
    node = lab.node("one", volume=lab.volume("one"), join=[
        "--interface=mesh7", "--listen-port=4711", "--mesh-subnet=10.200.0.0/24"])
    shown = eventually(lambda: node.run("ip", "-oneline", "address", "show", "mesh7",
                                        check=False).stdout, "the interface")
    eventually(lambda: "inet 10.200.0." in node.run("ip", "-oneline", "address", "show", "mesh7").stdout,
               f"an address in the subnet, not {shown}")
    assert node.run("wg", "show", "mesh7", "listen-port").stdout.strip() == "4711"
