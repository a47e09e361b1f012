# SPDX-License-Identifier: MIT
"""The interface's MTU follows the ways to peers."""

import json

import pytest

from lib.wait import eventually

pytestmark = pytest.mark.asan


def mtu(node):
    return json.loads(node.run("ip", "-json", "link", "show", "wg0").stdout)[0]["mtu"]


def test_it_is_that_of_the_way_out_less_what_wireguard_adds(lab):
    port = lab.port()
    port.ip("link set eth0 mtu 1470")
    node = lab.node("one", volume=lab.volume("one"), port=port)
    node.wait_until_up()
    assert mtu(node) == 1390


def test_it_follows_the_way_to_a_peer_and_is_written_only_when_it_differs(lab):
    port = lab.port()
    # The way out is narrower than the way to the peer.
    port.ip("link add out0 type veth peer name out1", "link set out0 up mtu 1380",
            "addr add 172.30.0.2/24 dev out0",
            "route replace default via 172.30.0.1 dev out0")
    one = lab.node("one", volume=lab.volume("one"), port=port)
    one.wait_until_up()
    assert mtu(one) == 1300
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    eventually(lambda: mtu(one) == 1420, "the MTU of the way to the peer")
    port.ip("link set eth0 mtu 1450")
    eventually(lambda: mtu(one) == 1370, "the MTU to follow the interface")
    # A change that leads to the same MTU writes nothing.
    port.ip("link set out0 mtu 1370")
    port.ip("link set eth0 mtu 1460")
    eventually(lambda: mtu(one) == 1380, "the MTU to follow the interface again")
    said = [e["mtu"] for e in one.log.events() if e.get("event") == "mtu_changed"]
    assert said == ["1420", "1370", "1380"]


def test_a_route_with_an_mtu_of_its_own_counts_and_less_than_ipv6_needs_is_said(lab):
    port = lab.port()
    one = lab.node("one", volume=lab.volume("one"), port=port)
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    port.ip(f"route add {two.port.address} dev eth0 mtu 1300")
    eventually(lambda: mtu(one) == 1280, "the smallest MTU that IPv6 has")
    assert "1300" in one.wait_for_event("mtu_too_small")["msg"]


def test_what_an_operator_gives_stands(lab):
    one = lab.node("one", volume=lab.volume("one"), join=["--mtu", "1333"])
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    one.port.ip("link set eth0 mtu 1400")
    one.port.ip("addr add 192.168.200.1/24 dev eth0")
    assert mtu(one) == 1333
